# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Runs in the guest for lab/privileges, which puts its cases in; `launch` is util-linux's setpriv.
M=/usr/bin/mrtrace
[ ! -f /lib/odplab.ko ] || lab-odp

list_system() { # what mrtrace must leave as it is
    find /proc/sys -type f ! -path '*/random/*' ! -name 'dentry-state' ! -name 'inode-*' ! -name 'file-nr' ! -name 'aio-nr' \
        ! -name 'ns_last_pid' ! -name 'nr_open' ! -path '*/netfilter/*' ! -name 'compact_memory' ! -name 'drop_caches' \
        ! -path '*/route/flush' ! -name 'pty' ! -name 'nr' ! -path '*bpf_stats*' ! -name max_newidle_lb_cost -print0 2>/dev/null |
        xargs -0 grep -H . 2>/dev/null | sort
    cat /proc/self/mounts
    cut -d ' ' -f 1,2 /proc/modules | sort
    cat /sys/kernel/tracing/kprobe_events /sys/kernel/tracing/uprobe_events /sys/kernel/tracing/set_event \
        /sys/kernel/tracing/tracing_on /sys/kernel/tracing/set_ftrace_filter 2>/dev/null
    find /sys/fs/bpf
}

with() { # $1: capabilities, then the command, as an unprivileged user with exactly these
    inherit=-all ambient=""
    for capability in $1; do inherit=$inherit,+$capability ambient=$ambient,+$capability; done
    shift
    if [ -n "$ambient" ]; then
        /usr/bin/launch --reuid=1000 --regid=1000 --clear-groups --inh-caps="$inherit" --ambient-caps="${ambient#,}" "$@"
    else
        /usr/bin/launch --reuid=1000 --regid=1000 --clear-groups --inh-caps="$inherit" "$@"
    fi
}

try() { # $1: name, $2: kptr_restrict, $3: workload, or - where COMMAND must not start; the rest: capabilities
    name=$1 what=$3
    echo "$2" >/proc/sys/kernel/kptr_restrict
    shift 3
    mkdir "/out/$name"; chmod 777 "/out/$name"; cd "/out/$name" || exit
    if [ "$what" = - ]; then set -- "$*" touch started; else set -- "$*" workload hole-p; fi
    capabilities=$1
    shift
    (ulimit -l 64; with "$capabilities" "$M" record -o rec -- "$@" >stdout 2>stderr; echo $? >status)
    cd /out || exit
    echo "lab: $name: $(cat "$name/status")"
}

stacks() { # $1: name, $2: capabilities: the whole system watched, while another user's process fails
    mkdir "/out/stacks-$1"; chmod 777 "/out/stacks-$1"; cd "/out/stacks-$1" || exit
    (with "$2" $M record -q -o rec >stdout 2>stderr; echo $? >status) &
    until grep -q "Ctrl-C ends" stderr 2>/dev/null || [ -s status ]; do sleep 0.3; done
    sleep 1
    # it lives on while the agent looks
    /usr/bin/launch --reuid=2000 --regid=2000 --clear-groups workload --seconds 2 --pause 300 hole-p >/dev/null 2>&1
    sleep 1
    # SIGINT is ignored in what sh has put into the background
    kill -TERM "$(pidof mrtrace)"
    wait
    # shellcheck disable=SC2094 # another directory's
    $M report rec >report
    grep -c -E '(workload|libibverbs[^ ]*|libc[^ ]*)\+0x' report >named
    cd /out || exit
}

echo 1 >/proc/sys/kernel/kptr_restrict
list_system >before

# Root's own privileges, and what is left of them while COMMAND runs.
mkdir kept; chmod 777 kept
cp /usr/bin/launch /mnt/disk/setuid; chown 0:0 /mnt/disk/setuid; chmod 4755 /mnt/disk/setuid
grep -E '^(Cap|NoNew)' /proc/self/status >kept/shell
cat >/tmp/look <<'END'
grep -E '^(Cap|NoNew)' /proc/self/status >/out/kept/command
{ ulimit -S -l; ulimit -H -l; } >/out/kept/memlock
sleep 1
grep -E '^(Cap|NoNew)' /proc/$PPID/status >/out/kept/agent
/usr/bin/launch --reuid=1000 --regid=1000 --clear-groups /mnt/disk/setuid --dump >/out/kept/setuid 2>&1
workload hole-p >/dev/null
END
(ulimit -l 1234; $M record -q -o kept/rec -- sh /tmp/look >kept/stdout 2>kept/stderr; echo $? >kept/status)
$M doctor --json >doctor-root; echo $? >doctor-root.status
list_system >after

@CASES@
echo 1 >/proc/sys/kernel/kptr_restrict
stacks least "@LEAST@"
stacks all "@ALL@"
with "" $M doctor --json >doctor-none; echo $? >doctor-none.status
with "@LEAST@" $M doctor --json >doctor-least; echo $? >doctor-least.status

# File capabilities: a user's environment must not make the program run something.
mkdir setcap; chmod 777 setcap
cp $M /mnt/disk/mrtrace; chmod 755 /mnt/disk/mrtrace
setcap "$(echo "@ALL@" | sed 's/\([a-z_]*\)/cap_\1/g; s/ /,/g')+ep" /mnt/disk/mrtrace
printf '#!/bin/sh\ntouch /out/setcap/evil\n' >/tmp/evil; chmod 755 /tmp/evil
cat >/tmp/user-look <<'END'
grep -E '^(Cap|NoNew)' /proc/self/status >/out/setcap/command
exec workload hole-p
END
(ulimit -l 64; with "" env SWIFT_BACKTRACE=enable=yes,swift-backtrace=/tmp/evil LD_PRELOAD=/tmp/evil \
    /mnt/disk/mrtrace record -o setcap/rec -- sh /tmp/user-look >setcap/stdout 2>setcap/stderr; echo $? >setcap/status)
# shellcheck disable=SC2016 # that shell's own
(ulimit -c 0; with "" env SWIFT_BACKTRACE=enable=yes,swift-backtrace=/tmp/evil /mnt/disk/mrtrace record -q -o setcap/crash -- sh -c 'kill -ILL $PPID; sleep 2' \
    >/dev/null 2>setcap/crash.stderr)

# Reading needs nothing.
mkdir plain; cp -r least/rec plain/rec; chmod -R a+rX plain; chmod 777 plain
with "" $M report plain/rec >plain/report 2>plain/report.stderr; echo $? >plain/report.status
with "" $M export plain/rec --to csv -o - >plain/export 2>plain/export.stderr; echo $? >plain/export.status
exit 0
