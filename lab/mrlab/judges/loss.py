# SPDX-License-Identifier: Apache-2.0
"""How a run with a ring too small is judged: what is lost is counted exactly, and every output says so."""

import collections
import csv
import glob
import os
import re
import sqlite3
import tempfile

from mrlab import tracer
from mrlab.files import text_of
from mrlab.judges import accounts, perfetto
from mrlab.results import Judge


class Run(Judge):
    """One recording, beside mrtrace's own numbers the kernel's (tracefs, kprobe_profile: how often each function was called)."""

    def __init__(self, name, directory, mrtrace, small):
        super().__init__(name)
        self.directory, self.mrtrace, self.small = directory, mrtrace, small
        self.recording = os.path.join(directory, "recording")
        self.accounts, self.losses, self.footer = accounts.read(mrtrace, self.recording)
        self.lost = sum(account["lost"] for account in self.accounts.values())

    def text(self, name):
        return text_of(self.directory, name)

    def call(self, *arguments):
        return tracer.call(self.mrtrace, *arguments)

    def all(self):
        self.check("calls and records are all accounted for", accounts.problems(self.accounts))
        self.kernel()
        if self.small:
            self.check("the ring was too small for the burst", [] if self.lost else ["nothing was lost"])
        else:
            self.expect("nothing was lost with room", 0, self.lost)
        wanted = "0" if not self.small else "3"
        self.expect("record --strict's exit status", wanted, self.text("status"))
        told = self.text("stderr")
        self.check("record tells the loss on standard error", [] if not self.lost or re.search(rf"\b{self.lost} records", told) else [told[-300:]])
        self.babeltrace()
        self.report()
        self.exports()
        return self.checks

    def kernel(self):
        """Calls as tracefs counted them."""
        problems, compared = [], 0
        for line in self.text("profile").splitlines():
            function, hits, misses = line.split()
            account = self.accounts.get(function)
            if not account or int(misses):
                continue
            compared += 1
            ours = account["calls"] + account["running"]
            if ours != int(hits):
                problems.append(f"{function}: the kernel counted {hits} calls, mrtrace {ours}: {account}")
        self.check(f"calls are those that the kernel counted ({compared} functions)", problems if compared else ["nothing to compare"])

    def babeltrace(self):
        done = tracer.babeltrace(self.recording)
        told = sum(int(number) for number in re.findall(r"discarded (\d+) event", done.stderr))
        self.expect("babeltrace2 tells as many discarded events", (0, self.lost), (done.returncode, told))
        self.holds("there are streams", glob.glob(os.path.join(self.recording, "stream_*")))

    def report(self):
        text = self.call("report", self.recording)
        self.check("report tells the loss", [] if not self.lost or re.search(rf"\b{self.lost} records", text.stdout) else [text.stdout[-500:]])
        done = self.call("report", "--json", self.recording)
        failures = tracer.objects(done.stdout)
        self.check("report --json tells the loss", [] if not self.lost or re.search(rf"\b{self.lost} records", done.stderr) else [done.stderr[-300:]])
        self.check("what has gaps says so, and is not proved",
                   [f"{one['operation']} tid {one['tid']} lost {one.get('lost')}: {one['confidence']}, {one.get('incomplete')}" for one in failures
                    if (one.get("lost") or one.get("incomplete")) and (one["confidence"] == "proved" or not one.get("incomplete"))])
        self.gaps = sum(1 for one in failures if one.get("incomplete"))
        self.failures = len(failures)
        if self.small:
            # Where the burst was fastest, operations lost their very end: those are no failures told, but counted.
            endless = [loss["count"] for loss in self.losses if loss["what"] == "unfinished_operations"]
            self.check(f"some of the {self.failures} failures have gaps, or operations are told that have no end",
                       [] if self.gaps or endless else ["none"])
        self.expect("report --strict's exit status", 3 if self.small else 0, self.call("report", "--strict", self.recording).returncode)

    def exports(self):
        with tempfile.TemporaryDirectory(prefix="mrtrace-loss.") as work:
            path = {form: os.path.join(work, "out." + form) for form in ("jsonl", "csv", "sqlite", "perfetto")}
            statuses = {form: self.call("export", "--strict", self.recording, "--to", form, "-o", file).returncode for form, file in path.items()}
            self.expect("export --strict's exit status", {form: 3 if self.small else 0 for form in path}, statuses)
            self.expect("jsonl: the footer's loss", self.lost, self.footer.get("lost"))
            ring = collections.Counter()
            for loss in self.losses:
                if loss["what"] in ("ring_full", "shed"):
                    ring[loss["function"]] += loss["count"]
            self.expect("jsonl: loss records", {name: one["lost"] for name, one in self.accounts.items() if one["lost"]}, dict(ring))
            with open(path["csv"], encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            self.expect("csv: failures with gaps", self.gaps, sum(1 for row in rows if row["errno"] and row["incomplete"]))
            base = sqlite3.connect(path["sqlite"])
            self.expect("sqlite: records lost", (self.lost, self.lost), (base.execute("SELECT sum(lost) FROM loss").fetchone()[0],
                        int(base.execute("SELECT value FROM recording WHERE key = 'records_lost'").fetchone()[0])))
            self.expect("sqlite: every hook's sum agrees", [], base.execute("SELECT * FROM loss_check WHERE NOT agrees").fetchall())
            self.expect("sqlite: failures with gaps", self.gaps,
                        base.execute("SELECT count(*) FROM failures JOIN operations ON id = operation_id WHERE incomplete IS NOT NULL").fetchone()[0])
            base.close()
            with open(path["perfetto"], "rb") as file:
                trace = perfetto.Trace(file.read())
            values = counter_values(trace, "records lost")
            self.expect("perfetto: the counter's last value", self.lost, values[-1] if values else None)
            if self.small:
                self.check("perfetto: the loss is told near its time", [] if len(values) > 1 else [f"one point: {values}"])


def counter_values(trace, name):
    uuids = {uuid for uuid, descriptor in trace.tracks.items() if descriptor[2] and descriptor[2][0] == name.encode()}
    return [event[2][30][0] for event in sorted(trace.events, key=lambda one: one[:2]) if event[2][11] and event[2][11][0] in uuids]
