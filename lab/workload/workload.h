/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the workload share. Words: a scenario makes memory, registers it, spoils it, and runs one
 * operation that must succeed or fail in one known way; every operation prints one JSON line. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <infiniband/verbs.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE     4096UL
#define PAGES(n) ((n)*PAGE)
#define HUGE     (2UL << 20)

struct options {
	const char *fs; /* a directory on a DAX file system */
	const char *disk; /* a directory on an ordinary disk file system */
	const char *device;
	bool broken; /* the kernel has the 2021 fsdax bug */
	bool fault_at_reg; /* ODP registration faults the pages in at once */
};
extern struct options options;

struct pair { /* two queue pairs of this process, connected with each other */
	struct ibv_cq *cq;
	struct ibv_qp *qp[2];
	struct ibv_mr *source;
	char *buffer;
	size_t length;
};

struct device {
	struct ibv_context *context;
	struct ibv_pd *pd;
	bool odp_write; /* RDMA WRITE may fault pages in */
};

struct undo {
	void (*action)(void *object, size_t size);
	void *object;
	size_t size;
};

struct memory;

/* One scenario in progress, on one thread. */
struct run {
	const char *scenario;
	struct device *device;
	struct pair pair;
	pthread_barrier_t *gate; /* crowds: everybody spoils and operates at the same time */
	unsigned bad_index; /* which page is spoiled */
	bool surprised; /* an operation ended otherwise than expected */
	void (*relieve)(struct run *); /* lifts what would hinder this process too, after the operation */
	struct memory *inherited; /* of a child: what its parent has mapped */
	char *place; /* memory is mapped there rather than where the kernel likes; NULL: as it likes */
	unsigned times; /* how often what fails is tried; 0 is once */
	void (*between)(struct run *); /* before what failed is tried again */
	bool hurried; /* nothing is waited for that the next operation does not need */
	uint64_t begun; /* CLOCK_MONOTONIC, ns: of the operation in progress */
	struct text *later; /* lines go there, not to standard output */
	struct undo undo[200];
	unsigned undo_count;
	jmp_buf abandon;
};

struct text {
	char *bytes;
	size_t used, size;
};

struct memory {
	char *base;
	size_t length;
	char *bad; /* the page that must be the failing one, NULL when there is none */
	int fd;
};

struct scenario {
	const char *name;
	const char *what;
	void (*run)(struct run *);
};

/* A kind of memory: made and registered healthy, then spoiled. Reached in each of its ways. */
struct kind {
	const char *name, *ways; /* ways: letters, p PREFETCH, w PREFETCH_WRITE, x RDMA WRITE, a asynchronous PREFETCH */
	void (*make)(struct run *, struct memory *);
	void (*spoil)(struct run *, struct memory *);
	int error; /* 0: the kernel must manage */
	const char *what;
	bool warm; /* all pages are mapped by a PREFETCH_WRITE before they are spoiled */
	struct {
		int major, minor, error;
	} since; /* from that kernel on this error instead */
};

/* run.c */
void set_up_failed(struct run *, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
void skip(struct run *, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn)); /* not possible here */
bool kernel_since(int major, int minor);
bool write_text(const char *path, const char *text); /* to a file of /proc or /sys */
void undo_later(struct run *, void (*action)(void *, size_t), void *object, size_t size);
int run_scenario(struct run *, void (*body)(struct run *));
void pass_gate(struct run *);

/* output.c */
struct outcome {
	const char *op;
	const void *address;
	size_t length;
	int error, expect_error; /* errno values; for a completion, expect_error is what the kernel's fault ends in */
	int wc, expect_wc; /* -1: the operation has no completion */
	const void *bad;
	bool ok;
	int process; /* another than this one, which cannot tell any more; its first thread. 0: this one */
};
void begin_operation(struct run *); /* just before the system call; its end is when the outcome is printed */
void print_outcome(struct run *, const struct outcome *);
bool once_more(struct run *, unsigned *tries);
void write_text_out(struct text *);
void relieve(struct run *);
void print_skipped(struct run *, const char *reason);

