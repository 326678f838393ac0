# SPDX-License-Identifier: Apache-2.0
"""How a wrong use is judged: one clear sentence, the right exit status, and nothing left behind."""

import os
import re

from mrlab import tracer


class Outcome:
    def __init__(self, status, stdout, stderr, left, directory):
        self.status, self.stdout, self.stderr, self.left, self.directory = status, stdout, stderr, left, directory


def is_sentence(lines, status):
    """One sentence; wrong usage may also say how to call it."""
    rest = [line for line in lines[1:] if not re.match(r"(Usage: |Help: | {2,}|\s*See 'mrtrace)", line)]
    return bool(lines) and not (rest if status == 2 else lines[1:])


def problems_of(case, outcome, mrtrace):
    if outcome.status is None:
        return ["the guest did not come to it, or not to its end"]
    found = []
    if outcome.status != case.status:
        found.append(f"exit status {outcome.status}, expected {case.status}")
    lines = [line for line in outcome.stderr.splitlines() if line.strip()]
    if case.error is not None:
        if not is_sentence(lines, case.status):
            found.append("standard error is not one sentence")
        elif not re.match(r"(mrtrace|Error): ", lines[0]) or not re.search(case.error, lines[0]):
            found.append(f"the sentence does not match {case.error!r}")
        if outcome.stdout.strip():
            found.append(f"something on standard output: {outcome.stdout.strip()[:200]!r}")
    if case.notes is not None and not re.search(case.notes, outcome.stderr):
        found.append(f"nothing on standard error matches {case.notes!r}")
    if case.prints is not None and not re.search(case.prints, outcome.stdout, re.MULTILINE):
        found.append(f"nothing on standard output matches {case.prints!r}: {outcome.stdout[-300:]!r}")
    if "libbpf" in outcome.stderr or "Fatal error" in outcome.stderr:
        found.append("standard error shows the inside of the program")
    if outcome.left != sorted(case.leaves):
        found.append(f"left behind: {' '.join(outcome.left) or 'nothing'}; expected: {' '.join(case.leaves) or 'nothing'}")
    for name in [name for name in case.whole + case.cut if name in outcome.left]:
        done = tracer.call(mrtrace, "report", "--json", os.path.join(outcome.directory, name))
        if done.returncode:
            found.append(f"report of {name} ended with {done.returncode}: {done.stderr.strip()[:300]}")
        elif bool(done.stderr.strip()) != (name in case.cut):
            found.append(f"report of {name} says of what is missing: {done.stderr.strip()[:300] or 'nothing'}")
    if found and outcome.stderr.strip():
        found.append("standard error: " + outcome.stderr.strip()[-600:].replace("\n", "\n                "))
    return found
