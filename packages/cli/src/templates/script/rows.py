"""The rows of the data. Written by serin init from what __SCRIPT__ says, and yours to change."""

import csv
import pathlib
import sys

TARGET = __TARGET__
EXPECTED = f"the columns of the data, without {TARGET}"


def read_rows(directory):
    """The rows of all CSV files in a directory, and the target of each."""
    rows = []
    for path in sorted(pathlib.Path(directory).rglob("*.csv")):
        with path.open(newline="") as file:
            rows += [{name: value(text) for name, text in row.items()} for row in csv.DictReader(file)]
    if not rows:
        sys.exit(f"no rows in {directory}: expected CSV files")
    if TARGET not in rows[0]:
        sys.exit(f"the data has no column {TARGET}: its columns are {', '.join(rows[0])}; correct TARGET in {__file__}")
    targets = [row.pop(TARGET) for row in rows]
    return rows, targets


def value(text):
    """A number where the text is one. A field without text is one that is missing, as pandas reads it."""
    try:
        return float(text) if text else float("nan")
    except ValueError:
        return text


def vector(instance):
    return dict(instance)


def shown(prediction):
    return prediction
