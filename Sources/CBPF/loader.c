// SPDX-License-Identifier: Apache-2.0
#include "CLoader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CPrune.h"

#define CALLS    8
#define HANDLERS 6
#define LOG_SIZE (256 * 1024)

struct target {
	char *function;
	uint32_t id;
	int module;
};

struct cbpf_loader {
	struct target *targets;
	size_t target_count;
	struct {
		int32_t placeholder;
		uint32_t id;
	} calls[CALLS];
	size_t call_count;
	uint32_t iterator;
	const struct bpf_map *constants;
	void *functions; /* of the program that is being loaded */
	int handlers[HANDLERS];
	size_t handler_count;
	size_t log_used;
	char log[LOG_SIZE];
};

/*
 * libbpf has one table of handlers in a process, so there is one loader at a time; and it gives what it
 * prints no context, so this is the loader that listens to what libbpf says in this thread.
 */
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local struct cbpf_loader *listening;

static int take_message(enum libbpf_print_level level, const char *format, va_list arguments)
{
	struct cbpf_loader *loader = listening;
	int n;

	if (level == LIBBPF_DEBUG || !loader)
		return 0;
	if (loader->log_used > LOG_SIZE / 2) { /* the end of a story matters most */
		memmove(loader->log, loader->log + loader->log_used / 2,
			loader->log_used - loader->log_used / 2);
		loader->log_used -= loader->log_used / 2;
	}
	n = vsnprintf(loader->log + loader->log_used, LOG_SIZE - loader->log_used, format,
		      arguments);
	if (n > 0) {
		loader->log_used += n;
		if (loader->log_used >= LOG_SIZE)
			loader->log_used = LOG_SIZE - 1;
	}
	return n;
}

void cbpf_silence(void)
{
	libbpf_set_print(take_message);
}

struct cbpf_loader *cbpf_loader_new(void)
{
	struct cbpf_loader *loader = calloc(1, sizeof(*loader));

	if (!loader)
		return NULL;
	pthread_mutex_lock(&one_at_a_time);
	listening = loader;
	libbpf_set_print(take_message);
	return loader;
}

void cbpf_loader_free(struct cbpf_loader *loader)
{
	while (loader->handler_count)
		libbpf_unregister_prog_handler(loader->handlers[--loader->handler_count]);
	listening = NULL;
	pthread_mutex_unlock(&one_at_a_time);
	cbpf_loader_forget_targets(loader);
	free(loader->functions);
	free(loader);
}

const char *cbpf_loader_log(struct cbpf_loader *loader)
{
	loader->log[loader->log_used] = 0;
	return loader->log;
}

int cbpf_loader_add_target(struct cbpf_loader *loader, const char *function, uint32_t id,
			   int module)
{
	struct target *targets =
		realloc(loader->targets, (loader->target_count + 1) * sizeof(*targets));
	char *copy = strdup(function);

	if (targets)
		loader->targets = targets;
	if (!targets || !copy) {
		free(copy);
		return -ENOMEM;
	}
	targets[loader->target_count++] = (struct target){ copy, id, module };
	return 0;
}

void cbpf_loader_forget_targets(struct cbpf_loader *loader)
{
	while (loader->target_count)
		free(loader->targets[--loader->target_count].function);
	free(loader->targets);
	loader->targets = NULL;
}

void cbpf_loader_name_call(struct cbpf_loader *loader, int32_t placeholder, uint32_t id)
{
	if (loader->call_count == CALLS)
		return;
	loader->calls[loader->call_count].placeholder = placeholder;
	loader->calls[loader->call_count++].id = id;
}

void cbpf_loader_set_iterator(struct cbpf_loader *loader, uint32_t id)
{
	loader->iterator = id;
}

void cbpf_loader_set_constants(struct cbpf_loader *loader, const struct bpf_map *map)
{
	loader->constants = map;
}

/* Has calls of the kernel's functions name them. False: there are none, or their numbers are not known. */
static bool name_calls(const struct cbpf_loader *loader, struct bpf_insn *code, size_t count)
{
	bool named = false;

	for (size_t at = 0; at < count; at++) {
		if (code[at].code != (BPF_JMP | BPF_CALL) || code[at].src_reg)
			continue;
		for (size_t call = 0; call < loader->call_count; call++) {
			if (code[at].imm != loader->calls[call].placeholder)
				continue;
			code[at].src_reg = BPF_PSEUDO_KFUNC_CALL;
			code[at].imm = (int32_t)loader->calls[call].id;
			named = true;
			break;
		}
	}
	return named;
}

