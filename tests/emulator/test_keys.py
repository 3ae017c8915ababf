"""Access keys that come, expire and are revoked, and an STS that tells whose they are, by the vendor's SDKs."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from mns.account import Account
from mns.mns_exception import MNSServerException

from tests.conftest import RunningEmulator
from tests.control import Control, Refused
from tests.emulator.raw import Answer, RawMns, receive, send

KEY, SECRET, TOKEN = "STS.of-a-role", "s3cret/+=", "CAIS+token/=="


def call(emulator: RunningEmulator, action: str, token: str = TOKEN, key: str = KEY, secret: str = SECRET) -> Any:
    """One RPC call with the vendor's SDK, of STS or of IMM 2020-09-30."""
    credential = StsTokenCredential(key, secret, token) if token else None
    client = AcsClient(
        **({"credential": credential} if credential else {"ak": key, "secret": secret}),
        region_id=emulator.region,
        auto_retry=False,
        proxy={"http": "", "https": ""},
    )
    sts = action == "GetCallerIdentity"
    request = CommonRequest(
        domain=urlsplit(emulator.endpoint).netloc, version="2015-04-01" if sts else "2020-09-30", action_name=action
    )
    request.set_method("POST")
    with contextlib.closing(client.session):
        return json.loads(client.do_action_with_exception(request))


def refusal(made: Callable[[], object]) -> str:
    """The code with which either service refuses."""
    with pytest.raises((ServerException, MNSServerException)) as caught:
        made()
    code: str = caught.value.type if isinstance(caught.value, MNSServerException) else caught.value.get_error_code()
    return code


def queues(emulator: RunningEmulator, token: str = TOKEN, key: str = KEY, secret: str = SECRET) -> int:
    account = Account(emulator.endpoint, key, secret, security_token=token)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # the SDK prints the secret at every request
            return len(account.list_queue()[0])
    finally:
        account.get_client().close_connection()


def test_the_account_itself_and_a_role_are_told_who_they_are(fresh_emulator: RunningEmulator, control: Control) -> None:
    account = fresh_emulator.account_id
    own = call(fresh_emulator, "GetCallerIdentity", "", fresh_emulator.access_key_id, fresh_emulator.access_key_secret)
    assert (own["AccountId"], own["IdentityType"], own["Arn"]) == (account, "Account", f"acs:ram::{account}:root")
    control.add_key(KEY, SECRET, TOKEN, 60)
    role = call(fresh_emulator, "GetCallerIdentity")
    assert (role["AccountId"], role["IdentityType"]) == (account, "AssumedRoleUser")
    assert role["Arn"].startswith(f"acs:ram::{account}:assumed-role/")
    assert role["RequestId"] != own["RequestId"]


def test_sts_has_no_other_operation(fresh_emulator: RunningEmulator) -> None:
    request = CommonRequest(
        domain=urlsplit(fresh_emulator.endpoint).netloc, version="2015-04-01", action_name="AssumeRole"
    )
    client = AcsClient(fresh_emulator.access_key_id, fresh_emulator.access_key_secret, auto_retry=False)
    with contextlib.closing(client.session):
        assert refusal(lambda: client.do_action_with_exception(request)) == "InvalidAction.NotFound"


def test_a_temporary_key_is_good_for_every_service_until_it_expires(
    fresh_emulator: RunningEmulator, control: Control
) -> None:
    expires_at = control.add_key(KEY, SECRET, TOKEN, 900)
    assert expires_at is not None
    assert abs(expires_at - control.clock()["now"] - 900_000) < 60_000
    assert queues(fresh_emulator) == 1
    assert len(call(fresh_emulator, "ListProjects")["Projects"]) == 1
    control.clock(advance=901)
    assert refusal(lambda: queues(fresh_emulator)) == "SecurityTokenExpired"
    for action in ("ListProjects", "GetCallerIdentity"):
        assert refusal(lambda action=action: call(fresh_emulator, action)) == "InvalidSecurityToken.Expired"  # type: ignore[misc]


def test_a_token_belongs_to_its_key(fresh_emulator: RunningEmulator, control: Control) -> None:
    control.add_key(KEY, SECRET, TOKEN)
    own = fresh_emulator.access_key_id, fresh_emulator.access_key_secret
    assert refusal(lambda: queues(fresh_emulator, "another")) == "InvalidSecurityToken"
    assert refusal(lambda: queues(fresh_emulator, "")) == "InvalidSecurityToken"
    assert refusal(lambda: queues(fresh_emulator, TOKEN, *own)) == "InvalidSecurityToken"
    mismatch = "InvalidSecurityToken.MismatchWithAccessKey"
    assert refusal(lambda: call(fresh_emulator, "ListProjects", "another")) == mismatch
    assert refusal(lambda: call(fresh_emulator, "ListProjects", "")) == "MissingSecurityToken"
    assert refusal(lambda: call(fresh_emulator, "ListProjects", TOKEN, *own)) == "InvalidSecurityToken.Malformed"


