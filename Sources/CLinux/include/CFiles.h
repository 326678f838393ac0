/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about files and file systems, and files that are only in memory. */
#ifndef CFILES_H
#define CFILES_H

/// Is this file in DAX state? 1 yes, 0 no, -1 not told (statx, STATX_ATTR_DAX).
int cfiles_is_dax(const char *path);

/// Does the XFS mounted at `path` share extents (reflink)? 1 yes, 0 no, -1 not told.
int cfiles_xfs_reflink(const char *path);

/// A file in memory (memfd_create, close-on-exec), or -1.
int cfiles_in_memory(const char *name);

#endif
