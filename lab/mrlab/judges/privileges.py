# SPDX-License-Identifier: Apache-2.0
"""How mrtrace with some capabilities is judged: what fails and how that is said, what is kept, what COMMAND gets, what changed."""

import json
import os
import re

from mrlab import tracer
from mrlab.files import raw_text, say


def words(line):
    return dict(word.split("=", 1) for word in line.split() if "=" in word)


def masks(text):
    """The Cap lines and NoNewPrivs of a /proc/PID/status."""
    return {key: int(value, 16) for key, value in re.findall(r"^(Cap\w+|NoNewPrivs):\s*(\w+)", text, re.MULTILINE)}


BIT = {"dac_override": 1, "kill": 5, "sys_ptrace": 19, "sys_admin": 21, "sys_resource": 24, "syslog": 34, "perfmon": 38, "bpf": 39}


def names(mask):
    known = [name for name, bit in BIT.items() if mask >> bit & 1]
    others = bin(mask & ~sum(1 << bit for bit in BIT.values())).count("1")
    return " ".join(known + ([f"and {others} others"] if others else [])) or "nothing"


def judge_case(out, case, mrtrace):
    name, words, _, missing = case
    place = os.path.join(out, name)
    status, error = raw_text(f"{place}/status").strip(), raw_text(f"{place}/stderr")
    if missing:
        sentence = next((line for line in error.splitlines() if line.startswith("mrtrace:")), "")
        found = []
        if status != "1":
            found.append(f"exit status {status or 'none'}, expected 1")
        if not re.search(missing, sentence):
            found.append(f"the sentence does not match {missing!r}: {error.strip()[:300]!r}")
        for other in {"CAP_BPF", "CAP_PERFMON", "CAP_SYSLOG", "CAP_SYS_RESOURCE", "CAP_SYS_ADMIN"}:
            # what is there must not be said to be missing
            if f"{other} (to" in sentence and other[4:].lower() in words.split():
                found.append(f"{other} is said to be missing: {sentence}")
        if os.path.exists(f"{place}/started"):
            found.append("COMMAND was started")
        return found
    found = [] if status == "0" else [f"exit status {status or 'none'}: {error.strip()[-400:]!r}"]
    causes = [(report["cause"], report["confidence"]) for report in tracer.report(mrtrace, f"{place}/rec")]
    if ("mapping-missing", "proved") not in causes:
        found.append(f"the failure is not proved: {causes}")
    weakened = "without CAP_SYS_ADMIN" in error
    if weakened != ("sys_admin" not in words.split()):
        found.append("what is lost without CAP_SYS_ADMIN is " + ("said" if weakened else "not said"))
    return found


def judge_stacks(out):
    """Names in the stacks of another user's process: with CAP_SYS_PTRACE, and without where the agent does not say otherwise."""
    counts = {name: int(raw_text(f"{out}/stacks-{name}/named").strip() or -1) for name in ("least", "all")}
    told = "without CAP_SYS_PTRACE" in raw_text(f"{out}/stacks-least/stderr")
    found = []
    if counts["least"] < 0 or (counts["least"] == 0) != told:
        found.append(f"without CAP_SYS_PTRACE {counts['least']} frames are named, and their lack is {'' if told else 'not '}said")
    if counts["all"] <= 0:
        found.append(f"with CAP_SYS_PTRACE {counts['all']} frames are named")
    for name in counts:
        if raw_text(f"{out}/stacks-{name}/status").strip() != "0":
            found.append(f"{name}: exit status {raw_text(f'{out}/stacks-{name}/status').strip()}")
    say(f"CAP_SYS_PTRACE is {'' if told else 'not '}needed for names in stacks")
    return found


