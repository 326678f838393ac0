# SPDX-License-Identifier: Apache-2.0
"""The tables of lab/bench/costs, and the section of docs/performance.md."""
import statistics

import performance_page

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
BOUNDS = {("odp", "failures"): 1.045, ("odp", "operations"): 1.06, ("odp", "layers"): 1.20,
          ("write", "operations"): 1.04, ("pin", "operations"): 1.01, ("large", "operations"): 1.01,
          ("fail", "operations"): 1.15}
ATTACH_BOUND = 1.5e9
# what was measured before the tuning of November 2026: ratios, and instructions until attached
BEFORE = {
    "newest": {"odp failures": 1.116, "odp operations": 1.611, "odp layers": 2.054, "write operations": 1.714,
               "pin operations": 1.015, "large operations": 1.003, "fail operations": 10.219, "attached": 20.39e9},
    "6.18": {"odp operations": 1.527, "write operations": 1.282, "fail operations": 10.298, "attached": 16.24e9},
}
CURVES = {"large": ("register and deregister, by MB", [256, 512, 1024]),
          "odp": ("(a), by memory regions that are there beside it", [1, 100, 10000]),
          "threads": ("(a) with anonymous memory, by threads, whose start and filling of memory is in it and dilutes it", [1, 8, 64])}

INTRODUCTION = """
## What tracing costs the traced, in instructions

`make bench-lab` measures it and writes this section, in a guest of one CPU that counts instructions (QEMU's icount): the
numbers do not depend on the machine or on what else it does. Caches and branch predictors are not in them. Each mode has
a fresh boot; the first round of each row is discarded; numbers are means, ± is half of what lies between the smallest and
the largest of the other rounds of all its boots: the agent empties the ring buffer some ten times a second, and that is in
one round for several. Differences below the ± of untraced say nothing: fork and exit depends on what a boot left
in memory. With one CPU, what the agent itself does in the meantime is in the numbers too; the second table has only
what the traced process did, kernel and BPF programs included. A monitor or recording that falls behind loses records, and
says so: (e) fails as fast as it can, and rounds in which evidence found no room in the ring buffer cost less than what
is kept whole. So (e) shows the cheapest and the dearest round, and its bound is compared with the dearest.

*failures*, *operations* (the default) and *layers* are `mrtrace record --detail`, *monitor* is `mrtrace monitor`, all of them
of the whole system. *bpftrace* counts in a map the results of nine functions by value, process and name, *bpftrace-failures*
only those below 0: no page, no page-table entry, no file, no stack. *empty*: the hooks of a recording with programs that do
nothing, which is the floor.
"""


def flat(boots):
    return [value for boot in boots for value in boot if value is not None]


def mean(boots):
    """Not the median: the agent empties the ring buffer now and then, and a round may hold that for several."""
    return statistics.mean(flat(boots))


def spread(boots):
    """Half of what lies between the smallest and the largest round, of the mean."""
    values = flat(boots)
    return (max(values) - min(values)) / 2 / statistics.mean(values)


def table(header, rows):
    return "\n".join(["| " + " | ".join(header) + " |", "|---|" + "--:|" * (len(header) - 1)]
                     + ["| " + " | ".join(row) + " |" for row in rows])


def of(results, mode, row, kind="rows"):
    """The rounds that were measured, or None."""
    have = results["modes"].get(mode, {}).get(kind, {}).get(row)
    return have if have and flat(have) else None


def ratio(results, mode, row, kind="rows"):
    """Of the means; where rounds differ because records were lost, of the dearest round."""
    base, have = of(results, "untraced", row, kind), of(results, mode, row, kind)
    if not base or not have:
        return None
    return (max(flat(have)) if row == "fail" else mean(have)) / mean(base)


def ratio_cell(results, mode, row, kind):
    base, have = of(results, "untraced", row, kind), of(results, mode, row, kind)
    if not base or not have:
        return ""
    if row == "fail":
        return f"{min(flat(have)) / mean(base):.3f} to {max(flat(have)) / mean(base):.3f}"
    return f"{ratio(results, mode, row, kind):.3f} ±{spread(have):.1%}"


def ratios(results, kind, title):
    names = [name for name in results["modes"] if name != "untraced"]
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
    names = [name for name in results["modes"] if name != "untraced"]
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
        if name == "untraced":
            continue
        rows.append([name, f"{statistics.median(mode['attach_ns']) / 1e9:.2f}", f"{mode['programs']}",
                     f"{mode['verified']:,}" if mode["verified"] else "-"])
    return table(["from start to attached", "G instructions", "programs", "verifier's instructions"], rows)


def verdicts(kernel, results):
    """Each bound beside what was measured, what it was once, the floor, and bpftrace."""
    rows, before = [], BEFORE.get(kernel, {})
    for (row, mode), bound in BOUNDS.items():
        value = ratio(results, mode, row)
        if value is None:
            continue

        def cell(name):
            return "-" if ratio(results, name, row) is None else f"{ratio(results, name, row):.3f}"
        rows.append([f"{WHAT[row].split()[0]} {mode}", f"{bound:.3f}", f"{value:.3f}",
                     "yes" if value <= bound else "**no**", cell("empty"), cell("bpftrace"),
                     f"{before[f'{row} {mode}']:.3f}" if f"{row} {mode}" in before else "-"])
    attach = results["modes"].get("operations", {}).get("attach_ns")
    if attach:
        def seconds(name):
            have = results["modes"].get(name, {}).get("attach_ns")
            return f"{statistics.mean(have) / 1e9:.2f} G" if have else "-"
        taken = statistics.median(attach)
        rows.append(["attached, operations", f"{ATTACH_BOUND / 1e9:.2f} G", f"{taken / 1e9:.2f} G",
                     "yes" if taken <= ATTACH_BOUND else "**no**", seconds("empty"), seconds("bpftrace"),
                     f"{before['attached'] / 1e9:.2f} G" if "attached" in before else "-"])
    return table(["bound", "at most", "measured", "kept", "empty programs", "bpftrace", "before tuning"], rows)


def curves(results):
    rows = []
    for name, (what, points) in CURVES.items():
        for mode in results["modes"]:
            if mode == "untraced" or not any(of(results, mode, f"{name}-{point}") for point in points):
                continue
            rows.append([f"{what}: {', '.join(map(str, points))}", mode]
                        + [f"{value:.3f}" if (value := ratio(results, mode, f"{name}-{point}")) else "" for point in points])
    return table(["how it grows (ratio to untraced)", "mode", "first", "second", "third"], rows) if rows else ""


def section(all_kept):
    parts = [INTRODUCTION.strip()]
    for kernel, results in all_kept.items():
        if not results["modes"]:
            continue
        bpftrace = f", bpftrace {results['bpftrace']}" if "bpftrace" in results else ""
        parts += [f"### Linux {results['release']} ({results['date']}, {results.get('mrtrace', 'mrtrace')}{bpftrace})",
                  verdicts(kernel, results), ratios(results, "rows", "instructions an iteration, and ratios to them"),
                  ratios(results, "own", "of the traced process alone"), extras(results, "rows", "instructions more an event"),
                  extras(results, "own", "of the traced process alone, without its children"), curves(results), attached(results)]
    return "\n\n".join(part for part in parts if part)


def write(all_kept):
    performance_page.replace("lab", section(all_kept))
