"""One HTTP connection to a service, direct or by a proxy, and the keys that go along.

It verifies TLS, gives up in bounded time, reads replies of bounded size, sends nothing twice and can be ended from
another thread. Every fault ends as a sentence for a person.
"""

from __future__ import annotations

import http.client
import io
import re
import selectors
import socket
import ssl
import threading
import time
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from typing import Any

from imm_tui.cloud.refusals import is_about_the_key, is_denial, retry_after_of
from imm_tui.cloud.route import ReplyTooLong, Route
from imm_tui.credentials import Credentials
from imm_tui.errors import NoCredentials
from imm_tui.i18n import N_, _
from imm_tui.tasks import now

REPLY_LIMIT = 16 * 1024 * 1024
"""Bytes of a reply. The longest honest one is 16 messages of 64 KB with every character escaped: 6 MB."""

CONNECT_SECONDS = 5.0
"""For one of a name's addresses, and for TLS; twice that for DNS and all addresses together."""

SLACK_SECONDS = 10.0
"""How much longer than its first byte a reply may take as a whole."""

_KEYS = {
    "access_key_id": (r"[!-~]+", N_("The access key id cannot be used.")),
    "access_key_secret": (r"[!-~]+", N_("The access key secret cannot be used.")),
    "security_token": (r"[!-~]*", N_("The security token cannot be used.")),
}


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
    for attribute, (form, unusable) in _KEYS.items():
        if not re.fullmatch(form, getattr(stripped, attribute)):
            raise NoCredentials(
                _(unusable),
                _("It is empty, or holds a blank or a character that no access key has."),
                _("Copy the access key again from where it was made."),
            )
    return stripped


def another_may_do(key: Credentials, code: str | None, message: str) -> bool:
    """Whether a call that was refused with `code` and `message` is worth sending with another key than `key`.

    A denial is, where the token of a temporary key may be too old: MNS has no code for that, and need not say it.
    """
    if is_about_the_key(code, message):
        return True
    may_be_over = key.expires_at is None or key.expires_at <= now()
    return bool(key.security_token) and may_be_over and is_denial(code)


_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)
"""The ones that need no descriptor of their own; select() cannot take one above 1023."""


