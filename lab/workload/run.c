/* SPDX-License-Identifier: Apache-2.0 */
/* Running one scenario: what it made is taken down again, also when its set-up fails half-way. */
#include "workload.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

void undo_later(struct run *run, void (*action)(void *, size_t), void *object, size_t size)
{
	if (run->undo_count == sizeof(run->undo) / sizeof(run->undo[0]))
		set_up_failed(run, "too many resources for one scenario");
	run->undo[run->undo_count++] = (struct undo){action, object, size};
}

/* 0: as expected, 1: not as expected, 3: the set-up failed. */
int run_scenario(struct run *run, void (*body)(struct run *))
{
	volatile int status = 0;

	if (setjmp(run->abandon) == 0)
		body(run);
	else
		status = 3;
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
