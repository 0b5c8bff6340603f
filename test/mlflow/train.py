# A program that knows MLflow and where its data is, and nothing of Serin.
import csv
import glob
import os
import sys

import mlflow
import mlflow.sklearn
import numpy as np
from sklearn.linear_model import LinearRegression

rows = []
for path in glob.glob(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "**", "*.csv"), recursive=True):
    with open(path) as file:
        rows += [(float(row["x"]), float(row["y"])) for row in csv.DictReader(file)]
x, y = np.array([[a] for a, _ in rows]), np.array([b for _, b in rows])
named = {"name" if mlflow.__version__ >= "3" else "artifact_path": "model"}

mlflow.set_experiment("my own experiment")
with mlflow.start_run(run_name="fit") as run:
    assert run.info.run_id.startswith("run_"), run.info.run_id
    mlflow.log_param("rows", len(rows))
    mlflow.set_tag("team", "lines")
    model = LinearRegression().fit(x, y)
    for step in range(3):
        mlflow.log_metric("trainRmse", float(np.sqrt(np.mean((model.predict(x) - y) ** 2))), step=step)
    mlflow.log_metric("notFinite", float("nan"))
    mlflow.log_text("as a person reads it", "notes/report.txt")
    mlflow.sklearn.log_model(LinearRegression().fit(x, y * 0), pip_requirements=["scikit-learn"], **{**named, list(named)[0]: "other"})
    info = mlflow.sklearn.log_model(model, registered_model_name="line", pip_requirements=["scikit-learn"], **named)
    mlflow.sklearn.log_model(LinearRegression().fit(x, y * 0), pip_requirements=["scikit-learn"], **{**named, list(named)[0]: "last"})
    version = mlflow.MlflowClient().search_model_versions("name = 'line'")
    print("known versions", [found.version for found in version])
    mlflow.sklearn.load_model(f"models:/line/{os.environ['COMING']}" if "COMING" in os.environ else info.model_uri)
with mlflow.start_run(run_name="beside") as beside:
    mlflow.log_metric("beside", 1)
    print("beside", beside.info.run_id)
if "TOKEN_TO" in os.environ:
    with open(os.environ["TOKEN_TO"], "w") as file:
        file.write(os.environ["MLFLOW_TRACKING_TOKEN"])
print(sys.version)
