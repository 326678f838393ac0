// SPDX-License-Identifier: GPL-2.0-only
/*
 * On-demand paging for an RDMA device whose driver has none: verbs of the
 * device are replaced by ones that serve on-demand MRs themselves, by the
 * kernel's own ib_umem_odp functions, and leave all others to the driver. No
 * packet ever reads or writes an on-demand MR: the driver knows none.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "odp.h"
#include "odplab.h"

static const char *odplab_device_name;
static struct ib_device *odplab_device;
static bool odplab_found;

/* The driver's own, of which all its devices have the same. */
static struct ib_device_ops odplab_old;

static struct ib_mr *odplab_reg_user_mr(struct ib_pd *pd, u64 start, u64 length,
					u64 iova, int access,
					struct ib_udata *udata)
{
	if (access & IB_ACCESS_ON_DEMAND)
		return odplab_mr_create(pd, start, length, iova, access);

	return odplab_old.reg_user_mr(pd, start, length, iova, access, udata);
}

static int odplab_dereg_mr(struct ib_mr *ibmr, struct ib_udata *udata)
{
	if (!odplab_mr_is_ours(ibmr))
		return odplab_old.dereg_mr(ibmr, udata);

	odplab_mr_destroy(ibmr);
	return 0;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
static int odplab_rereg_user_mr(struct ib_mr *ibmr, int flags, u64 start,
				u64 length, u64 iova, int access,
				struct ib_pd *pd, struct ib_udata *udata)
{
	if (odplab_mr_is_ours(ibmr) || (access & IB_ACCESS_ON_DEMAND))
		return -EOPNOTSUPP;
#else
static struct ib_mr *odplab_rereg_user_mr(struct ib_mr *ibmr, int flags,
					  u64 start, u64 length, u64 iova,
					  int access, struct ib_pd *pd,
					  struct ib_udata *udata)
{
	if (odplab_mr_is_ours(ibmr) || (access & IB_ACCESS_ON_DEMAND))
		return ERR_PTR(-EOPNOTSUPP);
#endif
	return odplab_old.rereg_user_mr(ibmr, flags, start, length, iova,
					access, pd, udata);
}

static int odplab_query_device(struct ib_device *ibdev,
			       struct ib_device_attr *attr,
			       struct ib_udata *udata)
{
	int err = odplab_old.query_device(ibdev, attr, udata);

	/* No transport is named, since the data path refuses these MRs. */
	if (!err)
		attr->odp_caps.general_caps |= IB_ODP_SUPPORT;

	return err;
}

static int odplab_add(struct ib_device *ibdev)
{
	if (odplab_device || strcmp(dev_name(&ibdev->dev), odplab_device_name))
		return -EOPNOTSUPP;

	odplab_found = true;
	if (odplab_caps(ibdev) & ODPLAB_CAP_ODP) {
		pr_info("%s has on-demand paging by itself\n",
			odplab_device_name);
		return -EOPNOTSUPP;
	}

	odplab_old = ibdev->ops;
	odplab_device = ibdev;
	ibdev->ops.dereg_mr = odplab_dereg_mr;
	if (odplab_old.rereg_user_mr)
		ibdev->ops.rereg_user_mr = odplab_rereg_user_mr;
	ibdev->ops.query_device = odplab_query_device;
	ibdev->ops.advise_mr = odplab_advise_mr;
	ibdev->ops.reg_user_mr = odplab_reg_user_mr;
	odplab_caps(ibdev) |= ODPLAB_CAP_ODP;
	pr_info("%s has on-demand paging now\n", odplab_device_name);

	return 0;
}

static void odplab_remove(struct ib_device *ibdev, void *client_data)
{
	odplab_caps(ibdev) &= ~ODPLAB_CAP_ODP;
	ibdev->ops.reg_user_mr = odplab_old.reg_user_mr;
	ibdev->ops.advise_mr = odplab_old.advise_mr;
	ibdev->ops.query_device = odplab_old.query_device;
	/*
	 * When it is the device that goes, its MRs go later, and ours must come
	 * back to us. They keep this module, so when that goes there are none.
	 */
	if (odplab_mr_none()) {
		ibdev->ops.rereg_user_mr = odplab_old.rereg_user_mr;
		ibdev->ops.dereg_mr = odplab_old.dereg_mr;
	}
	odplab_device = NULL;
}

static struct ib_client odplab_client = {
	.name = "odplab",
	.add = odplab_add,
	.remove = odplab_remove,
};

int odplab_odp_init(const char *device_name)
{
	int err;

	odplab_device_name = device_name;
	err = odplab_advise_init();
	if (err)
		return err;
	/* A client, not a reference: the device must be able to go. */
	err = ib_register_client(&odplab_client);
	if (err) {
		odplab_advise_exit();
		return err;
	}
	if (!odplab_found) {
		pr_err("there is no RDMA device %s\n", device_name);
		odplab_odp_exit();
		return -ENODEV;
	}

	return 0;
}

void odplab_odp_exit(void)
{
	ib_unregister_client(&odplab_client);
	odplab_advise_exit();
}
