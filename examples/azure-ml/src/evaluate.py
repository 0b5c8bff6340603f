"""Scores a model on the hold-out, which the training has not seen: a second command job, with Serin's metrics.json."""

import csv
import datetime
import json
import os
import pathlib

model = json.loads(pathlib.Path(os.environ["AZURE_ML_INPUT_model"], "model.json").read_text())
errors = []
for path in sorted(pathlib.Path(os.environ["AZURE_ML_INPUT_holdout"]).rglob("*.csv")):
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            expected = model[datetime.date.fromisoformat(row["day"]).strftime("%A")]
            errors.append(abs(expected - int(row["births"])) / int(row["births"]))
metrics = {"mape": sum(errors) / len(errors)}
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "metrics.json").write_text(json.dumps(metrics))
