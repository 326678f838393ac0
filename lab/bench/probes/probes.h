/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBES_H
#define PROBES_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

/* Says what went wrong, with errno, and ends the program. */
void fail(const char *what) __attribute__((noreturn));

extern const struct bpf_insn nothing[2];
/* type, object, function: enum bpf_attach_type, the id of a BTF object, that of a function in it. */
void attach_tracing(unsigned type, unsigned object, unsigned function, const struct bpf_insn *code, size_t count);

struct records;
/* Records of `size` bytes each, which go to the file `path`. */
struct records *make_records(int size, const char *path);
/* Whether a link of the tracer's is one that would send a record of an operation. */
bool sends_record(const char *program, unsigned type);
void attach_sender(struct records *records, unsigned type, unsigned object, unsigned function);
void write_records(struct records *records) __attribute__((noreturn));

/* Samples the CPU every `period` nanoseconds, of all tasks, while SIGUSR1 has said so and SIGUSR2 not; at SIGTERM writes
 * what it has to `path`. `ready` is made when it waits for signals. */
void profile(unsigned long long period, const char *ready, const char *path);

/* Runs a command and prints the largest resident set that it has had. Its exit status. */
int peak(char **command);

#endif
