/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of Linux Swift's Glibc module does not show: headers that it lacks, and calls that Swift
 * cannot make. Nothing here knows BPF.
 */
#ifndef CLINUX_H
#define CLINUX_H

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "CChild.h"
#include "CFiles.h"
#include "CGzip.h"
#include "CPrivileges.h"
#include "CProcess.h"
#include "CTerminal.h"
#include "CUevents.h"
#include "CVerbs.h"

#endif
