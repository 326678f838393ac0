// SPDX-License-Identifier: GPL-2.0-only
/*
 * odplab: what a test laboratory misses on stock kernels. On-demand paging for
 * soft-RoCE before 6.16, and memory without struct page that is mapped by
 * nothing but special page-table entries.
 *
 * For a test laboratory only: never load this on a machine that is used.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "odplab.h"

static char *device = "rxe0";
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "RDMA device that gets on-demand paging (default: rxe0)");

static bool odp = true;
module_param(odp, bool, 0444);
MODULE_PARM_DESC(odp, "on-demand paging for the device, if it has none (default: on)");

static bool rawpfn = true;
module_param(rawpfn, bool, 0444);
MODULE_PARM_DESC(rawpfn, "/dev/rawpfn, where there is a pci-testdev (default: on)");

static int __init odplab_init(void)
{
	int err;

	if (odp) {
		err = odplab_odp_init(device);
		if (err)
			return err;
	}
	if (rawpfn) {
		err = odplab_rawpfn_init();
		if (err) {
			if (odp)
				odplab_odp_exit();
			return err;
		}
	}

	return 0;
}

static void __exit odplab_exit(void)
{
	if (rawpfn)
		odplab_rawpfn_exit();
	if (odp)
		odplab_odp_exit();
}

module_init(odplab_init);
module_exit(odplab_exit);

MODULE_DESCRIPTION("On-demand paging and raw PFNs for a test laboratory");
MODULE_LICENSE("GPL");
