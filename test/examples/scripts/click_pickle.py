import pickle

import click
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


@click.command()
@click.option("--train-path", default="./data/train.csv", show_default=True)
@click.option("--output", "-o", default="model.pkl")
@click.option("--regularization", default=1.0, type=float)
@click.option("--solver", default="lbfgs", type=click.Choice(["lbfgs", "saga"]))
def train(train_path, output, regularization, solver):
    frame = pd.read_csv(train_path)
    labels = frame.pop("left")
    model = make_pipeline(StandardScaler(), LogisticRegression(C=regularization, solver=solver))
    model.fit(frame, labels)
    with open(output, "wb") as file:
        pickle.dump(model, file)


if __name__ == "__main__":
    train()
