// SPDX-License-Identifier: Apache-2.0
/*
 * Programs as they are once their constants are known: what cannot be reached goes, and what only led there. The kernel
 * would find that out as well, and then move all of a program and what it knows of it for each piece that it takes out.
 */
#include "prune.h"

/* Everything that compilers make of mcpu v3; of others nothing is known here. */
static bool is_known(const struct bpf_insn *i)
{
	uint8_t op = BPF_OP(i->code);

	switch (BPF_CLASS(i->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return op <= BPF_END && i->off == 0 && i->dst_reg < REGISTERS &&
		       i->src_reg <= REGISTERS;
	case BPF_LD: return is_wide(i) && i->dst_reg < REGISTERS;
	case BPF_LDX:
		return BPF_MODE(i->code) == BPF_MEM && i->dst_reg < REGISTERS &&
		       i->src_reg <= REGISTERS;
	case BPF_ST: return BPF_MODE(i->code) == BPF_MEM && i->dst_reg <= REGISTERS;
	case BPF_STX:
		return (BPF_MODE(i->code) == BPF_MEM || BPF_MODE(i->code) == BPF_ATOMIC) &&
		       i->dst_reg <= REGISTERS && i->src_reg <= REGISTERS;
	case BPF_JMP: return op <= BPF_JSLE && i->dst_reg <= REGISTERS && i->src_reg <= REGISTERS;
	default:
		return op != BPF_JA && op != BPF_CALL && op != BPF_EXIT && op <= BPF_JSLE &&
		       i->dst_reg <= REGISTERS && i->src_reg <= REGISTERS;
	}
}

static uint32_t compact(struct pruner *p, void *functions, uint32_t *function_count,
			uint32_t function_size)
{
	uint32_t *place = p->next, left = 0, kept = 0;

	for (uint32_t at = 0; at < p->count; at++) {
		place[at] = left;
		left += p->keep[at];
	}
	for (uint32_t at = 0; at < p->count; at++) {
		struct bpf_insn *i = &p->code[at];

		if (!p->keep[at] || is_second(p, at))
			continue;
		if (jumps(i))
			i->off = (int16_t)(place[target(at, i->off)] - place[at] - 1);
		else if (names_function(i))
			i->imm = (int32_t)(place[target(at, i->imm)] - place[at] - 1);
	}
	for (uint32_t number = 0; number < *function_count; number++) {
		char *function = (char *)functions + number * function_size;
		uint32_t start;

		memcpy(&start, function, sizeof(start));
		if (p->states[p->leader[start] - 1].r[0].kind == UNSEEN)
			continue;
		memmove((char *)functions + kept * function_size, function, function_size);
		memcpy((char *)functions + kept * function_size, &place[start], sizeof(start));
		kept++;
	}
	*function_count = kept;
	for (uint32_t at = 0; at < p->count; at++)
		if (p->keep[at])
			p->code[place[at]] = p->code[at];
	return left;
}

static bool add_leader(struct pruner *p, int64_t at)
{
	if (at < 0 || at >= p->count || is_second(p, (uint32_t)at))
		return false;
	if (!p->leader[at])
		p->leader[at] = ++p->leaders;
	return true;
}

/* False: something in it is not known here. */
static bool find_leaders(struct pruner *p, const void *functions, uint32_t function_count,
			 uint32_t function_size)
{
	if (!add_leader(p, 0))
		return false;
	for (uint32_t number = 0; number < function_count; number++) {
		uint32_t start;

		memcpy(&start, (const char *)functions + number * function_size, sizeof(start));
		if (!add_leader(p, start))
			return false;
	}
	for (uint32_t at = 0; at < p->count; at++) {
		const struct bpf_insn *i = &p->code[at];

		if (!is_known(i) ||
		    (at + 1 + is_wide(i) >= p->count && !(is_exit(i) || is_goto(i))))
			return false;
		if (jumps(i) && !add_leader(p, (int64_t)at + 1 + i->off))
			return false;
		if (names_function(i) && !add_leader(p, (int64_t)at + 1 + i->imm))
			return false;
		at += is_wide(i);
	}
	return true;
}

static void index_leaders(struct pruner *p)
{
	for (uint32_t at = 0; at < p->count; at++)
		if (p->leader[at])
			p->where[p->leader[at] - 1] = at;
}

uint32_t cbpf_prune(struct bpf_insn *code, uint32_t count, const struct cbpf_constants *constants,
		    void *functions, uint32_t *function_count, uint32_t function_size)
{
	struct pruner p = { .code = code, .count = count, .constants = constants };
	uint32_t left = 0;

	p.leader = calloc(count + 1, sizeof(*p.leader));
	p.keep = calloc(count + 1, sizeof(*p.keep));
	p.live = calloc(count + 1, sizeof(*p.live));
	p.next = calloc(count + 2, sizeof(*p.next));
	if (p.leader && p.keep && p.live && p.next &&
	    find_leaders(&p, functions, *function_count, function_size)) {
		p.states = calloc(p.leaders, sizeof(*p.states));
		p.where = calloc(p.leaders, sizeof(*p.where));
		p.work = calloc(p.leaders, sizeof(*p.work));
		p.waits = calloc(p.leaders, sizeof(*p.waits));
		if (p.states && p.where && p.work && p.waits) {
			index_leaders(&p);
			prune_propagate(&p);
			while (prune_remove_idle(&p))
				;
			left = compact(&p, functions, function_count, function_size);
		}
	}
	free(p.leader);
	free(p.keep);
	free(p.live);
	free(p.next);
	free(p.states);
	free(p.where);
	free(p.work);
	free(p.waits);
	return left;
}
