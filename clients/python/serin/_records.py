"""What a project has: runs, models, versions, rollouts, labels."""

from __future__ import annotations

import time as clock
from datetime import datetime
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, TypeVar, Union

from ._encode import given, instant
from ._errors import ConflictError, WaitTimeoutError
from ._http import Transport, path_of
from ._types import Expected, LabelResult, Model, ModelLabels, Outcome, Rollout, Run, Served, Started, Traffic, Version

Found = TypeVar("Found")
Ended = TypeVar("Ended", Run, Rollout)

_LABELS_AT_ONCE = 1000
_FASTEST_LOOK_S = 0.2
_SLOWEST_LOOK_S = 2.0
_LOG_LOOK_S = 1.0


class Runs:
    def __init__(self, transport: Transport) -> None:
        self._http = transport

    def list(self, model: Optional[str] = None, status: Optional[str] = None, limit: int = 50) -> List[Run]:
        """Newest first."""
        rows: List[Run] = self._http.items("runs", path_of("v1", "runs"), {"model": model, "status": status}, limit)
        return rows

    def get(self, id: str) -> Run:
        run: Run = self._http.get(path_of("v1", "runs", id))
        return run

    def start(
        self,
        model: str,
        *,
        hyperparameters: Optional[Mapping[str, object]] = None,
        force: Optional[bool] = None,
        because: Optional[str] = None,
        key: Optional[str] = None,
    ) -> Started:
        """Asks for a run on the newest dataset version; `force`: also where its inputs are those of an earlier one."""
        known = self.expected(model)
        params = None if hyperparameters is None else {name: str(value) for name, value in hyperparameters.items()}
        body = {"model": model, **given({"hyperparameters": params, "force": force, "because": because})}
        answer = self._http.post(path_of("v1", "runs"), body, key)
        begun = [answer["outcome"], answer.get("because"), answer.get("run")]
        return Started(model, known.after, known.skipped, *begun)

    def wait(self, run: Union[str, Expected], timeout: float = 3600.0) -> Run:
        """
        The run once it has ended, however it ended: look at its `status`. `run`: an id, or what `drop` or `start` answered.
        A run that does not begin, because nothing is new to it, is a ConflictError.
        """
        until = clock.monotonic() + timeout
        id = run if isinstance(run, str) else self._begun(run, until)
        return _wait(f"the run {id}", until, lambda: _ended(self.get(id)))

    def logs(
        self, id: str, *, job: Optional[str] = None, attempt: Optional[int] = None, follow: bool = False
    ) -> Iterator[str]:
        """The log of one of its jobs, in pieces; `job`: such as `train` or `evaluate`. With `follow` until the run ends."""
        position = 0
        while True:
            over = not follow or "endedAt" in self.get(id)
            query = {"job": job, "attempt": attempt, "from": position}
            part = self._http.get(path_of("v1", "runs", id, "logs"), query)
            if part["next"] > position:
                position = part["next"]
                yield part["text"]
            elif over:
                return
            else:
                clock.sleep(_LOG_LOOK_S)

    def cancel(self, id: str, *, key: Optional[str] = None) -> Outcome:
        outcome: Outcome = self._http.post(path_of("v1", "runs", id, "cancel"), {}, key)
        return outcome

    def expected(self, model: str) -> Expected:
        """The run of a model that comes next; `wait` takes it."""
        document: Dict[str, Any] = self._http.get(path_of("v1", "models", model))
        newest = self.list(model, limit=1)
        return Expected(model, newest[0]["id"] if newest else None, document.get("skipped"))

    def _begun(self, expected: Expected, until: float) -> str:
        if isinstance(expected, Started):
            if expected.run is not None:
                return expected.run
            if expected.outcome == "ignored":
                raise _not_begun(expected.model, expected.because)
        return _wait(f"the next run of {expected.model}", until, lambda: self._next(expected))

    def _next(self, expected: Expected) -> Optional[str]:
        ids = [row["id"] for row in self.list(expected.model, limit=50)]
        newer = ids[: ids.index(expected.after)] if expected.after in ids else ids
        if newer:
            return newer[-1]
        skipped = self._http.get(path_of("v1", "models", expected.model)).get("skipped")
        if skipped is not None and skipped != expected.skipped:
            raise _not_begun(expected.model, skipped.get("because"))
        return None


class Models:
    def __init__(self, transport: Transport) -> None:
        self._http = transport

    def list(self, limit: int = 200) -> List[Model]:
        """By name."""
        rows: List[Model] = self._http.items("models", path_of("v1", "models"), {}, limit)
        return rows

    def get(self, model: str) -> Model:
        found: Model = self._http.get(path_of("v1", "models", model))
        return found

    def history(self, model: str, at: Union[datetime, str, None] = None) -> List[Served]:
        """What served when, newest first; with `at` the one version that served then."""
        query = {} if at is None else {"at": instant(at)}
        served: List[Served] = self._http.get(path_of("v1", "models", model, "history"), query)["served"]
        return served


    def traffic(
        self, model: str, since: Union[datetime, str, None] = None, until: Union[datetime, str, None] = None
    ) -> Traffic:
        """Requests, failures and slow answers of each deployment over time: of the last day, or between two times."""
        query = {name: instant(time) for name, time in (("from", since), ("to", until)) if time is not None}
        traffic: Traffic = self._http.get(path_of("v1", "models", model, "traffic"), query)
        return traffic


