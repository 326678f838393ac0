# SPDX-License-Identifier: Apache-2.0
"""Boots KERNEL (a name for lab/fetch, or a kernel directory), runs the scenarios there under "mrtrace record",
and runs "mrtrace report" on the recording here.

MRTRACE names the tracer (default: build/mrtrace). Exit status: the workload's (0 all as it expects),
or lab/boot's (124, 125).

Example: lab/run newest fsdax-truncated ok-fsdax-shared"""

import argparse
import datetime
import os
import shlex
import signal
import subprocess
import sys

from mrlab import guest, programs
from mrlab.files import own_text


def print_table():
    """The scenarios, with the errno and the cause they must give."""
    # A pager may end first.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for line in own_text("scenarios.tsv").splitlines():
        if line.strip() and not line.startswith("#"):
            name, needs, operation, errno, cause, _, note = (line.split("\t") + [""] * 7)[:7]
            print(f"{name:24} {needs:42} {operation:10} {errno:10} {cause:22} {note}")


def parser():
    made = argparse.ArgumentParser(prog="lab/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--list", action="store_true", help="the scenarios, with the errno and the cause they must give")
    made.add_argument("--fs", choices=("ext4", "xfs"), default="ext4", help="the DAX file system (default: ext4)")
    bug = made.add_mutually_exclusive_group()
    bug.add_argument("--broken", dest="bug", action="store_const", const="broken", help="KERNEL fsdax-2021: with the bug (default), or without")
    bug.add_argument("--fixed", dest="bug", action="store_const", const="fixed", help=argparse.SUPPRESS)
    made.add_argument("--fault-at-reg", action="store_true", help="KERNEL fsdax-2021: an ODP registration faults its pages in")
    made.add_argument("--record-options", default="", metavar="WORDS", help="more options for mrtrace record")
    made.add_argument("--report-options", default="", metavar="WORDS", help="more options for mrtrace report")
    made.add_argument("--bare-workload", action="store_true", help="no tracer: what the workload alone sees")
    made.add_argument("--out", metavar="DIR", help="where recording and console go (default: a new lab-DATE-TIME-KERNEL)")
    made.add_argument("--boot-options", default="", metavar="WORDS", help="more options for lab/boot")
    made.add_argument("kernel", nargs="?", metavar="KERNEL")
    made.add_argument("scenarios", nargs="*", metavar="SCENARIO")
    return made


def fail(text):
    print(f"run: {text}", file=sys.stderr)
    return 125


def main():
    asked = parser()
    # Options stand before KERNEL; what follows it is the workload's.
    options = asked.parse_args(joined(sys.argv[1:]))
    if options.list:
        print_table()
        return 0
    if not options.kernel or not options.scenarios:
        asked.error("no kernel named" if not options.kernel else "no scenario named (lab/run --list)")
    is_2021 = options.kernel == "fsdax-2021"
    if options.bug and not is_2021:
        asked.error(f"--{options.bug} is for the kernel fsdax-2021")
    kernel = os.path.abspath(options.kernel) if os.path.isdir(options.kernel) else options.kernel
    out = options.out or datetime.datetime.now().strftime(f"lab-%Y%m%d-%H%M%S-{os.path.basename(kernel)}")
    if os.path.exists(out) and os.listdir(out):
        return fail(f"{out} is there already")
    adds = [(programs.workload(), "/usr/bin/workload")]
    if not options.bare_workload:
        mrtrace = programs.tracer()
        adds.append((mrtrace, "/usr/bin/mrtrace"))
    expect, append = [], []
    if is_2021:
        bug = options.bug or "broken"
        expect, append = [bug], [f"hmm.fsdax_2021={bug}"]
        if options.fault_at_reg:
            expect.append("fault-at-reg")
            append.append("rdma_rxe.odp_fault_at_reg=1")
    command = ["workload", *options.scenarios]
    if not options.bare_workload:
        command = ["mrtrace", "record", "-o", "/out/recording", *options.record_options.split(), "--", *command]
    script = f"export WORKLOAD_EXPECT={shlex.quote(','.join(expect))}\nexec {shlex.join(command)}\n"
    status = guest.boot(kernel, script, out, adds, accel=None, fs=options.fs, append=" ".join(append), more=options.boot_options.split())
    if not options.bare_workload:
        recording = os.path.join(out, "recording")
        if not os.path.isdir(recording):
            return fail(f"there is no recording (status {status}); the console is in {out}/console.log")
        print(f"\n== the same recording, reported on this machine: mrtrace report {recording}", flush=True)
        status = subprocess.run([mrtrace, "report", *options.report_options.split(), recording], check=False).returncode or status
    print(f"run: the guest's console and output are in {out}", file=sys.stderr)
    return status


# Their values are options themselves, which argparse would take for its own.
WORDS = ("--record-options", "--report-options", "--boot-options")


def joined(words):
    """The command line with `--record-options WORDS` as one word."""
    made, rest = [], list(words)
    while rest:
        word = rest.pop(0)
        made.append(f"{word}={rest.pop(0)}" if word in WORDS and rest else word)
    return made
