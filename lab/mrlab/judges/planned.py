# SPDX-License-Identifier: Apache-2.0
"""Compares what many threads planned to fail, with times, with what was reported: each planned failure with exactly one.

The workload's lines have start_ns and end_ns. A system call is found by its thread and its time alone, so that what is said
of another kind, range or page is told as wrong, and not as two different things missing and too many."""

import bisect
import collections
import os

from mrlab.judges import pairing

SYSCALLS = ("reg_mr", "rereg_mr", "advise_mr")
# Both are CLOCK_MONOTONIC; the kernel's programs read it in a way that may be behind by a little.
SLACK_NS = 5_000
# A worker's operation is found in any time from its request to the thread's next operation, which waits for it.
FOREVER = 1 << 63
# The scenario whose row tells of EBUSY, and how long the kernel tries before.
LIVELOCK, TRIES_NS = "storm-w", 1_000_000_000


class Planned:
    """An operation of the workload: what it is, where in time, and the row of the table that says what must be told."""

    def __init__(self, line, row):
        self.line, self.row = line, row
        self.kind = pairing.reported_as(line, row)
        self.surprised = not line["ok"]  # then the plan was wrong, and no answer is judged by it
        self.fails = line["expect_errno"] is not None and not self.surprised
        self.start, self.end = line["start_ns"], line["end_ns"]
        self.until = self.end           # of what a worker does for it
        self.reports = []

    @property
    def errno(self):
        return (self.row.errno if self.row else None) or self.line["expect_errno"]

    def __str__(self):
        line = self.line
        return (f"{line['scenario']} {self.kind} {self.errno or 'success'} pid {line['pid']} tid {line['tid']} {line['address']}+{line['length']:#x}"
                + (f" page {line['bad_page']}" if line["bad_page"] else "") + f" at {self.start}..{self.end}")


class Answer:
    """What became of one planned failure, or of one report that pairs with none (planned is None)."""

    def __init__(self, planned, report, wrong=(), name=None):
        self.planned, self.report, self.wrong, self.name = planned, report, list(wrong), name

    def __str__(self):
        said = describe(self.report) if self.report else "nothing"
        return f"{'; '.join(self.wrong) or self.name}\n         planned: {self.planned or 'nothing'}\n         said:    {said}"


PROVED, INFERRED, UNKNOWN, UNSAID, WRONG = "proved", "inferred", "unknown", "unsaid", "wrong"


def describe(report):
    times = f" at {report.get('time_ns')}+{report.get('duration_ns')}"
    request = report.get("request", {})
    where = f" request {request.get('address')}+{request.get('length')}" if request else ""
    chain = " <- ".join(f"{one['function']} {one['result']}" for one in report.get("chain", []))
    return (f"{pairing.shown(report)} {report.get('confidence', report.get('result'))} {report.get('delivered', '')}{where}{times}"
            + (f" repeats {report['repeats_after_ns']}" if "repeats_after_ns" in report else "")
            + (f" [{chain}]" if chain else "") + (f" incomplete: {report['incomplete']}" if report.get("incomplete") else ""))


def plan_one(line, table, features, choose):
    scenario = line["scenario"].split(":")[-1]
    if line["op"] == "advise_mr" and line["errno"] == "EBUSY" and LIVELOCK in table:
        # Any prefetch that does not get to its end for a second: with few CPUs other threads' mappings are enough for that.
        scenario, line = LIVELOCK, {**line, "expect_errno": "EBUSY", "bad_page": None, "ok": True}
    return Planned(line, choose(table, scenario, line, features) if line["expect_errno"] is not None else None)


def plan(lines, table, features, choose):
    """The workload's lines as operations, in order of time in each thread."""
    found = [plan_one(line, table, features, choose) for line in lines]
    found.sort(key=lambda one: one.start)
    last = {}
    for one in reversed(found):
        thread = one.line["pid"], one.line["tid"]
        one.until = last.get(thread, FOREVER)
        last[thread] = one.start
    return found


def times(report, offset):
    """Of CLOCK_MONOTONIC; `offset` is that of CLOCK_REALTIME."""
    begin = report["time_ns"] - offset if "time_ns" in report else None
    return (None, None) if begin is None else (begin, begin + (report.get("duration_ns") or 0))


def overlaps(planned, begin, end, until=None):
    """How long the report's time and the operation's have in common; None: they do not meet."""
    left, right = max(begin, planned.start - SLACK_NS), min(end, (planned.end if until is None else until) + SLACK_NS)
    return right - left if right >= left else None


