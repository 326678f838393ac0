# SPDX-License-Identifier: Apache-2.0
"""How agreement is judged: every view of the same failures has the same numbers."""

import collections
import glob
import json
import os
import re
import sqlite3

from mrlab import metrics, scenarios, tracer
from mrlab.files import TABLE, read_json_lines, say, text_of
from mrlab.judges import accounts
from mrlab.judges.pairing import reported_as
from mrlab.results import Judge, Unsaid

# At most this many of a missed kind are shown.
SHOWN = 6


def by_count(rows):
    return {" ".join(str(part) for part in key if part is not None): value for key, value in sorted(rows.items(), key=str) if value}


class Agreement(Judge):
    """What processes, screens, JSON, metrics, reports and exports say of the same time."""

    def __init__(self, place, mrtrace, features, processes):
        """processes: how many of them fail."""
        super().__init__("agreement")
        self.place, self.mrtrace, self.features, self.processes = place, mrtrace, features, processes
        self.skipped = []  # hooks of which a tracer tells that the kernel skipped them

    def check(self, what, problems):
        super().check(what, list(problems)[:SHOWN])

    def same(self, what, wanted, got, either_way=False):
        """Every number of two tables of counts. Too few, and an unknown cause, are only less than expected; so is too much where the
        other table may lack something itself (either_way)."""
        wanted, got = by_count(wanted), by_count(got)
        problems = []
        for key in sorted(wanted.keys() | got.keys()):
            less = either_way or got.get(key, 0) < wanted.get(key, 0) or "unknown" in key.split()
            if wanted.get(key, 0) != got.get(key, 0):
                problems.append((Unsaid if less else str)(f"{key}: {wanted.get(key, 0)} expected, {got.get(key, 0)} here"))
        self.check(f"{what}: {sum(got.values())} in {len(got)} rows", problems or ([] if got else ["no number at all"]))

    def path(self, name):
        return os.path.join(self.place, name)

    def text(self, name):
        return text_of(self.place, name)

    def run(self, *words):
        done = tracer.call(self.mrtrace, *words)
        self.check(f"mrtrace {words[0]} {' '.join(word for word in words[1:] if word.startswith('-'))}".strip(),
                   tracer.complaints(done.stderr, "report or export") + ([f"status {done.returncode}"] if done.returncode else []))
        return done.stdout

    def all(self):
        self.workload()
        self.report()
        self.exports()
        self.live()
        self.screen()
        self.metrics()
        self.losses()
        for name in ("record", "live", "monitor"):
            self.check(f"{name} ended with status 0", [] if self.text(f"{name}.status") == "0" else [self.text(f"{name}.status")])
        return self.checks

    def workload(self):
        """What the processes themselves say: self.failures by operation, errno and cause, self.operations by kind."""
        table = scenarios.load(TABLE)
        self.failures, self.kinds, self.failed = collections.Counter(), collections.Counter(), collections.Counter()
        unexpected, processes = [], set()
        for path in sorted(glob.glob(self.path("operations.*"))):
            lines, problems = read_json_lines(path)
            unexpected += problems
            for line in lines:
                if not line["ok"]:
                    unexpected.append(str(line))
                    continue
                self.kinds[reported_as(line, None),] += 1
                # the call that asks for an asynchronous prefetch is an operation too, and succeeds
                if line["op"] == "prefetch":
                    self.kinds["advise_mr",] += 1
                if line["expect_errno"] is not None:
                    row = scenarios.choose(table, line["scenario"], line, self.features)
                    kind = reported_as(line, row)
                    self.failures[kind, row.errno or line["expect_errno"], row.cause] += 1
                    self.failed[kind,] += 1
                    processes.add(line["pid"])
        self.check(f"{sum(self.kinds.values())} operations ended as the processes expect, {sum(self.failures.values())} of them failed", unexpected)
        complaints = [self.text(os.path.basename(path)) for path in glob.glob(self.path("workload.*.stderr"))]
        self.check("no process complains", [text for text in complaints if text])
        self.check(f"{len(processes)} processes failed", [] if len(processes) == self.processes else ["too few"])

    def asked(self, counts):
        """How often the driver faults pages in for one RDMA WRITE that succeeds is not the process's to know."""
        return {key: value for key, value in counts.items() if key[0] != "page_fault"}

    def report(self):
        lines = [json.loads(line) for line in self.run("report", "--json", "--all", self.path("recording")).splitlines()]
        failures = [line for line in lines if "cause" in line]
        self.recorded = collections.Counter((line["operation"],) for line in lines)
        self.same("report: failures by operation, errno, cause, as the processes had them", self.failures,
                  collections.Counter((line["operation"], line["errno"], line["cause"]) for line in failures))
        self.same("report: operations, as the processes had them", self.asked(self.kinds), self.asked(self.recorded))
        self.mended = sum("recovered_by" in line for line in failures)
        text = self.text("report.txt")
        words = f"{len(failures) - self.mended} failed operations" + (f", {self.mended} mended by the program itself" if self.mended else "") + ", of "
        self.check(f"record printed \"{words}…\"", [] if words in " ".join(text.split()) else [text[-600:]])
        self.check("every failure is proved", [Unsaid(f"{line['operation']} {line['errno']} {line['cause']} is {line['confidence']}") for line in failures
                                               if line["confidence"] != "proved" and line["cause"] != "unknown"])

    def exports(self):
        records = [json.loads(line) for line in self.run("export", self.path("recording"), "--to", "jsonl").splitlines()
                   if line.startswith(('{"type":"failure"', '{"type":"operation"'))]
        self.same("export --to jsonl: failures", self.failures, collections.Counter(
            (one["operation"], one["errno"], one["cause"]) for one in records if one["type"] == "failure"))
        self.same("export --to jsonl: operations", self.recorded, collections.Counter((one["operation"],) for one in records))
        database = self.path("recording.sqlite")
        self.run("export", self.path("recording"), "--to", "sqlite", "--force", "-o", database)
        connection = sqlite3.connect(database)
        self.same("export --to sqlite: operations", self.recorded,
                  {row[:1]: row[1] for row in connection.execute("SELECT operation, COUNT(*) FROM operations GROUP BY 1")})
        self.same("export --to sqlite: failures", self.failures,
                  {row[:3]: row[3] for row in connection.execute(
                      "SELECT o.operation, f.errno, f.cause, COUNT(*) FROM failures f JOIN operations o ON o.id = f.operation_id GROUP BY 1, 2, 3")})
        connection.close()
        self.check("every call and record of every hook is accounted for", accounts.problems(accounts.read(self.mrtrace, self.path("recording"))[0]))

    def live(self):
        lines, problems = read_json_lines(self.path("live.jsonl"))
        self.check("live --json writes whole lines", problems)
        told, last = [line for line in lines if line["type"] == "failure"], lines[-1]
        counted = {("failures",): len(told) + sum(line.get("untold", 0) for line in lines if line["type"] == "live")}
        self.same("live --json: failures told, or said to be untold", {("failures",): sum(self.failures.values())}, counted)
        self.same("live --json: operations", self.recorded, {(row["operation"],): row["total"] for row in last["operations"]}, either_way=True)
        self.same("live --json: failed operations", self.failed, {(row["operation"],): row["failed"] for row in last["operations"]})
        by_cause = collections.Counter()
        for (_, _, cause), count in self.failures.items():
            by_cause[cause,] += count
        self.same("live --json: causes", by_cause, {(row["cause"],): row["total"] for row in last["causes"]})
        total = sum(self.failures.values())
        self.same("live --json: failed, explained, mended", {("failed",): total, ("explained",): total, ("mended",): self.mended},
                  {(name,): last[name] for name in ("failed", "explained", "mended")}, either_way=True)
        self.live_losses = [f"live: {one}" for one in last["losses"]]

    def screen(self):
        screen = self.text("screen.txt")
        found = {}
        for kind in self.recorded:
            row = re.search(rf"^{kind[0]} +(\d+) +\S+ +(\d+)", screen, re.MULTILINE)
            found[kind] = tuple(map(int, row.groups())) if row else (0, 0)
        self.same("record --live: operations on its screen", self.recorded, {kind: row[0] for kind, row in found.items()})
        self.same("record --live: failed operations on its screen", self.failed, {kind: row[1] for kind, row in found.items()})

    def metrics(self):
        for name in ("last.prom", "scraped.prom"):
            found = metrics.samples(self.text(name))
            def table(metric, *labels):
                return metrics.by(found, metric, *labels)
            self.same(f"{name}: failures", self.failures, table("mrtrace_failures_total", "operation", "errno", "cause"))
            self.same(f"{name}: operations", self.recorded, table("mrtrace_operations_total", "operation"), either_way=True)
            self.same(f"{name}: failed operations", self.failed, table("mrtrace_operation_failures_total", "operation"))
            self.same(f"{name}: durations", self.recorded, table("mrtrace_operation_duration_seconds_count", "operation"), either_way=True)
            if self.mended:
                self.same(f"{name}: mended", {(): self.mended}, {(): sum(table("mrtrace_failures_mended_total").values())}, either_way=True)
            self.monitor_losses = [f"monitor: {dict(key)} {value:.0f}" for (one, key), value in found.items() if one == "mrtrace_lost_total" and value]
        lines = len(re.findall(r"^mrtrace: \w+ by workload \(pid ", self.text("monitor.stderr"), re.MULTILINE))
        self.same("monitor: a line for each failure", {("lines",): sum(self.failures.values())}, {("lines",): lines})

    def losses(self):
        """A run of a hook that the kernel skipped, and of which the tracer tells, is no fault where all numbers agree."""
        recording = accounts.read(self.mrtrace, self.path("recording"))
        lost = [f"record: {one}" for one in recording[1]] + self.live_losses + self.monitor_losses
        self.skipped = [one for one in lost if "missed" in one or "unstarted" in one]
        for one in lost:
            say(one)
        self.check("no record was lost by any of the three", [one for one in lost if one not in self.skipped])
