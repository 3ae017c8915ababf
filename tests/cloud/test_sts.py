"""Of whom a key is."""

from __future__ import annotations

import json
import uuid
from contextlib import closing

import pytest

from imm_tui.cloud.mns_account import MnsAccount
from imm_tui.cloud.sts import Caller, caller
from imm_tui.credentials import Credentials
from imm_tui.errors import BadInput, Denied, NoCredentials, Refused, Unreachable
from tests.cloud.conftest import KEYS, TEMPORARY_KEYS, assert_tells_nothing, parameters
from tests.cloud.servers import Service, answer, free_port
from tests.conftest import RunningEmulator
from tests.control import Control

USER = {
    "AccountId": " 123456789012 ",
    "Arn": "acs:ram::123456789012:user/某人",
    "IdentityType": "RAMUser",
    "PrincipalId": "216959339000654321",
    "RequestId": "2C9BE469-4A35-44D5-9529-CAA280B11603",
    "UserId": "216959339000654321",
}


def test_the_account_and_the_name_of_a_caller() -> None:
    with Service(answer(200, json.dumps(USER))) as fake:
        told = caller(fake.url, TEMPORARY_KEYS)
    assert told == Caller("123456789012", "acs:ram::123456789012:user/某人", "RAMUser")
    (request,) = fake.requests
    asked = parameters(request)
    assert (asked["Action"], asked["Version"]) == ("GetCallerIdentity", "2015-04-01")
    assert asked["SecurityToken"] == TEMPORARY_KEYS.security_token


@pytest.mark.parametrize("reply", ["{}", "<html>", '{"AccountId": 5}', "null"])
def test_an_answer_without_an_account_is_none(reply: str) -> None:
    with Service(answer(200, reply)) as fake, pytest.raises(Unreachable) as caught:
        caller(fake.url, KEYS)
    assert_tells_nothing(caught.value, fake)


def test_a_refusal_an_address_and_a_key_that_are_no_good() -> None:
    denied = json.dumps({"Code": "NoPermission", "Message": "No.", "RequestId": "R"})
    with Service(answer(403, denied)) as fake, pytest.raises(Denied) as caught:
        caller(fake.url, KEYS)
    assert caught.value.action == "sts:GetCallerIdentity"
    with pytest.raises(Unreachable) as nobody:
        caller(f"http://127.0.0.1:{free_port()}", KEYS)
    assert nobody.value.what.startswith("STS cannot be reached")
    with pytest.raises(BadInput) as bad:
        caller("nowhere/at all", KEYS)
    assert bad.value.field == "sts_endpoint"
    with pytest.raises(NoCredentials):
        caller("http://127.0.0.1:1", Credentials("", ""))


def test_the_emulator_tells_whose_a_key_is(fresh_emulator: RunningEmulator, control: Control) -> None:
    endpoint, account = fresh_emulator.env["IMM_TUI_STS_ENDPOINT"], fresh_emulator.account_id
    own = Credentials(fresh_emulator.access_key_id, fresh_emulator.access_key_secret)
    assert caller(endpoint, own) == Caller(account, f"acs:ram::{account}:root", "Account")
    role = Credentials("STS.role", uuid.uuid4().hex, "a+token/==")
    control.add_key(role.access_key_id, role.access_key_secret, role.security_token, 60)
    told = caller(endpoint, role)
    assert (told.account_id, told.kind) == (account, "AssumedRoleUser")


def test_what_goes_wrong_with_sts_goes_wrong_with_nothing_else(
    fresh_emulator: RunningEmulator, control: Control
) -> None:
    own = Credentials(fresh_emulator.access_key_id, fresh_emulator.access_key_secret)
    control.fault("error", service="sts", operation="GetCallerIdentity", status=403, code="NoPermission")
    with pytest.raises(Refused):
        caller(fresh_emulator.endpoint, own)
    with closing(MnsAccount(fresh_emulator.endpoint, own)) as account:
        assert account.queues()