def touches(planned, report):
    """Whether any range that the report names meets the operation's."""
    begin, length = int(planned.line["address"], 16), max(planned.line["length"], 1)
    ranges = [(part["address"], part.get("length", 1)) for part in (report.get("mr", {}), report.get("request", {})) if "address" in part]
    if "address" in report.get("page", {}):
        ranges.append((report["page"]["address"], 4096))
    return not ranges or any(int(start, 16) < begin + length and begin < int(start, 16) + max(size or 1, 1) for start, size in ranges)


def kind_of(report):
    """The kind of operation that is claimed: None where it was not seen."""
    return report.get("operation") if report.get("kind_seen", True) else None


class Pairing:
    """Finds the operation that a report is about. `of` gives (operation or None, what is wrong with the pair itself)."""

    def __init__(self, operations, offset):
        self.offset = offset
        self.by_thread, self.by_process = collections.defaultdict(list), collections.defaultdict(list)
        for one in operations:
            self.by_thread[one.line["pid"], one.line["tid"]].append(one)
            self.by_process[one.line["pid"]].append(one)
        self.starts = {thread: [one.start for one in some] for thread, some in self.by_thread.items()}

    def of(self, report):
        begin, end = times(report, self.offset)
        if begin is None:
            return None, ["it has no time"]
        kind = kind_of(report)
        if kind in SYSCALLS or kind is None or kind == "unknown":
            return self.system_call(report, begin, end)
        return self.worker(report, kind, begin, end)

    def in_time(self, report, begin, end):
        thread = report.get("pid"), report.get("tid")
        some = self.by_thread.get(thread, [])
        first = bisect.bisect_right(self.starts.get(thread, []), begin) - 2
        found = []
        for one in some[max(first, 0):]:
            if one.start > end + SLACK_NS:
                break
            common = overlaps(one, begin, end)
            if common is not None:
                found.append((common, one))
        return found

    def system_call(self, report, begin, end):
        found = self.in_time(report, begin, end)
        if not found:
            return None, [f"no operation of pid {report.get('pid')} tid {report.get('tid')} at this time"]
        # Shorter than the operation, and inside: by nearest kind first, where the slack lets it meet its neighbours.
        best = max(found, key=lambda one: (one[0], one[1].kind == report.get("operation")))[1]
        wrong = []
        inside = [one for common, one in found if common > 2 * SLACK_NS]
        if len(inside) > 1:
            wrong.append(f"its time covers {len(inside)} operations of the thread")
        return best, wrong

    def worker(self, report, kind, begin, end):
        meeting = [one for one in self.by_process.get(report.get("pid"), []) if one.kind == kind and overlaps(one, begin, end, one.until) is not None]
        some = [one for one in meeting if touches(one, report)]
        # A system call of this thread comes before what is elsewhere: then it is told as another kind.
        near = [one for _, one in self.in_time(report, begin, end)]
        for choice in ([one for one in some if one.fails], some, near, meeting):
            if choice:
                # the first that has no report yet
                return next((one for one in choice if not one.reports), choice[0]), []
        return None, [f"no {kind} of pid {report.get('pid')} at this time"]


def same(left, right):
    return pairing.same_number(left, right)


def complaints(planned, report):
    """What is wrong with what is said of this operation, apart from its cause: said, and not so. Unsaid is not wrong."""
    line, found = planned.line, []
    kind = kind_of(report)
    if kind not in (planned.kind, None, "unknown"):
        found.append(f"kind: {planned.kind} is told as {kind}")
    if report.get("errno") not in (planned.errno, None):
        found.append(f"errno: {planned.errno} is told as {report['errno']}")
    delivered = planned.row.delivered if planned.row else None
    if delivered and report.get("delivered") not in (delivered, None, "unknown"):
        found.append(f"delivered: {delivered} is told as {report['delivered']}")
    if report.get("comm") not in ("workload", None):
        found.append(f"comm: {report['comm']}")
    page = pairing.page_of(report)
    if line["bad_page"] and page and not same(line["bad_page"], page):
        found.append(f"page: {line['bad_page']} is told as {page}")
    begin, length = int(line["address"], 16), line["length"]
    request = report.get("request", {})
    if planned.kind in SYSCALLS and "address" in request and "iova" not in line["scenario"]:
        if (int(request["address"], 16), request.get("length", length)) != (begin, length):
            found.append(f"request: {line['address']}+{length} is told as {request['address']}+{request.get('length')}")
    region = report.get("mr", {})
    if "address" in region:
        start = int(region["address"], 16)
        if not (start < begin + max(length, 1) and begin < start + max(region.get("length", 1), 1)):
            found.append(f"mr: {region['address']}+{region.get('length')} has nothing of {line['address']}+{length}")
    mapping = report.get("mapping", {})
    if line["bad_page"] and "start" in mapping and not int(mapping["start"], 16) <= int(line["bad_page"], 16) < int(mapping["end"], 16):
        found.append(f"mapping: {mapping['start']}-{mapping['end']} does not hold {line['bad_page']}")
    path = mapping.get("file") or ""
    if path.startswith("/mnt/") and not os.path.basename(path).startswith(f"{line['scenario']}.{line['tid']}."):
        found.append(f"file: {path} is another one's")
    return found


