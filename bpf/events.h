/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Every record that crosses from kernel to agent, and from agent to recording:
 * the one definition, for BPF C and for Swift alike.
 *
 * Rules of the house
 *  - fixed-width fields, padded by hand, every size asserted;
 *  - the first 40 bytes are the same in all: mrt_header;
 *  - `size` is the length of the whole record, so an unknown kind is skipped;
 *  - a variable tail is preceded by its count, and is the last member;
 *  - a field that was not read is 0 *and* its MRT_HAS_… bit is clear: absent is
 *    not zero;
 *  - the same bytes are a CTF 1.8 event (Recording/CTFMetadata.swift): 12 bytes
 *    of event header, 28 bytes of event context, then the fields in order.
 *
 * Growing: add fields at the end of a record's fixed part only together with a
 * new minor format version; add kinds freely.
 */
/* Members, their units and their comments stand in columns. */
/* clang-format off */
#ifndef MRTRACE_EVENTS_H
#define MRTRACE_EVENTS_H

#ifdef __bpf__
typedef unsigned char mrt_u8;
typedef unsigned int mrt_u32;
typedef int mrt_s32;
typedef unsigned long long mrt_u64;
typedef long long mrt_s64;
#else
#include <stdint.h>
typedef uint8_t mrt_u8;
typedef uint32_t mrt_u32;
typedef int32_t mrt_s32;
typedef uint64_t mrt_u64;
typedef int64_t mrt_s64;
#endif

#define MRT_FORMAT_MAJOR 1
#define MRT_FORMAT_MINOR 4

enum mrt_kind {
	MRT_KIND_OPERATION = 1,	/* an operation ended */
	MRT_KIND_UMEM = 2,	/* the umem an operation worked on */
	MRT_KIND_LAYER = 3,	/* a function between verb and HMM returned */
	MRT_KIND_RANGE = 4,	/* an HMM range fault returned */
	MRT_KIND_WALK = 5,	/* a page-walk callback decided */
	MRT_KIND_LEVELS = 6,	/* page-table entries of one address, all levels */
	MRT_KIND_ENTRIES = 7,	/* a run of consecutive 8-byte entries */
	MRT_KIND_MAPPING = 8,	/* a VMA and its file */
	MRT_KIND_FAULT = 9,	/* a page fault failed */
	MRT_KIND_STACK = 10,	/* kernel or user call chain */
	/* made by the agent, never by BPF */
	MRT_KIND_COUNTER = 11,	/* one hook's totals, at the end */
	MRT_KIND_SYMBOL = 12,	/* name of an address seen in a stack */
	MRT_KIND_PAGES = 13,	/* pages walked, by page-table flags and outcome */
	MRT_KIND_ACCOUNT = 14,	/* what became of every call of a hook's function */
	MRT_KIND_OWNER = 15,	/* of a failed operation: the process that owns the memory */
	MRT_KIND_OMITTED = 16,	/* an operation ended with an errno that was not asked for */
	MRT_KIND_CGROUP = 17,	/* by the agent: the path of a control group */
	MRT_KIND_BACKING = 18,	/* what stands behind a mapping: file system, huge pages */
	MRT_KIND_SHED = 22,	/* by the agent: evidence of one hook that was not taken or not sent */
	MRT_KIND_FOLIO = 19,	/* pages that could not be moved for a pin */
	MRT_KIND_REFUSAL = 20,	/* what refused an operation where no page did */
	MRT_KIND_FORKED = 21,	/* a mapping that a process did not get from the one that forked it */
};

/*
 * Hooks: kernel functions watched. The numbers are in recordings: never reuse
 * one. Swift's table of the same (Kernel/Attaching/Hook.swift) adds symbol, module, rung.
 */
