# SPDX-License-Identifier: Apache-2.0
"""The pairing of failures with reports: which report is about which operation of the workload."""

# The workload's word for an operation, and the report's.
REPORTED_AS = {"rdma_write": "page_fault"}


def reported_as(operation, row):
    # The worker of the lab's module maps pages as that of a network card does: as a page fault.
    if row is not None and row.operation == "worker":
        return "page_fault"
    return REPORTED_AS.get(operation["op"], operation["op"])


def page_of(report):
    return report.get("page", {}).get("address")


def same_number(left, right):
    return left is not None and right is not None and int(left, 16) == int(right, 16)


def shown(report):
    page = page_of(report)
    mr = report.get("mr", {}).get("address")
    return (f"{report.get('operation')} {report.get('errno')} {report.get('cause')} pid {report.get('pid')}"
            f" tid {report.get('tid')}" + (f" page {page}" if page else "") + (f" MR {mr}" if mr else ""))


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
