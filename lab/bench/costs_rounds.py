# SPDX-License-Identifier: Apache-2.0
"""The rounds that lab/bench/costs has kept: boots of rounds, by mode and row."""
import statistics


def flat(boots):
    return [value for boot in boots for value in boot if value is not None]


def mean(boots):
    """Not the median: the agent empties the ring buffer now and then, and a round may hold that for several."""
    return statistics.mean(flat(boots))


def spread(boots):
    """Half of what lies between the smallest and the largest round, of the mean."""
    values = flat(boots)
    return (max(values) - min(values)) / 2 / statistics.mean(values)


def of(results, mode, row, kind="rows"):
    """The rounds that were measured, or None."""
    have = results["modes"].get(mode, {}).get(kind, {}).get(row)
    return have if have and flat(have) else None


# what loses no records, however fast something fails
COUNTING = {"untraced", "empty", "empty-fault-codes", "bpftrace", "bpftrace-failures"}


def ratio(results, mode, row, kind="rows"):
    """Of the means; where rounds differ because records were lost, of the dearest round."""
    base, have = of(results, "untraced", row, kind), of(results, mode, row, kind)
    if not base or not have:
        return None
    return (max(flat(have)) if row == "fail" and mode not in COUNTING else mean(have)) / mean(base)
