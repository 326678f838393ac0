/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's announcements of modules that come and go. */
#ifndef CUEVENTS_H
#define CUEVENTS_H

/// A socket that becomes readable when the kernel announces something
/// (NETLINK_KOBJECT_UEVENT), or -errno.
int cuevents_open(void);

/// Takes all announcements. 1 when a module came or went, or when some were lost.
int cuevents_take(int fd);

#endif
