/* SPDX-License-Identifier: Apache-2.0 */
#include "CRecording.h"

#include <string.h>

#define POLYNOMIAL 0x82f63b78u /* Castagnoli, bits reversed */

static uint32_t table[256];

__attribute__((constructor)) static void fill_table(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		table[byte] = crc;
	}
}

uint32_t crecording_crc32c_table(uint32_t crc, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	crc = ~crc;
	while (size--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return ~crc;
}

#if defined(__x86_64__)

#define HARDWARE          __attribute__((target("sse4.2")))
#define STEP64(crc, word) ((uint32_t)__builtin_ia32_crc32di(crc, word))
#define STEP8(crc, byte)  __builtin_ia32_crc32qi(crc, byte)

static int has_instruction(void)
{
	return __builtin_cpu_supports("sse4.2");
}

#elif defined(__aarch64__)

#include <sys/auxv.h>

#define HARDWARE          __attribute__((target("crc")))
#define STEP64(crc, word) __builtin_arm_crc32cd(crc, word)
#define STEP8(crc, byte)  __builtin_arm_crc32cb(crc, byte)

static int has_instruction(void)
{
	return (getauxval(AT_HWCAP) & (1 << 7)) != 0; /* HWCAP_CRC32 */
}

#endif

#ifdef HARDWARE

HARDWARE static uint32_t with_instruction(uint32_t crc, const uint8_t *p, size_t size)
{
	crc = ~crc;
	for (; size >= 8; p += 8, size -= 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		crc = STEP64(crc, word);
	}
	while (size--)
		crc = STEP8(crc, *p++);
	return ~crc;
}

uint32_t crecording_crc32c(uint32_t crc, const void *bytes, size_t size)
{
	return has_instruction() ? with_instruction(crc, bytes, size)
				 : crecording_crc32c_table(crc, bytes, size);
}

#else

uint32_t crecording_crc32c(uint32_t crc, const void *bytes, size_t size)
{
	return crecording_crc32c_table(crc, bytes, size);
}

#endif
