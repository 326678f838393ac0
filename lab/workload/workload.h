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

#define PAGE 4096UL
#define PAGES(n) ((n) * PAGE)
#define HUGE (2UL << 20)

struct options {
	const char *fs;     /* a directory on a DAX file system */
	const char *disk;   /* a directory on an ordinary disk file system */
	const char *device;
	bool broken;        /* the kernel has the 2021 fsdax bug */
	bool fault_at_reg;  /* ODP registration faults the pages in at once */
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

/* One scenario in progress, on one thread. */
struct run {
	const char *scenario;
	struct device *device;
	struct pair pair;
	pthread_barrier_t *gate; /* crowds: everybody spoils and operates at the same time */
	unsigned bad_index;      /* which page is spoiled */
	bool surprised;          /* an operation ended otherwise than expected */
	struct undo undo[24];
	unsigned undo_count;
	jmp_buf abandon;
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

/* run.c */
void set_up_failed(struct run *, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
void undo_later(struct run *, void (*action)(void *, size_t), void *object, size_t size);
int run_scenario(struct run *, void (*body)(struct run *));
void pass_gate(struct run *);

/* output.c */
struct outcome {
	const char *op;
	const void *address;
	size_t length;
	int error, expect_error; /* errno values; for a completion, expect_error is what the kernel's fault ends in */
	int wc, expect_wc;       /* -1: the operation has no completion */
	const void *bad;
	bool ok;
};
void print_outcome(struct run *, const struct outcome *);

/* device.c */
void open_device(struct run *);
#define ODP_ACCESS (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_ON_DEMAND)
#define PIN_ACCESS (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE)
struct ibv_mr *register_memory(struct run *, void *address, size_t length, int access, int expect, const void *bad);
struct ibv_mr *register_iova(struct run *, void *address, size_t length, uint64_t iova, int access, int expect);
void unregister_memory(struct run *, struct ibv_mr *);

/* advise.c */
enum way { PREFETCH, PREFETCH_WRITE, RDMA_WRITE, PREFETCH_LATER };
void advise(struct run *, uint32_t lkey, enum way, void *address, size_t length, int expect, const void *bad);

/* pair.c */
void build_pair(struct run *, size_t length);
void rdma_write(struct run *, struct ibv_mr *, void *remote, size_t length, int expect_wc, const void *bad);

/* memory.c: sixteen 4 KiB pages unless said otherwise, already touched */
void map_anon(struct run *, struct memory *);
void map_tmpfs(struct run *, struct memory *);
void map_fsdax(struct run *, struct memory *);
void map_fsdax_sparse(struct run *, struct memory *);   /* pages before bad_index are holes, read once */
void map_fsdax_2m(struct run *, struct memory *);       /* one 2 MiB page-table entry */
void map_fsdax_unsized(struct run *, struct memory *);  /* the file has size 0 */
void map_fsdax_half(struct run *, struct memory *);     /* pages from bad_index on are allocated, not touched */
void map_disk(struct run *, struct memory *);           /* MAP_SHARED of a file that is not DAX */
void map_tmpfs_readonly(struct run *, struct memory *); /* MAP_SHARED, PROT_READ */
void map_hugetlb_unbacked(struct run *, struct memory *);
void map_device(struct run *, struct memory *);         /* a PCI BAR */
void *map_device_at(struct run *, void *address, size_t length);
void map_special_over(struct run *, struct memory *);   /* from bad on: special entries, no struct page */
void fill(void *address, size_t length);

/* scenarios */
extern const struct scenario ok_scenarios[], fsdax_scenarios[], pin_scenarios[], edge_scenarios[], crowd_scenarios[];
/* spoiled.c: scenarios that are a kind of memory and a way to reach it, e.g. "hole-p" */
bool run_spoiled(struct run *, const char *name);
bool is_spoiled(const char *name);
void list_spoiled(void);

#endif
