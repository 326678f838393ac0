// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CFiles.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int cfiles_is_dax(const char *path)
{
	struct statx status;

	/* not through an automount or a link, and without asking a server */
	if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC,
		  STATX_BASIC_STATS, &status) ||
	    !(status.stx_attributes_mask & STATX_ATTR_DAX))
		return -1;
	return !!(status.stx_attributes & STATX_ATTR_DAX);
}

/* struct xfs_fsop_geom_v1 of fs/xfs/libxfs/xfs_fs.h; XFS_FSOP_GEOM_FLAGS_REFLINK. */
int cfiles_xfs_reflink(const char *path)
{
	union {
		uint32_t words[28];
		char all[112];
	} geometry = {};
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), code;

	if (fd < 0)
		return -1;
	code = ioctl(fd, _IOR('X', 100, char[112]), &geometry);
	close(fd);
	return code ? -1 : !!(geometry.words[23] & 1 << 20);
}

int cfiles_in_memory(const char *name)
{
	return memfd_create(name, MFD_CLOEXEC);
}
