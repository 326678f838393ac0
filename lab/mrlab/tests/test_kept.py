# SPDX-License-Identifier: Apache-2.0
"""The judges on kept outputs: what real guests left (kept/) passes as it is, and fails when any part of it is wrong."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
import unittest.mock

from mrlab import scenarios, tracer
from mrlab.files import raw_text, read_json_lines
from mrlab.judges import accounts, bad_input, blind, clients, doctor, live, monitor, planned, privileges, scenario, service
from mrlab.kernels import Version
from mrlab.results import Check, Judge, Results, Unsaid
from mrlab.stages import blind as blind_stage
from mrlab.stages import live as live_stage

KEPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kept")
NEWEST = {"stock", Version((7, 3)), "odp", "write-fault", "advise", "ext4", "fixed"}


class Kept(unittest.TestCase):
    """A copy of one directory of kept/, of which a test may change files."""

    what = None

    def setUp(self):
        self.work = tempfile.TemporaryDirectory()
        self.place = os.path.join(self.work.name, "kept")
        shutil.copytree(os.path.join(KEPT, self.what), self.place)

    def tearDown(self):
        self.work.cleanup()

    def change(self, name, old, new):
        """Every `old` of a file becomes `new`; it must be there. Without `old`, `new` is added."""
        text = raw_text(self.place, name)
        self.assertIn(old, text)
        self.write(name, text.replace(old, new) if old else text + new)

    def write(self, name, text):
        with open(os.path.join(self.place, name), "w", encoding="utf-8") as file:
            file.write(text)

    def restore(self):
        shutil.rmtree(self.place)
        shutil.copytree(os.path.join(KEPT, self.what), self.place)

    def assert_each_fails(self, changes, judged):
        """judged() finds nothing, and something after each of (file, old, new)."""
        self.assertEqual(judged(), [])
        for change in changes:
            with self.subTest(change=change):
                self.restore()
                self.change(*change)
                self.assertNotEqual(judged(), [])


class Scenarios(Kept):
    what = "scenario"

    def checks(self):
        table = scenarios.load(os.path.join(self.place, "scenarios.tsv"))
        operations, broken = read_json_lines(os.path.join(self.place, "operations.jsonl"))
        reports, more = read_json_lines(os.path.join(self.place, "report.jsonl"))
        self.assertEqual(broken + more, [])
        return scenario.check_recording(operations, reports, table, NEWEST)

    def failed(self):
        return [one for one in self.checks() if one.failed]

    def test_what_was_reported_passes(self):
        self.assertEqual(self.failed(), [])
        self.assertEqual(len(self.checks()), 14)

    def test_any_other_answer_fails(self):
        reports, _ = read_json_lines(os.path.join(self.place, "report.jsonl"))
        for number, report in enumerate(reports):
            wrong = {"cause": "mapping-device-of-another", "errno": "ENODATA", "confidence": "guessed", "delivered": "elsewhere", "comm": "other",
                     "pid": report["pid"] + 1, "summary": "", "operation": "dereg_mr"}
            for key, value in wrong.items():
                with self.subTest(number=number, key=key):
                    changed = reports[:number] + [{**report, key: value}] + reports[number + 1:]
                    self.write("report.jsonl", "".join(json.dumps(one) + "\n" for one in changed))
                    self.assertTrue(any(not one.says_less for one in self.failed()))

    def test_none_is_left_out_or_told_twice(self):
        lines = raw_text(self.place, "report.jsonl").splitlines(True)
        for number, line in enumerate(lines):
            self.write("report.jsonl", "".join(lines[:number] + lines[number + 1:]))
            self.assertTrue(self.failed(), line)
            self.write("report.jsonl", "".join(lines + [line]))
            self.assertTrue(self.failed(), line)


class Storm(Kept):
    what = "storm"

    def counts(self, change=None):
        """What became of one process's part of a storm; `change` gets the reports."""
        table = scenarios.load(os.path.join(self.place, "scenarios.tsv"))
        operations, _ = read_json_lines(os.path.join(self.place, "operations.jsonl"))
        reports, _ = read_json_lines(os.path.join(self.place, "report.jsonl"))
        if change:
            change(reports)
        return planned.Result(planned.plan(operations, table, NEWEST, scenarios.choose), reports, int(raw_text(self.place, "offset"))).counts()

    def test_what_was_reported_is_right(self):
        found = self.counts()
        self.assertEqual((found["planned"], found["proved"] + found["inferred"], found["unsaid"], found["wrong"]), (found["present"], found["present"], 0, 0))
        self.assertGreater(found["planned"], 15)

    def test_any_other_answer_is_wrong(self):
        reports, _ = read_json_lines(os.path.join(self.place, "report.jsonl"))
        for number in (number for number, one in enumerate(reports) if "cause" in one):
            for key, value in (("cause", "mapping-device-of-another"), ("errno", "ENODATA"), ("comm", "other"), ("time_ns", reports[number]["time_ns"] + 10**10)):
                with self.subTest(number=number, key=key):
                    self.assertGreater(self.counts(lambda all_of_them: all_of_them[number].update({key: value}))["wrong"], 0)

    def test_what_is_left_out_is_unsaid_and_what_is_told_twice_is_wrong(self):
        reports, _ = read_json_lines(os.path.join(self.place, "report.jsonl"))
        for number in (number for number, one in enumerate(reports) if "cause" in one):
            left_out = self.counts(lambda all_of_them: all_of_them.pop(number))
            self.assertEqual((left_out["unsaid"], left_out["wrong"]), (1, 0))
            self.assertEqual(self.counts(lambda all_of_them: all_of_them.append(dict(reports[number])))["wrong"], 1)


