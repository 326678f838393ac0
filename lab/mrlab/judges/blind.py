# SPDX-License-Identifier: Apache-2.0
"""How a case of lab/blind is judged: exit status, first and last line, what is said, and what is left behind."""

import os
import re

from mrlab import tracer
from mrlab.files import text_of


def stack_problems(mrtrace, recording, failures, old):
    """Call stacks are those of the traced: neither report nor recording begins with the tracer's own frames."""
    found = []
    for failure in failures:
        names = [frame.get("name") or frame["address"] for frame in failure.get("stack", {}).get("kernel", [])]
        # before 5.15 the kernel does not see past a kretprobe
        ends = bool(names) and names[-1].startswith("entry_SYSCALL_64")
        if not old and not (ends and any(name.startswith("ib_uverbs_") for name in names)):
            found.append(f"the kernel's stack is no way from a system call to the verbs: {names}")
        found += [f"a frame of the tracing: {name}" for name in names if re.match(r"bpf_|__bpf_|ftrace_|kprobe|kretprobe|rethook", name)]
    done = tracer.call(mrtrace, "export", recording, "--to", "jsonl", "-o", "-")
    if done.returncode or not done.stdout:
        found.append(f"export ends with {done.returncode}")
    found += [f"recorded: {name}" for name in sorted(set(re.findall(r"bpf_prog_[0-9a-f]{16}_send_stack", done.stdout)))]
    return found


def problems(case, directory, mrtrace, old):
    text = {name: text_of(directory, name) for name in ("status", "stdout", "stderr", "left")}
    found = []
    if text["status"].strip() != str(case.status):
        found.append(f"exit status {text['status'].strip() or 'none'}, expected {case.status}")
    lines = text["stderr"].splitlines() or [""]
    for which, pattern, line in (("first", case.first, lines[0]), ("last", case.last, lines[-1])):
        if pattern and not re.search(pattern, line):
            found.append(f"the {which} line does not match {pattern!r}: {line!r}")
    both = text["stdout"] + text["stderr"]
    flat = re.sub(r"\s+", " ", both)
    found += [f"nothing matches {pattern!r}" for pattern in case.says if not re.search(pattern, flat)]
    if re.search(r"^no failed operation(:|$)", both, re.MULTILINE):
        found.append('"no failed operation" was said')
    left = text["left"].split()
    if "started" in left:
        found.append("COMMAND was started")
    if ("rec" in left) != case.leaves:
        found.append("a recording was left behind" if "rec" in left else "there is no recording")
    if case.leaves and "rec" in left:
        recording = os.path.join(directory, "work", "rec")
        again, strict = tracer.call(mrtrace, "report", "--json", recording), tracer.call(mrtrace, "report", "--strict", recording)
        failures = tracer.objects(again.stdout)
        if len(failures) != case.found:
            found.append(f"{len(failures)} failures in the recording, expected {case.found}")
        found += stack_problems(mrtrace, recording, failures, old)
        # None: whether a device was there before the hooks is a matter of time
        if case.complete is not None and strict.returncode != (0 if case.complete else 3):
            found.append(f"report --strict ends with {strict.returncode}")
        if case.complete is not None and bool(again.stderr.strip()) == case.complete:
            found.append(f"report --json says on standard error: {again.stderr.strip() or 'nothing'}")
    if found:
        found.append("standard error: " + text["stderr"].strip()[-700:])
    return found
