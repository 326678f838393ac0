# SPDX-License-Identifier: Apache-2.0
"""When a guest may run again: never for a wrong answer, which fails at once and for good.

Only for answers that say less than they must (inferred, unknown, unseen) in a recording that itself counts runs of hooks
that the kernel skipped, or records that were lost; and, by lab/boot itself, where the guest did not come to its script, or QEMU
died. How many did is told, and more than 2 % of the guests are too many."""

import os
import tempfile

from mrlab.files import say
from mrlab.results import Check

WRONG, WEAKER = "wrong", "weaker"
ATTEMPTS = 3
SHARE = 0.02
# lab/boot writes a line there for each guest ("boot"), and for each that it boots again ("again").
TALLY = "MRTRACE_LAB_TALLY"


def allowed(guests):
    """How many of so many guests may run again; of few guests one."""
    return max(1, int(guests * SHARE))


def may_run_again(complaints):
    """complaints: (WRONG or WEAKER, text) of one run of a guest."""
    return bool(complaints) and all(kind == WEAKER for kind, _ in complaints)


def kind_of(says_less, misses):
    """A complaint's kind: of an answer that says less, where the recording counts misses, and of everything else."""
    return WEAKER if says_less and misses else WRONG


class Reruns:
    def __init__(self):
        self.again = []     # (guest, why) of each run that was not the last
        self._file = None

    def start_tally(self):
        """lab/boot counts from here on."""
        if self._file is None:
            self._file = tempfile.NamedTemporaryFile("w", prefix="mrtrace-tally.")
            os.environ[TALLY] = self._file.name

    def judged(self, name, out, attempt):
        """What `attempt()` returns: (result, complaints). What a run that was weaker left is kept in `out`.1 and so on."""
        for number in range(1, ATTEMPTS + 1):
            result, complaints = attempt()
            if number == ATTEMPTS or not may_run_again(complaints):
                return result
            self.again.append((name, "; ".join(text for _, text in complaints)))
            say(f"{name}: AGAIN (what this run left is in {out}.{number}): the kernel skipped hooks, as the recording counts, and "
                "answers are weaker for it:")
            for _, text in complaints:
                say(f"  {text}")
            os.rename(out, f"{out}.{number}")
            if os.path.exists(out + ".log"):
                os.rename(out + ".log", f"{out}.{number}.log")
            os.makedirs(out)
        return result

    def counts(self):
        """(guests, those of them that ran again, why)."""
        lines = []
        if self._file is not None:
            with open(self._file.name, encoding="utf-8") as file:
                lines = file.read().splitlines()
        dead = [(line.split(" ", 1)[1], "did not come to its script, or QEMU died") for line in lines if line.startswith("again ")]
        guests = sum(line.startswith("boot ") for line in lines) - len(self.again)
        why = self.again + dead
        return guests, len({name for name, _ in why}), why

    def tell(self):
        """Prints how many ran again, and why; returns what is wrong with that."""
        guests, number, why = self.counts()
        for name, reason in why:
            print(f"ran again: {name}: {reason}")
        print(f"{number} of {guests} guests ran again, {allowed(guests)} may")
        return [f"{number} of {guests} guests ran again, and only {allowed(guests)} may"] if number > allowed(guests) else []

    def check(self):
        """For the end of a stage: the guests that ran again are printed, with why; too many are a failure."""
        return Check("guests", "few ran again", self.tell())
