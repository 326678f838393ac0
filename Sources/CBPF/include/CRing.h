/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The positions at the start of a BPF ring buffer's pages, with the ordering the kernel's producer
 * needs (kernel/bpf/ringbuf.c).
 */
#ifndef CRING_H
#define CRING_H

#include <stdint.h>

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

#endif
