# SPDX-License-Identifier: Apache-2.0
"""Eight processes that fail in many ways, for ten minutes (--seconds), under record --live, live --json and monitor at
the same time: what each of them counted, what is read back from the recording, and what the processes themselves wrote
are the same numbers."""

import os

from mrlab import guest, kernels, reruns
from mrlab.files import text_of
from mrlab.judges.agreement import Agreement
from mrlab.stage import Stage, booted

# A line is a process. What fails, and what does not, through each way into the kernel.
CAST = ("hole-p ok-anon pin-hole",
        "protnone-w ok-pin-anon pin-protnone",
        "readonly-w readonly-later-w ok-tmpfs",
        "tmpfs-eof-p pin-readonly reg-access-bad",
        "fsdax-eof-p ok-fsdax pin-fsdax",
        "hole-x ok-anon-x",
        "hole-a protnone-a",
        "mixed-device-p lkey-bad-p range-beyond-p pin-zero")


def run_guest(directory, stage, terminal):
    options, place = stage.options, stage.out
    script = guest.with_variables("agreement_guest.sh", SECONDS_LONG=options.seconds, PAUSE=options.pause, OPTIONS=options.options, CAST="\n".join(CAST))
    status = guest.boot(directory, script, place, stage.programs.adds() + terminal, timeout=options.seconds + 900, smp=len(CAST) + 4, mem="4G")
    return booted(status, os.path.join(place, "last.prom"), text_of(place, "monitor.stderr"))


def main():
    stage = Stage("agreement", __doc__)
    stage.parser.add_argument("kernel", nargs="?", default="newest", help="a name for lab/fetch, with prefetch: 6.18 and later (default: newest)")
    stage.parser.add_argument("--seconds", type=int, default=600, help="how long the processes go on (default: 600)")
    stage.parser.add_argument("--pause", type=int, default=1000, help="of each process after each scenario, ms (default: 1000)")
    stage.parser.add_argument("--options", default="", help="more options for mrtrace monitor")
    stage.keep_option()
    stage.parser.add_argument("--judge", metavar="DIR", help="no guest: judge what an earlier run has left there")
    options = stage.parse()
    terminal = guest.tmux()
    if not terminal:
        stage.fail('tmux or the locale C.UTF-8 is missing; run "make setup"')
    stage.begin(options.judge or options.keep, judged=bool(options.judge))
    directory = stage.kernel(options.kernel)
    if not directory:
        return stage.end(guests=False)
    features = kernels.features_of(options.kernel, directory) | {"ext4", "fixed"}

    def attempt():
        judge = Agreement(stage.out, stage.programs.mrtrace, features, len(CAST))
        checks = [] if options.judge else [run_guest(directory, stage, terminal)]
        if all(one.passed for one in checks):
            checks += judge.all()
        # With a busy host the kernel may skip a program in the middle of what is compared (docs/known-issues.md). A tracer that
        # tells so may say less; one that does not, or that says something else, is wrong.
        return checks, [(reruns.kind_of(one.says_less, judge.skipped), str(one)) for one in checks if one.failed]

    checks = attempt()[0] if options.judge else stage.reruns.judged(f"{options.kernel}, guest agreement", stage.out, attempt)
    stage.results.add(options.kernel, *checks)
    return stage.end(guests=not options.judge)
