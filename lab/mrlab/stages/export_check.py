# SPDX-License-Identifier: Apache-2.0
"""Exports recordings to every format, each alone and all merged, and reads the results with readers that are not ours: babeltrace2,
jsonschema, csv, sqlite3, and Perfetto's protobuf classes. Those come from PyPI once, into the lab's cache; without them that part
is skipped.

MRTRACE            the program (default: build/mrtrace)
MRTRACE_LAB_CACHE  default ~/.cache/mrtrace-lab"""

import glob
import os
import subprocess
import sys

from mrlab import programs
from mrlab.files import CACHE, ROOT, say
from mrlab.judges import exports
from mrlab.stage import Stage

CLASSES = "import perfetto.protos.perfetto.trace.perfetto_trace_pb2"


def with_classes():
    """Goes on as the interpreter of the lab's cache, which has Perfetto's classes where PyPI could be reached."""
    place = os.path.join(CACHE, "python")
    interpreter = os.path.join(place, "bin/python3")
    if sys.prefix == place:
        return

    def quiet(*command):
        try:
            return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120,
                                  check=False).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False
    if not quiet(interpreter, "-c", CLASSES):
        say("fetching perfetto and protobuf from PyPI")
        if not (quiet("/usr/bin/python3", "-m", "venv", "--system-site-packages", place)
                and quiet(os.path.join(place, "bin/pip"), "-q", "install", "perfetto~=0.59", "protobuf")):
            say("PyPI does not answer, or python3-venv is missing")
    if os.access(interpreter, os.X_OK):
        os.execv(interpreter, [interpreter, *sys.argv])


def main():
    stage = Stage("export-check", __doc__)
    stage.parser.add_argument("recordings", nargs="*", metavar="RECORDING", help="default: those of the unit tests")
    options = stage.parse()
    mrtrace = programs.tracer()
    with_classes()
    recordings = options.recordings or sorted(glob.glob(os.path.join(ROOT, "Tests/TraceAgentTests/Fixtures/recordings/*")))
    for some in [*([one] for one in recordings), *([recordings] if len(recordings) > 1 else [])]:
        stage.results.add(os.path.basename(some[0]) if len(some) == 1 else "merged", *exports.checks(mrtrace, some))
    return stage.end(guests=False)
