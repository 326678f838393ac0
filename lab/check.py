# SPDX-License-Identifier: Apache-2.0
"""Compares what mrtrace reported with what the workload saw and the scenario table says."""

import json
import os

from scenarios import Version, choose

# The workload's word for an operation, and the report's.
REPORTED_AS = {"rdma_write": "page_fault"}


def reported_as(operation, row):
    # The worker of the lab's module maps pages as that of a network card does: as a page fault.
    if row is not None and row.operation == "worker":
        return "page_fault"
    return REPORTED_AS.get(operation["op"], operation["op"])

# What the same thread registers next, and words of the sentence that tell a scenario from its neighbour.
FOLLOWED = {"then-smaller": "followed_by", "then-weaker": "followed_by", "then-whole": "recovered_by"}
SAYS = {
    "pin-dontfork": ("its parent, pid", True), "pin-dontfork-twice": ("children do not get", True),
    "dontfork-p": ("its parent, pid", True), "pin-given-up": ("children do not get", False),
    "pin-killed": ("is being killed by SIG", True), "pin-movable": ("ZONE_MOVABLE", True), "pin-cma": ("CMA memory", True),
    "reg-objects": ("has 2 of the 2 objects", True), "reg-objects-above": (", above the process's own ", True),
    "lkey-pinned-p": ("were registered without ON_DEMAND", True),
}


# What an answer is worth.
RIGHT, WEAKER, UNKNOWN, UNSEEN, WRONG, SKIPPED = "right", "weaker", "unknown", "unseen", "wrong", "skipped"


# What an answer of unknown cause says all the same, and must not say wrongly.
STATED = ("errno:", "delivered:", "comm:", "failing page:")


class Unsaid(str):
    """A problem that is only a lack: less is said than was expected, and nothing else."""


class Check:
    def __init__(self, scenario, what, problems):
        self.scenario, self.what, self.problems = scenario, what, problems

    @property
    def says_less(self):
        """Whether it failed, and only for what is lacking."""
        return bool(self.problems) and all(isinstance(problem, Unsaid) for problem in self.problems)

    @property
    def passed(self):
        return not self.problems

    def __str__(self):
        text = f"{'ok  ' if self.passed else 'FAIL'} {self.scenario}: {self.what}"
        return text + "".join(f"\n         {problem}" for problem in self.problems)


def read_json_lines(path):
    """(objects, problems); the workload's lines have no other lines among them."""
    objects, problems = [], []
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                objects.append(json.loads(line))
            except ValueError:
                problems.append(f"{os.path.basename(path)}:{number} is no JSON: {line.strip()[:80]}")
    return objects, problems


def page_of(report):
    return report.get("page", {}).get("address")


def same_number(left, right):
    return left is not None and right is not None and int(left, 16) == int(right, 16)


# The kernel's programs read CLOCK_MONOTONIC in a way that may be behind by a little.
SLACK_NS = 5_000


def begin_times(reports, offset):
    """Puts CLOCK_MONOTONIC into the reports, which have CLOCK_REALTIME, `offset` more."""
    for report in reports:
        if "time_ns" in report:
            report["begin_ns"] = report["time_ns"] - offset


def at_another_time(operation, report):
    """Of a system call its thread knows the beginning and the end; what a worker does begins after it was asked for."""
    if "start_ns" not in operation or "begin_ns" not in report:
        return False
    if report["begin_ns"] < operation["start_ns"] - SLACK_NS:
        return True
    return report.get("delivered") == "syscall" and report["begin_ns"] > operation["end_ns"] + SLACK_NS


def candidates(operation, kind, reports, taken):
    for index, report in enumerate(reports):
        if index in taken or report.get("pid") != operation["pid"] or report.get("operation") != kind:
            continue
        # A worker has no thread of the owner; a system call does.
        if report.get("delivered") == "syscall" and report.get("tid") != operation["tid"]:
            continue
        if at_another_time(operation, report):
            continue
        yield index


