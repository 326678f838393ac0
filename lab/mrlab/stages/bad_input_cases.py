# SPDX-License-Identifier: Apache-2.0
"""The cases of lab/bad-input, as data: a command line of sh, and what must come of it."""


class Case:
    """Runs in an empty directory of its own; $M is mrtrace. After `prepare` (sh, not judged) comes `command`.

    error   a failure: this pattern in the one sentence on standard error, nothing on standard output
    notes   no failure: this pattern on standard error
    prints  this pattern on standard output
    leaves  what the directory must hold afterwards, prepared files included
    whole   recordings left that `report` must read without a complaint
    cut     recordings left that `report` must read, and say that something is missing
    """

    def __init__(self, name, command, status, error=None, notes=None, prints=None, prepare="", leaves="", whole="", cut="",
                 user="root", needs_root=False):
        self.name, self.command, self.status, self.error, self.notes, self.prints = name, command, status, error, notes, prints
        self.prepare, self.leaves, self.whole, self.cut = prepare, leaves.split(), whole.split(), cut.split()
        self.user, self.needs_root = user, needs_root


# Nothing may have been started where recording did not begin: COMMAND would leave a file.
START = "-- touch started"

# For the background of a case: until mrtrace has attached, which takes seconds in a guest.
READY = "until grep -q attached ../stderr; do sleep 0.2; done; sleep 1.5"

