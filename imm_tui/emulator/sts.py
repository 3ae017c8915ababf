"""STS 2015-04-01: it tells a caller who they are."""

from __future__ import annotations

from collections.abc import Mapping

from imm_tui.emulator.account import Account
from imm_tui.emulator.imm.parameters import ImmError
from imm_tui.emulator.keys import Key

VERSION = "2015-04-01"


def call(account: Account, parameters: Mapping[str, str], key: Key) -> dict[str, object]:
    """The JSON of a successful answer, without its RequestId. Raises ImmError."""
    if parameters["Action"] != "GetCallerIdentity":
        raise ImmError(404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
    if not key.token:
        return {
            "IdentityType": "Account",
            "AccountId": account.account_id,
            "UserId": account.account_id,
            "PrincipalId": account.account_id,
            "Arn": f"acs:ram::{account.account_id}:root",
        }
    return {
        "IdentityType": "AssumedRoleUser",
        "AccountId": account.account_id,
        "RoleId": _ROLE_ID,
        "PrincipalId": f"{_ROLE_ID}:{_SESSION}",
        "Arn": f"acs:ram::{account.account_id}:assumed-role/{_ROLE}/{_SESSION}",
    }


_ROLE, _ROLE_ID, _SESSION = "imm-tui", "300000000000000000", "session"
