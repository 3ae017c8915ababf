"""A key that is refused is replaced by the one that took its place: nothing is lost, and nothing done twice."""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest

from imm_tui.cloud.imm import Accepted, Imm
from imm_tui.cloud.mns import Cancelled, Queue
from imm_tui.cloud.mns_account import MnsAccount
from imm_tui.cloud.sts import caller
from imm_tui.credentials import Credentials, Keys
from imm_tui.errors import Barred, NoCredentials, Refused, Trouble
from imm_tui.tasks import API_VERSIONS, ApiVersion, Conversion, now
from tests.cloud.conftest import KEYS, TEMPORARY_KEYS, assert_tells_nothing, imm_on, parameters, queue_on
from tests.cloud.keys import Rotating
from tests.cloud.servers import Act, Service, answer
from tests.conftest import RunningEmulator
from tests.control import Control
from tests.mailbox import Mailbox, notification

NEXT_KEYS = replace(TEMPORARY_KEYS, access_key_id="STS.NextCanaryId", security_token="CANARY+next/token==")
MESSAGE = "<Messages><Message><MessageId>1</MessageId><ReceiptHandle>h</ReceiptHandle></Message></Messages>"
CONVERSION = Conversion(source_uri="oss://b/a.docx", target_uri="oss://b/out/", target_type="pdf", password="CANARY1")

ABOUT_THE_KEY = [
    (403, "SecurityTokenExpired"),
    (403, "InvalidSecurityToken"),
    (400, "InvalidSecurityToken.Expired"),
    (403, "InvalidAccessKeyId"),
    (404, "InvalidAccessKeyId.NotFound"),
    (400, "InvalidAccessKeyId.Inactive"),
    (403, "SignatureDoesNotMatch"),
]
NOT_ABOUT_THE_KEY = [(403, "AccessDenied"), (404, "QueueNotExist"), (408, "TimeExpired"), (500, "InternalError")]


GOOD_FOR_AN_HOUR = replace(TEMPORARY_KEYS, expires_at=now() + 3_600_000)
EXPIRED = replace(TEMPORARY_KEYS, expires_at=now() - 1)


def mns_refusal(status: int, code: str, message: str = "No.") -> Act:
    return answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>R</RequestId></Error>")


def rpc_refusal(status: int, code: str, message: str = "No.") -> Act:
    return answer(status, json.dumps({"Code": code, "Message": message, "RequestId": "R"}))


# MNS


@pytest.mark.parametrize(("status", "code"), ABOUT_THE_KEY)
def test_a_receive_goes_out_again_with_the_new_key(status: int, code: str) -> None:
    keys = Rotating(TEMPORARY_KEYS, NEXT_KEYS)
    with Service(mns_refusal(status, code), answer(200, MESSAGE)) as fake, queue_on(fake.url, keys) as queue:
        assert [message.message_id for message in queue.receive(16, 0)] == ["1"]
    first, second = fake.requests
    assert first.target == second.target
    assert first.headers["security-token"] == TEMPORARY_KEYS.security_token
    assert second.headers["security-token"] == NEXT_KEYS.security_token
    assert second.headers["authorization"].startswith(f"MNS {NEXT_KEYS.access_key_id}:")
    assert keys.refused == [TEMPORARY_KEYS]


def test_a_lasting_key_after_a_temporary_one_goes_without_its_token() -> None:
    keys = Rotating(TEMPORARY_KEYS, KEYS)
    with Service(mns_refusal(403, "SecurityTokenExpired"), answer(204)) as fake, queue_on(fake.url, keys) as queue:
        assert queue.delete(["h"]) == ["h"]
    assert "security-token" not in fake.requests[1].headers


