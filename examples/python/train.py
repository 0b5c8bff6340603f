"""Fits a line to the points x,y of the CSV files in the train channel, by gradient descent.

Runs unchanged as a SageMaker script, on Vertex AI, on Azure ML, and under Serin on one machine.
"""

import argparse
import csv
import json
import math
import os
import pathlib
import sys


def read_points(directory):
    points = []
    for path in sorted(pathlib.Path(directory).rglob("*.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                points.append((float(row["x"]), float(row["y"])))
    if not points:
        sys.exit(f"no points in {directory}: expected CSV files with the columns x,y")
    return points


def fit(points, epochs, learning_rate):
    slope, intercept = 0.0, 0.0
    for epoch in range(1, epochs + 1):
        errors = [(slope * x + intercept - y, x) for x, y in points]
        slope -= learning_rate * 2 * sum(error * x for error, x in errors) / len(points)
        intercept -= learning_rate * 2 * sum(error for error, _ in errors) / len(points)
        if epoch == epochs or epoch % 100 == 0:
            rmse = math.sqrt(sum((slope * x + intercept - y) ** 2 for x, y in points) / len(points))
            print(f"epoch={epoch} rmse={rmse:.6f}")
    return {"slope": slope, "intercept": intercept}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=500)
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    arguments = parser.parse_args()

    model = fit(read_points(arguments.train), arguments.epochs, arguments.learning_rate)
    pathlib.Path(arguments.model_dir, "model.json").write_text(json.dumps(model))


if __name__ == "__main__":
    main()
