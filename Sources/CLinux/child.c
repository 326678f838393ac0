// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CChild.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CPrivileges.h"

/* The screen is another's: what would go there goes to `output`. */
static void leave_terminal(int output)
{
	int null;

	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (isatty(fd))
			dup2(output, fd);
	if (isatty(STDIN_FILENO)) {
		null = open("/dev/null", O_RDONLY);
		if (null >= 0)
			dup2(null, STDIN_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
}

int cchild_start(char *const argv[], int output, struct cchild *child)
{
	int go[2], error[2], code;
	sigset_t none;
	char byte;

	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(error, O_CLOEXEC)) {
		code = -errno;
		close(go[0]);
		close(go[1]);
		return code;
	}
	child->pid = fork();
	if (child->pid < 0) {
		code = -errno;
		close(go[0]);
		close(go[1]);
		close(error[0]);
		close(error[1]);
		return code;
	}
	if (child->pid == 0) {
		/* the agent reads its signals from a signalfd; the command must not */
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGPIPE, SIG_DFL);
		cprivileges_restore_memlock();
		cprivileges_restore_priority();
		close(go[1]);
		if (output >= 0)
			leave_terminal(output);
		if (read(go[0], &byte, 1) != 1)
			_exit(127);
		execvp(argv[0], argv);
		code = errno;
		if (write(error[1], &code, sizeof(code)) != sizeof(code))
			_exit(126);
		_exit(127);
	}
	close(go[0]);
	close(error[1]);
	child->go = go[1];
	child->error = error[0];
	return 0;
}

int cchild_go(struct cchild *child)
{
	int code = 0;
	ssize_t n;

	if (write(child->go, "g", 1) != 1)
		return -errno;
	close(child->go);
	child->go = -1;
	do {
		n = read(child->error, &code, sizeof(code));
	} while (n < 0 && errno == EINTR);
	close(child->error);
	child->error = -1;
	if (n != sizeof(code))
		return 0;
	waitpid(child->pid, NULL, 0);
	return -code;
}

void cchild_abandon(struct cchild *child)
{
	if (child->go < 0)
		return;
	close(child->go);
	close(child->error);
	child->go = child->error = -1;
	waitpid(child->pid, NULL, 0);
}

int cchild_exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
