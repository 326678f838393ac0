/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C border to libbpf. Only the Kernel layer imports this (.ci/check looks); what is about Linux
 * and not about BPF is in CLinux.
 */
#ifndef CBPF_H
#define CBPF_H

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "CLoader.h"
#include "CProbes.h"
#include "CPrune.h"
#include "CRing.h"

#endif
