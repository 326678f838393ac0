/* SPDX-License-Identifier: Apache-2.0 */
/* Running one scenario: what it made is taken down again, also when its set-up fails half-way. */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

void set_up_failed(struct run *run, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fprintf(stderr, "workload: %s: %s\n", run->scenario, text);
	longjmp(run->abandon, 1);
}

/* Says so in the output, so that nothing passes silently; no fault of the workload or of the tracer. */
void skip(struct run *run, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	print_skipped(run, text);
	longjmp(run->abandon, 2);
}

bool kernel_since(int major, int minor)
{
	struct utsname name;
	int is_major = 0, is_minor = 0;

	uname(&name);
	sscanf(name.release, "%d.%d", &is_major, &is_minor);
	return is_major > major || (is_major == major && is_minor >= minor);
}

bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	int error = errno;
	close(fd);
	errno = error;
	return done;
}

void undo_later(struct run *run, void (*action)(void *, size_t), void *object, size_t size)
{
	if (run->undo_count == sizeof(run->undo) / sizeof(run->undo[0]))
		set_up_failed(run, "too many resources for one scenario");
	run->undo[run->undo_count++] = (struct undo){ action, object, size };
}

/* 0: as expected, 1: not as expected, 3: the set-up failed. */
int run_scenario(struct run *run, void (*body)(struct run *))
{
	volatile int status = 0;

	switch (setjmp(run->abandon)) {
	case 0: body(run); break;
	case 2: break; /* skipped */
	default: status = 3;
	}
	while (run->undo_count > 0) {
		struct undo *undo = &run->undo[--run->undo_count];

		undo->action(undo->object, undo->size);
	}
	return status ? status : run->surprised;
}

void pass_gate(struct run *run)
{
	if (run->gate)
		pthread_barrier_wait(run->gate);
}
