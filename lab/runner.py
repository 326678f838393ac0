# SPDX-License-Identifier: Apache-2.0
"""What lab/test and lab/matrix share: booting a guest, and reading back what its groups left."""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

import accounts
import check
import guests
import pages
import reruns

LAB = os.path.dirname(os.path.abspath(__file__))
# With fewer CPUs than busy threads a BPF program is preempted in the middle, and the kernel then skips it for the
# others on that CPU (docs/known-issues.md). It is counted and told; here everything is to be seen.
# One thread runs them all: QEMU 7.2 with a thread per CPU loses races with the kernel's patching of its own text.
CPUS = 8
ACCEL = "tcg,thread=single,tb-size=512"
# LossSummary's sentences on hooks whose programs did not run, or not to their end.
SKIPPED_RUNS = re.compile(r"runs of hooks were missed|had not returned at the end|whose beginning was not seen")
# More than six: fentry cannot have it before 6.6.
MANY_ARGUMENTS = ("migrate_pages",)
# The guests of this program that ran again, and the rule for it.
RERUNS = reruns.Reruns()


def complaints(notes, of):
    """What mrtrace wrote to standard error, without the runs that the kernel skipped: they are no fault of what tells of
    them, and what lacks evidence is not proved, and fails its own check. They are shown."""
    found = []
    for note in notes.strip().splitlines():
        if SKIPPED_RUNS.search(note):
            say(f"{of}: {note}")
        else:
            found.append(note)
    return found


def say(text):
    print(f"lab: {text}", file=sys.stderr, flush=True)


def shell(function):
    """A function of common.sh: the path it prints."""
    done = subprocess.run(["sh", "-c", f'lab={shlex.quote(LAB)}; . "$lab/common.sh"; {function}'],
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(1)
    return done.stdout.strip()


class Programs:
    """What goes into every guest, and the tracer that reads the recordings here."""

    def __init__(self):
        self.workload, self.mrtrace = shell("workload"), shell("mrtrace")
        RERUNS.start_tally()

    def options(self):
        return ["--add", f"{self.workload}:/usr/bin/workload", "--add", f"{self.mrtrace}:/usr/bin/mrtrace"]


def fetch(kernel):
    """The kernel's directory, or None (the reason has been printed)."""
    done = subprocess.run([os.path.join(LAB, "fetch"), kernel], stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.strip().splitlines()[-1] if done.returncode == 0 and done.stdout.strip() else None


def boot(kernel, directory, guest, programs, out, timeout, record_options="", log=None):
    """lab/boot's exit status. The guest's own lines go to `log`, or to standard output."""
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
        script.write(guests.script(guest, shlex.split(record_options)))
        script.flush()
        command = [os.path.join(LAB, "boot"), "--kernel", directory, "--fs", guest.fs, "--out", out,
                   "--timeout", str(timeout), "--append", guest.append, "--smp", str(CPUS), "--accel", ACCEL,
                   *guest.boot, *programs.options()]
        started = time.monotonic()
        status = subprocess.run(command + ["--", script.name], stdin=subprocess.DEVNULL, stdout=log,
                                stderr=subprocess.STDOUT if log else None, check=False).returncode
        say(f"{kernel}, guest {guest.name}: {time.monotonic() - started:.0f} s")
    return status


def text_of(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def rerun_check():
    """For the end of a stage: prints the guests that ran again, and why; too many are a failure."""
    problems = RERUNS.tell()
    return check.Check("guests", "few ran again", problems)


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
        self.checks.append(check.Check(self._group.name, what, [problem]))

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
        lines, problems = check.read_json_lines(self._path("operations.jsonl"))
        self.skipped = [line for line in lines if "skipped" in line]
        self.operations = [line for line in lines if "skipped" not in line]
        self.checks.append(check.Check(self._group.name, "the workload wrote whole lines", problems))
        complaints = text_of(self._path("workload.stderr"))
        self.checks.append(check.Check(self._group.name, "mrtrace record passes the workload's exit status 0 on",
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
        self.checks.append(check.Check(self._group.name, "mrtrace record refuses to run where it would see nothing",
                                       [] if refused else [f"exit status {status}, the workload {'ran' if began else 'did not start'}: {errors}"]))
        self.whole = refused

    def _report(self, mrtrace):
        recording = self._path("recording")
        done = subprocess.run([mrtrace, "report", "--json", recording], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        with open(self._path("report.jsonl"), "wb") as file:
            file.write(done.stdout)
        notes = complaints(done.stderr.decode(errors="replace"), self._group.name)
        if done.returncode or notes:
            message = "\n".join(notes)[-500:]
            self._fail("mrtrace report --json", f"exit status {done.returncode}: {message}")
        self.reports, problems = check.read_json_lines(self._path("report.jsonl"))
        if problems:
            self.checks.append(check.Check(self._group.name, "mrtrace report --json prints JSON lines", problems))
        self.checks.append(self._babeltrace(recording))
        lines = accounts.exported(mrtrace, recording)
        if lines:
            header = json.loads(lines[0])
            check.begin_times(self.reports, header["clock"]["offset_ns"])
            refused = [f"{hook['symbol']}: {hook['note']}" for hook in header["hooks"]
                       if "refused by this kernel" in hook.get("note", "") and hook["symbol"] not in MANY_ARGUMENTS]
            self.checks.append(check.Check(self._group.name, "the kernel refused no program", refused))
        hooks, losses, _ = accounts.of(lines)
        self.misses = accounts.misses(hooks, losses)
        found = accounts.problems(hooks)
        self.checks.append(check.Check(self._group.name, "every call and record of every hook is accounted for", found))
        if "pages" in self._group.options:
            found = map(check.Unsaid, pages.problems(self.operations, pages.events(lines)))
            self.checks.append(check.Check(self._group.name, "every page of what succeeded is there, with its entry", list(found)))

    def _babeltrace(self, recording):
        done = subprocess.run(["babeltrace2", recording], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, errors="replace", check=False)
        complaints = done.stderr.strip().splitlines()[:3] + ([f"exit status {done.returncode}"] if done.returncode else [])
        return check.Check(self._group.name, "babeltrace2 reads the recording without a warning", complaints)
