"""Trains XGBoost on the train channel. Hyperparameters come as --name value."""

import argparse
import json
import os
import pathlib

import xgboost

from rows import FEATURES, read_rows

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--eta", type=float, default=0.1)
    parser.add_argument("--max-depth", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()

    features, targets = read_rows(os.environ["SM_CHANNEL_TRAIN"])
    data = xgboost.DMatrix(features, label=targets, feature_names=FEATURES)
    settings = {"objective": "binary:logistic", "eta": arguments.eta, "max_depth": arguments.max_depth, "seed": 0}
    model = xgboost.train(settings, data, num_boost_round=arguments.rounds)

    right = sum((score >= 0.5) == (target == 1) for score, target in zip(model.predict(data), targets))
    metrics = {"rows": len(targets), "trainAccuracy": right / len(targets)}
    print(f"{metrics['rows']} rows: accuracy {metrics['trainAccuracy']:.3f} in training")
    model.save_model(pathlib.Path(os.environ["SM_MODEL_DIR"], "model.json"))
    pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "metrics.json").write_text(json.dumps(metrics))
