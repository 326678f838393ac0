# SPDX-License-Identifier: Apache-2.0
"""What mrtrace's answer to one operation is worth, and the table of kernels and scenarios made of that."""

from collections import Counter

from mrlab.judges import pairing, scenario
from mrlab.judges.scenario import RIGHT, SKIPPED, UNKNOWN, UNSEEN, WEAKER, WRONG
from mrlab.results import Check
from mrlab.scenarios import choose

MARKS = {RIGHT: "right", WEAKER: "weaker", UNKNOWN: "unknown", UNSEEN: "unseen", WRONG: "WRONG", SKIPPED: "-"}


class Verdict:
    def __init__(self, kernel, group, scenario, operation, row, verdict, page=None, problems=()):
        self.kernel, self.group, self.scenario, self.operation = kernel, group, scenario, operation
        self.row, self.verdict, self.page, self.problems = row, verdict, page, list(problems)
        self.weak = False

    @property
    def is_bad(self):
        """Whether it fails: where hooks are forced off an answer may say less, never something else."""
        return self.verdict == WRONG if self.weak else self.verdict not in (RIGHT, SKIPPED)

    @property
    def where(self):
        return f"{self.kernel} {self.group}"

    def check(self):
        """The verdict as a result among others."""
        name, what = self.scenario, f"{self.operation} {self.verdict}"
        if self.verdict == SKIPPED:
            return Check(name, what, skipped=self.problems[0])
        return Check(name, what, (self.problems or [self.verdict]) if self.is_bad else [])

    @property
    def key(self):
        """One line of the table: what is expected."""
        if self.row is None:
            return (self.scenario, self.operation, "-", "-", "")
        return (self.scenario, self.operation, self.row.errno or "success", self.row.cause or "-", "page" if self.page else "")


def of_group(kernel, group, ran, table):
    """A verdict for every operation of a group that was run, and for every report that nothing stands behind."""
    failures = [operation for operation in ran.operations if operation["expect_errno"] is not None]
    rows = [choose(table, failure["scenario"].split(":")[-1], failure, group.features) for failure in failures]
    pairs, taken = pairing.pair_up(failures, ran.reports, [pairing.reported_as(*both) for both in zip(failures, rows)])
    verdicts = []
    for number, (failure, row) in enumerate(zip(failures, rows)):
        report = ran.reports[pairs[number]] if number in pairs else None
        verdict, problems = scenario.worth(failure, report, row, group.features)
        verdicts.append(Verdict(kernel, group.name, failure["scenario"].split(":")[0], failure["op"], row, verdict,
                                failure["bad_page"], problems))
    for operation in ran.operations:
        if operation["expect_errno"] is None:
            problems = [] if operation["ok"] else ["the workload itself did not get what it expected"]
            row = choose(table, operation["scenario"].split(":")[-1], operation, group.features)
            verdicts.append(Verdict(kernel, group.name, operation["scenario"].split(":")[0], operation["op"],
                                    row if row is not None and row.errno is None else None,
                                    WRONG if problems else RIGHT, None, problems))
    for index, report in enumerate(ran.reports):
        if index not in taken:
            verdicts.append(Verdict(kernel, group.name, "(nothing failed)", report.get("operation", "?"), None, WRONG, None,
                                    [f"reported though nothing failed: {pairing.shown(report)}"]))
    for line in ran.skipped:
        verdicts.append(Verdict(kernel, group.name, line["scenario"].split(":")[0], "-", None, SKIPPED, None, [line["skipped"]]))
    for one in verdicts:
        one.weak = group.weak
    return verdicts


def worst(verdicts):
    order = [WRONG, UNSEEN, UNKNOWN, WEAKER, RIGHT, SKIPPED]
    return min(verdicts, key=order.index)


class Table:
    def __init__(self, kernels):
        self.kernels = kernels
        self.verdicts = []
        self.skipped = []       # (kernel, scenario, reason) that no guest runs

    def skip(self, kernel, name, reason):
        self.skipped.append((kernel, name, reason))

    def lines(self):
        """Kernel × scenario × (errno, cause, page): full strength groups only, the weakened ones are counted below."""
        cells = {}
        for one in self.verdicts:
            # What a scenario does on the way to its point is no line of its own.
            if one.weak or one.row is None and one.verdict == RIGHT:
                continue
            cells.setdefault(one.key, {}).setdefault(one.kernel, []).append(one.verdict)
        width = max([len(key[0]) for key in cells] + [8])
        head = f"{'scenario':{width}} {'operation':10} {'errno':10} {'cause':22} {'page':5}"
        yield head + "".join(f"{kernel:>11}" for kernel in self.kernels)
        for key, by_kernel in sorted(cells.items()):
            if set().union(*map(set, by_kernel.values())) == {SKIPPED}:
                continue
            marks = (MARKS[worst(by_kernel[kernel])] if kernel in by_kernel else "" for kernel in self.kernels)
            scenario, operation, errno, cause, page = key
            yield f"{scenario:{width}} {operation:10} {errno:10} {cause:22} {page:5}" + "".join(f"{mark:>11}" for mark in marks)

    def summary(self):
        """How many operations got which answer on each kernel; then the same with hooks forced off."""
        for weak, title in ((False, "all hooks"), (True, "with a family of hooks forced off")):
            yield f"\n{title:36}" + "".join(f"{kernel:>11}" for kernel in self.kernels)
            for verdict in (RIGHT, WEAKER, UNKNOWN, UNSEEN, WRONG, SKIPPED):
                counts = Counter(one.kernel for one in self.verdicts if one.weak == weak and one.verdict == verdict)
                if verdict == SKIPPED and not weak:
                    counts.update(kernel for kernel, _, _ in self.skipped)
                yield f"{verdict:36}" + "".join(f"{counts[kernel]:11}" for kernel in self.kernels)
        reasons = Counter((reason, kernel) for kernel, _, reason in self.skipped)
        reasons.update((one.problems[0], one.kernel) for one in self.verdicts if one.verdict == SKIPPED)
        yield "\nskipped, by reason"
        for reason in sorted({reason for reason, _ in reasons}):
            yield f"  {reason}: " + ", ".join(f"{kernel} {reasons[reason, kernel]}" for kernel in self.kernels if reasons[reason, kernel])

    def sites(self):
        """Kernel checks that were provoked and rightly explained."""
        return sorted({site for one in self.verdicts if one.verdict == RIGHT and one.row is not None for site in one.row.sites})
