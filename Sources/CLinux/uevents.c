// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CUevents.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the kernel sends itself, rather than udevd. */
#define KERNEL_GROUP 1

int cuevents_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);
	int code;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		code = -errno;
		close(fd);
		return code;
	}
	return fd;
}

/* "add@/module/rdma_rxe", and then NUL-separated words */
static int is_module(const char *text)
{
	const char *path = strchr(text, '@');

	return path && !strncmp(path, "@/module/", 9);
}

int cuevents_take(int fd)
{
	int found = 0;

	for (;;) {
		struct sockaddr_nl sender = {};
		socklen_t length = sizeof(sender);
		char text[4096];
		ssize_t n = recvfrom(fd, text, sizeof(text) - 1, 0, (struct sockaddr *)&sender,
				     &length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) { /* some were lost */
			found = 1;
			continue;
		}
		if (n < 0)
			return found;
		text[n] = 0;
		if (sender.nl_pid == 0 && is_module(text))
			found = 1;
	}
}
