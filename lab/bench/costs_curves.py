# SPDX-License-Identifier: Apache-2.0
"""How the costs grow: what is measured on which kernel, the table and the picture."""
import os

import performance_page
import plot
from costs_rounds import mean, of, ratio

# MB; 2 GiB is the end for rxe, see LIMIT
SIZES = [256, 1024, 2047, 4096]
# its rxe has no on-demand paging, and the lab's module, which gives it that, takes an MR of any size
WITH_MODULE = "6.12"
PICTURE = "performance-curves.svg"
# kernel, name of the curve, its points, heading of the panel, label of the axis, what the table says
CURVES = [
    ("newest", "large", [256, 1024, 2047], "(d) by size of the MR", "MB", "(d) register and deregister, by MB"),
    (WITH_MODULE, "large", [256, 1024, 4096], "(d) by size of the MR", "MB",
     "(d) the same with the lab's module, by MB"),
    ("newest", "odp", [1, 100, 10000], "(a) by MRs that are there", "MRs", "(a) by memory regions that are there beside it"),
    ("newest", "threads", [1, 8, 64], "(a) by threads", "threads",
     "(a) with anonymous memory, by threads, whose start and filling of memory is in it and dilutes it"),
]
MODES = ["untraced", "operations", "empty"]

LIMIT = """
An MR of 4 GiB is measured on Linux 6.12, where the lab's module gives rxe on-demand paging: rxe's own passes an MR's length on in an
int when it first looks at its pages. From 2 GiB up to 4 GiB that is negative or 0, and registration fails with EINVAL (before
Linux 7.3 the kernel dies of it); beyond 4 GiB it would look at the remainder only. So 2047 MB is the most that rxe registers as a whole.
"""


def measurable(kernel, row):
    name, point = row.split("-")
    return any((kernel, name) == curve[:2] and int(point) in curve[2] for curve in CURVES)


def lines(all_kept):
    """Curve by curve what there is of it: heading and labels, points, and per mode instructions and ratio at each."""
    found = []
    for kernel, name, points, heading, unit, words in CURVES:
        results = all_kept.get(kernel)
        if not results:
            continue
        rows = [f"{name}-{point}" for point in points]
        modes = {mode: [(mean(of(results, mode, row)), ratio(results, mode, row)) for row in rows]
                 for mode in MODES if all(of(results, mode, row) for row in rows)}
        if "untraced" in modes and len(modes) > 1:
            version = "Linux " + ".".join(results["release"].split(".")[:2])
            found.append({"heading": heading, "kernel": version, "unit": unit, "words": words, "points": points, "modes": modes})
    return found


def table(found):
    rows = [[f"{one['words']}: {', '.join(map(str, one['points']))}", one["kernel"], mode] + [f"{value:.3f}" for _, value in values]
            for one in found for mode, values in one["modes"].items() if mode != "untraced"]
    return performance_page.table(["ratio to untraced", "kernel", "mode", "first", "second", "third"], rows)


def picture(found):
    panels = []
    for one in found:
        heading = f"{one['heading']}, {one['kernel']}"
        series = {mode: list(zip(one["points"], [cost for cost, _ in values])) for mode, values in one["modes"].items()}
        ratios = {mode: list(zip(one["points"], [value for _, value in values])) for mode, values in one["modes"].items()}
        panels.append((plot.Panel(heading, one["unit"], "instructions", series, log=True),
                       plot.Panel("", one["unit"], "ratio to untraced", ratios, log=False)))
    return plot.picture("What tracing costs as memory, regions and threads grow", panels)


def section(all_kept):
    found = lines(all_kept)
    if not found:
        return ""
    return "\n\n".join(["### How it grows", f"![instructions and ratios to untraced, by size, regions and threads]({PICTURE})",
                        table(found), LIMIT.strip()])


def write(all_kept):
    found = lines(all_kept)
    if found:
        with open(os.path.join(os.path.dirname(performance_page.PAGE), PICTURE), "w", encoding="utf-8") as file:
            file.write(picture(found))
