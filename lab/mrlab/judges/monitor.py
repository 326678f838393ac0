# SPDX-License-Identifier: Apache-2.0
"""How `mrtrace monitor` is judged: every failure is counted, nothing grows, metrics are what promtool takes, recordings read back."""

import collections
import glob
import os
import re
import shutil
import subprocess
import tempfile

from mrlab import tracer
from mrlab.files import CACHE, read_json_lines, text_of
from mrlab.judges.pairing import reported_as
from mrlab.metrics import by, samples, total
from mrlab.results import Judge

# KiB that resident memory may grow after the first reloads: what the newest records and the ring buffer, mapped twice, fill,
# and a MiB of the allocator's.
RSS_SLACK = 1024 + 2 * 256 + 1024


def held(path):
    return {key: int(value) for key, value in (line.split() for line in text_of(path).splitlines())}


def promtool():
    """Its path: installed, PROMTOOL, or taken out of Debian's package, so that no service is set up; None."""
    tool = os.environ.get("PROMTOOL") or shutil.which("promtool")
    if tool:
        return tool
    cache = os.path.join(CACHE, "promtool")
    tool = os.path.join(cache, "promtool")
    if not os.path.exists(tool):
        with tempfile.TemporaryDirectory(prefix="mrtrace-promtool.") as work:
            subprocess.run("apt-get -q download prometheus && dpkg -x prometheus_*.deb tree", shell=True, cwd=work,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            found = os.path.join(work, "tree/usr/bin/promtool")
            if not os.path.exists(found):
                return None
            os.makedirs(cache, exist_ok=True)
            shutil.copy(found, tool + ".new")
            os.rename(tool + ".new", tool)
    return tool


class Monitored(Judge):
    """What a guest left in which a monitor ran through reloads and births."""

    def __init__(self, place, mrtrace, reloads, births):
        super().__init__("monitor")
        self.place, self.mrtrace, self.reloads, self.births = place, mrtrace, reloads, births

    def text(self, name):
        return text_of(self.place, name)

    def all(self):
        lines, problems = read_json_lines(os.path.join(self.place, "operations.jsonl"))
        self.check("the workload wrote whole lines", problems)
        operations = [line for line in lines if "skipped" not in line]
        self.check("the workload got what it expects", [str(line) for line in operations if not line["ok"]][:3])
        failures = [line for line in operations if line["expect_errno"] is not None]
        wanted = collections.Counter(reported_as(line, None) for line in failures)
        last = samples(self.text("last.prom") + "\n")
        self.expect("failures", len(failures), int(total(last, "mrtrace_operation_failures_total")))
        for operation, count in sorted(wanted.items()):
            self.expect(f"failures of {operation}", count, int(total(last, "mrtrace_operation_failures_total", operation=operation)))
        self.expect("failures that are explained", len(failures), int(total(last, "mrtrace_failures_total")))
        after, _ = read_json_lines(os.path.join(self.place, "last.jsonl"))
        after = sum(line["expect_errno"] is not None for line in after)
        self.expect("a line in the journal for each, and for those after", len(failures) + after, len(re.findall(r"^.* by workload \(pid ", self.text("stderr"), re.M)))
        lost = {labels: value for (name, labels), value in last.items() if name == "mrtrace_lost_total" and value}
        self.check("nothing was lost", [f"{labels}: {value}" for labels, value in lost.items()])
        self.expect("rdma_rxe was hooked", self.reloads + 1, int(total(last, "mrtrace_module_attachments_total", module="rdma_rxe")))
        unwatched = total(last, "mrtrace_module_unwatched_seconds_total", module="rdma_rxe")
        self.check(f"its gaps are told: {unwatched} s", [] if unwatched > 0 or not self.reloads else ["no gap"])
        scraped = samples(self.text("scraped.prom") + "\n")
        one, other = ({key: value for key, value in found.items() if key[0].startswith(("mrtrace_operation", "mrtrace_failures"))} for found in (last, scraped))
        self.check(f"the served metrics say the same: {len(one)} samples", [] if one and one == other else ["they differ"])
        self.signals()
        self.growth()
        self.promtool()
        self.recordings()
        self.filters()
        self.check("the text file can be read by all", [] if self.text("mode").startswith("-rw-r--r--") else [self.text("mode")])
        self.expect("exit status", "0", self.text("status"))
        self.check("no draft is left", [line for line in self.text("left").splitlines() if line.startswith(".") and line not in (".", "..")])
        return self.checks

    def filters(self):
        """Those of two names of three, in one group of two, with one errno of two."""
        lines, problems = read_json_lines(os.path.join(self.place, "wanted.jsonl"))
        others, more = read_json_lines(os.path.join(self.place, "unwanted.jsonl"))
        self.check("under filters: the workload got what it expects",
                   problems + more + [str(line) for line in lines + others if not line.get("ok", True)][:3])
        failures = [line for line in lines if line.get("expect_errno")]
        wanted = collections.Counter(reported_as(line, None) for line in failures if line["expect_errno"] == "EFAULT")
        last = samples(self.text("filtered.last") + "\n")
        for name in ("mrtrace_operation_failures_total", "mrtrace_failures_total"):
            got = {key[0]: count for key, count in by(last, name, "operation").items()}
            self.expect(f"under filters: {name}", dict(sorted(wanted.items())), dict(sorted(got.items())))
        self.check("under filters: there was something to leave out", [] if wanted and sum(wanted.values()) < len(failures) and any(
            line.get("expect_errno") == "EFAULT" for line in others) else ["nothing"])
        text = self.text("filtered.stderr")
        names = collections.Counter(re.findall(r"^mrtrace: \w+ by (\w+) \(pid \d+\) on rxe0: EFAULT, ", text, re.M))
        self.expect("under filters: a line for each, by both names", (sum(wanted.values()), {"alpha", "beta"}), (sum(names.values()), set(names)))
        self.expect("under filters: nothing was lost", [], [f"{key[1]} {value}" for key, value in last.items() if key[0] == "mrtrace_lost_total" and value])
        self.check("under filters: an awaited group is told of", [] if "there is no control group /serving yet" in text else [text[:300]])
        self.expect("under filters: exit status", "0", self.text("filtered.status"))

    def growth(self):
        start, end = held(os.path.join(self.place, "start")), held(os.path.join(self.place, "end"))
        warm = held(os.path.join(self.place, "warm")) or start
        # eight silent clients at the end
        end["fds"] -= end["fds"] - warm["fds"] if 0 <= end["fds"] - warm["fds"] <= 8 else 0
        for kind in ("map_id", "prog_id", "link_id", "perf_event", "fds"):
            self.expect(f"{kind} after {self.reloads} reloads and {self.births} processes", warm[kind], end[kind])
        grown = end["VmRSS"] - warm["VmRSS"]
        self.check(f"resident memory {start['VmRSS']} KiB at the start, {warm['VmRSS']} when warm, {end['VmRSS']} at the end "
                   f"(anonymous {warm['RssAnon']}, {end['RssAnon']}; shared {warm['RssShmem']}, {end['RssShmem']})",
                   [] if grown <= RSS_SLACK else [f"{grown} KiB more"])

    def signals(self):
        """SIGUSR1, and SIGHUP with a wrong and a good configuration."""
        wanted = self.text("pruned").split()
        self.check("SIGUSR1 writes a recording, and keep = 1 leaves it alone", [] if len(wanted) == 1 and wanted[0].endswith("-wanted") else wanted or ["none"])
        path = os.path.join(self.place, "recordings", "".join(wanted[:1]))
        done = tracer.call(self.mrtrace, "report", "--json", path)
        lines, _ = read_json_lines(os.path.join(self.place, "last.jsonl"))
        processes = {line["pid"] for line in lines if line["expect_errno"] is not None}
        recorded = {one["pid"] for one in tracer.objects(done.stdout)}
        self.check("it reads back, with the last failures", [] if processes and processes <= recorded else [f"{processes} failed, {recorded} recorded", done.stderr[-300:]])
        for name in ("unchanged.prom", "moved.prom"):
            self.check(f"metrics are served: {name}", [] if "mrtrace_build_info" in self.text(name) else ["nothing came"])
        text = self.text("stderr")
        for sentence in ("the configuration stays as it was: ", "the configuration has been read again"):
            self.expect(f'"{sentence.strip()}" is told', 1, text.count(sentence))

    def promtool(self):
        tool = promtool()
        if not tool:
            self.check("promtool can be had", ["neither installed nor in apt's reach"])
            return
        for name in ("last.prom", "scraped.prom"):
            with open(os.path.join(self.place, name), "rb") as file:
                done = subprocess.run([tool, "check", "metrics"], stdin=file, capture_output=True, text=True, check=False)
            self.check(f"promtool check metrics: {name}", (done.stdout + done.stderr).strip().splitlines()[:5] + ([] if done.returncode == 0 else ["failed"]))

    def recordings(self):
        paths = sorted(glob.glob(os.path.join(self.place, "all", "monitor-*")))
        self.check(f"{len(paths)} recordings, not one for each failure", [] if 1 <= len(paths) <= 8 else [str(paths)])
        kinds = set()
        for path in paths:
            done = tracer.call(self.mrtrace, "report", "--json", path)
            failures = tracer.objects(done.stdout)
            kinds |= {(one["operation"], one["cause"], one["errno"]) for one in failures}
            self.check(f"{os.path.basename(path)} reads back: {len(failures)} failures",
                       [] if done.returncode == 0 and failures else [done.stderr[-300:] or "no failure in it"])
            self.check("and has the failure that it is named by",
                       [] if any(path.endswith(f"-{one['cause']}-{one['errno']}") for one in failures) else ["it has not"])
        last = samples(self.text("last.prom") + "\n")
        seen = {(dict(labels)["operation"], dict(labels)["cause"], dict(labels)["errno"])
                for (name, labels), value in last.items() if name == "mrtrace_failures_total" and value}
        self.expect("every kind of failure is in a recording", sorted(seen), sorted(kinds))
