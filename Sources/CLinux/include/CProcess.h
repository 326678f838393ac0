/* SPDX-License-Identifier: Apache-2.0 */
/* This process's memory, and the threads of others. */
#ifndef CPROCESS_H
#define CPROCESS_H

#include <sys/types.h>

/// Gives memory that was freed back to the kernel, and code that has run: loading programs takes a lot of both for a
/// moment.
void cprocess_release_memory(void);

/// 0 if there is no such thread any more.
int cprocess_thread_exists(pid_t process, pid_t thread);

#endif
