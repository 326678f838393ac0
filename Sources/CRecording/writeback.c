/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "CRecording.h"

#include <fcntl.h>

void crecording_start_writeback(int file)
{
	sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE);
}
