# SPDX-License-Identifier: Apache-2.0
"""The judge of the storm must notice every way an answer can be wrong. Run: lab/unit"""

import copy
import unittest

from mrlab.judges import planned
from mrlab.scenarios import Scenario, choose

FEATURES = {"odp"}
OFFSET = 1_000_000_000_000
MS = 1_000_000


def row(name, operation, errno, cause, delivered):
    return {name: [Scenario(dict(name=name, needs="odp", operation=operation, errno=errno, cause=cause, delivered=delivered))]}


TABLE = {**row("hole-p", "advise_mr", "EFAULT", "mapping-missing", "syscall"), **row("readonly-w", "advise_mr", "EPERM", "mapping-not-writable", "syscall"),
         **row("pin-zero", "reg_mr", "EINVAL", "length-invalid", "syscall"), **row("hole-a", "prefetch", "EFAULT", "mapping-missing", "discarded"),
         **row("hole-x", "rdma_write", "EFAULT", "mapping-missing", "completion"), **row("disk-eof-p", "advise_mr", "EFAULT", "fault-beyond-eof", "syscall"),
         **row("storm-w", "advise_mr", "EBUSY", "invalidation-livelock", "syscall"), **row("ok-anon", "-", "-", "-", "-")}


def line(scenario, op, start, end, address, errno=None, bad=None, tid=11):
    return {"scenario": f"storm:{scenario}", "op": op, "pid": 10, "tid": tid, "address": hex(address), "length": 0x4000, "errno": errno, "wc": None,
            "expect_errno": errno, "bad_page": hex(bad) if bad else None, "ok": True, "start_ns": start * MS, "end_ns": end * MS}


def said(op, start, end, address, errno, cause, page=None, tid=11, delivered="syscall", **more):
    return {"operation": op, "pid": 10, "tid": tid, "comm": "workload", "time_ns": start * MS + OFFSET, "duration_ns": (end - start) * MS,
            "errno": errno, "cause": cause, "confidence": "proved", "delivered": delivered, "mr": {"address": hex(address), "length": 0x4000},
            "request": {"address": hex(address), "length": 0x4000}, **({"page": {"address": hex(page)}} if page else {}), **more}


# One thread: the same failure twice, another one at the same place, a registration, a success, what workers do.
LINES = [line("hole-p", "advise_mr", 10, 20, 0x10000, "EFAULT", 0x12000), line("hole-p", "advise_mr", 21, 30, 0x10000, "EFAULT", 0x12000),
         line("readonly-w", "advise_mr", 31, 40, 0x10000, "EPERM", 0x13000), line("pin-zero", "reg_mr", 41, 50, 0x10000, "EINVAL"),
         line("ok-anon", "advise_mr", 51, 60, 0x10000), line("hole-a", "prefetch", 61, 62, 0x10000, "EFAULT", 0x12000),
         line("hole-x", "rdma_write", 80, 90, 0x10000, "EFAULT", 0x12000), line("disk-eof-p", "advise_mr", 91, 99, 0x10000, "EFAULT", 0x13000),
         line("hole-p", "advise_mr", 10, 20, 0x50000, "EFAULT", 0x52000, tid=12)]
SAID = [said("advise_mr", 11, 19, 0x10000, "EFAULT", "mapping-missing", 0x12000), said("advise_mr", 22, 29, 0x10000, "EFAULT", "mapping-missing", 0x12000),
        said("advise_mr", 32, 39, 0x10000, "EPERM", "mapping-not-writable", 0x13000), said("reg_mr", 42, 49, 0x10000, "EINVAL", "length-invalid"),
        said("prefetch", 65, 70, 0x10000, "EFAULT", "mapping-missing", 0x12000, delivered="discarded"),
        said("page_fault", 82, 83, 0x10000, "EFAULT", "mapping-missing", 0x12000, delivered="completion", tid=10),
        said("advise_mr", 92, 98, 0x10000, "EFAULT", "fault-beyond-eof", 0x13000,
             mapping={"start": "0x10000", "end": "0x14000", "file": "/mnt/disk/storm:disk-eof-p.11.0"}),
        said("advise_mr", 12, 18, 0x50000, "EFAULT", "mapping-missing", 0x52000, tid=12)]


def result(reports, lines=LINES):
    return planned.Result(planned.plan(lines, TABLE, FEATURES, choose), reports, OFFSET)


def changed(number, **fields):
    reports = copy.deepcopy(SAID)
    reports[number].update(fields)
    return reports


