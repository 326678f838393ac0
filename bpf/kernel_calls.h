/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declares the kernel functions (kfuncs) that programs call. Each has the number of a
 * helper that no kernel has, and the agent replaces that by the function's BTF id
 * (cbpf_name_call()). An extern declaration would do the same, but libbpf would read
 * all of the kernel's types to find the id.
 */
#ifndef MRTRACE_KERNEL_CALLS_H
#define MRTRACE_KERNEL_CALLS_H

struct times {
	u64 of_the_kernel;
} __attribute__((aligned(8)));

static void *(*const bpf_rdonly_cast)(const void *from, u32 type) = (void *)MRT_CALL_CAST;
static int (*const bpf_iter_num_new)(struct times *times, int first,
				     int end) = (void *)MRT_CALL_TIMES_NEW;
static int *(*const bpf_iter_num_next)(struct times *times) = (void *)MRT_CALL_TIMES_NEXT;
static void (*const bpf_iter_num_destroy)(struct times *times) = (void *)MRT_CALL_TIMES_DESTROY;

#endif
