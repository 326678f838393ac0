/* SPDX-License-Identifier: GPL-2.0-only */
/* What the agent fills in before it loads the programs, which take it for constant. */
#ifndef MRTRACE_CONFIG_H
#define MRTRACE_CONFIG_H

/* a section of its own, so that the agent can fill it in before loading */
const volatile struct mrt_config config SEC(".rodata.config") = {};

#endif
