# SPDX-License-Identifier: Apache-2.0
"""Processes that fail at once, of several names, control groups, devices and PID namespaces, recorded with many filters
at the same time: each recording holds exactly the operations that its filter asks for."""

from mrlab import guest, kernels, reruns
from mrlab.judges.filters import check_round
from mrlab.stage import Stage, booted

CGROUPS = "/sys/fs/cgroup"
# name of the run, options, what they ask for
FILTERS = (
    ("pid", "-p $ALPHA", lambda it: it.comm == "alpha"),
    ("pids", "-p $ALPHA -p $GAMMA", lambda it: it.comm in ("alpha", "gamma")),
    ("follow", "-p $PARENT --follow", lambda it: it.comm == "beta"),
    ("comm", "--comm alpha", lambda it: it.comm == "alpha"),
    ("comms", "--comm alpha --comm gamma", lambda it: it.comm in ("alpha", "gamma")),
    ("nobody", "--comm alph --comm alphaa", lambda it: False),
    ("cgroup", "--cgroup /one", lambda it: it.comm in ("alpha", "beta")),
    ("cgroup-below", f"--cgroup {CGROUPS}/one/below --cgroup two", lambda it: it.comm in ("beta", "gamma")),
    ("device", "--device rxe1", lambda it: it.device == "rxe1"),
    ("errno", "--errno eperm,EOPNOTSUPP", lambda it: it.errno in (None, "EPERM", "EOPNOTSUPP")),
    ("and", "--cgroup /one --device rxe0 --errno EFAULT", lambda it: it.comm == "alpha" and it.errno in (None, "EFAULT")),
)
QUICK = ("follow", "cgroup", "errno", "and")

GUEST = r"""
ip link add dum1 type dummy && ip link set dum1 address 02:00:00:00:00:02 && ip addr add 10.9.1.1/24 dev dum1 &&
    ip link set dum1 up && rdma link add rxe1 type rxe netdev dum1 || exit 1
until [ -e /dev/infiniband/uverbs1 ]; do sleep 0.1; done
chmod 666 /dev/infiniband/uverbs*
mkdir -p %(cgroups)s/one/below %(cgroups)s/two /tmp/cast
for name in alpha beta gamma; do ln -s /usr/bin/workload /tmp/$name; done
# An actor waits for its sign, then becomes the program; its number does not change.
cat >/tmp/actor <<'END'
echo 0 >%(cgroups)s$2/cgroup.procs
while [ ! -e /tmp/go.$ROUND ]; do sleep 0.1; done
exec /tmp/$1 --device $3 $4 >/out/$ROUND.$1.jsonl 2>/out/$ROUND.$1.stderr
END
number_of() { # in this namespace, of the shell that waits as actor $1
    for status in /proc/[0-9]*; do
        { tr "\0" " " <$status/cmdline; } 2>/dev/null | grep -q "^sh /tmp/actor $1 " && basename $status
    done
}
# Its status comes when it has ended.
recorder() {
    name=$1; shift
    (mrtrace record -o /out/$name/recording -q "$@" >/out/$name/stdout 2>/out/$name/stderr; echo $? >/out/$name/status) &
}
wait_for_recorders() {
    for name; do
        until grep -q 'Ctrl-C ends it' /out/$name/stderr 2>/dev/null || [ -s /out/$name/status ]; do sleep 0.2; done
        echo "filters: $name is there after $(cut -d ' ' -f 1 /proc/uptime) s"
    done
}
%(rounds)s
"""

ROUND = r"""
export ROUND=%(round)s
for name in inside %(names)s; do mkdir -p /out/%(round)s.$name; done
sh /tmp/actor alpha /one rxe0 "%(work)s" &
# Whoever follows it must see it live as long as the actor.
( sh /tmp/actor beta /one/below rxe1 "%(work)s"; until [ -e /tmp/end.%(round)s ]; do sleep 0.1; done ) & PARENT=$!
# Its namespace has a recorder of its own, which knows other numbers.
unshare -p -f --mount-proc sh -c '
    sh /tmp/actor gamma /two rxe0 "%(work)s" & gamma=$!
    echo $gamma >/out/%(round)s.inside/number
    mrtrace record -o /out/%(round)s.inside/recording -q %(options)s -p $gamma >/out/%(round)s.inside/stdout 2>/out/%(round)s.inside/stderr
    echo $? >/out/%(round)s.inside/status' &
for name in alpha beta gamma; do until number_of $name | grep -q .; do sleep 0.1; done; done
ALPHA=$(number_of alpha) GAMMA=$(number_of gamma)
echo "$ALPHA $GAMMA" >/out/%(round)s.numbers
%(recorders)s
wait_for_recorders %(waited)s
touch /tmp/go.%(round)s
for name in alpha beta gamma; do while number_of $name | grep -q .; do sleep 0.1; done; done
while pidof alpha beta gamma >/dev/null; do sleep 0.2; done
# What a kernel worker still does of theirs
sleep 1
touch /tmp/end.%(round)s
kill -TERM $(pidof mrtrace)
wait
"""


def guest_script(work, rounds, filters):
    text = []
    for name, options in rounds:
        recorders = "\n".join(f"recorder {name}.{one} {options} {words}" for one, words, _ in filters)
        names = ["all"] + [one for one, _, _ in filters]
        text.append(ROUND % {"round": name, "work": work, "options": options, "names": " ".join(names),
                             "recorders": f"recorder {name}.all {options}\n{recorders}",
                             "waited": " ".join(f"{name}.{one}" for one in names + ["inside"])})
    return GUEST % {"cgroups": CGROUPS, "rounds": "\n".join(text)}


def work_of(features):
    if {"odp", "advise"} <= features:
        return "hole-p readonly-w hole-a hole-x pin-protnone pin-fsdax ok-anon"
    return "pin-hole pin-protnone pin-fsdax ok-pin-anon"


def run_kernel(kernel, stage):
    directory, quick = stage.kernel(kernel), stage.options.quick
    if not directory:
        return
    filters = [one for one in FILTERS if not quick or one[0] in QUICK]
    rounds = [("fentry", "")] if quick else [("fentry", ""), ("kprobe", "--no-hook fentry")]
    script = guest_script(work_of(kernels.features_of(kernel, directory)), rounds, filters)
    place = stage.path(kernel)

    def attempt():
        status = guest.boot(directory, script, place, stage.programs.adds(), timeout=1500, smp=guest.CPUS)
        checks, complaints = [booted(status)], []
        for name, _ in rounds if status == 0 else []:
            found, misses = check_round(name, place, stage.programs.mrtrace, filters)
            checks += found
            complaints += [(reruns.kind_of(one.says_less, misses), str(one)) for one in found if one.failed]
        return checks, complaints if status == 0 else [(reruns.WRONG, str(checks[0]))]

    stage.results.add(kernel, *stage.reruns.judged(f"{kernel}, guest filters", place, attempt))


def main():
    stage = Stage("filters", __doc__, on_kernels=True)
    stage.parser.add_argument("--quick", action="store_true", help="fewer filters, and fentry alone")
    stage.keep_option()
    options = stage.parse()
    stage.begin(options.keep)
    for kernel in options.kernels:
        run_kernel(kernel, stage)
    return stage.end()
