"""A service that answers, byte for byte, whatever a test tells it to, and counts what arrives."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

Act = Callable[[socket.socket, threading.Event], None]
"""What to do with a request: it gets the connection, and an event that is set when the test is over."""


@dataclass(frozen=True, slots=True)
class Request:
    """`headers` has lower-case names."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def answer(status: int, body: bytes | str = b"", **headers: str) -> Act:
    """A whole answer; `content_type="…"` is the header Content-Type."""
    content = body.encode() if isinstance(body, str) else body
    lines = {"Content-Length": str(len(content)), **{key.replace("_", "-"): value for key, value in headers.items()}}
    head = f"HTTP/1.1 {status} Whatever\r\n" + "".join(f"{key}: {value}\r\n" for key, value in lines.items())
    return raw(head.encode() + b"\r\n" + content)


def raw(data: bytes) -> Act:
    return lambda connection, _over: connection.sendall(data)


def then_close(data: bytes = b"") -> Act:
    """Send `data`, then an orderly end."""

    def act(connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)

    return act


def reset(connection: socket.socket, _over: threading.Event) -> None:
    """A hard end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang(_connection: socket.socket, over: threading.Event) -> None:
    over.wait()


def drip(data: bytes, forever: bytes) -> Act:
    """Send `data`, then a byte of `forever` again and again, never silent for long."""

    def act(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(data)
        while not over.wait(0.02):
            connection.sendall(forever)

    return act


class Service:
    """Does the first of `acts` with the first request, and so on; the last one with all that follow."""

    def __init__(self, *acts: Act, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.arrived = threading.Event()
        """Set when a request has arrived, or, on a mute service, whatever begins one."""
        self.closed = threading.Semaphore(0)
        """Released whenever a connection has ended."""
        self.acts = list(acts)
        self._tls = tls
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # so that what was sent has arrived
            connection.settimeout(0.05)  # so that _over is noticed
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls is not None:
                connection.settimeout(5)
                connection = self._tls.wrap_socket(connection, server_side=True)
                connection.settimeout(0.05)
            for request in self._read(connection):
                act = self._act(request)
                self.arrived.set()
                act(connection, self._over)
        except OSError:
            pass
        finally:
            connection.close()
            self.closed.release()

    def _act(self, request: Request) -> Act:
        with self._lock:
            self.requests.append(request)
            return self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]

    def _read(self, connection: socket.socket) -> Iterator[Request]:
        data = b""
        while True:
            head, end, body = data.partition(b"\r\n\r\n")
            if end:
                first, *lines = head.decode("latin-1").split("\r\n")
                method, target, _ = first.split(" ")
                headers = {key.lower(): value for key, value in (line.split(": ", 1) for line in lines)}
                length = int(headers.get("content-length", "0"))
                if len(body) >= length:
                    data = body[length:]
                    yield Request(method, target, headers, body[:length])
                    continue
            try:
                more = connection.recv(65536)
            except TimeoutError:
                if self._over.is_set():
                    return
                continue
            if not more:
                return
            data += more


class ProxyServer(Service):
    """An HTTP proxy behind which there is only `behind`, whatever it is asked for.

    Without `authorization`, the value of a header, it lets everybody through.
    """

    def __init__(self, behind: Service, authorization: str = "") -> None:
        super().__init__(hang)
        self._behind = behind
        self._authorization = authorization

    def _act(self, request: Request) -> Act:
        super()._act(request)
        if self._authorization not in ("", request.headers.get("proxy-authorization")):
            return answer(407, "<p>Who are you?", proxy_authenticate='Basic realm="CANARY"')
        return self._tunnel if request.method == "CONNECT" else self._forward(request)

    def _tunnel(self, connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self._behind.port)) as far:
            back = threading.Thread(target=_pump, args=(far, connection))
            back.start()
            _pump(connection, far)
            back.join()

    def _forward(self, request: Request) -> Act:
        far = http.client.HTTPConnection("127.0.0.1", self._behind.port)
        with contextlib.closing(far):
            url = urlsplit(request.target)
            kept = {name: value for name, value in request.headers.items() if not name.startswith("proxy-")}
            far.request(request.method, f"{url.path}?{url.query}", request.body, kept)
            with far.getresponse() as reply:
                return answer(reply.status, reply.read())


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Hands on what arrives until it ends."""
    source.settimeout(None)
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def mute() -> Iterator[tuple[int, threading.Event]]:
    """A port that takes connections and never says a word; the event is set when something was sent to it."""
    heard, over = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1)
                    heard.set()
                    over.wait()

        thread = threading.Thread(target=listen)
        thread.start()
        yield listener.getsockname()[1], heard
        over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def free_port() -> int:
    """A port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
