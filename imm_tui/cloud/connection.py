"""The way to a service: its address, the keys that go along, a connection, and the faults on it.

A connection here verifies TLS, gives up in bounded time, reads replies of bounded size, sends nothing twice and can be
killed from another thread. Every fault ends as a sentence for a person; no sentence holds a key, a URL or a body.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import re
import socket
import ssl
import threading
import time
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from imm_tui.credentials import Credentials
from imm_tui.errors import BadInput, NoCredentials, Unreachable

REPLY_LIMIT = 16 * 1024 * 1024
"""Bytes of a reply. The longest honest one is 16 messages of 64 KB with every character escaped: 6 MB."""

CONNECT_SECONDS = 5.0
"""For one of a name's addresses, and for TLS; twice that for DNS and all addresses together."""

SLACK_SECONDS = 10.0
"""How much longer than its first byte a reply may take as a whole."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens."""

    host: str
    port: int
    tls: bool

    @classmethod
    def parse(cls, text: str, field: str) -> Self:
        """Read `https://host[:port][/]`, or a bare `host[:port]`, which means https. Raises BadInput for `field`."""
        text = text.strip()
        try:
            parts = urlsplit(text if "://" in text else f"https://{text}")
            host, port = (parts.hostname or "").rstrip("."), parts.port
            surplus = parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None
        except ValueError:
            readable = False
        else:
            readable = parts.scheme in ("http", "https") and _is_host(host) and port != 0 and not surplus
        # urlsplit passes over a line end within, as if it were not there.
        if not readable or not text.isprintable() or " " in text:
            # What stands before an @ may be a password.
            raise BadInput(
                f"“{text.rpartition('@')[2]}” is not the address of a service." if text else "The address is empty.",
                "An address has a scheme and a host, and nothing behind them.",
                "Write it like https://host or https://host:port.",
                field=field,
            )
        tls = parts.scheme == "https"
        return cls(host, port or (443 if tls else 80), tls)

    @property
    def authority(self) -> str:
        """`host` or `host:port`, as it goes into the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    @property
    def scheme(self) -> str:
        return "https" if self.tls else "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def loopback(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")

    def tls_context(self) -> ssl.SSLContext | None:
        """Verifies the certificate and the host's name against the system's trust store, or SSL_CERT_FILE."""
        return ssl.create_default_context() if self.tls else None


_LABELS = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*")


def _is_host(host: str) -> bool:
    if ":" not in host:
        return len(host) <= 253 and _LABELS.fullmatch(host) is not None
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


_KEYS = {"access_key_id": r"[!-~]+", "access_key_secret": r"[!-~]+", "security_token": r"[!-~]*"}


def usable(credentials: Credentials) -> Credentials:
    """`credentials` without the blanks and line ends that copying leaves round a key. Raises NoCredentials.

    A line end within a header would be sent as one, and the SDKs quote such a header, signature included, in their
    exceptions; so what is no access key at all stops here.
    """
    stripped = Credentials(
        credentials.access_key_id.strip(),
        credentials.access_key_secret.strip(),
        credentials.security_token.strip(),
        credentials.source,
    )
    # By name, so that no key is a local variable where this raises: a crash report shows those.
    for attribute, form in _KEYS.items():
        if not re.fullmatch(form, getattr(stripped, attribute)):
            raise NoCredentials(
                f"The {attribute.replace('_', ' ')} cannot be used.",
                "It is empty, or holds a blank or a character that no access key has.",
                "Copy the access key again from where it was made.",
            )
    return stripped


class Connection(http.client.HTTPConnection):
    """One HTTP connection. Connecting raises Unreachable, so whatever else fails, fails after something was sent."""

    is_verified = True
    """urllib3 asks whether the certificate is; `tls` sees to it."""

    def __init__(self, service: str, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.default_port = 443 if tls else 80
        super().__init__(host, port, timeout=CONNECT_SECONDS)
        self.response_class = BoundedResponse
        self.killed = False
        self._service = service
        self._tls = tls
        self._server_name = host
        self._dialling: Future[socket.socket] | None = None
        self._create_connection = self._dial  # http.client's own hook; its connect() does the rest, a tunnel included

    def set_tunnel(self, host: str, *args: Any, **kwargs: Any) -> None:
        self._server_name = host
        super().set_tunnel(host, *args, **kwargs)

    def connect(self) -> None:
        try:
            super().connect()
            if self._tls is not None:
                # In two steps, so that kill() finds the socket in its place during the handshake.
                self.sock = self._tls.wrap_socket(
                    self.sock, server_hostname=self._server_name, do_handshake_on_connect=False
                )
                self._stop_if_killed()
                self.sock.do_handshake()
        except (OSError, http.client.HTTPException, ValueError, CancelledError) as error:
            self.close()
            fault: Exception = error
        except BaseException:
            self.close()
            raise
        else:
            return
        raise unreachable(self._service, f"{self.host}:{self.port}", fault)

    def _dial(self, address: tuple[str, int], timeout: float, _source: object = None) -> socket.socket:
        """A TCP connection, looked up and opened in a thread of its own: nothing can interrupt a DNS look-up, but
        whoever waits for it can be."""
        dialling: Future[socket.socket] = Future()

        def dial() -> None:
            try:
                opened = socket.create_connection(address, timeout)
            except Exception as error:
                with suppress(InvalidStateError):
                    dialling.set_exception(error)
                return
            try:
                dialling.set_result(opened)
            except InvalidStateError:  # nobody waits any more
                opened.close()

        self._dialling = dialling
        try:
            self._stop_if_killed()
            threading.Thread(target=dial, name=f"dial {address[0]}", daemon=True).start()
            self.sock = dialling.result(2 * timeout)
            self._stop_if_killed()
            return self.sock
        except BaseException:
            # The dial closes its socket if it is done only now; if it was a moment faster, we do.
            if not dialling.cancel() and dialling.exception() is None:
                dialling.result().close()
            raise
        finally:
            self._dialling = None

    def _stop_if_killed(self) -> None:
        if self.killed:
            raise ConnectionAbortedError

    def kill(self) -> None:
        """End whatever this connection is doing, at once and for good. From any thread."""
        self.killed = True
        if (dialling := self._dialling) is not None:
            dialling.cancel()
        if (opened := self.sock) is not None:
            # Not close(), which a blocked reader would not notice; nor SSLSocket's own shutdown(), which would take the
            # TLS state from under it.
            with suppress(OSError):
                socket.socket.shutdown(opened, socket.SHUT_RDWR)

    @property
    def stale(self) -> bool:
        """Whether the other side has closed this idle connection, or said something that nobody asked for."""
        if self.sock is None:
            return False
        try:
            self.sock.settimeout(0)
            socket.socket.recv(self.sock, 1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True


class BoundedResponse(http.client.HTTPResponse):
    """A reply that has to come within the socket's time-out for each part, that and SLACK_SECONDS as a whole, and
    within REPLY_LIMIT. The standard library bounds only the silence between two bytes."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._bounded = _Bounded(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._bounded)

    def begin(self) -> None:
        super().begin()
        if self._bounded.ended:  # within the head, where the standard library takes it for the blank line
            raise http.client.IncompleteRead(b"")
        if self.length is not None and self.length > REPLY_LIMIT:
            raise ReplyTooLong


