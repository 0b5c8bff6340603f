"""The client of one server."""

from __future__ import annotations

import warnings
from datetime import datetime
from typing import Any, Iterator, Mapping, Optional, Union

from ._encode import dropped_file, given, instant, prediction_bytes
from ._errors import PredictionError, UsageError, error_of
from ._http import Answer, Request, Transport, path_of, positioned
from ._records import Labels, Models, Rollouts, Runs, Versions
from ._server import find_server
from ._types import Dropped, Event, LabelResult, Outcome, Prediction, Why

Truth = Union[str, float, bool]


def connect(
    url: Optional[str] = None,
    token: Optional[str] = None,
    *,
    context: Optional[str] = None,
    timeout: float = 30.0,
) -> Client:
    """
    A client of the server that the command `serin` would talk to: SERIN_URL with SERIN_TOKEN, else the one that
    `serin dev` runs for this folder or one above it, else the current context. `url` or `context` name another one.

    `timeout`: seconds that an answer may take.
    """
    server = find_server(url=url, token=token, context=context)
    if server.token is not None and server.in_the_clear:
        warnings.warn(f"the token goes to {server.url} unencrypted; use https", stacklevel=2)
    return Client(Transport(server, timeout))


class Client:
    """
    What a program does with Serin. A change takes a `key`: with the same key it is made once, however often it is asked
    for. Without one it gets a key of its own, so that a lost answer can be asked for again.
    """

    def __init__(self, transport: Transport) -> None:
        self._http = transport
        self.runs = Runs(transport)
        self.models = Models(transport)
        self.versions = Versions(transport)
        self.rollouts = Rollouts(transport)
        self.labels = Labels(transport)

    def __repr__(self) -> str:
        return f"<serin.Client of {self._http.server.url}, from {self._http.server.source}>"

    def drop(self, model: str, data: Any, name: Optional[str] = None) -> Dropped:
        """
        Writes a file of data where a model takes its data from: the path of one, bytes with a name, or a DataFrame.

        A frame is written by the ending of `name`: `.parquet`, `.ndjson`, else CSV. `runs.wait` takes what this answers.
        """
        file, content = dropped_file(data, name)
        known = self.runs.expected(model)
        source = self._http.get(path_of("v1", "models", model))["plan"]["data"]
        bucket, key = source["bucket"], source["prefix"] + file
        written = self._http.put(path_of("v1", "buckets", bucket, "objects", key), content)
        return Dropped(model, known.after, known.skipped, bucket, key, written["models"])

    def predict(
        self,
        model: str,
        data: Any,
        *,
        content_type: str = "application/json",
        headers: Optional[Mapping[str, str]] = None,
    ) -> Prediction:
        """
        Asks the served model: a list, DataFrame or array goes as `{"instances": rows}`, a dict and bytes as they are.

        It is sent once: only a server that is too busy to take it is asked again.
        """
        request = Request(
            "POST",
            path_of("endpoints", model, "invocations"),
            content=prediction_bytes(data),
            headers={"accept": "*/*", **(headers or {}), "content-type": content_type},
            repeatable=False,
        )
        answer = self._http.send(request)
        version = _version_in(answer)
        if answer.status < 300:
            return Prediction(_answer_in(answer), version, answer.headers.get("x-serin-request-id", ""))
        problem = answer.problem()
        if problem is not None or version is None:
            raise error_of(answer.status, problem, f"a prediction of {model}")
        raise PredictionError(
            f"v{version} of {model} answered with {answer.status}",
            why=answer.content[:500].decode(errors="replace"),
            mend=f"correct the request, or look at the log of the model: serin endpoints get {model}",
            answer=_answer_in(answer),
            version=version,
            status=answer.status,
            request_id=answer.headers.get("x-serin-request-id"),
        )

    def label(
        self,
        request: Union[str, Prediction],
        truth: Optional[Truth] = None,
        time: Union[datetime, str, None] = None,
        *,
        wrong: Optional[bool] = None,
        mirror: Optional[bool] = None,
        loss: Optional[float] = None,
        key: Optional[str] = None,
    ) -> LabelResult:
        """
        Says how a prediction turned out: the `truth`, or that it was `wrong`, or its `loss` from 0 to 1. `time`: when that
        was learned; now. Twice is once.
        """
        outcome = {"truth": truth, "wrong": wrong, "mirror": mirror, "loss": loss}
        label = {"requestId": _request_id(request), "time": instant(time), **given(outcome)}
        return self.labels.send([label], key=key)[0]

    def rollback(
        self, model: str, to: Optional[int] = None, because: Optional[str] = None, *, key: Optional[str] = None
    ) -> Outcome:
        """Takes an active rollout back, or goes back to an earlier champion."""
        body = given({"to": to, "because": because})
        outcome: Outcome = self._http.post(path_of("v1", "models", model, "rollback"), body, key)
        return outcome

    def why(self, id: str) -> Why:
        """Why a model, version (`weather@3`), run or rollout is as it is; its `sentence` is for people."""
        why: Why = self._http.get(path_of("v1", "why", id))
        return why

    def events(self, *, follow: bool = False, after: Optional[int] = None) -> Iterator[Event]:
        """
        What Serin announces, oldest first, behind a position. Without `follow` it ends with the newest, and begins with
        the first; with it, it waits for more, begins with new ones, and outlives lost connections and restarts.
        """
        if follow:
            yield from self._http.events(path_of("v1", "events"), after)
            return
        position: Optional[str] = str(after or 0)
        while position is not None:
            page = self._http.get(path_of("v1", "events"), {"after": position, "limit": 200})
            for row in page["events"]:
                yield positioned(row["event"], row["position"])
            position = page.get("next")


def _request_id(request: Union[str, Prediction]) -> str:
    if isinstance(request, Prediction):
        return request.request_id
    if not isinstance(request, str):
        raise UsageError(f"a {type(request).__name__} is not a request", mend="give a Prediction or its request_id")
    return request


def _version_in(answer: Answer) -> Optional[int]:
    name = answer.headers.get("x-serin-deployment", "")
    return int(name[1:]) if name[:1] == "v" and name[1:].isascii() and name[1:].isdigit() else None


def _answer_in(answer: Answer) -> Any:
    if "json" not in answer.headers.get("content-type", ""):
        return answer.content
    try:
        return answer.json()
    except ValueError:
        return answer.content
