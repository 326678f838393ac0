/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities and limits of this thread, without libcap. */
#ifndef CPRIVILEGES_H
#define CPRIVILEGES_H

#include <stdint.h>

/// The effective and the permitted set, a bit a capability. 0, or -errno.
int cprivileges_get(uint64_t *effective, uint64_t *permitted);

/// Make `effective` and `permitted` the sets of this thread; nothing is left to
/// inherit. 0, or -errno.
int cprivileges_set(uint64_t effective, uint64_t permitted);

/// Take everything that is not in `keep` out of the bounding set, as far as
/// CAP_SETPCAP allows, and empty the ambient set.
void cprivileges_bound(uint64_t keep);

/// No program that this process runs from here on gains privileges. 0, or -errno.
int cprivileges_no_new(void);

/// Neither ptrace by another process of the same user nor a core dump. 0, or -errno.
int cprivileges_not_dumpable(void);

/// RLIMIT_MEMLOCK as this process was started with. libbpf raises it on kernels
/// before 5.11; a command must not inherit that.
struct cprivileges_limit {
	uint64_t soft;
	uint64_t hard;
};
struct cprivileges_limit cprivileges_memlock(void);

/// Puts the limit of the start back. Safe between fork and exec.
void cprivileges_restore_memlock(void);

/// Runs this thread before those that it watches, as far as it may (nice -20, CAP_SYS_NICE): it uses little, but must
/// not wait its turn among dozens of busy threads while the ring buffer fills.
void cprivileges_raise_priority(void);

/// Puts the niceness of the start back. Safe between fork and exec.
void cprivileges_restore_priority(void);

#endif
