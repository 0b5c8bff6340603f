"""What evaluate.py and serve.py ask a model: where it is kept, and how it predicts."""

import pathlib

import numpy
import xgboost

from rows import FEATURES


def load(directory):
    return xgboost.Booster(model_file=pathlib.Path(directory, "model.json"))


def predict(model, rows):
    """The probability of the target, one for each row."""
    return model.predict(xgboost.DMatrix(numpy.array(rows), feature_names=FEATURES)).tolist()
