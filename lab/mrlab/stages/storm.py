# SPDX-License-Identifier: Apache-2.0
"""A storm: eight processes of four threads each that fail in many ways without pause, with successes between, on few CPUs.
What mrtrace says of each planned failure is compared with what was planned, and what it did not see with what it counted."""

import os

from mrlab import guest, kernels, scenarios
from mrlab.files import TABLE, text_of
from mrlab.judges.storm import COLUMNS, SHOWN, Storm, row
from mrlab.stage import Stage

# Not chosen: what concerns the whole process or the machine (cgroups, swap, pools), forks, or waits.
PINS = ("pin-protnone pin-hole pin-readonly pin-fsdax pin-fsdax-middle pin-disk pin-secret pin-zero pin-wraps pin-too-long pin-tmpfs-eof"
        " pin-userfault pin-hugetlb-empty pin-vmas pin-pkey pin-writeonly pin-execonly pin-protnone-read pin-readonly-read")
VERBS = ("reg-misaligned reg-access-bad reg-access-atomic reg-access-unknown reg-access-persistent reg-access-driver reg-access-zero-based"
         " reg-zero reg-wraps reg-too-long reg-implicit odp-unsupported advice-unsupported range-beyond-p range-before-p range-iova-p length-zero-p"
         " lkey-bad-p lkey-foreign-p mr-readonly-w advice-unknown rereg-access-bad rereg-misaligned rereg-translation")
MEMORY = ("hole-p hole-w protnone-p protnone-w protnone-later-p writeonly-p execonly-p readonly-w readonly-all-w readonly-later-w vmas-p vmas-w"
          " guard-p userfault-sigbus-p userfault-poison-p fsdax-eof-p fsdax-eof-w fsdax-never-sized-p tmpfs-eof-p tmpfs-never-sized-p disk-eof-p"
          " disk-eof-w disk-never-sized-p hugetlb-empty-p")
WORKERS = "hole-a protnone-a tmpfs-eof-a fsdax-eof-a vmas-a"
WRITES = "hole-x protnone-x tmpfs-eof-x ok-anon-x"
SUCCESSES = "ok-anon ok-fsdax ok-tmpfs ok-rereg"
ROOT = "pin-device pin-devmem mixed-device-p device-p devmem-p mixed-device-a hwpoison-p pin-hwpoison"
LIMITED = " ".join((VERBS, MEMORY, WORKERS)).split()
# What each process runs, and more options of it.
CAST = (f"{PINS} {VERBS} {MEMORY} {SUCCESSES}", f"{PINS} {MEMORY} {WORKERS} {ROOT}", f"{VERBS} {MEMORY} {ROOT} {SUCCESSES}",
        f"{PINS} {WORKERS} {WRITES} {MEMORY}", f"{PINS} {VERBS} {MEMORY} {ROOT}", f"{MEMORY} {VERBS} {PINS} {SUCCESSES}",
        f"--locked 0 {MEMORY} pin-memlock-zero {VERBS}", f"--locked 32768 --user 1000 {MEMORY} pin-memlock {VERBS} {WORKERS}")
# What pins, or is refused for the pages: where there is a limit, that refuses it before.
AFTER_THE_LIMIT = {"reg-access-persistent", "reg-access-driver", "reg-access-zero-based", "advice-unsupported", "rereg-access-bad", "rereg-misaligned", "rereg-translation"}


def cast(table, features):
    """The command lines of the processes, of what applies on this kernel."""
    lines = []
    for words in CAST:
        chosen = []
        for word in words.split():
            if word.startswith("--") or word.isdigit():
                chosen.append(word)
            elif any(scenarios.missing_need(row, features) is None for row in table[word]) and \
                    not ("--locked" in chosen and word in AFTER_THE_LIMIT):
                chosen.append(word)
        lines.append(" ".join(chosen))
    return lines


