/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBES_H
#define PROBES_H

/* Says what went wrong, with errno, and ends the program. */
void fail(const char *what) __attribute__((noreturn));

/* Samples the CPU every `period` nanoseconds, of all tasks, while SIGUSR1 has said so and SIGUSR2 not; at SIGTERM writes
 * what it has to `path`. `ready` is made when it waits for signals. */
void profile(unsigned long long period, const char *ready, const char *path);

/* Runs a command and prints the largest resident set that it has had. Its exit status. */
int peak(char **command);

#endif
