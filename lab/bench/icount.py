# SPDX-License-Identifier: Apache-2.0
"""A guest of one CPU that counts instructions (QEMU's icount): one of its nanoseconds is one instruction."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
MRTRACE = os.environ.get("MRTRACE", os.path.join(ROOT, "build/mrtrace"))


def built():
    """The programs that go into the guest."""
    for folder, name in [("lab/workload", "workload"), ("lab/bench/probes", "probes")]:
        done = subprocess.run(["make", "-s", "-C", os.path.join(ROOT, folder)], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"bench: {name} could not be built:\n{done.stderr}")
    if not os.access(MRTRACE, os.X_OK):
        sys.exit(f"bench: there is no {MRTRACE}; run \"make build\", or set MRTRACE")


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
    with tempfile.TemporaryDirectory(prefix="mrtrace-bench.") as work:
        path, out = os.path.join(work, "script"), os.path.join(work, "out")
        with open(path, "w", encoding="utf-8") as file:
            file.write(script)
        command = [os.path.join(ROOT, "lab/boot"), "--kernel", kernel, "--out", out, "--smp", "1", "--mem", memory,
                   "--accel", "tcg,thread=single,tb-size=512", "--qemu", "-icount", "--qemu", "shift=0,sleep=off",
                   "--append", "nokaslr mitigations=off", "--timeout", "1500", *more]
        for host, guest in [(os.path.join(ROOT, "lab/workload/build/workload"), "/usr/bin/workload"),
                            (os.path.join(HERE, "probes/build/probes"), "/usr/bin/probes"),
                            (MRTRACE, "/usr/bin/mrtrace"), *adds]:
            command += ["--add", f"{host}:{guest}"]
        done = subprocess.run(command + ["--", path], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"bench: {what} on {kernel} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return read(Out(out, done.stderr.split("boot: ")[1].split()[0]))
