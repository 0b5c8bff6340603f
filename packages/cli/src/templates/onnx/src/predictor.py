"""What evaluate.py and serve.py ask a model: where it is kept, and how it predicts. Only ONNX Runtime is needed here."""

import pathlib

import numpy
import onnxruntime


def load(directory):
    return onnxruntime.InferenceSession(pathlib.Path(directory, "model.onnx"), providers=["CPUExecutionProvider"])


def predict(model, rows):
    """The probability of the target, one for each row."""
    _, probabilities = model.run(None, {"rows": numpy.array(rows, dtype=numpy.float32)})
    return probabilities[:, 1].tolist()
