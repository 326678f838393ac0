# SPDX-License-Identifier: Apache-2.0
"""Everything from nothing to a diagnosis: sets up, builds, boots a stock kernel, records a workload there whose RDMA memory fails in
five ways, and reports the recording again on this machine.

KERNEL is a name for lab/fetch (default: newest; it needs soft-RoCE with prefetch, 6.18 or newer). The recording is
left in ./demo-recording, or demo-recording-2 and so on: nothing is overwritten."""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile

from mrlab import guest, kernels, tracer
from mrlab.files import ROOT, read_json_lines, text_of
from mrlab.judges import demo
from mrlab.programs import Programs
from mrlab.stage import Stage

SCENARIOS = "fsdax-eof-p hole-p protnone-p device-p ok-fsdax ok-anon pin-fsdax"
# The application's own lines go past the diagnosis: they are shown after it.
SCRIPT = f"""exec mrtrace record -o /out/rec -- sh -c 'exec workload "$@" >/out/operations.jsonl' workload {SCENARIOS}
"""


def say(text):
    print(f"demo: {text}", file=sys.stderr, flush=True)


def made_by(*command):
    """Runs a step of .ci; without it there is no demo."""
    status = subprocess.run([os.path.join(ROOT, ".ci", command[0]), *command[1:]], check=False).returncode
    if status:
        sys.exit(status)


def free_name():
    for number in itertools.count(1):
        name = "demo-recording" + (f"-{number}" if number > 1 else "")
        if not os.path.exists(name):
            return name
    return None


def main():
    stage = Stage("demo", __doc__)
    stage.parser.add_argument("kernel", nargs="?", default="newest", metavar="KERNEL")
    options = stage.parse()
    result = free_name()
    say("1/5 what the build and the lab need")
    made_by("setup", "bpf/packages", "lab/packages")
    say("2/5 mrtrace and the workload")
    if not os.environ.get("MRTRACE"):
        made_by("build")
    programs = Programs()
    say(f"3/5 the kernel {options.kernel}")
    directory = kernels.fetch(options.kernel)
    if not directory:
        return 1
    with tempfile.TemporaryDirectory(prefix="mrtrace-demo.") as work:
        out = os.path.join(work, "out")
        say(f"4/5 booting {text_of(directory, 'release')} in QEMU; there: mrtrace record -o /out/rec -- workload {SCENARIOS}")
        print()
        status = guest.boot(directory, SCRIPT, out, programs.adds(), accel=None)
        if status or not os.path.isdir(os.path.join(out, "rec")):
            if os.path.exists(os.path.join(out, "console.log")):
                shutil.copy(os.path.join(out, "console.log"), "demo-console.log")
            stage.fail(f"the guest ended with status {status}; its console is in demo-console.log")
        shutil.move(os.path.join(out, "rec"), result)
        say(f"5/5 the same recording, on this machine: mrtrace report {result}")
        print(flush=True)
        subprocess.run([programs.mrtrace, "report", result], check=True)
        print()
        problems = demo.print_both(read_json_lines(os.path.join(out, "operations.jsonl"))[0], tracer.report(programs.mrtrace, result))
    for problem in problems:
        stage.fail(problem)
    print()
    say(f"the recording is in {result}: try build/mrtrace report --json {result}, or babeltrace2 {result}")
    return 0
