"""The rows of the data: what is known of a customer, and whether that customer left."""

import csv
import pathlib
import sys

FEATURES = ["tenure_months", "monthly_fee", "support_calls", "late_payments"]
TARGET = "churned"
EXPECTED = f"numbers for {', '.join(FEATURES)}"


def read_rows(directory):
    """Features and targets of all CSV files in a directory. A row that cannot be read ends the program, with its place."""
    features, targets = [], []
    for path in sorted(pathlib.Path(directory).rglob("*.csv")):
        with path.open(newline="") as file:
            reader = csv.DictReader(file)
            for row in reader:
                try:
                    features.append(vector(row))
                    targets.append(int(row[TARGET]))
                except (KeyError, TypeError, ValueError) as error:
                    sys.exit(f"{path.name}:{reader.line_num}: {error!r}; expected numbers in {', '.join([*FEATURES, TARGET])}")
    if not targets:
        sys.exit(f"no rows in {directory}: expected CSV files with the columns {', '.join([*FEATURES, TARGET])}")
    return features, targets


def vector(instance):
    return [float(instance[name]) for name in FEATURES]


def shown(score):
    """What serve.py answers for one row."""
    return {"churned": score >= 0.5, "probability": round(score, 4)}
