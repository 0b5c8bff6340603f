"""What evaluate.py and serve.py ask a model: where it is kept, and how it predicts."""

import pathlib

import joblib


def load(directory):
    return joblib.load(pathlib.Path(directory, "model.joblib"))


def predict(model, rows):
    """The probability of the target, one for each row."""
    return model.predict_proba(rows)[:, 1].tolist()
