# SPDX-License-Identifier: Apache-2.0
"""A guest: the one way in which Python boots one, which is lab/boot with its options."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile

from mrlab import files

# With fewer CPUs than busy threads a BPF program is preempted in the middle, and the kernel then skips it for the
# others on that CPU (docs/known-issues.md). It is counted and told; here everything is to be seen.
# One thread runs them all: QEMU 7.2 with a thread per CPU loses races with the kernel's patching of its own text.
CPUS = 8
ONE_THREAD = "tcg,thread=single,tb-size=512"


def boot(kernel, script, out, adds, timeout=None, smp=None, accel=ONE_THREAD, fs=None, mem=None, append="", more=(), log=None):
    """lab/boot's exit status: the script's, 124 or 125. What is not given is lab/boot's default.

    kernel  a kernel's directory, or a name for lab/fetch
    script  the text of the guest's script, kept as `out`/script.sh
    out     where the guest's /out comes back to
    adds    (path here, path there) of what goes into the guest
    more    more options of lab/boot
    log     a file for what the guest prints, and lab/boot says; else standard output and error
    """
    with tempfile.TemporaryDirectory(prefix="mrtrace-script.") as work:
        path = os.path.join(work, "script.sh")
        with open(path, "w", encoding="utf-8") as file:
            file.write(script)
        command = [os.path.join(files.LAB, "boot"), "--kernel", kernel, "--out", out]
        for option, value in (("--timeout", timeout), ("--smp", smp), ("--accel", accel), ("--fs", fs), ("--mem", mem), ("--append", append)):
            if value:
                command += [option, str(value)]
        for here, there in adds:
            command += ["--add", f"{here}:{there}"]
        sys.stdout.flush()
        done = subprocess.run([*command, *more, "--", path], stdin=subprocess.DEVNULL, stdout=log,
                              stderr=subprocess.STDOUT if log else None, check=False)
        if os.path.isdir(out):
            shutil.copy(path, os.path.join(out, "script.sh"))
    return done.returncode


def with_variables(name, **variables):
    """The text of a script of the lab's for the guest, with these shell variables set before it."""
    return "".join(f"{key}={shlex.quote(str(value))}\n" for key, value in variables.items()) + files.own_text(name)


def tmux():
    """What a guest needs for a terminal of its own; None where this machine lacks it."""
    program, locale = shutil.which("tmux"), "/usr/lib/locale/C.utf8"
    if not program or not os.path.isdir(locale):
        return None
    return [(program, "/usr/bin/tmux"), (locale, locale)]
