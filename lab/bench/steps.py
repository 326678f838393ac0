# SPDX-License-Identifier: Apache-2.0
"""The steps of the agent's work by themselves (lab/bench/stages), and what callgrind counts of them and of mrtrace:
instructions and allocations an event, which do not depend on the machine or on what else it does."""
import glob
import json
import os
import shutil
import subprocess

ALLOCATORS = {"malloc", "calloc", "realloc", "memalign", "posix_memalign", "aligned_alloc"}
REPEAT = 3

HEADER = ["step", "events", "ns/event", "million events/s", "bytes/event", "instructions/event", "allocations/event"]


class Counter:
    """Counts with callgrind: the difference between a small recording and a larger one is what its events cost."""

    def __init__(self, programs, work, synthesize, template):
        self.work, self.programs = work, programs
        self.available = shutil.which("valgrind") is not None and shutil.which("strip") is not None
        self.recordings = []
        if not self.available:
            return
        for every in [1000, 10]:
            for events in [20_000, 60_000]:
                path = os.path.join(work, f"counted-{every}-{events}")
                subprocess.run([synthesize, template, path, str(events), "1", str(every)], check=True, capture_output=True)
                self.recordings.append((every, path))

    def program(self, name):
        """Its symbols, without what valgrind cannot read."""
        plain = os.path.join(self.work, f"{name}.counted")
        if not os.path.exists(plain):
            subprocess.run(["strip", "-g", "-o", plain, os.path.join(self.programs, name)], check=True)
        return plain

    def once(self, name, arguments):
        """Instructions, allocations, and what it printed."""
        out = os.path.join(self.work, "callgrind")
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no", f"--callgrind-out-file={out}",
             self.program(name)] + arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"bench: {name} {' '.join(arguments)} under valgrind: {done.stderr[-1000:]}")
        instructions = allocations = 0
        called = None
        with open(out, encoding="utf-8") as text:
            for line in text:
                if line.startswith("cfn="):
                    called = line[4:].strip().split("'")[0]
                elif line.startswith("calls=") and called in ALLOCATORS:
                    allocations += int(line[6:].split()[0])
                elif line.startswith("summary:"):
                    instructions = int(line.split()[1])
        os.unlink(out)
        return instructions, allocations, done.stdout

    def events(self, recording):
        return json.loads(subprocess.run([os.path.join(self.programs, "stages"), "views", recording], check=True,
                                         capture_output=True, text=True).stdout)["events"]

    def per_event(self, name, command, without=None, every=1000, told=False):
        """Of `command`, which makes the arguments for a recording; less those of `without`. `told`: by the events that it
        prints."""
        if not self.available:
            return None
        found = []
        for path in [path for rate, path in self.recordings if rate == every]:
            instructions, allocations, printed = self.once(name, command(path))
            if without:
                less = self.once(name, without(path))
                instructions, allocations = instructions - less[0], allocations - less[1]
            found.append((instructions, allocations, json.loads(printed)["events"] if told else self.events(path)))
        (i1, a1, e1), (i2, a2, e2) = found
        return (i2 - i1) / (e2 - e1), (a2 - a1) / (e2 - e1)


def best(stages, arguments, output):
    """The least of several times: what else the machine does only adds."""
    found = None
    for _ in range(REPEAT):
        remove(output)
        done = subprocess.run([stages] + arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            return None
        one = json.loads(done.stdout)
        if found is None or one["cpu_ns"] < found["cpu_ns"]:
            found = one
    remove(output)
    return found


def remove(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.unlink(path)


def rows(programs, counter, recording, failing, work, root):
    """A row a step. `failing` has more failures than `recording`."""
    stages = os.path.join(programs, "stages")
    output = os.path.join(work, "step")
    objects = glob.glob(os.path.join(root, ".build/plugins/outputs/**/selftest.bpf.o"), recursive=True)
    ring = objects[0] if objects else "selftest.bpf.o"

    def to(step):
        def command(path):
            remove(output)
            return [step, path] + ([output] if step in ("write", "copy") else [])
        return command

    def count(step, without=None, **more):
        return counter.per_event("stages", to(step), to(without) if without else None, **more)

    steps = [
        ("ring buffer read", ["drain", ring, "2000000"], lambda: None),
        ("ring buffer to file", ["ring", ring, "2000000", recording, output], lambda: None),
        ("writer alone", ["write", recording, output], lambda: count("write", "copy")),
        ("write() alone: the floor", ["copy", recording, output], lambda: None),
        ("recording read", ["views", recording], lambda: count("views")),
        ("read and decoded", ["decode", recording], lambda: count("decode")),
        ("read and correlated", ["correlate", recording], lambda: count("correlate")),
        ("diagnosed, of each failed operation", ["diagnose", failing],
         lambda: count("diagnose", "correlate", every=10, told=True)),
    ]
    made = []
    for name, arguments, counted in steps:
        one, counts = best(stages, arguments, output), counted()
        cells = [f"{counts[0]:,.0f}", f"{counts[1]:.2f}"] if counts else ["-", "-"]
        if one is None:
            made.append([name, "-", "-", "-", "-"] + cells)
            continue
        ns = one["cpu_ns"] / one["events"]
        size = f"{one['bytes'] / one['events']:.1f}" if one["bytes"] else ""
        made.append([name, f"{one['events']:,}", f"{ns:,.0f}", f"{1e3 / ns:.2f}", size] + cells)
    return made