class Clients(Kept):
    """mrtrace's own answers are kept beside the recordings' names, and read instead of a recording."""

    what = "clients"

    def judged(self):
        def kept_answer(_, *words):
            return subprocess.CompletedProcess(words, 0, raw_text(f"{words[-1]}.{words[0]}"), "")
        with unittest.mock.patch.object(tracer, "call", kept_answer):
            odp, checks = clients.judged("mrtrace", self.place)
        self.assertTrue(odp)
        return [one for one in checks if one.failed]

    def test_what_clients_say_and_what_is_reported(self):
        self.assert_each_fails([("pingpong/status", "0", "1"), ("pingpong/recording.report", '"operation":"reg_mr"', '"operation":"rereg_mr"'),
                                ("pingpong/recording.report", '"result":', '"errno":"EFAULT","cause":"unknown","result":'),
                                ("rpma/client", "registered", "gave up"), ("rpma/recording.report", '"pin-fsdax"', '"unknown"'),
                                ("rpma/recording.report", '"recovered_by"', '"followed_by"'), ("pyverbs/client", "Ran ", "Walked "),
                                ("pyverbs/recording.report", '"cause":"', '"cause":"unknown","was":"')], self.judged)


class Doctor(Kept):
    what = "doctor"

    def judged(self, kernel="newest", features=frozenset(NEWEST), broken=False):
        return doctor.check(os.path.join(self.place, "doctor.json"), kernel, features, broken).problems

    def test_what_it_tells(self):
        self.assertEqual(self.judged(), [])
        for other in ({"kernel": "5.10"}, {"kernel": "fsdax-2021"}, {"features": {"stock"}}, {"broken": True}):
            with self.subTest(other=other):
                self.assertNotEqual(self.judged(**other), [])
        self.write("doctor.json", "nothing of that kind")
        self.assertNotEqual(self.judged(), [])


class Blind(Kept):
    what = "blind"

    def judged(self, name, place):
        case = next(one for one in blind_stage.cases(False) if one.name == name)
        return blind.problems(case, os.path.join(self.place, place), "there is no recording to read", False)

    def test_what_would_see_nothing_does_not_begin(self):
        self.assert_each_fails([("no-rung-is-left-record/status", "1", "0"), ("no-rung-is-left-record/stderr", "nothing would be seen", "attached"),
                                ("no-rung-is-left-record/stdout", "", "\nno failed operation: all is well\n"),
                                ("no-rung-is-left-record/left", "", "started"), ("no-rung-is-left-record/left", "", "rec")],
                               lambda: self.judged("no rung is left: record", "no-rung-is-left-record"))

    def test_what_does_not_see_all_says_so(self):
        self.assert_each_fails([("live-json/stdout", '"not_seen":["Registrations', '"not_seen":["Nothing'), ("live-json/stderr", "forced off", "fine")],
                               lambda: self.judged("live: JSON", "live-json"))
        self.assert_each_fails([("live-plain-lines/stdout", "not seen: ", ""), ("live-plain-lines/status", "0", "3")],
                               lambda: self.judged("live: plain lines", "live-plain-lines"))


