/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C border to libbpf. Only the Kernel layer imports this (.ci/check looks); what is about Linux
 * and not about BPF is in CLinux.
 */
#ifndef CBPF_H
#define CBPF_H

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stddef.h>
#include <stdint.h>

/// Collects libbpf's messages instead of printing them. Its callback takes a
/// va_list, which Swift cannot.
void cbpf_log_start(void);

/// Everything libbpf said since cbpf_log_start(), NUL-terminated, oldest lines cut.
const char *cbpf_log_text(void);

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

/// A function that a program of type tracing is for: its id among the kernel's types, or, where `module` is not 0, among
/// those that this descriptor stands for.
struct cbpf_target {
	const char *function;
	uint32_t id;
	int module;
};

/// From now on fentry and fexit programs are for these, by the function in their section's name. They are copied, their
/// names are not. None: libbpf looks for them.
void cbpf_set_targets(const struct cbpf_target *targets, size_t count);

/// Iterators are from now on for this function of the kernel, by its id among the types.
void cbpf_set_iterator(uint32_t id);

/// Constants that programs read by their address in a map: its descriptor, and what is in it.
struct cbpf_constants {
	int map;
	const void *bytes;
	size_t size;
};

/// Removes the instructions of a program that these constants make unreachable or idle, and returns how many are left;
/// 0: nothing was done. `functions` are records of `function_size` bytes each, whose first four bytes say where a function
/// begins; the records of functions that are no longer called are removed too.
uint32_t cbpf_prune(struct bpf_insn *code, uint32_t count, const struct cbpf_constants *constants, void *functions,
		    uint32_t *function_count, uint32_t function_size);

/// Replaces calls of the helper number `placeholder`, in programs that are loaded from now on, by calls of the kernel
/// function with the BTF id `id`. 0: the id is not known, and a program that can reach the call is refused.
void cbpf_name_call(uint32_t placeholder, uint32_t id);

/// Objects opened from now on have their kprobes and raw tracepoints pruned, too. Kernels before 5.13 refuse programs
/// that name a function without calling it, even where they never come there.
void cbpf_register_programs(void);

/// From now on programs are pruned by what is in this map when they are loaded. NULL: no more.
void cbpf_set_constants(const struct bpf_map *map);

/// A descriptor of the types of a module, or -1: it has none, or CAP_SYS_ADMIN is missing.
int cbpf_module_types(const char *module);

/// The positions at the start of a BPF ring buffer's pages, with the ordering
/// the kernel's producer needs (kernel/bpf/ringbuf.c).
static inline uint64_t cbpf_load_acquire_u64(const void *p)
{
	return __atomic_load_n((const uint64_t *)p, __ATOMIC_ACQUIRE);
}

static inline uint32_t cbpf_load_acquire_u32(const void *p)
{
	return __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);
}

/// Nothing after it is read before what was written before it is there for all to see.
static inline void cbpf_full_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void cbpf_store_release_u64(void *p, uint64_t value)
{
	__atomic_store_n((uint64_t *)p, value, __ATOMIC_RELEASE);
}

/// Returns when every program that was running has ended.
void cbpf_wait_for_programs(void);

/// What the kernel says a kprobe's or kretprobe's link has missed; 0 where it does not tell (before
/// 6.7, or another kind of link).
uint64_t cbpf_kprobe_missed(int link);

#endif