enum mrt_hook {
	MRT_HOOK_NONE = 0,
	/* verbs */
	MRT_HOOK_REG_MR = 1,		/* ib_uverbs_reg_mr */
	MRT_HOOK_REREG_MR = 2,		/* ib_uverbs_rereg_mr */
	MRT_HOOK_ADVISE_MR = 3,		/* ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR */
	MRT_HOOK_METHOD_REG_MR = 4,	/* ib_uverbs_handler_UVERBS_METHOD_REG_MR */
	MRT_HOOK_METHOD_REG_DMABUF_MR = 5, /* …_REG_DMABUF_MR */
	/* drivers */
	MRT_HOOK_RXE_REG_USER_MR = 10,
	MRT_HOOK_RXE_ADVISE_MR = 11,
	MRT_HOOK_RXE_PREFETCH_WORK = 12,
	MRT_HOOK_RXE_MAP_RANGE = 13,	/* rxe_odp_map_range_and_lock */
	MRT_HOOK_RXE_CHECK_RANGE = 14,	/* mr_check_range */
	MRT_HOOK_RXE_INVALIDATE = 15,	/* rxe_ib_invalidate_range */
	MRT_HOOK_MLX5_REG_USER_MR = 20,
	MRT_HOOK_MLX5_ADVISE_MR = 21,
	MRT_HOOK_MLX5_PREFETCH_WORK = 22,
	MRT_HOOK_MLX5_PAGEFAULT_MR = 23, /* pagefault_mr */
	MRT_HOOK_MLX5_GET_PREFETCHABLE = 24,
	MRT_HOOK_MLX5_PAGEFAULT_SEGMENT = 25, /* pagefault_single_data_segment */
	MRT_HOOK_MLX5_UPDATE_XLT = 26,	/* mlx5r_umr_update_xlt */
	MRT_HOOK_MLX5_INVALIDATE = 27,	/* mlx5_ib_invalidate_range */
	/* umem */
	MRT_HOOK_ODP_GET = 30,		/* ib_umem_odp_get */
	MRT_HOOK_ODP_ALLOC_IMPLICIT = 31,
	MRT_HOOK_ODP_ALLOC_CHILD = 32,
	MRT_HOOK_ODP_MAP = 33,		/* ib_umem_odp_map_dma_and_lock */
	MRT_HOOK_ODP_UNMAP = 34,	/* ib_umem_odp_unmap_dma_pages */
	MRT_HOOK_ODP_RELEASE = 35,
	MRT_HOOK_UMEM_GET = 36,		/* ib_umem_get, 7.x __ib_umem_get_va */
	/* HMM */
	MRT_HOOK_RANGE_FAULT = 40,	/* hmm_range_fault */
	MRT_HOOK_RANGE_FAULT_LOCKED = 41, /* 7.3 */
	MRT_HOOK_RANGE_FAULT_UNLOCKED = 42, /* 7.3 hmm_range_fault_unlocked_timeout */
	MRT_HOOK_WALK_TEST = 43,
	MRT_HOOK_WALK_HOLE = 44,
	MRT_HOOK_WALK_PMD = 45,
	MRT_HOOK_WALK_PUD = 46,
	MRT_HOOK_WALK_HUGETLB = 47,
	MRT_HOOK_HANDLE_PTE = 48,	/* hmm_vma_handle_pte, where not inlined */
	/* pinning */
	MRT_HOOK_MIGRATE_PAGES = 50,	/* migrate_pages, for a long-term pin */
	/* witnesses of a failed fault */
	MRT_HOOK_HANDLE_MM_FAULT = 60,
	MRT_HOOK_DAX_PTE_FAULT = 61,	/* tracepoint dax_pte_fault_done */
	MRT_HOOK_DAX_PMD_FAULT = 62,	/* tracepoint dax_pmd_fault_done */
	MRT_HOOK_DAX_IOMAP_FAULT = 63,	/* dax_iomap_fault: the file system's errno */
	MRT_HOOK_HUGETLB_FAULT = 64,
	MRT_HOOK_HANDLE_USERFAULT = 65,
	MRT_HOOK_XFS_WRITE_DIRECT = 66,	/* xfs_iomap_write_direct: XFS allocates */
	MRT_HOOK_SHMEM_FULL = 67,	/* shmem_unused_huge_shrink: tmpfs has no block */
	MRT_HOOK_EXT4_FULL = 68,	/* ext4_should_retry_alloc: ext4 has no block */
	/* bookkeeping */
	MRT_HOOK_FORK = 70,		/* tracepoint sched_process_fork */
	MRT_HOOK_EXIT = 71,		/* tracepoint sched_process_exit */
	MRT_HOOK_OOM_KILL = 72,		/* oom_kill_process */
	MRT_HOOK_COUNT = 80,
};

/* How a result was seen. */
enum mrt_rung {
	MRT_RUNG_NONE = 0,
	MRT_RUNG_FEXIT = 1,
	MRT_RUNG_KPROBE = 2,
	MRT_RUNG_TRACEPOINT = 3,
};

enum mrt_operation_kind {
	MRT_OP_REG_MR = 1,
	MRT_OP_REREG_MR = 2,
	MRT_OP_ADVISE_MR = 3,
	MRT_OP_PAGE_FAULT = 4,
	MRT_OP_PREFETCH = 5,	/* asynchronous: run by a kernel worker */
};

struct mrt_header {
	mrt_u64 time_ns;	/* CLOCK_MONOTONIC */
	mrt_u32 kind;		/* enum mrt_kind */
	mrt_u32 size;		/* of the whole record, bytes */
	mrt_u64 operation;	/* unique with tid; 0 = belongs to none */
	mrt_u32 pid;		/* tgid of the task that ran, initial namespace */
	mrt_u32 tid;
	mrt_u32 cpu;
	mrt_u32 hook;		/* enum mrt_hook: where it was seen */
};

/* Which fields of mrt_operation were read. */
#define MRT_HAS_START		(1u << 0)	/* start_ns */
#define MRT_HAS_MR		(1u << 1)	/* mr_address, mr_length */
#define MRT_HAS_IOVA		(1u << 2)	/* mr_iova */
#define MRT_HAS_ACCESS		(1u << 3)	/* access */
#define MRT_HAS_DEVICE		(1u << 4)	/* device */
#define MRT_HAS_CAPS		(1u << 5)	/* device_caps */
#define MRT_HAS_ADVICE		(1u << 6)	/* advice, advise_flags, num_sge */
#define MRT_HAS_REQUEST		(1u << 7)	/* request_address, request_length */
#define MRT_HAS_LKEY		(1u << 8)	/* lkey */
#define MRT_HAS_OWNER		(1u << 9)	/* owner_pid */
#define MRT_HAS_OWNER_COMM	(1u << 10)	/* owner_comm */
#define MRT_HAS_DRIVER_OPS	(1u << 11)	/* driver_ops */
#define MRT_HAS_FLUSH_CAPS	(1u << 12)	/* MRT_CAP_FLUSH_…; never on kernels before flush */
#define MRT_HAS_REPEATED	(1u << 13)	/* repeats_ns: its evidence is that of the operation that began so long before it */
#define MRT_HAS_UNSEEN_CALLER	(1u << 14)	/* a process's thread did it, for a call of which neither beginning nor return was seen: `kind` is what is left to say */
#define MRT_HAS_MAP_ENTRY	(1u << 15)	/* `umem` is 0 only if ib_umem_odp_map_dma_and_lock() was seen neither to begin nor to return */

