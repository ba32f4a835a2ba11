#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of compare_benchmarks.py."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import compare_benchmarks


def entry(name, cpu, real=None, repetition=0, unit="us", **more):
    return {
        "name": name,
        "run_name": name,
        "run_type": "iteration",
        "repetition_index": repetition,
        "cpu_time": cpu,
        "real_time": cpu if real is None else real,
        "time_unit": unit,
        **more,
    }


class Comparison(unittest.TestCase):
    def table(self, *documents):
        """Return the table's cells by (subject, numbers, threads), and everything printed."""
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for number, entries in enumerate(documents):
                paths.append(pathlib.Path(folder, f"{number}.json"))
                paths[-1].write_text(json.dumps({"benchmarks": entries}))
            out = io.StringIO()
            argv = sys.argv
            sys.argv = ["compare_benchmarks.py", *map(str, paths)]
            try:
                with contextlib.redirect_stdout(out):
                    compare_benchmarks.main()
            finally:
                sys.argv = argv
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in out.getvalue().splitlines() if "|" in line]
        return {tuple(row[:3]): row[3:] for row in rows if len(row) == 9}, out.getvalue()

    def test_ratio_is_the_median_of_the_rounds(self):
        rounds = [(10, 20), (100, 100), (10, 30)]  # the machine was slow in the second
        entries = []
        for r, (ours, theirs) in enumerate(rounds):
            entries.append(entry("net/statiq/int8/threads:1", ours, repetition=r))
            entries.append(entry("net/onednn/int8/threads:1", theirs, repetition=r))
        cells, _ = self.table(entries)
        self.assertEqual(cells["net", "int8", "1"][:3], ["10.0", "30.0", "2.00"])

    def test_files_are_rounds(self):
        def document(ours, theirs):
            return [entry("net/statiq/int8/threads:1", ours), entry("net/onednn/int8/threads:1", theirs)]

        cells, _ = self.table(document(1, 3), document(1, 5), document(1, 4))
        self.assertEqual(cells["net", "int8", "1"][2], "4.00")

    def test_one_thread_is_timed_by_the_processor_and_more_by_the_clock(self):
        cells, _ = self.table(
            [
                entry("net/statiq/int8/threads:1", 10, real=99),
                entry("net/statiq/int8/threads:2", 99, real=6000, unit="ns"),
            ]
        )
        self.assertEqual(cells["net", "int8", "1"][0], "10.0")
        self.assertEqual(cells["net", "int8", "2"][0], "6.0")

    def test_narrow_weights_stand_beside_the_peers_bytes(self):
        cells, text = self.table(
            [
                entry("net/statiq/w4a8/threads:1", 5),
                entry("net/onednn/int8/threads:1", 10),
                entry("net/statiq/float32/threads:1", 20),
            ]
        )
        self.assertEqual(cells["net", "w4a8", "1"][:3], ["5.0", "10.0", "2.00"])
        self.assertIn("| net | w4a8 | 1 | 4.00 |", text)

    def test_a_peer_alone_is_shown(self):
        cells, _ = self.table([entry("net/onednn/int8/threads:2", 10, real=7)])
        self.assertEqual(cells["net", "int8", "2"][:3], ["", "7.0", ""])

    def test_depthwise_layers_are_summed(self):
        entries = []
        for layer, ours, theirs in (("dw_a", 1, 4), ("dw_b", 3, 4), ("pw_c", 100, 1)):
            entries.append(entry(f"{layer}/statiq/int8/threads:1", ours))
            entries.append(entry(f"{layer}/onednn/int8/threads:1", theirs))
        _, text = self.table(entries)
        self.assertIn("Depthwise layers summed, int8: 2.00 times as fast", text)

    def test_rates_belong_to_the_median_time(self):
        entries = [entry("net/statiq/int8/threads:1", t, repetition=r, **{"GMAC/s": 1000 / t, "of_peak": 1 / t})
                   for r, t in enumerate((4, 5, 50))]
        cells, _ = self.table(entries)
        self.assertEqual(cells["net", "int8", "1"][-2:], ["200", "20%"])

    def test_a_failed_benchmark_is_no_result(self):
        failed = entry("net/statiq/int8/threads:1", 1, error_occurred=True, error_message="no")
        with self.assertRaises(SystemExit) as caught:
            self.table([failed])
        self.assertIn("no", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
