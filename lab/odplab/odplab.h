/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ODPLAB_H
#define ODPLAB_H

#include <linux/printk.h>

/* odp.c: on-demand registration for a device that has none. */
#ifdef ODPLAB_ODP
int odplab_odp_init(const char *device_name);
void odplab_odp_exit(void);
#else
static inline int odplab_odp_init(const char *device_name)
{
	pr_info("this kernel's soft-RoCE has on-demand paging by itself\n");
	return 0;
}

static inline void odplab_odp_exit(void)
{
}
#endif

/* rawpfn.c: /dev/rawpfn. */
int odplab_rawpfn_init(void);
void odplab_rawpfn_exit(void);

#endif