/* mrt_operation.device_caps */
#define MRT_CAP_ON_DEMAND	(1u << 0)	/* device offers on-demand paging */
#define MRT_CAP_FLUSH_GLOBAL	(1u << 1)	/* IB_DEVICE_FLUSH_GLOBAL */
#define MRT_CAP_FLUSH_PERSISTENT (1u << 2)	/* IB_DEVICE_FLUSH_PERSISTENT */
/* mrt_operation.driver_ops */
#define MRT_DRIVER_ADVISE_MR	(1u << 0)	/* ib_device.ops.advise_mr is set */

struct mrt_operation {
	struct mrt_header h;
	mrt_u64 start_ns;
	mrt_s64 result;		/* 0 or -errno; pages mapped for a page fault */
	mrt_u64 umem;		/* identity of the umem (kernel address), 0 unknown */
	mrt_u64 mr_address;
	mrt_u64 mr_length;
	mrt_u64 mr_iova;
	mrt_u64 request_address; /* range advised or faulted; several SGEs: the first */
	mrt_u64 request_length;
	mrt_u32 kind;		/* enum mrt_operation_kind */
	mrt_u32 has;		/* MRT_HAS_… */
	mrt_u32 access;		/* enum ib_access_flags */
	mrt_u32 device_caps;	/* MRT_CAP_… */
	mrt_u32 driver_ops;	/* MRT_DRIVER_… */
	mrt_u32 advice;		/* enum ib_uverbs_advise_mr_advice */
	mrt_u32 advise_flags;	/* IB_UVERBS_ADVISE_MR_FLAG_… */
	mrt_u32 num_sge;
	mrt_u32 lkey;
	mrt_u32 owner_pid;	/* tgid of the process that owns the memory */
	mrt_u32 lost;		/* records of this operation that found no room */
	mrt_u32 repeats_ns;	/* with MRT_HAS_REPEATED; else 0 */
	mrt_u8 owner_comm[16];
	mrt_u8 comm[16];	/* of the task that ran: a kworker, perhaps */
	mrt_u8 device[32];	/* ib_device.name, cut at 31 */
};

/* mrt_umem.flags, and which fields were read */
#define MRT_UMEM_WRITABLE	(1u << 0)
#define MRT_UMEM_ODP		(1u << 1)
#define MRT_UMEM_HAS_FIELDS	(1u << 8)	/* address … flags: an ib_umem was there */
#define MRT_UMEM_HAS_PAGE_SHIFT	(1u << 9)
#define MRT_UMEM_HAS_MEMLOCK	(1u << 10)	/* pinned_vm, memlock_limit, MAY_LOCK */
#define MRT_UMEM_MAY_LOCK	(1u << 11)	/* CAP_IPC_LOCK: the limit does not count */

struct mrt_umem {
	struct mrt_header h;
	mrt_u64 umem;
	mrt_u64 address;	/* as registered, not aligned */
	mrt_u64 length;
	mrt_u64 iova;
	mrt_u64 pinned_vm;	/* pages the process has pinned */
	mrt_u64 memlock_limit;	/* RLIMIT_MEMLOCK, bytes */
	mrt_u32 page_shift;
	mrt_u32 flags;
	mrt_u32 owner_pid;
	mrt_u32 access;		/* as asked in ib_umem_get / ib_umem_odp_get, else 0 */
};

struct mrt_layer {
	struct mrt_header h;
	mrt_s64 result;		/* the return value; an ERR_PTR as -errno */
	mrt_u64 arguments[6];	/* of that function, in order */
	mrt_u32 rung;		/* enum mrt_rung */
	mrt_u32 reserved;
};

#define MRT_RANGE_CAN_UNLOCK	(1u << 0)	/* 7.3 engine: callbacks never fault */

struct mrt_range {
	struct mrt_header h;
	mrt_s64 result;
	mrt_u64 start;
	mrt_u64 end;
	mrt_u64 default_flags;	/* HMM_PFN_REQ_… */
	mrt_u64 pfn_flags_mask;
	mrt_u64 mm;
	mrt_u32 rung;
	mrt_u32 flags;
};

#define MRT_WALK_HAS_LAST	(1u << 0)	/* last */
#define MRT_WALK_HAS_PENDING	(1u << 1)	/* last, pending_end, required_fault (7.3) */
#define MRT_WALK_NO_VMA		(1u << 2)	/* walk->vma was NULL */
#define MRT_WALK_HAS_DEFAULT	(1u << 3)	/* default_flags */

struct mrt_walk {
	struct mrt_header h;
	mrt_s64 result;
	mrt_u64 start;		/* of this callback's range */
	mrt_u64 end;
	mrt_u64 last;		/* hmm_vma_walk.last: first page to be faulted */
	mrt_u64 pending_end;	/* hmm_vma_walk.end */
	mrt_u64 default_flags;	/* hmm_range.default_flags */
	mrt_u64 entry;		/* *pmdp, *pudp or *pte as the callback got it */
	mrt_u32 required_fault;	/* HMM_NEED_… */
	mrt_u32 flags;
	mrt_u32 rung;
	mrt_u32 reserved;
};

/* mrt_levels.read: which of the entries were read */
#define MRT_LEVEL_PGD	(1u << 0)
#define MRT_LEVEL_P4D	(1u << 1)	/* five-level paging only */
#define MRT_LEVEL_PUD	(1u << 2)
#define MRT_LEVEL_PMD	(1u << 3)
#define MRT_LEVEL_PTE	(1u << 4)

