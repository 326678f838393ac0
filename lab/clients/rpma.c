/* SPDX-License-Identifier: Apache-2.0 */
/* A client of librpma, as its users write them: registers a file on persistent memory and takes it down again.
 * Usage: rpma ADDRESS FILE */
#include <fcntl.h>
#include <librpma.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (64UL << 10)

static int failed(const char *what, int error)
{
	printf("rpma: %s: %s\n", what, rpma_err_2str(error));
	return 1;
}

int main(int count, char **arguments)
{
	struct rpma_mr_local *region;
	struct ibv_context *context;
	struct rpma_peer *peer;
	void *memory;
	int error, fd;

	if (count != 3)
		return 2;
	fd = open(arguments[2], O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, SIZE) != 0 || posix_fallocate(fd, 0, SIZE) != 0) {
		perror(arguments[2]);
		return 1;
	}
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);
	if (memory == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	memset(memory, 0x5a, SIZE);
	error = rpma_utils_get_ibv_context(arguments[1], RPMA_UTIL_IBV_CONTEXT_LOCAL, &context);
	if (error)
		return failed("device", error);
	error = rpma_peer_new(context, &peer);
	if (error)
		return failed("peer", error);
	error = rpma_mr_reg(peer, memory, SIZE,
			    RPMA_MR_USAGE_READ_SRC | RPMA_MR_USAGE_READ_DST | RPMA_MR_USAGE_WRITE_SRC | RPMA_MR_USAGE_WRITE_DST, &region);
	if (error)
		return failed("registration", error);
	printf("rpma: registered\n");
	rpma_mr_dereg(&region);
	rpma_peer_delete(&peer);
	return 0;
}