/* Prunes a program by its constants, and names its calls. What cannot be done is left to the kernel. */
static void prune(struct cbpf_loader *loader, struct bpf_program *program,
		  struct bpf_prog_load_opts *options)
{
	struct cbpf_constants known = { .map = -1 };
	size_t count = bpf_program__insn_cnt(program);
	uint32_t function_count = options->func_info_cnt, left;
	struct bpf_insn *code;
	bool named;
	void *kept;

	if (loader->constants)
		known.map = bpf_map__fd(loader->constants);
	if (known.map < 0)
		return;
	known.bytes = bpf_map__initial_value((struct bpf_map *)loader->constants, &known.size);
	code = malloc(count * sizeof(*code));
	kept = malloc((size_t)options->func_info_cnt * options->func_info_rec_size + 1);
	if (known.bytes && code && kept) {
		memcpy(code, bpf_program__insns(program), count * sizeof(*code));
		if (function_count)
			memcpy(kept, options->func_info,
			       (size_t)function_count * options->func_info_rec_size);
		named = name_calls(loader, code, count);
		left = cbpf_prune(code, count, &known, kept, &function_count,
				  options->func_info_rec_size);
		if (left && !bpf_program__set_insns(program, code, left)) {
			free(loader->functions);
			loader->functions = kept;
			kept = NULL;
			options->func_info = loader->functions;
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

static int prepare_probe(struct bpf_program *program, struct bpf_prog_load_opts *options,
			 long cookie)
{
	prune((struct cbpf_loader *)cookie, program, options);
	return 0;
}

static const char *function_of(const struct bpf_program *program)
{
	const char *slash = strchr(bpf_program__section_name(program), '/');

	return slash ? slash + 1 : "";
}

static int prepare_trampoline(struct bpf_program *program, struct bpf_prog_load_opts *options,
			      long cookie)
{
	struct cbpf_loader *loader = (struct cbpf_loader *)cookie;
	const char *function = function_of(program);
	int id;

	prune(loader, program, options);
	for (size_t i = 0; i < loader->target_count; i++) {
		if (strcmp(loader->targets[i].function, function) != 0)
			continue;
		options->attach_prog_fd = 0;
		options->attach_btf_id = loader->targets[i].id;
		options->attach_btf_obj_fd = loader->targets[i].module;
		return 0;
	}
	if (loader->target_count)
		return -ESRCH;
	id = libbpf_find_vmlinux_btf_id(function, bpf_program__expected_attach_type(program));
	if (id < 0)
		return id;
	options->attach_btf_id = id;
	return 0;
}

static int prepare_iterator(struct bpf_program *program, struct bpf_prog_load_opts *options,
			    long cookie)
{
	struct cbpf_loader *loader = (struct cbpf_loader *)cookie;
	size_t count = bpf_program__insn_cnt(program);
	struct bpf_insn *code = malloc(count * sizeof(*code));

	if (!code)
		return -ENOMEM;
	memcpy(code, bpf_program__insns(program), count * sizeof(*code));
	if (name_calls(loader, code, count))
		bpf_program__set_insns(program, code, count);
	free(code);
	options->attach_prog_fd = 0;
	options->attach_btf_id = loader->iterator;
	return 0;
}

static void handle(struct cbpf_loader *loader, const char *section, enum bpf_prog_type type,
		   enum bpf_attach_type attach, libbpf_prog_prepare_load_fn_t prepare)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .cookie = (long)loader,
		    .prog_prepare_load_fn = prepare);
	int handler = libbpf_register_prog_handler(section, type, attach, &options);

	if (handler > 0)
		loader->handlers[loader->handler_count++] = handler;
}

/*
 * libbpf before 1.3 frees its table of handlers when the last one goes, and uses it again: so one stays, of a
 * section that no program has.
 */
static void keep_table(void)
{
	libbpf_register_prog_handler("mrtrace/none", BPF_PROG_TYPE_UNSPEC, 0, NULL);
}

/* Handlers are known before an object is opened: there, libbpf notes which one each program has. */
static void register_handlers(struct cbpf_loader *loader)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (loader->handler_count)
		return;
	pthread_once(&once, keep_table);
	handle(loader, "kprobe+", BPF_PROG_TYPE_KPROBE, 0, prepare_probe);
	handle(loader, "kretprobe+", BPF_PROG_TYPE_KPROBE, 0, prepare_probe);
	handle(loader, "raw_tp+", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, prepare_probe);
	if (loader->target_count) {
		handle(loader, "fentry+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY,
		       prepare_trampoline);
		handle(loader, "fexit+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT,
		       prepare_trampoline);
	}
	if (loader->iterator)
		handle(loader, "iter+", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, prepare_iterator);
}

struct bpf_object *cbpf_loader_open(struct cbpf_loader *loader, const void *image, size_t size,
				    const char *name, const char *types)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = name, .btf_custom_path = types);

	register_handlers(loader);
	return bpf_object__open_mem(image, size, &options);
}
