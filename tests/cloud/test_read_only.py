"""What a read-only profile sends: whatever only reads, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from imm_tui.cloud.imm import Imm
from imm_tui.cloud.mns import Queue
from imm_tui.cloud.mns_account import MnsAccount
from imm_tui.errors import ReadOnly
from imm_tui.tasks import API_VERSIONS, ApiVersion, Conversion
from tests.cloud.conftest import KEYS, assert_tells_nothing, imm_on, queue_on
from tests.cloud.servers import Service, answer
from tests.conftest import RunningEmulator
from tests.control import Control
from tests.mailbox import Mailbox, notification

CHANGES_A_QUEUE: dict[str, Callable[[Queue], object]] = {
    "receive": lambda queue: queue.receive(16, 0),
    "delete": lambda queue: queue.delete(["handle"]),
    "change_visibility": lambda queue: queue.change_visibility("handle", 60),
}
CHANGES_AN_ACCOUNT: dict[str, Callable[[MnsAccount], object]] = {
    "create_queue": lambda account: account.create_queue("q", visibility_timeout=30, retention=60, polling_wait=0),
    "create_topic": lambda account: account.create_topic("t"),
    "subscribe": lambda account: account.subscribe("t", "s", "q", region="r", account_id="1", content_format="XML"),
    "unsubscribe": lambda account: account.unsubscribe("t", "s"),
    "delete_queue": lambda account: account.delete_queue("q"),
    "delete_topic": lambda account: account.delete_topic("t"),
}
CONVERSION = Conversion(source_uri="oss://b/a.docx", target_uri="oss://b/out/", target_type="pdf", password="CANARY1")


@pytest.mark.parametrize("call", CHANGES_A_QUEUE.values(), ids=CHANGES_A_QUEUE)
def test_what_changes_a_queue_is_not_sent(call: Callable[[Queue], object]) -> None:
    with Service(answer(204)) as fake, queue_on(fake.url, read_only=True) as queue:
        with pytest.raises(ReadOnly) as caught:
            call(queue)
        assert "mns:" in caught.value.what
        assert "--read-only" in caught.value.fix
    assert fake.connections == 0


@pytest.mark.parametrize("call", CHANGES_AN_ACCOUNT.values(), ids=CHANGES_AN_ACCOUNT)
def test_what_changes_an_account_is_not_sent(call: Callable[[MnsAccount], object]) -> None:
    with Service(answer(201)) as fake:
        with closing(MnsAccount(fake.url, KEYS, read_only=True)) as account, pytest.raises(ReadOnly):
            call(account)
        assert fake.connections == 0


@pytest.mark.parametrize("version", API_VERSIONS)
def test_no_conversion_is_submitted_and_its_password_not_told(version: ApiVersion) -> None:
    with Service(answer(200, '{"TaskId": "1", "RequestId": "R"}')) as fake:
        with imm_on(fake.url, api_version=version, read_only=True) as imm, pytest.raises(ReadOnly) as caught:
            imm.create_conversion(CONVERSION, "token-1")
        assert_tells_nothing(caught.value, fake)
    assert fake.connections == 0


@pytest.mark.parametrize("version", API_VERSIONS)
def test_all_that_reads_is_still_answered_and_leaves_no_trace(
    fresh_emulator: RunningEmulator, control: Control, version: ApiVersion
) -> None:
    mailbox = Mailbox(fresh_emulator)
    mailbox.publish(notification("task-1"))
    (before,) = control.ledger(queue=mailbox.name)
    credentials, options = mailbox.credentials, dict[str, Any](read_only=True)
    with closing(Queue(fresh_emulator.endpoint, mailbox.name, credentials, **options)) as queue:
        (message,) = queue.peek()
        assert (message.receipt_handle, message.dequeue_count) == ("", 0)
        assert queue.depth().active == 1
    with closing(MnsAccount(fresh_emulator.endpoint, credentials, **options)) as account:
        assert mailbox.name in account.queues()
        assert account.queue(mailbox.name).active == 1
        assert mailbox.name in account.topics()
        assert account.topic(mailbox.name).name == mailbox.name
        assert len(account.subscriptions(mailbox.name)) == 1
        assert len(account.peek(mailbox.name)) == 1
    with closing(
        Imm(
            endpoint=fresh_emulator.endpoint,
            region=fresh_emulator.region,
            api_version=version,
            project=fresh_emulator.project,
            topic=mailbox.name,
            mns_endpoint=fresh_emulator.endpoint,
            credentials=credentials,
            **options,
        )
    ) as imm:
        assert imm.get_project() is not None
        assert len(imm.list_projects()) == 1
        assert imm.get_task("no-such-task") is None
        assert list(imm.list_tasks(0, 10**13)) == []
    assert control.ledger(queue=mailbox.name) == [before]
