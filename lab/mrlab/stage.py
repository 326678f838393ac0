# SPDX-License-Identifier: Apache-2.0
"""A stage: what every command of the lab does around its guests and judges (options, a place for what is left, results, the end)."""

import argparse
import datetime
import os
import shutil
import sys
import tempfile

from mrlab import kernels, reruns
from mrlab.files import say
from mrlab.programs import Programs
from mrlab.results import Check, Results


class Stage:
    """Use: add options to `parser`, `begin()`, add to `results`, `return end()`."""

    def __init__(self, name, doc, on_kernels=False):
        """on_kernels: the command's arguments are names of kernels (default: newest), and nothing else."""
        self.name = name
        self.parser = argparse.ArgumentParser(prog=f"lab/{name}", description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
        if on_kernels:
            self.parser.add_argument("kernels", nargs="*", default=["newest"], metavar="KERNEL", help="names for lab/fetch (default: newest)")
        self.results, self.reruns = Results(), reruns.Reruns()
        self.options = self.out = self.programs = None
        self._kept = False

    def keep_option(self):
        self.parser.add_argument("--keep", metavar="DIR", help="leave everything there")

    def fail(self, text):
        """Ends the command: it cannot begin."""
        sys.exit(f"{self.name}: {text}")

    def needs(self, program):
        if not shutil.which(program):
            self.fail(f'{program} is missing; run "make setup"')

    def parse(self):
        self.options = self.parser.parse_args()
        return self.options

    def begin(self, keep=None, judged=False, beside=False):
        """Builds what is needed, and makes the place: `keep`, which must be empty unless it is only judged; else a temporary one,
        or with `beside` one of today in the working directory. It is removed at the end if nothing failed."""
        self.programs = Programs()
        self.reruns.start_tally()
        self._kept = bool(keep)
        if keep:
            self.out = os.path.abspath(keep)
        elif beside:
            self.out = os.path.abspath(datetime.datetime.now().strftime(f"lab-{self.name}-%Y%m%d-%H%M%S"))
        else:
            self.out = tempfile.mkdtemp(prefix=f"mrtrace-{os.path.dirname(self.name) or self.name}.")
        os.makedirs(self.out, exist_ok=True)
        if os.listdir(self.out) and not judged:
            self.fail(f"{self.out} is there already")

    def path(self, *names):
        return os.path.join(self.out, *names)

    def kernel(self, name):
        """The kernel's directory; None where it cannot be had, which has failed then."""
        directory = kernels.fetch(name)
        if not directory:
            self.results.add(name, Check("kernel", "it can be had", ["lab/fetch failed, see above"]))
        return directory

    def boots(self, where, status, left=None, log=""):
        """Whether a guest booted and came to its end: adds the check, and returns whether it passed."""
        one = booted(status, left, log)
        self.results.add(where, one)
        return one.passed

    def end(self, guests=True, table=False, again=False):
        """Prints which guests ran again, where what is left is, and the totals. The command's exit status."""
        if guests:
            self.results.add("all", self.reruns.check())
        if self.out and (self._kept or self.results.failed):
            say(f"what the guests left is in {self.out}")
        elif self.out:
            shutil.rmtree(self.out, ignore_errors=True)
        if again:
            self.results.print_failed()
        if table:
            print("\n" + "\n".join(self.results.table()))
        print(self.results.total())
        return 1 if self.results.failed else 0


def booted(status, left=None, log=""):
    """The check that a guest boots and ends. left: a path that it must have left; log: what is shown where it failed."""
    problems = [f"lab/boot ended with {status}"] if status else []
    if left and not os.path.exists(left):
        problems.append(f"it left no {os.path.basename(left)}")
    return Check("guest", "boots and ends", problems + ([log[-1000:]] if problems and log else []))


def run(main):
    """Ends the program with main()'s status."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
