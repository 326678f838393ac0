# SPDX-License-Identifier: Apache-2.0
"""How the service is judged: failures in journal and metrics, its sandbox, its recordings, its end; and the unit by systemd itself."""

import collections
import os
import subprocess
import tempfile

from mrlab import metrics, tracer
from mrlab.files import ROOT, read_json_lines, text_of
from mrlab.judges.pairing import reported_as
from mrlab.results import Check, Judge

UNIT = os.path.join(ROOT, "docs/mrtrace-monitor.service")
CAPABILITIES = {"CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21, "CAP_SYSLOG": 34, "CAP_PERFMON": 38, "CAP_BPF": 39}


def fields(text):
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


class Service(Judge):
    """What a guest left in which systemd ran the monitor."""

    def __init__(self, place, mrtrace):
        super().__init__("service")
        self.place, self.mrtrace = place, mrtrace

    def text(self, name):
        return text_of(self.place, name)

    def all(self):
        lines, problems = read_json_lines(os.path.join(self.place, "operations.jsonl"))
        failures = collections.Counter((reported_as(line, None), line["expect_errno"]) for line in lines if line["expect_errno"])
        self.check(f"{len(lines)} operations, {sum(failures.values())} of them failed, as the workload expects",
                   problems + [str(line) for line in lines if not line["ok"]][:3] + ([] if failures else ["none failed"]))
        for name in ("last.prom", "scraped.prom"):
            found = metrics.samples(self.text(name))
            self.expect(f"{name}: failures", dict(failures), metrics.by(found, "mrtrace_failures_total", "operation", "errno"))
            self.expect(f"{name}: what was lost", {}, metrics.by(found, "mrtrace_lost_total", "function", "what"))
        self.journal(failures)
        self.sandbox()
        paths = [os.path.join(self.place, "recordings", name) for name in os.listdir(os.path.join(self.place, "recordings")) if name.startswith("monitor-")]
        self.check(f"{len(paths)} recordings in its state directory", [] if paths else ["none"])
        for path in paths:
            done = tracer.call(self.mrtrace, "report", "--json", path)
            self.check(f"{os.path.basename(path)} reads back", [] if done.returncode == 0 and done.stdout else [done.stderr[-300:] or "no failure in it"])
        self.expect("it never had to be started again", "0", fields(self.text("running")).get("NRestarts"))
        self.check("it tells systemd what it does", [] if "hooks attached" in self.text("running") else [self.text("running")])
        self.expect("its end", {"Result": "success", "ActiveState": "inactive", "NRestarts": "0"}, fields(self.text("ended")))
        self.check("the metrics can be read by all", [] if self.text("mode").startswith("-rw-r--r--") else [self.text("mode")])
        return self.checks

    def journal(self, failures):
        lines = tracer.objects(self.text("journal.jsonl"))
        told = [line for line in lines if "MRTRACE_CAUSE" in line]
        self.expect("the journal has a line for each failure, with fields", dict(failures),
                    dict(collections.Counter((line["MRTRACE_OPERATION"], line["MRTRACE_ERRNO"]) for line in told)))
        self.check("each names a cause, and the device", [str(line) for line in told if line["MRTRACE_CAUSE"] == "unknown" or line["MRTRACE_DEVICE"] != "rxe0"][:2])
        messages = [line["MESSAGE"] for line in lines]
        for words in ("the configuration has been read again", "module rdma_rxe: "):
            self.check(f"the journal has \"{words}…\"", [] if any(words in message for message in messages) else messages[-5:])

    def sandbox(self):
        status = dict(line.split(":\t", 1) for line in self.text("process").splitlines() if ":\t" in line)
        self.expect("no new privileges, and system calls are filtered", ("1", "2"), (status.get("NoNewPrivs"), status.get("Seccomp")))
        allowed = sum(1 << number for number in CAPABILITIES.values())
        for name in ("CapEff", "CapPrm", "CapBnd"):
            self.check(f"{name} holds nothing but {', '.join(CAPABILITIES)}", [] if int(status.get(name, "-1"), 16) & ~allowed == 0 else [status.get(name)])


def verify(mrtrace):
    """systemd's own opinion of the file; the program is elsewhere here."""
    with tempfile.TemporaryDirectory(prefix="mrtrace-unit.") as work, open(UNIT, encoding="utf-8") as file:
        path = os.path.join(work, os.path.basename(UNIT))
        with open(path, "w", encoding="utf-8") as copy:
            copy.write(file.read().replace("/usr/bin/mrtrace", os.path.abspath(mrtrace)))
        done = subprocess.run(["systemd-analyze", "verify", path], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return Check("service", "systemd-analyze verify", done.stderr.strip().splitlines() + ([f"status {done.returncode}"] if done.returncode else []))
