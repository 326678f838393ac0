# SPDX-License-Identifier: Apache-2.0
"""What a recording with --detail pages has of each page that HMM accepted, against what the workload was granted."""

import json

PAGE, PRESENT, LEAF = 4096, 1, 0x80


def events(lines):
    """Those of the export that `problems` looks at."""
    return [json.loads(line) for line in lines if '"kind":"walk"' in line or '"accepted"' in line or '"kind":"operation"' in line]


def problems(operations, found):
    """`found`: events. Each page of each prefetch that succeeded was accepted by a callback, with its entry."""
    of = lambda event: (event.get("tid"), event.get("operation"))
    prefetches = {of(event) for event in found if event["kind"] == "operation" and event.get("what") == "advise_mr"}
    pages = {}  # by thread: pages whose entry is in the recording of a prefetch, and present
    for event in found:
        if of(event) not in prefetches:
            continue
        mine = pages.setdefault((event["pid"], event["tid"]), set())
        if event["kind"] == "entries" and event.get("search") == "accepted":
            start = int(event["address"], 16)
            mine.update(start + number * PAGE for number, value in enumerate(event["values"]) if int(value, 16) & PRESENT)
        elif event["kind"] == "walk" and event["result"] == 0 and int(event["entry"], 16) & (PRESENT | LEAF) == PRESENT | LEAF:
            mine.update(range(int(event["start"], 16), int(event["end"], 16), PAGE))
    granted = [one for one in operations if one["op"] == "advise_mr" and one["errno"] is None and one["ok"]]
    missing = []
    for one in granted:
        start, mine = int(one["address"], 16), pages.get((one["pid"], one["tid"]), set())
        lacking = [page for page in range(start & -PAGE, start + one["length"], PAGE) if page not in mine]
        if lacking:
            missing.append(f"{one['scenario']}: {len(lacking)} of the pages from {one['address']} on, as {lacking[0]:#x}")
    return missing if granted else ["no prefetch succeeded, so nothing is shown"]
