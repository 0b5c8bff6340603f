"""Scores a model on the hold-out; both are channels of the job."""

import json
import os

from sklearn.metrics import accuracy_score, f1_score

from train import model_fn
from wine import read_rows

if __name__ == "__main__":
    features, classes = read_rows(os.environ["SM_CHANNEL_HOLDOUT"])
    predicted = model_fn(os.environ["SM_CHANNEL_MODEL"]).predict(features)
    metrics = {
        "accuracy": float(accuracy_score(classes, predicted)),
        "macroF1": float(f1_score(classes, predicted, average="macro")),
    }
    print(f"{len(classes)} wines: accuracy {metrics['accuracy']:.4f}, macro F1 {metrics['macroF1']:.4f}")
    with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "metrics.json"), "w") as file:
        json.dump(metrics, file)
