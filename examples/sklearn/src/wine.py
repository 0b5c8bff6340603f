"""The rows of the wine data: what was measured of a wine, and which of three cultivars it is of."""

import csv
import pathlib
import sys

FEATURES = [
    "alcohol",
    "malic_acid",
    "ash",
    "alcalinity_of_ash",
    "magnesium",
    "total_phenols",
    "flavanoids",
    "nonflavanoid_phenols",
    "proanthocyanins",
    "color_intensity",
    "hue",
    "od280_od315",
    "proline",
]


def read_rows(directory):
    """Features and classes of all CSV files under a directory; a file that cannot be read ends the program."""
    features, classes = [], []
    for path in sorted(pathlib.Path(directory).rglob("*.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                try:
                    features.append(vector(row))
                    classes.append(int(row["class"]))
                except (KeyError, TypeError, ValueError) as error:
                    sys.exit(f"{path.name}:{len(classes) + 2}: {error!r}; expected numbers in {', '.join(FEATURES)} and class")
    if not classes:
        sys.exit(f"no rows in {directory}: expected CSV files with the columns {', '.join(FEATURES)} and class")
    return features, classes


def vector(wine):
    return [float(wine[name]) for name in FEATURES]
