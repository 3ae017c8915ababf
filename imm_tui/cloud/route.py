"""The way to a service: its address, the proxy in between, and what a person is told where it leads nowhere.

Both services take the same way. No sentence here holds a key, a URL, a proxy's password or an exception's own text.
"""

from __future__ import annotations

import base64
import http.client
import ipaddress
import re
import socket
import ssl
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from imm_tui.errors import BadInput, Unreachable


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
    def endpoint(self) -> str:
        """`host:port`, always with the port: what a proxy is asked to connect to."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def authority(self) -> str:
        """`host` or `host:port`, as it goes into the Host header."""
        return self.endpoint.removesuffix(":443" if self.tls else ":80")

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
            return self.host == "localhost"

    @property
    def plain(self) -> bool:
        """What is sent there leaves this machine unencrypted."""
        return not self.tls and not self.loopback

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


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy, and what it is told so that it lets us through."""

    address: Address
    authorization: str = field(default="", repr=False)
    """The header Proxy-Authorization (RFC 7617); empty where no name is given."""

    @classmethod
    def of(cls, address: Address) -> Self | None:
        """The proxy for `address`: HTTPS_PROXY, HTTP_PROXY and NO_PROXY in either case, or the system's settings.

        Raises BadInput for one that cannot be used.
        """
        text = getproxies().get(address.scheme, "").strip()
        if not text or address.loopback or proxy_bypass(address.endpoint):
            return None
        scheme, _, rest = text.rpartition("://")
        credentials, _, place = rest.rpartition("@")
        try:
            if scheme.lower() not in ("", "http"):
                raise BadInput("Another kind of proxy.")
            proxy = Address.parse(f"http://{place}", "")
        except BadInput:
            usable = False
        else:
            usable = True
        if not usable:
            # Not a word of it is quoted: it may hold a password.
            raise BadInput(
                "A SOCKS proxy cannot be used." if scheme.lower().startswith("socks") else "The proxy cannot be used.",
                f"{_variable(address)} names one that is not http://HOST:PORT, with or without NAME:PASSWORD@.",
                f"Let it name an HTTP proxy, or add {address.host} to NO_PROXY.",
            )
        if not credentials:
            return cls(proxy)
        name, _, password = credentials.partition(":")
        return cls(proxy, f"Basic {base64.b64encode(f'{unquote(name)}:{unquote(password)}'.encode()).decode()}")


def _variable(address: Address) -> str:
    return f"{address.scheme.upper()}_PROXY"


@dataclass(frozen=True, slots=True)
class Route:
    """How a service is reached, by the name that people know it by."""

    service: str
    address: Address
    proxy: Proxy | None = None

    @classmethod
    def to(cls, service: str, address: Address) -> Self:
        """By the proxy that this machine has for `address`, if any. Raises BadInput for one that cannot be used."""
        return cls(service, address, Proxy.of(address))

    @property
    def first(self) -> Address:
        """Where a connection is opened to."""
        return self.proxy.address if self.proxy else self.address

    @property
    def _place(self) -> str:
        via = f" through the proxy {self.proxy.address.authority}" if self.proxy else ""
        return f"{self.address.authority}{via}"

    def unreachable(self, fault: Exception, *, opened: bool = True) -> Unreachable:
        """A `fault` of the system's on the way; `opened` is false where not even the connection was."""
        why, fix = _explained(fault)
        if self.proxy and not opened:
            what = f"The proxy {self.proxy.address.authority}, by which {self.service} is called, cannot be reached."
            fix = f"Check {_variable(self.address)} and NO_PROXY, and the network."
            return Unreachable(what, why, fix, opened=False)
        return Unreachable(f"{self.service} cannot be reached at {self._place}.", why, fix, opened=opened)

    def unopened(self, status: int, retry_after: float | None) -> Unreachable:
        """The proxy answered with this HTTP status when it was asked for a connection to the service."""
        why = f"The proxy does not connect to it: it answers with the HTTP status {status}."
        fix = f"Have the proxy let {self.address.endpoint} through, or check {_variable(self.address)} and NO_PROXY."
        if status == http.client.PROXY_AUTHENTICATION_REQUIRED:
            why, fix = self._proxy_credentials()
        denied = status in _DENIALS
        return Unreachable(
            f"{self.service} cannot be reached at {self._place}.", why, fix, retry_after=retry_after, denied=denied
        )

    def unusable(self, status: int, retry_after: float | None, request_id: str | None = None) -> Unreachable:
        """An answer came that is not in the service's form; something else gave it."""
        why = f"The answer has the HTTP status {status} and is not in {self.service}'s form: something else gave it."
        fix = f"Check the {self.service} endpoint, and whether a proxy or a sign-in page stands in the way."
        if status == http.client.PROXY_AUTHENTICATION_REQUIRED:
            why, fix = self._proxy_credentials()
        return Unreachable(
            f"No answer of {self.service} came from {self._place}.",
            why,
            fix,
            request_id=request_id,
            retry_after=retry_after,
            denied=status in _DENIALS,
        )

    def _proxy_credentials(self) -> tuple[str, str]:
        """Why, and what to do next, where a proxy says 407."""
        fix = f"Write them into {_variable(self.address)}, as http://NAME:PASSWORD@HOST:PORT."
        if self.proxy and self.proxy.authorization:
            return "The proxy does not accept the name and the password that it is given.", fix
        return "The proxy wants a name and a password.", fix


_DENIALS = (401, 403, 407)


def _explained(fault: Exception) -> tuple[str, str]:
    """Why, and what to do next."""
    match fault:
        case socket.gaierror() | UnicodeError():
            return "The name cannot be looked up in DNS.", "Check the region and the account id in it, and the network."
        case ConnectionRefusedError():
            return "The connection was refused: nothing listens there.", "Check the endpoint."
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
        case OSError() if fault.strerror:
            return f"The system says: {fault.strerror}.", "Check the network and the endpoint."
    return "The connection failed.", "Check the network and the endpoint."


class ReplyTooLong(http.client.HTTPException):
    """A reply longer than any that the service gives."""
