"""Trains on the train channel: a SageMaker script with argparse, SM_* and checkpoints, run unchanged by Serin."""

import argparse
import json
import logging
import os
import pathlib
import sys

import torch
from torch import nn

from births import Births, read_days

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)
logger.addHandler(logging.StreamHandler(sys.stdout))


def save_checkpoint(directory, **state):
    """Written whole or not at all: a spot machine may be taken away at any time."""
    directory.mkdir(parents=True, exist_ok=True)
    torch.save(state, directory / "checkpoint.tmp")
    os.replace(directory / "checkpoint.tmp", directory / "checkpoint.pth")


def load_checkpoint(directory, model, optimizer, device):
    """The epochs that were done before; 0 when there is no checkpoint."""
    path = directory / "checkpoint.pth"
    if not path.exists():
        return 0
    state = torch.load(path, map_location=device)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    logger.info("resumed after epoch=%d", state["epoch"])
    return state["epoch"]


def train(args):
    device = torch.device("cuda" if args.num_gpus > 0 else "cpu")
    torch.manual_seed(args.seed)
    days, births = (tensor.to(device) for tensor in read_days(args.train))

    model = Births(args.hidden).to(device)
    model.mean.fill_(births.mean())
    model.std.fill_(births.std())
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    done = load_checkpoint(args.checkpoint_dir, model, optimizer, device)

    loss_of = nn.MSELoss()
    for epoch in range(done + 1, args.epochs + 1):
        optimizer.zero_grad()
        loss = loss_of((model(days) - model.mean) / model.std, (births - model.mean) / model.std)
        loss.backward()
        optimizer.step()
        if epoch % args.log_interval == 0 or epoch == args.epochs:
            logger.info("epoch=%d train_loss=%.6f", epoch, loss.item())
            save_checkpoint(
                args.checkpoint_dir, epoch=epoch, model=model.state_dict(), optimizer=optimizer.state_dict()
            )

    with torch.no_grad():
        share = ((model(days) - births).abs() / births).mean().item()
    torch.save({"hidden": args.hidden, "state": model.cpu().state_dict()}, args.model_dir / "model.pth")
    (args.output_data_dir / "metrics.json").write_text(json.dumps({"trainMape": share, "trainDays": len(births)}))
    logger.info("trained on %d days: train_mape=%.4f", len(births), share)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()

    # Hyperparameters come as arguments.
    parser.add_argument("--epochs", type=int, default=400)
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--hidden", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log-interval", type=int, default=50)

    # Container environment. The name of the checkpoint folder is Vertex AI's, which Serin sets everywhere: SageMaker
    # itself has none, and always mounts the same folder.
    parser.add_argument("--train", type=str, default=os.environ["SM_CHANNEL_TRAIN"])
    parser.add_argument("--model-dir", type=pathlib.Path, default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--output-data-dir", type=pathlib.Path, default=os.environ["SM_OUTPUT_DATA_DIR"])
    parser.add_argument("--num-gpus", type=int, default=os.environ["SM_NUM_GPUS"])
    parser.add_argument(
        "--checkpoint-dir", type=pathlib.Path, default=os.environ.get("AIP_CHECKPOINT_DIR", "/opt/ml/checkpoints")
    )
    train(parser.parse_args())