# In a guest, as root unless said otherwise: here BPF may be loaded.
GUEST = [
    Case("exit status 3 of COMMAND", '$M record -q -o rec -- sh -c "exit 3"', 3, leaves="rec", whole="rec"),
    Case("COMMAND killed by SIGTERM", "$M record -q -o rec -- sh -c 'kill -TERM $$'", 143, leaves="rec", whole="rec"),
    Case("COMMAND that succeeds", "$M record -o rec -- true", 0, leaves="rec", whole="rec"),
    Case("default directory", "$M record -q -- true && ls -d mrtrace-*-* && mv mrtrace-*-* rec", 0, prints=r"^mrtrace-\d{8}-\d{6}$",
         leaves="rec", whole="rec"),
    Case("a failure is diagnosed", "$M record -o rec -- workload hole-p", 0, prints=r"mapping-missing", leaves="rec", whole="rec"),
    Case("--duration", "$M record -q -o rec --duration 1", 0, leaves="rec", whole="rec"),
    Case("Ctrl-C, the whole system watched",
         f"setsid sh -c '({READY}; kill -INT -$$) & exec $M record -q -o rec'", 0, leaves="rec", whole="rec"),
    Case("Ctrl-C, COMMAND in the same terminal",
         f"setsid sh -c '({READY}; kill -INT -$$) & exec $M record -q -o rec -- sleep 60'", 130, leaves="rec", whole="rec"),
    Case("SIGTERM", f"setsid sh -c '({READY}; kill -TERM $$) & exec $M record -q -o rec'", 0, leaves="rec", whole="rec"),
    Case("kill -9: what was written stays",
         f"setsid sh -c '({READY}; sleep 4; kill -KILL $$) & exec $M record -q -o rec -- sh -c \"workload hole-p >/dev/null; sleep 30\"'", 137,
         leaves="rec", cut="rec"),
    # Its parent is gone, so that it does not stay as a zombie.
    Case("the watched process ends", "$M record -q -o rec -p $(sh -c 'sleep 40 >/dev/null & echo $!')", 0, leaves="rec", whole="rec"),
    Case("ring buffer too small", "$M record -o rec --ring-size 4 -- sh -c 'workload crowd crowd crowd >/dev/null'", 0, prints=r"(?i)lost|no room",
         leaves="rec", cut="rec"),
    Case("disk full", "$M record -q -o full/rec -- sh -c 'workload crowd >/dev/null; exit 0'; s=$?; ls full/rec >&1; exit $s", 1,
         notes=r"No space left", prepare="mkdir full; mount -t tmpfs -o size=40k none full", leaves="full", prints=r"metadata|^$"),
    # A crowd loses runs of hooks, and report says so: neither whole nor cut.
    Case("rotation", "$M record -q -o rec --max-size 256K --keep 2 -- sh -c 'for i in 1 2 3; do workload crowd crowd >/dev/null; done; exit 0'"
         " && ls rec && $M report rec", 0, prints=r"(?s)part-0.*failed operations", leaves="rec"),
    Case("flight recorder: a failure, and the end", "$M record -q -o rec --ring 1M -- sh -c 'workload hole-p >/dev/null; sleep 3' && ls rec", 0,
         notes=r"an operation failed: what led to it is in rec/part-000001", prints=r"part-000002", leaves="rec", whole="rec"),
    Case("flight recorder: SIGUSR1, then kill -9",
         f"setsid sh -c '({READY}; kill -USR1 $$; sleep 2; kill -KILL $$) & exec $M record -q -o rec --ring 1M -- sleep 30'", 137,
         notes=r"written to rec/part-000001", leaves="rec", cut="rec"),
    Case("rotation: kill -9", f"setsid sh -c '({READY}; sleep 4; kill -KILL $$) & exec $M record -q -o rec --max-size 1M -- sleep 30'", 137,
         leaves="rec", cut="rec"),
    Case("rotation: disk full", "$M record -q -o full/rec --max-size 256K -- sh -c 'for i in 1 2 3 4 5 6; do workload crowd >/dev/null; done; exit 0'",
         1, notes=r"No space left", prepare="mkdir full; mount -t tmpfs -o size=200k none full", leaves="full"),
    Case("flight recorder: disk full", "$M record -q -o full/rec --ring 1M -- workload hole-p", 1,
         notes=r"No space left", prepare="mkdir full; mount -t tmpfs -o size=12k none full", leaves="full"),
    Case("the directory is removed", "$M record -q -o rec -- sh -c 'sleep 1; rm -rf rec; sleep 4; echo on >went-on'; s=$?; for i in $(seq 60); do [ -e went-on ] && break; sleep 1; done; exit $s", 1,
         notes=r"rec was removed or moved away", leaves="went-on"),
    Case("the flight recorder's directory is removed", "$M record -q -o rec --ring 1M -- sh -c 'sleep 1; rm -rf rec; sleep 4'", 1,
         notes=r"rec was removed or moved away"),
    Case("unprivileged", f"as-user $M record -o rec {START}", 1, error=r"CAP_BPF.*root", prepare="chmod 777 ."),
    Case("unprivileged doctor", "as-user $M doctor", 1, prints=r"CAP_BPF|root"),
    Case("no BTF", f"$M record -o rec {START}; s=$?; umount /sys/kernel/btf; exit $s", 1, error=r"BTF",
         prepare="mount -t tmpfs none /sys/kernel/btf"),
    Case("no BTF: doctor", "$M doctor; s=$?; umount /sys/kernel/btf; exit $s", 1, prints=r"BTF",
         prepare="mount -t tmpfs none /sys/kernel/btf"),
    Case("doctor where all is well", "$M doctor", 0, prints=r"hmm_vma_walk_pmd"),
    Case("output directory exists", f"$M record -o rec {START}", 1, error=r"rec exists", prepare="mkdir rec", leaves="rec"),
    Case("output is a file", f"$M record -o rec {START}", 1, error=r"rec exists", prepare=": >rec", leaves="rec"),
    Case("output's parent is missing", f"$M record -o no/rec {START}", 1, error=r"no/rec.*No such file"),
    Case("output on a read-only file system", f"$M record -o ro/rec {START}", 1, error=r"ro/rec.*Read-only",
         prepare="mkdir ro; mount -t tmpfs -o ro none ro", leaves="ro"),
    Case("COMMAND not found", "$M record -o rec -- no-such-command", 1, error=r"no-such-command.*not found"),
    Case("COMMAND's path not found", "$M record -o rec -- ./no-such-command", 1, error=r"no-such-command.*not found"),
    Case("COMMAND not executable", "$M record -o rec -- ./plain", 1, error=r"plain cannot be run", prepare=": >plain; chmod 644 plain",
         leaves="plain"),
    Case("COMMAND is a directory", "$M record -o rec -- ./place", 1, error=r"place cannot be run", prepare="mkdir place", leaves="place"),
    Case("PID gone", "$M record -o rec -p 999999", 1, error=r"no process 999999"),
    Case("nothing would be seen", f"$M record -o rec --no-hook fentry --no-hook kprobe {START}", 1, error=r"nothing would be seen.*--no-hook"),
    Case("nothing would be seen: live", f"$M live --no-hook fentry --no-hook kprobe {START}", 1, error=r"nothing would be seen.*--no-hook"),
    Case("registrations would not be seen", "$M record -q --strict -o rec --no-hook ib_uverbs_reg_mr -- workload pin-hole", 3,
         notes=r"^mrtrace: Registrations are not seen", leaves="rec", cut="rec"),
    Case("a driver is not watched", "$M record --strict -o rec --no-hook rxe_reg_user_mr --no-hook rxe_ib_advise_mr --no-hook rxe_ib_prefetch_mr_work"
         " -- true", 3, prints=r"not all would have been seen", leaves="rec", cut="rec"),
    Case("an unknown hook", f"$M record -o rec --no-hook no_such_function {START}", 2, error=r"no_such_function"),
]

# In a guest that was booted with lockdown=confidentiality, where BPF may not read kernel memory.
SECURITYFS = "mount -t securityfs none /sys/kernel/security"
LOCKED = [
    Case("locked down kernel, securityfs not mounted", f"$M record -o rec {START}", 1, error=r"locked ?down|lockdown"),
    Case("locked down kernel, unprivileged", f"as-user $M record -o rec {START}", 1, error=r"CAP_BPF", prepare="chmod 777 ."),
    Case("locked down kernel", f"$M record -o rec {START}", 1, error=r"locked down \(confidentiality", prepare=SECURITYFS),
    Case("locked down kernel: doctor", "$M doctor", 1, prints=r"locked down|lockdown"),
]

# On this machine, whatever it may do.
HOST = [
    Case("unprivileged", f"$M record -o rec {START}", 1, error=r"CAP_BPF.*root", user="nobody"),
    Case("unknown verb", "$M frobnicate", 2, error=r"frobnicate"),
    Case("unknown option", "$M record --frobnicate", 2, error=r"--frobnicate"),
    Case("unknown option of report", "$M report --frobnicate rec", 2, error=r"--frobnicate"),
    Case("option without its value", "$M record -o", 2, error=r"-o|--output"),
    Case("--duration no number", "$M record --duration soon", 2, error=r"soon|duration"),
    Case("--duration 0", "$M record --duration 0", 2, error=r"duration"),
    Case("--duration infinite", "$M record --duration inf -o rec -- true", 2, error=r"duration"),
    Case("-p no number", "$M record -p self", 2, error=r"self|pid|-p"),
    Case("-p 0", "$M record -o rec -p 0", 2, error=r"\b0\b"),
    Case("-p negative", "$M record -o rec -p -1", 2, error=r"-1|-p"),
    Case("--detail of another name", "$M record --detail everything -- true", 2, error=r"everything"),
    Case("--ring-size no power of two", "$M record --ring-size 5", 2, error=r"ring-size"),
    Case("--max-size no size", "$M record --max-size many", 2, error=r"many"),
    Case("--max-size too small", "$M record --max-size 4K", 2, error=r"256K"),
    Case("--ring and --max-size", "$M record --ring 1M --max-size 1M", 2, error=r"--ring"),
    Case("--keep alone", "$M record --keep 3", 2, error=r"--max-size"),
    Case("--keep 0", "$M record --max-size 1M --keep 0", 2, error=r"--keep"),
    Case("COMMAND and -p", "$M record -p 1 -- true", 2, error=r"-p"),
    Case("COMMAND without --", "$M record true", 2, error=r"true|--"),
    Case("report of nothing", "$M report", 2, error=r"(?i)dir"),
    Case("report --all without --json", "$M report --all rec", 2, error=r"--json"),
    Case("PID gone", "$M record -o rec -p 4194303", 1, error=r"no process 4194303"),
    Case("COMMAND not found", "$M record -o rec -- no-such-command", 1, error=r"no-such-command.*not found"),
    Case("no arguments", "$M 2>&1", 0, prints=r"(?i)usage"),
    Case("--version", "$M --version", 0, prints=r"^\d+\.\d+\.\d+$"),
    Case("--help", "$M --help", 0, prints=r"(?s)EXAMPLES.*mrtrace record.*mrtrace report.*mrtrace doctor"),
    Case("record --help", "$M record --help", 0, prints=r"(?s)EXAMPLES.*mrtrace record .*--duration"),
    Case("report --help", "$M report --help", 0, prints=r"(?s)EXAMPLES.*mrtrace report .*--json"),
    Case("doctor --help", "$M doctor --help", 0, prints=r"(?s)EXAMPLES.*mrtrace doctor"),
    Case("static, in an empty root with /proc", "unshare -m sh -c 'mount -t proc proc proc && exec chroot . /mrtrace --version'", 0,
         prints=r"^\d+\.\d+\.\d+$", prepare="mkdir proc; cp $M mrtrace", leaves="mrtrace proc", needs_root=True),
    Case("report in an empty root", "unshare -m sh -c 'mount -t proc proc proc && exec chroot . /mrtrace report /good'", 0,
         prints=r"mapping-missing", prepare="mkdir proc; cp $M mrtrace; cp -r $GOOD good", leaves="good mrtrace proc", needs_root=True),
    Case("report of a good recording", "$M report $GOOD", 0, prints=r"mapping-missing"),
    Case("report as another user", "$M report good", 0, prints=r"mapping-missing", user="nobody",
         prepare="cp -r $GOOD good; chmod -R a+rX good; chmod a+rX .", leaves="good"),
    Case("report into a pipe that closes", "$M report $GOOD | head -n 1", 0, prints=r"."),
    Case("report: no such directory", "$M report rec", 1, error=r"rec.*No such file"),
    Case("report: a file", "$M report rec", 1, error=r"rec is not a recording", prepare=": >rec", leaves="rec"),
    Case("report: empty directory", "$M report rec", 1, error=r"rec is not a recording", prepare="mkdir rec", leaves="rec"),
    Case("report: not readable", "$M report rec", 1, error=r"rec.*Permission denied", user="nobody",
         prepare="mkdir rec; chmod 700 rec", leaves="rec"),
    Case("report: garbage for metadata", "$M report rec", 1, error=r"rec is not a recording",
         prepare="mkdir rec; head -c 5000 /dev/urandom >rec/metadata", leaves="rec"),
    Case("report: empty metadata", "$M report rec", 1, error=r"rec is not a recording", prepare="mkdir rec; : >rec/metadata", leaves="rec"),
    Case("report: metadata cut off", "$M report rec", 1, error=r"rec is .*not a recording|metadata of rec is damaged",
         prepare='cp -r $GOOD rec; size=$(stat -c %s rec/metadata); truncate -s $((size / 3)) rec/metadata', leaves="rec"),
    Case("report: metadata cut off in the environment", "$M report rec", 1, error=r"metadata of rec is damaged",
         prepare="cp -r $GOOD rec; sed '/kernel_release/,$d' $GOOD/metadata >rec/metadata", leaves="rec"),
    Case("report: metadata of another tracer", "$M report rec", 1, error=r"rec is .*not a recording",
         prepare="mkdir rec; printf '/* CTF 1.8 */\\ntrace { major = 1; minor = 8; byte_order = le; };\\n' >rec/metadata", leaves="rec"),
    Case("report: metadata is a pipe", "timeout 10 $M report rec", 1, error=r"rec", prepare="mkdir rec; mkfifo rec/metadata", leaves="rec"),
    Case("report: metadata is a directory", "$M report rec", 1, error=r"rec", prepare="mkdir -p rec/metadata", leaves="rec"),
    Case("report --json: empty directory", "$M report --json rec", 1, error=r"rec is not a recording", prepare="mkdir rec", leaves="rec"),
    Case("report: a good one, then a bad one", "$M report $GOOD rec", 1, error=r"rec is not a recording",
         prepare="mkdir rec", leaves="rec"),
    Case("report: streams truncated", "$M report rec", 0, prints=r"(?i)cut off|not closed", leaves="rec", cut="rec",
         prepare='cp -r $GOOD rec; for f in rec/stream_*; do truncate -s $(($(stat -c %s $f) * 2 / 3)) $f; done'),
    Case("report: last byte missing", "$M report rec", 0, prints=r"(?i)cut off", leaves="rec", cut="rec",
         prepare='cp -r $GOOD rec; truncate -s -1 rec/stream_0'),
    Case("report: garbage behind a stream", "$M report rec", 0, prints=r"(?s)mapping-missing.*damaged", leaves="rec", cut="rec",
         prepare="cp -r $GOOD rec; head -c 3000 /dev/urandom >>rec/stream_0"),
    Case("report: garbage for all streams", "$M report rec", 0, prints=r"(?i)damaged", leaves="rec", cut="rec",
         prepare="cp -r $GOOD rec; for f in rec/stream_*; do head -c 9000 /dev/urandom >$f; done"),
    Case("report: streams removed", "$M report rec", 0, prints=r"(?i)not closed|missing", leaves="rec", cut="rec",
         prepare="cp -r $GOOD rec; rm rec/stream_*"),
    Case("export --help", "$M export --help", 0, prints=r"(?s)EXAMPLES.*mrtrace export .*--to"),
    Case("export of nothing", "$M export --to csv", 2, error=r"directory"),
    Case("export without --to", "$M export $GOOD", 2, error=r"jsonl, perfetto, sqlite, csv"),
    Case("export to another format", "$M export $GOOD --to xml", 2, error=r"xml"),
    Case("export: sqlite to standard output", "$M export $GOOD --to sqlite -o -", 2, error=r"needs a file"),
    Case("export: perfetto to a terminal", "script -qec \"$M export $GOOD --to perfetto -o -\" /dev/null", 2, prints=r"terminal"),
    Case("export: no such directory", "$M export rec --to sqlite", 1, error=r"rec.*No such file"),
    Case("export: empty directory", "$M export rec --to perfetto", 1, error=r"rec is not a recording", prepare="mkdir rec", leaves="rec"),
    Case("export: the file exists", "$M export $GOOD --to csv -o out", 1, error=r"out exists.*--force", prepare=": >out", leaves="out"),
    Case("export --force", "$M export $GOOD --to csv -o out --force && cat out", 0, prints=r"mapping-missing", prepare=": >out", leaves="out"),
    Case("export into the recording", "$M export rec --to csv -o rec/stream_0 --force; s=$?; $M report rec >&2 >/dev/null; exit $s", 1,
         error=r"lies in the recording", prepare="cp -r $GOOD rec", leaves="rec", whole="rec"),
    Case("export: no such place", "$M export $GOOD --to csv -o no/out", 1, error=r"no/out.*No such file"),
    Case("export: a full disk", "$M export $GOOD --to jsonl -o /dev/full --force", 1, error=r"/dev/full.*No space"),
    Case("export into a pipe that closes", "$M export $GOOD --to jsonl | head -n 1", 0, prints=r"header"),
    Case("export: streams truncated", "$M export rec --to jsonl", 0, notes=r"(?i)cut off|not closed", prints=r'"complete":false', leaves="rec",
         prepare='cp -r $GOOD rec; for f in rec/stream_*; do truncate -s $(($(stat -c %s $f) * 2 / 3)) $f; done'),
    Case("export as another user", "$M export good --to csv", 0, prints=r"mapping-missing", user="nobody",
         prepare="cp -r $GOOD good; chmod -R a+rX good; chmod 755 .", leaves="good"),
]
