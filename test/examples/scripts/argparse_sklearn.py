"""House prices."""
import argparse
import os

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split


def parse_args():
    parser = argparse.ArgumentParser(description="Train a house price model (v2)")
    parser.add_argument("-d", "--data", type=str, default="data/houses.csv", help="CSV (with a header)")
    parser.add_argument("--model-dir", default="models")
    parser.add_argument("--n-estimators", type=int, default=50)
    parser.add_argument("--max_depth", type=int, default=6)
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


def main():
    args = parse_args()
    df = pd.read_csv(args.data)
    X = df.drop(columns=["price", "id"])
    y = df["price"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
    model = RandomForestRegressor(n_estimators=args.n_estimators, max_depth=args.max_depth, random_state=42)
    model.fit(X_train, y_train)
    print("mse", mean_squared_error(y_test, model.predict(X_test)))
    os.makedirs(args.model_dir, exist_ok=True)
    joblib.dump(model, os.path.join(args.model_dir, "model.joblib"))


if __name__ == "__main__":
    main()
