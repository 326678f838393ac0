# SPDX-License-Identifier: Apache-2.0
"""How the demo is judged: its five failures have these causes, in this order, and its two successes are not reported."""

CAUSES = "fault-beyond-eof mapping-missing mapping-not-readable mapping-device pin-fsdax".split()


def print_both(operations, reports):
    """Prints what the application got (without mrtrace, this is all there is) beside what mrtrace says; returns what is wrong."""
    print("What the application saw                    What mrtrace says")
    failures = iter(reports)
    for operation in operations:
        error = operation["errno"]
        report = next(failures, {}) if error else {}
        print(f"{operation['scenario']:14} {operation['op']:10} {error or 'ok':18}"
              + (f"{report.get('cause')}, page {report.get('page', {}).get('address', 'none')}" if error else ""))
    found = [report.get("cause") for report in reports]
    return [] if found == CAUSES else [f"the causes should be {' '.join(CAUSES)}, and are {' '.join(map(str, found))}"]
