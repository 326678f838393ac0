#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs in the guest of lab/service: systemd and its journal in a PID namespace of their own, with docs/mrtrace-monitor.service as
# it is. lab/service puts SCENARIOS before it.
units=/etc/systemd/system
mkdir -p /var/lib /etc/mrtrace
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
echo ID=lab >/etc/os-release
mount -t tmpfs run /run
mkdir -p /run/systemd
ip link set lo up
for name in sysinit basic shutdown sockets; do
    printf '[Unit]\nDefaultDependencies=no\n' >$units/$name.target
done
cat >$units/lab.target <<END
[Unit]
Wants=systemd-journald.service mrtrace-monitor.service
After=systemd-journald.service
END
cat >$units/systemd-journald.service <<END
[Unit]
DefaultDependencies=no
[Service]
Type=notify
ExecStart=/usr/lib/systemd/systemd-journald
END
printf '[Journal]\nStorage=volatile\n' >/etc/systemd/journald.conf
cat >$units/workload.service <<END
[Service]
Type=oneshot
ExecStart=/usr/bin/workload $SCENARIOS
StandardOutput=append:/out/operations.jsonl
END
printf 'listen = 127.0.0.1:9750\ninterval = 1s\ntextfile = /run/mrtrace/mrtrace.prom\n' >/etc/mrtrace/monitor.conf

cat >/tmp/inside <<'BODY'
is_there() { # $1: what is awaited, rest: the test
    what=$1; shift
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || { echo "service: $what did not come"; systemctl status mrtrace-monitor --no-pager -l; journalctl --no-pager -t mrtrace; exit 1; }
        sleep 0.5
    done
}
is_active() { [ "$(systemctl is-active mrtrace-monitor)" = active ]; }
metrics=/run/mrtrace/mrtrace.prom
has_attached() { grep -q "^mrtrace_module_attachments_total{module=\"rdma_rxe\"} $1" $metrics 2>/dev/null; }
has_explained() { [ "$(sed -n 's/^mrtrace_failures_total{.*} //p' $metrics | awk '{ n += $1 } END { print n + 0 }')" = "$1" ]; }
failures() { grep -v '"expect_errno": *null' /out/operations.jsonl | grep -c '"expect_errno"'; }

is_there "the service" is_active
is_there "its hooks" has_attached 1
echo "service: active after $(cut -d ' ' -f 1 /proc/uptime) s"
cat /proc/$(systemctl show -p MainPID --value mrtrace-monitor)/status >/out/process
systemctl start workload
is_there "word of all failures" has_explained $(failures)
rdma link delete rxe0
rmmod rdma_rxe
modprobe rdma_rxe
rdma link add rxe0 type rxe netdev dum0
is_there "the module's hooks" has_attached 2
is_there "the device" [ -c /dev/infiniband/uverbs0 ]
systemctl start workload
is_there "word of the failures after the reload" has_explained $(failures)
systemctl reload mrtrace-monitor
is_there "its end of reloading" is_active
wget -q -O /out/scraped.prom http://127.0.0.1:9750/metrics
cp $metrics /out/last.prom
ls -l $metrics >/out/mode
is_there "the recording" grep -q '^mrtrace_recordings_written_total [1-9]' $metrics
cp -r /var/lib/mrtrace /out/recordings
systemctl show -p NRestarts -p StatusText mrtrace-monitor >/out/running
systemctl stop mrtrace-monitor
systemctl show -p Result -p ActiveState -p NRestarts mrtrace-monitor >/out/ended
journalctl --no-pager -t mrtrace -o json >/out/journal.jsonl
exit 0
BODY
container=lab unshare --fork --pid --mount --mount-proc /usr/lib/systemd/systemd --system --unit=lab.target --show-status=no >/out/systemd.log 2>&1 &
tries=0
until [ -S /run/systemd/private ] || [ $tries -ge 300 ]; do tries=$((tries + 1)); sleep 0.2; done
# what it starts has its name at first
exec nsenter -t "$(pidof systemd | tr ' ' '\n' | sort -n | head -n 1)" -p -m sh /tmp/inside
