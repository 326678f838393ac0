// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's symbols, those alone that the agent may want: /proc/kallsyms prints
 * 200,000 of them at many times the cost.
 *
 * Hook: none, an iterator over what /proc/kallsyms has, in its order and form.
 * Kernels: 6.0 and later; the agent reads /proc/kallsyms elsewhere.
 */
#include "kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "events.h"
#include "kernel_calls.h"

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} __attribute__((preserve_access_index));

struct kallsym_iter {
	u64 value;
	char type;
	char name[1];
	char module_name[1];
	int show_value;
} __attribute__((preserve_access_index));

struct bpf_iter__ksym {
	struct bpf_iter_meta *meta;
	struct kallsym_iter *ksym;
};

/* A bit for each name that is wanted, and for others by chance (Kernel/Facts/WantedSymbols.swift). */
#define BITS 32768

const volatile u64 wanted[BITS / 64] SEC(".rodata.wanted") = {};

#define EACH(byte) (byte * 0x0101010101010101ull)

/* The bytes that are 0, by their high bits; above the first one they may be others. */
static __always_inline u64 zeros(u64 word)
{
	return (word - EACH(1)) & ~word & EACH(0x80);
}

/* What stands before a name's end or its first dot. `*ends`: there is one. */
static __always_inline u64 stem(u64 word, bool *ends)
{
	u64 end = zeros(word) | zeros(word ^ EACH('.'));

	*ends = end;
	return end ? word & (((end & -end) >> 7) - 1) : word;
}

/* `loads`: of the kernel's memory are allowed (6.17 and later). */
static __always_inline int show(struct bpf_iter__ksym *ctx, bool loads)
{
	struct kallsym_iter *symbol = ctx->ksym;
	u64 words[2] = {}, first, second = 0, value;
	const volatile u64 *name;
	bool ends;
	u32 bit;

	if (!symbol)
		return 0;
	name = (void *)symbol + bpf_core_field_offset(symbol->name);
	if (loads) {
		name = bpf_rdonly_cast((const void *)name, 0);
		words[0] = name[0];
		words[1] = name[1];
	} else if (bpf_probe_read_kernel(words, sizeof(words), (const void *)name)) {
		return 0;
	}
	first = stem(words[0], &ends);
	if (!ends)
		second = stem(words[1], &ends);
	bit = ((first * 0x9e3779b97f4a7c15ull ^ second) * 0xc2b2ae3d27d4eb4full) >> 49;
	if (!(wanted[bit / 64 & (BITS / 64 - 1)] >> (bit & 63) & 1))
		return 0;
	value = symbol->show_value ? symbol->value : 0;
	if (symbol->module_name[0])
		BPF_SEQ_PRINTF(ctx->meta->seq, "%llx %c %s\t[%s]\n", value, symbol->type,
			       (u64)symbol + bpf_core_field_offset(symbol->name),
			       (u64)symbol + bpf_core_field_offset(symbol->module_name));
	else
		BPF_SEQ_PRINTF(ctx->meta->seq, "%llx %c %s\n", value, symbol->type,
			       (u64)symbol + bpf_core_field_offset(symbol->name));
	return 0;
}

SEC("iter/ksym")
int symbols(struct bpf_iter__ksym *ctx)
{
	return show(ctx, false);
}

SEC("iter/ksym")
int symbols_by_loads(struct bpf_iter__ksym *ctx)
{
	return show(ctx, true);
}

char _license[] SEC("license") = "GPL";
