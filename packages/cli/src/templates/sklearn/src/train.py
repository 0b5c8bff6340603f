"""Trains gradient boosting on the train channel. Hyperparameters come as --name value."""

import argparse
import json
import os
import pathlib

import joblib
from sklearn.ensemble import HistGradientBoostingClassifier

from rows import read_rows

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--learning-rate", type=float, default=0.05)
    parser.add_argument("--max-iter", type=int, default=100)
    parser.add_argument("--max-depth", type=int, default=3)
    arguments = parser.parse_args()

    features, targets = read_rows(os.environ["SM_CHANNEL_TRAIN"])
    model = HistGradientBoostingClassifier(**vars(arguments), random_state=0).fit(features, targets)

    metrics = {"rows": len(targets), "trainAccuracy": model.score(features, targets)}
    print(f"{metrics['rows']} rows: accuracy {metrics['trainAccuracy']:.3f} in training")
    joblib.dump(model, pathlib.Path(os.environ["SM_MODEL_DIR"], "model.joblib"))
    pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "metrics.json").write_text(json.dumps(metrics))