struct mrt_levels {
	struct mrt_header h;
	mrt_u64 address;
	mrt_u64 pgd;
	mrt_u64 p4d;
	mrt_u64 pud;
	mrt_u64 pmd;
	mrt_u64 pte;
	mrt_u32 read;
	mrt_u32 paging_levels;	/* 4 or 5 */
};

enum mrt_entries_what {
	MRT_ENTRIES_PTE = 1,	/* page-table entries, one a page */
	MRT_ENTRIES_HMM_PFN = 2,/* hmm_range.hmm_pfns, one a page */
};

#define MRT_ENTRIES_MAX 512
/* search: what the in-kernel scan was for */
#define MRT_ENTRIES_WALKED	0	/* the range of a callback that failed */
#define MRT_ENTRIES_FAULTED	1	/* page table with the page that could not be faulted */
#define MRT_ENTRIES_ACCEPTED	2	/* the range of a callback that succeeded: no evidence of a failure */

struct mrt_entries {
	struct mrt_header h;
	mrt_u64 address;	/* of the first entry */
	mrt_u32 what;		/* enum mrt_entries_what */
	mrt_u32 search;
	mrt_u32 reserved;
	mrt_u32 count;
	mrt_u64 values[MRT_ENTRIES_MAX];	/* `count` of them are recorded */
};

#define MRT_MAPPING_FOUND	(1u << 0)	/* a VMA holds `address` */
#define MRT_MAPPING_HAS_PREV	(1u << 1)	/* prev_end */
#define MRT_MAPPING_HAS_NEXT	(1u << 2)	/* next_start */
#define MRT_MAPPING_HAS_FILE	(1u << 3)
#define MRT_MAPPING_FSDAX	(1u << 4)	/* as vma_is_fsdax() */
#define MRT_MAPPING_ANON	(1u << 5)	/* vm_ops is NULL */
#define MRT_MAPPING_PATH_CUT	(1u << 6)
#define MRT_MAPPING_HUGETLB	(1u << 7)

#define MRT_PATH_MAX 2048

struct mrt_mapping {
	struct mrt_header h;
	mrt_u64 address;	/* the address asked for */
	mrt_u64 start;
	mrt_u64 end;
	mrt_u64 vm_flags;
	mrt_u64 pgoff;		/* vm_pgoff, pages */
	mrt_u64 prev_end;	/* end of the mapping below, where none was found */
	mrt_u64 next_start;	/* start of the mapping above, where none was found */
	mrt_u64 inode;
	mrt_u64 file_size;	/* i_size, bytes */
	mrt_u64 fs_magic;	/* super_block.s_magic */
	mrt_u32 device;		/* super_block.s_dev, kernel encoding (20 bits of minor) */
	mrt_u32 inode_flags;	/* i_flags */
	mrt_u32 mode;		/* i_mode */
	mrt_u32 flags;
	mrt_u8 filesystem[16];	/* file_system_type.name */
	mrt_u8 block_device[32];	/* super_block.s_id */
	mrt_u32 reserved;
	mrt_u32 path_size;
	mrt_u8 path[MRT_PATH_MAX]; /* names from the file up to the root, each ended by NUL */
};

/* mrt_backing.has */
#define MRT_BACKING_HAS_WRITES	(1u << 0)	/* PAGE_MKWRITE, PFN_MKWRITE, WRITEBACK */
#define MRT_BACKING_HAS_BLOCKS	(1u << 1)	/* blocks_max, blocks_used */
#define MRT_BACKING_HAS_POOL	(1u << 2)	/* huge_…; RESERVE_… too where the mapping is private */
#define MRT_BACKING_HAS_SUBPOOL	(1u << 3)	/* subpool_… */
#define MRT_BACKING_HAS_GROUP	(1u << 4)	/* group, group_usage, group_max */
#define MRT_BACKING_HAS_GROUP_RESERVED (1u << 5) /* the same of reservations */
#define MRT_BACKING_HAS_DEVICE	(1u << 6)	/* device */
#define MRT_BACKING_HAS_PATH	(1u << 7)	/* path: of the file that a stacked file system reads */

/* mrt_backing.flags */
#define MRT_BACKING_PAGE_MKWRITE (1u << 0)	/* vm_ops->page_mkwrite is set */
#define MRT_BACKING_PFN_MKWRITE	(1u << 1)	/* vm_ops->pfn_mkwrite is set */
#define MRT_BACKING_WRITEBACK	(1u << 2)	/* BDI_CAP_WRITEBACK of what the file's inode is on */
#define MRT_BACKING_RESERVE_OWNER (1u << 3)	/* HPAGE_RESV_OWNER: this process made the mapping */
#define MRT_BACKING_RESERVE_UNMAPPED (1u << 4)	/* HPAGE_RESV_UNMAPPED: its page went to the owner */
#define MRT_BACKING_PATH_CUT	(1u << 5)

