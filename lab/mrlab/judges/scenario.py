# SPDX-License-Identifier: Apache-2.0
"""How a scenario is judged: what mrtrace reported is compared with what the workload saw and the scenario table says."""

import json

from mrlab.judges.pairing import page_of, pair_up, reported_as, same_number, shown
from mrlab.results import Check, Unsaid
from mrlab.scenarios import choose

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
