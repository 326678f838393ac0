#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs in the guest of lab/agreement: three tracers at once, and eight processes that fail for a while. lab/agreement
# puts SECONDS_LONG, PAUSE, OPTIONS of the monitor and the processes' scenarios (CAST, one a line) before it.
export LANG=C.UTF-8 LC_ALL=C.UTF-8 TERM=xterm-256color SHELL=/bin/sh
T="tmux -L lab -f /dev/null"
metrics=/out/metrics.prom

uptime_s() { cut -d ' ' -f 1 /proc/uptime; }
until_is() { # $1: what is awaited, rest: the test
    what=$1; shift
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ $tries -lt 900 ] && kill -0 $live && kill -0 $monitor || { echo "agreement: $what did not come"; head -n 5 /out/*.stderr; $T capture-pane -p -t record; exit 1; }
        sleep 0.2
    done
}
shows() { $T capture-pane -p -t record | grep -q -e "$1"; }
is_hooked() { grep -q '^mrtrace_module_attachments_total{module="rdma_rxe"} 1' "$metrics" 2>/dev/null; }

# Whose the CPUs are: 0 to 7 the processes', 8 the tracers', 9 to 11 the kernel's workers'. The kernel skips an fexit program
# where another task on that CPU was preempted in the middle of it, and kprobes also where one was in the middle of
# bpf(2) on a map, which is how a tracer reads what the kernel counted.
tracers="taskset -c 8"
echo e00 >/sys/devices/virtual/workqueue/cpumask
echo "$tracers mrtrace record -a --live always -o /out/recording >/out/report.txt; echo \$? >/out/record.status; sleep 1000" >/tmp/record
$T new-session -d -s record -x 100 -y 50 "sh /tmp/record"
$tracers mrtrace live --json >/out/live.jsonl 2>/out/live.stderr &
live=$!
# shellcheck disable=SC2086 # options are words
$tracers mrtrace monitor --directory /out/monitor --textfile $metrics --interval 2s --listen 127.0.0.1:9750 --lines-per-minute 100000 \
    --detail operations --ring-size 16M $OPTIONS 2>/out/monitor.stderr &
monitor=$!
until_is "record's screen" shows 'all hooks attached\|NOT HOOKED'
until_is "live's first line" test -s /out/live.jsonl
until_is "the monitor" is_hooked
echo "agreement: three tracers are there after $(uptime_s) s"

number=0
workers=
while read -r scenarios; do
    number=$((number + 1))
    # shellcheck disable=SC2086 # scenarios are words
    taskset -c $((number - 1)) workload --seconds "$SECONDS_LONG" --pause "$PAUSE" $scenarios \
        >"/out/operations.$number" 2>"/out/workload.$number.stderr" </dev/null &
    workers="$workers $!"
done <<END
$CAST
END
# shellcheck disable=SC2086
wait $workers
echo "agreement: the processes ended after $(uptime_s) s"
# a failed registration is explained a second later, the metrics are written every two
sleep 6
cp $metrics /out/last.prom
wget -q -O /out/scraped.prom http://127.0.0.1:9750/metrics || echo "agreement: no metrics at 9750"
$T capture-pane -p -t record >/out/screen.txt
kill -TERM $live $monitor
# shellcheck disable=SC2046 # the shell's child
kill -TERM $(pidof mrtrace | tr ' ' '\n' | grep -v -x -e $live -e $monitor)
wait $live; echo $? >/out/live.status
wait $monitor; echo $? >/out/monitor.status
tries=0; until [ -s /out/record.status ] || [ $tries -ge 300 ]; do tries=$((tries + 1)); sleep 0.2; done
exit 0
