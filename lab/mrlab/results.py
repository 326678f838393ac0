# SPDX-License-Identifier: Apache-2.0
"""Results: a check that passed, failed or was skipped, and all checks of a command, printed and counted in one way."""

import collections


class Unsaid(str):
    """A problem that is only a lack: less is said than was expected, and nothing else."""


class Check:
    """One thing that was looked at: passed without problems, failed with them, skipped for a reason.

    A failed check is *weaker* when all its problems are Unsaid: nothing wrong was said. reruns.py decides what follows from that."""

    def __init__(self, name, what, problems=(), skipped=None):
        self.name, self.what, self.problems, self.skipped = name, what, list(problems), skipped

    @property
    def passed(self):
        return not self.problems and self.skipped is None

    @property
    def failed(self):
        return bool(self.problems)

    @property
    def says_less(self):
        """Whether it failed, and only for what is lacking."""
        return self.failed and all(isinstance(problem, Unsaid) for problem in self.problems)

    def __str__(self):
        if self.skipped is not None and not self.failed:
            return f"skip {self.name}: {self.what}: {self.skipped}"
        text = f"{'ok  ' if self.passed else 'FAIL'} {self.name}: {self.what}" + (" (weaker, not wrong)" if self.says_less else "")
        return text + "".join("\n         " + problem.replace("\n", "\n         ") for problem in self.problems)


class Judge:
    """A judge's findings: the checks that it made of what one run left, all of one name."""

    def __init__(self, name):
        self.name, self.checks = name, []

    def check(self, what, problems):
        self.checks.append(Check(self.name, what, problems))

    def expect(self, what, wanted, got):
        """The value itself is told where it is short."""
        told = f"{what}: {got}" if isinstance(got, (int, str)) and "\n" not in str(got) and len(str(got)) < 60 else what
        self.check(told, [] if wanted == got else [f"expected {wanted!r}, got {got!r}"])

    def holds(self, what, condition, shown=""):
        self.check(what, [] if condition else ["it does not hold" + (f": {shown}" if shown else "")])

    def skip(self, what, reason):
        self.checks.append(Check(self.name, what, skipped=reason))


class Results:
    """All checks of a command, printed as they come: `[where] ok   name: what`, and at the end the totals."""

    def __init__(self):
        self.all = []       # (where, check)
        self.only_failed = False    # are printed, where there are too many of the others

    def add(self, where, *checks):
        for one in checks:
            if one.failed or not self.only_failed:
                print(f"[{where}] {one}", flush=True)
            self.all.append((where, one))

    def print_failed(self):
        """Once more, where the end of the output is all that is kept."""
        for where, one in self.all:
            if one.failed:
                print(f"[{where}] {one}")

    @property
    def passed(self):
        return sum(one.passed for _, one in self.all)

    @property
    def failed(self):
        return sum(one.failed for _, one in self.all)

    @property
    def weaker(self):
        return sum(one.says_less for _, one in self.all)

    @property
    def skipped(self):
        return len(self.all) - self.passed - self.failed

    def table(self):
        """Lines: how many passed and failed, in each place that was looked at."""
        rows = collections.defaultdict(lambda: [0, 0])
        for where, one in self.all:
            if one.passed or one.failed:
                rows[where][one.failed] += 1
        width = max([len(where) for where in rows] + [5])
        yield f"{'':{width}} {'passed':>7} {'failed':>7}"
        for where, (passed, failed) in rows.items():
            yield f"{where:{width}} {passed:7} {failed:7}"

    def total(self):
        """The line that .ci/test and .ci/run read."""
        weaker = f" ({self.weaker} of the failed say less than they must, and nothing wrong)" if self.weaker else ""
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped{weaker}"
