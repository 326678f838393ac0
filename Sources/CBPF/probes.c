// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CProbes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int cbpf_may_read_kernel(void)
{
	/* bpf_probe_read_kernel(fp - 8, 8, NULL) */
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 1, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "may_read", "GPL", program,
			       sizeof(program) / sizeof(program[0]), NULL);

	if (fd < 0)
		return 0;
	close(fd);
	return 1;
}

void cbpf_wait_for_programs(void)
{
	/* a grace period of RCU, under which programs run */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

uint64_t cbpf_kprobe_missed(int link)
{
	/* struct bpf_link_info of 6.7; libbpf's header here may be older */
	struct {
		uint32_t type, id, prog_id, pad;
		uint32_t event, pad2;
		uint64_t name;
		uint32_t name_len, offset;
		uint64_t address;
		uint64_t missed;
		uint64_t cookie;
		uint64_t rest[4];
	} info;
	uint32_t length = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (bpf_obj_get_info_by_fd(link, &info, &length))
		return 0;
	/* BPF_LINK_TYPE_KPROBE_MULTI: addrs, count, flags, missed */
	if (info.type == 8)
		return (uint64_t)info.offset << 32 | info.name_len;
	/* BPF_LINK_TYPE_PERF_EVENT; BPF_PERF_EVENT_KPROBE, _KRETPROBE */
	if (info.type != 7 || info.event < 3 || info.event > 4)
		return 0;
	return info.missed;
}

int cbpf_has_probe_links(void)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, how, .expected_attach_type = BPF_TRACE_KPROBE_MULTI);
	/* an address of ours that cannot be read: what knows such links gets as far as EFAULT, others say EINVAL
	 * (before 5.18) or EOPNOTSUPP (without CONFIG_FPROBE) */
	LIBBPF_OPTS(bpf_link_create_opts, unreadable, .kprobe_multi.cnt = 1,
		    .kprobe_multi.addrs = (const unsigned long *)sizeof(long));
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "has_links", "GPL", program,
			       sizeof(program) / sizeof(program[0]), &how);
	int link;

	if (fd < 0)
		return errno == EPERM ? -1 : 0;
	link = bpf_link_create(fd, 0, BPF_TRACE_KPROBE_MULTI, &unreadable);
	close(fd);
	if (link >= 0)
		close(link);
	return link == -EFAULT;
}

struct bpf_link *cbpf_attach_probe_link(const struct bpf_program *program, unsigned long address,
					int at_return)
{
	LIBBPF_OPTS(bpf_kprobe_multi_opts, options,
		.addrs = &address,
		.cnt = 1,
		.retprobe = at_return,
	);

	return bpf_program__attach_kprobe_multi_opts(program, NULL, &options);
}
