/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ODPLAB_H
#define ODPLAB_H

#include <linux/errno.h>

/* odp.c: on-demand registration for a device that has none. */
int odplab_odp_init(const char *device_name);
void odplab_odp_exit(void);

/* rawpfn.c: /dev/rawpfn. */
int odplab_rawpfn_init(void);
void odplab_rawpfn_exit(void);

#endif
