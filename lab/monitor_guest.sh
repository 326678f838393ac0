#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs in the guest of lab/monitor: mrtrace monitor through module reloads and process births. lab/monitor puts
# RELOADS, BIRTHS, WARM (reloads until what is held is counted), OPTIONS and what fails (SOME, FEW) before it.
metrics=/out/metrics.prom
ip link set lo up
SCENARIOS=$SOME
# $1: file to write: what the monitor holds.
count() {
    {
        for kind in map_id prog_id link_id; do echo "$kind $(cat /proc/$monitor/fdinfo/* 2>/dev/null | grep -c "^$kind:")"; done
        # links of kprobes are perf events
        # shellcheck disable=SC2010
        echo "perf_event $(ls -l /proc/$monitor/fd | grep -c perf_event)"
        # shellcheck disable=SC2012
        echo "fds $(ls /proc/$monitor/fd | wc -l)"
        sed -n 's/^\(VmRSS\|RssAnon\|RssShmem\):[^0-9]*\([0-9]*\).*/\1 \2/p' /proc/$monitor/status
    } >"/out/$1"
}
tell() { echo "monitor: $1 after $(cut -d ' ' -f 1 /proc/uptime) s"; }
attached() { sed -n 's/^mrtrace_module_attachments_total{module="'"$1"'"} //p' $metrics; }
await() { # $1: module, $2: how often it must have come
    tries=0
    until [ "$(attached "$1")" -ge "$2" ] 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 6000 ] || { echo "monitor: $1 was not attached $2 times"; cat /out/stderr; exit 1; }
        sleep 0.1
    done
}
unload() { # $1: module
    tries=0
    until rmmod "$1" 2>/out/rmmod; do
        tries=$((tries + 1))
        [ $tries -lt 1000 ] || { cat /out/rmmod; echo "monitor: $1 cannot be unloaded"; exit 1; }
        sleep 0.1
    done
}
# shellcheck disable=SC2086 # scenarios are words, here and below
fail() { workload $SCENARIOS >>/out/operations.jsonl 2>>/out/workload.stderr; }

echo 'listen = 127.0.0.1:9750' >/out/monitor.conf
# shellcheck disable=SC2086 # options are words
mrtrace monitor --directory /out/recordings --textfile $metrics --interval 1s --memory 1M --ring-size 256K --config /out/monitor.conf --lines-per-minute 100000 $OPTIONS \
    2>/out/stderr &
monitor=$!
tries=0
until [ -s $metrics ]; do
    tries=$((tries + 1))
    [ $tries -lt 6000 ] && kill -0 $monitor || { echo "monitor: did not begin"; cat /out/stderr; exit 1; }
    sleep 0.1
done
await rdma_rxe 1
tell "attached"
fail
sleep 3
count start
uverbs=1
for number in $(seq "$RELOADS"); do
    rdma link delete rxe0
    unload rdma_rxe
    if [ $((number % 10)) = 5 ]; then
        for module in rdma_ucm ib_uverbs; do unload $module; done
        modprobe ib_uverbs
        modprobe rdma_ucm
        uverbs=$((uverbs + 1))
    fi
    modprobe rdma_rxe
    rdma link add rxe0 type rxe netdev dum0
    tries=0
    until [ -c /dev/infiniband/uverbs0 ] || [ $tries -ge 1000 ]; do sleep 0.1; tries=$((tries + 1)); done
    await ib_uverbs $uverbs
    await rdma_rxe $((number + 1))
    fail
    [ "$number" != "$WARM" ] || { sleep 3; count warm; }
    [ $((number % 10)) != 0 ] || tell "$number reloads"
done
SCENARIOS=$FEW
workers=
for number in $(seq "$BIRTHS"); do
    # each on a CPU of its own: the kernel skips a program where another was preempted in the middle of it
    # shellcheck disable=SC2086
    taskset -c $((number % 4)) workload $SCENARIOS >"/out/birth.$((number % 4))" 2>>/out/workload.stderr &
    workers="$workers $!"
    if [ $((number % 4)) = 3 ] || [ "$number" = "$BIRTHS" ]; then
        # shellcheck disable=SC2086
        wait $workers
        workers=
        cat /out/birth.* >>/out/operations.jsonl
        rm -f /out/birth.*
    fi
done
tell "the processes are done"
# a failed registration is explained a second later
sleep 4
# Clients that say nothing must not keep others waiting.
for number in 1 2 3 4 5 6 7 8; do (sleep 20 | nc 127.0.0.1 9750 >/dev/null) & done
sleep 1
wget -q -O /out/scraped.prom http://127.0.0.1:9750/metrics || echo "monitor: no metrics at 9750"
cp $metrics /out/last.prom
ls -l $metrics >/out/mode
count end
cp -r /out/recordings /out/all
# Signals: a recording now; a configuration with an error in it, which changes nothing; and one that is good.
is_there() { # $1: what is awaited, rest: the test
    what=$1; shift
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || { echo "monitor: $what did not come"; return 1; }
        sleep 0.1
    done
}
# shellcheck disable=SC2010
is_wanted() { ls /out/recordings | grep -q -e '-wanted$'; }
is_reloaded() { grep -q "^mrtrace_configuration_reloads_total{result=\"$1\"} 1" $metrics; }
# shellcheck disable=SC2086
workload $SCENARIOS >/out/last.jsonl 2>>/out/workload.stderr
kill -USR1 $monitor
is_there "a recording on SIGUSR1" is_wanted
printf 'no-such = 1\nlisten = 127.0.0.1:9751\n' >/out/monitor.conf
kill -HUP $monitor
is_there "word of a wrong configuration" is_reloaded failure
wget -q -O /out/unchanged.prom http://127.0.0.1:9750/metrics
printf 'keep = 1\nlisten = 127.0.0.1:9751\n' >/out/monitor.conf
kill -HUP $monitor
is_there "word of a new configuration" is_reloaded success
wget -q -O /out/moved.prom http://127.0.0.1:9751/metrics
wget -q -O /out/old.prom http://127.0.0.1:9750/metrics 2>/dev/null && echo "monitor: 9750 is still served"
ls /out/recordings >/out/pruned
kill -TERM $monitor
wait $monitor
echo $? >/out/status
[ ! -e $metrics ] || echo "monitor: the text file stays after its end"
ls -a /out/recordings >/out/left
rm -f /out/rmmod
