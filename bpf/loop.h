/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loops. The verifier goes through each as often as it may run, with the counter as
 * one more number that it knows. Where it has iterators (config.modern) it looks
 * at a loop until it learns nothing new, which is twice or three times.
 */
#ifndef MRTRACE_LOOP_H
#define MRTRACE_LOOP_H

/*
 * Statements, at most so often; `break` ends it, nothing else may. Twice the code: of
 * one loop for both, older verifiers would find its beginning in its middle.
 */
#define AT_MOST(often, ...)                                                    \
	do {                                                                   \
		struct times times;                                            \
		u32 time;                                                      \
									       \
		if (config.modern) {                                           \
			bpf_iter_num_new(&times, 0, often);                    \
			while (bpf_iter_num_next(&times)) {                    \
				__VA_ARGS__                                    \
			}                                                      \
			bpf_iter_num_destroy(&times);                          \
		} else {                                                       \
			for (time = 0; time < (often); time++) {               \
				__VA_ARGS__                                    \
			}                                                      \
		}                                                              \
	} while (0)

#endif
