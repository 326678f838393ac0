# SPDX-License-Identifier: Apache-2.0
"""Runs the scenarios of scenarios.tsv under mrtrace on real kernels and checks what it reports."""

import os
import shlex
import time

from mrlab import guest, kernels, plan, reruns, scenarios
from mrlab.files import TABLE, say
from mrlab.judges import doctor, scenario
from mrlab.judges.group import Ran
from mrlab.results import Check
from mrlab.stage import Stage, booted

# The hook ladder without its first rung: hmm_vma_handle_pte is replayed even where it is a symbol.
REPLAY_OPTIONS = ("--no-hook", "hmm_vma_handle_pte")


def boot(kernel, directory, one, programs, out, timeout, record_options="", log=None):
    """lab/boot's exit status of a guest that runs its groups (plan.Guest)."""
    started = time.monotonic()
    status = guest.boot(directory, plan.script(one, shlex.split(record_options)), out, programs.adds(), timeout=timeout, smp=guest.CPUS,
                        fs=one.fs, append=one.append, more=one.boot, log=log)
    say(f"{kernel}, guest {one.name}: {time.monotonic() - started:.0f} s")
    return status


def chosen(table, only, stage):
    """The table's scenarios that --only names; all without it."""
    if not only:
        return table
    wanted = only.split(",")
    unknown = [name for name in wanted if name not in table]
    if unknown:
        stage.fail(f"the table has no scenario {', '.join(unknown)}")
    return {name: rows for name, rows in table.items() if name in wanted}


def check_group(group, table, directory, mrtrace):
    """The checks, and how many misses the group's recording counts."""
    ran = Ran(group, directory, mrtrace)
    if not ran.whole:
        return ran.checks, 0
    return ran.checks + scenario.check_recording(ran.operations, ran.reports, table, group.features), ran.misses


def attempt(kernel, directory, one, table, stage, here):
    """([(group, checks)], complaints) of one run of a guest."""
    status = boot(kernel, directory, one, stage.programs, here, stage.options.timeout, stage.options.record_options)
    found = []
    if status:
        found.append((one.name, [booted(status, log=f"see {here}/console.log")]))
    broken = kernel == "fsdax-2021" and "fsdax_2021=fixed" not in one.append
    found.append((one.name, [doctor.check(os.path.join(here, "doctor.json"), kernel, one.groups[0].features, broken)]))
    misses = {}
    for group in one.groups:
        checks, misses[group.name] = check_group(group, table, os.path.join(here, group.name), stage.programs.mrtrace)
        found.append((group.name, checks))
    return found, [(reruns.kind_of(check.says_less, misses.get(group)), f"{group}: {check}")
                   for group, checks in found for check in checks if check.failed]


def run_kernel(kernel, table, stage):
    directory = stage.kernel(kernel)
    if not directory:
        return
    features = kernels.features_of(kernel, directory)
    guests = plan.plan_2021(table, features, REPLAY_OPTIONS) if kernel == "fsdax-2021" else plan.plan_stock(table, features)
    for name, reason in plan.skipped(table, guests):
        stage.results.add(kernel, Check(name, "no guest runs it", skipped=reason))
    for number, one in enumerate(guests, 1):
        total = sum(len(group.scenarios) for group in one.groups)
        say(f"{kernel}, guest {one.name} ({number} of {len(guests)}), {total} scenario runs")
        here = stage.path(kernel, one.name)
        os.makedirs(here)
        found = stage.reruns.judged(f"{kernel}, guest {one.name}", here, lambda: attempt(kernel, directory, one, table, stage, here))
        for group, checks in found:
            stage.results.add(f"{kernel} {group}", *checks)


def main():
    stage = Stage("test", __doc__)
    stage.parser.add_argument("kernels", nargs="+", metavar="KERNEL", help="names for lab/fetch: newest, 6.1, fsdax-2021, ...")
    stage.parser.add_argument("--table", default=TABLE, metavar="FILE", help="default: lab/scenarios.tsv")
    stage.parser.add_argument("--only", metavar="NAMES", help="these scenarios of the table alone, comma separated")
    stage.parser.add_argument("--out", metavar="DIR", help="keep recordings and consoles here (default: a new lab-test-DATE-TIME, removed when all passed)")
    stage.parser.add_argument("--record-options", default="", metavar="WORDS", help="more options for mrtrace record")
    stage.parser.add_argument("--timeout", type=int, default=600, metavar="SECONDS", help="for one guest (default 600)")
    options = stage.parse()
    stage.needs("babeltrace2")
    try:
        table = scenarios.load(options.table)
    except (OSError, ValueError) as error:
        stage.fail(str(error))
    table = chosen(table, options.only, stage)
    stage.begin(options.out, beside=True)
    for kernel in options.kernels:
        run_kernel(kernel, table, stage)
    return stage.end(table=True)
