"""What callers have, as bytes. Frames and arrays are known by what they can do: none of their packages is imported."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
from datetime import date, datetime, timezone
from typing import Any, Dict, Mapping, Optional, TypeVar

from ._errors import UsageError

Value = TypeVar("Value")


def given(fields: Mapping[str, Optional[Value]]) -> Dict[str, Value]:
    """The fields that a caller gave."""
    return {name: value for name, value in fields.items() if value is not None}


def json_bytes(value: object) -> bytes:
    """JSON; also of numbers and arrays of numpy, and of times. NaN and infinity are refused: JSON has none."""
    try:
        return json.dumps(value, allow_nan=False, default=_plain).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError(
            "the data cannot be sent as JSON", why=str(error), mend="fill or drop what is missing, and convert the rest"
        ) from None


def _plain(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    # An array or a scalar of numpy.
    if callable(getattr(value, "tolist", None)):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} has no form in JSON")


def _records(data: Any) -> Optional[list[Any]]:
    """The rows of a frame of pandas or polars; what is missing in pandas is null."""
    if hasattr(data, "to_json") and hasattr(data, "columns"):
        rows: list[Any] = json.loads(data.to_json(orient="records", date_format="iso"))
        return rows
    return list(data.to_dicts()) if hasattr(data, "to_dicts") else None


def prediction_bytes(data: Any) -> bytes:
    """A body for the model: bytes and objects as they are, rows under `instances`."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    if isinstance(data, Mapping):
        return json_bytes(dict(data))
    rows = _records(data)
    if rows is None and callable(getattr(data, "tolist", None)):
        rows = data.tolist()
    if rows is None and isinstance(data, (list, tuple)):
        rows = list(data)
    if not isinstance(rows, list):
        raise UsageError(
            f"a {type(data).__name__} is not data for a prediction",
            mend="give a list of rows, a dict, a DataFrame, an array, or bytes with their content_type",
        )
    return json_bytes({"instances": rows})


def dropped_file(data: Any, name: Optional[str]) -> tuple[str, bytes]:
    """The name and the content of a file of data: of a path, of bytes with a name, or of a frame."""
    if isinstance(data, (str, os.PathLike)):
        path = pathlib.Path(data)
        return _checked(name or path.name), path.read_bytes()
    if isinstance(data, (bytes, bytearray, memoryview)):
        if name is None:
            raise UsageError("bytes have no name of their own", mend="give one: drop(model, data, name='2013.csv')")
        return _checked(name), bytes(data)
    content = _written(data, name or "")
    # The same rows are the same file, so dropping them again changes nothing.
    return _checked(name or f"{hashlib.sha256(content).hexdigest()[:16]}.csv"), content


def _checked(name: str) -> str:
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or any(ord(each) < 32 for each in name):
        raise UsageError(f"{name!r} is not a name of a file", mend="give one such as '2013.csv' or '2013/may.csv'")
    return name


def _written(frame: Any, name: str) -> bytes:
    """By the ending of its name: Parquet, JSON lines, else CSV."""
    rows = _records(frame) if name.endswith((".ndjson", ".jsonl")) else None
    if rows is not None:
        return b"".join(json_bytes(row) + b"\n" for row in rows)
    if name.endswith(".parquet") and hasattr(frame, "to_parquet"):
        content: bytes = frame.to_parquet(index=False)
        return content
    for write, more in (("to_csv", {"index": False}), ("write_csv", {})):
        if not name.endswith(".parquet") and hasattr(frame, write):
            return str(getattr(frame, write)(**more)).encode()
    raise UsageError(
        f"a {type(frame).__name__} cannot be written as {name or 'CSV'}",
        mend="give the path of a file, bytes with a name, or a DataFrame",
    )


def instant(time: object) -> str:
    """RFC 3339; nothing: now. A time without a zone is of this machine's."""
    if isinstance(time, str):
        return time
    when = datetime.now(timezone.utc) if time is None else time
    if not isinstance(when, datetime):
        raise UsageError(f"a {type(time).__name__} is not a time", mend="give a datetime or text as RFC 3339 has it")
    return when.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
