// SPDX-License-Identifier: GPL-2.0-only
/*
 * All programs of mrtrace, one file a part of the kernel. One object: the agent
 * switches off what this kernel cannot take before it loads the rest.
 */
#include "kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "events.h"
#include "kernel_calls.h"
#include "config.h"
#include "loop.h"
#include "read.h"
#include "tally.h"
#include "in_flight.h"
#include "ring.h"
#include "marks.h"
#include "kept.h"
#include "hook.h"
#include "copies.h"
#include "page_table.h"
#include "vma.h"
#include "layout.h"
#include "forked.h"
#include "path.h"
#include "backing.h"
#include "mapping.h"
#include "stack.h"
#include "task.h"
#include "filter.h"
#include "operation.h"
#include "request.h"
#include "repeats.h"
#include "owner.h"
#include "latency.h"
#include "refusal.h"
#include "verbs.h"
#include "driver.h"
#include "mlx5.h"
#include "umem.h"
#include "invalidate.h"
#include "folio.h"
#include "pin.h"
#include "pages.h"
#include "hmm.h"
#include "fault.h"
#include "process.h"
#include "facts.h"

char _license[] SEC("license") = "GPL";
