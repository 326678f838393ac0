# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Runs in the guest of lab/monitor, after monitor_guest.sh: a monitor with filters, one of which is a control group that comes,
# goes, and comes again.
SCENARIOS=$SOME
groups=/sys/fs/cgroup
metrics=/out/filtered.prom
notes=/out/filtered.stderr
printf 'comm = alpha\ncomm = beta\ncgroup = /serving\ndevice = rxe0\nerrno = EPERM,EFAULT\n' >/out/filtered.conf
for name in alpha beta gamma; do ln -s /usr/bin/workload /tmp/$name; done
# shellcheck disable=SC2086 # options are words
mrtrace monitor --config /out/filtered.conf --directory none --textfile $metrics --interval 1s --lines-per-minute 100000 --errno EFAULT $OPTIONS 2>$notes &
monitor=$!
tries=0
until [ -s $metrics ] && [ "$(attached rdma_rxe)" -ge 1 ] 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 6000 ] && kill -0 $monitor || { echo "monitor: the one with filters did not begin"; cat $notes; exit 1; }
    sleep 0.1
done
tell "filters are attached"
has_come() { [ "$(grep -c 'control group /serving has come' $notes)" = "$1" ]; }
has_gone() { [ "$(grep -c 'control group /serving has gone' $notes)" = "$1" ]; }
as() { # $1: control group, $2: name of the program, $3: where it writes
    sh -c "echo 0 >$groups/$1/cgroup.procs && exec /tmp/$2 $SCENARIOS" >>"/out/$3.jsonl" 2>>/out/workload.stderr
}
for round in 1 2; do
    mkdir $groups/serving $groups/other
    is_there "the group" has_come $round || cat $notes
    as serving alpha wanted
    as serving beta wanted
    as serving gamma unwanted
    as other alpha unwanted
    rmdir $groups/serving $groups/other
    is_there "the group's end" has_gone $round || cat $notes
done
sleep 4
cp $metrics /out/filtered.last
kill -TERM $monitor
wait $monitor
echo $? >/out/filtered.status
