# SPDX-License-Identifier: Apache-2.0
"""The bounds that what tracing costs is held to: beside each, what was measured, what nobody can be below, and bpftrace."""
import statistics

from costs_rounds import mean, of, ratio
from performance_page import table

# of the whole, as a ratio to untraced: row and mode
RATIOS = {("odp", "failures"): 1.045, ("odp", "operations"): 1.06, ("odp", "layers"): 1.20,
          ("write", "operations"): 1.04, ("pin", "operations"): 1.01, ("large", "operations"): 1.01,
          ("fail", "operations"): 1.15}
FAULT_CODES = 200  # instructions more an anonymous page fault, with --fault-codes
ATTACH = 1.5e9
MEMORY = 12e6  # bytes
# what was measured before the tuning of November 2026: ratios, and instructions until attached
BEFORE = {
    "newest": {"odp failures": 1.116, "odp operations": 1.611, "odp layers": 2.054, "write operations": 1.714,
               "pin operations": 1.015, "large operations": 1.003, "fail operations": 10.219, "attached": 20.39e9},
    "6.18": {"odp operations": 1.527, "write operations": 1.282, "fail operations": 10.298, "attached": 16.24e9},
}
LETTERS = {"odp": "(a)", "write": "(b)", "pin": "(c)", "large": "(d)", "fail": "(e)"}


class Bound:
    """Numbers are None where there is none. `form` writes one; `own`: the traced process alone, `alone` why it says more."""

    def __init__(self, name, most, measured, form, floor=None, bpftrace=None, before=None, own=None, records=None):
        self.name, self.most, self.measured, self.form = name, most, measured, form
        self.floor, self.bpftrace, self.before, self.own, self.records = floor, bpftrace, before, own, records

    @property
    def kept(self):
        return self.measured <= self.most

    def cells(self):
        others = [self.form(value) if value is not None else "-" for value in (self.floor, self.records, self.bpftrace, self.before, self.own)]
        return [self.name, self.form(self.most), self.exactly(), "yes" if self.kept else "**no**", *others]

    def exactly(self):
        """With as many digits as show on which side of the bound it is."""
        shown = self.form(self.measured)
        return shown if self.kept or shown != self.form(self.most) else f"more than {shown}"

    def why(self):
        """For one that is not kept: what empty programs take, and how far this is from it."""
        if self.floor is None:
            return f"- {self.name}: {self.exactly()}, {self.form(self.measured - self.most)} above the bound."
        said = f"- {self.name}: {self.exactly()}; empty programs take {self.form(self.floor)}"
        if self.floor > self.most:
            said += ", which is above the bound itself"
        elif self.records is not None and self.records > self.most:
            said += f"; with records of nothing they take {self.form(self.records)}, which is above the bound itself"
        over = self.measured - self.floor
        said += f"; mrtrace is {self.form(over)} above empty programs" if over > 0 else "; mrtrace is not above them"
        if self.own is not None:
            said += f". The traced process itself: {self.form(self.own)}" + (
                ", so what is above the bound is the agent on the same CPU" if self.own <= self.most else "")
        return said + "."


def as_ratio(value):
    return f"{value:.3f}"


def as_giga(value):
    return f"{value / 1e9:.2f} G"


def as_megabytes(value):
    return f"{value / 1e6:.1f} MB"


def as_more(value):
    return f"{value:+.0f}"


def attached(results, mode):
    have = results["modes"].get(mode, {}).get("attach_ns")
    return statistics.median(have) if have else None


def more(results, mode, row):
    base, have = of(results, "untraced", row), of(results, mode, row)
    return mean(have) - mean(base) if base and have else None


def bounds(kernel, results, memory=None):
    """`memory`: resident sets of the agent in bytes, by when."""
    before = BEFORE.get(kernel, {})
    found = [Bound(f"{LETTERS[row]} {mode}", most, ratio(results, mode, row), as_ratio, ratio(results, "empty", row),
                   ratio(results, "bpftrace", row), before.get(f"{row} {mode}"), ratio(results, mode, row, "own"),
                   ratio(results, "records", row) if mode == "operations" else None)
             for (row, mode), most in RATIOS.items()]
    found.append(Bound("(f) a page fault, --fault-codes", FAULT_CODES, more(results, "fault-codes", "fault"), as_more,
                       more(results, "empty-fault-codes", "fault")))
    found.append(Bound("attached, operations", ATTACH, attached(results, "operations"), as_giga, attached(results, "empty"),
                       attached(results, "bpftrace"), before.get("attached")))
    found += [Bound(f"agent's memory, {when}", MEMORY, size, as_megabytes) for when, size in (memory or {}).items()]
    return [one for one in found if one.measured is not None]


def text(kernel, results, memory=None):
    found = bounds(kernel, results, memory)
    header = ["bound", "at most", "measured", "kept", "empty programs", "with records", "bpftrace", "before tuning", "traced process alone"]
    missed = [one.why() for one in found if not one.kept]
    return "\n\n".join([table(header, [one.cells() for one in found])]
                       + (["Not kept, and what the floor is:\n\n" + "\n".join(missed)] if missed else []))
