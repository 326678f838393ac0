# SPDX-License-Identifier: Apache-2.0
"""The tables of lab/bench/costs."""
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


def flat(boots):
    return [value for boot in boots for value in boot]


def median(boots):
    return statistics.median(flat(boots))


def spread(boots):
    """Half of what lies between the smallest and the largest round, of the median."""
    values = flat(boots)
    return (max(values) - min(values)) / 2 / statistics.median(values)


def table(header, rows):
    return "\n".join(["| " + " | ".join(header) + " |", "|---|" + "--:|" * (len(header) - 1)]
                     + ["| " + " | ".join(row) + " |" for row in rows])


def ratios(results):
    modes = results["modes"]
    names = [name for name in modes if name != "untraced"]
    rows = []
    for row, what in WHAT.items():
        base = modes.get("untraced", {"rows": {}})["rows"].get(row)
        if not base or row in UNRELATED:
            continue
        cells = [what, f"{median(base):,.0f} ±{spread(base):.2%}"]
        for name in names:
            have = modes[name]["rows"].get(row)
            bound = BOUNDS.get((row, name))
            cells.append("" if not have else f"{median(have) / median(base):.3f} ±{spread(have):.2%}"
                         + (f" (≤ {bound:.3f})" if bound else ""))
        rows.append(cells)
    return table(["instructions an iteration, and their ratios", "untraced"] + names, rows)


def extras(results):
    modes = results["modes"]
    names = [name for name in modes if name != "untraced"]
    rows = []
    for row in UNRELATED:
        base = modes.get("untraced", {"rows": {}})["rows"].get(row)
        if not base:
            continue
        cells = [WHAT[row], f"{median(base):,.0f} ±{spread(base) * median(base):.0f}"]
        for name in names:
            have = modes[name]["rows"].get(row)
            cells.append("" if not have else
                         f"{median(have) - median(base):+.0f} ±{spread(have) * median(have):.0f}")
        rows.append(cells)
    return table(["instructions more an event", "untraced"] + names, rows)


def attached(results):
    rows = []
    for name, mode in results["modes"].items():
        if name == "untraced":
            continue
        values = mode["attach_ns"]
        rows.append([name, f"{statistics.median(values) / 1e9:.2f}", f"{mode['programs']}",
                     f"{mode['verified']:,}" if mode["verified"] else "-"])
    return table(["from start to attached", "G instructions", "programs", "verifier's instructions"], rows)


def section(all_kept):
    parts = []
    for kernel, results in all_kept.items():
        if not results["modes"]:
            continue
        bpftrace = f", bpftrace {results['bpftrace']}" if "bpftrace" in results else ""
        parts.append(f"### Linux {results['release']} ({results['date']}{bpftrace})\n\n{ratios(results)}\n\n"
                     f"{extras(results)}\n\n{attached(results)}")
    return "\n\n".join(parts)


def write(all_kept):
    performance_page.replace("tracing", section(all_kept))
