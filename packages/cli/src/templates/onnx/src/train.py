"""Trains logistic regression by scikit-learn, and keeps it as ONNX. Hyperparameters come as --name value."""

import argparse
import json
import os
import pathlib

from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rows import FEATURES, read_rows

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--penalty", type=float, default=1.0)
    parser.add_argument("--max-iter", type=int, default=200)
    arguments = parser.parse_args()

    features, targets = read_rows(os.environ["SM_CHANNEL_TRAIN"])
    regression = LogisticRegression(C=1 / arguments.penalty, max_iter=arguments.max_iter)
    model = make_pipeline(StandardScaler(), regression).fit(features, targets)

    metrics = {"rows": len(targets), "trainAccuracy": model.score(features, targets)}
    print(f"{metrics['rows']} rows: accuracy {metrics['trainAccuracy']:.3f} in training")
    # zipmap would answer with a list of dictionaries; without it the probabilities are one matrix.
    rows = [("rows", FloatTensorType([None, len(FEATURES)]))]
    onnx = to_onnx(model, initial_types=rows, options={"zipmap": False})
    pathlib.Path(os.environ["SM_MODEL_DIR"], "model.onnx").write_bytes(onnx.SerializeToString())
    pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "metrics.json").write_text(json.dumps(metrics))
