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


if __name__ == "__main__":
    features, targets = read_rows(os.environ["SM_CHANNEL_HOLDOUT"])
    scores = predictor.predict(predictor.load(os.environ["SM_CHANNEL_MODEL"]), features)
    right = sum((score >= 0.5) == (target == 1) for target, score in zip(targets, scores))
    metrics = {"auc": auc(targets, scores), "accuracy": right / len(targets)}
    print(f"{len(targets)} rows: auc {metrics['auc']:.3f}, accuracy {metrics['accuracy']:.3f}")
    pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "metrics.json").write_text(json.dumps(metrics))
