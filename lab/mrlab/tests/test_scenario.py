# SPDX-License-Identifier: Apache-2.0
"""The comparison must notice every way a report can be wrong. Run: lab/unit"""

import copy
import os
import tempfile
import unittest

from mrlab import reruns
from mrlab.judges import accounts, pages, pairing, scenario, verdicts
from mrlab.plan import Group
from mrlab.scenarios import Scenario

FEATURES = {"stock", "fixed", "odp", "advise", "ext4"}


def row(name, operation, errno, cause, delivered):
    return {name: [Scenario(dict(name=name, needs="odp", operation=operation, errno=errno, cause=cause, delivered=delivered))]}


TABLE = {**row("hole-p", "advise_mr", "EFAULT", "mapping-missing", "syscall"),
         **row("protnone-a", "prefetch", "EFAULT", "mapping-not-readable", "discarded"),
         **row("pin-fsdax", "reg_mr", "EOPNOTSUPP", "pin-fsdax", "syscall"), **row("ok", "-", "-", "-", "-")}


def operation(scenario, op, tid, address, errno=None, bad=None):
    return {"scenario": scenario, "op": op, "pid": 7, "tid": tid, "address": hex(address), "length": 0x4000, "errno": errno,
            "wc": None, "expect_errno": errno, "bad_page": hex(bad) if bad else None, "ok": True}


def report(op, tid, address, errno, cause, delivered, page):
    return {"operation": op, "pid": 7, "tid": tid, "comm": "workload", "errno": errno, "cause": cause, "confidence": "proved",
            "delivered": delivered, "mr": {"address": hex(address), "length": 0x4000}, "page": {"address": hex(page)},
            "mapping": {"fsdax": True}, "summary": "text", "chain": [{"function": "f"}]}


OPERATIONS = [operation("ok", "reg_mr", 7, 0x10000),
              operation("hole-p", "advise_mr", 7, 0x10000, "EFAULT", 0x12000),
              operation("crowd:hole-p", "advise_mr", 8, 0x20000, "EFAULT", 0x23000),
              operation("protnone-a", "prefetch", 8, 0x20000, "EFAULT", 0x21000),
              operation("pin-fsdax", "reg_mr", 7, 0x30000, "EOPNOTSUPP", 0x30000)]
REPORTS = [report("advise_mr", 8, 0x20000, "EFAULT", "mapping-missing", "syscall", 0x23000),
           report("advise_mr", 7, 0x10000, "EFAULT", "mapping-missing", "syscall", 0x12000),
           report("prefetch", 99, 0x20000, "EFAULT", "mapping-not-readable", "discarded", 0x21000),
           report("reg_mr", 7, 0x30000, "EOPNOTSUPP", "pin-fsdax", "syscall", 0x30000)]


def failing(operations, reports):
    return [(one.name, one.problems) for one in scenario.check_recording(operations, reports, TABLE, FEATURES) if not one.passed]