/* device.c */
void open_device(struct run *);
#define ODP_ACCESS (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_ON_DEMAND)
#define PIN_ACCESS (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE)
struct ibv_mr *register_memory(struct run *, void *address, size_t length, int access, int expect, const void *bad);
struct ibv_mr *register_iova(struct run *, void *address, size_t length, uint64_t iova, int access, int expect);
void unregister_memory(struct run *, struct ibv_mr *);
void drop_pd(void *object, size_t size);

/* advise.c */
enum way {
	PREFETCH,
	PREFETCH_WRITE,
	RDMA_WRITE,
	PREFETCH_LATER,
};
void advise(struct run *, uint32_t lkey, enum way, void *address, size_t length, int expect, const void *bad);
int try_advice(struct device *, uint64_t advice, uint32_t lkey, void *address, size_t length); /* synchronous; errno */
void print_advice(struct run *, void *address, size_t length, int error, int expect);

/* pair.c */
void build_pair(struct run *, size_t length);
/* expect: the errno of the kernel's fault, which the completion tells as a remote access error; 0: success. */
void rdma_write(struct run *, struct ibv_mr *, void *remote, size_t length, int expect, const void *bad);

/* memory.c: sixteen 4 KiB pages unless said otherwise, already touched */
void map_memory(struct run *, struct memory *, size_t length, int protection, int flags, int fd); /* not touched */
void map_anon(struct run *, struct memory *);
void map_anon_64(struct run *, struct memory *); /* 64 pages, each may become a mapping of its own */
void map_anon_untouched(struct run *, struct memory *); /* from bad on */
void map_tmpfs(struct run *, struct memory *);
void map_tmpfs_unsized(struct run *, struct memory *);
void map_tmpfs_readonly(struct run *, struct memory *); /* MAP_SHARED, PROT_READ */
void *take_place(struct run *, size_t length); /* where the next mapping is to be, or NULL */
void fill(void *address, size_t length);
void unmap(void *address, size_t length);
void close_fd(void *unused, size_t fd);

/* huge.c */
void map_hugetlb(struct run *, struct memory *); /* one page from a pool made for it */
void map_hugetlb_unbacked(struct run *, struct memory *);
void fill_pool(struct run *, int pages); /* of huge pages, emptied when the scenario ends */
void map_thp(struct run *, struct memory *); /* one 2 MiB entry */

/* files.c */
void map_fsdax(struct run *, struct memory *);
void map_fsdax_sparse(struct run *, struct memory *); /* pages before bad_index are holes, read once */
void map_fsdax_2m(struct run *, struct memory *); /* one 2 MiB page-table entry */
void map_fsdax_unsized(struct run *, struct memory *); /* the file has size 0 */
void map_fsdax_half(struct run *, struct memory *); /* pages from bad_index on are allocated, not touched */
void map_fsdax_hole(struct run *, struct memory *); /* pages from bad_index on are holes */
void map_disk(struct run *, struct memory *); /* MAP_SHARED of a file that is not DAX */
void map_disk_unsized(struct run *, struct memory *);
void map_disk_hole(struct run *, struct memory *); /* pages from bad_index on are holes */
bool touch_with_one_fault(char *base);
int make_file(struct run *, const char *directory, size_t size, bool allocate);
void fill_file_system(struct run *, const char *directory);

/* mounts.c: on file systems that are mounted for it */
void map_tmpfs_full(struct run *, struct memory *); /* there is no block for bad */
void map_tmpfs_roomy(struct run *, struct memory *);
void map_vfat(struct run *, struct memory *);
void map_vfat_private(struct run *, struct memory *);
void map_block_device(struct run *, struct memory *);
void map_overlay(struct run *, struct memory *);
void map_hugetlb_mount(struct run *, struct memory *); /* bad is beyond the mount's size */

/* huge_limits.c */
void map_hugetlb_reserved(struct run *, struct memory *);
void enter_huge_cgroup(struct run *, struct memory *); /* which may have no huge page */

