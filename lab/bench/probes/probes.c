/* SPDX-License-Identifier: Apache-2.0 */
/* What the lab's measurements need in the guest: what BPF programs there are and what each has cost, empty programs
 * on the same hooks, which is the least that any tracer could cost, a profiler, and how much memory a command takes. */
#define _GNU_SOURCE
#include "probes.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void fail(const char *what)
{
	fprintf(stderr, "probes: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

/* A line for each program: its name, how often it ran and for how long, what the verifier looked at, its size. */
static void list_programs(void)
{
	unsigned id = 0;

	while (bpf_prog_get_next_id(id, &id) == 0) {
		struct bpf_prog_info info = { 0 };
		unsigned size = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0)
			printf("{\"program\":\"%s\",\"id\":%u,\"type\":%u,\"object\":%u,\"function\":%u,\"runs\":%llu,\"ns\":%llu,"
			       "\"verified\":%u,\"translated\":%u,\"machine\":%u}\n",
			       info.name, id, info.type, info.attach_btf_obj_id, info.attach_btf_id, info.run_cnt, info.run_time_ns,
			       info.verified_insns, info.xlated_prog_len, info.jited_prog_len);
		close(fd);
	}
}

static const char *program_name(unsigned id)
{
	static struct bpf_prog_info info;
	unsigned size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	memset(&info, 0, sizeof(info));
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) != 0)
		fail("cannot read about a program");
	close(fd);
	return info.name;
}

/* A line for each link: what an empty program in its place needs to know. */
static void list_links(void)
{
	unsigned id = 0;

	while (bpf_link_get_next_id(id, &id) == 0) {
		char name[128] = "";
		struct bpf_link_info info = { 0 };
		unsigned size = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.type == BPF_LINK_TYPE_RAW_TRACEPOINT) {
			memset(&info, 0, sizeof(info));
			size = sizeof(info);
			info.raw_tracepoint.tp_name = (unsigned long)name;
			info.raw_tracepoint.tp_name_len = sizeof(name);
			if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0)
				printf("tracepoint %s\n", name);
		} else if (info.type == BPF_LINK_TYPE_TRACING) {
			printf("tracing %u %u %u %s\n", info.tracing.attach_type, info.tracing.target_obj_id,
			       info.tracing.target_btf_id, program_name(info.prog_id));
		} else {
			fprintf(stderr, "probes: a link of type %u cannot be repeated by an empty program\n", info.type);
		}
		close(fd);
	}
}

const struct bpf_insn nothing[2] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

void attach_tracing(unsigned type, unsigned object, unsigned function, const struct bpf_insn *code, size_t count)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = type, .attach_btf_id = function);
	int program, btf = bpf_btf_get_fd_by_id(object);

	if (btf < 0)
		fail("cannot open the BTF of a hook");
	options.attach_btf_obj_fd = btf;
	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "empty", "GPL", code, count, &options);
	if (program < 0 || bpf_raw_tracepoint_open(NULL, program) < 0)
		fail("cannot attach an empty program");
	close(btf);
}

static void attach_tracepoint(const char *name)
{
	int program = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "empty", "GPL", nothing, 2, NULL);

	if (program < 0 || bpf_raw_tracepoint_open(name, program) < 0)
		fail("cannot attach an empty program to a tracepoint");
}

/* Standard input: what `links` has printed. Stays until it is killed. With `records` a system call's return sends one. */
static void attach_all(struct records *records)
{
	unsigned long long begin = now();
	unsigned type, object, function, count = 0;
	char line[256], name[128];

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "tracing %u %u %u %127s", &type, &object, &function, name) == 4 && records &&
		    sends_record(name, type))
			attach_sender(records, type, object, function);
		else if (sscanf(line, "tracing %u %u %u", &type, &object, &function) == 3)
			attach_tracing(type, object, function, nothing, 2);
		else if (sscanf(line, "tracepoint %127s", name) == 1)
			attach_tracepoint(name);
		else
			continue;
		count++;
	}
	printf("{\"empty\":%u,\"attach_ns\":%llu}\n", count, now() - begin);
	fflush(stdout);
	if (records)
		write_records(records);
	for (;;)
		pause();
}

static int usage(void)
{
	fputs("usage: probes programs | links | empty | records BYTES FILE | now | profile NANOSECONDS READY-FILE FILE | peak COMMAND...\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const char *what = argc >= 2 ? argv[1] : "";

	if (strcmp(what, "profile") == 0 && argc == 5)
		profile(strtoull(argv[2], NULL, 10), argv[3], argv[4]);
	else if (strcmp(what, "records") == 0 && argc == 4)
		attach_all(make_records(atoi(argv[2]), argv[3]));
	else if (strcmp(what, "peak") == 0 && argc >= 3)
		return peak(argv + 2);
	else if (argc != 2)
		return usage();
	else if (strcmp(what, "programs") == 0)
		list_programs();
	else if (strcmp(what, "links") == 0)
		list_links();
	else if (strcmp(what, "empty") == 0)
		attach_all(NULL);
	else if (strcmp(what, "now") == 0)
		printf("%llu\n", now());
	else
		return usage();
	return 0;
}
