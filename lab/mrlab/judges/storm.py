# SPDX-License-Identifier: Apache-2.0
"""How a storm is judged: each planned failure against exactly one answer (planned.py), and what was not seen against what is counted."""

import collections
import json
import os

from mrlab import metrics, scenarios, tracer
from mrlab.files import read_json_lines, text_of
from mrlab.judges import accounts, planned
from mrlab.results import Judge

SHOWN = 12
# What libibverbs says in a process whose locked memory is limited.
LIBRARY = ("libibverbs: Warning: RLIMIT_MEMLOCK is 32768 bytes.", "    This will severely limit memory registrations.",
           "libibverbs: Warning: RLIMIT_MEMLOCK is 0 bytes.")


class Storm(Judge):
    """What a guest left, judged."""

    def __init__(self, place, mrtrace, table, features):
        super().__init__("storm")
        self.place, self.mrtrace = place, mrtrace
        self.has_odp = "odp" in features
        self.recording = self.path("recording")
        lines, problems = read_json_lines(self.path("operations.jsonl"))
        self.skipped = [line for line in lines if "skipped" in line]
        self.check("the processes wrote whole lines, and complain of nothing", problems + [line for line in self.text("workload.stderr").splitlines() if line not in LIBRARY])
        self.operations = planned.plan([line for line in lines if "skipped" not in line], table, features, scenarios.choose)
        done = self.run("report", "--json", "--all", self.recording)
        self.reports = tracer.objects(done.stdout)
        self.notes = done.stderr.strip().splitlines()
        exported = tracer.exported(mrtrace, self.recording)
        header = json.loads(exported[0])
        self.result = planned.Result(self.operations, self.reports, header["clock"]["offset_ns"])
        self.counts = self.result.counts()
        self.accounts, self.losses, self.footer = accounts.of(exported)

    def path(self, name):
        return os.path.join(self.place, name)

    def text(self, name):
        return text_of(self.place, name)

    def run(self, *words):
        return tracer.call(self.mrtrace, *words)

    def check(self, what, problems):
        super().check(what, list(problems)[:SHOWN])

    def print_answers(self, most):
        for one in self.result.wrong[:most]:
            print(f"WRONG {one}")
        unsaid = collections.Counter(one.planned.line["scenario"] for one in self.result.named(planned.UNSAID))
        print("unsaid, by scenario:", ", ".join(f"{name} {count}" for name, count in unsaid.most_common()) or "none")
        unknown = collections.Counter(one.planned.line["scenario"] for one in self.result.named(planned.UNKNOWN))
        print("unknown, by scenario:", ", ".join(f"{name} {count}" for name, count in unknown.most_common()) or "none")

    def print_accounts(self):
        columns = [name for name in ("calls", "reported", "cut", "aggregated", "unstarted", "missed", "missed_entries", "missed_returns", "untracked",
                                     "running", "recorded", "lost")]
        columns += sorted({name for one in self.accounts.values() for name in one if name.startswith("shed")})
        print(f"{'hook':46}" + "".join(f"{name:>15}" for name in columns))
        for function, one in sorted(self.accounts.items(), key=lambda item: -item[1].get("missed", 0) - item[1].get("missed_entries", 0) - item[1]["lost"]):
            if one["calls"] or one.get("missed_entries"):
                print(f"{function:46}" + "".join(f"{one.get(name, 0):15}" for name in columns))
        for one in self.losses:
            if one["what"] not in ("ring_full", "missed"):
                print("loss:", json.dumps(one))
        for note in self.notes:
            print("report:", note)

    def judged(self, limits):
        counts = self.counts
        self.check("no answer is wrong", [str(one) for one in self.result.wrong])
        self.check("the processes got what they planned", [str(one.line) for one in self.result.surprises])
        kinds = limits.kinds or (30 if self.has_odp else 20)
        self.check(f"{counts['kinds']} kinds of failures", [] if counts["kinds"] >= kinds else [f"at least {kinds} wanted"])
        self.check("every hook's calls and records are accounted for", accounts.problems(self.accounts))
        named = counts["proved"] + counts["inferred"]
        share = 100 * named / max(counts["planned"], 1)
        self.check(f"{share:.2f} % of the planned failures are named", [] if share >= limits.named else [f"at least {limits.named} % wanted"])
        share = 100 * counts["present"] / max(counts["planned"], 1)
        self.check(f"{share:.2f} % of the planned failures are reported", [] if share >= limits.present else [f"at least {limits.present} % wanted"])
        counted = self.counted()
        self.check(f"{counts['unsaid']} failures are unsaid, and {counted} operations said to be not seen or not whole",
                   [] if counts["unsaid"] <= counted else ["what is unsaid must be counted"])
        self.totals()

    def counted(self):
        """Operations of which the recording itself says that it lacks them, by the hooks that begin and end them."""
        total = sum(one["count"] for one in self.losses if one["what"] == "unfinished_operations")
        for function, one in self.accounts.items():
            if function in ROOTS:
                total += sum(one.get(name, 0) for name in ("cut", "unstarted", "missed", "missed_entries", "missed_returns", "untracked"))
        return total

    def totals(self):
        """The report's text, its JSON, the export's totals, what the kernel counted, and the processes' own list."""
        failures = [one for one in self.reports if "cause" in one]
        seen = {"operations": len(self.reports), "failures": len(failures), "causes": dict(collections.Counter(one["cause"] for one in failures))}
        self.check(f"the export's totals are the report's: {seen['operations']} operations",
                   [f"{name}: {seen[name]} reported, {self.footer.get(name)} in the footer" for name in seen if seen[name] != self.footer.get(name)])
        own = collections.Counter(ROOT_OF[one.line["op"]] for one in self.operations if one.line["op"] in ROOT_OF)
        self.check(f"the verbs' calls are those that the processes made: {dict(own)}",
                   [f"{function}: {count} made, {self.accounts.get(function, {}).get('calls')} counted: {self.accounts.get(function)}"
                    for function, count in own.items() if self.accounts.get(function, {}).get("calls") != count])
        if os.path.exists(self.path("last.prom")):
            self.metrics()
        mended = sum("recovered_by" in one for one in failures)
        text = " ".join(self.run("report", self.recording).stdout.split())
        words = f"{len(failures) - mended} failed operations" + (f", {mended} mended by the program itself" if mended else "") + ", of "
        self.check(f"report says \"{words}…\"", [] if words in text else [text[-300:]])

    def metrics(self):
        """What a monitor beside counted: by operation, errno and cause no more than the processes planned, and what is less it says."""
        found = metrics.samples(self.text("last.prom"))
        wanted = collections.Counter((one.kind, one.errno, one.row.cause) for one in self.result.failures)
        got = metrics.by(found, "mrtrace_failures_total", "operation", "errno", "cause")
        self.check(f"metrics: {sum(got.values())} failures, no cause of which more than the processes planned",
                   [f"{key}: {count} in the metrics, {wanted[key]} planned" for key, count in got.items() if count > wanted[key] and key[2] != "unknown"])
        own = collections.Counter(one.kind for one in self.operations if one.kind in planned.SYSCALLS)
        counted = {key[0]: count for key, count in metrics.by(found, "mrtrace_operations_total", "operation").items() if key[0] in planned.SYSCALLS}
        lost = sum(metrics.by(found, "mrtrace_lost_total", "function", "what").values())
        # The call that asks for an asynchronous prefetch is an operation too.
        own["advise_mr"] += sum(one.kind == "prefetch" for one in self.operations)
        self.check(f"metrics: operations {counted}, and {lost} said to be lost",
                   [f"{kind}: {counted.get(kind, 0)} counted, {count} made" for kind, count in own.items()
                    if counted.get(kind, 0) > count or (counted.get(kind, 0) < count and not lost)])


# The functions that these operations of the workload call.
ROOT_OF = {"reg_mr": "ib_uverbs_reg_mr", "advise_mr": "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR", "prefetch": "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR",
           "rereg_mr": "ib_uverbs_rereg_mr"}
ROOTS = ("ib_uverbs_reg_mr", "ib_uverbs_rereg_mr", "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR", "ib_uverbs_handler_UVERBS_METHOD_REG_MR",
         "ib_umem_odp_map_dma_and_lock", "rxe_ib_prefetch_mr_work")
COLUMNS = ("planned", "kinds", "present", "proved", "inferred", "by_reference", "unknown", "unsaid", "wrong", "wrong_proved", "surprises")


def row(name, counts):
    return f"{name:28}" + "".join(f"{counts[column]:>13}" for column in COLUMNS)
