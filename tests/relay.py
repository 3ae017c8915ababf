"""Stands between a client and the emulator's IMM, and may spoil the answers to submissions that took place."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

Spoil = Callable[[bytes], bytes | None]
"""What becomes of an answer's body; None cuts the connection instead."""


class Relay(ThreadingHTTPServer):
    """Passes every request on once. `operations` counts them by their Action."""

    daemon_threads = True

    def __init__(self, upstream: str, spoil: Spoil = lambda body: body) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream).netloc
        self.spoil = spoil
        self.operations: Counter[str] = Counter()
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
        (action,) = parse_qs(urlsplit(self.path).query)["Action"]
        with self.server.counting:
            self.server.operations[action] += 1
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=20)
        try:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            upstream.request("POST", self.path, body, dict(self.headers))
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
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass
