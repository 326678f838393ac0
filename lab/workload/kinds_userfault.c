/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of memory that userfaultfd serves, refuses or has poisoned. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From bad to the end of the memory. Returns the descriptor. */
static int watch(struct run *run, struct memory *memory, uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	struct uffdio_register range = { .range = { (uintptr_t)memory->bad, memory->base + memory->length - memory->bad },
					 .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		skip(run, "no userfaultfd: %s", strerror(errno));
	undo_later(run, close_fd, NULL, fd);
	if (ioctl(fd, UFFDIO_API, &api) != 0)
		skip(run, "userfaultfd has not the features %#llx: %s", (unsigned long long)features, strerror(errno));
	must(run, ioctl(fd, UFFDIO_REGISTER, &range), "watch memory by userfaultfd");
	return fd;
}

struct server {
	pthread_t thread;
	int fd, stop[2];
};

/* Answers every missing page with a page of zeros. */
static void *serve(void *argument)
{
	struct server *server = argument;
	struct pollfd wait[2] = { { .fd = server->fd, .events = POLLIN }, { .fd = server->stop[0], .events = POLLIN } };
	struct uffd_msg message;

	while (poll(wait, 2, -1) >= 0 && !wait[1].revents) {
		if (read(server->fd, &message, sizeof(message)) != sizeof(message) || message.event != UFFD_EVENT_PAGEFAULT)
			continue;
		struct uffdio_zeropage answer = { .range = { message.arg.pagefault.address & ~(PAGE - 1), PAGE } };

		ioctl(server->fd, UFFDIO_ZEROPAGE, &answer);
	}
	return NULL;
}

static void stop_server(void *object, size_t size)
{
	struct server *server = object;

	(void)size;
	close(server->stop[1]);
	pthread_join(server->thread, NULL);
	close(server->stop[0]);
	free(server);
}

static void spoil_served(struct run *run, struct memory *memory)
{
	struct server *server = calloc(1, sizeof(*server));

	server->fd = watch(run, memory, 0);
	must(run, pipe2(server->stop, O_CLOEXEC), "make a pipe");
	must(run, -pthread_create(&server->thread, NULL, serve, server), "start a thread");
	undo_later(run, stop_server, server, 0);
}

void spoil_userfault_unserved(struct run *run, struct memory *memory)
{
	watch(run, memory, 0);
}

void spoil_userfault_sigbus(struct run *run, struct memory *memory)
{
	watch(run, memory, UFFD_FEATURE_SIGBUS);
}

/* Newer than the headers of the oldest system this is built on. */
struct poison {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};

void spoil_userfault_poison(struct run *run, struct memory *memory)
{
	struct poison poison = { .range = { (uintptr_t)memory->bad, PAGE } };
	int fd = watch(run, memory, 1 << 14 /* UFFD_FEATURE_POISON */);

	if (ioctl(fd, _IOWR(UFFDIO, 0x08, struct poison) /* UFFDIO_POISON */, &poison) != 0)
		skip(run, "no UFFDIO_POISON before Linux 6.6: %s", strerror(errno));
}

const struct kind userfault_kinds[] = {
	{ "userfault", "pwx", map_anon_untouched, spoil_served, EFAULT, "userfaultfd, whose server answers (7.3 waits for it)",
	  .since = { 7, 3, 0 } },
	{ "userfault-sigbus", "px", map_anon_untouched, spoil_userfault_sigbus, EFAULT, "userfaultfd that asks for SIGBUS" },
	{ "userfault-poison", "p", map_anon_untouched, spoil_userfault_poison, EFAULT, "UFFDIO_POISON (since 6.6)" },
	{ 0 },
};
