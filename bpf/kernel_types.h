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
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

/* bpf_ringbuf_submit(), bpf_ringbuf_query() */
#define BPF_RB_NO_WAKEUP	(1ull << 0)
#define BPF_RB_FORCE_WAKEUP	(1ull << 1)
#define BPF_RB_AVAIL_DATA	0
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
	u64 val;		/* two u32 before 6.3: the same bytes */
} kernel_cap_t;

enum pid_type {
	PIDTYPE_PID,
	PIDTYPE_TGID,
	PIDTYPE_MAX,
};

struct signal_struct {
	atomic_t live;
	struct pid *pids[PIDTYPE_MAX];
	struct rlimit rlim[16];
};

struct kernfs_node {
	u64 id;
};

struct cgroup_subsys_state {
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
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
	u64 start_boottime;
	char comm[16];
	struct task_struct *group_leader;
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
	struct seqcount mm_lock_seq;	/* with CONFIG_PER_VMA_LOCK; of this type from 6.14 on */
	struct maple_tree mm_mt;	/* 6.1 and later */
	struct rb_root mm_rb;		/* before */
	void *pgd;
	struct task_struct *owner;
	struct atomic64 pinned_vm;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
};

struct vfsmount {
	struct dentry *mnt_root;
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

struct super_block {
	u32 s_dev;
	unsigned long s_magic;
	struct file_system_type *s_type;
	char s_id[32];
};

struct inode {
	u16 i_mode;
	unsigned int i_flags;
	struct super_block *i_sb;
	unsigned long i_ino;
	s64 i_size;
};

struct address_space {
	struct inode *host;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	struct address_space *f_mapping;
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	struct mm_struct *vm_mm;
	unsigned long vm_flags;
	unsigned long vm_pgoff;
	struct file *vm_file;
	const void *vm_ops;
	struct rb_node vm_rb;		/* before 6.1 */
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
	unsigned int flags;		/* an enum from 5.14 on */
};

enum migrate_reason {
	MR_CONTIG_RANGE = 6,
	MR_LONGTERM_PIN = 7,		/* 5.13 and later */
};

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
	bool *locked;			/* 7.3 and later: the engine changed */
	unsigned long last;
	unsigned long end;		/* 7.3 */
	unsigned int required_fault;	/* 7.3 */
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
	IB_DEVICE_FLUSH_GLOBAL = 1,	/* 6.2 and later */
	IB_DEVICE_FLUSH_PERSISTENT = 2,
};

struct ib_device_attr {
	u64 device_cap_flags;
	u64 kernel_cap_flags;		/* 6.0 and later */
};

struct ib_device_ops {
	void *advise_mr;
};

struct ib_device {
	struct ib_device_ops ops;
	char name[64];
	struct ib_device_attr attrs;
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

struct ib_uverbs_file {
	struct ib_ucontext *ucontext;
};

struct uverbs_attr {
};

struct uverbs_attr_bundle {
	struct ib_udata ucore;
	struct ib_uverbs_file *ufile;
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
#define E_PERM 1
#define E_AGAIN 11
#define E_NOMEM 12
#define E_FAULT 14
#define E_INVAL 22
#define E_BUSY 16
#define E_OPNOTSUPP 95
/* the kernel image and, above it, the modules */
#define START_KERNEL_MAP 0xffffffff80000000ull
#define VM_READ 0x1ul
#define VM_WRITE 0x2ul
#define VM_SHARED 0x8ul
#define VM_MAYWRITE 0x20ul
#define VM_PFNMAP 0x400ul
#define VM_IO 0x4000ul
#define VM_HUGETLB 0x400000ul
#define S_DAX (1u << 13)
#define S_IFMT 0170000
#define S_IFCHR 0020000
#define PF_KTHREAD 0x00200000
#define HMM_PFN_REQ_FAULT (1ull << 63)
#define HMM_PFN_REQ_WRITE (1ull << 62)
#define RLIMIT_MEMLOCK 8
#define CAP_IPC_LOCK 14
/* what a fault handler's failure is, but VM_FAULT_FALLBACK, which is none */
#define VM_FAULT_FAILED 0x73

#endif
