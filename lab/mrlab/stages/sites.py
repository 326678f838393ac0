# SPDX-License-Identifier: Apache-2.0
"""docs/sites.md: for every kernel check that a cause stands for, how mrtrace's answer to it is tested: by scenarios that
provoke it in the lab, or by a fixture of evidence written from the kernel's source.

The checks come from "mrtrace explain --json", the scenarios from lab/scenarios.tsv."""

import os

from mrlab import programs, scenarios, tracer
from mrlab.files import ROOT, TABLE
from mrlab.results import Check
from mrlab.stage import Stage

PAGE = os.path.join(ROOT, "docs/sites.md")
# Why a check is not provoked, by site or site and cause: what it needs that a virtual machine or a user's program does not have.
NEEDS = {
    "mlx5": "hardware of mlx5",
    "iommu": "an IOMMU that refuses, or a device with a small DMA mask",
    "race": "a race that cannot be had at will",
    "broken": "a broken page table or a kernel bug",
    "private": "device-private memory, and a kernel that refuses it (before 5.19)",
    "old": "a kernel before 5.10.94",
    "memory": "the host out of memory in the kernel's own allocations",
    "peer": "a GPU, or PCI peer-to-peer memory",
    "early": "nothing: the driver checks it before any operation that is followed",
    "fsdax": "a file system that allocates in a fault and can be pinned",
    "driver": "a driver that does not know the flag, or has a bug",
}
WHY = {
    ("H4", "pte-device-private"): "private", ("H2", "mapping-mixedmap"): "old", ("P12", "fault-no-space"): "fsdax", "V17": "early",
    "H5": "private", "H6": "broken", "H11": "race", "H12": "race", "U3": "memory", "U9": "iommu", "U2": "iommu",
    "V6": "mlx5", "V9": "mlx5", "V11": "mlx5", "V12": "mlx5", "V13": "mlx5", "V14": "iommu", "V15": "race", "P14": "peer",
    "P15": "iommu", "P16": "driver", "P17": "iommu", "U10": "driver", "U4": "driver", "U7": "race", "H10": "race",
}


def causes(mrtrace):
    done = tracer.call(mrtrace, "explain", "--json")
    done.check_returncode()
    return tracer.objects(done.stdout)


def page(mrtrace, table):
    """(text, problems)"""
    provoking = {}
    for name, rows in table.items():
        for row in rows:
            for site in row.sites:
                provoking.setdefault((site, row.cause), []).append(name)
    used, lines, problems, provoked, fixtures = set(), [], [], 0, 0
    for cause in causes(mrtrace):
        for site in cause.get("sites", []):
            key = (site["id"], cause["cause"])
            names = list(dict.fromkeys(provoking.get(key, [])))
            used.add(key)
            if names:
                provoked += 1
                how = "lab: " + ", ".join(names)
            else:
                fixtures += 1
                why = WHY.get(key) or WHY.get(site["id"])
                how = "fixture" + (f": needs {NEEDS[why]}" if why else "")
            check = site["check"].replace("|", "\\|")
            lines.append(f"| {site['id']} | {cause['cause']} | {', '.join(site['errnos'])} | {check} | {how} |")
    for site, cause in sorted(key for key in provoking if key not in used and key[1]):
        problems.append(f"scenarios.tsv gives site {site} to cause {cause}, which has no such site")
    text = f"""<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Made by lab/sites from the table of causes and lab/scenarios.tsv: do not edit. -->
# How each kernel check is tested

A site is a check in the kernel whose errno reaches the user of RDMA memory. `mrtrace explain CAUSE` says what is looked at to
tell each. {provoked} of {provoked + fixtures} are provoked in the lab by programs that do nothing but what programs do (`lab/run --list`), on
every kernel that has them; {fixtures} are tested with evidence written from the kernel's source
(`Tests/TraceAgentTests/Diagnosis/`).

| site | cause | errno | the kernel's check | tested by |
|---|---|---|---|---|
""" + "\n".join(lines) + "\n"
    return text, problems


def main():
    stage = Stage("sites", __doc__)
    stage.parser.add_argument("--check", action="store_true", help="write nothing: fail when docs/sites.md is not what it would be")
    options = stage.parse()
    text, problems = page(programs.tracer(), scenarios.load(TABLE))
    if options.check:
        with open(PAGE, encoding="utf-8") as file:
            if file.read() != text:
                problems.append("docs/sites.md is out of date: run lab/sites")
    else:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(text)
    stage.results.add("docs", Check("sites.md", "is what the table of causes and the scenarios say", problems))
    return stage.end(guests=False)
