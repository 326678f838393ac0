# SPDX-License-Identifier: Apache-2.0
"""Which guests a kernel needs for the scenarios, and what runs in each."""

import shlex

from mrlab.kernels import Version
from mrlab.scenarios import missing_need


class Group:
    """Scenarios under one `mrtrace record`."""

    def __init__(self, name, scenarios, features, expect="", before=(), options=(), weak=False, blind=False):
        self.name = name
        self.scenarios = scenarios
        self.features = features
        self.expect = expect            # what the workload is told of the kernel
        self.before = before            # shell lines that set the kernel up
        self.options = options          # of mrtrace record
        self.weak = weak                # hooks are forced off: the answers may say less
        self.blind = blind              # none is left where an operation begins: mrtrace must refuse to run


class Guest:
    def __init__(self, name, fs, groups, append="", boot=()):
        self.name, self.fs, self.groups, self.append = name, fs, groups, append
        self.boot = boot                # more options of lab/boot


def applicable(table, features, own=False):
    return [name for name, rows in table.items()
            if any(missing_need(row, features) is None for row in rows) and any("own" in row.needs for row in rows) == own]


def touches_fsdax(table, name):
    return any({"fsdax", "xfs"} & row.needs for row in table[name])


def succeeds(table, name):
    return name.startswith("ok-") and all(row.errno is None for row in table[name])


def own_guests(table, features, expect="", append=""):
    guests, done = [], set()
    for fs in ("ext4", "xfs"):
        these = features | {fs}
        for name in applicable(table, these, own=True):
            if name not in done:
                done.add(name)
                words = {OWN_WORDS[need] for row in table[name] for need in row.needs if need in OWN_WORDS}
                guests.append(Guest(name, fs, [Group(name, [name], these, expect)], " ".join([append, *words]).strip()))
    return guests


def without_hooks(table, features):
    """The same answers on other rungs: kprobes instead of fentry, no witness of DAX faults, every page, every fault's code."""
    names = [name for name in applicable(table, features) if not name.startswith(("crowd", "owner-"))]
    eof = [name for name in names if "eof" in name]
    codes = features | {"fault-codes"}
    coded = [name for name in applicable(table, codes) if any("fault-codes" in row.needs for row in table[name])]
    groups = [Group("ext4-kprobe", names, features, options=("--no-hook", "fentry")),
              Group("ext4-no-witness", eof, features, options=("--no-hook", "fault")),
              Group("ext4-pages", ["ok-anon", "ok-fsdax", "ok-fsdax-2m", *about_pages(table, features)] if "advise" in features else [],
                    features, options=("--detail", "pages")),
              Group("ext4-fault-codes", coded + eof, codes, options=("--fault-codes",))]
    return [group for group in groups if group.scenarios]


def plan_stock(table, features):
    ext4, xfs = features | {"ext4", "fixed"}, features | {"xfs", "fixed"}
    guests = [Guest("ext4", "ext4", [Group("ext4", applicable(table, ext4), ext4), *without_hooks(table, ext4)])]
    on_xfs = [name for name in applicable(table, xfs) if touches_fsdax(table, name)]
    if on_xfs:
        guests.append(Guest("xfs", "xfs", [Group("xfs", on_xfs, xfs)]))
    guests += own_guests(table, features | {"fixed"})
    return guests


def plan_2021(table, features, replay_options):
    """One guest a file system: the bug and the mode of registration can be switched while it runs."""
    guests = []
    for fs in ("ext4", "xfs"):
        groups = []
        for bug in ("broken", "fixed"):
            for mode in ("snapshot", "fault-at-reg"):
                these = features | {fs, bug, mode}
                names = applicable(table, these)
                if fs == "xfs" or mode == "fault-at-reg":
                    names = [name for name in names if touches_fsdax(table, name) or succeeds(table, name)]
                before = (f"echo {bug} >/sys/module/hmm/parameters/fsdax_2021",
                          f"echo {int(mode == 'fault-at-reg')} >/sys/module/rdma_rxe/parameters/odp_fault_at_reg")
                expect = f"{bug},{mode}"
                groups.append(Group(f"{fs}-{bug}-{mode}", names, these, expect, before))
                if bug == "broken":
                    hit = [name for name in names if any(
                        row.cause == "pte-special-devmap" and missing_need(row, these) is None for row in table[name])]
                    groups.append(Group(f"{fs}-{bug}-{mode}-replay", hit, these | {"replay"}, expect, before, replay_options))
        guests.append(Guest(fs, fs, [group for group in groups if group.scenarios]))
    guests += own_guests(table, features | {"fixed", "snapshot"}, "fixed,snapshot", "hmm.fsdax_2021=fixed")
    return guests