def covers(operation, report):
    """Whether the report is about this range: scenarios of one process reuse addresses, threads do not share them."""
    memory = report.get("mr", {})
    if "address" not in memory:
        return True
    start, length = int(memory["address"], 16), memory.get("length", 0)
    begin = int(operation["address"], 16)
    # An empty range is where it begins.
    return start < begin + max(operation["length"], 1) and begin < start + max(length, 1)


def pair_up(failures, reports, kinds):
    """Report index by failure index. Both lists are in order of time; first the pairs whose page agrees, then
    whatever is left of the same thread and operation, so that a wrong page is told as a wrong page."""
    pairs, taken = {}, set()

    def take_in_order(mine, theirs):
        both = list(zip(mine, theirs))
        if len(mine) == len(theirs) and not any(at_another_time(failures[number], reports[index]) for number, index in both):
            pairs.update(both)
            taken.update(theirs)

    # What one thread calls, and what a worker does for a process of one thread, come in their order: where none is missing,
    # that alone decides.
    for pid, tid, kind in {(failure["pid"], failure["tid"], kind) for failure, kind in zip(failures, kinds)}:
        mine = [number for number, failure in enumerate(failures) if (failure["pid"], kinds[number]) == (pid, kind)]
        theirs = [index for index, report in enumerate(reports) if (report.get("pid"), report.get("operation")) == (pid, kind)]
        calls = [index for index in theirs if reports[index].get("delivered") == "syscall"]
        if calls:
            take_in_order([number for number in mine if failures[number]["tid"] == tid],
                          [index for index in calls if reports[index].get("tid") == tid])
        elif all(failures[number]["tid"] == tid for number in mine):
            take_in_order(mine, theirs)

    def take(agrees):
        for number, failure in enumerate(failures):
            if number in pairs:
                continue
            for index in candidates(failure, kinds[number], reports, taken):
                if agrees(failure, reports[index]):
                    pairs[number] = index
                    taken.add(index)
                    break

    take(lambda failure, report: covers(failure, report) and failure["expect_errno"] == report.get("errno") and
         (same_number(failure["bad_page"], page_of(report)) if failure["bad_page"] else True))
    take(covers)
    return pairs, taken


def compare(operation, report, row, features):
    """All that is not as it must be; what is merely not said is Unsaid."""
    problems = []

    def expect(what, wanted, got, less=(None,)):
        if wanted != got:
            text = f"{what}: expected {wanted}, reported {got}"
            problems.append(Unsaid(text) if got in less else text)

    expect("errno", row.errno or operation["expect_errno"], report.get("errno"))
    expect("cause", row.cause, report.get("cause"), (None, "unknown"))
    expect("confidence", row.confidence, report.get("confidence"), (None, "unknown", *(["inferred"] if row.confidence == "proved" else [])))
    if row.delivered:
        expect("delivered", row.delivered, report.get("delivered"))
    expect("comm", "workload", report.get("comm"))
    if operation["bad_page"] and not same_number(operation["bad_page"], page_of(report)):
        expect("failing page", operation["bad_page"], page_of(report))
    if row.cause == "pte-special-devmap":
        flags = set(report.get("page", {}).get("flags", []))
        if not {"SPECIAL", "DEVMAP"} <= flags:
            text = f"page flags: SPECIAL and DEVMAP expected, reported {sorted(flags)}"
            problems.append(text if "flags" in report.get("page", {}) else Unsaid(text))
        # Both rungs of the ladder must give this answer.
        seen = {link.get("function"): link.get("seen") for link in report.get("chain", [])}
        expect("hmm_vma_handle_pte seen", "replayed" if "replay" in features else "direct", seen.get("hmm_vma_handle_pte"), (None, "replayed"))
    # Of others what follows is another scenario, perhaps at the same addresses.
    if row.name in FOLLOWED:
        expect("what follows", FOLLOWED[row.name], next((field for field in ("recovered_by", "followed_by") if field in report), None))
    if row.name in SAYS:
        words, is_said = SAYS[row.name]
        expect(f"the summary says \"{words}\"", is_said, words in report.get("summary", ""))
    if row.cause in ("pte-special-devmap", "pin-fsdax"):
        expect("mapping.fsdax", True, report.get("mapping", {}).get("fsdax"))
    if row.says and row.says not in report.get("summary", ""):
        problems.append(f"summary: \"{row.says}\" expected in it, it is: {report.get('summary')}")
    if not report.get("summary"):
        problems.append("the report has no summary")
    if not report.get("chain"):
        problems.append(Unsaid("the report has no chain"))
    return problems