class Versions:
    def __init__(self, transport: Transport) -> None:
        self._http = transport

    def list(self, model: str) -> List[Version]:
        """Newest first: the newest twenty, and those in use."""
        rows: List[Version] = self._http.get(path_of("v1", "models", model, "versions"))["versions"]
        return rows

    def get(self, model: str, number: int) -> Version:
        version: Version = self._http.get(path_of("v1", "models", model, "versions", number))
        return version

    def approve(
        self,
        model: str,
        number: int,
        note: Optional[str] = None,
        *,
        override: Optional[str] = None,
        key: Optional[str] = None,
    ) -> Outcome:
        """Says yes to an offered version; `override`: why although alerts fire."""
        return self._tell(model, number, "approve", {"note": note, "override": override}, key)

    def reject(self, model: str, number: int, note: Optional[str] = None, *, key: Optional[str] = None) -> Outcome:
        return self._tell(model, number, "reject", {"note": note}, key)

    def restore(self, model: str, number: int, because: str, *, key: Optional[str] = None) -> Outcome:
        """Lifts the quarantine of a version, if it has one, and offers it again."""
        return self._tell(model, number, "restore", {"because": because}, key)

    def _tell(
        self, model: str, number: int, verb: str, body: Mapping[str, Optional[str]], key: Optional[str]
    ) -> Outcome:
        path = path_of("v1", "models", model, "versions", number, verb)
        outcome: Outcome = self._http.post(path, given(body), key)
        return outcome


class Rollouts:
    def __init__(self, transport: Transport) -> None:
        self._http = transport

    def list(self, model: Optional[str] = None, status: Optional[str] = None, limit: int = 50) -> List[Rollout]:
        """Newest first."""
        query = {"model": model, "status": status}
        rows: List[Rollout] = self._http.items("rollouts", path_of("v1", "rollouts"), query, limit)
        return rows

    def get(self, id: str) -> Rollout:
        rollout: Rollout = self._http.get(path_of("v1", "rollouts", id))
        return rollout

    def of(self, model: str, version: int, timeout: float = 60.0) -> Rollout:
        """The newest rollout of a version, once it has begun."""
        what = f"a rollout of v{version} of {model}"

        def newest() -> Optional[Rollout]:
            return next((self.get(row["id"]) for row in self.list(model) if _candidate(row) == version), None)

        return _wait(what, clock.monotonic() + timeout, newest)

    def wait(self, id: str, timeout: float = 3600.0) -> Rollout:
        """The rollout once it has ended, however it ended: look at its `status`."""
        return _wait(f"the rollout {id}", clock.monotonic() + timeout, lambda: _ended(self.get(id)))

    def promote(self, id: str, because: Optional[str] = None, *, key: Optional[str] = None) -> Outcome:
        """Gives the candidate all traffic now."""
        return self._tell(id, "promote", because, key)

    def abort(self, id: str, because: Optional[str] = None, *, key: Optional[str] = None) -> Outcome:
        """Takes all traffic back from the candidate."""
        return self._tell(id, "abort", because, key)

    def pause(self, id: str, because: Optional[str] = None, *, key: Optional[str] = None) -> Outcome:
        """Holds the weight where it is."""
        return self._tell(id, "pause", because, key)

    def resume(self, id: str, because: Optional[str] = None, *, key: Optional[str] = None) -> Outcome:
        """Bakes the step again."""
        return self._tell(id, "resume", because, key)

    def _tell(self, id: str, verb: str, because: Optional[str], key: Optional[str]) -> Outcome:
        outcome: Outcome = self._http.post(path_of("v1", "rollouts", id, verb), given({"because": because}), key)
        return outcome


class Labels:
    def __init__(self, transport: Transport) -> None:
        self._http = transport

    def send(self, labels: Iterable[Mapping[str, Any]], *, key: Optional[str] = None) -> List[LabelResult]:
        """
        Labels as the API has them: `requestId`, `time`, and one of `truth`, `wrong` and `loss`. What became of each, in
        order. What was sent before a failure is recorded; all of it may be sent again.
        """
        results: List[LabelResult] = []
        rest = list(labels)
        for at in range(0, len(rest), _LABELS_AT_ONCE):
            part = {"labels": rest[at : at + _LABELS_AT_ONCE]}
            part_key = None if key is None else f"{key}-{at}"
            results += self._http.post(path_of("v1", "labels"), part, part_key)["results"]
        return results

    def get(self, model: str) -> ModelLabels:
        """How many labels of a model came to what, and its last files of labels."""
        labels: ModelLabels = self._http.get(path_of("v1", "models", model, "labels"))
        return labels


def _wait(what: str, until: float, look: Callable[[], Optional[Found]]) -> Found:
    wait = _FASTEST_LOOK_S
    while True:
        found = look()
        if found is not None:
            return found
        if clock.monotonic() >= until:
            raise WaitTimeoutError(
                f"{what} took longer than the time given", why="it goes on by itself", mend="wait again, or ask why(...)"
            )
        clock.sleep(max(0.0, min(wait, until - clock.monotonic())))
        wait = min(wait * 1.5, _SLOWEST_LOOK_S)


def _ended(record: Ended) -> Optional[Ended]:
    return record if "endedAt" in record else None


def _not_begun(model: str, because: Optional[str]) -> ConflictError:
    return ConflictError(
        f"no run of {model} was started", why=because, mend="drop data that is new, or start one with force=True"
    )


def _candidate(row: Rollout) -> Optional[int]:
    # A list names it `version`, the rollout itself `candidate`.
    return row.get("candidate", row.get("version"))
