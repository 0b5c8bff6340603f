"""Scores the model of __SCRIPT__ on the rows that its training never saw. The gate reads metrics.json."""

import json
import os
import pathlib

import predictor
from rows import read_rows


def accuracy(targets, predictions):
    return sum(target == prediction for target, prediction in zip(targets, predictions)) / len(targets)


def r2(targets, predictions):
    """1 is exact, 0 is no better than the mean of all."""
    mean = sum(targets) / len(targets)
    missed = sum((target - prediction) ** 2 for target, prediction in zip(targets, predictions))
    spread = sum((target - mean) ** 2 for target in targets)
    return 1 - missed / spread if spread > 0 else 0.0


if __name__ == "__main__":
    rows, targets = read_rows(os.environ["SM_CHANNEL_HOLDOUT"])
    predictions = predictor.predict(predictor.load(os.environ["SM_CHANNEL_MODEL"]), rows)
    metrics = {"__METRIC__": float(__METRIC__(targets, predictions))}
    print(f"{len(targets)} rows: {metrics}")
    pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "metrics.json").write_text(json.dumps(metrics))
