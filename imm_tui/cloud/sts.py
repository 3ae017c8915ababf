"""STS: of whom an access key is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from aliyunsdkcore.request import RpcRequest

from imm_tui.cloud.route import Address
from imm_tui.cloud.rpc import Reply, Rpc, text_of
from imm_tui.credentials import Keys
from imm_tui.i18n import _

_ACTION = "GetCallerIdentity"

_REGION = "cn-hangzhou"
"""STS has the same answer for every region; the SDK cannot do without one."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls with a key."""

    account_id: str
    """The main account, as a decimal number."""
    arn: str
    kind: str
    """Account, RAMUser or AssumedRoleUser; a later version may have more."""


def caller(endpoint: str, credentials: Keys) -> Caller:
    """Whose key it is (STS API 2015-04-01, GetCallerIdentity); the call needs no permission.

    Raises Refused and Unreachable, BadInput for an `endpoint` or a proxy that cannot be, NoCredentials for keys.
    """
    rpc = Rpc("STS", Address.parse(endpoint, "sts_endpoint"), _REGION, credentials)
    try:
        reply = rpc.ask(f"sts:{_ACTION}", partial(RpcRequest, "Sts", "2015-04-01", _ACTION, "sts"), {})
        if isinstance(reply, Reply) and reply.is_success and (account := text_of(reply.fields.get("AccountId"))):
            return Caller(
                account,
                text_of(reply.fields.get("Arn")) or "",
                text_of(reply.fields.get("IdentityType")) or "",
            )
        raise rpc.trouble(reply, f"sts:{_ACTION}", resource=_("the caller's identity"))
    finally:
        rpc.close()
