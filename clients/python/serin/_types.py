"""What the server answers, as dictionaries: the fields that a caller may rely on. There may be more of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, TypedDict


class _Outcome(TypedDict):
    #: `accepted`, `ignored` or `repeated`
    outcome: str


class Outcome(_Outcome, total=False):
    """What came of a change; one that was ignored says why."""

    because: str
    seq: int


class _Row(TypedDict):
    id: str
    model: str
    status: str
    startedAt: str


class Run(_Row, total=False):
    #: Only when it has ended: `succeeded`, `refused`, `failed` or `cancelled`.
    endedAt: str
    because: str
    #: In a list: the version that it has made.
    version: int
    #: Of one run: what its jobs have left.
    trained: Dict[str, Any]
    scores: Dict[str, Dict[str, float]]
    verdict: Dict[str, Any]
    trigger: Any
    dataset: Any


class Rollout(_Row, total=False):
    #: Only when it has ended: `promoted`, `rolledBack` or `aborted`.
    endedAt: str
    because: str
    #: In a list it is called `version`.
    candidate: int
    version: int
    stable: int
    #: Percent of the traffic that the candidate gets.
    weight: float
    steps: List[float]
    story: List[Dict[str, str]]


class _Model(TypedDict):
    model: str


class Model(_Model, total=False):
    champion: int
    seq: int
    run: Any
    rollout: Any
    endpoint: Dict[str, Any]
    intake: Dict[str, Any]
    monitor: Dict[str, Any]
    plan: Dict[str, Any]


class _Served(TypedDict):
    at: str
    because: str


class Served(_Served, total=False):
    #: None where nothing served.
    version: int


class _Traffic(TypedDict):
    model: str
    tickMs: int
    #: Oldest first: `at`, and under `deployments` by name: `requests`, `errors`, `slow`.
    ticks: List[Dict[str, Any]]


class Traffic(_Traffic, total=False):
    latency: Dict[str, float]
    slowMs: float
    #: Why there is nothing.
    because: str


class _Version(TypedDict):
    number: int
    model: str
    run: str
    at: str
    champion: bool
    #: Of the training.
    metrics: Dict[str, float]
    #: Of the hold-out: of each dataset that it was scored on.
    scores: Dict[str, Dict[str, float]]
    lineage: Dict[str, str]


class Version(_Version, total=False):
    verdict: Dict[str, Any]
    approval: Dict[str, Any]


class _Why(TypedDict):
    sentence: str
    numbers: Dict[str, float]
    story: List[Dict[str, str]]


class Why(_Why, total=False):
    certificate: Dict[str, Any]


class LabelResult(TypedDict):
    requestId: str
    #: `recorded`, `duplicate`, `conflict`, `unknown` or `late`
    status: str


class _ModelLabels(TypedDict):
    model: str
    files: List[Dict[str, Any]]


class ModelLabels(_ModelLabels, total=False):
    #: not on a cloud, which does not know of a label whose it is
    totals: Dict[str, int]


class Event(TypedDict):
    """A CloudEvent, and its position: `events(after=...)` goes on behind it."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    data: Dict[str, Any]
    position: int


@dataclass(frozen=True)
class Expected:
    """The run of a model that comes after what is known."""

    model: str
    #: The newest run before; None: there was none.
    after: Optional[str]
    #: What had been skipped before.
    skipped: Any


@dataclass(frozen=True)
class Dropped(Expected):
    """A file of data that was written."""

    bucket: str
    key: str
    #: Models that take data from there.
    models: List[str]


@dataclass(frozen=True)
class Started(Expected):
    """What came of asking for a run."""

    outcome: str
    #: Why nothing was started.
    because: Optional[str]
    #: The run that has begun; None: it waits behind the active one, or there is none.
    run: Optional[str]


@dataclass(frozen=True)
class Prediction:
    #: What the model answered: parsed where it is JSON, else bytes.
    answer: Any
    #: Which version answered; None: the gateway did not say.
    version: Optional[int]
    #: What a label names.
    request_id: str
