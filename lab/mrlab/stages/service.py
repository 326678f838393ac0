# SPDX-License-Identifier: Apache-2.0
"""docs/mrtrace-monitor.service, as it is, under a real systemd and journal in a guest: it comes up in its sandbox, sees failures,
follows a module that is loaded again, reloads and ends."""

import os

from mrlab import guest, kernels
from mrlab.files import text_of
from mrlab.judges.service import UNIT, Service, verify
from mrlab.stage import Stage

PROGRAMS = ("/usr/lib/systemd/systemd", "/usr/lib/systemd/systemd-journald", "/usr/bin/systemctl", "/usr/bin/journalctl")


def run_kernel(kernel, stage):
    directory = stage.kernel(kernel)
    if not directory:
        return
    place = stage.path(kernel)
    some = "hole-p readonly-w pin-hole ok-anon" if "advise" in kernels.features_of(kernel, directory) else "pin-hole pin-zero ok-pin-anon"
    adds = [(path, path) for path in PROGRAMS] + [(UNIT, f"/etc/systemd/system/{os.path.basename(UNIT)}")]
    status = guest.boot(directory, guest.with_variables("service_guest.sh", SCENARIOS=some), place, stage.programs.adds() + adds, timeout=1200, smp=4)
    if stage.boots(kernel, status, log=text_of(place, "systemd.log")):
        stage.results.add(kernel, *Service(place, stage.programs.mrtrace).all())


def main():
    stage = Stage("service", __doc__, on_kernels=True)
    stage.keep_option()
    options = stage.parse()
    for path in PROGRAMS:
        stage.needs(path)
    stage.begin(options.keep)
    stage.results.add("host", verify(stage.programs.mrtrace))
    for kernel in options.kernels:
        run_kernel(kernel, stage)
    return stage.end()