def worth(operation, report, row, features):
    """(verdict, problems) of one failure that had to be reported. What is said, and not so, is wrong."""
    if row is None or row.cause is None:
        return WRONG, ["the scenario table has no row with a cause for this failure"]
    if not operation["ok"]:
        return WRONG, ["the workload itself did not get what it expected"]
    if report is None:
        return UNSEEN, [Unsaid(f"not reported (pid {operation['pid']} tid {operation['tid']} address {operation['address']} "
                               f"page {operation['bad_page']})")]
    problems = compare(operation, report, row, features)
    if not problems:
        return RIGHT, []
    is_unknown = report.get("cause") == "unknown" != row.cause
    if any(not isinstance(problem, Unsaid) and (not is_unknown or problem.startswith(STATED)) for problem in problems):
        return WRONG, problems
    return (UNKNOWN if is_unknown else WEAKER), list(map(Unsaid, problems))


def shown(report):
    page = page_of(report)
    mr = report.get("mr", {}).get("address")
    return (f"{report.get('operation')} {report.get('errno')} {report.get('cause')} pid {report.get('pid')}"
            f" tid {report.get('tid')}" + (f" page {page}" if page else "") + (f" MR {mr}" if mr else ""))


def check_recording(operations, reports, scenarios, features):
    """operations: the workload's lines; reports: `mrtrace report --json`. Returns checks in the workload's order."""
    # In an asynchronous failure the workload itself sees nothing, so what it expects is what counts.
    failures = [operation for operation in operations if operation["expect_errno"] is not None]
    rows = [choose(scenarios, failure["scenario"].split(":")[-1], failure, features) for failure in failures]
    pairs, taken = pair_up(failures, reports, [reported_as(*both) for both in zip(failures, rows)])
    checks = []
    successes = {}
    number = 0
    for operation in operations:
        name = operation["scenario"]
        label = f"{operation['op']} {operation['expect_errno'] or 'success'}"
        if not operation["ok"]:
            checks.append(Check(name, label, [f"the workload itself did not get what it expected: {json.dumps(operation)}"]))
        if operation["expect_errno"] is None:
            successes[name] = successes.get(name, 0) + 1
            continue
        report = reports[pairs[number]] if number in pairs else None
        row = rows[number]
        number += 1
        _, problems = worth(operation, report, row, features) if operation["ok"] else (WRONG, [])
        if report is None or row is None:
            checks.append(Check(name, label, problems))
        else:
            page = page_of(report)
            checks.append(Check(name, f"{label} -> {row.cause}, {row.delivered}" + (f", page {page}" if page else ""), problems))
    for family in ("again", "again-pinned", "again-refused"):
        again = [reports[index] for number, index in pairs.items() if failures[number]["scenario"].startswith(family + ":")]
        if again:
            lent = sum("repeats_after_ns" in report for report in again)
            checks.append(Check(family, f"some of {len(again)} failures have the evidence of one before: {lent}",
                                [] if lent > 0 else [Unsaid("expected some")]))
    extra = [shown(report) for index, report in enumerate(reports) if index not in taken]
    total = sum(successes.values())
    checks.append(Check("(all)", f"{total} operations that succeeded are not reported",
                        [f"reported though nothing failed: {text}" for text in extra]))
    return checks