class Connection(http.client.HTTPConnection):
    """One HTTP connection. Connecting raises Unreachable, so whatever else fails, fails after something was sent."""

    is_verified = True
    """urllib3 asks whether the certificate is; `tls` sees to it."""

    def __init__(self, route: Route, tls: ssl.SSLContext | None) -> None:
        self.default_port = 443 if tls else 80
        super().__init__(route.address.host, route.address.port, timeout=CONNECT_SECONDS)
        self.response_class = self._response  # type: ignore[assignment]  # what makes one does as well
        self.killed = False
        self._aborted = False
        self._route = route
        self._tls = tls
        self._begun = b""
        self._dialling: Future[socket.socket] | None = None
        self._create_connection = self._dial  # http.client's own hook

    def connect(self) -> None:
        try:
            super().connect()
            if self._tls is not None:
                self._open_tunnel()
                # In two steps, so that abort() finds the socket in its place during the handshake.
                self.sock = self._tls.wrap_socket(
                    self.sock, server_hostname=self._route.address.host, do_handshake_on_connect=False
                )
                self._stop_if_aborted()
                self.sock.do_handshake()
        except (OSError, http.client.HTTPException, ValueError, CancelledError) as error:
            opened = self.sock is not None
            self.close()
            fault: Exception = error
        except BaseException:
            self.close()
            raise
        else:
            return
        raise self._route.unreachable(fault, opened=opened)

    def _open_tunnel(self) -> None:
        """Has the proxy, if there is one, connect to the service (RFC 9110, CONNECT)."""
        if (proxy := self._route.proxy) is None:
            return
        target = self._route.address.endpoint
        # In one expression: what a frame still holds when it raises, a crash report shows.
        self.send(
            f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n".encode()
            + (f"Proxy-Authorization: {proxy.authorization}\r\n".encode() if proxy.authorization else b"")
            + b"\r\n"
        )
        with BoundedResponse(self.sock, method="CONNECT") as answer:
            answer.begin()
            if not 200 <= answer.status < 300:
                raise self._route.unopened(answer.status, retry_after_of(answer.headers))

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        """Unencrypted, a proxy is asked for the whole URL, and told with each request who we are."""
        proxy = self._route.proxy if self._tls is None else None
        super().putrequest(method, self._route.address.url + url if proxy else url, skip_host, skip_accept_encoding)
        if proxy and proxy.authorization:
            self.putheader("Proxy-Authorization", proxy.authorization)

    def _dial(self, _address: object, timeout: float, _source: object = None) -> socket.socket:
        """A TCP connection, looked up and opened in a thread of its own: nothing can interrupt a DNS look-up, but
        whoever waits for it can be."""
        address = self._route.first.host, self._route.first.port
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
            self._stop_if_aborted()
            threading.Thread(target=dial, name=f"dial {address[0]}", daemon=True).start()
            self.sock = dialling.result(2 * timeout)
            self._stop_if_aborted()
            return self.sock
        except BaseException:
            # The dial closes its socket if it is done only now; if it was a moment faster, we do.
            if not dialling.cancel() and dialling.exception() is None:
                dialling.result().close()
            raise
        finally:
            self._dialling = None

    def _stop_if_aborted(self) -> None:
        """abort() may have come when there was nothing to end, or while one socket took another's place."""
        if self.killed or self._aborted:
            raise ConnectionAbortedError

    def close(self) -> None:
        super().close()
        self._aborted = False

    def kill(self) -> None:
        """End whatever this connection is doing, at once and for good. From any thread."""
        self.killed = True
        self.abort()

    def abort(self) -> None:
        """End whatever this connection is doing, at once. From any thread; it is of use again after `close`."""
        self._aborted = True
        if (dialling := self._dialling) is not None:
            dialling.cancel()
        if (opened := self.sock) is not None:
            # Not close(), which a blocked reader would not notice; nor SSLSocket's own shutdown(), which would take the
            # TLS state from under it.
            with suppress(OSError):
                socket.socket.shutdown(opened, socket.SHUT_RDWR)

    def readable(self, seconds: float) -> bool:
        """Waits for a byte, or for the end, of what the other side says. From any thread."""
        if self.sock is None:
            return False
        with _Selector() as selector:
            try:
                selector.register(self.sock, selectors.EVENT_READ)
            except ValueError:  # closed in this moment
                return True
            return bool(selector.select(seconds))

    def answered(self) -> bool:
        """Whether the answer has begun to come; it does not wait. Over TLS what came may be a session ticket only."""
        silence = self.sock.gettimeout()
        self.sock.settimeout(0)
        try:
            self._begun = self.sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            self.sock.settimeout(silence)
        return True

    def _response(self, *args: Any, **kwargs: Any) -> BoundedResponse:
        begun, self._begun = self._begun, b""
        return BoundedResponse(*args, begun=begun, **kwargs)

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

    def __init__(self, sock: socket.socket, *args: Any, begun: bytes = b"", **kwargs: Any) -> None:
        """`begun` is what of it was taken from the socket already."""
        super().__init__(sock, *args, **kwargs)
        self._bounded = _Bounded(self.fp.detach(), sock, begun)
        self.fp = io.BufferedReader(self._bounded)

    def begin(self) -> None:
        super().begin()
        if self._bounded.ended:  # within the head, where the standard library takes it for the blank line
            raise http.client.IncompleteRead(b"")
        if self.length is not None and self.length > REPLY_LIMIT:
            raise ReplyTooLong


class _Bounded(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, sock: socket.socket, begun: bytes) -> None:
        self._raw = raw
        self._begun = begun
        self._socket = sock
        self._silence = sock.gettimeout() or SLACK_SECONDS
        self._deadline = time.monotonic() + self._silence + SLACK_SECONDS
        self._left = REPLY_LIMIT
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if begun := self._begun:
            self._begun = b""
            buffer[: len(begun)] = begun
            return len(begun)
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
