# SPDX-License-Identifier: Apache-2.0
"""The tracer as a reader of recordings: calls of mrtrace on this machine, and what it writes to standard error."""

import json
import re
import subprocess

from mrlab.files import say

# LossSummary's sentences on hooks whose programs did not run, or not to their end.
SKIPPED_RUNS = re.compile(r"runs of hooks were missed|had not returned at the end|whose beginning was not seen")


def call(mrtrace, *words):
    """A finished run of mrtrace, with its output as text."""
    return subprocess.run([mrtrace, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)


def babeltrace(recording):
    """A finished run of babeltrace2, which reads the same recordings; only what it says on standard error is kept."""
    return subprocess.run(["babeltrace2", recording], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, errors="replace", check=False)


def objects(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def report(mrtrace, recording, *options):
    """The objects of `report --json`."""
    return objects(call(mrtrace, "report", "--json", *options, recording).stdout)


def exported(mrtrace, recording):
    """The lines of the export to JSON Lines."""
    return call(mrtrace, "export", recording, "--to", "jsonl").stdout.splitlines()


def complaints(notes, of):
    """What mrtrace wrote to standard error, without the runs that the kernel skipped: they are no fault of what tells of
    them, and what lacks evidence is not proved, and fails its own check. They are shown."""
    found = []
    for note in notes.strip().splitlines():
        if SKIPPED_RUNS.search(note):
            say(f"{of}: {note}")
        else:
            found.append(note)
    return found
