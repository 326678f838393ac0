/* SPDX-License-Identifier: Apache-2.0 */
/* What writing and reading a recording needs of C: checksums, and a word to the disk. */
#ifndef CRECORDING_H
#define CRECORDING_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C of `size` bytes that follow those of which `crc` is the checksum (0: none).
uint32_t crecording_crc32c(uint32_t crc, const void *bytes, size_t size);

/// The same without the processor's instruction, for processors that lack it.
uint32_t crecording_crc32c_table(uint32_t crc, const void *bytes, size_t size);

/// Has the kernel begin to write what `file` holds to the disk, and does not wait for it.
void crecording_start_writeback(int file);

#endif
