"""The ledger tells what became of every message and every submission, and nothing else does as much."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from imm_tui.emulator.ledger import KEPT, Ledger
from tests.conftest import RunningEmulator
from tests.control import Control
from tests.emulator.raw import RawMns


@pytest.fixture
def mns(fresh_emulator: RunningEmulator) -> Iterator[RawMns]:
    client = RawMns(fresh_emulator)
    yield client
    client.close()


@pytest.fixture
def messages(fresh_emulator: RunningEmulator) -> str:
    return f"/queues/{fresh_emulator.queue}/messages"


BODY = b"<Message><MessageBody>news</MessageBody></Message>"
SHORT = b"<Queue><VisibilityTimeout>1</VisibilityTimeout></Queue>"


def actions(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["action"] for entry in entries]


def test_a_notification_is_followed_from_the_topic_to_its_deletion(
    mns: RawMns, messages: str, control: Control, fresh_emulator: RunningEmulator
) -> None:
    topic_message_id = mns("POST", f"/topics/{fresh_emulator.topic}/messages", BODY).text("MessageId")
    received = mns("GET", messages)
    handle = received.text("ReceiptHandle")
    held = mns("PUT", f"{messages}?ReceiptHandle={handle}&VisibilityTimeout=60").text("ReceiptHandle")
    control.clock(advance=61)
    assert mns("DELETE", f"{messages}?ReceiptHandle={held}").refusal == (400, "ReceiptHandleError")
    again = mns("GET", messages).text("ReceiptHandle")
    assert mns("DELETE", f"{messages}?ReceiptHandle={again}").status == 204

    entries = control.ledger()
    assert actions(entries) == ["publish", "send", "receive", "visibility", "redeliver", "receive", "delete"]
    assert [entry["id"] for entry in entries] == list(range(1, 8))
    assert {entry["topic_message_id"] for entry in entries} == {topic_message_id}
    publication, *on_the_queue = entries
    assert (publication["topic"], publication["queue"]) == (fresh_emulator.topic, None)
    assert {entry["queue"] for entry in on_the_queue} == {fresh_emulator.queue}
    assert {entry["message_id"] for entry in on_the_queue} == {received.text("MessageId")}
    assert [entry["dequeue_count"] for entry in on_the_queue] == [0, 1, 1, 1, 2, 2]
    assert on_the_queue[3]["at"] - on_the_queue[2]["at"] == pytest.approx(60_000, abs=1), "when it was due"
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)


def test_each_message_of_a_batch_is_an_entry(mns: RawMns, messages: str, control: Control) -> None:
    bodies = b"".join(b"<Message><MessageBody>%d</MessageBody></Message>" % number for number in range(16))
    mns("POST", messages, b"<Messages>" + bodies + b"</Messages>")
    received = mns("GET", f"{messages}?numOfMessages=16")
    handles = "".join(f"<ReceiptHandle>{handle}</ReceiptHandle>" for handle in received.texts("ReceiptHandle"))
    assert mns("DELETE", messages, f"<ReceiptHandles>{handles}</ReceiptHandles>".encode()).status == 204
    entries = control.ledger()
    assert actions(entries) == ["send"] * 16 + ["receive"] * 16 + ["delete"] * 16
    for action in ("send", "receive", "delete"):
        ids = [entry["message_id"] for entry in entries if entry["action"] == action]
        assert ids == received.texts("MessageId")


def test_what_outlived_its_retention_has_expired(mns: RawMns, messages: str, control: Control) -> None:
    mns("POST", messages, BODY)
    control.clock(advance=345_600)
    expired = control.ledger()[-1]
    assert (expired["action"], expired["dequeue_count"]) == ("expire", 0)
    assert mns("GET", messages).refusal == (404, "MessageNotExist")


def test_what_became_due_is_there_without_anybody_asking_the_queue(
    mns: RawMns, messages: str, control: Control
) -> None:
    mns("PUT", f"{messages.removesuffix('/messages')}?metaoverride=true", SHORT)
    mns("POST", messages, BODY)
    mns("GET", messages)
    while "redeliver" not in actions(control.ledger()):
        pass
    assert actions(control.ledger()) == ["send", "receive", "redeliver"]


def test_what_was_refused_is_no_entry(mns: RawMns, messages: str, control: Control) -> None:
    assert mns("POST", messages, b"<Message/>").status == 400
    assert mns("DELETE", f"{messages}?ReceiptHandle=none").status == 400
    assert mns("POST", messages, BODY, secret="wrong").status == 403
    assert control.ledger() == []


def test_one_queue_and_what_is_new_can_be_asked_for(mns: RawMns, messages: str, control: Control) -> None:
    mns("PUT", "/queues/other")
    for queue in (messages, "/queues/other/messages", messages):
        mns("POST", queue, BODY)
    assert [entry["id"] for entry in control.ledger(queue="other")] == [2]
    assert [entry["id"] for entry in control.ledger(after=1)] == [2, 3]
    assert control.ledger(after=3) == control.ledger(after=99) == []


@pytest.mark.parametrize("recorded", [KEPT - 1, KEPT, KEPT + 10])
def test_it_keeps_what_is_newest_and_its_numbers(recorded: int) -> None:
    ledger = Ledger()
    for number in range(recorded):
        ledger.record("send", number, queue="q" if number % 2 else "r")
    assert ledger.dropped == max(0, recorded - KEPT)
    first = next(ledger.entries())
    assert (first["id"], first["at"]) == (ledger.dropped + 1, ledger.dropped * 1000)
    assert [entry["id"] for entry in ledger.entries(after=recorded - 2)] == [recorded - 1, recorded]
    odd = [entry["at"] for entry in islice(ledger.entries(after=ledger.dropped, queue="q"), 3)]
    assert all(isinstance(at, int) and at // 1000 % 2 for at in odd)
