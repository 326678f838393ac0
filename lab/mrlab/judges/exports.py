# SPDX-License-Identifier: Apache-2.0
"""How exports are judged: readers that are not ours find the same (time, thread, function, errno, address) of every operation in each.

Of every recording alone, and of two and more merged. Used where they are there: babeltrace2, jsonschema, Perfetto's own protobuf classes;
what is skipped is said."""

import collections
import csv
import json
import os
import pathlib
import re
import sqlite3
import stat
import subprocess
import tempfile

from mrlab.judges import perfetto
from mrlab.results import Judge

Counter = collections.Counter


class Exports(Judge):
    """The checks of one export; `same` compares two Counters."""

    def __init__(self):
        super().__init__("exports")

    def same(self, name, one, other):
        missing, extra = one - other, other - one
        self.holds(name, not missing and not extra, f"missing {list(missing.items())[:3]}, not expected {list(extra.items())[:3]}")


def hexadecimal(value):
    return None if value is None else hex(value & (1 << 64) - 1)


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def export(mrtrace, recordings, directory):
    files = {}
    for form, suffix in [("jsonl", "jsonl"), ("csv", "csv"), ("sqlite", "sqlite"), ("perfetto", "pftrace")]:
        files[form] = directory / f"export.{suffix}"
        subprocess.run([mrtrace, "export", *recordings, "--to", form, "-o", files[form]], check=True)
    return files


# -- JSON Lines

def key_of_object(record):
    """(time, thread, function, errno, address) of a failure or an operation."""
    thread = record["tid"] if "tid" in record else record["worker"]["tid"]
    function = record["chain"][0]["function"] if record.get("chain") else None
    address = record.get("page", {}).get("address") or record.get("request", {}).get("address") \
        or record.get("mr", {}).get("address")
    return record.get("time_ns"), thread, function, record.get("errno"), address


def check_jsonl(results, mrtrace, recordings, path):
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    events = [line for line in lines if line["type"] == "event"]
    failures = [line for line in lines if line["type"] == "failure"]
    operations = [line for line in lines if line["type"] == "operation"]
    header, footer = lines[0], lines[-1]
    results.holds("jsonl: a header first, a footer last, one of each",
                  [line["type"] for line in lines if line["type"] in ("header", "footer")] == ["header", "footer"]
                  and header["type"] == "header" and footer["type"] == "footer")
    results.holds("jsonl: the footer counts what is there",
                  (footer["events"], footer["failures"], footer["operations"])
                  == (len(events), len(failures), len(failures) + len(operations)), str(footer))
    results.same("jsonl: the footer's causes", Counter(footer["causes"]), Counter(f["cause"] for f in failures))
    results.holds("jsonl: complete, or a loss says what is missing",
                  footer["complete"] or any(line["type"] == "loss" for line in lines))
    reported = [json.loads(line) for line in run(mrtrace, "report", "--json", "--all", *recordings).splitlines()]
    canonical = lambda record: json.dumps({k: v for k, v in record.items() if k != "type"}, sort_keys=True)
    results.same("jsonl: the objects of report --json --all",
                 Counter(map(canonical, reported)), Counter(map(canonical, failures + operations)))
    check_schema(results, mrtrace, lines)
    check_babeltrace(results, recordings, events)
    if len(recordings) > 1:
        check_merged(results, header, lines)
    return (Counter(key_of_object(line) for line in failures + operations), len(failures),
            events, [line["what"] for line in lines if line["type"] == "loss"])


def check_merged(results, header, lines):
    names = {one["name"] for one in header["recordings"]}
    records = [line for line in lines if line["type"] not in ("header", "footer")]
    results.holds("jsonl: every record names its recording", all(line.get("recording") in names for line in records))
    hosts = {one["name"]: one["kernel"]["hostname"] for one in header["recordings"]}
    results.holds("jsonl: failures and operations name its host", all(
        line["host"] == hosts[line["recording"]] for line in records if line["type"] in ("failure", "operation")))
    times = [line["time_ns"] for line in records if line["type"] == "event"]
    results.holds("jsonl: events are in order of wall-clock time", times == sorted(times))


def strict(schema):
    """The same schema, to which no member may be added: the tool writes none that it does not declare."""
    if isinstance(schema, dict):
        schema = {key: strict(value) for key, value in schema.items()}
        if schema.get("properties"):
            schema.setdefault("additionalProperties", False)
    elif isinstance(schema, list):
        schema = [strict(value) for value in schema]
    return schema


