# SPDX-License-Identifier: Apache-2.0
"""A group of scenarios that ran under one `mrtrace record`: what it left is read back, and the run itself is judged."""

import json
import os

from mrlab import tracer
from mrlab.files import read_json_lines, text_of
from mrlab.judges import accounts, pages, pairing
from mrlab.results import Check, Unsaid

# More than six: fentry cannot have it before 6.6.
MANY_ARGUMENTS = ("migrate_pages",)


class Ran:
    """A group that was run: the workload's lines, the reports, and what was wrong with the run itself."""

    def __init__(self, group, directory, mrtrace):
        self.checks = []
        self.operations, self.reports, self.skipped = [], [], []
        self.misses = 0     # of hooks and records, as the recording counts them
        self.whole = False
        self._group, self._directory = group, directory
        self._read(mrtrace)

    def _fail(self, what, problem):
        self.checks.append(Check(self._group.name, what, [problem]))

    def _path(self, name):
        return os.path.join(self._directory, name)

    def _read(self, mrtrace):
        status = text_of(self._path("status"))
        if not status:
            return self._fail("ran", "the guest did not come to the end of it")
        errors = text_of(self._path("record.stderr"))[-1500:]
        if self._group.blind:
            return self._refused(status, errors)
        if not os.path.exists(self._path("operations.jsonl")):
            return self._fail("mrtrace record", f"exit status {status}, the workload did not start: {errors}")
        lines, problems = read_json_lines(self._path("operations.jsonl"))
        self.skipped = [line for line in lines if "skipped" in line]
        self.operations = [line for line in lines if "skipped" not in line]
        self.checks.append(Check(self._group.name, "the workload wrote whole lines", problems))
        complaints = text_of(self._path("workload.stderr"))
        self.checks.append(Check(self._group.name, "mrtrace record passes the workload's exit status 0 on",
                                       [] if status == "0" else [f"exit status {status}", *filter(None, [complaints, errors])]))
        told = {line["scenario"].split(":")[0] for line in lines}
        silent = [name for name in self._group.scenarios if name not in told]
        if silent:
            self._fail("every scenario did something", f"no operation of {', '.join(silent)}")
        self._report(mrtrace)
        self.whole = True
        return None

    def _refused(self, status, errors):
        """Of a group without any function where operations begin."""
        began = os.path.exists(self._path("operations.jsonl"))
        refused = status == "1" and not began and errors.startswith("mrtrace: nothing would be seen: ")
        self.checks.append(Check(self._group.name, "mrtrace record refuses to run where it would see nothing",
                                       [] if refused else [f"exit status {status}, the workload {'ran' if began else 'did not start'}: {errors}"]))
        self.whole = refused

    def _report(self, mrtrace):
        recording = self._path("recording")
        done = tracer.call(mrtrace, "report", "--json", recording)
        with open(self._path("report.jsonl"), "w", encoding="utf-8") as file:
            file.write(done.stdout)
        notes = tracer.complaints(done.stderr, self._group.name)
        if done.returncode or notes:
            message = "\n".join(notes)[-500:]
            self._fail("mrtrace report --json", f"exit status {done.returncode}: {message}")
        self.reports, problems = read_json_lines(self._path("report.jsonl"))
        if problems:
            self.checks.append(Check(self._group.name, "mrtrace report --json prints JSON lines", problems))
        self.checks.append(self._babeltrace(recording))
        lines = tracer.exported(mrtrace, recording)
        if lines:
            header = json.loads(lines[0])
            pairing.begin_times(self.reports, header["clock"]["offset_ns"])
            refused = [f"{hook['symbol']}: {hook['note']}" for hook in header["hooks"]
                       if "refused by this kernel" in hook.get("note", "") and hook["symbol"] not in MANY_ARGUMENTS]
            self.checks.append(Check(self._group.name, "the kernel refused no program", refused))
        hooks, losses, _ = accounts.of(lines)
        self.misses = accounts.misses(hooks, losses)
        found = accounts.problems(hooks)
        self.checks.append(Check(self._group.name, "every call and record of every hook is accounted for", found))
        if "pages" in self._group.options:
            found = map(Unsaid, pages.problems(self.operations, pages.events(lines)))
            self.checks.append(Check(self._group.name, "every page of what succeeded is there, with its entry", list(found)))

    def _babeltrace(self, recording):
        done = tracer.babeltrace(recording)
        complaints = done.stderr.strip().splitlines()[:3] + ([f"exit status {done.returncode}"] if done.returncode else [])
        return Check(self._group.name, "babeltrace2 reads the recording without a warning", complaints)
