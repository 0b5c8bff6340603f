import os
from pathlib import Path

import joblib
import pandas as pd
from sklearn.linear_model import LogisticRegression

DATA_DIR = os.environ.get("DATA_DIR", "data")
MODEL_PATH = os.getenv("MODEL_PATH", "out/model.joblib")
MAX_ITER = int(os.environ.get("MAX_ITER", "200"))
API_KEY = os.environ.get("WEATHER_API_KEY", "none")


def main():
    frame = pd.concat(pd.read_csv(path) for path in sorted(Path(DATA_DIR).glob("*.csv")))
    target = frame["left"]
    model = LogisticRegression(max_iter=MAX_ITER).fit(frame.drop(columns="left"), target)
    Path(MODEL_PATH).parent.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, MODEL_PATH)


main()
