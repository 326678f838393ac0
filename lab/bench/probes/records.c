/* SPDX-License-Identifier: Apache-2.0 */
/* The least that a tracer costs which hands a record of every operation to a file: where a system call of the verbs
 * returns, room in a ring buffer is taken and given free, with nothing written to it; a reader copies what came to a file. */
#define _GNU_SOURCE
#include "probes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	RING = 8 << 20,
	PACKET = 64 << 10,
	FSESSION = 58,
};

struct records {
	int map, size, file;
	size_t used;
	char packet[PACKET];
};

struct records *make_records(int size, const char *path)
{
	struct records *records = calloc(1, sizeof(*records));

	records->size = size;
	records->file = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
	if (records->file < 0)
		fail(path);
	records->map = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "records", 0, 0, RING, NULL);
	if (records->map < 0)
		fail("cannot make a ring buffer");
	return records;
}

/* Names are cut at 15 characters. */
bool sends_record(const char *program, unsigned type)
{
	return strstr(program, "__ib_uv") && (type == BPF_TRACE_FEXIT || type == FSESSION);
}

void attach_sender(struct records *records, unsigned type, unsigned object, unsigned function)
{
	const struct bpf_insn send[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = records->map },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = records->size },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ringbuf_reserve },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 3, .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = BPF_RB_NO_WAKEUP },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ringbuf_submit },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	/* one program for entry and exit: here it is two, of which one does nothing */
	if (type == FSESSION)
		attach_tracing(BPF_TRACE_FENTRY, object, function, nothing, 2);
	attach_tracing(BPF_TRACE_FEXIT, object, function, send, sizeof(send) / sizeof(send[0]));
}

static int keep(void *argument, void *data, size_t size)
{
	struct records *records = argument;

	if (records->used + size > PACKET) {
		if (write(records->file, records->packet, records->used) != (ssize_t)records->used)
			fail("cannot write records");
		records->used = 0;
	}
	memcpy(records->packet + records->used, data, size);
	records->used += size;
	return 0;
}

void write_records(struct records *records)
{
	struct ring_buffer *ring = ring_buffer__new(records->map, keep, records, NULL);
	struct timespec pause = { .tv_nsec = 100000000 };

	if (!ring)
		fail("cannot map the ring buffer");
	for (;;) {
		if (ring_buffer__consume(ring) < 0)
			fail("cannot read the ring buffer");
		nanosleep(&pause, NULL);
	}
}
