// SPDX-License-Identifier: Apache-2.0
/*
 * Conditional constant propagation over registers. Nothing is assumed of memory but of the constants themselves, and
 * nothing of arguments.
 */
#include "prune.h"

static bool read_constant(const struct pruner *p, uint64_t at, uint32_t size, uint64_t *number)
{
	if (at > p->constants->size || size > p->constants->size - at)
		return false;
	*number = 0;
	/* little-endian, as BPF here is */
	memcpy(number, (const char *)p->constants->bytes + at, size);
	return true;
}

static uint32_t size_of(uint8_t code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B: return 1;
	case BPF_H: return 2;
	case BPF_W: return 4;
	default: return 8;
	}
}

static bool calculate(uint8_t code, uint64_t a, uint64_t b, uint64_t *result)
{
	bool narrow = BPF_CLASS(code) == BPF_ALU;
	uint32_t shift = b & (narrow ? 31 : 63);

	if (narrow) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	switch (BPF_OP(code)) {
	case BPF_MOV: a = b; break;
	case BPF_ADD: a += b; break;
	case BPF_SUB: a -= b; break;
	case BPF_MUL: a *= b; break;
	case BPF_AND: a &= b; break;
	case BPF_OR: a |= b; break;
	case BPF_XOR: a ^= b; break;
	case BPF_LSH: a <<= shift; break;
	case BPF_RSH: a >>= shift; break;
	case BPF_ARSH:
		a = narrow ? (uint64_t)((int32_t)a >> shift) : (uint64_t)((int64_t)a >> shift);
		break;
	default: return false;
	}
	*result = narrow ? (uint32_t)a : a;
	return true;
}

static struct value operand(const struct state *s, const struct bpf_insn *i)
{
	if (BPF_SRC(i->code) == BPF_K)
		return (struct value){ NUMBER, (uint64_t)(int64_t)i->imm };
	if (i->src_reg >= REGISTERS)
		return (struct value){ UNKNOWN, 0 };
	return s->r[i->src_reg];
}

static struct value alu(const struct state *s, const struct bpf_insn *i)
{
	struct value unknown = { UNKNOWN, 0 }, a = s->r[i->dst_reg], b, out = { NUMBER, 0 };
	bool wide = BPF_CLASS(i->code) == BPF_ALU64;

	if (BPF_OP(i->code) == BPF_END || BPF_OP(i->code) == BPF_NEG)
		return unknown;
	b = operand(s, i);
	if (BPF_OP(i->code) == BPF_MOV && wide)
		return b;
	if (BPF_OP(i->code) == BPF_ADD && wide && a.kind == CONSTANTS && b.kind == NUMBER)
		return (struct value){ CONSTANTS, a.number + b.number };
	if (b.kind != NUMBER || (a.kind != NUMBER && BPF_OP(i->code) != BPF_MOV))
		return unknown;
	return calculate(i->code, a.number, b.number, &out.number) ? out : unknown;
}

/* What an instruction that neither jumps nor exits leaves in the registers. */
static void step(const struct pruner *p, struct state *s, uint32_t at)
{
	const struct bpf_insn *i = &p->code[at];
	struct value unknown = { UNKNOWN, 0 }, from;

	switch (BPF_CLASS(i->code)) {
	case BPF_ALU:
	case BPF_ALU64: s->r[i->dst_reg] = alu(s, i); return;
	case BPF_LD:
		s->r[i->dst_reg] = unknown;
		if (i->src_reg == 0)
			s->r[i->dst_reg] =
				(struct value){ NUMBER,
						(uint32_t)i->imm | (uint64_t)i[1].imm << 32 };
		else if (i->src_reg == BPF_PSEUDO_MAP_VALUE && i->imm == p->constants->map)
			s->r[i->dst_reg] = (struct value){ CONSTANTS, (uint32_t)i[1].imm };
		return;
	case BPF_LDX:
		from = i->src_reg < REGISTERS ? s->r[i->src_reg] : unknown;
		s->r[i->dst_reg] = (struct value){ NUMBER, 0 };
		if (from.kind != CONSTANTS ||
		    !read_constant(p, from.number + (uint64_t)(int64_t)i->off, size_of(i->code),
				   &s->r[i->dst_reg].number))
			s->r[i->dst_reg] = unknown;
		return;
	case BPF_STX:
		/* some fetch */
		if (BPF_MODE(i->code) == BPF_ATOMIC) {
			s->r[0] = unknown;
			if (i->src_reg < REGISTERS)
				s->r[i->src_reg] = unknown;
		}
		return;
	case BPF_JMP:
		for (int r = 0; r <= 5; r++) /* a call */
			s->r[r] = unknown;
		return;
	}
}

