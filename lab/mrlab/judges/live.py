# SPDX-License-Identifier: Apache-2.0
"""How `mrtrace live` is judged: its screens, its endings, its keys, and its numbers in every view of them."""

import collections
import glob
import json
import os
import re
import signal

from mrlab import tracer
from mrlab.files import raw_text, read_json_lines
from mrlab.judges.pairing import reported_as
from mrlab.results import Judge

ENDINGS = {"keys": "0", "int": "0", "term": "0", "crash": "139", "sleep": "0", "command": "7", "nocolor": "0", "dumb": "0",
           "beside": "5"}


def judged(out, mrtrace, work):
    """All checks of what a session on real terminals left in `out`. work: stages.live.Work, what the processes did."""
    judge = Judge("live")
    screens(judge, out)
    numbers(judge, out, mrtrace, work)
    keys(judge, out, work)
    return judge.checks


def settings(text):
    """stty -a without the window's size."""
    return re.sub(r"(rows|columns) \d+;", "", text).split()


def screens(judge, out):
    """Every screen: its size, the other page without cursor while it is there, everything put back after it."""
    for path in sorted(glob.glob(os.path.join(out, "*", "*.state"))):
        session, name = os.path.basename(os.path.dirname(path)), os.path.basename(path)[:-len(".state")]
        state = raw_text(path).split()
        if len(state) != 4:
            judge.expect(f"{session}/{name}: tmux tells its state", 4, len(state))
            continue
        columns, rows, alternate, cursor = map(int, state)
        lines = raw_text(out, session, f"{name}.txt").split("\n")
        gone = name == "after" or name == "stopped" or session == "dumb"
        judge.expect(f"{session}/{name}: (other page, cursor)", (0, 1) if gone else (1, 0), (alternate, cursor))
        if not gone:
            judge.holds(f"{session}/{name}: {len(lines) - 1} lines, none wider than {columns}",
                          len(lines) - 1 <= rows and all(len(line) <= columns for line in lines))
        if name in ("80x24", "200x50", "100x30"):
            judge.expect(f"{session}/{name}: size", name, f"{columns}x{rows}")
            judge.holds(f"{session}/{name}: keys in the last line", "q quit" in lines[rows - 1], lines[rows - 1])
    for session, status in ENDINGS.items():
        judge.expect(f"{session}: exit status", status, raw_text(out, session, "status").strip())
        judge.expect(f"{session}: terminal settings after it", settings(raw_text(out, session, "stty.before")),
                       settings(raw_text(out, session, "stty.after")))
        if session == "sleep":
            judge.expect("sleep: its shell sees a job that was stopped", str(128 + signal.SIGSTOP), raw_text(out, session, "stopped").strip())
        if session not in ("command", "dumb"):
            judge.holds(f"{session}: what stood on the terminal is there again",
                          "the shell is here" in raw_text(out, session, "after.txt"), raw_text(out, session, "after.txt"))


