"""Scores a model on the hold-out; both are channels of the job. `mape` is a share: 0.03 is three percent."""

import json
import os
import pathlib

import torch

from births import load, read_days

if __name__ == "__main__":
    days, births = read_days(os.environ["SM_CHANNEL_HOLDOUT"])
    with torch.no_grad():
        errors = load(os.environ["SM_CHANNEL_MODEL"])(days) - births
    metrics = {"mape": (errors.abs() / births).mean().item(), "bias": errors.mean().item()}
    print(f"{len(births)} days: mape {metrics['mape']:.4f}, bias {metrics['bias']:.1f}")
    pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "metrics.json").write_text(json.dumps(metrics))
