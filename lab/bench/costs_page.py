# SPDX-License-Identifier: Apache-2.0
"""The tables of lab/bench/costs, and the section of docs/performance.md."""
import statistics

import costs_bounds
import costs_curves
import performance_page
from costs_rounds import COUNTING, flat, mean, of, ratio, spread
from performance_page import table

WHAT = {
    "odp": "(a) register 2 MB fsdax on demand, prefetch 256 KB, deregister",
    "write": "(b) RDMA write over 16 cold pages",
    "pin": "(c) register 64 MB pinned, deregister",
    "large": "(d) register 1 GB of 4 KB pages on demand, deregister",
    "fail": "(e) a prefetch of 256 KB that fails",
    "fault": "(f) an anonymous page fault",
    "read": "(f) an O_DIRECT read of 4 KB",
    "fork": "(f) fork and exit",
    "exec": "(f) exec and exit",
}
UNRELATED = ["fault", "read", "fork", "exec"]

INTRODUCTION = """
## What tracing costs the traced, in instructions

`make bench-lab` measures it and writes this section, in a guest of one CPU that counts instructions (QEMU's icount): the
numbers do not depend on the machine or on what else it does. Caches and branch predictors are not in them. Each mode has
a fresh boot; the first round of each row is discarded; numbers are means, ± is half of what lies between the smallest and
the largest of the other rounds of all its boots: the agent empties the ring buffer some ten times a second, and that is in
one round for several. Differences below the ± of untraced say nothing: fork and exit depends on what a boot left
in memory, and (c) seems to: there four empty programs run once an iteration (`--programs`), some 400 instructions of 8 million,
and what that mode shows beyond them is not theirs. With one CPU, what the agent itself does in the meantime is in the numbers too; the second table has only
what the traced process did, kernel and BPF programs included. A monitor or recording that falls behind loses records, and
says so: (e) fails as fast as it can, and rounds in which evidence found no room in the ring buffer cost less than what
is kept whole. So (e) shows mrtrace's cheapest and dearest round, and its bound is compared with the dearest. It fails in the same
way each time: most of its failures repeat one before and refer to its evidence ([recording.md](recording.md)).
In the mode *layers* none does: that is what a failure with evidence of its own costs.

*failures*, *operations* (the default), *layers* and *pages* are `mrtrace record --detail`, *fault-codes* is `mrtrace record --fault-codes`,
whose program runs at every page fault of the machine, *monitor* is `mrtrace monitor`, all of them of the whole system.
*bpftrace* counts in a map the results of nine functions by value, process and name, *bpftrace-failures* only those below 0:
no page, no page-table entry, no file, no stack. *empty* and *empty-fault-codes*: the hooks of a recording with programs that do
nothing, which is the floor of every tracer that looks there. *records*: the same, but where a verb returns to its caller a
program takes room for a record of an operation's size in a ring buffer and gives it free, empty, and a process in C copies what comes
to a file ten times a second: the floor of every tracer that keeps operations and not sums of them. The floor of *attached* is loading and attaching only these,
without having to find out where the functions are and what the kernel's types look like.
"""


def modes_of(results, kind, rows):
    """Those that were measured in one of these rows."""
    return [name for name in results["modes"] if name != "untraced" and any(of(results, name, row, kind) for row in rows)]


def ratio_cell(results, mode, row, kind):
    base, have = of(results, "untraced", row, kind), of(results, mode, row, kind)
    if not base or not have:
        return ""
    if row == "fail" and mode not in COUNTING:
        return f"{min(flat(have)) / mean(base):.3f} to {max(flat(have)) / mean(base):.3f}"
    return f"{ratio(results, mode, row, kind):.3f} ±{spread(have):.1%}"


def ratios(results, kind, title):
    names = modes_of(results, kind, [row for row in WHAT if row not in UNRELATED])
    rows = []
    for row, what in WHAT.items():
        base = of(results, "untraced", row, kind)
        if not base or row in UNRELATED:
            continue
        cells = [what, f"{mean(base):,.0f} ±{spread(base):.1%}"]
        cells += [ratio_cell(results, name, row, kind) for name in names]
        rows.append(cells)
    return table([title, "untraced"] + names, rows)


def extras(results, kind, title):
    names = modes_of(results, kind, UNRELATED)
    rows = []
    for row in UNRELATED:
        base = of(results, "untraced", row, kind)
        if not base:
            continue
        cells = [WHAT[row], f"{mean(base):,.0f} ±{spread(base) * mean(base):.0f}"]
        for name in names:
            have = of(results, name, row, kind)
            cells.append("" if not have else
                         f"{mean(have) - mean(base):+.0f} ±{spread(have) * mean(have):.0f}")
        rows.append(cells)
    return table([title, "untraced"] + names, rows)


def attached(results):
    rows = []
    for name, mode in results["modes"].items():
        if name == "untraced" or not mode.get("attach_ns"):
            continue
        rows.append([name, f"{statistics.median(mode['attach_ns']) / 1e9:.2f}", f"{mode['programs']}",
                     f"{mode['verified']:,}" if mode["verified"] else "-"])
    return table(["from start to attached", "G instructions", "programs", "verifier's instructions"], rows)


def section(all_kept, memory=None):
    """`memory`: by kernel, resident sets of the agent, by when."""
    parts = [INTRODUCTION.strip()]
    for kernel, results in all_kept.items():
        if "untraced" not in results["modes"] or not any(of(results, "untraced", row) for row in WHAT):
            continue
        bpftrace = f", bpftrace {results['bpftrace']}" if "bpftrace" in results else ""
        parts += [f"### Linux {results['release']} ({results['date']}, {results.get('mrtrace', 'mrtrace')}{bpftrace})",
                  costs_bounds.text(kernel, results, (memory or {}).get(kernel)),
                  ratios(results, "rows", "instructions an iteration, and ratios to them"),
                  ratios(results, "own", "of the traced process alone"), extras(results, "rows", "instructions more an event"),
                  extras(results, "own", "of the traced process alone, without its children"), attached(results)]
    parts.append(costs_curves.section(all_kept))
    return "\n\n".join(part for part in parts if part)


def write(all_kept, memory=None):
    performance_page.replace("lab", section(all_kept, memory))
    costs_curves.write(all_kept)
