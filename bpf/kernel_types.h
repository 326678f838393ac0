/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few kernel types these programs touch, with only the members they read.
 * CO-RE finds the real offsets in the running kernel's BTF (or a module's), so
 * nothing here depends on the machine it was built on.
 */
#ifndef MRTRACE_KERNEL_TYPES_H
#define MRTRACE_KERNEL_TYPES_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_HASH = 5,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

/* bpf_ringbuf_submit(), bpf_ringbuf_query() */
#define BPF_RB_NO_WAKEUP    (1ull << 0)
#define BPF_RB_FORCE_WAKEUP (1ull << 1)
#define BPF_RB_AVAIL_DATA   0
enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2 };
enum { BPF_F_NO_PREALLOC = 1 };
enum { BPF_F_SKIP_FIELD_MASK = 0xff, BPF_F_USER_STACK = 1 << 8 };
enum { BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };

/* tells bpf_tracing.h to use the kernel's own register names */
#define __VMLINUX_H__

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

struct rlimit {
	unsigned long rlim_cur;
};

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

typedef struct {
	u64 val; /* two u32 before 6.3: the same bytes */
} kernel_cap_t;

enum pid_type {
	PIDTYPE_PID,
	PIDTYPE_TGID,
	PIDTYPE_MAX,
};

struct sigset {
	unsigned long sig[1];
};

struct sigpending {
	struct sigset signal;
};

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	unsigned int flags;
	struct task_struct *group_exec_task; /* 5.17 and later; before, group_exit_task */
	struct mm_struct *oom_mm;
	struct pid *pids[PIDTYPE_MAX];
	struct rlimit rlim[16];
};

struct list_head {
	struct list_head *next;
};

struct kernfs_node {
	u64 id;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

/* the values are those of the running kernel */
enum cgroup_subsys_id {
	hugetlb_cgrp_id = 10,
	rdma_cgrp_id = 12,
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup_subsys_state *subsys[1];
	struct cgroup *dfl_cgrp;
};

struct rdma_cgroup {
	struct cgroup_subsys_state css;
	struct list_head rpools;
};

struct rdmacg_device {
	char *name;
};

struct rdmacg_resource {
	int max;
	int usage;
};

struct rdmacg_resource_pool {
	struct rdmacg_device *device;
	struct rdmacg_resource resources[2];
	struct list_head cg_node;
};

typedef struct {
	s64 counter;
} atomic_long_t;

struct page_counter {
	atomic_long_t usage;
	unsigned long max;
};

struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct page_counter memory;
};

struct oom_control {
	struct mem_cgroup *memcg;
	struct task_struct *chosen;
};

struct cred {
	kernel_cap_t cap_effective;
	void *user_ns;
};

struct task_struct {
	struct cred *cred;
	unsigned int flags;
	int pid;
	int tgid;
	u64 start_time;
	u64 start_boottime;
	char comm[16];
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct sigpending pending;
	struct css_set *cgroups;
	struct mm_struct *mm;
	struct signal_struct *signal;
};

struct atomic64 {
	s64 counter;
};

