// SPDX-License-Identifier: GPL-2.0-only
/*
 * A producer for tests of the ring buffer: a socket filter needs no right to
 * trace, so it loads on locked-down kernels too (Tests/Kernel/RingReaderTests).
 *
 * Hook: none. BPF_PROG_TEST_RUN makes one LAYER record a run; its number is the
 * first argument. What finds no room is counted.
 */
#include "kernel_types.h"

#include <bpf/bpf_helpers.h>

#include "events.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} ring SEC(".maps");

struct produced {
	u64 number;
	u64 lost;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct produced);
} counts SEC(".maps");

SEC("socket")
int produce(void *ctx)
{
	struct produced *count, zero = {};
	struct mrt_layer *r;
	u32 key = 0;

	count = bpf_map_lookup_elem(&counts, &key);
	if (!count) {
		bpf_map_update_elem(&counts, &key, &zero, BPF_ANY);
		count = bpf_map_lookup_elem(&counts, &key);
		if (!count)
			return 0;
	}
	count->number++;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count->lost++;
		return 0;
	}
	__builtin_memset(r, 0, sizeof(*r));
	r->h.kind = MRT_KIND_LAYER;
	r->h.size = sizeof(*r);
	r->arguments[0] = count->number;
	bpf_ringbuf_submit(r, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