# Booted with these, beside --append of the scenario's guest: they change nothing for the other scenarios.
BOOT_WORDS = "secretmem.enable=1"
OWN_WORDS = {"movable": "movablecore=512M", "cma": "cma=640M"}
NO_5_LEVEL = ("--cpu", "max,la57=off")


def weakened(table, features, prefix, before=()):
    """The same scenarios with a family of hooks forced off: the answers may say less, never something else."""
    names = [name for name in applicable(table, features) if not name.startswith(("crowd", "owner-"))]
    # Before 5.11 modules have no BTF, and so no fentry: without kprobes no verb is seen.
    only_kprobes = any(isinstance(one, Version) and not one.meets(">=5.11") for one in features)
    return [Group(f"{prefix}-no-{family}", names, features, before=before, options=("--no-hook", family), weak=True,
                  blind=family == "kprobe" and only_kprobes)
            for family in ("fentry", "kprobe", "fault")]


def about_pages(table, features):
    """A scenario for each cause that is read from page tables: what 4 and 5 levels of them could tell differently."""
    chosen, causes = [], set()
    for name in applicable(table, features):
        for row in table[name]:
            if missing_need(row, features) is None and row.cause and row.cause.startswith(("pte-", "fault-", "mapping-")) and \
                    row.cause not in causes:
                causes.add(row.cause)
                chosen.append(name)
    return list(dict.fromkeys(chosen))


def plan_matrix(kernel, table, features, module, weaken):
    """module: the lab's odplab is there for this kernel. weaken: hook families are forced off as well."""
    if kernel == "fsdax-2021":
        return plan_2021(table, features, ("--no-hook", "hmm_vma_handle_pte"))
    guests = []
    load = ("lab-odp || exit 1",)
    for fs in ("ext4", "xfs"):
        best, before, groups = features | {fs, "fixed"}, (), []
        if module and "odp" in features:
            best, before = best | {"rawpfn"}, load
        names = applicable(table, best) if fs == "ext4" else [name for name in applicable(table, best) if touches_fsdax(table, name)]
        groups.append(Group(fs, names, best, before=before))
        if module and "odp" not in features:
            # The module takes the device's operations over: what the driver itself does has been seen before.
            best, before = best | {"odp", "advise", "odplab", "rawpfn"}, load
            names = [name for name in applicable(table, best) if any({"odp", "odplab", "advise", "rawpfn"} & row.needs for row in table[name])]
            groups.append(Group(f"{fs}-odplab", names if fs == "ext4" else [n for n in names if touches_fsdax(table, n)], best, before=before))
        coded = best | {"fault-codes"}
        names = [name for name in applicable(table, coded) if any("fault-codes" in row.needs for row in table[name])]
        if fs == "ext4":
            groups.append(Group("ext4-fault-codes", names, coded, options=("--fault-codes",)))
            if weaken:
                groups += weakened(table, best, "ext4")
        guests.append(Guest(fs, fs, [group for group in groups if group.scenarios], BOOT_WORDS))
        if fs == "ext4":
            four = [Group("4-level", about_pages(table, best), best, before=before)]
            guests.append(Guest("4-level", fs, [group for group in four if group.scenarios], BOOT_WORDS, NO_5_LEVEL))
    return guests + own_guests(table, features | {"fixed"}, append=BOOT_WORDS)


def skipped(table, guests):
    """Scenarios of the table that no guest of this kernel runs, with the reason."""
    ran = {name for guest in guests for group in guest.groups for name in group.scenarios}
    every = set().union(*(group.features for guest in guests for group in guest.groups))
    return [(name, missing_need(rows[0], every) or "no guest fits") for name, rows in table.items() if name not in ran]


def script(guest, record_options=()):
    """The guest's shell script: each group leaves a directory of its own in /out."""
    lines = ["mrtrace doctor --json >/out/doctor.json"]
    for group in guest.groups:
        directory = f"/out/{group.name}"
        scenarios = " ".join(map(shlex.quote, group.scenarios))
        options = " ".join(map(shlex.quote, (*record_options, *group.options)))
        lines += [f"mkdir {directory}; echo 'lab: {len(group.scenarios)} scenarios in {group.name}'", *group.before,
                  f"export WORKLOAD_EXPECT={shlex.quote(group.expect)}",
                  # The workload's lines go past the tracer, whose diagnosis is on its own standard output.
                  f"mrtrace record {options} -o {directory}/recording -- sh -c "
                  f"'exec workload \"$@\" >{directory}/operations.jsonl 2>{directory}/workload.stderr' sh {scenarios} "
                  f">{directory}/record.stdout 2>{directory}/record.stderr",
                  f"echo $? >{directory}/status"]
    return "\n".join(lines) + "\n"
