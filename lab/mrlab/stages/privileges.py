# SPDX-License-Identifier: Apache-2.0
"""Runs mrtrace in a guest with exactly the capabilities of privileges_guest.sh's cases, and compares what came of it:
what fails and how that is said, what is kept after attaching, what COMMAND gets, and that nothing on the system changed."""

import os
import shutil

from mrlab import guest, kernels
from mrlab.files import own_text, raw_text, say
from mrlab.judges import privileges
from mrlab.results import Check
from mrlab.stage import Stage

LEAST = "bpf perfmon syslog"
ALL = LEAST + " sys_ptrace sys_admin"
# name, capabilities of an unprivileged user, kptr_restrict; then what must be named as missing ("" = it records)
CASES = [
    ("none", "", 1, "CAP_BPF.*CAP_PERFMON"),
    ("no-bpf", "perfmon syslog", 1, "CAP_BPF"),
    ("no-perfmon", "bpf syslog", 1, "CAP_PERFMON"),
    ("no-syslog", "bpf perfmon", 1, "CAP_SYSLOG"),
    ("hidden-from-all", ALL, 2, "kptr_restrict"),
    ("least", LEAST, 1, ""),
    ("all", ALL, 1, ""),
]
# Before 5.11 BPF maps count against RLIMIT_MEMLOCK, which the cases have at 64 KiB.
RESOURCE = " sys_resource"
# Without CONFIG_FPROBE kprobes are perf events, which Debian's perf_event_paranoid of 3 closes.
ADMIN = " sys_admin"


class Kernel:
    """What it takes more than the newest one, and its cases."""

    def __init__(self, directory):
        self.directory = directory
        with open(os.path.join(self.directory, "config"), encoding="utf-8") as file:
            self.needs_admin = "CONFIG_FPROBE=y" not in file.read()
        needs_resource = kernels.version_of(self.directory) < (5, 11)
        more = (ADMIN if self.needs_admin else "") + (RESOURCE if needs_resource else "")
        self.least, self.all = LEAST + more, ALL + (RESOURCE if needs_resource else "")
        caps = {LEAST: self.least, ALL: self.all}
        self.cases = [(name, caps.get(words, words), kptr, missing) for name, words, kptr, missing in CASES]
        if self.needs_admin:
            self.cases.insert(5, ("no-admin", self.least.replace(ADMIN, ""), 1, "CAP_SYS_ADMIN"))
        if needs_resource:
            self.cases.insert(5, ("no-resource", self.least.replace(RESOURCE, ""), 1, "CAP_SYS_RESOURCE"))


def guest_script(kernel):
    lines = [f"try {case} {kptr} {'-' if missing else 'workload'} {caps}" for case, caps, kptr, missing in kernel.cases]
    return (own_text("privileges_guest.sh").replace("@CASES@", "\n".join(lines)).replace("@LEAST@", kernel.least).replace("@ALL@", kernel.all))


def run_kernel(name, stage):
    found = stage.kernel(name)
    if not found:
        return
    kernel, place = Kernel(found), stage.path(name)
    adds = [(shutil.which("setpriv"), "/usr/bin/launch"),
            (shutil.which("setcap", path=os.environ["PATH"] + ":/usr/sbin:/sbin"), "/usr/bin/setcap")]
    status = guest.boot(kernel.directory, guest_script(kernel), place, stage.programs.adds() + adds, timeout=1800, accel=None,
                        more=["--odp"] if stage.options.odp else [])
    stage.boots(name, status)

    def check(what, problems):
        stage.results.add(name, Check("privileges", what, problems))

    for case in kernel.cases:
        check(f"capabilities: {case[0]} ({case[1] or 'none'}, kptr_restrict {case[2]})", privileges.judge_case(place, case, stage.programs.mrtrace))
    check("stacks of another user's process", privileges.judge_stacks(place))
    check("what root's agent keeps, what COMMAND has", privileges.judge_kept(place, kernel.needs_admin))
    check("the program with file capabilities", privileges.judge_file_capabilities(place))
    check("report and export as a plain user", privileges.judge_plain_user(place))
    check("doctor tells the privileges", privileges.judge_doctor(place, kernel.needs_admin))
    check("nothing on the system has changed", privileges.judge_unchanged(place))
    kept = privileges.masks(raw_text(f"{place}/kept/agent"))
    say(f"{name}: kept by root's agent: {privileges.names(kept.get('CapPrm', 0))}")


def main():
    stage = Stage("privileges", __doc__)
    stage.parser.add_argument("kernels", nargs="*", default=["newest"], metavar="KERNEL", help="default: newest")
    stage.parser.add_argument("--odp", action="store_true", help="build the module odplab first, for kernels without on-demand paging")
    stage.keep_option()
    options = stage.parse()
    stage.begin(options.keep)
    for kernel in options.kernels:
        run_kernel(kernel, stage)
    return stage.end()
