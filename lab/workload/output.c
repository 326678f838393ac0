/* SPDX-License-Identifier: Apache-2.0 */
/* One JSON line for each operation, in one write so that lines of several threads and processes stay whole. */
#define _GNU_SOURCE
#include "workload.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *quoted_errno(char *buffer, size_t size, int error)
{
	if (error == 0)
		return "null";
	const char *name = strerrorname_np(error);
	if (name)
		snprintf(buffer, size, "\"%s\"", name);
	else
		snprintf(buffer, size, "\"%d\"", error);
	return buffer;
}

static void print_line(struct run *run, const char *line, int length)
{
	if (write(STDOUT_FILENO, line, length) != length)
		set_up_failed(run, "cannot write the result to standard output");
}

/* A line of its own for what this kernel or machine cannot do: ok is neither true nor false. */
void print_skipped(struct run *run, const char *reason)
{
	char line[512];

	print_line(run, line, snprintf(line, sizeof(line),
		"{\"scenario\":\"%s\",\"op\":\"skipped\",\"pid\":%d,\"tid\":%d,\"address\":\"0x0\",\"length\":0,\"errno\":null,"
		"\"wc\":null,\"expect_errno\":null,\"bad_page\":null,\"ok\":null,\"skipped\":\"%s\"}\n",
		run->scenario, getpid(), gettid(), reason));
}

void relieve(struct run *run)
{
	if (run->relieve)
		run->relieve(run);
	run->relieve = NULL;
}

void print_outcome(struct run *run, const struct outcome *it)
{
	char line[512], error[32], expected[32], wc[16] = "null", bad[32] = "null";

	relieve(run);
	if (it->wc >= 0)
		snprintf(wc, sizeof(wc), "%d", it->wc);
	if (it->bad)
		snprintf(bad, sizeof(bad), "\"%p\"", it->bad);
	int length = snprintf(line, sizeof(line),
		"{\"scenario\":\"%s\",\"op\":\"%s\",\"pid\":%d,\"tid\":%d,\"address\":\"0x%lx\",\"length\":%zu,"
		"\"errno\":%s,\"wc\":%s,\"expect_errno\":%s,\"bad_page\":%s,\"ok\":%s}\n",
		run->scenario, it->op, it->process ? it->process : getpid(), it->process ? it->process : gettid(), (unsigned long)it->address, it->length,
		quoted_errno(error, sizeof(error), it->error), wc,
		quoted_errno(expected, sizeof(expected), it->expect_error), bad, it->ok ? "true" : "false");
	if (!it->ok)
		run->surprised = true;
	print_line(run, line, length);
}