class Comparison(unittest.TestCase):
    def test_right_reports_pass(self):
        self.assertEqual(failing(OPERATIONS, REPORTS), [])
        self.assertEqual(len(scenario.check_recording(OPERATIONS, REPORTS, TABLE, FEATURES)), 5)

    def test_what_follows_and_what_is_said(self):
        def problems(name, **fields):
            one = {**report("reg_mr", 7, 0x40000, "EFAULT", "mapping-missing", "syscall", 0x41000), **fields}
            table = row(name, "reg_mr", "EFAULT", "mapping-missing", "syscall")
            done = scenario.check_recording([operation(name, "reg_mr", 7, 0x40000, "EFAULT", 0x41000)], [one], table, FEATURES)
            return [problem for each in done for problem in each.problems]

        self.assertEqual(problems("then-smaller", followed_by="reg_mr of a part"), [])
        self.assertEqual(problems("then-whole", recovered_by="reg_mr"), [])
        self.assertTrue(problems("then-smaller", recovered_by="reg_mr"))
        self.assertTrue(problems("then-smaller"))
        self.assertTrue(problems("then-whole", followed_by="reg_mr of a part"))
        # Of others it does not matter.
        self.assertEqual(problems("pin-hole", recovered_by="reg_mr"), [])
        self.assertEqual(problems("pin-dontfork", summary="its parent, pid 7, has it"), [])
        self.assertTrue(problems("pin-dontfork"))
        self.assertTrue(problems("pin-given-up", summary="memory that children do not get"))

    def test_each_wrong_field_is_noticed(self):
        for field, wrong in (("errno", "EPERM"), ("cause", "unknown"), ("confidence", "inferred"), ("delivered", "discarded"),
                             ("comm", "kworker/0:1"), ("page", {"address": "0x11000"}), ("page", {}), ("summary", ""), ("chain", [])):
            reports = copy.deepcopy(REPORTS)
            reports[1][field] = wrong
            with self.subTest(field=field, wrong=wrong):
                found = failing(OPERATIONS, reports)
                self.assertEqual([name for name, _ in found], ["hole-p"])
                self.assertEqual(len(found[0][1]), 1)

    def test_a_missing_report(self):
        self.assertEqual([name for name, _ in failing(OPERATIONS, REPORTS[:2] + REPORTS[3:])], ["protnone-a"])

    def test_a_report_of_another_owner(self):
        reports = copy.deepcopy(REPORTS)
        reports[2]["pid"] = 99
        self.assertEqual([name for name, _ in failing(OPERATIONS, reports)], ["protnone-a", "(all)"])

    def test_a_success_that_is_reported(self):
        extra = report("reg_mr", 7, 0x10000, "EFAULT", "mapping-missing", "syscall", 0x10000)
        self.assertEqual([name for name, _ in failing(OPERATIONS, REPORTS + [extra])], ["(all)"])

    def test_a_failure_told_twice(self):
        self.assertEqual([name for name, _ in failing(OPERATIONS, REPORTS + REPORTS[:1])], ["(all)"])

    def test_a_workload_that_was_surprised(self):
        operations = copy.deepcopy(OPERATIONS)
        operations[0]["ok"] = False
        self.assertEqual([name for name, _ in failing(operations, REPORTS)], ["ok"])

    def test_the_2021_bug_needs_its_flags_and_its_rung(self):
        table = row("fsdax-reg", "reg_mr", "EFAULT", "pte-special-devmap", "syscall")
        operations = [operation("fsdax-reg", "reg_mr", 7, 0x10000, "EFAULT", 0x10000)]
        good = report("reg_mr", 7, 0x10000, "EFAULT", "pte-special-devmap", "syscall", 0x10000)
        good["page"]["flags"] = ["PRESENT", "SPECIAL", "DEVMAP"]
        good["chain"] = [{"function": "hmm_vma_handle_pte", "seen": "direct"}]

        def problems(one, features):
            return scenario.check_recording(operations, [one], table, features)[0].problems
        self.assertEqual(problems(good, FEATURES), [])
        self.assertEqual(len(problems(good, FEATURES | {"replay"})), 1)
        self.assertEqual(len(problems({**good, "page": {"address": "0x10000", "flags": ["SPECIAL"]}}, FEATURES)), 1)
        self.assertEqual(len(problems({**good, "mapping": {}}, FEATURES)), 1)

    def test_fsdax_must_be_known_as_such(self):
        reports = copy.deepcopy(REPORTS)
        reports[3]["mapping"]["fsdax"] = False
        self.assertEqual([name for name, _ in failing(OPERATIONS, reports)], ["pin-fsdax"])


