# SPDX-License-Identifier: Apache-2.0
"""mrtrace live in a guest, on the terminals of a real tmux: its screen at several sizes, its keys, every way to end it,
and its numbers against those of the workload, of a recording, and of the JSON and plain lines of the same time."""

import collections
import os
import shlex
import signal
import subprocess
import sys
import time

from mrlab import ansi_to_svg, guest, kernels
from mrlab.files import raw_text
from mrlab.judges import live
from mrlab.stage import Stage

PICTURES = {"80x24": "live-80x24.svg", "200x50": "live-200x50.svg", "detail": "live-detail.svg"}
SOCKET = f"mrtrace-lab-{os.getpid()}"
PATIENCE = 300  # seconds, for what takes one on a machine that has nothing else to do
# What each process does; what two of them under a command fail at, its operation, the errno of the last one.
Work = collections.namedtuple("Work", "on_demand scenarios command kind errno")
ON_DEMAND = Work(True, "hole-p protnone-p readonly-w tmpfs-eof-p fsdax-eof-p hole-a hole-x pin-protnone ok-anon",
                 "hole-p readonly-w", "advise_mr", "EPERM")
PINNED = Work(False, "pin-hole pin-protnone pin-readonly pin-tmpfs-eof pin-device pin-too-long pin-fsdax ok-pin-anon",
              "pin-hole pin-fsdax", "reg_mr", "EOPNOTSUPP")


class Session:
    """A shell that runs mrtrace on a terminal of this machine's tmux."""

    def __init__(self, out, name, command):
        self.out, self.name = os.path.join(out, name), name
        os.makedirs(self.out, exist_ok=True)
        with open(os.path.join(self.out, "run"), "w", encoding="utf-8") as script:
            script.write(f"stty -a >{self.out}/stty.before\necho the shell is here\n{command}\n"
                         f"echo ${{status:-$?}} >{self.out}/status\nstty -a >{self.out}/stty.after\n"
                         f"echo >{self.out}/ended\nsleep 10000\n")
        tmux("new-session", "-d", "-s", name, "-x", "80", "-y", "24", f"bash --norc {self.out}/run")

    def text(self):
        return tmux("capture-pane", "-p", "-t", self.name)

    def state(self):
        return tmux("display", "-p", "-t", self.name, "#{pane_width} #{pane_height} #{alternate_on} #{cursor_flag}")

    def capture(self, what, fits):
        """The screen when it fits and does not change any more."""
        def still():
            before = (self.text(), self.state())
            time.sleep(0.3)
            return fits(self) and before == (self.text(), self.state())
        self.wait(what, still)
        for suffix, text in (("txt", self.text()), ("ansi", tmux("capture-pane", "-p", "-e", "-t", self.name)), ("state", self.state())):
            with open(os.path.join(self.out, f"{what}.{suffix}"), "w", encoding="utf-8") as file:
                file.write(text)

    def wait(self, what, done):
        deadline = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > deadline:
                print(f"live: {self.name}: it did not come to {what}; the screen:\n{self.text()}", file=sys.stderr)
                return
            time.sleep(0.1)

    def is_on_screen(self):
        """The other page, whole: what it ends with is there."""
        return self.state().split()[2:3] == ["1"] and "as far as" in self.text() and "q quit" in self.text()

    def keys(self, *keys):
        tmux("send-keys", "-t", self.name, *keys)

    def signal(self, number):
        process = tmux("display", "-p", "-t", self.name, "#{pane_pid}").strip()
        # Shells, and mrtrace at their end.
        while children := raw_text(f"/proc/{process}/task/{process}/children").split():
            process = children[0]
        os.kill(int(process), number)

    def ended(self):
        self.wait("its end", lambda: raw_text(self.out, "ended"))
        self.capture("after", lambda it: not it.is_on_screen())
        tmux("kill-session", "-t", self.name)


