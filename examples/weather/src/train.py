"""Trains a random forest on all CSV files of a folder: run by hand, or by Serin."""

import argparse
import os
import pathlib

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

FEATURES = ["precipitation", "temp_max", "temp_min", "wind"]


def read(folder):
    files = sorted(pathlib.Path(folder).rglob("*.csv"))
    if not files:
        raise SystemExit(f"no CSV files in {folder}")
    return pd.concat(map(pd.read_csv, files), ignore_index=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--trees", type=int, default=50)
    parser.add_argument("--data", default=os.environ.get("SM_CHANNEL_TRAIN", "../data"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR", "."))
    args = parser.parse_args()

    days = read(args.data)
    forest = RandomForestClassifier(n_estimators=args.trees, min_samples_leaf=5, random_state=0)
    forest.fit(days[FEATURES].to_numpy(), days["weather"])

    joblib.dump(forest, pathlib.Path(args.model_dir, "model.joblib"))
    print(f"trained on {len(days)} days, {days['date'].min()} to {days['date'].max()}")
