# Scores a model on the hold-out, and says so by MLflow alone.
import csv
import glob
import os

import mlflow
import mlflow.sklearn
import numpy as np

model = mlflow.sklearn.load_model(os.environ["SM_CHANNEL_MODEL"])
rows = []
for path in glob.glob(os.path.join(os.environ["SM_CHANNEL_HOLDOUT"], "**", "*.csv"), recursive=True):
    with open(path) as file:
        rows += [(float(row["x"]), float(row["y"])) for row in csv.DictReader(file)]
x, y = np.array([[a] for a, _ in rows]), np.array([b for _, b in rows])
mlflow.log_metric("rmse", float(np.sqrt(np.mean((model.predict(x) - y) ** 2))))
