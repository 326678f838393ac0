/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bounded loops. Without the kernel's iterators (config.iterators)
 * the verifier follows every turn of a loop. With them it stops as soon as another turn
 * teaches it nothing, which is after two or three.
 */
#ifndef MRTRACE_LOOP_H
#define MRTRACE_LOOP_H

/*
 * Runs the statements at most `often` times. They may leave the loop by `break` and by
 * nothing else. The body stands here twice, because older verifiers refuse one loop
 * that serves both cases: they take it for a jump into its middle.
 */
#define AT_MOST(often, ...)                                      \
	do {                                                     \
		struct times times;                              \
		u32 time;                                        \
                                                                 \
		if (config.iterators) {                          \
			bpf_iter_num_new(&times, 0, often);      \
			while (bpf_iter_num_next(&times)) {      \
				__VA_ARGS__                      \
			}                                        \
			bpf_iter_num_destroy(&times);            \
		} else {                                         \
			for (time = 0; time < (often); time++) { \
				__VA_ARGS__                      \
			}                                        \
		}                                                \
	} while (0)

#endif
