"""The network, and what evaluate.py and serve.py ask it: where it is kept, and how it predicts."""

import pathlib

import torch


class Network(torch.nn.Module):
    """Two layers over features that are brought to one scale; what that takes is kept with the model."""

    def __init__(self, inputs, hidden, mean=None, deviation=None):
        super().__init__()
        self.register_buffer("mean", torch.zeros(inputs) if mean is None else mean)
        self.register_buffer("deviation", torch.ones(inputs) if deviation is None else deviation)
        self.layers = torch.nn.Sequential(torch.nn.Linear(inputs, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 1))

    def forward(self, rows):
        return self.layers((rows - self.mean) / self.deviation).squeeze(1)


def load(directory):
    # One thread for each request is quicker than all of them for one so small.
    torch.set_num_threads(1)
    kept = torch.load(pathlib.Path(directory, "model.pt"), weights_only=True)
    model = Network(**kept["shape"])
    model.load_state_dict(kept["state"])
    return model.eval()


def predict(model, rows):
    """The probability of the target, one for each row."""
    with torch.inference_mode():
        return torch.sigmoid(model(torch.tensor(rows, dtype=torch.float32))).tolist()
