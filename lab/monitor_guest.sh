#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs in the guest of lab/monitor: mrtrace monitor through module reloads and process births. lab/monitor puts
# RELOADS, BIRTHS, OPTIONS and what fails (SCENARIOS, FEW) before it.
metrics=/out/metrics.prom
ip link set lo up
# $1: file to write: what the monitor holds.
count() {
    {
        for kind in map_id prog_id link_id; do echo "$kind $(cat /proc/$monitor/fdinfo/* 2>/dev/null | grep -c "^$kind:")"; done
        # links of kprobes are perf events
        echo "perf_event $(ls -l /proc/$monitor/fd | grep -c perf_event)"
        echo "fds $(ls /proc/$monitor/fd | wc -l)"
        echo "rss $(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' /proc/$monitor/status)"
    } >"/out/$1"
}
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
fail() { workload $SCENARIOS >>/out/operations.jsonl 2>>/out/workload.stderr; }

mrtrace monitor --directory /out/recordings --textfile $metrics --interval 1s --listen 127.0.0.1:9750 --lines-per-minute 100000 $OPTIONS \
    2>/out/stderr &
monitor=$!
tries=0
until [ -s $metrics ]; do
    tries=$((tries + 1))
    [ $tries -lt 6000 ] && kill -0 $monitor || { echo "monitor: did not begin"; cat /out/stderr; exit 1; }
    sleep 0.1
done
await rdma_rxe 1
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
    [ "$number" != 3 ] || { sleep 3; count warm; }
done
SCENARIOS=$FEW
for number in $(seq "$BIRTHS"); do
    workload $SCENARIOS >"/out/birth.$((number % 8))" 2>>/out/workload.stderr &
    if [ $((number % 8)) = 7 ] || [ "$number" = "$BIRTHS" ]; then
        wait $(jobs -p | grep -v -x $monitor)
        cat /out/birth.* >>/out/operations.jsonl
        rm -f /out/birth.*
    fi
done
# a failed registration is explained a second later
sleep 4
# Clients that say nothing must not keep others waiting.
for number in 1 2 3 4 5 6 7 8; do (sleep 20 | nc 127.0.0.1 9750 >/dev/null) & done
sleep 1
wget -q -O /out/scraped.prom http://127.0.0.1:9750/metrics || echo "monitor: no metrics at 9750"
cp $metrics /out/last.prom
ls -l $metrics >/out/mode
count end
printf 'no-such = 1\n' >/out/monitor.conf
kill -HUP $monitor; sleep 1
kill -TERM $monitor
wait $monitor
echo $? >/out/status
[ ! -e $metrics ] || echo "monitor: the text file stays after its end"
ls -a /out/recordings >/out/left
rm -f /out/rmmod
exit 0