def guest_script(options, lines):
    record = " ".join(["--ring-size", str(options.ring_size), options.record_options] if options.ring_size else [options.record_options])
    starts = "\n".join(f"workload --storm {options.seconds} --threads {options.threads} --gust {options.gust} {line} >>/out/operations.jsonl 2>>/out/workload.stderr &"
                       for line in lines)
    beside = ("mrtrace monitor --directory none --textfile /out/metrics.prom --interval 1s --lines-per-minute 1 --detail operations 2>/out/monitor.stderr &\n"
              "monitor=$!\n"
              "until grep -q '^mrtrace_module_attachments_total{module=\"rdma_rxe\"} 1' /out/metrics.prom 2>/dev/null || ! kill -0 $monitor; do sleep 0.2; done\n"
              if options.monitor else "")
    after = "sleep 4\ncp /out/metrics.prom /out/last.prom\nkill -TERM $monitor\nwait $monitor\necho $? >/out/monitor.status\n" if options.monitor else ""
    return f"""cat >/tmp/cast <<'END'
{starts}
wait
END
{beside}mrtrace record {record} -q -o /out/recording -- sh /tmp/cast >/out/record.stdout 2>/out/record.stderr
echo $? >/out/record.status
{after}"""


def run_kernel(kernel, stage, table):
    """The line of its counts; None where the guest did not come to its end."""
    options, directory = stage.options, stage.kernel(kernel)
    if not directory:
        return None
    features = kernels.features_of(kernel, directory) | {"ext4", "fixed"}
    place, status = stage.path(os.path.basename(kernel.rstrip("/"))), 0
    if not options.judge:
        lines = cast(table, features)[:options.processes]
        append = "secretmem.enable=1" + ("" if options.long_slices else " lab.stock-scheduler")
        status = guest.boot(directory, guest_script(options, lines), place, stage.programs.adds(), timeout=options.seconds + 420, smp=options.cpus,
                            mem=options.mem, append=append)
    if not stage.boots(kernel, status, os.path.join(place, "recording"), text_of(place, "record.stderr")):
        return None
    storm = Storm(place, stage.programs.mrtrace, table, features)
    storm.judged(options)
    print(f"\n== {kernel}, {options.cpus} CPUs")
    storm.print_answers(options.show)
    storm.print_accounts()
    print()
    stage.results.add(kernel, *storm.checks)
    return row(f"{kernel} {options.cpus} CPUs {options.seconds} s", storm.counts)


def main():
    stage = Stage("storm", __doc__)
    parser = stage.parser
    parser.add_argument("kernels", nargs="*", default=["newest"], metavar="KERNEL", help="names for lab/fetch, or directories (default: newest)")
    parser.add_argument("--kernel", action="append", default=[], help="the same")
    parser.add_argument("--cpus", type=int, default=2, help="of the guest (default: 2)")
    parser.add_argument("--seconds", type=int, default=13, help="how long it blows (default: 13)")
    parser.add_argument("--processes", type=int, default=len(CAST), help=f"default {len(CAST)}")
    parser.add_argument("--threads", type=int, default=4, help="of each process (default: 4)")
    parser.add_argument("--gust", type=int, default=4, help="tries of what failed before, at most, after each failure that is made anew (default: 4)")
    parser.add_argument("--ring-size", type=int, default=0, metavar="KIB", help="of mrtrace record (default: its own)")
    parser.add_argument("--record-options", default="", metavar="WORDS", help="more options for mrtrace record")
    parser.add_argument("--monitor", action="store_true", help="mrtrace monitor beside it, and its metrics compared (the storm is then another one)")
    parser.add_argument("--long-slices", action="store_true", help="the lab's longer slices of the scheduler, rather than the kernel's own")
    parser.add_argument("--mem", default="2G", help="of the guest (default: 2G)")
    parser.add_argument("--present", type=float, default=0, metavar="PERCENT", help="fail below this share of planned failures reported (default: 0)")
    parser.add_argument("--named", type=float, default=0, metavar="PERCENT", help="fail below this share of planned failures named (default: 0)")
    parser.add_argument("--kinds", type=int, default=0,
                        help="fail below this number of scenarios that fail (default: 30; where there is no on-demand paging, 20)")
    parser.add_argument("--show", type=int, default=SHOWN, metavar="N", help=f"at most N wrong answers are shown (default: {SHOWN})")
    parser.add_argument("--keep", metavar="DIR", help="leave everything there")
    parser.add_argument("--judge", metavar="DIR", help="no guest: judge what an earlier run of KERNEL has left in DIR/KERNEL")
    options = stage.parse()
    stage.begin(options.judge or options.keep, judged=bool(options.judge))
    table = scenarios.load(TABLE)
    rows = [run_kernel(kernel, stage, table) for kernel in options.kernel or options.kernels]
    print(f"\n{'storm':28}" + "".join(f"{column:>13}" for column in COLUMNS))
    for one in filter(None, rows):
        print(one)
    return stage.end()
