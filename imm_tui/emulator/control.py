"""The control plane, JSON under `/_emulator/`: what a test or a presenter does to the cloud, and no client of it may.

Only this machine reaches it, and no web page in a browser here: the peer and the Host are loopback, and there is no
Origin. Nothing is signed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from imm_tui import __version__
from imm_tui.emulator.faults import BadRule, read_rule
from imm_tui.emulator.signatures import parameters_of
from imm_tui.emulator.world import World

PATH = "/_emulator/"

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+]|[^:@/\[\]]+)(?::[0-9]+)?")

_KEY = re.compile(r"[!-~]*")

LATEST = 253_402_300_799
"""Seconds since the epoch up to which there are dates: the end of the year 9999."""


class _Refused(Exception):
    """A request that cannot be carried out, and the HTTP status that says so."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


async def answer(world: World, request: web.BaseRequest, path: str, endpoint: str, body: bytes) -> web.Response:
    """Carry out one request; `endpoint` is the URL that the emulator itself goes by."""
    try:
        _check_caller(request, endpoint)
        query = parameters_of(request.raw_path.partition("?")[2])
        reply, status = await _carry_out(world, request.method, path.removeprefix(PATH), query, body), 200
    except _Refused as refused:
        reply, status = {"error": str(refused)}, refused.status
    return web.Response(status=status, body=json.dumps(reply).encode(), content_type="application/json")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _check_caller(request: web.BaseRequest, endpoint: str) -> None:
    named = _HOST.fullmatch(request.headers.get("Host", ""))
    host = named[1].strip("[]") if named else ""
    named_here = host == urlsplit(endpoint).hostname or is_loopback(host)
    if "Origin" in request.headers or not (named_here and is_loopback(request.remote or "")):
        raise _Refused(403, "The control plane is for programs on this machine, at its loopback address.")


async def _carry_out(world: World, method: str, name: str, query: Mapping[str, str], body: bytes) -> dict[str, object]:
    match name, method:
        case "health", "GET":
            return {"status": "ok", "version": __version__, **_time(world), "scenario": world.scenario_name}
        case "reset", "POST":
            await world.reset()
            return {}
        case "ledger", "GET":
            world.mns.catch_up()
            after = _whole("after", query.get("after", "0"))
            return {
                "entries": list(world.ledger.entries(after, query.get("queue"))),
                "dropped": world.ledger.dropped,
            }
        case "clock", "GET":
            return _time(world)
        case "clock", "POST":
            _set_clock(world, _members(body))
            return _time(world)
        case ("faults", "GET"):
            return {"rules": world.faults.listing()}
        case ("faults", "POST"):
            try:
                return {"id": world.faults.add(read_rule(_members(body)))}
            except BadRule as bad:
                raise _Refused(400, str(bad)) from None
        case ("faults", "DELETE"):
            world.faults.clear()
            return {}
        case ("credentials", "POST"):
            return {"expires_at": _add_key(world, _members(body))}
        case ("credentials", "DELETE"):
            if not world.keys.revoke(query.get("access_key_id", "")):
                raise _Refused(404, "There is no such access_key_id.")
            return {}
        case (("health" | "reset" | "ledger" | "clock" | "faults" | "credentials"), _):
            raise _Refused(405, f"There is no {method} of {PATH}{name}.")
    raise _Refused(404, f"There is no {PATH}{name}.")


def _add_key(world: World, wishes: Mapping[str, object]) -> int | None:
    """Adds an access key that lasts `expires_in` seconds of the cloud's clock, or for ever; in milliseconds until when.

    With a `security_token` it is a temporary one. One with the same id is replaced.
    """
    known = ("access_key_id", "access_key_secret", "security_token", "expires_in")
    if unknown := sorted(wishes.keys() - set(known)):
        raise _Refused(400, f"There is no {', '.join(unknown)} here, but {', '.join(known)}.")
    key_id, secret, token = (str(wishes.get(name, "")) for name in known[:3])
    if not key_id or not secret or not _KEY.fullmatch(key_id + secret + token):
        raise _Refused(400, "An access key has an id and a secret, and neither they nor a token have blanks.")
    lasts = wishes.get("expires_in")
    seconds = None if lasts is None else _number("expires_in", lasts)
    if seconds is not None and not 0 < seconds < LATEST:
        raise _Refused(400, "expires_in must be more than 0.")
    key = world.keys.add(key_id, secret, token, seconds)
    return None if key.expires is None else int(key.expires * 1000)


def _time(world: World) -> dict[str, object]:
    return {"now": int(world.clock.now() * 1000), "frozen": world.clock.frozen}


def _set_clock(world: World, wishes: Mapping[str, object]) -> None:
    """`now` in milliseconds, `advance` in seconds. Time goes on or stands still; it never goes back."""
    frozen, advance, moment = wishes.get("frozen", world.clock.frozen), wishes.get("advance", 0), wishes.get("now")
    if unknown := sorted(wishes.keys() - {"frozen", "advance", "now"}):
        raise _Refused(400, f"There is no {', '.join(unknown)} here, but frozen, advance and now.")
    before = world.clock.now()
    if not isinstance(frozen, bool):
        raise _Refused(400, "frozen must be true or false.")
    start = before if moment is None else _number("now", moment) / 1000
    target = start + _number("advance", advance)
    if not before <= target <= LATEST:
        raise _Refused(400, "The clock can be moved on, up to the year 9999, but not back.")
    world.clock.move(target, frozen=frozen)
    world.mns.catch_up()


def _members(body: bytes) -> dict[str, object]:
    try:
        members = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise _Refused(400, f"The body is not JSON: {error}.") from None
    if not isinstance(members, dict):
        raise _Refused(400, "The body is not a JSON object.")
    return members


def _number(name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(OverflowError):
            return float(value)
    raise _Refused(400, f"{name} must be a number.")


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise _Refused(400, f"{name} must be a whole number.")
    return int(text)