def check_schema(results, mrtrace, lines):
    schema = json.loads(run(mrtrace, "export", "--schema"))
    try:
        import jsonschema
    except ImportError:
        results.skip("jsonl: JSON Schema", "there is no jsonschema (Debian: python3-jsonschema)")
        return
    jsonschema.Draft202012Validator.check_schema(schema)
    for name, rules in [("jsonl: every line fits the schema", schema),
                        ("jsonl: no member is missing in the schema", strict(schema))]:
        validator = jsonschema.Draft202012Validator(rules)
        bad = [line for line in lines if not validator.is_valid(line)]
        results.holds(name, not bad, f"{len(bad)} lines, the first {json.dumps(bad[0])[:300]}" if bad else "")


def check_babeltrace(results, recordings, events):
    try:
        text = run("babeltrace2", "--no-delta", "--clock-cycles", "--fields=loglevel", *recordings)
    except FileNotFoundError:
        results.skip("jsonl: every event that babeltrace2 reads", "there is no babeltrace2")
        return
    seen = Counter()
    for line in text.splitlines():
        # [cycles] name: { cpu_id = 0 }, { operation = 1, pid = 2, tid = 3, hook = 4 }, { … }
        cycles, name = re.match(r"\[0*(\d+)\] (?:\S+ )?(\w+): ", line).groups()
        tid = re.search(r"\btid = (\d+)", line)
        if name != "counter" or not re.search(r"\bhook = (\( \S+ : container = )?0\b", line):  # the closing record
            seen[int(cycles), name, int(tid.group(1)) if tid else 0] += 1
    results.same("jsonl: every event that babeltrace2 reads", seen,
                 Counter((e["monotonic_ns"], e["kind"], e.get("tid", 0)) for e in events))


# -- CSV

def check_csv(results, path, expected):
    data = path.read_bytes()
    results.holds("csv: lines end as RFC 4180 has it", data.endswith(b"\r\n"))
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file, strict=True))
    header, rows = rows[0], rows[1:]
    results.holds("csv: every row has a cell for each column", all(len(row) == len(header) for row in rows))
    cells = [dict(zip(header, row)) for row in rows]
    number = lambda text: int(text) if text else None
    results.same("csv: the same operations", expected, Counter(
        (number(r["time_ns"]), int(r["tid"]), r["function"] or None, r["errno"] or None, r["address"] or None)
        for r in cells))


# -- SQLite

def check_sqlite(results, path, expected, failures):
    base = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    ask = lambda sql: base.execute(sql).fetchall()
    results.holds("sqlite: integrity", ask("PRAGMA integrity_check") == [("ok",)])
    results.holds("sqlite: references", ask("PRAGMA foreign_key_check") == [])
    results.same("sqlite: the same operations", expected, Counter(
        (row[0], row[1], row[2], row[3], hexadecimal(row[4])) for row in ask(
            "SELECT time_ns, tid, function, errno, ifnull(address, ifnull(request_address, mr_address)) "
            "FROM operations LEFT JOIN failures ON operation_id = id")))
    totals = collections.Counter()
    for key, value in ask("SELECT key, value FROM recording WHERE key IN ('operations', 'failures')"):
        totals[key] += value
    results.holds("sqlite: totals by SQL are the recording's",
                  ask("SELECT count(*), ifnull(sum(failed), 0) FROM operations")
                  == [(totals["operations"], totals["failures"])]
                  and ask("SELECT ifnull(sum(failures), 0) FROM failures_by_cause") == [(failures,)]
                  and ask("SELECT ifnull(sum(failures), 0) FROM failures_by_file") == [(failures,)]
                  and ask("SELECT ifnull(sum(failures), 0) FROM failures_by_process") == [(failures,)])
    broken = []
    for (view,) in ask("SELECT name FROM sqlite_master WHERE type = 'view'"):
        try:
            ask(f"SELECT * FROM {view}")
        except sqlite3.Error as error:
            broken.append(f"{view}: {error}")
    results.holds("sqlite: every view answers", not broken, "; ".join(broken))


def checks(mrtrace, recordings):
    """Recordings of runs that are all different: exported together."""
    results = Exports()
    with tempfile.TemporaryDirectory(prefix="mrtrace-export.") as directory:
        files = export(mrtrace, recordings, pathlib.Path(directory))
        results.holds("every file is its owner's alone",
                      all(stat.S_IMODE(os.stat(f).st_mode) == 0o600 for f in files.values()))
        expected, failures, events, losses = check_jsonl(results, mrtrace, recordings, files["jsonl"])
        check_csv(results, files["csv"], expected)
        check_sqlite(results, files["sqlite"], expected, failures)
        perfetto.check(results, files["perfetto"], expected, failures, events, losses,
                             recordings if len(recordings) > 1 else [])
    return results.checks