struct mrt_backing_facts {
	mrt_u64 address;	/* the mapping's that holds it; 0 = a file system that had no block */
	mrt_u64 identity;	/* super_block.s_fs_info: the same file system has the same */
	mrt_u64 blocks_max;	/* tmpfs: pages; 0 = no limit */
	mrt_u64 blocks_used;	/* summed over all CPUs */
	mrt_u64 huge_size;	/* bytes of one huge page */
	mrt_u64 huge_total;	/* these: huge pages of that size, as in sysfs */
	mrt_u64 huge_free;
	mrt_u64 huge_reserved;	/* of the free ones promised to mappings */
	mrt_u64 huge_surplus;
	mrt_u64 huge_overcommit; /* surplus may grow so far */
	mrt_s64 subpool_max;	/* of the hugetlbfs mount, huge pages; -1 = no limit */
	mrt_s64 subpool_used;
	mrt_u64 group;		/* number of the control group, or one above, that is nearest its limit */
	mrt_u64 group_usage;	/* 4 KiB pages */
	mrt_u64 group_max;
	mrt_u64 group_reserved;	/* the same of reservations */
	mrt_u64 group_reserved_usage;
	mrt_u64 group_reserved_max;
	mrt_u32 has;		/* MRT_BACKING_HAS_… */
	mrt_u32 flags;		/* MRT_BACKING_… */
	mrt_u32 device;		/* super_block.s_dev, kernel encoding */
	mrt_u32 reserved;
};

/* What stands behind a mapping, where that may have decided. */
struct mrt_backing {
	struct mrt_header h;
	struct mrt_backing_facts facts;
	mrt_u32 reserved;
	mrt_u32 path_size;
	mrt_u8 path[MRT_PATH_MAX]; /* as mrt_mapping has it */
};

#define MRT_FAULT_HAS_FILE	(1u << 0)	/* inode, page_offset, file_size */
#define MRT_FAULT_HAS_FLAGS	(1u << 1)	/* fault_flags */
#define MRT_FAULT_HAS_ERROR	(1u << 2)	/* error */

struct mrt_fault {
	struct mrt_header h;
	mrt_u64 address;
	mrt_u64 inode;
	mrt_u64 page_offset;	/* vm_fault.pgoff, pages */
	mrt_u64 file_size;
	mrt_u32 result;		/* VM_FAULT_… */
	mrt_u32 fault_flags;	/* FAULT_FLAG_… */
	mrt_u32 flags;
	mrt_s32 error;		/* -errno of the file system behind the VM_FAULT code */
};

#define MRT_STACK_MAX 64
enum mrt_stack_what {
	MRT_STACK_KERNEL = 1,
	MRT_STACK_USER = 2,
};

struct mrt_stack {
	struct mrt_header h;
	mrt_u32 what;
	mrt_u32 count;
	mrt_u64 addresses[MRT_STACK_MAX];	/* innermost first; `count` recorded */
};

/*
 * Per hook, kept in a per-CPU map by BPF; summed by the agent at the end. Of a
 * function that others run too a call counts when it is past the hook's gate: it
 * failed, or is inside an operation.
 */
struct mrt_tally {
	mrt_u64 seen;		/* returns that the program ran for: the sum of the next five */
	mrt_u64 reported;	/* all that was to be recorded found room */
	mrt_u64 cut;		/* at least one record found none */
	mrt_u64 aggregated;	/* nothing to record: counted, here and in `pages` */
	mrt_u64 filtered;	/* not inside an operation whose owner is watched */
	mrt_u64 unstarted;	/* its beginning was not seen: at most its result was recorded */
	mrt_u64 replaced;	/* kprobe: returns that never came */
	mrt_u64 failed;		/* of those seen, the function returned an error */
	mrt_u64 recorded;	/* records sent */
	mrt_u64 lost;		/* records that found no room in the ring buffer */
	mrt_u64 shed;		/* of these, evidence not sent since what is left of the ring is for operations */
	mrt_u64 untracked;	/* operations not followed: a table was full */
	mrt_u64 entered;	/* kprobe: entries that were kept with their task … */
	mrt_u64 taken;		/* … of these, those that their return has picked up */
	/* copies of a program at an entry, and at a return: calls for which one ran, and the first did */
	mrt_u64 begun;
	mrt_u64 begun_first;
	mrt_u64 ended;
	mrt_u64 ended_first;
	mrt_u64 rescued;	/* failures whose evidence the second program took, as the first had not run */
	mrt_u64 bare;		/* failures that ended without evidence, as the programs that take it had not run */
};

/* What became of the records of one call. */
#define MRT_NOW_SENT		(1u << 0)
#define MRT_NOW_CUT		(1u << 1)
#define MRT_NOW_FILTERED	(1u << 2)
#define MRT_NOW_UNSTARTED	(1u << 3)

/*
 * One hook's totals since the start of the recording, written at the end, and
 * about a second after something was lost; the last one counts.
 *	calls = reported + cut + aggregated + filtered + unstarted + missed + missed_returns
 *	received = recorded, written = received; what is less is lost
 */
struct mrt_account {
	struct mrt_header h;
	mrt_u64 calls;
	mrt_u64 reported;	/* these five: as mrt_tally has them */
	mrt_u64 cut;
	mrt_u64 aggregated;
	mrt_u64 filtered;
	mrt_u64 unstarted;
	mrt_u64 missed;		/* runs at a return that the kernel skipped (recursion) */
	mrt_u64 missed_returns;	/* kretprobe: returns that never came */
	mrt_u64 missed_entries;	/* runs at an entry that the kernel skipped; no calls */
	mrt_u64 running;	/* kprobe: have not returned, or their return was missed */
	mrt_u64 failed;
	mrt_u64 recorded;	/* records the kernel sent */
	mrt_u64 lost;		/* records that found no room in the ring buffer */
	mrt_u64 received;	/* records the agent took from the ring buffer */
	mrt_u64 written;	/* of these, put into the recording */
	mrt_u64 untracked;
	mrt_u64 since_ns;	/* the totals before are of that time; 0 = of the start */
	mrt_u32 rung;
	mrt_u32 reserved;
};

