/* SPDX-License-Identifier: GPL-2.0-only */
/* The path of a file, and of the one that a stacked file system shows it for. */
#ifndef MRTRACE_PATH_H
#define MRTRACE_PATH_H

#define PATH_NAMES 24
#define NAME_SPACE 256

/*
 * Where read_path() is. It stands behind the record in the ring buffer, and is not
 * of it: of what is in such memory the verifier knows nothing, so that each step
 * looks alike to it.
 */
struct path_cursor {
	u64 dentry;
	u64 mount; /* 0 = not known: up to the root of the file system */
	u64 at;
	u64 cut;
};

/* A name, or the way to where a mount is. False: there is no more, or no room. */
static __always_inline bool read_name(u8 *path, volatile struct path_cursor *cursor)
{
	struct dentry *dentry = (void *)cursor->dentry, *parent;
	struct mount *mount = (void *)cursor->mount, *up;
	u64 at;
	long n;

	if (mount && dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
		up = BPF_CORE_READ(mount, mnt_parent);
		if (!up || up == mount)
			goto out;
		cursor->dentry = (u64)BPF_CORE_READ(mount, mnt_mountpoint);
		cursor->mount = (u64)up;
		return true;
	}
	parent = BPF_CORE_READ(dentry, d_parent);
	if (!parent)
		goto out;
	if (!mount && parent == dentry)
		return false; /* where that is mounted is not known: cut */
	at = cursor->at;
	if (at > MRT_PATH_MAX - NAME_SPACE)
		return false;
	n = bpf_probe_read_kernel_str(&path[at], NAME_SPACE, BPF_CORE_READ(dentry, d_name.name));
	if (n <= 0 || n > NAME_SPACE)
		goto out;
	cursor->at = at + n;
	if (parent == dentry) /* no mount above: memfd and its like */
		goto out;
	cursor->dentry = (u64)parent;
	return true;
out:
	cursor->cut = 0;
	return false;
}

/* Name by name from the file up, across mounts. cursor->at: how many bytes, ->cut: not to the root. */
static __noinline void read_path(u8 *path, struct path_cursor *to, u64 dentry, u64 mnt)
{
	volatile struct path_cursor *cursor = to;

	if (!path || !to)
		return;
	cursor->dentry = dentry;
	cursor->mount = mnt ? mnt - bpf_core_field_offset(struct mount, mnt) : 0;
	cursor->at = 0;
	cursor->cut = 1;
	AT_MOST(PATH_NAMES,
		if (!read_name(path, cursor))
			break;
	);
}

/*
 * From 6.5 on a stacked file system (overlayfs, FUSE passthrough) maps a file of the
 * one below, a struct backing_file, which keeps the path that was opened: what
 * file_user_path() returns. Which bit of f_mode says so has changed, so the two
 * candidates are tested for being a path at all. First 6.5 kept the other one of the
 * two there, as all before it, which have the opened path in f_path.
 */
#define FMODE_BACKING_BITS (3u << 24)

static __noinline u64 opened_path(u64 address)
{
	struct backing_file *backing = (void *)address;
	struct file *file = (void *)address;
	struct dentry *dentry;
	struct vfsmount *mnt;

	if (!(BPF_CORE_READ(file, f_mode) & FMODE_BACKING_BITS))
		return 0;
	dentry = BPF_CORE_READ(backing, user_path.dentry);
	mnt = BPF_CORE_READ(backing, user_path.mnt);
	if (!dentry || !mnt || BPF_CORE_READ(dentry, d_sb) != BPF_CORE_READ(mnt, mnt_sb))
		return 0;
	return address + bpf_core_field_offset(struct backing_file, user_path);
}

/* The address of the struct path that the process opened. */
static __always_inline u64 user_path(u64 file)
{
	struct backing_file *backing = NULL;
	u64 opened = 0;

	if (bpf_core_field_exists(backing->user_path))
		opened = opened_path(file);
	return opened ? opened : file + bpf_core_field_offset(struct file, f_path);
}

/*
 * Before, the file below has the opened path and an inode of another file system: a
 * name of that inode is there, but not where its file system is mounted.
 */
static __noinline u64 name_of_inode(u64 address)
{
	struct inode *inode = (void *)address;
	struct hlist_node *first;

	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG)
		return 0;
	first = BPF_CORE_READ(inode, i_dentry.first);
	return first ? (u64)first - bpf_core_field_offset(struct dentry, d_u) : 0;
}

#endif
