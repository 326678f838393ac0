# SPDX-License-Identifier: Apache-2.0
"""The fsdax bug of 2021, broken and fixed side by side: boots one kernel image twice, with the bug and without,
records the same RDMA memory on each, prints the diagnoses and a comparison."""

import os
import subprocess
import sys
import tempfile

from mrlab import guest, kernels, tracer
from mrlab.files import ROOT, read_json_lines
from mrlab.programs import Programs
from mrlab.stage import Stage

# Scenario, whether a registration faults its pages in, and what it is.
RUNS = [
    ("fsdax-reg", True, "ibv_reg_mr, on demand"),
    ("fsdax-prefetch", False, "ibv_advise_mr PREFETCH"),
    ("fsdax-prefetch-write", False, "ibv_advise_mr PREFETCH_WRITE"),
]


def say(text):
    print(f"demo-2021: {text}", file=sys.stderr, flush=True)


def fail(text):
    sys.exit(f"demo-2021: {text}")


def run(*command):
    sys.stdout.flush()
    if subprocess.run(command, check=False).returncode:
        fail(f"{os.path.relpath(command[0])} failed, see above")


def guest_script(bug):
    lines = []
    for scenario, faults, _ in RUNS:
        mode = "fault-at-reg" if faults else "snapshot"
        lines += [
            f"echo {int(faults)} >/sys/module/rdma_rxe/parameters/odp_fault_at_reg",
            f"export WORKLOAD_EXPECT={bug},{mode}",
            f"mrtrace record -o /out/{scenario} -- sh -c 'exec workload {scenario} >/out/{scenario}.jsonl'"
            f" >/dev/null || {{ echo '{scenario}: mrtrace record ended with '$?; exit 1; }}",
        ]
    return "\n".join(lines) + "\n"


def record(bug, kernel, fs, programs, directory):
    out = os.path.join(directory, bug)
    if guest.boot(kernel, guest_script(bug), out, programs.adds(), accel=None, fs=fs, append=f"hmm.fsdax_2021={bug}"):
        fail("lab/boot failed, see above")
    return out


def client_saw(out, scenario):
    """The workload's own words: the errno of the last operation, the one the scenario is about."""
    return read_json_lines(os.path.join(out, f"{scenario}.jsonl"))[0][-1]["errno"] or "ok"


def reports_of(mrtrace, recording):
    done = tracer.call(mrtrace, "report", "--json", recording)
    if done.returncode:
        fail(f"mrtrace report failed: {done.stderr.strip()}")
    return tracer.objects(done.stdout)


def entry(report):
    page = report.get("page", {})
    return f"{page.get('raw', '?')} {'|'.join(page.get('flags', []))}"


def main():
    stage = Stage("demo-2021", __doc__)
    stage.parser.add_argument("--fs", choices=("ext4", "xfs"), default="ext4", help="the DAX file system (default: ext4)")
    options = stage.parse()

    os.chdir(ROOT)
    say("1/4 what the build and the lab need")
    run(os.path.join(ROOT, ".ci", "setup"))
    say("2/4 mrtrace and the workload")
    if "MRTRACE" not in os.environ:
        run(os.path.join(ROOT, ".ci", "build"))
    programs = Programs()
    mrtrace = programs.mrtrace
    say("3/4 the kernel with the bug (built once, about 13 minutes on 2 cores)")
    kernel = kernels.fetch("fsdax-2021")
    if not kernel:
        fail("lab/fetch failed, see above")

    wrong = []
    rows = []
    with tempfile.TemporaryDirectory(prefix="mrtrace-demo-2021.") as directory:
        outs = {}
        for bug in ("broken", "fixed"):
            say(f"4/4 booting it {bug}: hmm.fsdax_2021={bug}")
            outs[bug] = record(bug, kernel, options.fs, programs, directory)
        reports = {}
        for bug, out in outs.items():
            for scenario, _, _ in RUNS:
                recording = os.path.join(out, scenario)
                reports[bug, scenario] = reports_of(mrtrace, recording)
                if reports[bug, scenario]:
                    print(f"\n== {bug}, {scenario}: mrtrace report\n", flush=True)
                    run(mrtrace, "report", recording)
        for scenario, _, title in RUNS:
            broken, fixed = reports["broken", scenario], reports["fixed", scenario]
            saw = {bug: client_saw(out, scenario) for bug, out in outs.items()}
            rows.append((title, saw, broken, fixed))
            if [(one.get("cause"), one.get("confidence")) for one in broken] != [("pte-special-devmap", "proved")]:
                wrong.append(f"{scenario}: on the broken kernel pte-special-devmap, proved, should be reported once")
            if fixed:
                wrong.append(f"{scenario}: nothing should be reported on the fixed kernel")
            if saw != {"broken": "EFAULT", "fixed": "ok"}:
                wrong.append(f"{scenario}: the client should see EFAULT broken and ok fixed")

        print("\n== broken against fixed: mrtrace report --diff\n", flush=True)
        run(mrtrace, "report", "--diff", *(os.path.join(out, "fsdax-prefetch") for out in outs.values()))

    print(f"\n== The same memory ({options.fs}, dax=always, mapped page by page) on the same kernel image\n")
    print(f"{'':30} {'broken':34} {'fixed'}")
    for title, saw, broken, fixed in rows:
        print(f"{title}")
        print(f"{'  the client sees':30} {saw['broken']:34} {saw['fixed']}")
        causes = [", ".join(f"{one.get('cause')} ({one.get('confidence')})" for one in some) or "no failure"
                  for some in (broken, fixed)]
        print(f"{'  mrtrace says':30} {causes[0]:34} {causes[1]}")
        for one in broken:
            print(f"{'  page':30} {one.get('page', {}).get('address', '?')}")
            print(f"{'  its entry':30} {entry(one)}")
    print(flush=True)
    for text in wrong:
        say(text)
    return 1 if wrong else 0
