/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "probes.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int peak(char **command)
{
	struct rusage usage;
	int status;
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child == 0) {
		execvp(command[0], command);
		fail(command[0]);
	}
	if (wait4(child, &status, 0, &usage) < 0)
		fail("wait4");
	fprintf(stderr, "{\"peak_kb\":%ld}\n", usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