class Storm(unittest.TestCase):
    def counts(self, reports, **expected):
        counts = result(reports).counts()
        self.assertEqual({name: counts[name] for name in expected}, expected)

    def test_right_answers(self):
        self.counts(SAID, planned=8, present=8, proved=8, inferred=0, unknown=0, unsaid=0, wrong=0, kinds=6)
        self.counts(list(reversed(SAID)), planned=8, proved=8, wrong=0)

    def test_what_is_weaker_is_counted_so(self):
        self.counts(changed(0, confidence="inferred"), proved=7, inferred=1, wrong=0)
        self.counts(changed(0, cause="unknown", confidence="unknown"), proved=7, unknown=1, wrong=0)
        self.counts(changed(0, repeats_after_ns=5), proved=8, by_reference=1, wrong=0)
        self.counts(SAID[1:], present=7, unsaid=1, wrong=0)
        self.counts([], planned=8, present=0, unsaid=8, wrong=0)

    def test_a_kind_that_was_not_seen_may_be_left_unsaid(self):
        for kind in (None, "unknown"):
            self.counts(changed(0, operation=kind, delivered="unknown"), proved=8, wrong=0)

    def test_each_wrong_field(self):
        for number, fields in ((0, {"cause": "mapping-device"}), (0, {"errno": "EPERM"}), (0, {"page": {"address": "0x13000"}}), (0, {"comm": "kworker"}),
                               (0, {"request": {"address": "0x20000", "length": 0x4000}}), (0, {"request": {"address": "0x10000", "length": 0x1000}}),
                               (0, {"mr": {"address": "0x20000", "length": 0x4000}}), (0, {"delivered": "completion"}), (0, {"operation": "reg_mr"}), (0, {"operation": "page_fault"}),
                               (0, {"operation": "prefetch", "delivered": "discarded"}), (0, {"mapping": {"start": "0x13000", "end": "0x14000"}}),
                               (2, {"cause": "mapping-missing"}), (6, {"mapping": {"file": "/mnt/disk/storm:disk-eof-p.12.0"}}),
                               (6, {"mapping": {"file": "/mnt/pmem/storm:fsdax-eof-p.11.0"}}), (4, {"page": {"address": "0x11000"}}),
                               (5, {"errno": "EPERM"}), (0, {"tid": 13}), (0, {"pid": 9}), (0, {"time_ns": 1 * MS + OFFSET, "duration_ns": MS})):
            with self.subTest(number=number, fields=fields):
                counts = result(changed(number, **fields)).counts()
                self.assertEqual((counts["wrong"], counts["wrong_proved"]), (1, 1))

    def test_unknown_excuses_nothing_else(self):
        self.counts(changed(0, cause="unknown", confidence="unknown", errno="EPERM"), wrong=1, wrong_proved=0, unknown=0)
        self.counts(changed(0, cause="unknown", confidence="unknown", page={"address": "0x13000"}), wrong=1, unknown=0)

    def test_records_of_several_operations_in_one(self):
        stitched = changed(1, duration_ns=17 * MS)  # as far as into the third
        self.counts([one for number, one in enumerate(stitched) if number != 2], wrong=1, unsaid=1)

    def test_told_twice(self):
        self.counts(SAID + SAID[:1], wrong=1)
        self.counts(SAID + SAID[4:5], wrong=1)  # a worker's

    def test_a_success_told_as_a_failure(self):
        self.counts(SAID + [said("advise_mr", 52, 59, 0x10000, "EFAULT", "mapping-missing", 0x12000)], wrong=1, present=8)

    def test_a_failure_told_as_a_success(self):
        success = {name: value for name, value in SAID[0].items() if name not in ("errno", "cause", "confidence", "delivered", "page")}
        self.counts([{**success, "result": 0}, *SAID[1:]], wrong=1)
        fine = {**success, "time_ns": 52 * MS + OFFSET, "duration_ns": MS, "result": 0}
        self.counts([*SAID, fine], wrong=0)

    def test_nothing_failed_there(self):
        self.counts(SAID + [said("advise_mr", 200, 201, 0x10000, "EFAULT", "mapping-missing", 0x12000)], wrong=1)
        self.counts(SAID + [said("page_fault", 95, 96, 0x10000, "EFAULT", "mapping-missing", 0x12000, delivered="completion")], wrong=1)

    def test_a_prefetch_that_was_not_let_come_to_its_end(self):
        for number, at in ((0, 0), (4, None)):  # what was to fail otherwise, and what was to succeed
            lines = copy.deepcopy(LINES)
            lines[number].update(ok=False, errno="EBUSY")
            right = said("advise_mr", *((11, 19) if at == 0 else (52, 59)), 0x10000, "EBUSY", "invalidation-livelock")
            others = SAID[1:] if at == 0 else SAID
            self.assertEqual((result([right, *others], lines).counts()["wrong"], result([right, *others], lines).counts()["surprises"]), (0, 0))
            self.assertEqual(result([{**right, "cause": "mapping-missing"}, *others], lines).counts()["wrong"], 1)

    def test_of_a_worker_that_gave_up_nothing_is_known_here(self):
        late = {"errno": "EBUSY", "cause": "invalidation-livelock", "page": {}}
        long = [{**one, "start_ns": one["start_ns"] + (2000 * MS if one["start_ns"] > 62 * MS else 0),
                 "end_ns": one["end_ns"] + (2000 * MS if one["end_ns"] > 62 * MS else 0)} for one in LINES]
        for duration, wrong in ((1200 * MS, 0), (5 * MS, 1)):
            self.assertEqual(result([{**SAID[4], **late, "duration_ns": duration}], long).counts()["wrong"], wrong)
        self.assertEqual(result([{**SAID[4], **late, "duration_ns": 1200 * MS, "cause": "mapping-missing"}], long).counts()["wrong"], 1)

    def test_a_workload_that_was_surprised_is_told_and_not_held_against_the_tracer(self):
        lines = copy.deepcopy(LINES)
        lines[3].update(ok=False, errno="EPERM")
        found = result(changed(3, errno="EPERM", cause="pin-memlock-forbidden"), lines).counts()
        self.assertEqual((found["surprises"], found["wrong"], found["planned"]), (1, 0, 7))
