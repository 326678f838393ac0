// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CTerminal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS };
#define CRASHES (sizeof(crashes) / sizeof(crashes[0]))

/* what a crash must put back: read by its handler, so nothing here is on a heap */
static volatile sig_atomic_t taken;
static int in = -1, out = -1;
static struct termios before;
static const char *leave_text;
static size_t leave_length;
static struct sigaction handlers_before[CRASHES];
/* a stack that has overflowed cannot hold the handler's frame */
static char crash_stack[16384];

/* Only async-signal-safe calls: write and tcsetattr are. */
static void put_back(void)
{
	ssize_t n = 0;

	if (out >= 0)
		for (size_t done = 0; done < leave_length; done += (size_t)n) {
			n = write(out, leave_text + done, leave_length - done);
			if (n < 0 && errno == EINTR)
				n = 0;
			else if (n <= 0)
				break;
		}
	if (in >= 0)
		tcsetattr(in, TCSADRAIN, &before);
}

static void on_crash(int number)
{
	if (taken) {
		taken = 0;
		put_back();
	}
	for (size_t i = 0; i < CRASHES; i++)
		if (crashes[i] == number)
			sigaction(number, &handlers_before[i], NULL);
	raise(number);
}

int cterminal_take(int from, int to, const char *enter, const char *leave)
{
	struct termios raw;
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER };
	stack_t stack = { .ss_sp = crash_stack, .ss_size = sizeof(crash_stack) };
	size_t length = strlen(enter);
	ssize_t n;

	if (taken)
		return 0;
	if (from >= 0) {
		if (tcgetattr(from, &before))
			return -errno;
		raw = before;
		/* ISIG stays: Ctrl-C and Ctrl-Z mean what they always mean, for the command too */
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
		raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL | INLCR);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
	}
	in = from;
	out = to;
	leave_text = leave;
	leave_length = strlen(leave);
	sigaltstack(&stack, NULL);
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < CRASHES; i++)
		sigaction(crashes[i], &action, &handlers_before[i]);
	taken = 1;
	if (from >= 0 && tcsetattr(from, TCSADRAIN, &raw)) {
		int code = -errno;

		cterminal_give_back();
		return code;
	}
	while (length) {
		n = write(to, enter, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int code = n < 0 ? -errno : -EIO;

			cterminal_give_back();
			return code;
		}
		enter += n;
		length -= (size_t)n;
	}
	return 0;
}

void cterminal_give_back(void)
{
	if (!taken)
		return;
	taken = 0;
	put_back();
	for (size_t i = 0; i < CRASHES; i++)
		sigaction(crashes[i], &handlers_before[i], NULL);
}

void cterminal_stop_self(void)
{
	kill(getpid(), SIGSTOP);
}
