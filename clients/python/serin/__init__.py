"""
A client of Serin, of the standard library only.

    import serin

    client = serin.connect()
    run = client.runs.wait(client.drop("weather", "2013.csv"))
    prediction = client.predict("weather", [{"temp_max": 12.8, "temp_min": 5.0, "precipitation": 0.0, "wind": 4.7}])
    client.label(prediction, truth="rain")
"""

from ._calibration import calibration_error
from ._client import Client, connect
from ._errors import (
    AccessError,
    BusyError,
    ConflictError,
    InvalidError,
    NotFoundError,
    PredictionError,
    SerinError,
    ServerError,
    UnreachableError,
    UnsupportedError,
    UsageError,
    WaitTimeoutError,
)
from ._types import (
    Dropped,
    Event,
    Expected,
    LabelResult,
    Model,
    ModelLabels,
    Outcome,
    Prediction,
    Rollout,
    Run,
    Served,
    Started,
    Traffic,
    Version,
    Why,
)

__version__ = "0.1.0"

__all__ = [
    "AccessError",
    "BusyError",
    "Client",
    "ConflictError",
    "Dropped",
    "Event",
    "Expected",
    "InvalidError",
    "LabelResult",
    "Model",
    "ModelLabels",
    "NotFoundError",
    "Outcome",
    "Prediction",
    "PredictionError",
    "Rollout",
    "Run",
    "SerinError",
    "Served",
    "ServerError",
    "Started",
    "Traffic",
    "UnreachableError",
    "UnsupportedError",
    "UsageError",
    "Version",
    "WaitTimeoutError",
    "Why",
    "calibration_error",
    "connect",
]
