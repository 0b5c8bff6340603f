"""Scores a model on days that its training has not seen."""

import json
import os
import pathlib

import joblib
from sklearn.metrics import accuracy_score, classification_report, f1_score

from train import FEATURES, read

if __name__ == "__main__":
    forest = joblib.load(pathlib.Path(os.environ["SM_CHANNEL_MODEL"], "model.joblib"))
    days = read(os.environ["SM_CHANNEL_HOLDOUT"])
    predicted = forest.predict(days[FEATURES].to_numpy())
    print(classification_report(days["weather"], predicted, zero_division=0))
    scores = {
        "accuracy": float(accuracy_score(days["weather"], predicted)),
        "macroF1": float(f1_score(days["weather"], predicted, average="macro", zero_division=0)),
    }
    pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "metrics.json").write_text(json.dumps(scores))
