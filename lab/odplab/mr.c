// SPDX-License-Identifier: GPL-2.0-only
/* On-demand MRs: registration, keys, invalidation. */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "odp.h"

/*
 * A key is an index above a variant byte, as in rxe, whose indexes end far
 * below these: a packet that names such an MR finds none there.
 */
#define ODPLAB_INDEX_MIN 0xfd0000
#define ODPLAB_INDEX_MAX 0xfdffff
#define ODPLAB_VARIANT   0x5a

static DEFINE_XARRAY_ALLOC(odplab_mrs);

static bool odplab_invalidate(struct mmu_interval_notifier *mni,
			      const struct mmu_notifier_range *range,
			      unsigned long cur_seq)
{
	struct ib_umem_odp *umem_odp =
		container_of(mni, struct ib_umem_odp, notifier);
	u64 start, end;

	if (!mmu_notifier_range_blockable(range))
		return false;

	mutex_lock(&umem_odp->umem_mutex);
	mmu_interval_set_seq(mni, cur_seq);
	start = max_t(u64, ib_umem_start(umem_odp), range->start);
	end = min_t(u64, ib_umem_end(umem_odp), range->end);
	ib_umem_odp_unmap_dma_pages(umem_odp, start, end);
	mutex_unlock(&umem_odp->umem_mutex);

	return true;
}

static const struct mmu_interval_notifier_ops odplab_mni_ops = {
	.invalidate = odplab_invalidate,
};

int odplab_mr_map(struct odplab_mr *mr, u64 addr, u64 length, bool write,
		  bool fault)
{
	struct ib_umem_odp *umem_odp = mr->umem_odp;
	u64 access_mask = ODP_READ_ALLOWED_BIT;
	int npages;

	if (write)
		access_mask |= ODP_WRITE_ALLOWED_BIT;

	npages = ib_umem_odp_map_dma_and_lock(umem_odp, addr, length,
					      access_mask, fault);
	if (npages < 0)
		return npages;

	/* There is no page table of a device to fill under the lock. */
	mutex_unlock(&umem_odp->umem_mutex);

	return 0;
}

struct ib_mr *odplab_mr_create(struct ib_pd *pd, u64 start, u64 length,
			       u64 iova, int access)
{
	struct ib_umem_odp *umem_odp;
	struct odplab_mr *mr;
	int err;

	/* Implicit ODP, the whole address space in one MR, is not offered. */
	if (!start && length == U64_MAX)
		return ERR_PTR(-EOPNOTSUPP);

	mr = kzalloc(sizeof(*mr), GFP_KERNEL);
	if (!mr)
		return ERR_PTR(-ENOMEM);
	refcount_set(&mr->users, 1);
	init_completion(&mr->unused);
	mr->pd = pd;
	mr->iova = iova;

	umem_odp = ib_umem_odp_get(pd->device, start, length, access,
				   &odplab_mni_ops);
	if (IS_ERR(umem_odp)) {
		err = PTR_ERR(umem_odp);
		goto free;
	}
	umem_odp->private = mr;
	mr->umem_odp = umem_odp;

	/* As mlx5 does: what is present is looked up, nothing is faulted in. */
	err = odplab_mr_map(mr, start, length, umem_odp->umem.writable, false);
	if (err)
		goto release;

	err = xa_alloc(&odplab_mrs, &mr->index, mr,
		       XA_LIMIT(ODPLAB_INDEX_MIN, ODPLAB_INDEX_MAX), GFP_KERNEL);
	if (err)
		goto release;

	mr->ibmr.lkey = mr->index << 8 | ODPLAB_VARIANT;
	if (access & (IB_ACCESS_REMOTE_READ | IB_ACCESS_REMOTE_WRITE |
		      IB_ACCESS_REMOTE_ATOMIC))
		mr->ibmr.rkey = mr->ibmr.lkey;
	mr->ibmr.type = IB_MR_TYPE_USER;
	mr->ibmr.iova = iova;
	mr->ibmr.length = length;
	mr->ibmr.page_size = 1UL << umem_odp->page_shift;

	/* The code that takes this MR down must stay. */
	__module_get(THIS_MODULE);

	return &mr->ibmr;

release:
	ib_umem_odp_release(umem_odp);
free:
	kfree(mr);
	return ERR_PTR(err);
}

bool odplab_mr_is_ours(const struct ib_mr *ibmr)
{
	/* Looks up the key of any MR, of which only its address is compared. */
	return xa_load(&odplab_mrs, ibmr->lkey >> 8) == (const void *)ibmr;
}

bool odplab_mr_none(void)
{
	return xa_empty(&odplab_mrs);
}

void odplab_mr_destroy(struct ib_mr *ibmr)
{
	struct odplab_mr *mr = container_of(ibmr, struct odplab_mr, ibmr);

	xa_erase(&odplab_mrs, mr->index);
	/* Advice that is still queued has a reference. */
	odplab_mr_put(mr);
	wait_for_completion(&mr->unused);
	ib_umem_odp_release(mr->umem_odp);
	kfree(mr);
	module_put(THIS_MODULE);
}

/* Returns the MR with a reference taken, or NULL. */
struct odplab_mr *odplab_mr_get(u32 lkey)
{
	struct odplab_mr *mr;

	xa_lock(&odplab_mrs);
	mr = xa_load(&odplab_mrs, lkey >> 8);
	if (mr && (mr->ibmr.lkey != lkey || !refcount_inc_not_zero(&mr->users)))
		mr = NULL;
	xa_unlock(&odplab_mrs);

	return mr;
}

void odplab_mr_put(struct odplab_mr *mr)
{
	if (refcount_dec_and_test(&mr->users))
		complete(&mr->unused);
}
