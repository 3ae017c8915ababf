"""A long poll returns the moment there is a message, and one that is given up takes none."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator

import pytest

from tests.conftest import RunningEmulator
from tests.emulator.raw import RawMns, receive

WAIT = "waitseconds=30"
"""Far longer than any of these tests may take."""


@pytest.fixture
def mns(emulator: RunningEmulator) -> Iterator[RawMns]:
    client = RawMns(emulator)
    yield client
    client.close()


@pytest.fixture
def poll(emulator: RunningEmulator) -> Iterator[RawMns]:
    """A second connection, to wait on. It gives up long before the end of the poll."""
    client = RawMns(emulator)
    client.connection.timeout = 15
    yield client
    client.close()


@pytest.fixture
def queue(mns: RawMns) -> str:
    queue = f"/queues/q-{uuid.uuid4().hex}"
    mns("PUT", queue)
    return queue


def message(body: str, **options: int) -> bytes:
    extra = "".join(f"<{name}>{value}</{name}>" for name, value in options.items())
    return f"<Message><MessageBody>{body}</MessageBody>{extra}</Message>".encode()


def waits(poll: RawMns, mns: RawMns, queue: str) -> None:
    """Open a long poll and make sure that it has been read: the server takes requests in the order they come."""
    poll.start("GET", f"{queue}/messages?{WAIT}")
    assert mns("GET", queue).status == 200


def test_a_sent_message_ends_it(mns: RawMns, poll: RawMns, queue: str) -> None:
    waits(poll, mns, queue)
    assert mns("POST", f"{queue}/messages", message("here")).status == 201
    assert receive(poll.connection).text("MessageBody") == "here"


def test_a_published_message_ends_it(mns: RawMns, poll: RawMns, queue: str, emulator: RunningEmulator) -> None:
    name = queue.rpartition("/")[2]
    endpoint = f"acs:mns:{emulator.region}:{emulator.account_id}:queues/{name}"
    mns("PUT", f"/topics/{name}")
    subscription = f"<Subscription><Endpoint>{endpoint}</Endpoint></Subscription>"
    assert mns("PUT", f"/topics/{name}/subscriptions/s", subscription.encode()).status == 201
    waits(poll, mns, queue)
    mns("POST", f"/topics/{name}/messages", message("news"))
    assert "news" in receive(poll.connection).text("MessageBody")


def test_a_delayed_message_ends_it_when_it_is_due(mns: RawMns, poll: RawMns, queue: str) -> None:
    waits(poll, mns, queue)
    mns("POST", f"{queue}/messages", message("later", DelaySeconds=1))
    assert receive(poll.connection).text("MessageBody") == "later"


def test_a_message_that_becomes_visible_again_ends_it(mns: RawMns, poll: RawMns, queue: str) -> None:
    mns("PUT", f"{queue}?metaoverride=true", b"<Queue><VisibilityTimeout>1</VisibilityTimeout></Queue>")
    mns("POST", f"{queue}/messages", message("again"))
    mns("GET", f"{queue}/messages")
    waits(poll, mns, queue)
    assert receive(poll.connection).text("DequeueCount") == "2"


def test_a_visibility_that_is_shortened_meanwhile_ends_it(mns: RawMns, poll: RawMns, queue: str) -> None:
    mns("POST", f"{queue}/messages", message("held"))
    handle = mns("GET", f"{queue}/messages").text("ReceiptHandle")
    held = mns("PUT", f"{queue}/messages?ReceiptHandle={handle}&VisibilityTimeout=3600").text("ReceiptHandle")
    waits(poll, mns, queue)
    mns("PUT", f"{queue}/messages?ReceiptHandle={held}&VisibilityTimeout=1")
    assert receive(poll.connection).text("MessageBody") == "held"


def test_deleting_the_queue_ends_it(mns: RawMns, poll: RawMns, queue: str) -> None:
    waits(poll, mns, queue)
    mns("DELETE", queue)
    assert receive(poll.connection).refusal == (404, "QueueNotExist")


def test_the_request_decides_how_long_and_else_the_queue(mns: RawMns, poll: RawMns, queue: str) -> None:
    mns("PUT", f"{queue}?metaoverride=true", b"<Queue><PollingWaitSeconds>30</PollingWaitSeconds></Queue>")
    assert mns("GET", f"{queue}/messages?waitseconds=0").refusal == (404, "MessageNotExist")
    poll.start("GET", f"{queue}/messages")
    assert mns("GET", f"{queue}/messages?numOfMessages=16&waitseconds=1").refusal == (404, "MessageNotExist")
    mns("POST", f"{queue}/messages", message("waited for"))
    assert receive(poll.connection).text("MessageBody") == "waited for"


def test_one_message_ends_one_of_two(mns: RawMns, poll: RawMns, queue: str, emulator: RunningEmulator) -> None:
    second = RawMns(emulator)
    second.connection.timeout = 15
    waits(poll, mns, queue)
    waits(second, mns, queue)
    mns("POST", f"{queue}/messages", message("first"))
    assert receive(poll.connection).text("MessageBody") == "first"
    mns("DELETE", f"{queue}/messages?ReceiptHandle=none")
    mns("POST", f"{queue}/messages", message("second"))
    assert receive(second.connection).text("MessageBody") == "second"
    second.close()


def test_a_client_that_is_gone_takes_nothing_with_it(mns: RawMns, queue: str, emulator: RunningEmulator) -> None:
    for _ in range(3):
        gone = RawMns(emulator)
        waits(gone, mns, queue)
        gone.connection.sock.shutdown(socket.SHUT_RDWR)
        gone.close()
    assert mns("GET", queue).status == 200
    mns("POST", f"{queue}/messages", message("still here"))
    received = mns("GET", f"{queue}/messages?waitseconds=30")
    assert (received.text("MessageBody"), received.text("DequeueCount")) == ("still here", "1")