/* bar.c: present memory without struct page */
void map_device(struct run *, struct memory *); /* a PCI BAR */
void *map_device_at(struct run *, void *address, size_t length);
void *map_devmem_at(struct run *, void *address, size_t length); /* the same by /dev/mem */
void map_special_over(struct run *, struct memory *); /* from bad on: special entries, no struct page */

/* spoilers that registrations of both kinds use */
void must(struct run *, int result, const char *what);
void spoil_unmap(struct run *, struct memory *);
void spoil_protnone(struct run *, struct memory *);
void spoil_writeonly(struct run *, struct memory *);
void spoil_execonly(struct run *, struct memory *);
void spoil_devmem(struct run *, struct memory *);
void spoil_vmas(struct run *, struct memory *); /* 64 mappings, the 40th PROT_NONE */
void spoil_pkey(struct run *, struct memory *); /* a protection key that denies this process access */
void spoil_truncate(struct run *, struct memory *);
void spoil_poison(struct run *, struct memory *);
void spoil_userfault_sigbus(struct run *, struct memory *);
void spoil_userfault_unserved(struct run *, struct memory *); /* whoever touches it waits for ever */
void spoil_userfault_poison(struct run *, struct memory *);
void swap_out(struct run *, struct memory *);
void map_more_than_cgroup(struct run *, struct memory *);
void enter_deadly_cgroup(struct run *, struct memory *); /* the same, but that this process is killed there */
void remove_small_cgroup(void *, size_t); /* that a killed process has left */
void enter_small_cgroup(struct run *, struct memory *); /* which page will fail is not known: bad becomes NULL */

/* pagemap.c */
enum {
	PAGEMAP_PRESENT = 1,
	PAGEMAP_SWAPPED = 2,
};
uint64_t page_frame(struct run *, const void *address, unsigned *flags);

/* scenarios */
extern const struct scenario ok_scenarios[], fsdax_scenarios[], advice_scenarios[], reg_scenarios[], rereg_scenarios[], large_scenarios[],
	race_scenarios[], owner_scenarios[], pin_scenarios[], pin_mapping_scenarios[], pin_page_scenarios[], memlock_scenarios[],
	crowd_scenarios[], again_scenarios[], refused_scenarios[], forked_scenarios[], mended_scenarios[],
	pin_backing_scenarios[], huge_limit_scenarios[];
extern const struct kind mapping_kinds[], file_kinds[], page_kinds[], userfault_kinds[];
/* spoiled.c: scenarios that are a kind of memory and a way to reach it, e.g. "hole-p" */
bool run_spoiled(struct run *, const char *name);
struct spoiled {
	struct memory memory;
	struct ibv_mr *mr;
	enum way way;
	int error;
};
bool prepare_spoiled(struct run *, const char *name, struct spoiled *); /* all but the last step */
bool is_spoiled(const char *name);
void list_spoiled(void);

/* memlock.c */
void limit_locked_memory(struct run *, size_t bytes); /* of this process, for good */
void pin_over_limit(struct run *); /* in a process that has such a limit */

/* storm.c: many threads that fail without pause */
struct storm_options {
	unsigned seconds, threads;
	unsigned gust; /* at most so many tries of what stands, after each that is made anew */
	long locked_bytes; /* RLIMIT_MEMLOCK without CAP_IPC_LOCK; -1: no limit */
	unsigned user; /* 0: stays root */
};
extern struct storm_options storm_options;
int run_storm(char **names, int count); /* as run_scenario() */
void (*find_scenario(const char *name))(struct run *); /* main.c; NULL: there is none */

/* bench.c, bench_unrelated.c: loops, whose cost is measured */
struct bench_options {
	unsigned long count; /* iterations of a round */
	unsigned rounds;
	size_t megabytes;
	size_t regions; /* MRs that are there at the same time */
	unsigned threads;
};
extern struct bench_options bench_options;
extern const struct scenario unrelated_benches[];
void bench_rounds(struct run *, void (*step)(struct run *, void *), void *argument);
int run_bench(const char *name); /* 0, 2 no such bench, 3 the set-up failed */

#endif
