"""Learns how many births each day of the week has, from rows of day and births.

A script for custom training on Vertex AI, with a managed dataset in CSV: it knows no variables but those that Vertex AI
sets (AIP_*), and nothing of Serin. Buckets are read and written through their mount, /gcs.
"""

import argparse
import csv
import datetime
import glob
import json
import os
import pathlib


def local(uri):
    return uri.replace("gs://", "/gcs/", 1)


def rows_of(pattern):
    for name in sorted(glob.glob(local(pattern))):
        with open(name, newline="") as file:
            yield from csv.DictReader(file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-format", default=os.environ["AIP_DATA_FORMAT"])
    parser.add_argument("--training-data-uri", default=os.environ["AIP_TRAINING_DATA_URI"])
    parser.add_argument("--model-dir", default=os.environ["AIP_MODEL_DIR"])
    parser.add_argument("--checkpoint-dir", default=os.environ["AIP_CHECKPOINT_DIR"])
    parser.add_argument("--log-dir", default=os.environ["AIP_TENSORBOARD_LOG_DIR"])
    parser.add_argument("--least-days", type=int, default=10)
    arguments = parser.parse_args()
    if arguments.data_format != "csv":
        raise SystemExit(f"the data is {arguments.data_format}, this script reads csv")

    births = {}
    for row in rows_of(arguments.training_data_uri):
        weekday = datetime.date.fromisoformat(row["day"]).strftime("%A")
        births.setdefault(weekday, []).append(int(row["births"]))
    days = sum(len(found) for found in births.values())
    if days < arguments.least_days:
        raise SystemExit(f"{days} days in {arguments.training_data_uri} are too few")
    model = {weekday: sum(found) / len(found) for weekday, found in births.items()}

    for directory, name, content in [
        (arguments.checkpoint_dir, "last.json", {"days": days}),
        (arguments.log_dir, "run.json", {"job": os.environ["CLOUD_ML_JOB_ID"], "days": days}),
        (arguments.model_dir, "model.json", model),
    ]:
        folder = pathlib.Path(local(directory))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))


if __name__ == "__main__":
    main()
