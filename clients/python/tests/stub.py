"""A server that answers what a test says, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, List, Optional
from unittest import TestCase

import serin
from serin import _http, _records


@dataclass
class Received:
    method: str
    path: str
    headers: Dict[str, str]
    body: bytes


@dataclass
class Reply:
    status: int = 200
    body: Any = None
    headers: Optional[Dict[str, str]] = None
    #: The connection ends after so many bytes of the answer; -1: before it.
    cut: Optional[int] = None


def problem(status: int, detail: str, **more: Any) -> Reply:
    document = {"type": "x", "title": "a title", "status": status, "detail": detail, "code": "x", "requestId": "req_1"}
    return Reply(status, {**document, **more}, {"content-type": "application/problem+json"})


class Stub:
    """`answer` is asked for each request, with its index."""

    def __init__(self, test: TestCase, answer: Callable[[Received, int], Reply]) -> None:
        self.received: List[Received] = []
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def handle_one(handler) -> None:
                length = int(handler.headers.get("content-length", 0))
                headers = {name.lower(): value for name, value in handler.headers.items()}
                one = Received(handler.command, handler.path, headers, handler.rfile.read(length))
                with lock:
                    self.received.append(one)
                    index = len(self.received) - 1
                handler.reply(answer(one, index))

            do_GET = do_POST = do_PUT = handle_one

            def reply(handler, reply: Reply) -> None:
                if reply.cut == -1:
                    return
                content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                handler.send_response(reply.status)
                headers = {"content-type": "application/json", "content-length": str(len(content))}
                for name, value in {**headers, **(reply.headers or {})}.items():
                    handler.send_header(name, value)
                with contextlib.suppress(ConnectionError):  # the caller waits no longer
                    handler.end_headers()
                    handler.wfile.write(content[: reply.cut])

            def log_message(handler, format: str, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        test.addCleanup(server.server_close)
        test.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    def client(self, token: str = "srn_secret", timeout: float = 5.0) -> serin.Client:
        return serin.connect(self.url, token, timeout=timeout)


class Hurried(TestCase):
    """What is waited for between two tries is not what is tested."""

    def setUp(self) -> None:
        for module, name in ((_http, "_FIRST_WAIT_S"), (_records, "_FASTEST_LOOK_S"), (_records, "_LOG_LOOK_S")):
            self.addCleanup(setattr, module, name, getattr(module, name))
            setattr(module, name, 0.001)
