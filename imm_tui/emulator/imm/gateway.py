"""The RPC gateway before IMM and STS: parameters out of a request, the signature checked, replies in its form."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from imm_tui.emulator import sts
from imm_tui.emulator.account import Account
from imm_tui.emulator.imm.parameters import ImmError
from imm_tui.emulator.imm.service import Imm
from imm_tui.emulator.mns.wire import escape
from imm_tui.emulator.signatures import Signatures, parameters_of


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    request_id: str
    content_type: str
    body: str


async def answer(
    account: Account,
    imm: Imm,
    signatures: Signatures,
    method: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    refusal: ImmError | None = None,
    skew: float = 0.0,
) -> Reply:
    """Carry out one call, in the query's own Format: XML unless it says JSON, and JSON with signature version 3.

    `headers` has lower-case names. A caller that goes away does not undo its call. With a `refusal` there is nothing
    but that; `skew` is the signatures'.
    """
    parameters = parameters_of(query)
    request_id = str(uuid.uuid4()).upper()
    try:
        if refusal is not None:
            raise refusal
        if method not in ("GET", "POST"):
            raise ImmError(405, "UnsupportedHTTPMethod", "This http method is not supported.")
        in_body = _body_parameters(body, headers.get("content-type", ""))
        if headers.get("authorization", "").startswith("ACS3-"):
            key = signatures.check_acs3(method, "/", parameters, headers, body, skew)
            parameters["Action"], parameters["Version"] = headers["x-acs-action"], headers["x-acs-version"]
        else:
            key = signatures.check_rpc(method, parameters, in_body, skew)
        parameters.update(in_body)
        if parameters.get("Version") == sts.VERSION and "Action" in parameters:
            status, reply = 200, sts.call(account, parameters, key)
        else:
            status, reply = 200, await asyncio.shield(imm.call(parameters))
    except Exception as error:
        said = (
            error if isinstance(error, ImmError) else ImmError(500, "InternalError", f"{type(error).__name__}: {error}")
        )
        status, reply = said.status, _refusal(said, request_id, headers.get("host", ""))
    reply = {"RequestId": request_id, **reply}
    default = "JSON" if "authorization" in headers else "XML"
    if parameters.get("Format", default).upper() == "JSON":
        return Reply(status, request_id, "application/json;charset=utf-8", json.dumps(reply, ensure_ascii=False))
    root = "Error" if status >= 400 else f"{parameters['Action']}Response"
    document = f'<?xml version="1.0" encoding="UTF-8"?>{_xml(root, reply)}'
    return Reply(status, request_id, "text/xml;charset=utf-8", document)


def call_of(query: str, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """For which service a call is, imm or sts, and what it is for; "" when it does not say so."""
    if "x-acs-action" in headers:
        action, version = headers["x-acs-action"], headers.get("x-acs-version", "")
    else:
        parameters = parameters_of(query)
        with suppress(ImmError):
            parameters |= _body_parameters(body, headers.get("content-type", ""))
        action, version = parameters.get("Action", ""), parameters.get("Version", "")
    return "sts" if version == sts.VERSION else "imm", action


def _refusal(error: ImmError, request_id: str, host: str) -> dict[str, object]:
    return {
        "HostId": host,
        "Code": error.code,
        "Message": error.message,
        "Recommend": f"https://api.aliyun.com/troubleshoot?q={error.code}&product=imm&requestId={request_id}",
    }


def _body_parameters(body: bytes, content_type: str) -> dict[str, str]:
    """What a POST says in its body: a form, or a JSON object whose members are parameters."""
    if body and "json" in content_type:
        try:
            members = json.loads(body)
        except ValueError as error:
            raise ImmError(400, "InvalidJSON", f"The body is not JSON: {error}.") from None
        if not isinstance(members, dict):
            raise ImmError(400, "InvalidJSON", "The body is not a JSON object.")
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in members.items()}
    if content_type.startswith("application/x-www-form-urlencoded"):
        return parameters_of(body.decode("utf-8", "replace"))
    return {}


def _xml(name: str, value: object) -> str:
    """Members become elements, and the items of a list repeat their element."""
    match value:
        case list():
            return "".join(_xml(name, item) for item in value)
        case dict():
            return f"<{name}>{''.join(_xml(str(key), member) for key, member in value.items())}</{name}>"
        case bool():
            return f"<{name}>{str(value).lower()}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"