class Privileges(Kept):
    what = "privileges"

    def test_what_is_missing_is_named(self):
        case = ("no-bpf", "perfmon syslog", 1, "CAP_BPF")
        self.assert_each_fails([("no-bpf/status", "1", "0"), ("no-bpf/stderr", "CAP_BPF", "CAP_NET_ADMIN"),
                                ("no-bpf/stderr", "CAP_BPF (to", "CAP_PERFMON (to trace), CAP_BPF (to")],
                               lambda: privileges.judge_case(self.place, case, None))

    def test_names_in_stacks(self):
        self.assert_each_fails([("stacks-all/status", "0", "1"), ("stacks-all/named", raw_text(self.place, "stacks-all/named"), "0")],
                               lambda: privileges.judge_stacks(self.place))

    def test_what_is_kept(self):
        self.assert_each_fails([("kept/memlock", "1234", "unlimited"), ("kept/setuid", "euid: 0", "euid: 1000")],
                               lambda: privileges.judge_kept(self.place, False))

    def test_a_program_with_file_capabilities(self):
        self.assert_each_fails([("setcap/status", "0", "1"), ("setcap/stdout", "proved", "guessed"), ("setcap/command", "CapEff:\t0000000000000000", "CapEff:\t0000000000000001")],
                               lambda: privileges.judge_file_capabilities(self.place))

    def test_a_plain_user(self):
        self.assert_each_fails([("plain/report.status", "0", "1"), ("plain/export", "mapping-missing", "nothing")], lambda: privileges.judge_plain_user(self.place))

    def test_doctor(self):
        self.assert_each_fails([("doctor-none", "CAP_BPF", "CAP_NONE"), ("doctor-none.status", "1", "0"), ("doctor-root", "{", "")],
                               lambda: privileges.judge_doctor(self.place, False))

    def test_nothing_changes(self):
        first = raw_text(self.place, "before").splitlines()[0]
        self.assert_each_fails([("after", first, "another " + first), ("after", first + "\n", "")], lambda: privileges.judge_unchanged(self.place))


class Service(Kept):
    what = "service"

    def judged(self):
        judge = service.Service(self.place, None)
        lines, _ = read_json_lines(os.path.join(self.place, "operations.jsonl"))
        failures = {}
        for line in lines:
            if line["expect_errno"]:
                key = service.reported_as(line, None), line["expect_errno"]
                failures[key] = failures.get(key, 0) + 1
        judge.journal(failures)
        judge.sandbox()
        return [one for one in judge.checks if one.failed]

    def test_journal_and_sandbox(self):
        self.assert_each_fails([("journal.jsonl", '"MRTRACE_CAUSE"', '"ANOTHER_FIELD"'), ("journal.jsonl", '"MRTRACE_ERRNO":"E', '"MRTRACE_ERRNO":"X'),
                                ("journal.jsonl", "the configuration has been read again", "nothing was read"), ("process", "NoNewPrivs:\t1", "NoNewPrivs:\t0"),
                                ("process", "Seccomp:\t2", "Seccomp:\t0"), ("process", "CapEff:\t0", "CapEff:\t1")], self.judged)


class Monitor(Kept):
    what = "monitor"

    def judged(self):
        judge = monitor.Monitored(self.place, None, 2, 6)
        judge.growth()
        judge.filters()
        return [one for one in judge.checks if one.failed]

    def test_growth_and_filters(self):
        end = dict(line.split() for line in raw_text(self.place, "end").splitlines())
        grown = [("end", f"{name} {end[name]}", f"{name} {int(end[name]) + 1}") for name in ("map_id", "prog_id", "link_id", "perf_event")]
        self.assert_each_fails([*grown, ("end", f"VmRSS {end['VmRSS']}", f"VmRSS {int(end['VmRSS']) + 9000}"), ("filtered.status", "0", "1"),
                                ("filtered.stderr", "mrtrace: ", "somebody: "), ("filtered.stderr", "EFAULT, ", "EPERM, ")], self.judged)