/* 1: it jumps, 0: it does not, -1: it depends. */
static int outcome(const struct state *s, const struct bpf_insn *i)
{
	struct value a = i->dst_reg < REGISTERS ? s->r[i->dst_reg] : (struct value){ UNKNOWN, 0 };
	struct value b = operand(s, i);
	uint64_t x = a.number, y = b.number;

	if (a.kind != NUMBER || b.kind != NUMBER)
		return -1;
	if (BPF_CLASS(i->code) == BPF_JMP32) { /* extended by their sign they compare the same */
		x = (uint64_t)(int32_t)x;
		y = (uint64_t)(int32_t)y;
	}
	switch (BPF_OP(i->code)) {
	case BPF_JEQ: return x == y;
	case BPF_JNE: return x != y;
	case BPF_JGT: return x > y;
	case BPF_JGE: return x >= y;
	case BPF_JLT: return x < y;
	case BPF_JLE: return x <= y;
	case BPF_JSGT: return (int64_t)x > (int64_t)y;
	case BPF_JSGE: return (int64_t)x >= (int64_t)y;
	case BPF_JSLT: return (int64_t)x < (int64_t)y;
	case BPF_JSLE: return (int64_t)x <= (int64_t)y;
	case BPF_JSET: return (x & y) != 0;
	default: return -1;
	}
}

/* These registers come here, too. */
static void arrive(struct pruner *p, uint32_t at, const struct state *s)
{
	uint32_t number = p->leader[at] - 1;
	struct state *known = &p->states[number];
	bool changed = false;

	for (int r = 0; r < REGISTERS; r++) {
		struct value *old = &known->r[r];

		if (old->kind == UNKNOWN ||
		    (old->kind == s->r[r].kind && old->number == s->r[r].number))
			continue;
		*old = old->kind == UNSEEN ? s->r[r] : (struct value){ UNKNOWN, 0 };
		changed = true;
	}
	if (changed && !p->waits[number]) {
		p->waits[number] = true;
		p->work[p->pending++] = number;
	}
}

static void arrive_unknown(struct pruner *p, uint32_t at)
{
	struct state unknown;

	for (int r = 0; r < REGISTERS; r++)
		unknown.r[r] = (struct value){ UNKNOWN, 0 };
	arrive(p, at, &unknown);
}

/* A number as an instruction of its own, instead of what calculated it. */
static void settle(struct bpf_insn *i, struct value value)
{
	if (value.kind != NUMBER || value.number != (uint64_t)(int64_t)(int32_t)value.number)
		return;
	*i = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K,
				.dst_reg = i->dst_reg,
				.imm = (int32_t)value.number };
}

/* A register that is known to hold a number: the number itself, so that nobody need load it. */
static void name_operand(struct bpf_insn *i, const struct state *s)
{
	bool narrow = BPF_CLASS(i->code) == BPF_ALU || BPF_CLASS(i->code) == BPF_JMP32;
	bool shifts = !jumps(i) && (BPF_OP(i->code) == BPF_LSH || BPF_OP(i->code) == BPF_RSH ||
				    BPF_OP(i->code) == BPF_ARSH);
	bool divides = !jumps(i) && (BPF_OP(i->code) == BPF_DIV || BPF_OP(i->code) == BPF_MOD);
	struct value by;

	if (BPF_SRC(i->code) != BPF_X || BPF_OP(i->code) == BPF_END || BPF_OP(i->code) == BPF_NEG ||
	    divides)
		return;
	by = operand(s, i);
	if (by.kind != NUMBER || (!narrow && by.number != (uint64_t)(int64_t)(int32_t)by.number) ||
	    (shifts && by.number >= (narrow ? 32 : 64)))
		return;
	i->code = (uint8_t)((i->code & ~BPF_X) | BPF_K);
	i->src_reg = 0;
	i->imm = (int32_t)by.number;
}

/* From one leader to the next, or to where it jumps away. `final`: all states are what they will be. */
static void walk(struct pruner *p, uint32_t number, bool final)
{
	struct state s = p->states[number];
	uint32_t at = p->where[number];

	for (;;) {
		struct bpf_insn *i = &p->code[at];
		int jump;

		if (final)
			p->keep[at] = true;
		if (is_exit(i))
			return;
		if (jumps(i)) {
			jump = is_goto(i) ? 1 : outcome(&s, i);
			if (jump != 0)
				arrive(p, target(at, i->off), &s);
			if (final && jump == 0)
				p->keep[at] = false;
			if (final && jump == -1)
				name_operand(i, &s);
			if (final && jump == 1)
				*i = (struct bpf_insn){ .code = BPF_JMP | BPF_JA, .off = i->off };
			if (jump == 1)
				return;
			at++;
		} else {
			if (names_function(i))
				arrive_unknown(p, target(at, i->imm));
			if (final && calculates(i))
				name_operand(i, &s);
			step(p, &s, at);
			if (final && (BPF_CLASS(i->code) == BPF_LDX || calculates(i)))
				settle(i, s.r[i->dst_reg]);
			if (is_wide(i)) {
				if (final)
					p->keep[at + 1] = true;
				at++;
			}
			at++;
		}
		if (p->leader[at]) {
			arrive(p, at, &s);
			return;
		}
	}
}

void prune_propagate(struct pruner *p)
{
	arrive_unknown(p, 0);
	while (p->pending) {
		uint32_t number = p->work[--p->pending];

		p->waits[number] = false;
		walk(p, number, false);
	}
	for (uint32_t number = 0; number < p->leaders; number++)
		if (p->states[number].r[0].kind != UNSEEN)
			walk(p, number, true);
}
