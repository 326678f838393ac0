# SPDX-License-Identifier: Apache-2.0
"""How real clients are judged: what they said is compared with what mrtrace reported of them."""

import os
import re

from mrlab import tracer
from mrlab.files import raw_text
from mrlab.results import Judge


class Client:
    """A client's own words, and the recording of it."""

    def __init__(self, mrtrace, directory, name):
        self.name = name
        self.path = os.path.join(directory, name)
        self.status = raw_text(os.path.join(self.path, "status")).strip()
        self.said = raw_text(os.path.join(self.path, "client")) + raw_text(os.path.join(self.path, "server"))
        recording = os.path.join(self.path, "recording")
        done = tracer.call(mrtrace, "report", "--json", "--all", recording)
        self.trouble = done.stderr.strip() if done.returncode == 0 else f"report ended with {done.returncode}: {done.stderr.strip()}"
        self.operations = tracer.objects(done.stdout) if done.returncode == 0 else []
        self.failures = [one for one in self.operations if "errno" in one]


def shown(one):
    return f"{one['operation']} {one.get('errno')} {one.get('cause')} ({one.get('confidence')}): {one.get('summary', '')}"


def check_pingpong(check, client, must_work):
    # -o and -O ask for the device's capabilities first and give up by themselves where there are none.
    by_itself = "support" in client.said
    works = client.status == "0"
    check(client.name, f"{'works' if works else 'gives up: ' + client.said.strip().splitlines()[-1] if client.said.strip() else 'gives up'}",
          [] if works or by_itself and not must_work else [f"exit status {client.status}", client.said[-500:]])
    # A pinned or on-demand registration that works must be seen, and nothing else reported.
    if works:
        registered = [one for one in client.operations if one["operation"] == "reg_mr" and "errno" not in one]
        check(client.name, "its registrations are in the recording", [] if len(registered) >= 2 else [f"{len(registered)} are"])
        check(client.name, "nothing is reported, as nothing failed", list(map(shown, client.failures)))


def check_rpma(check, client, odp):
    if odp:
        check(client.name, "registers the fsdax file", [] if "registered" in client.said else [client.said])
    problems = []
    if not client.failures or client.failures[0].get("cause") != "pin-fsdax" or client.failures[0].get("errno") != "EOPNOTSUPP":
        problems.append("the first failure is not the pin of fsdax")
    if odp:
        if len(client.failures) != 1:
            problems.append(f"{len(client.failures)} failures are reported instead of one")
        if "recovered_by" not in (client.failures or [{}])[0]:
            problems.append("it is not told that the same thread registered on demand then")
        registrations = [one.get("errno", "success") for one in client.operations if one["operation"] == "reg_mr"]
        if registrations[:2] != ["EOPNOTSUPP", "success"]:
            problems.append(f"the registrations are not told in order: {registrations}")
    check(client.name, "the pin of fsdax is refused" + (", then it registers on demand" if odp else ""),
          problems and problems + list(map(shown, client.failures)))


def check_pyverbs(check, client):
    ran = re.search(r"^Ran (\d+) tests?", client.said, re.M)
    outcomes = {word: len(re.findall(rf"\.\.\. {word}", client.said)) for word in ("ok", "skipped", "ERROR", "FAIL")}
    check(client.name, f"runs: {ran.group(1) if ran else 0} tests, {outcomes}", [] if ran else [client.said[-1500:]])
    unexplained = [one for one in client.failures if one.get("cause") in (None, "unknown")]
    check(client.name, f"each of {len(client.failures)} failed operations is explained", list(map(shown, unexplained)))
    if client.failures:
        print("".join(f"         {line}\n" for line in sorted({shown(one) for one in client.failures})), end="")


def judged(mrtrace, directory):
    """(whether there was on-demand paging, checks) of a guest's output."""
    clients = {name: Client(mrtrace, directory, name) for name in
               ("pingpong", "pingpong-odp", "pingpong-prefetch", "pingpong-implicit", "rpma", "pyverbs")}
    odp = any("ON_DEMAND" in one.get("mr", {}).get("access", []) and "errno" not in one
              for one in clients["pingpong-odp"].operations)
    checks = []

    def check(name, what, problems):
        judge = Judge(name)
        judge.check(what, problems)
        checks.extend(judge.checks)

    for name, client in clients.items():
        check(name, "the recording is read", [client.trouble] if client.trouble else [])
        if name.startswith("pingpong"):
            check_pingpong(check, client, name == "pingpong")
    check_rpma(check, clients["rpma"], odp)
    check_pyverbs(check, clients["pyverbs"])
    return odp, checks
