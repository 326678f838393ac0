/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Structures of the RDMA core. They are in the BTF of its modules, and kernels
 * before 5.11 have none: there, and only for 5.10 (the agent says so), they are
 * read at the offsets of drivers/infiniband in 5.10, each after a test that the
 * bytes found are what they must be. Where a test fails nothing is read.
 *
 * The two ways are in functions of their own, never inlined: the compiler would
 * hoist relocations of absent members out of a dead branch.
 */
#ifndef MRTRACE_LAYOUT_H
#define MRTRACE_LAYOUT_H

/*
 * Struct ib_umem lives in a module: on 5.10 there is no BTF for it, and its
 * first members are at these offsets (drivers/infiniband/include/rdma/ib_umem.h,
 * unchanged from 5.10 to 7.3).
 */
#define UMEM_IBDEV     0
#define UMEM_OWNING_MM 8
#define UMEM_IOVA      16
#define UMEM_LENGTH    24
#define UMEM_ADDRESS   32

static __always_inline u64 read_u64(u64 address)
{
	u64 value = 0;

	read_kernel(&value, sizeof(value), (void *)address);
	return value;
}

static __always_inline bool is_5_10(void)
{
	return config.layout == MRT_LAYOUT_5_10;
}

/* struct uverbs_attr_bundle, include/rdma/uverbs_ioctl.h */
#define BUNDLE_INBUF_5_10   32
#define BUNDLE_UFILE_5_10   64
#define BUNDLE_UOBJECT_5_10 80
#define BUNDLE_PRESENT_5_10 88
#define BUNDLE_ATTRS_5_10   96
#define ATTR_SIZE_5_10      16
/* struct ib_uverbs_file, drivers/infiniband/core/uverbs.h: after ref, device, a mutex */
#define UFILE_MUTEX_5_10 16
/* struct ib_ucontext: device, ufile */
#define UCONTEXT_UFILE_5_10 8
/* struct ib_device, include/rdma/ib_verbs.h */
#define DEVICE_ADVISE_5_10     464
#define DEVICE_NAME_5_10       1000
#define DEVICE_PAGE_SIZES_5_10 2200 /* attrs.page_size_cap */
#define DEVICE_CAPS_5_10       2232 /* attrs.device_cap_flags */
/* struct ib_umem_odp: after struct ib_umem, a struct mmu_interval_notifier … */
#define ODP_NOTIFIER_5_10    104
#define ODP_AFTER_MUTEX_5_10 16 /* … tgid, two lists, a mutex, private, npages, flags */
/* bits of the word after ib_umem.address */
#define UMEM_BITS_5_10 40

static __noinline u64 bundle_device_btf(u64 address)
{
	struct uverbs_attr_bundle *bundle = (void *)address;

	return (u64)BPF_CORE_READ(bundle, ufile, ucontext, device);
}

static __noinline u64 bundle_device_5_10(u64 address)
{
	u64 ufile = read_u64(address + BUNDLE_UFILE_5_10);
	u64 ucontext = read_u64(ufile + UFILE_MUTEX_5_10 + bpf_core_type_size(struct mutex));

	if (read_u64(ucontext + UCONTEXT_UFILE_5_10) != ufile)
		return 0;
	return read_u64(ucontext);
}

/* The struct ib_device of a system call's attributes, 0 if it cannot be told. */
static __always_inline u64 bundle_device(u64 bundle)
{
	if (bpf_core_type_exists(struct uverbs_attr_bundle))
		return bundle_device_btf(bundle);
	return is_5_10() ? bundle_device_5_10(bundle) : 0;
}

static __noinline u64 bundle_command_btf(u64 address)
{
	struct uverbs_attr_bundle *bundle = (void *)address;

	return (u64)BPF_CORE_READ(bundle, ucore.inbuf);
}

/* The command of a write() verb in user memory, 0 if it cannot be told. */
static __always_inline u64 bundle_command(u64 bundle)
{
	if (bpf_core_type_exists(struct uverbs_attr_bundle))
		return bundle_command_btf(bundle);
	return is_5_10() ? read_u64(bundle + BUNDLE_INBUF_5_10) : 0;
}

static __noinline u64 bundle_attribute_btf(u64 address, u32 slot)
{
	struct uverbs_attr_bundle *bundle = (void *)address;

	if (!(read_u64(address + bpf_core_field_offset(bundle->attr_present)) >> slot & 1))
		return 0;
	return address + bpf_core_field_offset(bundle->attrs) +
	       slot * bpf_core_type_size(struct uverbs_attr);
}

