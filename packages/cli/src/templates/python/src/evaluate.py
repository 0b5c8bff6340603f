"""Scores a model on the rows that its training never saw. The gate reads metrics.json."""

import json
import os
import pathlib

import predictor
from rows import read_rows


def auc(targets, scores):
    """The chance that a customer who left has a higher score than one who stayed; a tie counts half."""
    left = [score for target, score in zip(targets, scores) if target == 1]
    stayed = [score for target, score in zip(targets, scores) if target == 0]
    wins = sum((a > b) + (a == b) / 2 for a in left for b in stayed)
    return wins / (len(left) * len(stayed))


def calibration_error(targets, scores):
    """How far scores are from the share of customers who left, in each tenth of them, on average over all customers."""
    missed = [0.0] * 10
    for target, score in zip(targets, scores):
        missed[min(9, int(10 * score))] += score - target
    return sum(abs(each) for each in missed) / len(targets)


if __name__ == "__main__":
    features, targets = read_rows(os.environ["SM_CHANNEL_HOLDOUT"])
    scores = predictor.predict(predictor.load(os.environ["SM_CHANNEL_MODEL"]), features)
    right = sum((score >= 0.5) == (target == 1) for target, score in zip(targets, scores))
    metrics = {"auc": auc(targets, scores), "accuracy": right / len(targets)}
    # Of calibrated scores Serin can estimate how good predictions are before it is known who left: monitor.estimate.
    metrics |= {"calibration_error": calibration_error(targets, scores), "holdout_rows": len(targets)}
    print(f"{len(targets)} rows: auc {metrics['auc']:.3f}, accuracy {metrics['accuracy']:.3f}")
    pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "metrics.json").write_text(json.dumps(metrics))
