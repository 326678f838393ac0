# SPDX-License-Identifier: Apache-2.0
"""mrtrace where it cannot see: hooks forced off, switches of the kernel off, modules that come late or go, drivers that are not hooked.

Each time an operation fails. What would see nothing must not begin; what does not see all must say so first and last, and end with 3
under --strict; "no failed operation" is said by none of them."""

import os
import re

from mrlab import guest
from mrlab.files import file_name, text_of
from mrlab.judges import blind
from mrlab.results import Check
from mrlab.stage import Stage

OFF = "--no-hook fentry --no-hook kprobe"
RXE = " ".join(f"--no-hook {name}" for name in ("rxe_reg_user_mr", "rxe_ib_advise_mr", "rxe_ib_prefetch_mr_work"))
# Registers memory that is not there: on every kernel, whatever soft-RoCE can.
FAIL = "workload pin-hole >/dev/null"
KPROBES = "/sys/kernel/debug/kprobes/enabled"
# Until mrtrace has attached to the RDMA core, and a while more for soft-RoCE.
AGAIN = 'tries=0; until tail -n 1 ../stderr | grep -q "attached [23][0-9] of" || [ $tries -ge 60 ]; do sleep 0.5; tries=$((tries + 1)); done; sleep 8'
RELOAD = ("rdma link delete rxe0; modprobe -r rdma_rxe rdma_ucm ib_uverbs; ip link del dum0; sleep 2; lab-rdma")


class Case:
    """`command` runs in a directory of its own. status: its exit status. first, last: of standard error (of `last_of`), its first and last
    line; says: anywhere in both; leaves: there is a recording, whose report fails with 3 under --strict and has `found` failures."""

    def __init__(self, name, command, status, first=None, last=None, says=(), leaves=False, found=None, complete=False):
        self.name, self.command, self.status, self.first, self.last = name, command, status, first, last
        self.says, self.leaves, self.found, self.complete = says, leaves, found, complete


def cases(switches_ftrace):
    refused = r"^mrtrace: nothing would be seen: "
    some = r"^mrtrace: Registrations are not seen, failed or not: ib_uverbs_reg_mr: forced off"
    driver = r"^mrtrace: Of rxe0 \(driver rdma_rxe\) the driver's own functions are not watched: rxe_reg_user_mr: forced off"
    made = [
        Case("RDMA comes while it records", f"mrtrace record --strict -o rec -- sh -c 'sleep 1; lab-rdma; {AGAIN}; {FAIL}'", 3,
             first=r"RDMA core \(ib_uverbs\) is not loaded", says=[r"pin-|mapping-missing", r"was loaded while the recording ran"], leaves=True, found=1),
        Case("all is seen", f"mrtrace record --strict -o rec -- sh -c '{FAIL}'", 0, first=r"^mrtrace: attached \d+ of", leaves=True, found=1,
             complete=True),
        Case("no rung is left: record", f"mrtrace record -o rec {OFF} -- touch started", 1, first=refused + r".*--no-hook"),
        Case("no rung is left: live", f"mrtrace live {OFF} -- touch started", 1, first=refused),
        Case("registrations are left out", f"mrtrace record --strict -o rec --no-hook ib_uverbs_reg_mr -- sh -c '{FAIL}'", 3, first=some,
             says=[r"no failed operation recorded, and not all would have been seen"], leaves=True, found=0),
        Case("registrations are left out, quietly", f"mrtrace record -q -o rec --no-hook ib_uverbs_reg_mr -- sh -c '{FAIL}'", 0, first=some,
             last=some, leaves=True, found=0),
        Case("live: plain lines", f"mrtrace live --screen never --interval 1 --no-hook ib_uverbs_reg_mr -- sh -c '{FAIL}; sleep 2'", 0,
             first=some, last=some, says=[r"not seen: Registrations are not seen"]),
        Case("live: JSON", f"mrtrace live --json --no-hook ib_uverbs_reg_mr -- sh -c '{FAIL}; sleep 2'", 0, first=some,
             says=[r'"not_seen":\["Registrations are not seen']),
        Case("a driver is left out", f"mrtrace record --strict -o rec {RXE} -- true", 3, first=driver,
             says=[r"not all would have been seen"], leaves=True, found=0),
        Case("modules go and come back under kprobes", f"mrtrace record -o rec --no-hook fentry -- sh -c '{RELOAD}; {AGAIN}; {FAIL}'", 0,
             says=[r"RDMA core \(ib_uverbs\) is not loaded"], leaves=True, found=1, complete=None),
        Case("kprobes are off", f"echo 0 >{KPROBES}; mrtrace record -o rec --no-hook fentry -- touch started; s=$?; echo 1 >{KPROBES}; exit $s", 1,
             first=refused + r".*switched off"),
        Case("kprobes are off: monitor", f"echo 0 >{KPROBES}; mrtrace monitor --directory none; s=$?; echo 1 >{KPROBES}; exit $s", 1,
             first=refused + r".*switched off"),
        Case("monitor: metrics", "mrtrace monitor --directory none --textfile $PWD/m & sleep 12; cat m; kill $!; wait $!", 0,
             says=[r'mrtrace_operation_seen\{operation="reg_mr"\} 1', r'mrtrace_device_watched\{device="rxe0",driver="rdma_rxe"\} 1']),
    ]
    if switches_ftrace:
        ftrace = "/proc/sys/kernel/ftrace_enabled"
        for verb in ("record -o rec -- touch started", "live -- touch started", "monitor --directory none"):
            made.append(Case(f"ftrace is off: {verb.split()[0]}", f"echo 0 >{ftrace}; mrtrace {verb}; s=$?; echo 1 >{ftrace}; exit $s", 1,
                             first=r"^mrtrace: ftrace is switched off"))
        made.append(Case("ftrace is off: doctor", f"echo 0 >{ftrace}; mrtrace doctor; s=$?; echo 1 >{ftrace}; exit $s", 1,
                         says=[r"ftrace is switched off"]))
    return made


def guest_script(made):
    lines = ["mount -t debugfs none /sys/kernel/debug 2>/dev/null"]
    for case in made:
        here = f"/out/cases/{file_name(case.name)}"
        lines += ["[ -e /sys/class/infiniband/rxe0 ] || lab-rdma"] if case is not made[0] else []
        lines += [f"mkdir -p {here}/work; cd {here}/work", f"cat >../script <<'END'\n{case.command}\nEND",
                  "timeout -s KILL 150 sh ../script >../stdout 2>../stderr; echo $? >../status; ls -A . >../left"]
    return "\n".join(lines) + "\nexit 0\n"


def run_kernel(kernel, stage):
    directory = stage.kernel(kernel)
    if not directory:
        return
    release = text_of(directory, "release")
    # From 7.x on the sysctl no longer switches ftrace off.
    made = cases(switches_ftrace=re.match(r"(5|6)\.", release) is not None)
    place = stage.path(kernel)
    status = guest.boot(directory, guest_script(made), place, stage.programs.adds(), timeout=1500, accel=None, more=["--no-rdma"])
    stage.boots(kernel, status)
    for case in made:
        here = os.path.join(place, "cases", file_name(case.name))
        found = blind.problems(case, here, stage.programs.mrtrace, release.startswith("5.10."))
        stage.results.add(kernel, Check("blind", case.name, found))


def main():
    stage = Stage("blind", __doc__, on_kernels=True)
    stage.keep_option()
    options = stage.parse()
    stage.begin(options.keep)
    for kernel in options.kernels:
        run_kernel(kernel, stage)
    return stage.end()
