/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long operations took, by kind and by how they ended: for the live views,
 * which count every operation whether or not it makes a record. Costs nothing
 * where they are not asked for (config.statistics).
 */
#ifndef MRTRACE_LATENCY_H
#define MRTRACE_LATENCY_H

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MRT_LATENCY_SLOTS);
	__type(key, u32);
	__type(value, struct mrt_latencies);
} latencies SEC(".maps");

static __always_inline u32 latency_bucket(u64 ns)
{
	u64 rest = ns;
	u32 top = 0;

	if (ns < 2 << MRT_LATENCY_PRECISION)
		return ns;
	/* position of the highest bit: BPF has no instruction for it */
	if (rest >> 32) {
		rest >>= 32;
		top += 32;
	}
	if (rest >> 16) {
		rest >>= 16;
		top += 16;
	}
	if (rest >> 8) {
		rest >>= 8;
		top += 8;
	}
	if (rest >> 4) {
		rest >>= 4;
		top += 4;
	}
	if (rest >> 2) {
		rest >>= 2;
		top += 2;
	}
	if (rest >> 1)
		top++;
	top -= MRT_LATENCY_PRECISION;
	rest = ((u64)top << MRT_LATENCY_PRECISION) + (ns >> top);
	return rest < MRT_LATENCY_BUCKETS ? rest : MRT_LATENCY_BUCKETS - 1;
}

/*
 * A function of plain numbers, verified once. Atomic: several hooks end the same
 * kind of operation, and one may be in the middle of this on the same CPU.
 */
__noinline int add_latency(u32 slot, u64 ns)
{
	struct mrt_latencies *l = bpf_map_lookup_elem(&latencies, &slot);
	u32 bucket = latency_bucket(ns);

	if (!l)
		return 0;
	barrier_var(bucket);
	bucket &= MRT_LATENCY_BUCKETS - 1;
	add_atomic(&l->counts[bucket], 1);
	add_atomic(&l->sum_ns, ns);
	if (ns > l->maximum_ns)
		l->maximum_ns = ns;
	return 0;
}

/* An operation that passes the filters has ended. */
static __always_inline void count_operation(struct in_flight *op, s64 result)
{
	if (config.statistics && is_wanted_result(result))
		add_latency(op->kind * 2 + (result < 0), bpf_ktime_get_ns() - op->start_ns);
}

#endif
