/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking of gzip: /proc/config.gz, and what is embedded in this program. */
#ifndef CGZIP_H
#define CGZIP_H

/// Reads up to `size` bytes of a file, unpacked where it is gzip'ed. How many, or -1.
long cgzip_read(const char *path, void *buffer, unsigned long size);

/// Unpacks `length` bytes of gzip into `size` bytes of `buffer`. How many there were, or 0 where it is damaged.
long cgzip_unpack(const void *packed, unsigned long length, void *buffer, unsigned long size);

#endif