class Live(Kept):
    what = "live"

    def judged(self):
        judge = Judge("live")
        live.screens(judge, self.place)
        live.keys(judge, self.place, live_stage.ON_DEMAND)
        return [one for one in judge.checks if one.failed]

    def test_screens_endings_and_keys(self):
        self.assert_each_fails([("crash/status", "139", "0"), ("term/stty.after", "echo", "-echo"), ("int/after.txt", "the shell is here", ""),
                                ("keys/80x24.state", "80 24", "81 24"), ("keys/80x24.state", "1 0", "0 1"), ("keys/80x24.txt", "q quit", "quit"),
                                ("keys/paused.txt", "PAUSED", "going on"), ("keys/detail.txt", "failed with E", "went well"),
                                ("command/during.txt", "mrtrace", '"scenario"'), ("dumb/after.txt", "operations, ", "")], self.judged)


class Accounts(Kept):
    what = "loss"

    def accounts(self, run, change=None):
        lines = raw_text(self.place, f"{run}.jsonl").splitlines()
        found, losses, footer = accounts.of(lines)
        if change:
            name = next(one for one in found if found[one]["reported"] and found[one]["recorded"])
            found[name] = {**found[name], change: found[name][change] + 1}
        return accounts.problems(found), accounts.misses(found, losses), footer

    def test_every_call_and_record_is_accounted_for(self):
        for run in ("fentry", "roomy"):
            self.assertEqual(self.accounts(run)[0], [])
            for name in ("calls", "reported", "cut", "filtered", "recorded", "received", "written"):
                with self.subTest(run=run, name=name):
                    self.assertNotEqual(self.accounts(run, name)[0], [])
        self.assertEqual(accounts.problems({}), ["the recording accounts for no hook"])

    def test_what_was_lost_is_counted_as_missed(self):
        self.assertEqual(self.accounts("roomy")[1:], (0, {**self.accounts("roomy")[2], "lost": 0}))
        self.assertGreaterEqual(self.accounts("fentry")[1], self.accounts("fentry")[2]["lost"])


class BadInput(unittest.TestCase):
    def outcome(self, status=1, stdout="", stderr="mrtrace: there is no such file.\n", left=()):
        return bad_input.Outcome(status, stdout, stderr, list(left), "/")

    def judged(self, outcome):
        class Case:
            status, error, notes, prints, leaves, whole, cut = 1, "no such file", None, None, [], [], []
        return bad_input.problems_of(Case, outcome, None)

    def test_one_sentence_and_nothing_left(self):
        self.assertEqual(self.judged(self.outcome()), [])
        for wrong in ({"status": 0}, {"status": None}, {"stdout": "x"}, {"stderr": ""}, {"stderr": "mrtrace: there is no such file.\nAnd more.\n"},
                      {"stderr": "mrtrace: something else\n"}, {"stderr": "libbpf: no such file\n"}, {"left": ["rec"]}):
            with self.subTest(wrong=wrong):
                self.assertNotEqual(self.judged(self.outcome(**wrong)), [])


class Counting(unittest.TestCase):
    """Results are counted in one way."""

    def test_each_in_its_place(self):
        results = Results()
        results.add("here", Check("a", "passes"), Check("a", "fails", ["another cause"]), Check("a", "says less", [Unsaid("no page")]),
                    Check("a", "is skipped", skipped="for a reason"), Check("a", "both", [Unsaid("no page"), "another errno"]))
        self.assertEqual((results.passed, results.failed, results.weaker, results.skipped), (1, 3, 1, 1))
        self.assertTrue(results.total().startswith("1 passed, 3 failed, 1 skipped"))
        self.assertEqual(list(results.table())[-1].split(), ["here", "1", "3"])

    def test_a_skipped_check_that_has_problems_failed(self):
        self.assertTrue(Check("a", "b", ["wrong"], skipped="for a reason").failed)

    def test_complaints_of_the_tracer(self):
        self.assertEqual(tracer.complaints("3 runs of hooks were missed\nmrtrace: another thing\n", "test"), ["mrtrace: another thing"])
