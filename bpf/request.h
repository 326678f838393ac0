/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process asked of a verb, in the kernel's copy of its attributes (struct
 * uverbs_attr_bundle), or in the command that it wrote.
 */
#ifndef MRTRACE_REQUEST_H
#define MRTRACE_REQUEST_H

/* uverbs_attr_bundle.attrs[] interleaves core and driver attributes (uapi_key_attr) */
#define ATTR_SLOT(id) (2 * (id))

/* include/uapi/rdma/ib_user_ioctl_cmds.h */
enum {
	ADVISE_MR_PD = 0,
	ADVISE_MR_ADVICE = 1,
	ADVISE_MR_FLAGS = 2,
	ADVISE_MR_SGE_LIST = 3,
	REG_MR_HANDLE = 0, /* REG_DMABUF_MR's too: the struct ib_uobject of the MR */
	REG_MR_PD = 1,
	REG_MR_DMA_HANDLE = 2,
	REG_DMABUF_MR_LENGTH = 3,
	REG_DMABUF_MR_IOVA = 4,
	REG_DMABUF_MR_ACCESS_FLAGS = 6,
	REG_MR_IOVA = 3,
	REG_MR_ADDR = 4,
	REG_MR_LENGTH = 5,
	REG_MR_ACCESS_FLAGS = 6,
	REG_MR_FD = 7,
};

/* A value of up to 8 bytes; false: the caller did not give that attribute. */
static __always_inline bool attribute(u64 bundle_address, u32 id, u64 *value, u16 *length)
{
	struct uverbs_ptr_attr attr;
	u64 address = bundle_attribute(bundle_address, ATTR_SLOT(id));

	/* unchanged from 5.10 to 7.3: a value or a pointer, then the length */
	if (!address || read_kernel(&attr, sizeof(attr), (void *)address))
		return false;
	if (length)
		*length = attr.len;
	*value = attr.data;
	return true;
}

/* SGEs of an advice that are compared. */
#define REQUEST_SGES 2

static __always_inline bool read_advice(u64 *request, u64 attrs)
{
	u64 sges, size = sizeof(struct ib_sge_abi);
	u16 length;

	if (!attribute(attrs, ADVISE_MR_ADVICE, &request[0], NULL) ||
	    !attribute(attrs, ADVISE_MR_SGE_LIST, &sges, &length))
		return false;
	attribute(attrs, ADVISE_MR_FLAGS, &request[1], NULL);
	attribute(attrs, ADVISE_MR_PD, &request[6], NULL);
	if (!length || length > REQUEST_SGES * size || read_kernel(&request[2], size, (void *)sges))
		return false;
	return length == size || !read_kernel(&request[4], size, (void *)(sges + size));
}

static __always_inline bool read_command(u64 *request, u64 attrs, u32 size)
{
	const void *user = (void *)bundle_command(attrs);

	if (!user || bpf_probe_read_user(request, size, user))
		return false;
	/* where the answer goes is no part of what is asked */
	request[0] = 0;
	return true;
}

static __always_inline bool read_registration(u64 *request, u64 attrs)
{
	u64 value;

	/* what stands behind a descriptor may be another thing each time */
	if (attribute(attrs, REG_MR_FD, &value, NULL))
		return false;
	attribute(attrs, REG_MR_IOVA, &request[0], NULL);
	attribute(attrs, REG_MR_ACCESS_FLAGS, &request[1], NULL);
	attribute(attrs, REG_MR_PD, &request[4], NULL);
	attribute(attrs, REG_MR_DMA_HANDLE, &request[5], NULL);
	return attribute(attrs, REG_MR_ADDR, &request[2], NULL) &&
	       attribute(attrs, REG_MR_LENGTH, &request[3], NULL);
}

/*
 * All that the verb whose hook is `root` was asked for, into 8 words that are 0; false
 * where that cannot be read, or is more.
 */
static __always_inline bool read_request(u64 *request, u64 attrs, u32 root)
{
	switch (root) {
	case MRT_HOOK_ADVISE_MR: return read_advice(request, attrs);
	case MRT_HOOK_REG_MR: return read_command(request, attrs, sizeof(struct uapi_reg_mr));
	case MRT_HOOK_REREG_MR: return read_command(request, attrs, sizeof(struct uapi_rereg_mr));
	case MRT_HOOK_METHOD_REG_MR: return read_registration(request, attrs);
	default: return false;
	}
}

#endif