class Worth(unittest.TestCase):
    """Less than was expected, or something else."""

    def verdict(self, **fields):
        return scenario.worth(OPERATIONS[1], {**REPORTS[1], **fields}, TABLE["hole-p"][0], FEATURES)[0]

    def test_what_says_less_is_not_wrong(self):
        self.assertEqual(self.verdict(), scenario.RIGHT)
        self.assertEqual(self.verdict(confidence="inferred"), scenario.WEAKER)
        self.assertEqual(self.verdict(page={}, confidence="inferred"), scenario.WEAKER)
        self.assertEqual(self.verdict(cause="unknown", confidence="unknown", page={}), scenario.UNKNOWN)
        self.assertEqual(scenario.worth(OPERATIONS[1], None, TABLE["hole-p"][0], FEATURES)[0], scenario.UNSEEN)

    def test_what_says_something_else_is_wrong(self):
        for wrong in ({"cause": "mapping-device"}, {"errno": "EPERM"}, {"delivered": "completion"}, {"page": {"address": "0x11000"}}, {"comm": "kworker/0:1"}):
            for weaker in ({}, {"confidence": "inferred"}):
                with self.subTest(wrong=wrong, weaker=weaker):
                    self.assertEqual(self.verdict(**{**weaker, **wrong}), scenario.WRONG)

    def test_unknown_excuses_no_other_errno_or_page(self):
        for wrong in ({"errno": "EPERM"}, {"page": {"address": "0x11000"}}):
            with self.subTest(wrong=wrong):
                self.assertEqual(self.verdict(cause="unknown", confidence="unknown", **wrong), scenario.WRONG)

    def test_more_than_can_be_proved_is_wrong(self):
        inferred = Scenario(dict(name="hole-p", needs="odp", operation="advise_mr", errno="EFAULT", cause="mapping-missing", delivered="syscall",
                                 confidence="inferred"))
        self.assertEqual(scenario.worth(OPERATIONS[1], REPORTS[1], inferred, FEATURES)[0], scenario.WRONG)

    def test_what_workers_do_comes_in_order(self):
        """The first is told as unknown, without a page: the second's report, which has its page, is not its own."""
        asked = [{**OPERATIONS[3], "start_ns": at, "end_ns": at + 10} for at in (1000_000, 2000_000)]
        unknown = {**REPORTS[2], "cause": "unknown", "confidence": "unknown", "time_ns": 1000_000}
        del unknown["page"]
        told = [unknown, {**REPORTS[2], "time_ns": 2000_000}]
        pairing.begin_times(told, 0)
        self.assertEqual(pairing.pair_up(asked, told, ["prefetch"] * 2)[0], {0: 0, 1: 1})
        # Where one is missing, none is of what was asked for later.
        self.assertEqual(pairing.pair_up(asked[1:] + asked[1:], told[:1], ["prefetch"] * 2)[0], {})

    def test_a_report_of_another_time_is_of_another_operation(self):
        operations = [{**OPERATIONS[1], "start_ns": 1000_000, "end_ns": 2000_000}]
        early, right = ({**REPORTS[1], "time_ns": 7_000_000 + at} for at in (500_000, 1500_000))
        pairing.begin_times([early, right], 7_000_000)
        self.assertEqual(failing(operations, [right]), [])
        self.assertEqual([name for name, _ in failing(operations, [early])], ["hole-p", "(all)"])


