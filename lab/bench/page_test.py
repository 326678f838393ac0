# SPDX-License-Identifier: Apache-2.0
"""What docs/performance.md says and draws must be what was measured. Run: python3 lab/bench/page_test.py"""
import re
import struct
import unittest
import xml.etree.ElementTree as XML

import costs_bounds
import costs_curves
import plot
import profile_reader

SVG = "{http://www.w3.org/2000/svg}"


def panel(series, log=False):
    return plot.Panel("heading", "MB", "ratio", series, log)


def results(**rows):
    """rows: MODE_ROW=[rounds]"""
    modes = {}
    for name, rounds in rows.items():
        mode, row = name.split("_")
        modes.setdefault(mode, {"rows": {}})["rows"][row] = [rounds]
    return {"release": "7.3.4-amd64", "modes": modes}


class Picture(unittest.TestCase):
    def drawn(self):
        upper = panel({"untraced": [(1, 100.0), (100, 1000.0)], "operations": [(1, 110.0), (100, 5000.0)]}, log=True)
        lower = panel({"untraced": [(1, 1.0), (100, 1.0)], "operations": [(1, 1.1), (100, 5.0)]})
        return XML.fromstring(plot.picture("a <title>", [(upper, lower)]))

    def places(self, line):
        return [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]

    def test_is_well_formed_and_has_a_curve_for_each_series_of_each_panel(self):
        drawn = self.drawn()
        self.assertEqual([line.get("class") for line in drawn.iter(f"{SVG}polyline")], ["line"] * 4)
        self.assertIn("a <title>", [text.text for text in drawn.iter(f"{SVG}text")])

    def test_a_tenfold_value_is_a_decade_higher_wherever_it_begins(self):
        untraced, operations = [self.places(line) for line in self.drawn().iter(f"{SVG}polyline")][:2]
        decade = untraced[0][1] - untraced[1][1]
        self.assertGreater(decade, 0)
        up = panel({"a": [(1, 100.0), (100, 5000.0)]}, log=True).scale(0, 0, 100, 170)[1]
        self.assertAlmostEqual(up(100) - up(1000), decade, delta=0.2)
        self.assertLess(operations[1][1], untraced[1][1])

    def test_points_are_inside_their_panel(self):
        drawn = self.drawn()
        frames = [one for one in drawn.iter(f"{SVG}rect") if one.get("class") == "frame"]
        for number, line in enumerate(drawn.iter(f"{SVG}polyline")):
            frame = frames[number // 2]
            left, top, width, height = (float(frame.get(name)) for name in ("x", "y", "width", "height"))
            for x, y in self.places(line):
                self.assertTrue(left <= x <= left + width and top <= y <= top + height, (x, y))

    def test_every_colour_has_one_for_the_dark(self):
        light, dark = plot.STYLE.split("@media (prefers-color-scheme: dark)")
        for kind in ("text", ".page", ".grid", ".frame", ".s0", ".s1", ".s2"):
            colours = [re.search(re.escape(kind) + r" \{[^}]*(#[0-9a-f]{6})", part).group(1) for part in (light, dark)]
            self.assertNotEqual(*colours, kind)

    def test_ticks_enclose_the_values(self):
        for values in ([1.0, 1.003], [0.97, 6.11], [1.0, 1.0], [14e6, 227e6], [69118, 81000], [1.0, 10.0]):
            points = list(enumerate(values, 1))
            for ticks in (plot.linear_ticks(points), plot.log_ticks(points)):
                self.assertTrue(ticks[0] <= min(values) * 1.000001 and ticks[-1] * 1.000001 >= max(values), (values, ticks))
                self.assertTrue(2 <= len(ticks) <= 8 and ticks == sorted(set(ticks)), (values, ticks))

    def test_no_logarithm_of_nothing(self):
        self.assertRaises(ValueError, panel, {"a": [(1, 0.0)]}, log=True)
        self.assertRaises(ValueError, panel, {})


class Curves(unittest.TestCase):
    def test_ratio_and_instructions_of_each_point(self):
        have = results(**{f"{mode}_threads-{number}": [cost * number] for mode, cost in (("untraced", 100), ("operations", 150))
                          for number in (1, 8, 64)})
        (line,) = costs_curves.lines({"newest": have})
        self.assertEqual(line["modes"]["operations"], [(150, 1.5), (1200, 1.5), (9600, 1.5)])
        self.assertIn("| Linux 7.3 | operations | 1.500 | 1.500 | 1.500 |", costs_curves.table([line]))
        XML.fromstring(costs_curves.picture([line]))

    def test_a_curve_with_a_point_missing_is_not_drawn(self):
        have = results(**{"untraced_threads-1": [1], "operations_threads-1": [1]})
        self.assertEqual(costs_curves.lines({"newest": have}), [])

    def test_rxe_is_not_asked_for_what_it_cannot_register(self):
        self.assertFalse(costs_curves.measurable("newest", "large-4096"))
        self.assertTrue(costs_curves.measurable(costs_curves.WITH_MODULE, "large-4096"))


class Bounds(unittest.TestCase):
    def find(self, name, memory=None, **rows):
        found = costs_bounds.bounds("newest", results(**rows), memory)
        (one,) = [bound for bound in found if bound.name == name]
        return one

    def test_one_that_is_kept(self):
        one = self.find("(c) operations", untraced_pin=[1000], operations_pin=[1009], empty_pin=[1002])
        self.assertEqual(one.cells()[1:5], ["1.010", "1.009", "yes", "1.002"])

    def test_one_that_is_missed_by_less_than_its_digits(self):
        one = self.find("(d) operations", untraced_large=[100000], operations_large=[101020], empty_large=[100200])
        self.assertEqual(one.cells()[1:4], ["1.010", "more than 1.010", "**no**"])
        self.assertIn("empty programs take 1.002; mrtrace is 0.008 above empty programs", one.why())

    def test_a_floor_above_the_bound(self):
        one = self.find("(a) failures", untraced_odp=[1000], failures_odp=[1079], empty_odp=[1050])
        self.assertIn("1.050, which is above the bound itself; mrtrace is 0.029 above", one.why())

    def test_a_record_of_nothing_above_the_bound(self):
        rows = {"untraced_odp": [1000], "operations_odp": [1128], "empty_odp": [1050], "records_odp": [1070]}
        one = self.find("(a) operations", **rows)
        self.assertIn("empty programs take 1.050; with records of nothing they take 1.070, which is above the bound itself; "
                      "mrtrace is 0.078 above empty programs", one.why())
        self.assertEqual(one.cells()[4:6], ["1.050", "1.070"])
        self.assertNotIn("records", self.find("(a) layers", layers_odp=[1300], **rows).why())

    def test_failing_compares_the_dearest_round(self):
        one = self.find("(e) operations", untraced_fail=[100, 100], operations_fail=[110, 300], empty_fail=[110, 150])
        self.assertEqual((one.measured, one.kept, one.floor), (3.0, False, 1.3))

    def test_fault_codes_are_instructions_more(self):
        rows = {"untraced_fault": [9000], "fault-codes_fault": [9195], "empty-fault-codes_fault": [9176]}
        self.assertEqual(self.find("(f) a page fault, --fault-codes", **rows).cells()[1:5], ["+200", "+195", "yes", "+176"])

    def test_memory(self):
        self.assertEqual(self.find("agent's memory, largest", memory={"largest": 17e6}).cells()[1:4], ["12.0 MB", "17.0 MB", "**no**"])


def sample(process, *addresses):
    body = struct.pack(f"<QIIQ{len(addresses)}Q", 0, process, process, len(addresses), *addresses)
    return struct.pack("<IHH", profile_reader.SAMPLE, 0, 8 + len(body)) + body


class Profile(unittest.TestCase):
    SYMBOLS = profile_reader.Symbols("""ffffffff81000000 T memmove
ffffffff82000000 t bpf_check
ffffffff83000000 T __sys_bpf
ffffffff84000000 t kthread
""")
    KERNEL = profile_reader.MARKERS + 4096 - 128  # PERF_CONTEXT_KERNEL

    def shares(self, *samples):
        return profile_reader.shares(b"".join(samples), self.SYMBOLS)[0]

    def test_the_first_part_with_a_function_of_the_chain(self):
        found = self.shares(sample(7, self.KERNEL, 0xffffffff81000010, 0xffffffff82000010, 0xffffffff83000010),
                            sample(7, self.KERNEL, 0xffffffff81000010, 0xffffffff83000010), sample(7),
                            sample(0, self.KERNEL, 0xffffffff83000010), sample(9, self.KERNEL, 0xffffffff84000010))
        self.assertEqual({name: share for name, share in found.items() if share},
                         {"verifier and JIT": 0.2, "maps": 0.2, "in user space": 0.2, "waiting": 0.2, "other": 0.2})

    def test_lost_samples_are_no_answer(self):
        lost = struct.pack("<IHHQQ", profile_reader.LOST, 0, 24, 1, 5)
        self.assertRaises(ValueError, self.shares, sample(7), lost)
        self.assertRaises(ValueError, self.shares, sample(7)[:-1])
        self.assertRaises(ValueError, self.shares)

    def test_symbols_without_addresses_are_no_answer(self):
        self.assertRaises(ValueError, profile_reader.Symbols, "0000000000000000 T memmove\n")


if __name__ == "__main__":
    unittest.main()
