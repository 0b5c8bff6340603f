"""How calibrated the probabilities of a model are."""

from __future__ import annotations

from typing import Iterable, SupportsFloat


def calibration_error(probabilities: Iterable[SupportsFloat], truths: Iterable[SupportsFloat]) -> float:
    """
    How far probabilities of the positive class are from what came of them, from 0 to 1: the mean over all rows of how far
    the mean probability of their tenth is from its share of positives. A truth is 0 or 1, or a bool.

    An evaluate job writes it into metrics.json as `calibration_error`; with at most 0.05 Serin estimates performance
    without labels. Of few rows chance makes it greater: 1,000 are enough. Naeini, Cooper & Hauskrecht (2015).

    Raises ValueError where there is no row, one of the two is longer, or a value is none of these.
    """
    chances, outcomes = [float(each) for each in probabilities], [float(each) for each in truths]
    if len(chances) != len(outcomes) or not chances:
        raise ValueError(f"{len(chances)} probabilities and {len(outcomes)} truths: give one of each for every row")
    missed = [0.0] * 10
    for chance, truth in zip(chances, outcomes):
        if not 0 <= chance <= 1:
            raise ValueError(f"{chance} is not a probability: give those of the positive class")
        if truth not in (0, 1):
            raise ValueError(f"{truth} is not a truth: give 1 for a row of the positive class, and 0 for another")
        missed[min(9, int(10 * chance))] += chance - truth
    return sum(abs(each) for each in missed) / len(chances)
