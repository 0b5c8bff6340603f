"""Requests to one server: each with a limit of time, and sent again only where a repeat is one change."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping, Optional, Union
from urllib.parse import quote, urlencode, urlsplit

from ._encode import json_bytes
from ._errors import SerinError, ServerError, UnreachableError, UsageError, error_of
from ._server import Server

Query = Mapping[str, Union[str, int, None]]

_TRIES = 4
_FIRST_WAIT_S = 0.25
_LONGEST_WAIT_S = 10.0
#: An upload may take longer than an answer.
_SLOWEST_BYTES_PER_S = 100_000
#: The server sends a comment every 15 seconds.
_SILENCE_S = 45.0
#: A server that starts again is back long before.
_PATIENCE_S = 300.0


@dataclass(frozen=True)
class Request:
    method: str
    #: Made by `path_of`.
    path: str
    query: Query = field(default_factory=dict)
    content: Optional[bytes] = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Sent again after a lost connection, because twice is once.
    repeatable: bool = True


@dataclass(frozen=True)
class Answer:
    status: int
    #: Names in lower case.
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content) if self.content else {}

    def problem(self) -> Optional[dict[str, Any]]:
        """The RFC 9457 document of a refusal; nothing when a proxy or a model has answered in its own words."""
        if not self.headers.get("content-type", "").startswith("application/problem+json"):
            return None
        try:
            document = self.json()
        except ValueError:
            return None
        return document if isinstance(document, dict) else None


def path_of(*parts: Union[str, int]) -> str:
    """A path of the API; what a caller gives is one part of it, whatever characters it has."""
    for part in parts:
        if str(part) in ("", ".", ".."):
            raise UsageError(f"'{part}' is not a name", mend="give the name or id that a list shows")
    return "".join(f"/{quote(str(part), safe='')}" for part in parts)


class Transport:
    def __init__(self, server: Server, timeout: float) -> None:
        self.server = server
        self._timeout = timeout
        parts = urlsplit(server.url)
        self._base = parts.path
        self._host = parts.hostname or ""
        self._port = parts.port
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None

    def get(self, path: str, query: Optional[Query] = None) -> Any:
        return self._document(Request("GET", path, query or {}))

    def post(self, path: str, body: object, key: Optional[str]) -> Any:
        """A POST has a key, its own or a new one: after a lost answer it is sent again, and done once."""
        headers = {"content-type": "application/json", "idempotency-key": key or str(uuid.uuid4())}
        return self._document(Request("POST", path, {}, json_bytes(body), headers))

    def put(self, path: str, content: bytes) -> Any:
        return self._document(Request("PUT", path, {}, content, {"content-type": "application/octet-stream"}))

    def items(self, name: str, path: str, query: Query, limit: int) -> Any:
        """Up to `limit` rows of a list, of as many pages as that takes."""
        rows: list[Any] = []
        cursor: Optional[str] = None
        while len(rows) < limit:
            page = self.get(path, {**query, "cursor": cursor, "limit": min(200, limit - len(rows))})
            rows += page[name]
            cursor = page.get("next")
            if cursor is None:
                break
        return rows

    def _document(self, request: Request) -> Any:
        answer = self.send(request)
        call = f"{request.method} {request.path}"
        if answer.status >= 300:
            raise error_of(answer.status, answer.problem(), call)
        try:
            return answer.json()
        except ValueError:
            raise ServerError(
                f"{self.server.url} does not answer like a Serin server",
                why=f"{call} was not answered with JSON",
                mend=f"correct the address in {self.server.source}",
                status=answer.status,
            ) from None

    def send(self, request: Request) -> Answer:
        """The answer, whatever its status. What is busy is asked again, and what was lost where that is harmless."""
        for tried in range(1, _TRIES + 1):
            wait: Optional[float] = _FIRST_WAIT_S * 2**tried
            try:
                answer = self._exchange(request)
            except (OSError, http.client.HTTPException) as error:
                if not request.repeatable or tried == _TRIES or isinstance(error, ssl.SSLCertVerificationError):
                    raise self._unreachable(error) from error
            else:
                wait = _busy_for(answer, request, tried)
                if wait is None or tried == _TRIES:
                    return answer
            time.sleep(wait or 0)
        raise AssertionError("the last try has ended above")

    def _exchange(self, request: Request) -> Answer:
        limit = self._timeout + len(request.content or b"") / _SLOWEST_BYTES_PER_S
        until = time.monotonic() + limit
        connection = self._connection(limit)
        try:
            response = self._begin(connection, request)
            chunks = []
            # Each read has its own limit; an answer that drips has this one.
            while chunk := response.read1(65_536):
                chunks.append(chunk)
                if time.monotonic() > until:
                    raise TimeoutError(f"the answer was not whole after {limit:.0f} s")
            if response.length:
                raise http.client.IncompleteRead(b"".join(chunks), response.length)
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, b"".join(chunks))
        finally:
            connection.close()

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        # Neither a redirect nor a proxy of the environment can take the token elsewhere.
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)

    def _begin(self, connection: http.client.HTTPConnection, request: Request) -> http.client.HTTPResponse:
        token = self.server.token
        query = urlencode({name: value for name, value in request.query.items() if value is not None})
        headers = {
            "accept": "application/json",
            "user-agent": "serin-python",
            "connection": "close",
            **request.headers,
            **({} if token is None else {"authorization": f"Bearer {token.reveal()}"}),
        }
        target = self._base + request.path + (f"?{query}" if query else "")
        connection.request(request.method, target, request.content, headers)
        return connection.getresponse()

    def events(self, path: str, after: Optional[int]) -> Iterator[Any]:
        """Server-sent events without an end. After a lost connection it goes on behind the last one that came."""
        position = None if after is None else str(after)
        last_heard: Optional[float] = None
        wait = _FIRST_WAIT_S
        while True:
            try:
                for position, data in self._stream(path, position):
                    last_heard, wait = time.monotonic(), _FIRST_WAIT_S
                    if data is not None:
                        yield positioned(json.loads(data), position)
                error: Exception = http.client.RemoteDisconnected("the stream ended")
            except _Refused as refused:
                if refused.answer.status not in (429, 502, 503, 504):
                    raise error_of(refused.answer.status, refused.answer.problem(), f"GET {path}") from None
                error = refused
            except (OSError, http.client.HTTPException) as lost:
                error = lost
            if last_heard is None or time.monotonic() - last_heard > _PATIENCE_S:
                raise self._unreachable(error) from error
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_S)

    def _stream(self, path: str, position: Optional[str]) -> Iterator[tuple[Optional[str], Optional[str]]]:
        """The position and the data of each event of one connection; without data: a sign of life."""
        headers = {"accept": "text/event-stream", **({} if position is None else {"last-event-id": position})}
        connection = self._connection(_SILENCE_S)
        try:
            response = self._begin(connection, Request("GET", path, headers=headers))
            if response.status != 200:
                raise _Refused(Answer(response.status, dict(_lower(response)), response.read(65_536)))
            data: list[str] = []
            while line := response.readline():
                name, _, value = line.decode().rstrip("\r\n").partition(":")
                value = value[1:] if value.startswith(" ") else value
                if name == "id":
                    position = value
                elif name == "data":
                    data.append(value)
                elif line.strip() == b"" or name == "":
                    yield position, "\n".join(data) if data else None
                    data = []
        finally:
            connection.close()

    def _unreachable(self, error: Exception) -> SerinError:
        timed_out = isinstance(error, TimeoutError) or type(error).__name__ == "timeout"
        return UnreachableError(
            f"cannot reach {self.server.url} (from {self.server.source})",
            why="it did not answer in time" if timed_out else f"{type(error).__name__}: {error}",
            mend="start a server with 'serin dev', or name one in SERIN_URL",
        )


def positioned(event: Any, position: Any) -> Any:
    """An event with the position behind which a reader goes on."""
    return {**event, "position": int(position or 0)}


class _Refused(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__(f"answered with {answer.status}")
        self.answer = answer


def _lower(response: http.client.HTTPResponse) -> Iterator[tuple[str, str]]:
    for name, value in response.getheaders():
        yield name.lower(), value


def _busy_for(answer: Answer, request: Request, tried: int) -> Optional[float]:
    """Seconds until the same request may be sent again; nothing: this is its answer."""
    asked = answer.headers.get("retry-after")
    if answer.status == 409:
        # Under way with the same key, or another change came first: both end by themselves.
        again = request.repeatable and asked is not None
    else:
        again = answer.status in (429, 503) and (request.repeatable or asked is not None)
    if not again:
        return None
    wait = float(asked) if asked is not None and asked.isascii() and asked.isdigit() else _FIRST_WAIT_S * 2**tried
    return wait if wait <= _LONGEST_WAIT_S else None
