"""Both rooms together with an IMM and an MNS that check every signature: from a submission to a deleted event."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from imm_tui import notifications
from imm_tui.cloud.imm import Imm
from imm_tui.cloud.mns import Cancelled, Queue
from imm_tui.cloud.mns_reply import Depth
from imm_tui.credentials import Credentials
from imm_tui.errors import Barred, Refused
from imm_tui.tasks import API_VERSIONS, ApiVersion, Conversion, now
from tests.cloud.conftest import assert_tells_nothing
from tests.conftest import RunningEmulator
from tests.mailbox import Mailbox, notification

OTHER_SECRET = "CANARY0another0secret"


@pytest.fixture
def queue(mailbox: Mailbox) -> Iterator[Queue]:
    with closing(Queue(mailbox.emulator.endpoint, mailbox.name, mailbox.credentials)) as queue:
        yield queue


@pytest.fixture
def source(emulator: RunningEmulator) -> str:
    """An object that cannot be converted, which is told as quickly as anything."""
    bucket = emulator.data_dir / f"cloud-{uuid.uuid4().hex[:8]}"
    bucket.mkdir(parents=True)
    (bucket / "说明 & more.docx").write_bytes(b"not a document")
    return f"oss://{bucket.name}/说明 & more.docx"


def imm_of(mailbox: Mailbox, version: ApiVersion, **changes: Any) -> closing[Imm]:
    settings: dict[str, Any] = {
        "endpoint": mailbox.emulator.env["IMM_TUI_IMM_ENDPOINT"],
        "region": mailbox.emulator.region,
        "api_version": version,
        "project": mailbox.emulator.project,
        "topic": mailbox.name,
        "mns_endpoint": mailbox.emulator.endpoint,
        "credentials": mailbox.credentials,
    }
    return closing(Imm(**(settings | changes)))


def conversion_of(source: str) -> Conversion:
    return Conversion(source_uri=source, target_uri=source.rpartition("/")[0] + "/out/", target_type="pdf")


@pytest.mark.parametrize("version", API_VERSIONS)
def test_a_conversion_is_accepted_and_its_event_arrives_once(
    mailbox: Mailbox, queue: Queue, source: str, version: ApiVersion
) -> None:
    with imm_of(mailbox, version) as imm:
        accepted = imm.create_conversion(conversion_of(source), str(uuid.uuid4()))
    assert accepted.request_id
    (message,) = queue.receive()
    assert accepted.task_id in message.body.decode()
    assert message.dequeue_count == 1
    assert not message.repaired
    assert queue.delete([message.receipt_handle]) == [message.receipt_handle]
    assert queue.delete([message.receipt_handle]) == []
    assert queue.receive(wait=0) == []


@pytest.mark.parametrize("version", API_VERSIONS)
def test_a_task_is_the_same_asked_for_and_announced(
    mailbox: Mailbox, queue: Queue, source: str, version: ApiVersion
) -> None:
    begun = now()
    with imm_of(mailbox, version) as imm:
        accepted = imm.create_conversion(conversion_of(source), "token-1")
        (message,) = queue.receive()
        answer = imm.get_task(accepted.task_id)
        listed = {task.task_id: task for task in imm.list_tasks(begun - 1000, now() + 1000)}
        assert accepted.task_id not in {task.task_id for task in imm.list_tasks(begun - 2000, begun - 1000)}
        assert imm.get_task(accepted.task_id + "0") is None
    assert answer is not None
    (announced,) = notifications.parse(message.body).events
    for name in ("task_id", "status", "page_count", "code", "user_data"):
        assert (getattr(answer.event, name) or None) == (getattr(announced, name) or None)
    one = listed[accepted.task_id]
    assert begun - 1000 <= (one.created_at or 0) <= now() + 1000
    if version == "2020-09-30":
        assert one.user_data == "token-1"
    else:
        assert (one.source_uri, one.target_type) == (source, "pdf")


def test_a_list_of_several_pages_is_whole(mailbox: Mailbox, source: str) -> None:
    begun = now()
    for version in API_VERSIONS:
        with imm_of(mailbox, version) as imm, ThreadPoolExecutor(8) as threads:
            sent = list(threads.map(lambda n: imm.create_conversion(conversion_of(source), f"{n}"), range(103)))
            listed = [task.task_id for task in imm.list_tasks(begun - 1000, now() + 1000)]
        assert len(listed) == len(set(listed))
        assert {accepted.task_id for accepted in sent} <= set(listed)


def test_several_threads_submit_over_one_imm(mailbox: Mailbox, queue: Queue, source: str) -> None:
    with imm_of(mailbox, "2020-09-30") as imm, ThreadPoolExecutor(8) as threads:
        tokens = [str(uuid.uuid4()) for _ in range(24)]
        accepted = list(threads.map(lambda token: imm.create_conversion(conversion_of(source), token), tokens))
    told: dict[str, str] = {}
    while len(told) < len(tokens):
        messages = queue.receive()
        assert messages
        for message in messages:
            text = message.body.decode()
            (index,) = (index for index, token in enumerate(tokens) if token in text)
            told[tokens[index]] = text
    assert all(one.task_id in told[token] for one, token in zip(accepted, tokens, strict=True))


def test_a_second_submission_with_the_same_token_is_the_first_one(mailbox: Mailbox, source: str) -> None:
    with imm_of(mailbox, "2017-09-06") as imm:
        first, second = (imm.create_conversion(conversion_of(source), "the same") for _ in range(2))
    assert first.task_id == second.task_id


def test_a_changed_visibility_moves_the_handle(mailbox: Mailbox, queue: Queue) -> None:
    mailbox.publish(notification("one"))
    (message,) = queue.receive()
    handle = queue.change_visibility(message.receipt_handle, 60)
    assert handle != message.receipt_handle
    assert queue.delete([message.receipt_handle, handle]) == [handle]


def test_more_than_a_batch_is_received_and_deleted(mailbox: Mailbox, queue: Queue) -> None:
    mailbox.publish(*(notification(f"task-{number}") for number in range(20)))
    messages = [*queue.receive(), *queue.receive()]
    handles = [message.receipt_handle for message in messages]
    assert len(handles) == 20
    assert queue.delete(handles) == handles
    assert mailbox.left == (0, 0)


def refusal_of(mailbox: Mailbox, credentials: Credentials, name: str | None = None) -> Barred:
    queue = Queue(mailbox.emulator.endpoint, name or mailbox.name, credentials)
    with closing(queue), pytest.raises(Barred) as caught:
        queue.receive(wait=0)
    assert_tells_nothing(caught.value)
    assert caught.value.request_id
    return caught.value


def test_mns_refuses_a_wrong_secret_an_unknown_key_and_a_queue_that_is_not_there(mailbox: Mailbox) -> None:
    right = mailbox.credentials
    wrong, unknown = replace(right, access_key_secret=OTHER_SECRET), replace(right, access_key_id="LTAIunknown")
    assert refusal_of(mailbox, wrong).code == "SignatureDoesNotMatch"
    assert refusal_of(mailbox, unknown).code == "InvalidAccessKeyId"
    assert refusal_of(mailbox, right, "no-such-queue").code == "QueueNotExist"


@pytest.mark.parametrize("version", API_VERSIONS)
def test_imm_refuses_a_wrong_secret_an_unknown_key_and_a_project_that_is_not_there(
    mailbox: Mailbox, source: str, version: ApiVersion
) -> None:
    right = mailbox.credentials
    wrong, unknown = replace(right, access_key_secret=OTHER_SECRET), replace(right, access_key_id="LTAIunknown")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"credentials": wrong}, "SignatureDoesNotMatch"),
        ({"credentials": unknown}, "InvalidAccessKeyId.NotFound"),
        ({"project": "no-such-project"}, "NotFound"),
    ]
    for changes, code in cases:
        with imm_of(mailbox, version, **changes) as imm, pytest.raises(Refused) as caught:
            imm.create_conversion(replace(conversion_of(source), password="CANARY pass"), "token")
        assert code in (caught.value.code or "")
        assert_tells_nothing(caught.value)
        with imm_of(mailbox, version, **changes) as imm, pytest.raises(Refused) as caught:
            imm.get_task("task-1")
        assert code in (caught.value.code or "")


def test_a_killed_queue_leaves_its_messages_to_the_next(mailbox: Mailbox, queue: Queue) -> None:
    queue.kill()
    with pytest.raises(Cancelled):
        queue.receive()
    mailbox.publish(notification("one"))
    with closing(Queue(mailbox.emulator.endpoint, mailbox.name, mailbox.credentials)) as other:
        assert len(other.receive()) == 1


def test_the_depth_tells_what_waits_from_what_somebody_has_received(mailbox: Mailbox, queue: Queue) -> None:
    assert queue.depth() == Depth(0, 0, 0)
    mailbox.publish("a", "b", "c")
    queue.receive(1, 0)
    assert queue.depth() == Depth(active=2, inactive=1, delayed=0)
