// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CVerbs.h"

#include <errno.h>
#include <linux/netlink.h>
#include <rdma/rdma_netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct request {
	struct nlmsghdr header;
	char attributes[64];
};

static void add(struct request *request, int type, const void *value, int size)
{
	struct nlattr *attribute =
		(struct nlattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));

	attribute->nla_type = type;
	attribute->nla_len = NLA_HDRLEN + size;
	memcpy((char *)attribute + NLA_HDRLEN, value, size);
	request->header.nlmsg_len += NLA_HDRLEN + NLA_ALIGN(size);
}

static void begin(struct request *request, int command, int flags)
{
	memset(request, 0, sizeof(*request));
	request->header.nlmsg_len = NLMSG_HDRLEN;
	request->header.nlmsg_type = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, command);
	request->header.nlmsg_flags = NLM_F_REQUEST | flags;
}

/* The value of an attribute, and its size; NULL: it is not there. */
static const void *find(const struct nlmsghdr *message, int type, int *size)
{
	const char *at = (const char *)message + NLMSG_HDRLEN;
	const char *end = (const char *)message + message->nlmsg_len;

	while (end - at >= NLA_HDRLEN) {
		const struct nlattr *attribute = (const void *)at;

		if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > end - at)
			return NULL;
		if ((attribute->nla_type & NLA_TYPE_MASK) == type) {
			*size = attribute->nla_len - NLA_HDRLEN;
			return at + NLA_HDRLEN;
		}
		at += NLA_ALIGN(attribute->nla_len);
	}
	return NULL;
}

static int number(const struct nlmsghdr *message, int type, uint32_t *value)
{
	int size;
	const void *found = find(message, type, &size);

	if (!found || size < (int)sizeof(*value))
		return 0;
	memcpy(value, found, sizeof(*value));
	return 1;
}

/* Takes answers in until `take` has what it wants, or there are no more. */
static int answers(int fd, struct request *request, int (*take)(const struct nlmsghdr *, void *),
		   void *context)
{
	char buffer[16384];

	if (send(fd, request, request->header.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		struct nlmsghdr *message = (void *)buffer;
		ssize_t left = recv(fd, buffer, sizeof(buffer), 0);

		if (left < 0 && errno == EINTR)
			continue;
		if (left < 0)
			return -errno;
		for (; NLMSG_OK(message, (unsigned)left); message = NLMSG_NEXT(message, left)) {
			if (message->nlmsg_type == NLMSG_DONE)
				return 0;
			if (message->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(message))->error;
			if (take(message, context))
				return 1;
		}
		if (!(request->header.nlmsg_flags & NLM_F_DUMP))
			return 0;
	}
}

struct named {
	const char *name;
	uint32_t index;
};

static int take_index(const struct nlmsghdr *message, void *context)
{
	struct named *named = context;
	int size;
	const char *name = find(message, RDMA_NLDEV_ATTR_DEV_NAME, &size);

	return name && size > 0 && !name[size - 1] && !strcmp(name, named->name) &&
	       number(message, RDMA_NLDEV_ATTR_DEV_INDEX, &named->index);
}

static int take_driver(const struct nlmsghdr *message, void *context)
{
	return number(message, RDMA_NLDEV_ATTR_UVERBS_DRIVER_ID, context);
}

int cverbs_driver(const char *name)
{
	struct timeval patience = { .tv_sec = 1 };
	struct named named = { .name = name };
	struct request request;
	uint32_t driver = 0;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_RDMA);
	int code;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	begin(&request, RDMA_NLDEV_CMD_GET, NLM_F_DUMP);
	code = answers(fd, &request, take_index, &named);
	if (code == 1) {
		close(fd);
		fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_RDMA);
		if (fd < 0)
			return -errno;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		begin(&request, RDMA_NLDEV_CMD_GET_CHARDEV, 0);
		add(&request, RDMA_NLDEV_ATTR_CHARDEV_TYPE, "uverbs", sizeof("uverbs"));
		add(&request, RDMA_NLDEV_ATTR_DEV_INDEX, &named.index, sizeof(named.index));
		code = answers(fd, &request, take_driver, &driver);
	} else if (!code) {
		code = -ENOENT;
	}
	close(fd);
	if (code == 1)
		return (int)driver;
	return code ? code : -ENOENT;
}
