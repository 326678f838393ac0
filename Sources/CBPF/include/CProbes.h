/* SPDX-License-Identifier: Apache-2.0 */
/* What this kernel lets programs do, and their links. */
#ifndef CPROBES_H
#define CPROBES_H

#include <bpf/libbpf.h>
#include <stdint.h>

/// 1 if BPF programs may read kernel memory here, 0 if lockdown withholds the
/// helper. Loads a program of seven instructions and throws it away.
int cbpf_may_read_kernel(void);

/// 0 where kprobes have no links of their own (before Linux 5.18, or without CONFIG_FPROBE, as Debian's 6.1), else
/// 1; -1 where programs cannot be loaded. Tries it with a program of two instructions, attached to nothing.
int cbpf_has_probe_links(void);

/// Attach a program of type kprobe.multi to one address. NULL and errno where it fails. In C, since libbpf
/// wants the padding of its options to be zero, which Swift does not promise.
struct bpf_link *cbpf_attach_probe_link(const struct bpf_program *program, unsigned long address,
					int at_return);

/// Returns when every program that was running has ended.
void cbpf_wait_for_programs(void);

/// What the kernel says a kprobe's or kretprobe's link has missed; 0 where it does not tell (before
/// 6.7, or another kind of link).
uint64_t cbpf_kprobe_missed(int link);

#endif
