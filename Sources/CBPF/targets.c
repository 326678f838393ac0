// SPDX-License-Identifier: Apache-2.0
#include "CBPF.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TARGETS 128

static struct cbpf_target known[TARGETS];
static size_t known_count;

static const char *function_of(const struct bpf_program *program)
{
	const char *slash = strchr(bpf_program__section_name(program), '/');

	return slash ? slash + 1 : "";
}

static const struct bpf_map *constants;
/* of the program that is being loaded */
static void *functions;

void cbpf_set_constants(const struct bpf_map *map)
{
	constants = map;
	free(functions);
	functions = NULL;
}

#define CALLS 8

static struct { int32_t placeholder; uint32_t id; } calls[CALLS];
static size_t call_count;

void cbpf_name_call(uint32_t placeholder, uint32_t id)
{
	size_t at = 0;

	while (at < call_count && calls[at].placeholder != (int32_t)placeholder)
		at++;
	if (at == CALLS)
		return;
	calls[at].placeholder = (int32_t)placeholder;
	calls[at].id = id;
	if (at == call_count)
		call_count++;
}

/* Calls of the kernel's functions name them. False: there are none, or the kernel's numbers of them are not known. */
static bool name_calls(struct bpf_insn *code, size_t count)
{
	bool named = false;

	for (size_t at = 0; at < count; at++) {
		if (code[at].code != (BPF_JMP | BPF_CALL) || code[at].src_reg)
			continue;
		for (size_t call = 0; call < call_count; call++) {
			if (code[at].imm != calls[call].placeholder || !calls[call].id)
				continue;
			code[at].src_reg = BPF_PSEUDO_KFUNC_CALL;
			code[at].imm = (int32_t)calls[call].id;
			named = true;
			break;
		}
	}
	return named;
}

/* A program as the kernel would have it in the end. What cannot be done is left to the kernel. */
static void prune(struct bpf_program *program, struct bpf_prog_load_opts *options)
{
	struct cbpf_constants known = { .map = constants ? bpf_map__fd(constants) : -1 };
	size_t count = bpf_program__insn_cnt(program);
	uint32_t function_count = options->func_info_cnt, left;
	struct bpf_insn *code;
	bool named;
	void *kept;

	if (known.map < 0)
		return;
	known.bytes = bpf_map__initial_value((struct bpf_map *)constants, &known.size);
	code = malloc(count * sizeof(*code));
	kept = malloc((size_t)options->func_info_cnt * options->func_info_rec_size + 1);
	if (known.bytes && code && kept) {
		memcpy(code, bpf_program__insns(program), count * sizeof(*code));
		if (function_count)
			memcpy(kept, options->func_info, (size_t)function_count * options->func_info_rec_size);
		named = name_calls(code, count);
		left = cbpf_prune(code, count, &known, kept, &function_count, options->func_info_rec_size);
		if (left && !bpf_program__set_insns(program, code, left)) {
			free(functions);
			functions = kept;
			kept = NULL;
			options->func_info = functions;
			options->func_info_cnt = function_count;
			/* of instructions that have moved */
			options->line_info = NULL;
			options->line_info_cnt = 0;
		} else if (!left && named) {
			bpf_program__set_insns(program, code, count);
		}
	}
	free(code);
	free(kept);
}

static int prune_only(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	(void)cookie;
	prune(program, options);
	return 0;
}

void cbpf_register_programs(void)
{
	static int registered;
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = prune_only);

	if (registered)
		return;
	registered = 1;
	libbpf_register_prog_handler("kprobe+", BPF_PROG_TYPE_KPROBE, 0, &options);
	libbpf_register_prog_handler("kretprobe+", BPF_PROG_TYPE_KPROBE, 0, &options);
	libbpf_register_prog_handler("raw_tp+", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, &options);
}

static int set_target(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	const char *function = function_of(program);
	int id;

	(void)cookie;
	prune(program, options);
	for (size_t i = 0; i < known_count; i++) {
		if (strcmp(known[i].function, function) != 0)
			continue;
		options->attach_prog_fd = 0;
		options->attach_btf_id = known[i].id;
		options->attach_btf_obj_fd = known[i].module;
		return 0;
	}
	if (known_count)
		return -ESRCH;
	id = libbpf_find_vmlinux_btf_id(function, bpf_program__expected_attach_type(program));
	if (id < 0)
		return id;
	options->attach_btf_id = id;
	return 0;
}

void cbpf_set_targets(const struct cbpf_target *targets, size_t count)
{
	static int registered;
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = set_target);

	known_count = count < TARGETS ? count : TARGETS;
	if (known_count)
		memcpy(known, targets, known_count * sizeof(*known));
	if (registered || !known_count)
		return;
	registered = 1;
	libbpf_register_prog_handler("fentry+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, &options);
	libbpf_register_prog_handler("fexit+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, &options);
}

static uint32_t iterator;

static int set_iterator(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	size_t count = bpf_program__insn_cnt(program);
	struct bpf_insn *code = malloc(count * sizeof(*code));

	(void)cookie;
	if (!code)
		return -ENOMEM;
	memcpy(code, bpf_program__insns(program), count * sizeof(*code));
	if (name_calls(code, count))
		bpf_program__set_insns(program, code, count);
	free(code);
	options->attach_prog_fd = 0;
	options->attach_btf_id = iterator;
	return 0;
}

void cbpf_set_iterator(uint32_t id)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = set_iterator);

	if (!iterator)
		libbpf_register_prog_handler("iter+", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, &options);
	iterator = id;
}

int cbpf_module_types(const char *module)
{
	__u32 id = 0;

	while (!bpf_btf_get_next_id(id, &id)) {
		char name[64] = "";
		struct bpf_btf_info info = { .name = (__u64)(unsigned long)name, .name_len = sizeof(name) };
		__u32 size = sizeof(info);
		int descriptor = bpf_btf_get_fd_by_id(id);

		if (descriptor < 0) {
			if (errno == ENOENT)	/* it went meanwhile */
				continue;
			return -1;
		}
		if (!bpf_obj_get_info_by_fd(descriptor, &info, &size) && info.kernel_btf &&
		    strcmp(name, module) == 0)
			return descriptor;
		close(descriptor);
	}
	return -1;
}
