// SPDX-License-Identifier: Apache-2.0
#include "CBPF.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char log_text[256 * 1024];
static size_t log_used;

static int log_line(enum libbpf_print_level level, const char *format, va_list arguments)
{
	int n;

	if (level == LIBBPF_DEBUG)
		return 0;
	if (log_used > sizeof(log_text) / 2) {	/* the end of a story matters most */
		memmove(log_text, log_text + log_used / 2, log_used - log_used / 2);
		log_used -= log_used / 2;
	}
	n = vsnprintf(log_text + log_used, sizeof(log_text) - log_used, format, arguments);
	if (n > 0) {
		log_used += n;
		if (log_used >= sizeof(log_text))
			log_used = sizeof(log_text) - 1;
	}
	return n;
}

void cbpf_log_start(void)
{
	log_used = 0;
	log_text[0] = 0;
	libbpf_set_print(log_line);
}

const char *cbpf_log_text(void)
{
	log_text[log_used] = 0;
	return log_text;
}
