"""Learns how many births each day of the week has, from rows of day and births.

The script of a command job of Azure ML (SDK v2): it gets its folders as arguments, which the job fills in for
${{inputs.train}} and ${{outputs.model}}, and logs to MLflow if the image has it. It knows nothing of Serin.
"""

import argparse
import csv
import datetime
import json
import os
import pathlib

try:
    import mlflow
except ImportError:
    mlflow = None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--training-data", type=pathlib.Path, required=True)
    parser.add_argument("--model-output", type=pathlib.Path, required=True)
    parser.add_argument("--least-days", type=int, default=10)
    arguments = parser.parse_args()

    births = {}
    for path in sorted(arguments.training_data.rglob("*.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                weekday = datetime.date.fromisoformat(row["day"]).strftime("%A")
                births.setdefault(weekday, []).append(int(row["births"]))
    days = sum(len(found) for found in births.values())
    if days < arguments.least_days:
        raise SystemExit(f"{days} days in {arguments.training_data} are too few")

    # Azure ML gives an output of a folder its path in this variable as well.
    folder = pathlib.Path(os.environ["AZURE_ML_OUTPUT_model"])
    assert folder == arguments.model_output, f"{folder} is not {arguments.model_output}"
    folder.mkdir(parents=True, exist_ok=True)
    model = {weekday: sum(found) / len(found) for weekday, found in births.items()}
    (folder / "model.json").write_text(json.dumps(model))
    (folder / "run.json").write_text(json.dumps({"run": os.environ["AZUREML_RUN_ID"], "days": days}))
    if mlflow is not None:
        mlflow.log_metric("days", days)


if __name__ == "__main__":
    main()