def was_given_up(planned, report):
    """An asynchronous prefetch that was not let come to its end: of that the process sees nothing, whatever it planned."""
    return (planned.kind == "prefetch" and report.get("operation") == "prefetch" and report.get("errno") == "EBUSY"
            and report.get("cause") in ("invalidation-livelock", "unknown") and report.get("duration_ns", 0) >= TRIES_NS)


def judge(planned, report):
    if was_given_up(planned, report):
        wrong = [one for one in complaints(planned, report) if not one.startswith("errno:")]
        return Answer(planned, report, wrong, UNKNOWN if report["cause"] == "unknown" else report.get("confidence"))
    wrong = complaints(planned, report)
    cause = report.get("cause")
    if not planned.fails:
        return Answer(planned, report, ["a success is told as a failure", *wrong])
    if planned.row is None or planned.row.cause is None:
        return Answer(planned, report, ["the scenario table has no row with a cause for this failure"])
    if cause not in (planned.row.cause, "unknown"):
        wrong.append(f"cause: {planned.row.cause} is told as {cause}")
    if wrong:
        return Answer(planned, report, wrong, WRONG)
    name = UNKNOWN if cause == "unknown" and planned.row.cause != "unknown" else report.get("confidence")
    return Answer(planned, report, [], PROVED if cause == "unknown" and name == "unknown" and planned.row.cause == "unknown" else name)


class Result:
    """All answers: one for each planned failure, one for each report that is about none."""

    def __init__(self, operations, reports, offset):
        self.operations = operations
        self.answers, self.surprises = [], [one for one in operations if one.surprised]
        pairing = Pairing(operations, offset)
        for report in reports:
            if "cause" not in report:
                self.success(pairing, report)
                continue
            planned, wrong = pairing.of(report)
            if planned is None:
                self.answers.append(Answer(None, report, ["reported, and nothing failed: ", *wrong], WRONG))
                continue
            if planned.surprised:
                continue
            answer = judge(planned, report)
            answer.wrong = [*wrong, *answer.wrong]
            if planned.reports:
                answer.wrong.append("told a second time")
            planned.reports.append(report)
            if planned.fails or answer.wrong:
                self.answers.append(answer)
        said = {id(answer.planned) for answer in self.answers}
        self.answers += [Answer(one, None, [], UNSAID) for one in self.failures if id(one) not in said]

    def success(self, pairing, report):
        """Where it is inside one planned failure alone, a failure is told as a success."""
        if report.get("operation") not in SYSCALLS:
            return
        begin, end = times(report, pairing.offset)
        if begin is None:
            return
        found = [one for common, one in pairing.in_time(report, begin, end) if one.kind == report["operation"]]
        if len(found) == 1 and found[0].fails and found[0].start <= begin and end <= found[0].end:
            found[0].reports.append(report)
            self.answers.append(Answer(found[0], report, ["a failure is told as a success"], WRONG))

    @property
    def failures(self):
        return [one for one in self.operations if one.fails]

    @property
    def wrong(self):
        return [one for one in self.answers if one.wrong]

    def named(self, *names):
        return [one for one in self.answers if not one.wrong and one.planned is not None and one.name in names]

    def counts(self):
        wrong = self.wrong
        by_reference = sum("repeats_after_ns" in one.report for one in self.named(PROVED, INFERRED))
        return {"planned": len(self.failures), "kinds": len({one.line["scenario"] for one in self.failures}),
                "present": sum(1 for one in self.failures if one.reports), "proved": len(self.named(PROVED)), "inferred": len(self.named(INFERRED)),
                "by_reference": by_reference, "unknown": len(self.named(UNKNOWN)), "unsaid": len(self.named(UNSAID)),
                "wrong": len(wrong), "wrong_proved": sum(one.report.get("confidence") == "proved" for one in wrong),
                "surprises": len(self.surprises)}