def judge_kept(out, needs_admin):
    """What the agent of root has left while COMMAND runs, and what COMMAND has."""
    agent, command, shell = (masks(raw_text(f"{out}/kept/{name}")) for name in ("agent", "command", "shell"))
    found = []
    if raw_text(f"{out}/kept/status").strip() != "0":
        found.append(f"exit status {raw_text(f'{out}/kept/status').strip()}: {raw_text(f'{out}/kept/stderr')[-300:]!r}")
    needs_ptrace = "without CAP_SYS_PTRACE" in raw_text(f"{out}/stacks-least/stderr")
    allowed = {*(["sys_ptrace"] if needs_ptrace else []), *(["sys_admin"] if needs_admin else []), "syslog", "kill", "bpf", "perfmon"}
    for key in ("CapEff", "CapPrm", "CapBnd"):
        mask = agent.get(key, -1)
        if mask < 0 or mask & ~sum(1 << BIT[name] for name in allowed):
            found.append(f"the agent's {key} still holds {names(mask) if mask >= 0 else 'unknown'}")
    for key in ("CapInh", "CapAmb"):
        if agent.get(key) != 0:
            found.append(f"the agent's {key} is {agent.get(key)}")
    if agent.get("NoNewPrivs") != 1:
        found.append("the agent may gain privileges")
    if command != shell:
        found.append(f"COMMAND has {command}, what runs without mrtrace {shell}")
    limit = raw_text(f"{out}/kept/memlock").split()
    if limit != ["1234", "1234"]:
        found.append(f"COMMAND's memlock limit is {limit}, not that of the shell")
    if not re.search(r"^euid: 0$", raw_text(f"{out}/kept/setuid"), re.MULTILINE):
        found.append("a setuid program of COMMAND did not become root: " + raw_text(f"{out}/kept/setuid").strip())
    return found


def judge_unchanged(out):
    before, after = raw_text(f"{out}/before"), raw_text(f"{out}/after")
    if not before.strip():
        return ["nothing was listed"]
    if before == after:
        return []
    old, new = before.splitlines(), after.splitlines()
    return [f"gone: {line}" for line in old if line not in new][:5] + [f"new: {line}" for line in new if line not in old][:5]


def judge_file_capabilities(out):
    found = []
    place = f"{out}/setcap"
    if raw_text(f"{place}/status").strip() != "0":
        found.append(f"exit status {raw_text(f'{place}/status').strip()}: {raw_text(f'{place}/stderr')[-300:]!r}")
    if os.path.exists(f"{place}/evil"):
        found.append("a program that SWIFT_BACKTRACE names was run")
    mask = masks(raw_text(f"{place}/command")).get("CapEff")
    if mask != 0:
        found.append(f"COMMAND has {mask}")
    if "proved" not in raw_text(f"{place}/stdout"):
        found.append("no failure is diagnosed")
    return found


def judge_plain_user(out):
    found = []
    for verb in ("report", "export"):
        if raw_text(f"{out}/plain/{verb}.status").strip() != "0" or "mapping-missing" not in raw_text(f"{out}/plain/{verb}"):
            found.append(f"{verb}: {raw_text(f'{out}/plain/{verb}.stderr').strip()[:300]}")
    return found


def judge_doctor(out, needs_admin):
    found = []
    lacking = "CAP_SYS_PTRACE" if needs_admin else "CAP_SYS_ADMIN"
    for name, status, missing in (("none", "fail", "CAP_BPF"), ("least", "warn", lacking), ("root", "ok", "CAP_BPF")):
        try:
            report = json.loads(raw_text(f"{out}/doctor-{name}"))
        except ValueError:
            found.append(f"{name}: no JSON object")
            continue
        check = next((check for check in report["checks"] if check["id"] == "privileges"), {})
        if check.get("status") != status or missing not in check.get("detail", ""):
            found.append(f"{name}: {check}")
        ended = raw_text(f"{out}/doctor-{name}.status").strip()
        if ended != ("1" if report["status"] == "fail" else "0"):
            found.append(f"{name}: exit status {ended} with {report['status']}")
    return found
