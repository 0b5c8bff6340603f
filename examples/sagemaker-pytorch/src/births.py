"""Births of a day, and the network that forecasts them from the weekday and the time of year."""

import csv
import datetime
import math
import pathlib
import sys

import torch
from torch import nn

HARMONICS = 3
FEATURES = 7 + 2 * HARMONICS


class Births(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(FEATURES, hidden), nn.Tanh(), nn.Linear(hidden, 1))
        # The scale of the training data is a part of the model.
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("std", torch.ones(1))

    def forward(self, days):
        return self.layers(days).squeeze(-1) * self.std + self.mean


def features(day):
    """One of seven for the weekday, then sine and cosine of each harmonic of the year."""
    date = datetime.date.fromisoformat(day)
    turn = 2 * math.pi * date.timetuple().tm_yday / 365.2425
    waves = [wave(turn * (index + 1)) for index in range(HARMONICS) for wave in (math.sin, math.cos)]
    return [float(date.weekday() == index) for index in range(7)] + waves


def read_days(directory):
    """Days and births of all CSV files under a directory, as tensors; a file that cannot be read ends the program."""
    days, births = [], []
    for path in sorted(pathlib.Path(directory).rglob("*.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                try:
                    days.append(features(row["day"]))
                    births.append(float(row["births"]))
                except (KeyError, TypeError, ValueError) as error:
                    sys.exit(f"{path.name}:{len(births) + 2}: {error!r}; expected the columns day,births")
    if not births:
        sys.exit(f"no rows in {directory}: expected CSV files with the columns day,births")
    return torch.tensor(days), torch.tensor(births)


def load(model_dir):
    """The model that training left in a directory."""
    saved = torch.load(pathlib.Path(model_dir, "model.pth"), map_location="cpu", weights_only=True)
    model = Births(saved["hidden"])
    model.load_state_dict(saved["state"])
    return model.eval()