/*
 * Evidence of one hook that is missing though its operations are told, since the start
 * of the recording; written with its account.
 */
struct mrt_shed {
	struct mrt_header h;
	mrt_u64 shed;		/* of the records that the account counts as lost: not sent, the rest of the ring is for operations */
	mrt_u64 missed;		/* runs of the program that takes evidence at a return, skipped by the kernel */
	mrt_u64 since_ns;	/* as mrt_account has it */
};

/* As format 1.0 had it; still written, for older readers. */
struct mrt_counts {
	mrt_u64 seen;		/* times the hook's program ran to the end of its gate */
	mrt_u64 failed;		/* of these, the function returned an error */
	mrt_u64 recorded;	/* records sent */
	mrt_u64 lost;		/* records that found no room in the ring buffer */
	mrt_u64 filtered;	/* failures that no watched operation was waiting for */
	mrt_u64 untracked;	/* operations not followed: table of operations full */
};

struct mrt_counter {
	struct mrt_header h;
	struct mrt_counts counts;
	mrt_u64 missed;		/* runs the kernel skipped (recursion, kretprobe limit) */
	mrt_u32 rung;
	mrt_u32 reserved;
};

#define MRT_NAME_MAX 128
struct mrt_symbol {
	struct mrt_header h;
	mrt_u64 address;
	mrt_u32 what;		/* enum mrt_stack_what */
	mrt_u32 name_size;
	mrt_u8 name[MRT_NAME_MAX];	/* `name_size` bytes, no NUL */
};

/*
 * Pages that HMM walked, by what their entries said: the page frame cleared, a
 * swap-type entry's offset too unless it is below 8 (a marker's). Kept in a map
 * by BPF, read by the agent at the end. Walks that failed are all counted, and so
 * are the first MRT_PAGES_SAMPLE on each CPU that succeeded: their weight is 1.
 * After that one of MRT_PAGES_SAMPLE is. Walks that asked for no fault are not.
 */
#define MRT_PAGES_SAMPLE	64
#define MRT_PAGES_ACCEPTED	0	/* in a walk that succeeded */
#define MRT_PAGES_FAILED	1	/* in a walk that failed: one of them decided */

struct mrt_pages {
	struct mrt_header h;
	mrt_u64 bits;
	mrt_u64 pages;		/* 4 KiB pages looked at, not multiplied by weight */
	mrt_u32 level;		/* MRT_LEVEL_PTE or MRT_LEVEL_PMD */
	mrt_u32 outcome;	/* MRT_PAGES_… */
	mrt_u32 weight;
	mrt_u32 reserved;
};

#define MRT_PID_LEVELS	32	/* PID namespaces nest that deep */

struct mrt_owner {
	struct mrt_header h;
	mrt_u64 start_ns;	/* of the process, CLOCK_BOOTTIME */
	mrt_u64 cgroup;		/* its number in the hierarchy of version 2, 0 = not known */
	mrt_u32 owner_pid;	/* initial namespace */
	mrt_u32 owner_tid;	/* the thread that asked; for a worker's operation the leader */
	mrt_u32 pid_namespace;	/* the innermost one: its inode number */
	mrt_u32 levels;		/* of pids, so many are meant; 1 = initial namespace only */
	mrt_u32 pids[MRT_PID_LEVELS];	/* of the process; initial namespace first */
};

/* What was sent of that operation before it was known how it ends belongs to none. */
struct mrt_omitted {
	struct mrt_header h;
	mrt_s64 result;
	mrt_u32 kind;		/* enum mrt_operation_kind */
	mrt_u32 reserved;
};

struct mrt_cgroup {
	struct mrt_header h;
	mrt_u64 cgroup;		/* as mrt_owner has it */
	mrt_u32 reserved;
	mrt_u32 path_size;
	mrt_u8 path[MRT_PATH_MAX];	/* from the root of the hierarchy; `path_size` bytes, no NUL */
};

/* mrt_folio.has: which fields were read */
#define MRT_FOLIO_HAS_ADDRESS	(1u << 0)	/* address, pfn: the process has it mapped there */
#define MRT_FOLIO_HAS_MAPPINGS	(1u << 1)	/* mappings */
#define MRT_FOLIO_HAS_PINS	(1u << 2)	/* pins */
#define MRT_FOLIO_HAS_PAGES	(1u << 3)	/* pages */
#define MRT_FOLIO_HAS_ZONE	(1u << 4)	/* zone, node */
/* mrt_folio.state */
#define MRT_FOLIO_ANON		(1u << 0)	/* anonymous memory, KSM's too */
#define MRT_FOLIO_FILE		(1u << 1)	/* in the page cache: inode */
#define MRT_FOLIO_SWAPCACHE	(1u << 2)
#define MRT_FOLIO_WRITEBACK	(1u << 3)
#define MRT_FOLIO_DIRTY		(1u << 4)
#define MRT_FOLIO_PRIVATE	(1u << 5)	/* the file system keeps something with it, and a reference */
#define MRT_FOLIO_LOCKED	(1u << 6)

enum mrt_zone {
	MRT_ZONE_DMA = 1,
	MRT_ZONE_DMA32 = 2,
	MRT_ZONE_NORMAL = 3,
	MRT_ZONE_MOVABLE = 4,
	MRT_ZONE_DEVICE = 5,
};

#define MRT_FOLIOS_MAX	4	/* of one call of migrate_pages() */

