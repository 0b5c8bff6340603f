"""Trains a random forest on the train channel: a script for SageMaker's scikit-learn, run unchanged by Serin."""

import argparse
import json
import os

import joblib
from sklearn.ensemble import RandomForestClassifier

from wine import read_rows


def model_fn(model_dir):
    """What SageMaker's own scikit-learn container calls to load the model."""
    return joblib.load(os.path.join(model_dir, "model.joblib"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()

    # Hyperparameters come as arguments.
    parser.add_argument("--n-estimators", type=int, default=100)
    parser.add_argument("--max-depth", type=int, default=5)
    parser.add_argument("--random-state", type=int, default=0)

    # Directories come as variables of the container.
    parser.add_argument("--output-data-dir", type=str, default=os.environ.get("SM_OUTPUT_DATA_DIR"))
    parser.add_argument("--model-dir", type=str, default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--train", type=str, default=os.environ.get("SM_CHANNEL_TRAIN"))
    args = parser.parse_args()

    features, classes = read_rows(args.train)
    forest = RandomForestClassifier(
        n_estimators=args.n_estimators,
        max_depth=args.max_depth,
        random_state=args.random_state,
        oob_score=True,
    )
    forest.fit(features, classes)

    print(f"rows={len(classes)} oob_accuracy={forest.oob_score_:.4f}")
    joblib.dump(forest, os.path.join(args.model_dir, "model.joblib"))
    with open(os.path.join(args.output_data_dir, "metrics.json"), "w") as file:
        json.dump({"rows": len(classes), "oobAccuracy": forest.oob_score_}, file)
