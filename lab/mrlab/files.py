# SPDX-License-Identifier: Apache-2.0
"""The lab's files: where the tree is, reading what guests left, and a word to the user."""

import json
import os
import re
import sys

LAB = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(LAB)
TABLE = os.path.join(LAB, "scenarios.tsv")
CACHE = os.environ.get("MRTRACE_LAB_CACHE", os.path.expanduser("~/.cache/mrtrace-lab"))


def say(text):
    """Tells the user what the lab does: on standard error, beside the results."""
    print(f"lab: {text}", file=sys.stderr, flush=True)


def text_of(*path):
    """The text of a file that a guest left, without blanks around it; empty where there is no such file."""
    return raw_text(*path).strip()


def raw_text(*path):
    """The text of a file as it is; empty where there is no such file."""
    try:
        with open(os.path.join(*path), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def own_text(name):
    """The text of a file of the lab, which must be there: a script of the guest's."""
    with open(os.path.join(LAB, name), encoding="utf-8") as file:
        return file.read()


def read_json_lines(path):
    """(objects, problems): the workload's lines have no other lines among them."""
    objects, problems = [], []
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                objects.append(json.loads(line))
            except ValueError:
                problems.append(f"{os.path.basename(path)}:{number} is no JSON: {line.strip()[:80]}")
    return objects, problems


def file_name(text):
    """A name of a case as the name of its directory."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