struct mrt_folio {
	struct mrt_header h;
	mrt_u64 folio;		/* identity (kernel address) */
	mrt_u64 pfn;
	mrt_u64 address;	/* in the process */
	mrt_u64 page_flags;	/* as they are; the bits that matter are in state */
	mrt_u64 index;		/* in the file, or of the address: pages */
	mrt_u64 inode;
	mrt_s32 references;	/* with the one of who wants to move it */
	mrt_s32 mappings;	/* page-table entries */
	mrt_s32 pins;		/* a small one's are in references, 1024 each */
	mrt_u32 pages;
	mrt_u32 zone;		/* enum mrt_zone */
	mrt_u32 node;
	mrt_u32 state;		/* MRT_FOLIO_… */
	mrt_u32 has;		/* MRT_FOLIO_HAS_… */
};

enum mrt_refusal_what {
	MRT_REFUSAL_RDMA_CGROUP = 1,	/* a control group has as many as it may have */
	MRT_REFUSAL_DEVICE_REMOVED = 2,	/* the descriptor's device is gone */
	MRT_REFUSAL_KILLED = 3,		/* the task is to die */
};

/* mrt_refusal.flags: of who is killed, and by what */
#define MRT_KILLED_SIGNAL	(1u << 0)	/* exit_code is the process's: it is to die as a whole */
#define MRT_KILLED_EXEC		(1u << 1)	/* another thread calls exec() */
#define MRT_KILLED_OOM		(1u << 2)	/* the kernel has chosen it for want of memory … */
#define MRT_KILLED_OOM_SEEN	(1u << 3)	/* … which was seen: killed_ns; */
#define MRT_KILLED_OOM_CGROUP	(1u << 4)	/* of a memory cgroup: cgroup, usage, limit (pages) */

struct mrt_refusal {
	struct mrt_header h;
	mrt_u64 cgroup;		/* whose limit it is, as mrt_owner has it; 0 = none, or not known */
	mrt_u64 usage;
	mrt_u64 limit;
	mrt_u64 killed_ns;
	mrt_u32 what;		/* enum mrt_refusal_what */
	mrt_u32 resource;	/* of the RDMA cgroup: 0 hca_handle, 1 hca_object */
	mrt_u32 flags;		/* MRT_KILLED_… */
	mrt_u32 exit_code;	/* as wait() has it: a signal, or 256 times the number for exit() */
	mrt_u8 name[32];	/* of the device removed: uverbs0 */
};

struct mrt_forked {
	struct mrt_header h;
	mrt_u64 address;	/* the address asked for */
	mrt_u64 start;		/* of the mapping that the ancestor has there */
	mrt_u64 end;
	mrt_u64 vm_flags;	/* with VM_DONTCOPY */
	mrt_u64 forked_ns;	/* when the ancestor forked, CLOCK_MONOTONIC */
	mrt_u32 pid;		/* of the ancestor */
	mrt_u32 generation;	/* 1 = the parent */
	mrt_u8 comm[16];	/* of the ancestor */
};

_Static_assert(sizeof(struct mrt_header) == 40, "mrt_header");
_Static_assert(sizeof(struct mrt_operation) == 216, "mrt_operation");
_Static_assert(sizeof(struct mrt_umem) == 104, "mrt_umem");
_Static_assert(sizeof(struct mrt_layer) == 104, "mrt_layer");
_Static_assert(sizeof(struct mrt_range) == 96, "mrt_range");
_Static_assert(sizeof(struct mrt_walk) == 112, "mrt_walk");
_Static_assert(sizeof(struct mrt_levels) == 96, "mrt_levels");
_Static_assert(sizeof(struct mrt_entries) == 64 + 8 * MRT_ENTRIES_MAX, "mrt_entries");
_Static_assert(sizeof(struct mrt_mapping) == 192 + MRT_PATH_MAX, "mrt_mapping");
_Static_assert(sizeof(struct mrt_fault) == 88, "mrt_fault");
_Static_assert(sizeof(struct mrt_stack) == 48 + 8 * MRT_STACK_MAX, "mrt_stack");
_Static_assert(sizeof(struct mrt_counts) == 48, "mrt_counts");
_Static_assert(sizeof(struct mrt_tally) == 160, "mrt_tally");
_Static_assert(sizeof(struct mrt_account) == 184, "mrt_account");
_Static_assert(sizeof(struct mrt_shed) == 64, "mrt_shed");
_Static_assert(sizeof(struct mrt_counter) == 104, "mrt_counter");
_Static_assert(sizeof(struct mrt_symbol) == 56 + MRT_NAME_MAX, "mrt_symbol");
_Static_assert(sizeof(struct mrt_pages) == 72, "mrt_pages");
_Static_assert(sizeof(struct mrt_owner) == 72 + 4 * MRT_PID_LEVELS, "mrt_owner");
_Static_assert(sizeof(struct mrt_omitted) == 56, "mrt_omitted");
_Static_assert(sizeof(struct mrt_cgroup) == 56 + MRT_PATH_MAX, "mrt_cgroup");
_Static_assert(sizeof(struct mrt_folio) == 120, "mrt_folio");
_Static_assert(sizeof(struct mrt_refusal) == 120, "mrt_refusal");
_Static_assert(sizeof(struct mrt_forked) == 104, "mrt_forked");
_Static_assert(sizeof(struct mrt_backing_facts) == 160, "mrt_backing_facts");
_Static_assert(sizeof(struct mrt_backing) == 208 + MRT_PATH_MAX, "mrt_backing");

