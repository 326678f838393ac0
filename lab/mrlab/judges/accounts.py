# SPDX-License-Identifier: Apache-2.0
"""What a recording says became of every call and record of every hook, and whether its numbers agree."""

import json

from mrlab.tracer import exported

CLASSES = ("reported", "cut", "aggregated", "filtered", "unstarted", "missed", "missed_returns")


def read(mrtrace, recording):
    return of(exported(mrtrace, recording))


def of(lines):
    """The last account of each hook by its function's name, the loss records, and the footer: of the export to JSON Lines."""
    accounts, losses, footer = {}, [], {}
    for line in lines:
        if '"account"' not in line and not line.startswith(('{"type":"loss"', '{"type":"footer"')):
            continue
        record = json.loads(line)
        if record["type"] == "event" and record.get("kind") == "account":
            accounts[record["function"]] = record
        elif record["type"] == "loss":
            losses.append(record)
        elif record["type"] == "footer":
            footer = record
    return accounts, losses, footer


MISSES = ("cut", "unstarted", "missed", "missed_entries", "missed_returns", "untracked", "lost")


def misses(accounts, losses):
    """What the recording itself says that it lacks: skipped runs of hooks, calls and records lost, operations without an end."""
    return (sum(account.get(name, 0) for account in accounts.values() for name in account if name in MISSES or name.startswith("shed"))
            + sum(one["count"] for one in losses if one["what"] == "unfinished_operations"))


def problems(accounts):
    """Every call is in one class, and every record the kernel sent is in the recording."""
    found = []
    if not accounts:
        found.append("the recording accounts for no hook")
    for function, account in accounts.items():
        total = sum(account[name] for name in CLASSES)
        if account["calls"] != total:
            found.append(f"{function}: {account['calls']} calls, but its classes make {total}")
        if not account["recorded"] == account["received"] == account["written"]:
            found.append(f"{function}: the kernel sent {account['recorded']} records, the agent received {account['received']} "
                         f"and wrote {account['written']}")
        if (account["cut"] > 0) != (account["lost"] > 0):
            found.append(f"{function}: {account['lost']} records lost of {account['cut']} calls")
        if account["recorded"] and not account["reported"] + account["cut"]:
            found.append(f"{function}: {account['recorded']} records of no call")
    return found
