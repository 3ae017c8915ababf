"""A client that signs by hand, for what the SDKs cannot say. It shares no line with the emulator."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

from tests.conftest import RunningEmulator

NAMESPACE = "{http://mns.aliyuncs.com/doc/v1/}"


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` has lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def xml(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.body)

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def text(self, name: str) -> str:
        """The text of the first element of MNS's with this name."""
        return self.xml.findtext(f".//{NAMESPACE}{name}", "")

    def texts(self, name: str) -> list[str]:
        return [element.text or "" for element in self.xml.iter(f"{NAMESPACE}{name}")]

    @property
    def refusal(self) -> tuple[int, str]:
        """The status and MNS's code; the code is empty when there is none."""
        return self.status, self.text("Code") if self.body else ""


def send(
    connection: http.client.HTTPConnection, method: str, target: str, headers: Mapping[str, str], body: bytes = b""
) -> Answer:
    connection.request(method, target, body or None, dict(headers))
    return receive(connection)


def receive(connection: http.client.HTTPConnection) -> Answer:
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


class RawMns:
    """MNS on one kept connection. A header given to a call as None is left out, after the signing."""

    def __init__(self, emulator: RunningEmulator) -> None:
        self.emulator = emulator
        self.connection = http.client.HTTPConnection(urlsplit(emulator.endpoint).netloc, timeout=40)

    def headers(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        key_id: str | None = None,
        secret: str | None = None,
        **changes: str | None,
    ) -> dict[str, str]:
        headers = {"date": formatdate(usegmt=True), "x-mns-version": "2015-06-06"}
        if body:
            headers["content-type"] = "text/xml"
        changed = {name.replace("_", "-"): value for name, value in changes.items()}
        headers.update({name: value for name, value in changed.items() if value is not None})
        ours = sorted(name for name in headers if name.startswith("x-mns-"))
        lines = [
            method,
            headers.get("content-md5", ""),
            headers.get("content-type", ""),
            headers.get("x-mns-date", headers["date"]),
            *(f"{name}:{headers[name]}" for name in ours),
            target,
        ]
        key = (secret or self.emulator.access_key_secret).encode()
        signature = base64.b64encode(hmac.new(key, "\n".join(lines).encode(), hashlib.sha1).digest()).decode()
        headers.setdefault("authorization", f"MNS {key_id or self.emulator.access_key_id}:{signature}")
        return {name: value for name, value in headers.items() if changed.get(name, "") is not None}

    def start(self, method: str, target: str, body: bytes = b"", **changes: Any) -> None:
        """Send a request and leave its answer to `receive(self.connection)`."""
        self.connection.request(method, target, body or None, self.headers(method, target, body, **changes))

    def __call__(self, method: str, target: str, body: bytes = b"", **changes: Any) -> Answer:
        self.start(method, target, body, **changes)
        return receive(self.connection)

    def close(self) -> None:
        self.connection.close()


def rpc_target(secret: str, method: str, query: Mapping[str, str], form: Mapping[str, str] | None = None) -> str:
    """The URL of an RPC call, signed by hand as the gateway's signature version 1.0 has it."""

    def encode(text: str) -> str:
        return quote(text, safe="-_.~")

    everything = sorted({**query, **(form or {})}.items())
    canonical = "&".join(f"{encode(name)}={encode(value)}" for name, value in everything)
    text = f"{method}&{encode('/')}&{encode(canonical)}"
    signature = base64.b64encode(hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()).decode()
    pairs = [*query.items(), ("Signature", signature)]
    return "/?" + "&".join(f"{encode(name)}={encode(value)}" for name, value in pairs)
