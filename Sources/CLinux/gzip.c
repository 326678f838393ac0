// SPDX-License-Identifier: Apache-2.0
#include "CGzip.h"

#include <zlib.h>

long cgzip_read(const char *path, void *buffer, unsigned long size)
{
	gzFile file = gzopen(path, "re");
	unsigned long used = 0;
	int n = 0;

	if (!file)
		return -1;
	while (used < size && (n = gzread(file, (char *)buffer + used, size - used)) > 0)
		used += n;
	gzclose(file);
	return n < 0 ? -1 : (long)used;
}

long cgzip_unpack(const void *packed, unsigned long length, void *buffer, unsigned long size)
{
	z_stream stream = {
		.next_in = (Bytef *)packed,
		.avail_in = length,
		.next_out = buffer,
		.avail_out = size,
	};
	int result;

	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
		return 0;
	result = inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	return result == Z_STREAM_END ? (long)stream.total_out : 0;
}
