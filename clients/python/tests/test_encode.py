"""What callers have, as bytes."""

from __future__ import annotations

import importlib
import json
import pathlib
import tempfile
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest import TestCase

import serin
from serin._encode import dropped_file, instant, prediction_bytes


class PandasLike:
    columns = ["wind"]

    def to_json(self, orient: str, date_format: str) -> str:
        return json.dumps([{"wind": 4.7, "asked": [orient, date_format]}, {"wind": None}])

    def to_csv(self, index: bool) -> str:
        return f"wind\n4.7\nindex={index}\n"

    def to_parquet(self, index: bool) -> bytes:
        return b"PAR1"


class PolarsLike:
    columns = ["wind"]

    def to_dicts(self) -> Any:
        return [{"wind": 4.7}]

    def write_csv(self) -> str:
        return "wind\n4.7\n"


class Predictions(TestCase):
    def sent(self, data: Any) -> Any:
        return json.loads(prediction_bytes(data))

    def test_rows_go_under_instances_and_objects_as_they_are(self) -> None:
        self.assertEqual(self.sent([1, {"a": 2}]), {"instances": [1, {"a": 2}]})
        self.assertEqual(self.sent(({"a": 2},)), {"instances": [{"a": 2}]})
        self.assertEqual(self.sent({"inputs": [1]}), {"inputs": [1]})
        self.assertEqual(prediction_bytes(b"1,2\n"), b"1,2\n")

    def test_frames_go_as_rows_and_what_is_missing_as_null(self) -> None:
        rows = [{"wind": 4.7, "asked": ["records", "iso"]}, {"wind": None}]
        self.assertEqual(self.sent(PandasLike()), {"instances": rows})
        self.assertEqual(self.sent(PolarsLike()), {"instances": [{"wind": 4.7}]})

    def test_arrays_and_their_numbers_go_as_numbers(self) -> None:
        try:
            numpy: Any = importlib.import_module("numpy")
        except ImportError:
            self.skipTest("numpy is not installed")

        self.assertEqual(self.sent(numpy.array([[1.5, 2.5]])), {"instances": [[1.5, 2.5]]})
        self.assertEqual(self.sent([{"a": numpy.int64(3)}]), {"instances": [{"a": 3}]})
        self.assertEqual(self.sent({"a": numpy.arange(2)}), {"a": [0, 1]})

    def test_what_json_has_not_is_refused_before_it_is_sent(self) -> None:
        for data in ([float("nan")], [float("inf")], [object()], "text", 7, None, {"a": {1, 2}}):
            with self.assertRaises(serin.UsageError):
                prediction_bytes(data)

    def test_times_go_as_text(self) -> None:
        self.assertEqual(self.sent([datetime(2026, 1, 2, 8)]), {"instances": ["2026-01-02T08:00:00"]})


class Files(TestCase):
    def test_a_path_has_its_own_name_or_the_one_given(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "2013.csv")
            path.write_bytes(b"wind\r\n")
            self.assertEqual(dropped_file(path, None), ("2013.csv", b"wind\r\n"))
            self.assertEqual(dropped_file(str(path), "a/b.csv"), ("a/b.csv", b"wind\r\n"))
            with self.assertRaises(FileNotFoundError):
                dropped_file(pathlib.Path(folder, "2014.csv"), None)

    def test_the_same_rows_without_a_name_are_the_same_file(self) -> None:
        first, again = dropped_file(PandasLike(), None), dropped_file(PandasLike(), None)

        self.assertEqual(first, again)
        self.assertRegex(first[0], r"^[0-9a-f]{16}\.csv$")
        self.assertEqual(first[1], b"wind\n4.7\nindex=False\n")

    def test_a_frame_is_written_by_the_ending_of_its_name(self) -> None:
        self.assertEqual(dropped_file(PandasLike(), "a.parquet"), ("a.parquet", b"PAR1"))
        self.assertEqual(dropped_file(PolarsLike(), "a.ndjson"), ("a.ndjson", b'{"wind": 4.7}\n'))
        self.assertEqual(dropped_file(PolarsLike(), "a.csv"), ("a.csv", b"wind\n4.7\n"))
        with self.assertRaisesRegex(serin.UsageError, "cannot be written as a.parquet"):
            dropped_file(PolarsLike(), "a.parquet")

    def test_what_has_no_name_or_a_bad_one_is_refused(self) -> None:
        for data, name in ((b"x", None), (b"x", "../x"), (b"x", "/x"), (b"x", "a//b"), (b"x", "a\nb"), (7, "x.csv")):
            with self.assertRaises(serin.UsageError):
                dropped_file(data, name)


class Times(TestCase):
    def test_are_instants_with_a_zone(self) -> None:
        zone = timezone(timedelta(hours=2))
        self.assertEqual(instant(datetime(2026, 1, 2, 10, tzinfo=zone)), "2026-01-02T08:00:00Z")
        self.assertEqual(instant("2026-01-02T08:00:00Z"), "2026-01-02T08:00:00Z")
        self.assertRegex(instant(None), r"^20\d\d-.*Z$")
        with self.assertRaises(serin.UsageError):
            instant(7)
