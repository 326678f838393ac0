# SPDX-License-Identifier: Apache-2.0
"""A guest of one CPU that counts instructions (QEMU's icount): one of its nanoseconds is one instruction."""
import os
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from mrlab import guest, programs  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
MRTRACE = os.environ.get("MRTRACE", os.path.join(ROOT, "build/mrtrace"))


def built():
    """The programs that go into the guest."""
    programs.workload()
    done = subprocess.run(["make", "-s", "-C", os.path.join(HERE, "probes")], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: probes could not be built:\n{done.stderr}")
    programs.tracer()


def version():
    said = subprocess.run([MRTRACE, "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    return f"mrtrace {said}"


class Out:
    """What a guest has left in /out, and the release of its kernel."""

    def __init__(self, folder, release):
        self.folder, self.release = folder, release

    def text(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return file.read()

    def data(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()


def run(kernel, what, script, read, adds=(), memory="4G", more=()):
    """Boots `kernel`, runs `script` there and returns what `read` makes of what it left; `what` is for an error."""
    everything = [(os.path.join(ROOT, "lab/workload/build/workload"), "/usr/bin/workload"),
                  (os.path.join(HERE, "probes/build/probes"), "/usr/bin/probes"), (MRTRACE, "/usr/bin/mrtrace"), *adds]
    with tempfile.TemporaryDirectory(prefix="mrtrace-bench.") as work:
        out, said = os.path.join(work, "out"), os.path.join(work, "said")
        with open(said, "w", encoding="utf-8") as log:
            status = guest.boot(kernel, script, out, everything, timeout=1500, smp=1, mem=memory, append="nokaslr mitigations=off",
                                more=["--qemu", "-icount", "--qemu", "shift=0,sleep=off", *more], log=log)
        with open(said, encoding="utf-8", errors="replace") as file:
            text = file.read()
        if status != 0:
            sys.exit(f"bench: {what} on {kernel} ended with {status}:\n{text[-6000:]}")
        return read(Out(out, text.split("boot: ")[1].split()[0]))
