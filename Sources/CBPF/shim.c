// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CBPF.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

static char log_text[256 * 1024];
static size_t log_used;

static int log_line(enum libbpf_print_level level, const char *format, va_list arguments)
{
	int n;

	if (level == LIBBPF_DEBUG)
		return 0;
	if (log_used > sizeof(log_text) / 2) {	/* the end of a story matters most */
		memmove(log_text, log_text + log_used / 2, log_used - log_used / 2);
		log_used -= log_used / 2;
	}
	n = vsnprintf(log_text + log_used, sizeof(log_text) - log_used, format, arguments);
	if (n > 0) {
		log_used += n;
		if (log_used >= sizeof(log_text))
			log_used = sizeof(log_text) - 1;
	}
	return n;
}

void cbpf_log_start(void)
{
	log_used = 0;
	log_text[0] = 0;
	libbpf_set_print(log_line);
}

const char *cbpf_log_text(void)
{
	log_text[log_used] = 0;
	return log_text;
}

void cbpf_release_memory(void)
{
	extern char __executable_start, etext;
	unsigned long page = sysconf(_SC_PAGESIZE);
	unsigned long begin = (unsigned long)&__executable_start & ~(page - 1);
	unsigned long end = (unsigned long)&etext & ~(page - 1);

	/* what libbpf grows piece by piece grows in place, and is given back when it is freed */
	mallopt(M_MMAP_THRESHOLD, 16 * 1024);
	malloc_trim(0);
	/* code too: what is still needed comes back from the page cache */
	madvise((void *)begin, end - begin, MADV_DONTNEED);
}

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

int cbpf_thread_exists(pid_t process, pid_t thread)
{
	return !syscall(SYS_tgkill, process, thread, 0) || errno != ESRCH;
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

long cbpf_read_gzip(const char *path, void *buffer, unsigned long size)
{
	gzFile file = gzopen(path, "re");
	unsigned long used = 0;
	int n = 0;

	if (!file)
		return -1;
	while (used < size && (n = gzread(file, (char *)buffer + used, size - used)) > 0)
		used += n;
	gzclose(file);
	return n < 0 ? -1 : (long)used;
}

long cbpf_unpack_gzip(const void *packed, unsigned long length, void *buffer, unsigned long size)
{
	z_stream stream = {
		.next_in = (Bytef *)packed, .avail_in = length, .next_out = buffer, .avail_out = size,
	};
	int result;

	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
		return 0;
	result = inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	return result == Z_STREAM_END ? (long)stream.total_out : 0;
}

int cbpf_file_is_dax(const char *path)
{
	struct statx status;

	/* not through an automount or a link, and without asking a server */
	if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC,
		  STATX_BASIC_STATS, &status) ||
	    !(status.stx_attributes_mask & STATX_ATTR_DAX))
		return -1;
	return !!(status.stx_attributes & STATX_ATTR_DAX);
}

/* struct xfs_fsop_geom_v1 of fs/xfs/libxfs/xfs_fs.h; XFS_FSOP_GEOM_FLAGS_REFLINK. */
int cbpf_xfs_reflink(const char *path)
{
	union {
		uint32_t words[28];
		char all[112];
	} geometry = {};
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), code;

	if (fd < 0)
		return -1;
	code = ioctl(fd, _IOR('X', 100, char[112]), &geometry);
	close(fd);
	return code ? -1 : !!(geometry.words[23] & 1 << 20);
}

int cbpf_memory_file(const char *name)
{
	return memfd_create(name, MFD_CLOEXEC);
}

/* The screen is another's: what would go there goes to `output`. */
static void leave_terminal(int output)
{
	int null;

	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (isatty(fd))
			dup2(output, fd);
	if (isatty(STDIN_FILENO)) {
		null = open("/dev/null", O_RDONLY);
		if (null >= 0)
			dup2(null, STDIN_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
}

int cbpf_child_start(char *const argv[], int output, struct cbpf_child *child)
{
	int go[2], error[2], code;
	sigset_t none;
	char byte;

	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(error, O_CLOEXEC)) {
		code = -errno;
		close(go[0]);
		close(go[1]);
		return code;
	}
	child->pid = fork();
	if (child->pid < 0) {
		code = -errno;
		close(go[0]);
		close(go[1]);
		close(error[0]);
		close(error[1]);
		return code;
	}
	if (child->pid == 0) {
		/* the agent reads its signals from a signalfd; the command must not */
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGPIPE, SIG_DFL);
		cprivileges_restore_memlock();
		cprivileges_restore_priority();
		close(go[1]);
		if (output >= 0)
			leave_terminal(output);
		if (read(go[0], &byte, 1) != 1)
			_exit(127);
		execvp(argv[0], argv);
		code = errno;
		if (write(error[1], &code, sizeof(code)) != sizeof(code))
			_exit(126);
		_exit(127);
	}
	close(go[0]);
	close(error[1]);
	child->go = go[1];
	child->error = error[0];
	return 0;
}

int cbpf_child_go(struct cbpf_child *child)
{
	int code = 0;
	ssize_t n;

	if (write(child->go, "g", 1) != 1)
		return -errno;
	close(child->go);
	child->go = -1;
	do {
		n = read(child->error, &code, sizeof(code));
	} while (n < 0 && errno == EINTR);
	close(child->error);
	child->error = -1;
	if (n != sizeof(code))
		return 0;
	waitpid(child->pid, NULL, 0);
	return -code;
}

void cbpf_child_abandon(struct cbpf_child *child)
{
	if (child->go < 0)
		return;
	close(child->go);
	close(child->error);
	child->go = child->error = -1;
	waitpid(child->pid, NULL, 0);
}

int cbpf_exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
