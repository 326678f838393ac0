/* SPDX-License-Identifier: Apache-2.0 */
/* Programs without what their constants make unreachable. */
#ifndef CPRUNE_H
#define CPRUNE_H

#include <bpf/bpf.h>
#include <stdint.h>

/// Constants that programs read by their address in a map: its descriptor, and what is in it.
struct cbpf_constants {
	int map;
	const void *bytes;
	size_t size;
};

/// Removes the instructions of a program that these constants make unreachable or idle, and returns how many are left;
/// 0: nothing was done. `functions` are records of `function_size` bytes each, whose first four bytes say where a function
/// begins; the records of functions that are no longer called are removed too.
uint32_t cbpf_prune(struct bpf_insn *code, uint32_t count, const struct cbpf_constants *constants,
		    void *functions, uint32_t *function_count, uint32_t function_size);

#endif
