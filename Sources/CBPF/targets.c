// SPDX-License-Identifier: Apache-2.0
#include "CBPF.h"

#include <errno.h>
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

static int set_target(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	const char *function = function_of(program);
	int id;

	(void)cookie;
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