@pytest.mark.parametrize(("status", "code"), NOT_ABOUT_THE_KEY)
def test_another_refusal_asks_for_no_other_key(status: int, code: str) -> None:
    keys = Rotating(GOOD_FOR_AN_HOUR, NEXT_KEYS)
    with Service(mns_refusal(status, code)) as fake, queue_on(fake.url, keys) as queue, pytest.raises(Refused):
        queue.receive(16, 0)
    assert (len(fake.requests), keys.refused) == (1, [])


@pytest.mark.parametrize(
    ("key", "message", "calls"),
    [
        (GOOD_FOR_AN_HOUR, "The specified security token is expired.", 2),
        (TEMPORARY_KEYS, "No.", 2),  # who knows how long it is good
        (EXPIRED, "No.", 2),
        (GOOD_FOR_AN_HOUR, "No.", 1),
        (KEYS, "No.", 1),
    ],
)
def test_a_denial_asks_for_another_key_where_the_token_may_be_too_old(
    key: Credentials, message: str, calls: int
) -> None:
    denial = mns_refusal(403, "AccessDenied", message)
    with Service(denial) as fake, queue_on(fake.url, Rotating(key, NEXT_KEYS)) as queue, pytest.raises(Barred):
        queue.receive(16, 0)
    assert len(fake.requests) == calls
    with (
        Service(rpc_refusal(403, "NoPermission", message)) as fake,
        imm_on(fake.url, credentials=Rotating(key, NEXT_KEYS)) as imm,
        pytest.raises(Barred),
    ):
        imm.create_conversion(CONVERSION, "token-1")
    assert len(fake.requests) == calls


@pytest.mark.parametrize("keys", [TEMPORARY_KEYS, Rotating(TEMPORARY_KEYS)])
def test_without_another_key_the_refusal_stands(keys: Keys) -> None:
    with Service(mns_refusal(403, "SecurityTokenExpired")) as fake, queue_on(fake.url, keys) as queue:
        with pytest.raises(Barred) as caught:
            queue.receive(16, 0)
        assert_tells_nothing(caught.value, fake)
    assert len(fake.requests) == 1


def test_a_second_key_that_is_refused_as_well_is_the_last_that_is_tried() -> None:
    keys = Rotating(TEMPORARY_KEYS, NEXT_KEYS, KEYS)
    with Service(mns_refusal(403, "InvalidSecurityToken")) as fake, queue_on(fake.url, keys) as queue:
        with pytest.raises(Barred) as caught:
            queue.receive(16, 0)
        assert_tells_nothing(caught.value, fake)
    assert len(fake.requests) == 2


class Gone:
    """Keys of which there are none any more once one was refused."""

    def __init__(self) -> None:
        self._key: Credentials | None = TEMPORARY_KEYS

    def current(self) -> Credentials:
        if self._key is None:
            raise NoCredentials("No access key was found.")
        return self._key

    def renew(self, refused: Credentials) -> bool:
        self._key = None
        return True


def test_where_no_key_is_left_that_is_said() -> None:
    expired = mns_refusal(403, "SecurityTokenExpired")
    with Service(expired) as fake, queue_on(fake.url, Gone()) as queue, pytest.raises(NoCredentials):
        queue.receive(16, 0)
    with Service(rpc_refusal(400, "InvalidSecurityToken.Expired")) as fake:
        with imm_on(fake.url, credentials=Gone()) as imm, pytest.raises(NoCredentials) as caught:
            imm.create_conversion(CONVERSION, "token-1")
        assert_tells_nothing(caught.value, fake)


def test_a_long_poll_that_the_service_ends_with_the_token_goes_on_with_the_next_one() -> None:
    expired = threading.Event()

    def hold(connection: object, over: threading.Event) -> None:
        expired.wait(10)
        mns_refusal(403, "SecurityTokenExpired")(connection, over)  # type: ignore[arg-type]

    keys = Rotating(TEMPORARY_KEYS, NEXT_KEYS)
    with (
        Service(hold, answer(200, MESSAGE)) as fake,
        queue_on(fake.url, keys) as queue,
        ThreadPoolExecutor() as threads,
    ):
        poll = threads.submit(queue.receive, 16, 30)
        assert fake.arrived.wait(10)
        expired.set()
        assert len(poll.result(10)) == 1
    assert [request.headers["security-token"] for request in fake.requests] == [
        TEMPORARY_KEYS.security_token,
        NEXT_KEYS.security_token,
    ]