def test_keys_are_rotated_by_adding_one_and_revoking_the_other(
    fresh_emulator: RunningEmulator, control: Control
) -> None:
    control.add_key("LTAInext", "next")
    own = fresh_emulator.access_key_id, fresh_emulator.access_key_secret
    assert queues(fresh_emulator, "", "LTAInext", "next") == queues(fresh_emulator, "", *own) == 1
    control.revoke(fresh_emulator.access_key_id)
    assert refusal(lambda: queues(fresh_emulator, "", *own)) == "InvalidAccessKeyId"
    assert refusal(lambda: call(fresh_emulator, "ListProjects", "", *own)) == "InvalidAccessKeyId.NotFound"
    assert queues(fresh_emulator, "", "LTAInext", "next") == 1
    control.reset()
    assert queues(fresh_emulator, "", *own) == 1
    assert refusal(lambda: queues(fresh_emulator, "", "LTAInext", "next")) == "InvalidAccessKeyId"


@pytest.fixture
def mns(fresh_emulator: RunningEmulator) -> Iterator[RawMns]:
    client = RawMns(fresh_emulator)
    yield client
    client.close()


def test_a_long_poll_that_was_good_at_its_start_goes_on_when_the_token_expires(
    fresh_emulator: RunningEmulator, control: Control, mns: RawMns
) -> None:
    control.add_key(KEY, SECRET, TOKEN, 900)
    messages = f"/queues/{fresh_emulator.queue}/messages"
    poll = RawMns(fresh_emulator)
    with contextlib.closing(poll):
        poll.start("GET", f"{messages}?waitseconds=30", key_id=KEY, secret=SECRET, security_token=TOKEN)
        # What comes later on another connection is answered later: the poll has begun.
        control.health()
        control.clock(advance=901)
        mns("POST", messages, b"<Message><MessageBody>news</MessageBody></Message>")
        assert receive(poll.connection).status == 200
        assert poll("GET", messages, key_id=KEY, secret=SECRET, security_token=TOKEN).status == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"access_key_id": KEY},
        {"access_key_id": "", "access_key_secret": SECRET},
        {"access_key_id": "with blank", "access_key_secret": SECRET},
        {"access_key_id": KEY, "access_key_secret": "line\nend"},
        {"access_key_id": KEY, "access_key_secret": SECRET, "expires_in": 0},
        {"access_key_id": KEY, "access_key_secret": SECRET, "expires_in": "soon"},
        {"access_key_id": KEY, "access_key_secret": SECRET, "lasts": 60},
    ],
)
def test_a_key_that_cannot_be_is_not_added(fresh_emulator: RunningEmulator, body: dict[str, object]) -> None:
    answer = posted(fresh_emulator, "POST", "credentials", json.dumps(body).encode())
    assert answer.status == 400
    assert "error" in json.loads(answer.body)


def posted(emulator: RunningEmulator, method: str, name: str, body: bytes = b"") -> Answer:
    connection = http.client.HTTPConnection(urlsplit(emulator.endpoint).netloc, timeout=10)
    with contextlib.closing(connection):
        return send(connection, method, f"/_emulator/{name}", {}, body)


def test_a_key_that_is_not_there_cannot_be_revoked(fresh_emulator: RunningEmulator, control: Control) -> None:
    with pytest.raises(Refused) as caught:
        control.revoke("LTAInobody")
    assert caught.value.status == 404
    assert posted(fresh_emulator, "GET", "credentials").status == 405


@pytest.mark.parametrize(("service", "broken"), [("sts", {"GetCallerIdentity"}), ("imm", {"ListProjects"})])
def test_a_fault_of_sts_is_not_one_of_imm(
    fresh_emulator: RunningEmulator, control: Control, service: str, broken: set[str]
) -> None:
    own = "", fresh_emulator.access_key_id, fresh_emulator.access_key_secret
    control.fault("error", service=service, status=403, code="NoPermission", message="No.")
    for action in ("GetCallerIdentity", "ListProjects"):
        if action in broken:
            assert refusal(lambda action=action: call(fresh_emulator, action, *own)) == "NoPermission"  # type: ignore[misc]
        else:
            assert call(fresh_emulator, action, *own)
