"""A service as a client meets it: it takes runs, refuses them, hangs or hangs up."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    token: str | None
    body: bytes

    @property
    def id(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass
class Service:
    """What it was asked, what it holds, and how it behaves: the next answers, then ``always``.

    An answer is a status, a status with headers, or one of "hang", "close", "drip", "early".
    """

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    runs: dict[str, bytes] = field(default_factory=dict)
    answers: list[Any] = field(default_factory=list)
    always: Any = None
    pause: float = 0.0
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def ids(self) -> list[str]:
        """Of the runs that were pushed, in the order in which they came."""
        return [one.id for one in self.asked if one.method == "PUT"]


@contextmanager
def served(**settings: Any) -> Iterator[Service]:
    """One on a free port of this machine."""
    service = Service(**settings)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, service, b"")

        def do_PUT(self) -> None:
            _answer(self, service, None)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield service
    finally:
        service.gone.set()
        server.shutdown()
        server.server_close()


def _answer(handler: BaseHTTPRequestHandler, service: Service, body: bytes | None) -> None:
    behaviour = service.answers.pop(0) if service.answers else service.always
    status, headers = behaviour if isinstance(behaviour, tuple) else (behaviour, {})
    length = int(handler.headers.get("Content-Length", 0))
    if status == "early":  # refuses a run that it has not read
        handler.connection.sendall(
            b"HTTP/1.1 413 Content Too Large\r\nContent-Type: application/problem+json\r\n"
            b'Content-Length: 24\r\nConnection: close\r\n\r\n{"detail":"it is 64 MB"}'
        )
        handler.connection.shutdown(socket.SHUT_WR)
        time.sleep(0.3)
        handler.close_connection = True
        return
    body = handler.rfile.read(length) if body is None else body
    parts = urlsplit(handler.path)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    token = handler.headers.get("Authorization")
    service.asked.append(Asked(handler.command, parts.path, query, token, body))
    time.sleep(service.pause)
    if status == "hang":
        service.gone.wait(30)
    if status == "drip":
        for byte in b"HTTP/1.1 200 OK\r\nX-Never: ":
            handler.connection.sendall(bytes([byte]))
            if service.gone.wait(0.05):
                break
        service.gone.wait(30)
    if status in ("hang", "close", "drip"):
        handler.close_connection = True
        return
    if status is None:
        status = 200 if service.asked[-1].id in service.runs else 201
        service.runs.setdefault(service.asked[-1].id, body)
    problem = {"title": "no", "detail": f"said with\n{status}", "status": status}
    content = json.dumps(problem if status >= 400 else {"id": service.asked[-1].id}).encode()
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    kind = "application/problem+json" if status >= 400 else "application/json"
    if "Content-Type" not in headers:
        handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(content)))
    with suppress(BrokenPipeError, ConnectionResetError):  # who asked was killed
        handler.end_headers()
        handler.wfile.write(content)