class Slow(Rotating):
    """Finding another key takes a while, in which somebody else may do something."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__(TEMPORARY_KEYS, NEXT_KEYS)
        self.meanwhile = meanwhile

    def renew(self, refused: Credentials) -> bool:
        self.meanwhile()
        return super().renew(refused)


@pytest.mark.parametrize("stop", [Queue.interrupt, Queue.kill])
def test_what_is_stopped_while_another_key_is_looked_for_sends_nothing_more(stop: Callable[[Queue], None]) -> None:
    keys = Slow(lambda: stop(queue))
    with Service(mns_refusal(403, "SecurityTokenExpired")) as fake, queue_on(fake.url, keys) as queue:
        with pytest.raises(Cancelled):
            queue.receive(16, 30)
        assert len(fake.requests) == 1


# IMM and STS


@pytest.mark.parametrize("version", API_VERSIONS)
@pytest.mark.parametrize(("status", "code"), ABOUT_THE_KEY)
def test_a_submission_goes_out_again_with_the_new_key_and_the_same_token(
    version: ApiVersion, status: int, code: str
) -> None:
    accepted = answer(200, '{"TaskId": "1", "RequestId": "R"}')
    with Service(rpc_refusal(status, code), accepted) as fake:
        keys = Rotating(TEMPORARY_KEYS, NEXT_KEYS)
        with imm_on(fake.url, api_version=version, credentials=keys) as imm:
            assert imm.create_conversion(CONVERSION, "token-1") == Accepted("1", "R")
    first, second = map(parameters, fake.requests)
    signing = {"AccessKeyId", "SecurityToken", "Signature", "SignatureNonce", "Timestamp"}
    assert {name for name in first if first[name] != second[name]} <= signing
    assert (first["SecurityToken"], second["SecurityToken"]) == (
        TEMPORARY_KEYS.security_token,
        NEXT_KEYS.security_token,
    )
    assert first["SignatureNonce"] != second["SignatureNonce"]


def test_a_list_of_tasks_goes_on_where_the_key_was_refused() -> None:
    pages = [
        answer(200, '{"Tasks": [{"TaskId": "a"}], "NextToken": "1"}'),
        rpc_refusal(400, "InvalidSecurityToken.Expired"),
        answer(200, '{"Tasks": [{"TaskId": "b"}]}'),
    ]
    with Service(*pages) as fake, imm_on(fake.url, credentials=Rotating(TEMPORARY_KEYS, KEYS)) as imm:
        assert [task.task_id for task in imm.list_tasks(0, 1)] == ["a", "b"]
    assert [parameters(request).get("NextToken") for request in fake.requests] == [None, "1", "1"]
    assert "SecurityToken" not in parameters(fake.requests[2])


@pytest.mark.parametrize("keys", [TEMPORARY_KEYS, Rotating(TEMPORARY_KEYS)])
def test_without_another_key_imms_refusal_stands(keys: Keys) -> None:
    with Service(rpc_refusal(400, "InvalidSecurityToken.Expired")) as fake, imm_on(fake.url, credentials=keys) as imm:
        with pytest.raises(Barred) as caught:
            imm.create_conversion(CONVERSION, "token-1")
        assert_tells_nothing(caught.value, fake)
    assert len(fake.requests) == 1


# With services that know when a token expires


def temporary(control: Control, seconds: float = 3600) -> Credentials:
    """A key that is good for so long."""
    key = Credentials(f"STS.{uuid.uuid4().hex}", uuid.uuid4().hex, f"{uuid.uuid4().hex}+/=")
    control.add_key(key.access_key_id, key.access_key_secret, key.security_token, seconds)
    return key


class Renewed:
    """Keys of a role: when one is refused, another is issued."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._key = temporary(control)
        self.asked = threading.Event()
        self.issued = 1

    def current(self) -> Credentials:
        self.asked.set()
        return self._key

    def renew(self, refused: Credentials) -> bool:
        if refused == self._key:
            self._key = temporary(self._control)
            self.issued += 1
        return True


def test_a_token_that_expires_within_a_long_poll_costs_no_message(
    fresh_emulator: RunningEmulator, control: Control
) -> None:
    mailbox, keys = Mailbox(fresh_emulator), Renewed(control)
    with closing(Queue(fresh_emulator.endpoint, mailbox.name, keys)) as queue, ThreadPoolExecutor() as threads:
        for number in range(3):
            keys.asked.clear()
            poll = threads.submit(queue.receive, 16, 30)
            assert keys.asked.wait(10)
            control.clock(advance=3601)
            mailbox.publish(notification(f"task-{number}"))
            (message,) = poll.result(20)
            assert message.dequeue_count == 1
            assert queue.delete([message.receipt_handle]) == [message.receipt_handle]
    done = Counter(entry["action"] for entry in control.ledger(queue=mailbox.name))
    assert (done["receive"], done["delete"]) == (3, 3)
    assert keys.issued > 3
    assert mailbox.left == (0, 0)


@pytest.mark.parametrize("version", API_VERSIONS)
def test_a_conversion_is_submitted_once_though_the_token_had_expired(
    fresh_emulator: RunningEmulator, control: Control, version: ApiVersion
) -> None:
    keys = Renewed(control)
    (fresh_emulator.data_dir / "b").mkdir()
    with closing(
        Imm(
            endpoint=fresh_emulator.endpoint,
            region=fresh_emulator.region,
            api_version=version,
            project=fresh_emulator.project,
            topic=fresh_emulator.topic,
            mns_endpoint=fresh_emulator.endpoint,
            credentials=keys,
        )
    ) as imm:
        control.clock(advance=3601)
        accepted = imm.create_conversion(CONVERSION, "token-1")
        assert imm.get_task(accepted.task_id) is not None
    assert [entry["action"] for entry in control.ledger()].count("submit") == 1
    assert keys.issued == 2


def queues(emulator: RunningEmulator, keys: Keys) -> list[str]:
    with closing(MnsAccount(emulator.endpoint, keys)) as account:
        return account.queues()


KeyCall = Callable[[RunningEmulator, Keys], object]
CODES: dict[str, tuple[KeyCall, str, str, str]] = {
    "mns": (
        queues,
        "SecurityTokenExpired",
        "InvalidSecurityToken",
        "InvalidAccessKeyId",
    ),
    "sts": (
        lambda emulator, keys: caller(emulator.env["IMM_TUI_STS_ENDPOINT"], keys),
        "InvalidSecurityToken.Expired",
        "InvalidSecurityToken.MismatchWithAccessKey",
        "InvalidAccessKeyId.NotFound",
    ),
}


@pytest.mark.parametrize(("call", "expired", "mismatched", "unknown"), CODES.values(), ids=CODES)
def test_an_expired_a_mismatched_and_a_revoked_key_are_told_apart(
    fresh_emulator: RunningEmulator, control: Control, call: KeyCall, expired: str, mismatched: str, unknown: str
) -> None:
    def refused(key: Credentials) -> Trouble:
        with pytest.raises(Refused) as caught:
            call(fresh_emulator, key)
        return caught.value

    key, other = temporary(control), temporary(control, 10**6)
    assert call(fresh_emulator, key)
    assert refused(replace(key, security_token=other.security_token)).code == mismatched
    control.clock(advance=3601)
    assert refused(key).code == expired
    assert call(fresh_emulator, other)
    control.revoke(other.access_key_id)
    assert refused(other).code == unknown
