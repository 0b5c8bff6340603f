"""Which server a client talks to: found as the command `serin` finds it."""

from __future__ import annotations

import json
import os
import pathlib
import re
import stat
import sys
from dataclasses import dataclass, replace
from typing import Any, Mapping, Optional
from urllib.parse import SplitResult, urlsplit

from ._errors import NotFoundError, UsageError

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Secret:
    """A token that prints as nothing."""

    __slots__ = ("_value",)

    def __init__(self, value: str, source: str) -> None:
        # The standard library quotes a header that it refuses.
        if re.fullmatch(r"[\x21-\x7e]+", value) is None:
            raise UsageError(
                f"the token of {source} has blanks or characters that no token has", mend="copy the token again"
            )
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "<secret>"


@dataclass(frozen=True)
class Server:
    url: str
    token: Optional[Secret]
    #: Who named it.
    source: str

    @property
    def in_the_clear(self) -> bool:
        """Whether a token that is sent there could be read on the way."""
        return self.url.startswith("http:") and urlsplit(self.url).hostname not in _LOOPBACK


def find_server(
    *,
    url: Optional[str] = None,
    token: Optional[str] = None,
    context: Optional[str] = None,
    folder: Optional[str] = None,
    env: Optional[Mapping[str, str]] = None,
) -> Server:
    """
    `url`, else a saved `context`, else SERIN_URL, else the server that `serin dev` runs for this folder or one above it,
    else the current context, else the default port of this machine.

    SERIN_TOKEN goes with SERIN_URL or a context, and never to a `url` that the caller gives: that has its own `token`.
    """
    env = os.environ if env is None else env
    if url is not None:
        return Server(_address(url, "url"), _secret(token, "token"), "url")
    given = _secret(token, "token") or _secret(env.get("SERIN_TOKEN"), "SERIN_TOKEN")
    if context is not None:
        return _with(_saved(env, context), given)
    if env.get("SERIN_URL"):
        return Server(_address(env["SERIN_URL"], "SERIN_URL"), given, "SERIN_URL")
    own = _own_server(pathlib.Path(folder or os.getcwd()).absolute())
    if own is not None:
        return _refusing_unused(own, given)
    current = _contexts(env).get("current")
    if isinstance(current, str):
        return _with(_saved(env, current), given)
    return Server("http://127.0.0.1:7373", given, "the default")


def _secret(value: Optional[str], source: str) -> Optional[Secret]:
    return Secret(value, source) if value else None


def _with(server: Server, token: Optional[Secret]) -> Server:
    return server if token is None else replace(server, token=token)


def _refusing_unused(own: Server, given: Optional[Secret]) -> Server:
    """Whoever gives a token says who they are; acting as somebody else would put the wrong name on record."""
    if given is not None and given != own.token:
        raise UsageError(
            f"a token is given, but it is not sent to {own.url}, the server of {own.source}",
            mend=f"set SERIN_URL={own.url} too, or unset SERIN_TOKEN to act as the administrator of this folder",
        )
    return own


def _address(text: str, source: str) -> str:
    if _split(text) is None:
        raise UsageError(f"{source} is not the address of a server", mend="give one such as https://serin.example.com")
    return text.rstrip("/")


def _split(text: str) -> Optional[SplitResult]:
    """An address that every parser of addresses reads in the same way, or nothing."""
    if re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?", text) is None:
        return None
    try:
        parts = urlsplit(text)
        return parts if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def _own_server(folder: pathlib.Path) -> Optional[Server]:
    for each in (folder, *folder.parents):
        found = _read_own(each / ".serin" / "server.json")
        if found is not None:
            return found
    return None


def _read_own(file: pathlib.Path) -> Optional[Server]:
    """
    What `serin dev` wrote. A folder that was downloaded may hold such a file as well: it is believed only when it
    belongs to this user, nobody else can read it and it names this machine.
    """
    try:
        if sys.platform != "win32":
            found = os.stat(file)
            if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
                return None
        document = json.loads(file.read_text(encoding="utf-8"))
        url, token = document.get("url"), document.get("token")
        parts = _split(url) if isinstance(url, str) else None
        if parts is None or parts.hostname not in _LOOPBACK:
            return None
        return Server(url.rstrip("/"), _secret(token if isinstance(token, str) else None, str(file)), str(file))
    except (OSError, ValueError, AttributeError):
        return None  # not there, or not ours


def _contexts(env: Mapping[str, str]) -> dict[str, Any]:
    home = env.get("XDG_CONFIG_HOME") or os.path.join(env.get("HOME") or os.path.expanduser("~"), ".config")
    file = pathlib.Path(home, "serin", "contexts.json")
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {file}", why=type(error).__name__, mend="correct it, or move it away") from None
    if not isinstance(document, dict) or not isinstance(document.get("contexts"), dict):
        raise UsageError(f"{file} is not a file of contexts", mend="correct it, or move it away")
    return document


def _saved(env: Mapping[str, str], name: str) -> Server:
    chosen = _contexts(env).get("contexts", {}).get(name)
    if not isinstance(chosen, dict) or not isinstance(chosen.get("url"), str):
        raise NotFoundError(
            f"there is no context '{name}'", mend="name one of 'serin context list', or add it with 'serin context add'"
        )
    source = f"context {name}"
    return Server(_address(chosen["url"], source), _secret(chosen.get("token"), source), source)
