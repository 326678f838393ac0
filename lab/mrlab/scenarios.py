# SPDX-License-Identifier: Apache-2.0
"""The scenario table (scenarios.tsv), and which of its rows apply on a guest."""

from mrlab.kernels import Version


class Scenario:
    def __init__(self, row):
        self.name = row["name"]
        self.needs = {word for word in row["needs"].split(",") if word not in ("", "-")}
        self.operation = blank(row["operation"])
        self.errno = blank(row["errno"])
        self.cause = blank(row["cause"])
        self.delivered = blank(row["delivered"])
        self.confidence = blank(row.get("confidence")) or ("unknown" if self.cause == "unknown" else "proved")
        self.sites = [site for site in (row.get("site") or "").split(",") if site not in ("", "-")]
        self.note = row.get("note") or ""
        self.says = blank(row.get("says"))


def blank(word):
    """The table writes - for nothing."""
    return None if word in ("", "-", None) else word


REQUIRED = ("name", "needs", "operation", "errno", "cause", "delivered")


def load(path):
    """Rows by scenario name; a scenario whose operations fail differently has a row for each."""
    scenarios = {}
    header, least = None, 0
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if not line.strip() or line.startswith("#"):
                continue
            fields = line.split("\t")
            if header is None:
                header = fields
                missing = [name for name in REQUIRED if name not in header]
                if missing:
                    raise ValueError(f"{path}: the header line lacks {', '.join(missing)}")
                least = max(header.index(name) for name in REQUIRED) + 1
                continue
            # What follows the columns that must be there may be left out.
            if not least <= len(fields) <= len(header):
                raise ValueError(f"{path}:{number}: {len(fields)} fields, the header has {len(header)}")
            scenario = Scenario(dict(zip(header, fields)))
            scenarios.setdefault(scenario.name, []).append(scenario)
    return scenarios


def compares(need):
    return need.startswith((">=", "<"))


# A row's operation, and the workload's word where that is another.
ASKED_AS = {"worker": "prefetch"}

REASONS = {
    "rawpfn": "there is no /dev/rawpfn on this kernel",
    "odplab": "only with the lab's module that gives older kernels on-demand paging",
    "no-odplab": "the lab's module gives this kernel on-demand paging",
    "no-advise": "this kernel's rxe has advise_mr",
    "odp": "this kernel's rxe has no on-demand paging",
    "no-odp": "this kernel's rxe has on-demand paging",
    "advise": "this kernel's rxe has no advise_mr",
    "write-fault": "RDMA WRITE to on-demand memory is not supported by this kernel's rxe",
    "broken": "this kernel does not have the 2021 bug",
    "stock": "only on a kernel of Debian's",
    "fsdax-2021": "only the kernel fsdax-2021 shows it",
    "fault-codes": "the tracer is not told to witness fault codes",
}


def missing_need(scenario, features):
    """Why the scenario does not apply, or None."""
    needs = scenario.needs - {"own", "root", "pin", "fsdax", "movable", "cma"}
    # What a kernel lacks is the better reason than the mode it is in.
    for need in sorted(needs, key=lambda word: (word.startswith("no-"), word)):
        if compares(need):
            if not all(one.meets(need) for one in features if isinstance(one, Version)):
                return f"needs a kernel from {need[2:]} on" if need.startswith(">=") else f"needs a kernel before {need[1:]}"
            continue
        wanted = need[3:] if need.startswith("no-") else need
        if (wanted in features) == need.startswith("no-"):
            return REASONS.get(need, f"needs {need}")
    return None


def choose(scenarios, name, operation, features):
    """The row for a failing operation of the workload."""
    rows = [row for row in scenarios.get(name, []) if missing_need(row, features) is None]
    if len(rows) > 1:
        rows = [row for row in rows if ASKED_AS.get(row.operation, row.operation) in (operation["op"], None)] or rows
    if len(rows) > 1:
        rows = [row for row in rows if row.errno == operation["expect_errno"]] or rows
    return rows[0] if rows else None