/* The struct uverbs_attr in that slot, 0 if the caller did not give it. */
static __always_inline u64 bundle_attribute(u64 bundle, u32 slot)
{
	if (bpf_core_type_exists(struct uverbs_attr_bundle))
		return bundle_attribute_btf(bundle, slot);
	if (!is_5_10() || !(read_u64(bundle + BUNDLE_PRESENT_5_10) >> slot & 1))
		return 0;
	return bundle + BUNDLE_ATTRS_5_10 + slot * ATTR_SIZE_5_10;
}

/* Ended by NUL, or by the end of the field. */
static __always_inline bool read_device(struct mrt_operation *r, const void *name)
{
	u64 *words = (u64 *)r->device, word;
	u32 i;

	if (!config.plain_loads)
		return bpf_probe_read_kernel_str(r->device, sizeof(r->device), name) > 0;
#pragma unroll
	for (i = 0; i < sizeof(r->device) / 8; i++) {
		word = LOAD(u64, name, i);
		words[i] = word;
		/* a byte of it is 0: the name ends here */
		if ((word - 0x0101010101010101ull) & ~word & 0x8080808080808080ull)
			return r->device[0];
	}
	r->device[sizeof(r->device) - 1] = 0;
	return true;
}

static __noinline void fill_device_btf(struct mrt_operation *r, u64 address)
{
	struct ib_device *device = (void *)address;
	u64 caps;

	if (!r)
		return;
	if (read_device(r, (char *)device + bpf_core_field_offset(device->name)))
		r->has |= MRT_HAS_DEVICE;
	if (!bpf_core_read(&caps, sizeof(caps), &device->attrs.kernel_cap_flags)) {
		r->has |= MRT_HAS_CAPS;
		if (caps & bpf_core_enum_value(enum ib_kernel_cap_flags, IBK_ON_DEMAND_PAGING))
			r->device_caps |= MRT_CAP_ON_DEMAND;
	}
	r->has |= MRT_HAS_DRIVER_OPS;
	if (BPF_CORE_READ(device, ops.advise_mr))
		r->driver_ops |= MRT_DRIVER_ADVISE_MR;
}

/* Flush access flags: 6.2 and later. */
static __noinline void fill_flush_btf(struct mrt_operation *r, u64 address)
{
	struct ib_device *device = (void *)address;
	u64 caps = 0;

	if (!r || bpf_core_read(&caps, sizeof(caps), &device->attrs.device_cap_flags))
		return;
	r->has |= MRT_HAS_FLUSH_CAPS;
	if (caps & bpf_core_enum_value(enum ib_device_cap_flags, IB_DEVICE_FLUSH_GLOBAL))
		r->device_caps |= MRT_CAP_FLUSH_GLOBAL;
	if (caps & bpf_core_enum_value(enum ib_device_cap_flags, IB_DEVICE_FLUSH_PERSISTENT))
		r->device_caps |= MRT_CAP_FLUSH_PERSISTENT;
}

/* IB_DEVICE_ON_DEMAND_PAGING was bit 31 of the user ABI before 6.0 */
static __always_inline void fill_odp_cap(struct mrt_operation *r, u64 caps)
{
	r->has |= MRT_HAS_CAPS;
	if (caps & (1ull << 31))
		r->device_caps |= MRT_CAP_ON_DEMAND;
}

static __noinline void fill_device_5_19(struct mrt_operation *r, u64 address)
{
	struct ib_device *device = (void *)address;
	u64 caps;

	if (!r)
		return;
	if (bpf_core_read_str(r->device, sizeof(r->device), &device->name) > 0)
		r->has |= MRT_HAS_DEVICE;
	if (!bpf_core_read(&caps, sizeof(caps), &device->attrs.device_cap_flags))
		fill_odp_cap(r, caps);
	r->has |= MRT_HAS_DRIVER_OPS;
	if (BPF_CORE_READ(device, ops.advise_mr))
		r->driver_ops |= MRT_DRIVER_ADVISE_MR;
}

