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
from imm_tui.i18n import _


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
            what = _("“{text}” is not the address of a service.") if text else _("The address is empty.")
            raise BadInput(
                what.format(text=text.rpartition("@")[2]),
                _("An address has a scheme and a host, and nothing behind them."),
                _("Write it like {form} or {other}.").format(form="https://host", other="https://host:port"),
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
        scheme, _slashes, rest = text.rpartition("://")
        credentials, _at, place = rest.rpartition("@")
        try:
            proxy = Address.parse(f"http://{place}", "") if scheme.lower() in ("", "http") else None
        except BadInput:
            proxy = None
        if proxy is None:
            # Not a word of it is quoted: it may hold a password.
            socks = scheme.lower().startswith("socks")
            why = _("{variable} names one that is not {form}, with or without {credentials}.")
            raise BadInput(
                _("A SOCKS proxy cannot be used.") if socks else _("The proxy cannot be used."),
                why.format(variable=_variable(address), form="http://HOST:PORT", credentials="NAME:PASSWORD@"),
                _("Let it name an HTTP proxy, or add {host} to NO_PROXY.").format(host=address.host),
            )
        if not credentials:
            return cls(proxy)
        name, _colon, password = credentials.partition(":")
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

    def _tell(self, direct: str, by_proxy: str) -> str:
        """One of two sentences, with the service and its place, and the proxy where there is one."""
        proxy = self.proxy.address.authority if self.proxy else ""
        told = by_proxy if self.proxy else direct
        return told.format(service=self.service, place=self.address.authority, proxy=proxy)

    @property
    def _out_of_reach(self) -> str:
        return self._tell(
            _("{service} cannot be reached at {place}."),
            _("{service} cannot be reached at {place} through the proxy {proxy}."),
        )

    def unreachable(self, fault: Exception, *, opened: bool = True) -> Unreachable:
        """A `fault` of the system's on the way; `opened` is false where not even the connection was."""
        why, fix = _explained(fault)
        if self.proxy and not opened:
            what = _("The proxy {proxy}, by which {service} is called, cannot be reached.")
            what = what.format(proxy=self.proxy.address.authority, service=self.service)
            fix = _("Check {variable} and NO_PROXY, and the network.").format(variable=_variable(self.address))
            return Unreachable(what, why, fix, opened=False)
        return Unreachable(self._out_of_reach, why, fix, opened=opened)

    def unopened(self, status: int, retry_after: float | None) -> Unreachable:
        """The proxy answered with this HTTP status when it was asked for a connection to the service."""
        why = _("The proxy does not connect to it: it answers with the HTTP status {status}.").format(status=status)
        fix = _("Have the proxy let {endpoint} through, or check {variable} and NO_PROXY.")
        fix = fix.format(endpoint=self.address.endpoint, variable=_variable(self.address))
        if status == http.client.PROXY_AUTHENTICATION_REQUIRED:
            why, fix = self._proxy_credentials()
        denied = status in _DENIALS
        return Unreachable(self._out_of_reach, why, fix, retry_after=retry_after, denied=denied)

    def unusable(self, status: int, retry_after: float | None, request_id: str | None = None) -> Unreachable:
        """An answer came that is not in the service's form; something else gave it."""
        what = self._tell(
            _("No answer of {service} came from {place}."),
            _("No answer of {service} came from {place} through the proxy {proxy}."),
        )
        why = _("The answer has the HTTP status {status} and is not in {service}'s form: something else gave it.")
        why = why.format(status=status, service=self.service)
        fix = _("Check the {service} endpoint, and whether a proxy or a sign-in page stands in the way.")
        fix = fix.format(service=self.service)
        if status == http.client.PROXY_AUTHENTICATION_REQUIRED:
            why, fix = self._proxy_credentials()
        return Unreachable(
            what,
            why,
            fix,
            request_id=request_id,
            retry_after=retry_after,
            denied=status in _DENIALS,
        )

    def _proxy_credentials(self) -> tuple[str, str]:
        """Why, and what to do next, where a proxy says 407."""
        fix = _("Write them into {variable}, as {form}.")
        fix = fix.format(variable=_variable(self.address), form="http://NAME:PASSWORD@HOST:PORT")
        if self.proxy and self.proxy.authorization:
            return _("The proxy does not accept the name and the password that it is given."), fix
        return _("The proxy wants a name and a password."), fix


_DENIALS = (401, 403, 407)


def _explained(fault: Exception) -> tuple[str, str]:
    """Why, and what to do next."""
    match fault:
        case socket.gaierror() | UnicodeError():
            return _("The name cannot be looked up in DNS."), _(
                "Check the region and the account id in it, and the network."
            )
        case ConnectionRefusedError():
            return _("The connection was refused: nothing listens there."), _("Check the endpoint.")
        case TimeoutError():
            return _("It did not answer in time."), _("Check the network and the endpoint, and try again.")
        case ssl.SSLCertVerificationError():
            return (
                _("Its TLS certificate is not to be trusted, or is another host's."),
                _("Check the endpoint. Behind a company's proxy, let SSL_CERT_FILE name its certificate."),
            )
        case ConnectionError() | http.client.RemoteDisconnected() | http.client.IncompleteRead() | ssl.SSLEOFError():
            return _("The connection was cut before a whole answer came."), _("Try again.")
        case ssl.SSLError():
            return _("What listens there does not speak TLS."), _("Check the endpoint's scheme and port.")
        case ReplyTooLong():
            return _("Its reply is too long to be the service's."), _("Check the endpoint and the proxy.")
        case http.client.HTTPException():
            return (
                _("What listens there does not speak HTTP."),
                _("Check the endpoint's scheme, http or https, and its port."),
            )
        case OSError() if fault.strerror:
            return _("The system says: {cause}.").format(cause=fault.strerror), _("Check the network and the endpoint.")
    return _("The connection failed."), _("Check the network and the endpoint.")


class ReplyTooLong(http.client.HTTPException):
    """A reply longer than any that the service gives."""
