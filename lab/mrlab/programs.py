# SPDX-License-Identifier: Apache-2.0
"""The programs that go into guests: the workload, built here, and the tracer, which also reads the recordings here."""

import os
import subprocess
import sys

from mrlab.files import LAB, ROOT


def workload():
    """The workload's path; it is built when its sources are newer."""
    if subprocess.run(["make", "-s", "-C", os.path.join(LAB, "workload"), "build/workload"], stdout=sys.stderr, check=False).returncode:
        sys.exit("lab: the workload could not be built (make -C lab/workload shows why)")
    return os.path.join(LAB, "workload/build/workload")


def tracer():
    """The path of mrtrace: MRTRACE, or build/mrtrace."""
    program = os.environ.get("MRTRACE") or os.path.join(ROOT, "build/mrtrace")
    if not os.access(program, os.X_OK):
        sys.exit(f'lab: there is no {program}; run "make build", or set MRTRACE')
    return os.path.abspath(program)


class Programs:
    """Both paths."""

    def __init__(self):
        self.workload, self.mrtrace = workload(), tracer()

    def adds(self):
        """What guest.boot puts into the guest: (path here, path there)."""
        return [(self.workload, "/usr/bin/workload"), (self.mrtrace, "/usr/bin/mrtrace")]
