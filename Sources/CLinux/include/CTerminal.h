/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal that is given back as it was, even when the program crashes. */
#ifndef CTERMINAL_H
#define CTERMINAL_H

#include <termios.h>

/// Takes over the terminal: keys one by one and without echo from `in`, `enter`
/// written to `out`. From here on a crash (SIGSEGV, SIGABRT, …) writes `leave`
/// and puts the settings of `in` back before it ends the process as ever.
/// `in` may be -1: no keys. Both texts must stay where they are. 0, or -errno.
int cterminal_take(int in, int out, const char *enter, const char *leave);

/// Puts everything back. Does nothing when nothing is taken.
void cterminal_give_back(void);

/// Sends this process to sleep as Ctrl-Z does, though SIGTSTP is blocked. Returns
/// when it is told to go on.
void cterminal_stop_self(void);

#endif
