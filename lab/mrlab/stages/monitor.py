# SPDX-License-Identifier: Apache-2.0
"""mrtrace monitor in a guest, through reloads of the RDMA modules and births and deaths of processes: every failure is
counted, nothing grows, and its recordings read back."""

import os

from mrlab import guest, kernels
from mrlab.files import own_text, text_of
from mrlab.judges.monitor import Monitored
from mrlab.stage import Stage

# Where rxe prefetches, and where it only pins: what fails after each reload, and what each new process does.
PREFETCHED = ("hole-p protnone-p readonly-w pin-hole ok-anon", "hole-p pin-hole")
PINNED = ("pin-hole pin-protnone pin-zero reg-access-bad ok-pin-anon", "pin-hole pin-protnone")


def warm(options):
    return max(3, options.reloads // 5)


def run_kernel(kernel, stage):
    options, directory = stage.options, stage.kernel(kernel)
    if not directory:
        return
    some, few = PREFETCHED if "advise" in kernels.features_of(kernel, directory) else PINNED
    place = stage.path(kernel)
    script = guest.with_variables("monitor_guest.sh", RELOADS=options.reloads, WARM=warm(options), BIRTHS=options.births, OPTIONS=options.options,
                                  SOME=some, FEW=few) + own_text("monitor_filters.sh")
    status = guest.boot(directory, script, place, stage.programs.adds(), timeout=options.timeout, smp=guest.CPUS)
    if stage.boots(kernel, status, os.path.join(place, "last.prom"), text_of(place, "stderr")):
        stage.results.add(kernel, *Monitored(place, stage.programs.mrtrace, options.reloads, options.births).all())


def main():
    stage = Stage("monitor", __doc__, on_kernels=True)
    stage.parser.add_argument("--long", action="store_true", help="100 reloads and 1000 processes, rather than 6 and 24")
    stage.parser.add_argument("--reloads", type=int, help="another number of them")
    stage.parser.add_argument("--births", type=int, help="another number of processes")
    stage.parser.add_argument("--options", default="", help="more options for mrtrace monitor")
    stage.keep_option()
    options = stage.parse()
    reloads, births, options.timeout = (100, 1000, 10800) if options.long else (6, 24, 2400)
    options.reloads = reloads if options.reloads is None else options.reloads
    options.births = births if options.births is None else options.births
    stage.begin(options.keep)
    for kernel in options.kernels:
        run_kernel(kernel, stage)
    return stage.end()