def numbers(judge, out, mrtrace, work):
    """The workload's failures in every view of them."""
    operations = []
    for path in sorted(glob.glob(os.path.join(out, "keys", "operations.*"))):
        lines, problems = read_json_lines(path)
        judge.expect(f"{os.path.basename(path)}: lines that are no JSON", [], problems)
        operations += [line for line in lines if "skipped" not in line]
    judge.holds("the workload got what it expects", operations and all(line["ok"] for line in operations))
    failures = [line for line in operations if line["expect_errno"] is not None]
    by_operation = collections.Counter(reported_as(line, None) for line in failures)
    total = len(failures)
    judge.holds(f"the workload failed {total} times in {len({line['pid'] for line in failures})} processes", total >= 50)

    report = tracer.call(mrtrace, "report", "--json", "--all", os.path.join(out, "keys", "recording"))
    recorded = tracer.objects(report.stdout)
    explained = [line for line in recorded if "cause" in line]
    judge.expect("report: failures", total, len(explained))
    judge.expect("report: failures by operation", by_operation, collections.Counter(line["operation"] for line in explained))
    causes = collections.Counter(line["cause"] for line in explained)
    kinds = collections.Counter(line["operation"] for line in recorded)

    lines = tracer.objects(raw_text(out, "keys", "lines.jsonl"))
    told, last = [line for line in lines if line["type"] == "failure"], lines[-1]
    judge.expect("JSON lines: the last one says so", (True, "live"), (last.get("last"), last["type"]))
    judge.expect("JSON lines: failures told, as report tells them", causes, collections.Counter(line["cause"] for line in told))
    judge.expect("JSON lines: operations, as recorded", dict(kinds),
                   {row["operation"]: row["total"] for row in last["operations"] if row["total"]})
    judge.expect("JSON lines: failed operations", dict(by_operation),
                   {row["operation"]: row["failed"] for row in last["operations"] if row["failed"]})
    judge.expect("JSON lines: failed, explained", (total, total), (last["failed"], last["explained"]))
    # The kernel may skip a run of a hook on a busy CPU; that is told, and is all that may be missing.
    judge.expect("JSON lines: losses but skipped runs", [],
                   [loss for loss in last["losses"] if loss["what"] not in ("missed", "missed_entries")])
    judge.expect("JSON lines: lost is the sum of the losses", sum(loss["count"] for loss in last["losses"]), last["lost"])
    judge.expect("JSON lines: causes", dict(causes), {row["cause"]: row["total"] for row in last["causes"]})
    mended = sum(1 for line in explained if "recovered_by" in line)
    judge.expect("JSON lines: mended", mended, last["mended"])
    judge.expect("JSON lines: processes' failures add up, without what was mended", total - mended,
                   sum(row["failures"] for row in last["processes"]["by_failures"]) +
                   last["processes"].get("others_by_failures", {}).get("failures", 0))
    if work.on_demand:
        on_demand(judge, out, last)
    plain = raw_text(out, "keys", "lines.txt").splitlines()
    judge.holds("plain lines: all failed operations", plain and f"{sum(kinds.values())} operations, {total} failed:" in plain[-1],
                  plain[-1] if plain else "")
    judge.expect("plain lines: a line for each failure, or how many were left out", total,
                   sum(1 for line in plain if line.startswith("failure: ") and not line.endswith(" more")) +
                   sum(int(line.split()[1]) for line in plain if line.startswith("failure: ") and line.endswith(" more")))
    judge.holds("plain lines: no escape sequence", "\x1b" not in "\n".join(plain))

    for size in ("80x24", "200x50"):
        screen = raw_text(out, "keys", f"{size}.txt")
        judge.holds(f"{size}: the title has all operations and failures",
                      f"{sum(kinds.values())} operations, {total} failed" in screen.split("\n")[0], screen.split("\n")[0])
        for kind, count in sorted(kinds.items()):
            row = re.search(rf"^{kind} +(\d+) +\S+ +(\d+)", screen, re.MULTILINE)
            judge.expect(f"{size}: {kind}", (count, by_operation.get(kind, 0)), row and tuple(map(int, row.groups())))
        judge.holds(f"{size}: whether anything was lost", "nothing lost; " in screen or "LOST " in screen)
    screen = raw_text(out, "keys", "200x50.txt")
    for cause, count in sorted(causes.items()):
        row = re.search(rf"{cause} +(\d+)\b", screen)
        judge.expect(f"200x50: {cause}", count, row and int(row.group(1)))
    judge.holds("200x50: a failure's line names process, errno, cause and page",
                  re.search(r"\d\d:\d\d:\d\d workload\[\d+\] +[a-z_]+ +E\w+ +[a-z-]+ (?:\(mended\))? *0x[0-9a-f]+", screen), screen)


def on_demand(judge, out, last):
    """What only HMM shows."""
    judge.holds("JSON lines: invalidations were seen", last.get("invalidations", {}).get("total", 0) > 0, json.dumps(last)[:300])
    judge.holds("JSON lines: pages were walked", last["pages"]["total"] > 0)
    judge.holds("files: the file on the DAX file system", "/mnt/pmem/" in raw_text(out, "keys", "files.txt"), raw_text(out, "keys", "files.txt"))
    judge.holds("flags: page-table flags against outcomes", "in failed walks" in raw_text(out, "keys", "flags.txt"))


def keys(judge, out, work):
    def shows(name, pattern):
        screen = raw_text(out, "keys", f"{name}.txt")
        judge.holds(f"{name}: {pattern}", re.search(pattern, screen, re.MULTILINE), screen)

    shows("small", r"too small")
    shows("sorted", r"by fault time")
    shows("sorted", "fault time\u2193")
    shows("selected", r"^> \d\d:\d\d:\d\d")
    shows("detail", r"failed with E\w+")
    shows("detail", r"^  page +0x|What to do|errno")
    shows("help", r"pause")
    shows("paused", r"PAUSED")
    colours = re.findall(r"\x1b\[[0-9;]*3[0-7]m", raw_text(out, "nocolor", "during.ansi"))
    judge.expect("nocolor: colours", [], colours)
    judge.holds("80x24: colours", re.search(r"\x1b\[[0-9;]*31", raw_text(out, "keys", "80x24.ansi")))
    judge.holds("dumb: plain lines", "operations, " in raw_text(out, "dumb", "after.txt"), raw_text(out, "dumb", "after.txt"))
    line = f'"scenario":"{work.command.split()[0]}"'
    after = raw_text(out, "command", "after.txt")
    judge.holds("command: its output comes when the screen has gone", line in after.replace("\n", ""), after)
    judge.holds("command: no line of it on the screen", '"scenario"' not in raw_text(out, "command", "during.txt"))
    judge.holds("command: the last numbers stay", "2 failed" in after, after)
    beside = raw_text(out, "beside", "during.txt")
    judge.holds("beside: the screen of a recording", "2 failed" in beside and "recording into" in beside, beside)
    judge.holds("beside: no line of the command on the screen", '"scenario"' not in beside)
    after = raw_text(out, "beside", "after.txt")
    judge.holds("beside: the command's output comes when the screen has gone", line in after.replace("\n", ""), after)
    judge.holds("beside: the report", f"failed with {work.errno}" in raw_text(out, "beside", "report"))