class RunningAgain(unittest.TestCase):
    """A wrong answer is never asked for a second time."""

    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.out = os.path.join(self.place.name, "guest")
        self.runs = 0
        self.reruns = reruns.Reruns()

    def tearDown(self):
        self.place.cleanup()

    def judged(self, *attempts):
        def attempt():
            os.makedirs(self.out, exist_ok=True)
            self.runs += 1
            return attempts[min(self.runs, len(attempts)) - 1]
        return self.reruns.judged("newest, guest ext4", self.out, attempt)

    def test_wrong_fails_at_once_and_for_good(self):
        wrong, right = ("wrong", [(reruns.WRONG, "another cause")]), ("right", [])
        self.assertEqual(self.judged(wrong, right), "wrong")
        self.assertEqual((self.runs, self.reruns.again), (1, []))

    def test_wrong_beside_weaker_fails_at_once(self):
        both = ("wrong", [(reruns.WEAKER, "inferred"), (reruns.WRONG, "another cause")])
        self.assertEqual(self.judged(both, ("right", [])), "wrong")
        self.assertEqual(self.runs, 1)

    def test_wrong_in_a_repetition_is_final(self):
        weaker, wrong = ("weaker", [(reruns.WEAKER, "inferred")]), ("wrong", [(reruns.WRONG, "another page")])
        self.assertEqual(self.judged(weaker, wrong, ("right", [])), "wrong")
        self.assertEqual(self.runs, 2)

    def test_weaker_runs_again_and_is_told(self):
        self.assertEqual(self.judged(("weaker", [(reruns.WEAKER, "inferred")]), ("right", [])), "right")
        self.assertEqual([name for name, _ in self.reruns.again], ["newest, guest ext4"])
        self.assertTrue(os.path.isdir(self.out + ".1"))

    def test_weaker_for_ever_fails(self):
        self.assertEqual(self.judged(("weaker", [(reruns.WEAKER, "inferred")])), "weaker")
        self.assertEqual(self.runs, reruns.ATTEMPTS)

    def test_weaker_without_a_counted_miss_is_wrong(self):
        self.assertEqual(reruns.kind_of(True, 0), reruns.WRONG)
        self.assertEqual(reruns.kind_of(True, 3), reruns.WEAKER)
        self.assertEqual(reruns.kind_of(False, 3), reruns.WRONG)

    def test_misses_are_those_of_the_recording(self):
        calm = {"calls": 5, "reported": 5, **{name: 0 for name in accounts.MISSES}}
        self.assertEqual(accounts.misses({"f": calm}, []), 0)
        for name in accounts.MISSES:
            self.assertEqual(accounts.misses({"f": {**calm, name: 2}}, []), 2)
        self.assertEqual(accounts.misses({"f": calm}, [{"what": "unfinished_operations", "count": 4}]), 4)

    def test_more_than_two_in_a_hundred_are_too_many(self):
        self.assertEqual([reruns.allowed(guests) for guests in (1, 10, 99, 100, 149, 150, 200)], [1, 1, 1, 2, 2, 3, 4])
        self.reruns.start_tally()
        with open(os.environ[reruns.TALLY], "w", encoding="utf-8") as file:
            file.write("boot a\nboot b\nagain b\n")
        self.assertEqual((self.reruns.counts()[:2], self.reruns.tell()), ((2, 1), []))
        with open(os.environ[reruns.TALLY], "a", encoding="utf-8") as file:
            file.write("boot c\nagain c\nagain c\n")
        self.assertEqual(self.reruns.counts()[:2], (3, 2))
        self.assertEqual(len(self.reruns.tell()), 1)

    def test_what_a_failed_check_lacks(self):
        def one(reports):
            return [it for it in scenario.check_recording(OPERATIONS, reports, TABLE, FEATURES) if not it.passed]
        self.assertTrue(all(it.says_less for it in one(REPORTS[1:])))
        inferred = copy.deepcopy(REPORTS)
        inferred[1]["confidence"] = "inferred"
        self.assertTrue(all(it.says_less for it in one(inferred)))
        other = copy.deepcopy(REPORTS)
        other[1]["cause"] = "mapping-device"
        self.assertFalse(any(it.says_less for it in one(other)))
        self.assertFalse(any(it.says_less for it in one(REPORTS + REPORTS[:1])))  # told twice

    def test_the_matrix_tells_them_apart_too(self):
        class Ran:
            operations, reports, skipped = OPERATIONS, copy.deepcopy(REPORTS), []
        Ran.reports[1]["cause"] = "mapping-device"
        Ran.reports[0]["confidence"] = "inferred"
        found = verdicts.of_group("newest", Group("ext4", [], FEATURES), Ran, TABLE)
        self.assertEqual(sorted(one.verdict for one in found), ["right", "right", "right", "weaker", "wrong"])


class Pages(unittest.TestCase):
    GRANTED = [operation("ok", "advise_mr", 7, 0x10000)]
    ENDED = {"kind": "operation", "what": "advise_mr", "pid": 7, "tid": 7, "operation": 5}
    FOUR = {"kind": "entries", "search": "accepted", "pid": 7, "tid": 7, "operation": 5, "address": "0x10000", "values": ["0x1067"] * 4}

    def test_all_are_there(self):
        self.assertEqual(pages.problems(self.GRANTED, [self.FOUR, self.ENDED]), [])

    def test_what_is_missing_is_told(self):
        for wrong in ({"values": ["0x1067"] * 3}, {"values": ["0x1067", "0x0", "0x1067", "0x1067"]}, {"tid": 8}, {"operation": 6}):
            with self.subTest(wrong=wrong):
                self.assertEqual(len(pages.problems(self.GRANTED, [{**self.FOUR, **wrong}, self.ENDED])), 1)

    def test_a_leaf_covers_its_range(self):
        walk = {"kind": "walk", "result": 0, "pid": 7, "tid": 7, "operation": 5, "start": "0x10000", "end": "0x14000"}
        self.assertEqual(pages.problems(self.GRANTED, [{**walk, "entry": "0x10e7"}, self.ENDED]), [])
        self.assertEqual(len(pages.problems(self.GRANTED, [{**walk, "entry": "0x1067"}, self.ENDED])), 1)

    def test_nothing_granted_shows_nothing(self):
        self.assertEqual(len(pages.problems([], [])), 1)
