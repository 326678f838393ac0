// SPDX-License-Identifier: GPL-2.0-only
/* ADVISE_MR: with FLUSH before it returns, else by a kernel worker. */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "odp.h"

static struct workqueue_struct *odplab_wq;

/* One element of an asynchronous advice; it owns a reference to its MR. */
struct odplab_frag {
	struct odplab_mr *mr;
	u64 iova;
	u32 length;
};

struct odplab_prefetch {
	struct work_struct work;
	enum ib_uverbs_advise_mr_advice advice;
	u32 num_frags;
	struct odplab_frag frags[];
};

/* Returns the MR with a reference taken. */
static struct odplab_mr *
odplab_prefetchable(struct ib_pd *pd, enum ib_uverbs_advise_mr_advice advice,
		    u32 lkey)
{
	/* No pinned MR is in the table. */
	struct odplab_mr *mr = odplab_mr_get(lkey);
	int err = 0;

	if (!mr)
		return ERR_PTR(-EINVAL);
	if (mr->pd != pd)
		err = -EPERM;
	else if (advice == IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH_WRITE &&
		 !mr->umem_odp->umem.writable)
		err = -EPERM;
	if (err) {
		odplab_mr_put(mr);
		return ERR_PTR(err);
	}

	return mr;
}

static int odplab_prefetch_mr(struct odplab_mr *mr,
			      enum ib_uverbs_advise_mr_advice advice, u64 iova,
			      u32 length)
{
	u64 addr = iova - mr->iova + mr->umem_odp->umem.address;
	u64 end;

	/* The umem checks its range, but not for a sum that wraps. */
	if (check_add_overflow(addr, (u64)length, &end))
		return -EFAULT;

	return odplab_mr_map(mr, addr, length,
			     advice == IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH_WRITE,
			     advice != IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH_NO_FAULT);
}

static int odplab_prefetch_now(struct ib_pd *pd,
			       enum ib_uverbs_advise_mr_advice advice,
			       const struct ib_sge *sg_list, u32 num_sge)
{
	struct odplab_mr *mr;
	int err;
	u32 i;

	for (i = 0; i < num_sge; i++) {
		mr = odplab_prefetchable(pd, advice, sg_list[i].lkey);
		if (IS_ERR(mr))
			return PTR_ERR(mr);

		err = odplab_prefetch_mr(mr, advice, sg_list[i].addr,
					 sg_list[i].length);
		odplab_mr_put(mr);
		if (err)
			return err;
	}

	return 0;
}

static void odplab_prefetch_free(struct odplab_prefetch *prefetch)
{
	u32 i;

	for (i = 0; i < prefetch->num_frags; i++)
		odplab_mr_put(prefetch->frags[i].mr);
	kvfree(prefetch);
}

static void odplab_prefetch_work(struct work_struct *work)
{
	struct odplab_prefetch *prefetch =
		container_of(work, struct odplab_prefetch, work);
	u32 i;

	/* Nobody waits for the result: advice is only a hint. */
	for (i = 0; i < prefetch->num_frags; i++)
		odplab_prefetch_mr(prefetch->frags[i].mr, prefetch->advice,
				   prefetch->frags[i].iova,
				   prefetch->frags[i].length);

	odplab_prefetch_free(prefetch);
}

static int odplab_prefetch_later(struct ib_pd *pd,
				 enum ib_uverbs_advise_mr_advice advice,
				 const struct ib_sge *sg_list, u32 num_sge)
{
	struct odplab_prefetch *prefetch;
	struct odplab_mr *mr;
	u32 i;

	prefetch = kvzalloc(struct_size(prefetch, frags, num_sge), GFP_KERNEL);
	if (!prefetch)
		return -ENOMEM;

	INIT_WORK(&prefetch->work, odplab_prefetch_work);
	prefetch->advice = advice;

	for (i = 0; i < num_sge; i++) {
		mr = odplab_prefetchable(pd, advice, sg_list[i].lkey);
		if (IS_ERR(mr)) {
			odplab_prefetch_free(prefetch);
			return PTR_ERR(mr);
		}
		prefetch->frags[i].mr = mr;
		prefetch->frags[i].iova = sg_list[i].addr;
		prefetch->frags[i].length = sg_list[i].length;
		prefetch->num_frags++;
	}

	queue_work(odplab_wq, &prefetch->work);

	return 0;
}

int odplab_advise_mr(struct ib_pd *pd, enum ib_uverbs_advise_mr_advice advice,
		     u32 flags, struct ib_sge *sg_list, u32 num_sge,
		     struct uverbs_attr_bundle *attrs)
{
	switch (advice) {
	case IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH:
	case IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH_WRITE:
	case IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH_NO_FAULT:
		break;
	default:
		return -EOPNOTSUPP;
	}

	if (flags & IB_UVERBS_ADVISE_MR_FLAG_FLUSH)
		return odplab_prefetch_now(pd, advice, sg_list, num_sge);

	return odplab_prefetch_later(pd, advice, sg_list, num_sge);
}

int odplab_advise_init(void)
{
	odplab_wq = alloc_workqueue("odplab", WQ_UNBOUND, 0);
	return odplab_wq ? 0 : -ENOMEM;
}

void odplab_advise_exit(void)
{
	destroy_workqueue(odplab_wq);
}
