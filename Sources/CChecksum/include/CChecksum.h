/* SPDX-License-Identifier: Apache-2.0 */
/* The checksum of packets and metadata: CRC-32C, which processors compute. */
#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C of `size` bytes that follow those of which `crc` is the checksum (0: none).
uint32_t cchecksum_crc32c(uint32_t crc, const void *bytes, size_t size);

/// The same without the processor's instruction, for processors that lack it.
uint32_t cchecksum_crc32c_table(uint32_t crc, const void *bytes, size_t size);

#endif