class ReplyTooLong(http.client.HTTPException):
    """A reply longer than REPLY_LIMIT."""


class _Bounded(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._socket = sock
        self._silence = sock.gettimeout() or SLACK_SECONDS
        self._deadline = time.monotonic() + self._silence + SLACK_SECONDS
        self._left = REPLY_LIMIT
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(min(self._silence, left))
        count: int = self._raw.readinto(buffer) or 0
        self.ended = count == 0
        self._left -= count
        if self._left < 0:
            raise ReplyTooLong
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def unreachable(service: str, place: str, fault: Exception) -> Unreachable:
    """What a person is told of a `fault` on the way to `service` at `place`. Never the exception's own text."""
    return Unreachable(f"{service} cannot be reached at {place}.", *_explained(fault))


def _explained(fault: Exception) -> tuple[str, str]:
    """Why, and what to do next."""
    match fault:
        case socket.gaierror() | UnicodeError():
            return "The name cannot be looked up in DNS.", "Check the region and the account id in it, and the network."
        case ConnectionRefusedError():
            return "The connection was refused: nothing listens there.", "Check the endpoint, and the proxy if any."
        case TimeoutError():
            return "It did not answer in time.", "Check the network and the endpoint, and try again."
        case ssl.SSLCertVerificationError():
            return (
                "Its TLS certificate is not to be trusted, or is another host's.",
                "Check the endpoint. Behind a company's proxy, let SSL_CERT_FILE name its certificate.",
            )
        case ConnectionError() | http.client.RemoteDisconnected() | http.client.IncompleteRead() | ssl.SSLEOFError():
            return "The connection was cut before a whole answer came.", "Try again."
        case ssl.SSLError():
            return "What listens there does not speak TLS.", "Check the endpoint's scheme and port."
        case ReplyTooLong():
            return "Its reply is too long to be the service's.", "Check the endpoint and the proxy."
        case http.client.HTTPException():
            return (
                "What listens there does not speak HTTP.",
                "Check the endpoint's scheme, http or https, and its port.",
            )
        case OSError() if str(fault).startswith("Tunnel connection failed"):
            return "The proxy does not let the connection through.", "Check HTTPS_PROXY and NO_PROXY."
        case OSError() if fault.strerror:
            return f"The system says: {fault.strerror}.", "Check the network and the endpoint."
    return "The connection failed.", "Check the network and the endpoint."
