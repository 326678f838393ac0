# SPDX-License-Identifier: Apache-2.0
"""The comparison must notice every way a report can be wrong. Run: python3 lab/check_test.py"""

import copy
import unittest

import check
import pages
from scenarios import Scenario

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
    return [(one.scenario, one.problems) for one in check.check_recording(operations, reports, TABLE, FEATURES) if not one.passed]


class Comparison(unittest.TestCase):
    def test_right_reports_pass(self):
        self.assertEqual(failing(OPERATIONS, REPORTS), [])
        self.assertEqual(len(check.check_recording(OPERATIONS, REPORTS, TABLE, FEATURES)), 5)

    def test_what_follows_and_what_is_said(self):
        def problems(name, **fields):
            one = {**report("reg_mr", 7, 0x40000, "EFAULT", "mapping-missing", "syscall", 0x41000), **fields}
            table = row(name, "reg_mr", "EFAULT", "mapping-missing", "syscall")
            done = check.check_recording([operation(name, "reg_mr", 7, 0x40000, "EFAULT", 0x41000)], [one], table, FEATURES)
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
            return check.check_recording(operations, [one], table, features)[0].problems
        self.assertEqual(problems(good, FEATURES), [])
        self.assertEqual(len(problems(good, FEATURES | {"replay"})), 1)
        self.assertEqual(len(problems({**good, "page": {"address": "0x10000", "flags": ["SPECIAL"]}}, FEATURES)), 1)
        self.assertEqual(len(problems({**good, "mapping": {}}, FEATURES)), 1)

    def test_fsdax_must_be_known_as_such(self):
        reports = copy.deepcopy(REPORTS)
        reports[3]["mapping"]["fsdax"] = False
        self.assertEqual([name for name, _ in failing(OPERATIONS, reports)], ["pin-fsdax"])


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


if __name__ == "__main__":
    unittest.main()