def tmux(*words):
    return subprocess.run(["tmux", "-L", SOCKET, "-f", "/dev/null", *words], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh"}).stdout


def endings(out, mrtrace):
    """Every way to end it, on this machine, with the guest's recording: the same screen, and no kernel is needed."""
    live = f"{shlex.quote(os.path.abspath(mrtrace))} live --replay {shlex.quote(os.path.join(out, 'keys', 'recording'))} --speed 1000"
    # The server ends with its last session, and a new one then may come too early: this one stays.
    tmux("new-session", "-d", "-s", "stays", "sleep 100000")

    def at(name, command):
        session = Session(out, name, command)
        session.capture("during", Session.is_on_screen)
        return session
    session = at("int", live)
    session.keys("C-c")
    session.ended()
    for name, number in (("term", signal.SIGTERM), ("crash", signal.SIGSEGV)):
        session = at(name, live)
        session.signal(number)
        session.ended()
    # A shell with jobs of its own, as a user has, goes on when its job is stopped.
    place = os.path.join(out, "sleep")
    session = at("sleep", f"set -m\n{live}\necho $? >{place}/stopped\nuntil [ -e {place}/go ]; do sleep 0.1; done\nfg\nstatus=$?")
    session.keys("C-z")
    session.wait("being stopped", lambda: raw_text(place, "stopped"))
    session.capture("stopped", lambda it: not it.is_on_screen())
    with open(os.path.join(place, "go"), "w", encoding="utf-8"):
        pass
    session.capture("again", Session.is_on_screen)
    session.keys("q")
    session.ended()
    session = at("nocolor", f"NO_COLOR=1 {live} --screen always")
    session.keys("q")
    session.ended()
    Session(out, "dumb", f"TERM=dumb {live}").ended()
    lines = subprocess.run(["sh", "-c", live], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout
    with open(os.path.join(out, "keys", "lines.txt"), "w", encoding="utf-8") as file:
        file.write(lines)
    tmux("kill-server")


def pictures(out, directory):
    for name, file in PICTURES.items():
        columns, rows = map(int, raw_text(out, "keys", f"{name}.state").split()[:2])
        picture = ansi_to_svg.picture(raw_text(out, "keys", f"{name}.ansi"), columns, rows, f"mrtrace live, {columns}x{rows}")
        with open(os.path.join(directory, file), "w", encoding="utf-8") as target:
            target.write(picture)
        print(f"live: {file}, {len(picture)} bytes")


def main():
    stage = Stage("live", __doc__)
    stage.parser.add_argument("kernel", nargs="?", default="newest")
    stage.parser.add_argument("--out", help="where the captured screens go (default: a temporary directory)")
    stage.parser.add_argument("--pictures", metavar="DIR", help="write the pictures of the docs there")
    stage.parser.add_argument("--judge", metavar="DIR", help="no guest: judge what an earlier run has left there")
    options = stage.parse()
    terminal = guest.tmux()
    if not terminal:
        stage.fail('tmux or the locale C.UTF-8 is missing; run "make setup"')
    stage.begin(options.judge or options.out, judged=bool(options.judge))
    directory = stage.kernel(options.kernel)
    if not directory:
        return stage.end(guests=False)
    work = ON_DEMAND if {"odp", "advise"} <= kernels.features_of(options.kernel, directory) else PINNED
    if not options.judge:
        script = guest.with_variables("live_guest", SCENARIOS=work.scenarios, COMMAND=f"workload {work.command}", KIND=work.kind)
        status = guest.boot(directory, script, stage.out, stage.programs.adds() + terminal, timeout=1500, smp=guest.CPUS)
        if not stage.boots(options.kernel, status):
            return stage.end(guests=False)
    endings(stage.out, stage.programs.mrtrace)
    stage.results.add(options.kernel, *live.judged(stage.out, stage.programs.mrtrace, work))
    if options.pictures:
        pictures(stage.out, options.pictures)
    return stage.end(guests=not options.judge)
