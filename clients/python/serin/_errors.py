"""What a call may raise: what failed, why, and how to mend it."""

from __future__ import annotations

from typing import Any, Optional, Sequence


class SerinError(Exception):
    """Any failure. `str` says all of it; no token is ever a part of it."""

    def __init__(
        self,
        what: str,
        *,
        why: Optional[str] = None,
        mend: Optional[str] = None,
        status: Optional[int] = None,
        code: Optional[str] = None,
        request_id: Optional[str] = None,
        details: Sequence[str] = (),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.mend = mend
        #: Of the HTTP answer, when there was one.
        self.status = status
        #: Of the problem document, such as `notFound`.
        self.code = code
        #: The id of the request in the log of the server.
        self.request_id = request_id
        #: One line for each field that cannot be used: its JSON pointer, and what is wrong.
        self.details = tuple(details)

    def __str__(self) -> str:
        why = [] if self.why is None else [f"why: {self.why}"]
        mend = [] if self.mend is None else [f"mend: {self.mend}"]
        return "\n  ".join([self.what, *self.details, *why, *mend])


class UsageError(SerinError, ValueError):
    """The call cannot be sent as it is; nothing was sent."""


class UnreachableError(SerinError, ConnectionError):
    """No answer came. A change may have been made all the same; the same key makes it once."""


class WaitTimeoutError(SerinError, TimeoutError):
    """What was waited for goes on without the caller."""


class InvalidError(SerinError):
    """400, 413, 415, 422: the request has something that cannot be used."""


class AccessError(SerinError):
    """401, 403: no token, or one that may not do this."""


class NotFoundError(SerinError):
    """404."""


class ConflictError(SerinError):
    """409, 412: the state of the model refuses it."""


class BusyError(SerinError):
    """429, 503, after several tries."""


class UnsupportedError(SerinError):
    """501: this installation cannot do it."""


class ServerError(SerinError):
    """A defect of the server, or an answer that is none of Serin's."""


class PredictionError(SerinError):
    """The model's own server answered with an error."""

    def __init__(self, what: str, *, answer: Any = None, version: Optional[int] = None, **more: Any) -> None:
        super().__init__(what, **more)
        #: What the model said.
        self.answer = answer
        #: Who said it.
        self.version = version


_BY_STATUS = {
    400: InvalidError,
    413: InvalidError,
    415: InvalidError,
    422: InvalidError,
    401: AccessError,
    403: AccessError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
    429: BusyError,
    503: BusyError,
    501: UnsupportedError,
}


def error_of(status: int, problem: Optional[dict[str, Any]], call: str) -> SerinError:
    """The exception of an answer that refuses; `problem` is its RFC 9457 document, where it has one."""
    kind = _BY_STATUS.get(status, ServerError)
    if problem is None:
        return kind(f"{call} was answered with {status}", why="not in the words of Serin", status=status)
    what, mend = _parted(str(problem.get("detail") or problem.get("title") or status))
    if status == 401:
        mend = "give a token in SERIN_TOKEN, or with 'serin context add'"
    wrongs = problem.get("errors")
    return kind(
        what,
        mend=mend,
        status=status,
        code=_text(problem.get("code")),
        request_id=_text(problem.get("requestId")),
        details=[f"{one.get('pointer', '')}  {one.get('detail', '')}" for one in wrongs or [] if isinstance(one, dict)],
    )


def _parted(detail: str) -> tuple[str, Optional[str]]:
    """A detail of the API says what is wrong, then after the last semicolon what to do."""
    what, _, mend = detail.rpartition("; ")
    return (what, mend) if what else (detail, None)


def _text(value: object) -> Optional[str]:
    return value if isinstance(value, str) else None
