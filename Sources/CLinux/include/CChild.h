/* SPDX-License-Identifier: Apache-2.0 */
/* A child process that waits until it is let go. */
#ifndef CCHILD_H
#define CCHILD_H

#include <sys/types.h>

/// A child that waits for cchild_go() before it runs its command.
struct cchild {
	pid_t pid;
	int go; /* write end: one byte lets it run */
	int error; /* read end: errno of a failed exec, or end of file */
};

/// Fork a child that will run `argv` (execvp). 0, or -errno. `output`, unless -1:
/// takes what the command would write to the terminal, and it cannot read from there.
int cchild_start(char *const argv[], int output, struct cchild *child);

/// Let it run. 0 once exec succeeded, or -errno of the exec that failed (the
/// child is then gone and has been waited for).
int cchild_go(struct cchild *child);

/// Give up on a child that has not been let go: it ends without running anything.
void cchild_abandon(struct cchild *child);

/// A wait status taken apart as a shell would: exit status, or 128 + signal.
int cchild_exit_status(int status);

#endif
