"""Stands between a client and the emulator, and may spoil the answers to submissions that took place."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

Spoil = Callable[[bytes], bytes | None]
"""What becomes of an answer's body; None cuts the connection instead."""


class Relay(ThreadingHTTPServer):
    """Passes every request on once. `operations` counts those to IMM by their Action, `requests` holds the method and
    the target of all others."""

    daemon_threads = True

    def __init__(self, upstream: str, spoil: Spoil = lambda body: body) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream).netloc
        self.spoil = spoil
        self.operations: Counter[str] = Counter()
        self.requests: list[tuple[str, str]] = []
        self.counting = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that has gone is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Relay

    def do_POST(self) -> None:
        (action,) = parse_qs(urlsplit(self.path).query).get("Action", [""])
        with self.server.counting:
            if action:
                self.server.operations[action] += 1
            else:
                self.server.requests.append((self.command, self.path))
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=40)
        try:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            upstream.request(self.command, self.path, body, dict(self.headers))
            response = upstream.getresponse()
            answer: bytes | None = response.read()
        finally:
            upstream.close()
        if action.startswith("Create") and answer is not None:
            answer = self.server.spoil(answer)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(response.status)
        if type_ := response.headers["Content-Type"]:
            self.send_header("Content-Type", type_)
        if response.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass
