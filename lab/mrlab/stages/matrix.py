# SPDX-License-Identifier: Apache-2.0
"""Every scenario on every kernel: a table of what mrtrace answered, and how often it was right.

A kernel that the archive no longer has is skipped and said so. Exit status 0: nothing wrong, nothing unknown."""

import concurrent.futures
import os
import subprocess
import time

from mrlab import kernels, plan, reruns, scenarios
from mrlab.files import LAB, TABLE, say
from mrlab.judges import verdicts
from mrlab.judges.group import Ran
from mrlab.results import Check
from mrlab.stage import Stage, booted
from mrlab.stages.test import boot, chosen

KERNELS = ("5.10", "6.1", "6.12", "6.18", "7.2", "newest", "fsdax-2021")
# Where families of hooks are forced off in turn: one with fentry and 7.3's engine, one with kprobes alone.
WEAKENED = ("newest", "6.1", "5.10")
# What must be provoked on all kernels together.
SITES_WANTED = 40


class Matrix:
    def __init__(self, stage, table):
        self.stage, self.scenarios = stage, table
        self.table = verdicts.Table([])
        self.runs = []      # (where, check) of the runs themselves

    def plan(self):
        """(kernel, directory, guest) of every guest, the longest first."""
        jobs = []
        for kernel in self.stage.options.kernels:
            directory = kernels.fetch(kernel)
            if not directory:
                say(f"{kernel} is SKIPPED: the archive does not have it (see above)")
                self.runs.append((kernel, Check("kernel", "it can be had", skipped="the archive does not have it")))
                continue
            self.table.kernels.append(kernel)
            features = kernels.features_of(kernel, directory)
            module = kernel != "fsdax-2021" and self.has_module(kernel, directory, "odp" not in features)
            guests = plan.plan_matrix(kernel, self.scenarios, features, module, kernel in WEAKENED)
            for name, reason in plan.skipped(self.scenarios, guests):
                self.table.skip(kernel, name, reason)
            jobs += [(kernel, directory, guest) for guest in guests]
        return sorted(jobs, key=lambda job: -sum(len(group.scenarios) for group in job[2].groups))

    def has_module(self, kernel, directory, needed):
        """The lab's module: on-demand paging for older rxe, and pages without struct page for all."""
        done = subprocess.run([os.path.join(LAB, "odplab", "build"), directory], stdout=subprocess.DEVNULL, check=False)
        if done.returncode and needed:
            self.runs.append((kernel, Check("odplab", "the module is built", ["lab/odplab/build failed (see above), so nothing with on-demand paging ran there"])))
        elif done.returncode:
            say(f"{kernel}: SKIPPED what needs /dev/rawpfn, as lab/odplab could not be built (see above)")
        return done.returncode == 0

    def run_guest(self, job):
        kernel, directory, guest = job
        here = self.stage.path(kernel, guest.name)
        os.makedirs(here)
        found, runs = self.stage.reruns.judged(f"{kernel}, guest {guest.name}", here, lambda: self.attempt(kernel, directory, guest, here))
        self.runs += runs
        return found

    def attempt(self, kernel, directory, guest, here):
        """((verdicts, checks of the run itself), complaints of both)."""
        with open(here + ".log", "w", encoding="utf-8") as log:
            status = boot(kernel, directory, guest, self.stage.programs, here, self.stage.options.timeout, log=log)
        runs = [(f"{kernel} {guest.name}", booted(status, log=f"see {here}.log"))]
        found, complaints = [], [(reruns.WRONG, f"lab/boot ended with {status}")] * bool(status)
        for group in guest.groups:
            ran = Ran(group, os.path.join(here, group.name), self.stage.programs.mrtrace)
            answers = verdicts.of_group(kernel, group, ran, self.scenarios)
            complaints += [(reruns.kind_of(one.says_less, ran.misses), f"{group.name}: {one}") for one in ran.checks if one.failed]
            complaints += [(reruns.kind_of(one.verdict != verdicts.WRONG, ran.misses), f"{one.where}: {one.check()}") for one in answers if one.is_bad]
            runs += [(f"{kernel} {group.name}", one) for one in ran.checks]
            found += answers
        return (found, runs), complaints

    def run(self):
        jobs = self.plan()
        begin = time.monotonic()
        say(f"{len(jobs)} guests on {len(self.table.kernels)} kernels, {self.stage.options.jobs} at a time")
        with concurrent.futures.ThreadPoolExecutor(self.stage.options.jobs) as pool:
            for done, found in enumerate(pool.map(self.run_guest, jobs), 1):
                self.table.verdicts += found
                say(f"{done} of {len(jobs)} guests done, {time.monotonic() - begin:.0f} s")

    def tell(self):
        """Puts all into the results, and prints the tables."""
        results = self.stage.results
        for one in self.table.verdicts:
            results.add(one.where, one.check())
        for kernel, name, reason in self.table.skipped:
            results.add(kernel, Check(name, "no guest runs it", skipped=reason))
        for where, one in self.runs:
            results.add(where, one)
        print()
        for line in (*self.table.lines(), *self.table.summary()):
            print(line)
        sites = self.table.sites()
        print(f"\n{len(sites)} sites provoked and explained: {' '.join(sites)}")
        if self.stage.options.whole:
            results.add("all", Check("sites", f"{SITES_WANTED} are provoked and explained", [] if len(sites) >= SITES_WANTED else [f"only {len(sites)} were"]))


def main():
    stage = Stage("matrix", __doc__)
    parser = stage.parser
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help=f"names for lab/fetch (default: {' '.join(KERNELS)})")
    parser.add_argument("--only", metavar="NAMES", help="these scenarios of the table alone, comma separated")
    parser.add_argument("--out", metavar="DIR", help="keep recordings and consoles here (default: removed when nothing failed)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="guests at a time (default: the CPUs)")
    parser.add_argument("--timeout", type=int, default=1500, metavar="SECONDS", help="for one guest (default 1500)")
    options = stage.parse()
    stage.needs("babeltrace2")
    options.whole = not options.kernels and not options.only
    options.kernels = options.kernels or list(KERNELS)
    table = chosen(scenarios.load(TABLE), options.only, stage)
    stage.begin(options.out, beside=True)
    stage.results.only_failed = True
    matrix = Matrix(stage, table)
    matrix.run()
    matrix.tell()
    return stage.end(again=True)