/* Of the map that BPF counts mrt_pages in; a value is a number of pages. */
struct mrt_pages_key {
	mrt_u64 bits;
	mrt_u32 level;
	mrt_u32 outcome;
	mrt_u32 weight;
	mrt_u32 reserved;
};
_Static_assert(sizeof(struct mrt_pages_key) == 24, "mrt_pages_key");

#define MRT_LAYOUT_NONE 0	/* BTF, or nothing is read */
#define MRT_LAYOUT_5_10 1

/* mrt_config.filter: what an operation must have. Values are in maps of their own. */
#define MRT_FILTER_PID		(1u << 0)	/* `watched` */
#define MRT_FILTER_COMM		(1u << 1)	/* `wanted_comms` */
#define MRT_FILTER_CGROUP	(1u << 2)	/* `wanted_cgroups` */
#define MRT_FILTER_DEVICE	(1u << 3)	/* `wanted_devices` */
#define MRT_FILTER_VALUES	1024		/* of a kind, at most */
#define MRT_FILTER_ERRNOS	16

/* Stand for functions of the kernel in programs, until they are loaded. */
#define MRT_CALL_CAST	0x6d727400	/* bpf_rdonly_cast() */
#define MRT_CALL_TIMES_NEW	0x6d727403	/* bpf_iter_num_new() */
#define MRT_CALL_TIMES_NEXT	0x6d727404	/* bpf_iter_num_next() */
#define MRT_CALL_TIMES_DESTROY	0x6d727405	/* bpf_iter_num_destroy() */

/* What is recorded, each with what those before it have. */
enum mrt_detail {
	MRT_DETAIL_FAILURES = 0,
	MRT_DETAIL_OPERATIONS = 1,	/* operations that succeed */
	MRT_DETAIL_LAYERS = 2,		/* each function that returns inside an operation */
	MRT_DETAIL_PAGES = 3,		/* each page walk that succeeds, with its entries */
};

/* Written into the BPF object's read-only data before it is loaded. */
struct mrt_config {
	mrt_u32 detail;		/* enum mrt_detail */
	mrt_u32 filter;		/* MRT_FILTER_… */
	mrt_u32 follow;		/* 1 = children of watched pids are watched too */
	mrt_u32 wake_at;	/* bytes that wait in the ring buffer before the agent is woken */
	mrt_u32 ring_size;	/* of the ring buffer, bytes */
	mrt_u32 cpus;		/* CPUs that there may be: entries of per_cpu_offset */
	mrt_u32 layout;		/* MRT_LAYOUT_…: of modules without BTF */
	mrt_u32 statistics;	/* 1 = latencies are counted (struct mrt_latencies) */
	mrt_u32 pid_namespace;	/* inode of the agent's, where it is not the initial one; else 0 */
	mrt_u32 errno_count;	/* 0 = all failures */
	mrt_u32 errnos[MRT_FILTER_ERRNOS];
	mrt_u32 range_hook;	/* whose exit sends what a page walk's callback has refused; 0 = each callback does */
	/* what the kernel can, 1 = it does: */
	mrt_u32 plain_loads;	/* bpf_rdonly_cast() to memory of no type; f2362a57aeff, 6.17 */
	mrt_u32 task_storage;	/* of tasks, in tracing programs of every kind; a10787e6d58c, 5.13 */
	mrt_u32 iterators;	/* bpf_iter_num_new() and so on; 6018e1f407cc, 6.4 */
	mrt_u32 pointer_results; /* functions of ours may return a pointer that may be NULL; 6.2 */
	mrt_u32 reserved;
	/* where these variables of the kernel are; 0 = it has none of that name */
	mrt_u64 zero_pfn;
	mrt_u64 empty_zero_page;
	mrt_u64 phys_base;
	mrt_u64 page_offset_base;
	mrt_u64 physical_mask;
	mrt_u64 pgdir_shift;
	mrt_u64 init_user_ns;
	mrt_u64 per_cpu_offset;	/* __per_cpu_offset[] */
	mrt_u64 hstates;	/* hstates[]: sizes of huge pages */
};
_Static_assert(sizeof(struct mrt_config) == 136 + 4 * MRT_FILTER_ERRNOS, "mrt_config");

/*
 * How long something took: kept in a per-CPU map by BPF for the live views, never
 * in a recording. Durations below 2^(precision + 1) ns have a bucket each, every
 * power of two above has 2^precision (Model/LogBuckets.swift).
 */
#define MRT_LATENCY_PRECISION 3
#define MRT_LATENCY_BUCKETS 256
/* slot: 2 * enum mrt_operation_kind, + 1 where it failed */
#define MRT_LATENCY_INVALIDATION 0
#define MRT_LATENCY_SLOTS 12

struct mrt_latencies {
	mrt_u64 sum_ns;
	mrt_u64 maximum_ns;
	mrt_u64 counts[MRT_LATENCY_BUCKETS];
};
_Static_assert(sizeof(struct mrt_latencies) == 16 + 8 * MRT_LATENCY_BUCKETS, "mrt_latencies");

/* What only the kernel can tell of itself; read once after loading. */
#define MRT_FACTS_ZERO_PFN	(1u << 0)

struct mrt_facts {
	mrt_u64 zero_pfn;	/* page frame of the zero page */
	mrt_u32 paging_levels;	/* 4 or 5 */
	mrt_u32 has;		/* MRT_FACTS_… */
};
_Static_assert(sizeof(struct mrt_facts) == 16, "mrt_facts");

#endif
