# SPDX-License-Identifier: Apache-2.0
"""Tries mrtrace with what a user gets wrong, in a guest and on this machine (bad_input_cases.py): one clear sentence,
the right exit status, and nothing left behind."""

import os
import shlex
import shutil
import signal
import subprocess

from mrlab import guest
from mrlab.files import file_name, raw_text
from mrlab.judges.bad_input import Outcome, problems_of
from mrlab.results import Check
from mrlab.stage import Stage
from mrlab.stages.bad_input_cases import GUEST, HOST, LOCKED

GOOD_CASE = "a failure is diagnosed"   # its recording is the one that the host's cases read and damage


# ---- in a guest

def guest_script(cases):
    lines = ["M=/usr/bin/mrtrace; export M; mkdir /out/cases"]
    for case in cases:
        place = f"/out/cases/{file_name(case.name)}"
        # The work directory is listed before anything mounted in it goes away.
        lines += [f"echo {shlex.quote('bad-input: in the guest: ' + case.name)}",
                  f"mkdir -p {place}/work; cd {place}/work",
                  f"sh -c {shlex.quote(case.prepare)} >../prepare.log 2>&1" if case.prepare else ":",
                  f"timeout -s KILL 120 sh -c {shlex.quote(case.command)} >../stdout 2>../stderr; echo $? >../status",
                  "ls -A . >../left; for m in full ro; do umount $m 2>/dev/null; done"]
    return "\n".join(lines) + "\nexit 0\n"


def run_guest(stage, name, cases, append, program):
    """(case, outcome) of each."""
    directory = stage.path(name)
    status = guest.boot(stage.options.kernel, guest_script(cases), directory,
                        [(program, "/usr/bin/mrtrace"), (stage.programs.workload, "/usr/bin/workload")], timeout=1500, accel=None, append=append)
    stage.boots(name, status)
    for case in cases:
        place = os.path.join(directory, "cases", file_name(case.name))
        ended = raw_text(place, "status").strip()
        yield case, Outcome(int(ended) if ended else None, raw_text(place, "stdout"), raw_text(place, "stderr"),
                            sorted(raw_text(place, "left").split()), os.path.join(place, "work"))


# ---- on this machine

def why_not(case):
    if (case.needs_root or case.user != "root") and os.geteuid() != 0:
        return "needs root" if case.needs_root else "needs root, to become another user"
    return None


def run_host(case, out, mrtrace, good):
    # The default umask and a directory of /tmp: another user must get in.
    place = os.path.join(out, "host-" + file_name(case.name))
    os.mkdir(place)
    environment = dict(os.environ, M=mrtrace, GOOD=good, SWIFT_BACKTRACE="enable=no")
    if case.user != "root":
        os.chmod(place, 0o777)
    if case.prepare:
        subprocess.run(["sh", "-euc", case.prepare], cwd=place, env=environment, stdin=subprocess.DEVNULL, check=True)
    other = {"user": 65534, "group": 65534, "extra_groups": []} if case.user != "root" else {}
    with subprocess.Popen(["bash", "-o", "pipefail", "-c", case.command], cwd=place, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                          start_new_session=True, **other) as child:
        try:
            stdout, stderr = child.communicate(timeout=20)
            status = child.returncode
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            stdout, stderr = child.communicate()
            status = "none: still running after 20 s"
    return Outcome(status, stdout, stderr, sorted(os.listdir(place)), place)


def judged(case, outcome, program):
    sentence = next((line for line in outcome.stderr.splitlines() if line.strip()), "") if case.error else ""
    return Check("bad input", case.name + (f": {sentence}" if sentence else ""), problems_of(case, outcome, program))


def main():
    stage = Stage("bad-input", __doc__)
    stage.parser.add_argument("--kernel", default="newest", help="for the guest (default: newest)")
    stage.parser.add_argument("--good", metavar="DIR", help="no guest: the host's cases alone, with this recording of scenario hole-p")
    stage.keep_option()
    options = stage.parse()
    stage.begin(options.keep)
    os.chmod(stage.out, 0o755)
    # Another user may not reach the tree: the program goes where it can.
    program = stage.path("mrtrace")
    shutil.copy2(stage.programs.mrtrace, program)
    os.chmod(program, 0o755)
    good = options.good
    if not good:
        for name, cases, append in (("guest", GUEST, ""), ("locked", LOCKED, "lockdown=confidentiality")):
            for case, outcome in run_guest(stage, name, cases, append, program):
                stage.results.add(name, judged(case, outcome, program))
                if case.name == GOOD_CASE:
                    good = os.path.join(outcome.directory, "rec")
    good = os.path.realpath(good)
    for case in HOST:
        reason = why_not(case)
        if reason:
            one = Check("bad input", case.name, skipped=reason)
        elif "$GOOD" in case.command + case.prepare and not os.path.exists(os.path.join(good, "metadata")):
            one = Check("bad input", case.name, ["the guest left no recording to try it on"])
        else:
            one = judged(case, run_host(case, stage.out, program, good), program)
        stage.results.add("host", one)
    return stage.end(guests=not options.good)