/* A device's name is a short word; `name` is zeroed, and holds one if so. */
static __noinline int is_device_name(const u8 *name)
{
	u32 i;

	if (!name)
		return 0;
	for (i = 0; i < 31; i++) {
		u8 c = name[i];

		if (!c)
			return i > 0;
		if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') && c != '_' &&
		    c != '-' && c != '.')
			return 0;
	}
	return 1;
}

static __noinline void fill_device_5_10(struct mrt_operation *r, u64 device)
{
	u64 advise, sizes;

	if (!r)
		return;
	bpf_probe_read_kernel_str(r->device, sizeof(r->device),
				  (void *)(device + DEVICE_NAME_5_10));
	if (!is_device_name(r->device)) {
		__builtin_memset(r->device, 0, sizeof(r->device));
		return;
	}
	r->has |= MRT_HAS_DEVICE;
	/* the operations stand right before the name: their size is as it must be */
	advise = read_u64(device + DEVICE_ADVISE_5_10);
	if (!advise || advise >= START_KERNEL_MAP) {
		r->has |= MRT_HAS_DRIVER_OPS;
		if (advise)
			r->driver_ops |= MRT_DRIVER_ADVISE_MR;
	}
	/* the attributes do not: every device maps 4 KiB pages, and none smaller ones */
	sizes = read_u64(device + DEVICE_PAGE_SIZES_5_10);
	if (sizes & PAGE_SIZE && !(sizes & (PAGE_SIZE - 1)))
		fill_odp_cap(r, read_u64(device + DEVICE_CAPS_5_10));
}

static __always_inline void fill_device(struct mrt_operation *r, u64 device)
{
	if (!device)
		return;
	if (!bpf_core_type_exists(struct ib_device)) {
		if (is_5_10())
			fill_device_5_10(r, device);
	} else if (bpf_core_field_exists(struct ib_device_attr, kernel_cap_flags)) {
		fill_device_btf(r, device);
		if (bpf_core_enum_value_exists(enum ib_device_cap_flags, IB_DEVICE_FLUSH_GLOBAL))
			fill_flush_btf(r, device);
	} else {
		fill_device_5_19(r, device);
	}
}

static __noinline void fill_odp_btf(struct mrt_umem *r, u64 umem)
{
	struct ib_umem_odp *odp = (void *)umem;
	struct pid *pid;

	if (!r)
		return;
	if (READ_BIT(&odp->umem, writable))
		r->flags |= MRT_UMEM_WRITABLE;
	if (READ_BIT(&odp->umem, is_odp))
		r->flags |= MRT_UMEM_ODP;
	r->page_shift = BPF_CORE_READ(odp, page_shift);
	r->flags |= MRT_UMEM_HAS_PAGE_SHIFT;
	pid = BPF_CORE_READ(odp, tgid);
	if (pid)
		r->owner_pid = BPF_CORE_READ(pid, numbers[0].nr);
}

static __noinline void fill_odp_5_10(struct mrt_umem *r, u64 umem)
{
	u64 notifier = umem + ODP_NOTIFIER_5_10;
	u64 tgid = notifier + bpf_core_type_size(struct mmu_interval_notifier);
	u64 mm = read_u64(notifier + bpf_core_field_offset(struct mmu_interval_notifier, mm));
	struct pid *pid;
	u64 bits;

	if (!r)
		return;
	bits = read_u64(umem + UMEM_BITS_5_10);
	if (bits & 1)
		r->flags |= MRT_UMEM_WRITABLE;
	if (bits & 2)
		r->flags |= MRT_UMEM_ODP;
	if (!(bits & 2) || !mm || mm != read_u64(umem + UMEM_OWNING_MM))
		return;
	r->page_shift =
		read_u64(tgid + 24 + bpf_core_type_size(struct mutex) + ODP_AFTER_MUTEX_5_10);
	if (r->page_shift >= PAGE_SHIFT && r->page_shift < 64)
		r->flags |= MRT_UMEM_HAS_PAGE_SHIFT;
	else
		r->page_shift = 0;
	pid = (void *)read_u64(tgid);
	if (pid)
		r->owner_pid = BPF_CORE_READ(pid, numbers[0].nr);
}

/* What struct ib_umem_odp has beyond struct ib_umem's first members. */
static __always_inline void fill_odp(struct mrt_umem *r, u64 umem)
{
	if (bpf_core_type_exists(struct ib_umem_odp))
		fill_odp_btf(r, umem);
	else if (is_5_10())
		fill_odp_5_10(r, umem);
}

#endif
