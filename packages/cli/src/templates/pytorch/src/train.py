"""Trains a small network on the train channel, by PyTorch. Hyperparameters come as --name value."""

import argparse
import json
import os
import pathlib

import torch

from predictor import Network
from rows import read_rows

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--learning-rate", type=float, default=0.02)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--hidden", type=int, default=16)
    arguments = parser.parse_args()

    torch.manual_seed(0)
    features, targets = (torch.tensor(part, dtype=torch.float32) for part in read_rows(os.environ["SM_CHANNEL_TRAIN"]))
    model = Network(features.shape[1], arguments.hidden, features.mean(0), features.std(0) + 1e-6)
    optimizer = torch.optim.Adam(model.parameters(), lr=arguments.learning_rate)
    loss_of = torch.nn.BCEWithLogitsLoss()
    for epoch in range(1, arguments.epochs + 1):
        optimizer.zero_grad()
        loss = loss_of(model(features), targets)
        loss.backward()
        optimizer.step()
        if epoch % 50 == 0:
            print(f"epoch={epoch} loss={loss.item():.4f}")

    metrics = {"rows": len(targets), "trainLoss": loss.item()}
    shape = {"inputs": features.shape[1], "hidden": arguments.hidden}
    torch.save({"shape": shape, "state": model.state_dict()}, pathlib.Path(os.environ["SM_MODEL_DIR"], "model.pt"))
    pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "metrics.json").write_text(json.dumps(metrics))
