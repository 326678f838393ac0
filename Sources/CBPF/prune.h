/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of cbpf_prune() share. */
#ifndef PRUNE_H
#define PRUNE_H

#include "CPrune.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum kind { UNSEEN, NUMBER, CONSTANTS, UNKNOWN }; /* CONSTANTS: an address in them */

#define REGISTERS 10 /* R10 is never a constant */

struct value {
	enum kind kind;
	uint64_t number; /* or how far into the constants */
};

struct state {
	struct value r[REGISTERS];
};

struct pruner {
	struct bpf_insn *code;
	uint32_t count;
	const struct cbpf_constants *constants;
	/* of an instruction that others jump to, or a function: its state, from 1 */
	uint32_t *leader;
	struct state *states;
	uint32_t *where; /* of a state: its instruction */
	uint32_t leaders;
	uint32_t *work;
	bool *waits;
	uint32_t pending;
	bool *keep;
	uint16_t *live; /* registers read after it */
	uint32_t *next; /* itself or the first behind it that is kept */
};

static inline bool is_wide(const struct bpf_insn *i)
{
	return i->code == (BPF_LD | BPF_IMM | BPF_DW);
}
static inline bool is_call(const struct bpf_insn *i)
{
	return i->code == (BPF_JMP | BPF_CALL);
}
static inline bool is_exit(const struct bpf_insn *i)
{
	return i->code == (BPF_JMP | BPF_EXIT);
}
static inline bool is_goto(const struct bpf_insn *i)
{
	return i->code == (BPF_JMP | BPF_JA);
}

static inline bool is_branch(const struct bpf_insn *i)
{
	return (BPF_CLASS(i->code) == BPF_JMP || BPF_CLASS(i->code) == BPF_JMP32) && !is_call(i) &&
	       !is_exit(i) && !is_goto(i);
}

static inline bool jumps(const struct bpf_insn *i)
{
	return is_goto(i) || is_branch(i);
}

static inline bool calculates(const struct bpf_insn *i)
{
	return BPF_CLASS(i->code) == BPF_ALU || BPF_CLASS(i->code) == BPF_ALU64;
}

static inline bool is_own_call(const struct bpf_insn *i)
{
	return is_call(i) && i->src_reg == BPF_PSEUDO_CALL;
}

static inline bool names_function(const struct bpf_insn *i)
{
	return is_own_call(i) || (is_wide(i) && i->src_reg == BPF_PSEUDO_FUNC);
}

/* The second half of a wide instruction has no code, and goes with the first. */
static inline bool is_second(const struct pruner *p, uint32_t at)
{
	return at > 0 && is_wide(&p->code[at - 1]);
}

static inline uint32_t target(uint32_t at, int32_t offset)
{
	return at + 1 + (uint32_t)offset;
}

/* prune_constants.c: what is reached and what it calculates with, in `keep` and in the code. */
void prune_propagate(struct pruner *p);

/* prune_idle.c: what calculates for nobody. True: something went, and more may go. */
bool prune_remove_idle(struct pruner *p);

#endif
