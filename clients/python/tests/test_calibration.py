from __future__ import annotations

import pathlib
import random
import re
import unittest
from typing import Any

from serin import calibration_error

# Where the client lies in the repository; installed, there are no pages.
PAGE = pathlib.Path(__file__).parents[3] / "docs" / "performance.md"


class CalibrationError(unittest.TestCase):
    def test_is_how_far_each_tenth_is_from_its_share_of_positives(self) -> None:
        cases: list[tuple[list[float], list[int], float]] = [
            ([0.2] * 100 + [0.9] * 100, [1] * 20 + [0] * 80 + [1] * 90 + [0] * 10, 0.0),
            ([0.2] * 100 + [0.9] * 100, [1] * 28 + [0] * 72 + [1] * 82 + [0] * 18, 0.08),
            ([0.1, 0.2, 0.35, 0.6, 0.8, 0.95], [0, 0, 1, 0, 1, 1], (0.1 + 0.2 + 0.65 + 0.6 + 0.2 + 0.05) / 6),
            # In one tenth they make up for each other.
            ([0.41, 0.49, 0.45], [0, 1, 0], abs(0.41 + 0.49 + 0.45 - 1) / 3),
            ([1.0, 0.0], [True, False], 0.0),
            ([1.0, 0.95], [False, True], 0.95 / 2),
        ]
        for probabilities, truths, error in cases:
            with self.subTest(probabilities=probabilities[:6], error=error):
                self.assertAlmostEqual(calibration_error(probabilities, truths), error, places=12)

    def test_bounds_how_wrong_the_estimated_accuracy_of_these_rows_is(self) -> None:
        dice = random.Random(7)
        for cutoff in [0.1, 0.3, 0.5, 0.8]:
            for power in [0.3, 1, 3]:
                probabilities = [dice.random() ** power for _ in range(200)]
                truths = [dice.random() < 0.6 for _ in probabilities]
                estimated = sum(p if p >= cutoff else 1 - p for p in probabilities) / 200
                true = sum((p >= cutoff) == truth for p, truth in zip(probabilities, truths)) / 200
                self.assertLessEqual(abs(estimated - true), calibration_error(probabilities, truths) + 1e-12)

    def test_is_what_the_lines_of_the_documentation_make(self) -> None:
        if not PAGE.exists():
            self.skipTest("the client is not in its repository")
        [lines] = re.findall(r"```python\n(tenths = .*?)```", PAGE.read_text(), re.DOTALL)
        dice = random.Random(8)
        probabilities = [dice.random() for _ in range(500)] + [0.0, 1.0]
        truths = [int(dice.random() < 0.4) for _ in probabilities]
        known: dict[str, Any] = {"probabilities": probabilities, "truths": truths, "metrics": {}}
        exec(lines, known)
        self.assertAlmostEqual(known["metrics"]["calibration_error"], calibration_error(probabilities, truths), places=12)
        self.assertEqual(known["metrics"]["holdout_rows"], 502)

    def test_refuses_what_is_no_row(self) -> None:
        for probabilities, truths, what in [
            ([], [], "0 probabilities and 0 truths"),
            ([0.5], [1, 0], "1 probabilities and 2 truths"),
            ([1.5], [1], "1.5 is not a probability"),
            ([float("nan")], [1], "nan is not a probability"),
            ([0.5], [2], "2.0 is not a truth"),
        ]:
            with self.subTest(what=what), self.assertRaisesRegex(ValueError, what):
                calibration_error(probabilities, truths)


if __name__ == "__main__":
    unittest.main()
