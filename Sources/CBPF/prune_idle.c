// SPDX-License-Identifier: Apache-2.0
/* Removal of what writes registers that nobody reads, and of jumps to where it goes on anyway. */
#include "prune.h"

#define BIT(r)      ((uint16_t)(1u << (r)))
#define CALL_READS  0x3e /* R1 … R5 */
#define CALL_WRITES 0x3f

static uint16_t reads(const struct bpf_insn *i)
{
	switch (BPF_CLASS(i->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return (BPF_OP(i->code) == BPF_MOV ? 0 : BIT(i->dst_reg)) |
		       (BPF_SRC(i->code) == BPF_X && BPF_OP(i->code) != BPF_END ? BIT(i->src_reg)
										: 0);
	case BPF_LD: return 0;
	case BPF_LDX: return BIT(i->src_reg);
	case BPF_ST: return BIT(i->dst_reg);
	case BPF_STX:
		return BIT(i->dst_reg) | BIT(i->src_reg) |
		       (BPF_MODE(i->code) == BPF_ATOMIC ? BIT(0) : 0);
	default:
		if (is_call(i))
			return CALL_READS;
		if (is_exit(i))
			return BIT(0);
		if (is_goto(i))
			return 0;
		return BIT(i->dst_reg) | (BPF_SRC(i->code) == BPF_X ? BIT(i->src_reg) : 0);
	}
}

static uint16_t writes(const struct bpf_insn *i)
{
	switch (BPF_CLASS(i->code)) {
	case BPF_ALU:
	case BPF_ALU64:
	case BPF_LD:
	case BPF_LDX: return BIT(i->dst_reg);
	default: return is_call(i) ? CALL_WRITES : 0;
	}
}

/* It writes a register and does nothing else. A load may have been left to the kernel for its checks: it stays. */
static bool only_writes(const struct bpf_insn *i)
{
	return calculates(i) || is_wide(i);
}

static void find_next(struct pruner *p)
{
	p->next[p->count] = p->count;
	for (uint32_t at = p->count; at-- > 0;)
		p->next[at] = p->keep[at] ? at : p->next[at + 1];
}

/* Registers that are read behind an instruction: `live`, until it changes no more. */
static void find_live(struct pruner *p)
{
	bool changed = true;

	memset(p->live, 0, p->count * sizeof(*p->live));
	while (changed) {
		changed = false;
		for (uint32_t at = p->count; at-- > 0;) {
			struct bpf_insn *i = &p->code[at];
			uint16_t out = 0;
			uint32_t to[2], ways = 0;

			if (!p->keep[at] || is_second(p, at))
				continue;
			if (!is_exit(i) && !is_goto(i))
				to[ways++] = p->next[at + 1 + is_wide(i)];
			if (jumps(i))
				to[ways++] = p->next[target(at, i->off)];
			for (uint32_t way = 0; way < ways; way++) {
				const struct bpf_insn *then = &p->code[to[way]];

				if (to[way] == p->count)
					continue;
				out |= (p->live[to[way]] & (uint16_t)~writes(then)) | reads(then);
			}
			if (out != p->live[at]) {
				p->live[at] = out;
				changed = true;
			}
		}
	}
}

bool prune_remove_idle(struct pruner *p)
{
	bool removed = false;

	find_next(p);
	find_live(p);
	for (uint32_t at = p->count; at-- > 0;) {
		struct bpf_insn *i = &p->code[at];

		if (p->keep[at] && !is_second(p, at)) {
			bool idle = jumps(i) && i->off >= 0 &&
				    p->next[target(at, i->off)] == p->next[at + 1];

			if (only_writes(i) && !(writes(i) & p->live[at])) {
				idle = true;
				if (is_wide(i)) {
					p->keep[at + 1] = false;
					p->next[at + 1] = p->next[at + 2];
				}
			}
			if (idle) {
				p->keep[at] = false;
				removed = true;
			}
		}
		p->next[at] = p->keep[at] ? at : p->next[at + 1];
	}
	return removed;
}