struct rb_node {
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct maple_tree {
	void *ma_root;
};

struct seqcount {
	unsigned int sequence;
};

struct mm_struct {
	struct seqcount mm_lock_seq; /* with CONFIG_PER_VMA_LOCK; of this type from 6.14 on */
	struct maple_tree mm_mt; /* 6.1 and later */
	struct rb_root mm_rb; /* before */
	void *pgd;
	struct task_struct *owner;
	struct atomic64 pinned_vm;
};

struct qstr {
	const unsigned char *name;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct super_block *d_sb;
	struct hlist_node d_u; /* a union, of d_alias among others */
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file_system_type {
	const char *name;
};

struct backing_dev_info {
	unsigned int capabilities;
};

struct super_block {
	u32 s_dev;
	unsigned long s_magic;
	struct file_system_type *s_type;
	void *s_fs_info;
	struct backing_dev_info *s_bdi;
	char s_id[32];
};

struct inode {
	u16 i_mode;
	unsigned int i_flags;
	struct super_block *i_sb;
	unsigned long i_ino;
	s64 i_size;
	struct hlist_head i_dentry;
};

struct gendisk {
	struct backing_dev_info *bdi; /* 5.15 and later */
};

struct block_device {
	struct gendisk *bd_disk;
};

struct bdev_inode {
	struct block_device bdev;
	struct inode vfs_inode;
};

struct address_space {
	struct inode *host;
};

struct file {
	unsigned int f_mode;
	struct path f_path;
	struct inode *f_inode;
	struct address_space *f_mapping;
};

struct backing_file { /* 6.5 and later */
	struct file file;
	struct path user_path; /* 6.8 and later */
};

struct vm_operations_struct {
	void *page_mkwrite;
	void *pfn_mkwrite;
};

struct percpu_counter {
	s64 count;
	void *counters;
};

struct shmem_sb_info {
	unsigned long max_blocks;
	struct percpu_counter used_blocks;
};

struct hstate {
	unsigned int order;
	unsigned long nr_huge_pages;
	unsigned long free_huge_pages;
	unsigned long resv_huge_pages;
	unsigned long surplus_huge_pages;
	unsigned long nr_overcommit_huge_pages;
};

struct hugepage_subpool {
	long max_hpages;
	long used_hpages;
};

struct hugetlbfs_sb_info {
	struct hstate *hstate;
	struct hugepage_subpool *spool;
};

struct hugetlb_cgroup {
	struct cgroup_subsys_state css;
	struct page_counter hugepage[1];
	struct page_counter rsvd_hugepage[1];
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	struct mm_struct *vm_mm;
	unsigned long vm_flags;
	unsigned long vm_pgoff;
	struct file *vm_file;
	struct vm_operations_struct *vm_ops;
	void *vm_private_data;
	struct rb_node vm_rb; /* before 6.1 */
};

enum fault_flag {
	FAULT_FLAG_WRITE = 1,
};

struct vm_fault {
	struct vm_area_struct *vma;
	unsigned long address;
	unsigned long pgoff;
	enum fault_flag flags;
};

struct vm_fault___5_10 {
	unsigned int flags; /* an enum from 5.14 on */
};

enum migrate_reason {
	MR_CONTIG_RANGE = 6,
	MR_LONGTERM_PIN = 7, /* 5.13 and later */
};

/* struct page before 5.16 */
struct page {
	struct list_head lru;
	struct address_space *mapping;
	unsigned long index;
	atomic_t _mapcount;
	atomic_t _refcount;
};

struct folio {
	struct list_head lru;
	struct address_space *mapping;
	unsigned long index;
	atomic_t _mapcount;
	atomic_t _refcount;
	atomic_t _large_mapcount; /* 6.10 and later */
	atomic_t _total_mapcount; /* 6.1 */
	atomic_t _pincount;
	unsigned int _nr_pages; /* 6.15 and later */
	unsigned int _folio_nr_pages; /* before */
};

enum pageflags {
	PG_locked,
	PG_dirty = 4,
	PG_owner_priv_1 = 9, /* of swap: PG_swapcache */
	PG_private = 13,
	PG_private_2 = 14,
	PG_writeback = 15,
	PG_head = 16,
};

enum zone_type {
	ZONE_DMA,
	ZONE_DMA32,
	ZONE_NORMAL,
	ZONE_MOVABLE,
	ZONE_DEVICE,
	__MAX_NR_ZONES,
};

typedef struct {
	unsigned long bits[1];
} nodemask_t;

struct mutex {
	struct atomic64 owner;
};

struct mmu_interval_notifier {
	struct mm_struct *mm;
};

struct hmm_range {
	struct mmu_interval_notifier *notifier;
	unsigned long start;
	unsigned long end;
	unsigned long *hmm_pfns;
	unsigned long default_flags;
	unsigned long pfn_flags_mask;
};

struct hmm_vma_walk {
	struct hmm_range *range;
	bool *locked; /* 7.3 and later: the engine changed */
	unsigned long last;
	unsigned long end; /* 7.3 */
	unsigned int required_fault; /* 7.3 */
};

struct mm_walk {
	struct mm_struct *mm;
	struct vm_area_struct *vma;
	void *private;
};

/* ib_core and ib_uverbs: module BTF from 5.11 on */

enum ib_kernel_cap_flags {
	IBK_ON_DEMAND_PAGING = 1 << 2,
};

/* the values are those of the running kernel; here only the names matter */
enum ib_device_cap_flags {
	IB_DEVICE_FLUSH_GLOBAL = 1, /* 6.2 and later */
	IB_DEVICE_FLUSH_PERSISTENT = 2,
};

struct ib_device_attr {
	u64 device_cap_flags;
	u64 kernel_cap_flags; /* 6.0 and later */
};

struct ib_device_ops {
	void *advise_mr;
};

struct ib_device {
	struct ib_device_ops ops;
	char name[64];
	struct ib_device_attr attrs;
	struct rdmacg_device cg_device;
};

struct ib_umem {
	struct ib_device *ibdev;
	struct mm_struct *owning_mm;
	u64 iova;
	unsigned long length;
	unsigned long address;
	u32 writable : 1;
	u32 is_odp : 1;
};

struct ib_umem_odp {
	struct ib_umem umem;
	struct pid *tgid;
	unsigned int page_shift;
};

struct ib_mr {
	struct ib_device *device;
	u32 lkey;
	u64 iova;
	u64 length;
};

struct mlx5_ib_mr {
	struct ib_mr ibmr;
	struct ib_umem *umem;
};

struct ib_udata {
	const void *inbuf;
	unsigned long inlen;
};

struct ib_ucontext {
	struct ib_device *device;
};

struct kobject {
	const char *name;
};

struct device {
	struct kobject kobj;
};

struct ib_uverbs_device {
	struct device dev;
	struct ib_device *ib_dev;
};

struct ib_uverbs_file {
	struct ib_uverbs_device *device;
	struct ib_ucontext *ucontext;
};

struct ib_uobject {
	void *object;
};

struct uverbs_attr {
};

struct uverbs_attr_bundle {
	struct ib_udata ucore;
	struct ib_uverbs_file *ufile;
	struct ib_uobject *uobject;
	unsigned long attr_present[1];
	struct uverbs_attr attrs[1];
};

#pragma clang attribute pop

/* Read as it is: the same from 5.10 to 7.3. */
struct uverbs_ptr_attr {
	u64 data;
	u16 len;
	u16 uattr_idx;
	u8 enum_id;
};

/* User ABI (include/uapi/rdma): fixed for ever, no CO-RE. */
struct uapi_reg_mr {
	u64 response;
	u64 start;
	u64 length;
	u64 hca_va;
	u32 pd_handle;
	u32 access_flags;
};

enum {
	IB_MR_REREG_TRANS = 1,
	IB_MR_REREG_ACCESS = 4,
};

struct uapi_rereg_mr {
	u64 response;
	u32 mr_handle;
	u32 flags;
	u64 start;
	u64 length;
	u64 hca_va;
	u32 pd_handle;
	u32 access_flags;
};

struct ib_sge_abi {
	u64 addr;
	u32 length;
	u32 lkey;
};

/* errno values and flags that are the same on every architecture here */
#define E_PERM      1
#define E_NOENT     2
#define E_INTR      4
#define E_IO        5
#define E_AGAIN     11
#define E_NOMEM     12
#define E_ACCES     13
#define E_FAULT     14
#define E_INVAL     22
#define E_BUSY      16
#define E_NODEV     19
#define E_OPNOTSUPP 95
/* the kernel image and, above it, the modules */
#define START_KERNEL_MAP  0xffffffff80000000ull
#define VM_READ           0x1ul
#define VM_WRITE          0x2ul
#define VM_SHARED         0x8ul
#define VM_MAYWRITE       0x20ul
#define VM_MAYSHARE       0x80ul
#define VM_PFNMAP         0x400ul
#define VM_IO             0x4000ul
#define VM_DONTCOPY       0x20000ul
#define VM_HUGETLB        0x400000ul
#define TMPFS_MAGIC       0x01021994
#define BDEVFS_MAGIC      0x62646576
#define BDI_CAP_WRITEBACK 1u
#define S_DAX             (1u << 13)
#define S_IFMT            0170000
#define S_IFREG           0100000
#define S_IFCHR           0020000
#define PF_KTHREAD        0x00200000
#define HMM_PFN_REQ_FAULT (1ull << 63)
#define HMM_PFN_REQ_WRITE (1ull << 62)
#define RLIMIT_MEMLOCK    8
#define CAP_IPC_LOCK      14
#define SIGKILL           9
#define SIGNAL_GROUP_EXIT 4
/* what a fault handler's failure is, but VM_FAULT_FALLBACK, which is none */
#define VM_FAULT_FAILED 0x73
#define VM_FAULT_SIGBUS 0x2

#endif
