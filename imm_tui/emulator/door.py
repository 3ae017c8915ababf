"""Where requests come in and answers go out while there are fault rules: what they do to HTTP, they do here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate

from aiohttp import web

from imm_tui.emulator.faults import AFTER, BEFORE, Faults, Rule

_FOR_EVER = 86400.0
_NOTHING = b'<?xml version="1.0" encoding="UTF-8"?>'
"""What is spoilt where an answer has no body: HTTP 204 cannot be."""

_PAGE = """<!DOCTYPE html>
<html><head><title>{status}</title></head>
<body><h1>{status} The proxy could not reach the server</h1><hr><address>squid</address></body></html>
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error to be given in the service's own form instead of carrying the request out."""

    status: int
    code: str
    message: str


_THROTTLED = {
    "mns": Refusal(403, "QpsLimitExceeded", "The QPS of your requests exceeds the limit."),
    "imm": Refusal(400, "Throttling.User", "Request was denied due to user flow control."),
    "sts": Refusal(400, "Throttling.User", "Request was denied due to user flow control."),
}
_BROKEN = Refusal(500, "InternalError", "The request processing has failed due to some unknown error.")

Perform = Callable[[Refusal | None, float], Awaitable[web.Response]]
"""Answers a request: with the refusal, if there is one; else by a clock that is so many seconds ahead."""


async def pass_through(
    faults: Faults, service: str, operation: str, request: web.BaseRequest, perform: Perform
) -> web.StreamResponse:
    """The answer of `perform`, with what the rules do before and after it."""
    skew = 0.0
    for rule in faults.strike(BEFORE, (service,), operation):
        match rule.effect:
            case "latency":
                await asyncio.sleep(rule.seconds or 0)
            case "skew":
                skew = rule.seconds or 0
            case "cut-before":
                return _cut(request)
            case "html":
                return _page(rule.status or 502)
            case "redirect":
                return web.Response(status=rule.status or 302, headers={"Location": rule.location or ""})
            case _:
                return await _refuse(rule, service, perform)
    response = await perform(None, skew)
    if skew:
        response.headers["Date"] = formatdate(time.time() + skew, usegmt=True)
    effects = AFTER if response.status < 400 else ("hang",)  # nothing took place that could be lost
    for rule in faults.strike(effects, (service,), operation):
        match rule.effect:
            case "hang":
                await asyncio.sleep(_FOR_EVER if rule.seconds is None else rule.seconds)
            case "malformed":
                response = _spoilt(response)
            case "truncate":
                return await _cut_short(request, response)
            case "cut-after":
                return _cut(request)
    return response


def _cut(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # to nobody


async def _refuse(rule: Rule, service: str, perform: Perform) -> web.Response:
    usual = _THROTTLED[service] if rule.effect == "throttle" else _BROKEN
    refusal = Refusal(rule.status or usual.status, rule.code or usual.code, rule.message or usual.message)
    response = await perform(refusal, 0.0)
    if rule.retry_after is not None:
        response.headers["Retry-After"] = f"{rule.retry_after:g}"
    return response


def _page(status: int) -> web.Response:
    return web.Response(status=status, text=_PAGE.format(status=status), content_type="text/html")


def _spoilt(response: web.Response) -> web.Response:
    """Not well-formed, between what the texts of messages are: an XML's last tag, the end of a JSON."""
    body = _body(response)
    start = body.rpartition(b"</")[0]
    spoilt = start + b"<&\x01" + body[len(start) :] if start else body[:-1]
    return web.Response(status=_status(response), body=spoilt, headers=_headers(response))


async def _cut_short(request: web.BaseRequest, response: web.Response) -> web.StreamResponse:
    """The whole is promised, and half of it comes."""
    body = _body(response)
    stream = web.StreamResponse(status=_status(response), headers=_headers(response))
    stream.content_length = len(body)
    await stream.prepare(request)
    await stream.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return stream


def _body(response: web.Response) -> bytes:
    assert response.body is None or isinstance(response.body, bytes)
    return response.body or _NOTHING


def _status(response: web.Response) -> int:
    return 200 if response.status == 204 else response.status


def _headers(response: web.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name != "Content-Length"}
