"""The emulator's control plane from a test: what really happened, the time, and what shall go wrong."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit


class Refused(Exception):
    """The control plane's own words for why not, and its HTTP status."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Control:
    """Each call is a connection of its own, so that it may be used from any thread."""

    def __init__(self, endpoint: str) -> None:
        self._address = urlsplit(endpoint).netloc

    def health(self) -> dict[str, Any]:
        return self._call("GET", "health")

    def reset(self) -> None:
        self._call("POST", "reset")

    def ledger(self, after: int = 0, queue: str | None = None) -> list[dict[str, Any]]:
        """The entries after the entry `after`; of one queue, if it is named."""
        query = {"after": after} if queue is None else {"after": after, "queue": queue}
        entries: list[dict[str, Any]] = self._call("GET", f"ledger?{urlencode(query)}")["entries"]
        return entries

    def clock(
        self, *, frozen: bool | None = None, advance: float | None = None, now: int | None = None
    ) -> dict[str, Any]:
        """Moves the clock by `advance` seconds or to `now` milliseconds, and says what time it is."""
        wishes = {"frozen": frozen, "advance": advance, "now": now}
        return self._call("POST", "clock", {name: wish for name, wish in wishes.items() if wish is not None})

    def add_key(
        self, access_key_id: str, access_key_secret: str, security_token: str = "", expires_in: float | None = None
    ) -> int | None:
        """Adds an access key to the account, a temporary one with a token; until when it is good, in milliseconds."""
        key = {
            "access_key_id": access_key_id,
            "access_key_secret": access_key_secret,
            "security_token": security_token,
            "expires_in": expires_in,
        }
        expires_at: int | None = self._call("POST", "credentials", key)["expires_at"]
        return expires_at

    def revoke(self, access_key_id: str) -> None:
        """The key, whether the account's own or an added one, is none any more."""
        self._call("DELETE", f"credentials?{urlencode({'access_key_id': access_key_id})}")

    def fault(self, effect: str, **rule: Any) -> int:
        """Switches a fault on and returns the number of its rule."""
        number: int = self._call("POST", "faults", {"effect": effect, **rule})["id"]
        return number

    def faults(self) -> list[dict[str, Any]]:
        """The rules, and under `injected` how often each took effect."""
        rules: list[dict[str, Any]] = self._call("GET", "faults")["rules"]
        return rules

    def clear(self) -> None:
        """Switches all faults off."""
        self._call("DELETE", "faults")

    def _call(self, method: str, name: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self._address, timeout=20)
        try:
            connection.request(method, f"/_emulator/{name}", None if body is None else json.dumps(body))
            response = connection.getresponse()
            reply: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise Refused(response.status, reply["error"])
        return reply
