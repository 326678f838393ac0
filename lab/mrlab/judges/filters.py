# SPDX-License-Identifier: Apache-2.0
"""How recordings with filters are judged: each has exactly the operations of the recording of all that its filter asks for."""

import collections
import os

from mrlab import tracer
from mrlab.files import read_json_lines, text_of
from mrlab.judges import accounts
from mrlab.judges.pairing import REPORTED_AS
from mrlab.results import Check, Unsaid

# name of the program, control group, device, in a PID namespace of its own
CAST = (("alpha", "/one", "rxe0", False), ("beta", "/one/below", "rxe1", False), ("gamma", "/two", "rxe0", True))
Operation = collections.namedtuple("Operation", "comm device kind errno")


class Recording:
    def __init__(self, mrtrace, directory):
        self.path = os.path.join(directory, "recording")
        done = tracer.call(mrtrace, "report", "--json", "--all", self.path)
        self.lines = tracer.objects(done.stdout)
        self.problems = tracer.complaints(done.stderr, os.path.basename(directory))
        if done.returncode:
            self.problems.append(f"exit status {done.returncode}")
        self.operations = collections.Counter(
            Operation(one.get("comm"), one.get("device"), one["operation"], one.get("errno")) for one in self.lines)
        if not os.path.isdir(self.path):
            self.problems = [text_of(directory, "stderr")[-500:] or "no recording"]
        self.failures = [one for one in self.lines if "errno" in one]
        found, losses, _ = accounts.read(mrtrace, self.path)
        self.misses = accounts.misses(found, losses)
        self.problems += accounts.problems(found)
        self.filtered = sum(one["filtered"] for one in found.values())


def difference(wanted, got, fits=lambda one: False):
    """What is missing is only less; what is too much too, where it fits: then the recording compared with lacks it."""
    return ([Unsaid(f"missing: {count} of {tuple(one)}") for one, count in sorted((wanted - got).items(), key=str)]
            + [(Unsaid if fits(one) else str)(f"not asked for: {count} of {tuple(one)}") for one, count in sorted((got - wanted).items(), key=str)])


def check_round(name, place, mrtrace, filters):
    """The checks, and how many misses the recordings count."""
    checks = []

    def expect(run, what, problems):
        checks.append(Check(f"{name} {run}", what, problems))

    everything = Recording(mrtrace, os.path.join(place, f"{name}.all"))
    misses = everything.misses
    expect("all", "is recorded, and every call accounted for", everything.problems)
    for comm, group, device, _ in CAST:
        lines, problems = read_json_lines(os.path.join(place, f"{name}.{comm}.jsonl"))
        errors = text_of(os.path.join(place, f"{name}.{comm}.stderr"))
        expect(comm, "did its work", problems + ([errors] if errors else []) + [f"{one['op']} {one['errno']}" for one in lines if not one["ok"]])
        wanted = collections.Counter((REPORTED_AS.get(one["op"], one["op"]), one["expect_errno"]) for one in lines if one["expect_errno"])
        got = collections.Counter((one["operation"], one["errno"]) for one in everything.failures
                                  if one.get("comm") == comm and one.get("device") == device)
        expect(comm, "every failure is in the recording of all", difference(wanted, got) if wanted else ["nothing failed"])
        groups = {one.get("cgroup") for one in everything.failures if one.get("comm") == comm}
        expect(comm, "its control group is told", [] if groups == {group} else [f"expected {group}, got {groups}"])
    numbers = text_of(os.path.join(place, f"{name}.numbers")).split()
    inner = int(text_of(os.path.join(place, f"{name}.inside", "number")) or 0)
    seen = {(one["comm"], one["pid"], one.get("container_pid")) for one in everything.failures}
    wanted = {("alpha", int(numbers[0]), None), ("gamma", int(numbers[1]), inner)}
    expect("all", "numbers of processes, in their namespaces too", [] if wanted <= seen else [f"expected {wanted}, got {seen}"])
    text = tracer.call(mrtrace, "report", everything.path).stdout
    told = f"pid {numbers[1]} (gamma, {inner} in its container)"
    expect("all", "report tells both numbers", [] if told in " ".join(text.split()) else [f"no '{told}'"])
    for run, _, fits in (*filters, ("inside", "", lambda it: it.comm == "gamma")):
        recording = Recording(mrtrace, os.path.join(place, f"{name}.{run}"))
        misses += recording.misses
        expect(run, "is recorded, and every call accounted for", recording.problems)
        wanted = collections.Counter({one: count for one, count in everything.operations.items() if fits(one)})
        expect(run, f"{sum(wanted.values())} of {sum(everything.operations.values())} operations, exactly those",
               difference(wanted, recording.operations, fits))
        expect(run, "what was left out is counted as filtered", [] if recording.filtered else ["nothing is"])
        weaker = [one for one in recording.failures if one.get("incomplete") or one["confidence"] != "proved"]
        expect(run, "what is recorded has all its evidence", [Unsaid(f"{one['comm']} {one['errno']}: {one.get('incomplete')}") for one in weaker[:3]])
    return checks, misses
