"""Every operation of MNS, driven by aliyun-mns as anybody would."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from mns.account import Account
from mns.mns_exception import MNSServerException
from mns.queue import Message, QueueMeta
from mns.subscription import SubscriptionMeta
from mns.topic import TopicMessage, TopicMeta

from tests.conftest import RunningEmulator

NAMESPACE = "{http://mns.aliyuncs.com/doc/v1/}"


@pytest.fixture
def account(emulator: RunningEmulator) -> Iterator[Any]:
    account = Account(emulator.endpoint + "/", emulator.access_key_id, emulator.access_key_secret)
    yield account
    account.get_client().close_connection()


@pytest.fixture
def name() -> str:
    """A name that nobody else uses."""
    return f"t-{uuid.uuid4().hex}"


@pytest.fixture
def queue(account: Any, name: str) -> Iterator[Any]:
    """A queue. Bodies pass as they are."""
    queue = account.get_queue(name)
    queue.create(meta())
    queue.set_encoding(False)
    yield queue
    queue.delete()


@pytest.fixture
def hasty(queue: Any) -> Any:
    """A queue whose messages come back after a second."""
    queue.set_attributes(meta(visibility_timeout=1))
    return queue


@pytest.fixture
def publish(account: Any, name: str, queue: Any, emulator: RunningEmulator) -> Iterator[Callable[..., None]]:
    """Publish to a topic that is subscribed to `queue` as the call says."""
    topic = account.get_topic(name)
    topic.create(TopicMeta())

    def publish(message: TopicMessage, **subscription: str) -> Any:
        arn = f"acs:mns:{emulator.region}:{emulator.account_id}:queues/{name}"
        topic.get_subscription("s").subscribe(SubscriptionMeta(arn, **subscription))
        return topic.publish_message(message)

    yield publish
    topic.delete()


def meta(**attributes: int) -> Any:
    """QueueMeta() sends defaults of its own; this sends only what is said."""
    queue_meta = QueueMeta()
    for attribute in (
        "visibility_timeout",
        "maximum_message_size",
        "message_retention_period",
        "delay_seconds",
        "polling_wait_seconds",
    ):
        setattr(queue_meta, attribute, attributes.get(attribute, -1))
    return queue_meta


def send(queue: Any, *bodies: str, **options: int) -> None:
    """The SDK can only send base64, so that is what stays on the queue."""
    queue.set_encoding(True)
    for body in bodies:
        queue.send_message(Message(body, **options))
    queue.set_encoding(False)


def decoded(message: Any) -> str:
    return base64.b64decode(message.message_body).decode()


def until_active(queue: Any, count: int) -> None:
    """Look, without receiving, until so many messages are visible: no call waits for that."""
    while queue.get_attributes().active_messages < count:
        time.sleep(0.02)


def refused(call: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(MNSServerException) as refusal:
        call(*arguments)
    return str(refusal.value.type)


def test_a_queue_lives_from_creation_to_deletion(account: Any, name: str) -> None:
    queue = account.get_queue(name)
    before = int(time.time())
    assert queue.create(meta(visibility_timeout=7, polling_wait_seconds=3)).endswith(f"/queues/{name}")
    created = queue.get_attributes()
    assert (created.queue_name, created.visibility_timeout, created.polling_wait_seconds) == (name, 7, 3)
    assert (created.maximum_message_size, created.message_retention_period) == (65536, 345600)
    assert created.logging_enabled is False
    assert before <= created.create_time == created.last_modify_time <= time.time()
    queue.set_attributes(meta(delay_seconds=2))
    changed = queue.get_attributes()
    assert (changed.delay_seconds, changed.visibility_timeout) == (2, 7)
    queue.delete()
    assert refused(queue.get_attributes) == "QueueNotExist"
    assert refused(queue.delete) == "QueueNotExist"


def test_creating_a_queue_again_is_the_same_queue_or_a_conflict(account: Any, name: str) -> None:
    queue = account.get_queue(name)
    url = queue.create(meta(visibility_timeout=7))
    assert queue.create(meta(visibility_timeout=7)) == url
    assert refused(queue.create, meta(visibility_timeout=8)) == "QueueAlreadyExist"
    queue.delete()


def test_a_long_list_comes_in_pages(account: Any, name: str) -> None:
    names = [f"{name}-{number}" for number in range(5)]
    for each in names:
        account.get_queue(each).create(meta())
        account.get_topic(each).create(TopicMeta())
    for listing in (account.list_queue, account.list_topic):
        urls: list[str] = []
        pages, marker = 0, ""
        while pages == 0 or marker:
            page, marker = listing(prefix=name, ret_number=2, marker=marker)
            urls += page
            pages += 1
        assert [url.rpartition("/")[2] for url in urls] == names
        assert pages == 3
    for each in names:
        account.get_queue(each).delete()
        account.get_topic(each).delete()
    assert account.list_queue(prefix=name) == ([], "")


def test_a_message_is_received_hidden_and_deleted(queue: Any) -> None:
    send(queue, "你好 <&>")
    received = queue.receive_message(0)
    assert decoded(received) == "你好 <&>"
    assert received.message_body_md5 == hashlib.md5(received.message_body.encode()).hexdigest().upper()
    assert received.dequeue_count == 1
    assert received.enqueue_time <= received.first_dequeue_time
    assert received.next_visible_time == pytest.approx(received.first_dequeue_time + 30_000, abs=1)
    assert received.priority == 8
    assert refused(queue.receive_message, 0) == "MessageNotExist"
    queue.delete_message(received.receipt_handle)
    assert refused(queue.delete_message, received.receipt_handle) == "MessageNotExist"


def test_an_undeleted_message_comes_back_under_a_new_handle(hasty: Any) -> None:
    send(hasty, "again")
    first = hasty.receive_message(0)
    hasty.set_attributes(meta(visibility_timeout=30))
    second = hasty.receive_message(10)
    assert second.message_id == first.message_id
    assert second.receipt_handle != first.receipt_handle
    assert (first.dequeue_count, second.dequeue_count) == (1, 2)
    assert second.first_dequeue_time == first.first_dequeue_time
    assert second.next_visible_time >= first.next_visible_time + 29_999
    assert refused(hasty.delete_message, first.receipt_handle) == "ReceiptHandleError"
    hasty.delete_message(second.receipt_handle)


def test_a_handle_does_not_outlive_its_visibility_timeout(hasty: Any) -> None:
    send(hasty, "late")
    handle = hasty.receive_message(0).receipt_handle
    until_active(hasty, 1)
    assert refused(hasty.delete_message, handle) == "ReceiptHandleError"
    assert refused(hasty.change_message_visibility, handle, 5) == "ReceiptHandleError"


def test_changing_the_visibility_gives_a_new_handle_and_a_new_time(queue: Any) -> None:
    send(queue, "held")
    received = queue.receive_message(0)
    held = queue.change_message_visibility(received.receipt_handle, 60)
    assert int(held.next_visible_time) >= received.first_dequeue_time + 60_000
    assert refused(queue.change_message_visibility, received.receipt_handle, 60) == "ReceiptHandleError"
    released = queue.change_message_visibility(held.receipt_handle, 1)
    assert refused(queue.delete_message, held.receipt_handle) == "ReceiptHandleError"
    assert queue.receive_message(10).message_id == received.message_id
    assert refused(queue.delete_message, released.receipt_handle) == "ReceiptHandleError"


def test_urgent_messages_come_first_and_equal_ones_by_age(queue: Any) -> None:
    send(queue, "low", priority=16)
    send(queue, "one", "two")
    send(queue, "high", priority=1)
    assert [decoded(queue.receive_message(0)) for _ in range(4)] == ["high", "one", "two", "low"]


def test_a_returning_message_is_older_than_those_sent_meanwhile(hasty: Any) -> None:
    send(hasty, "first")
    hasty.receive_message(0)
    send(hasty, "second")
    until_active(hasty, 2)
    assert [decoded(message) for message in hasty.batch_receive_message(16, 0)] == ["first", "second"]


def test_sixteen_messages_pass_in_one_call_each_way(queue: Any) -> None:
    queue.set_encoding(True)
    sent = queue.batch_send_message([Message(f"number {number}") for number in range(16)])
    assert [message.message_body for message in queue.batch_peek_message(16)] == [
        f"number {number}" for number in range(16)
    ]
    queue.set_encoding(False)
    received = queue.batch_receive_message(16, 0)
    assert [message.message_id for message in received] == [message.message_id for message in sent]
    assert [message.message_body_md5 for message in received] == [message.message_body_md5 for message in sent]
    queue.batch_delete_message([message.receipt_handle for message in received])
    assert refused(queue.batch_receive_message, 16, 0) == "MessageNotExist"
    assert refused(queue.batch_peek_message, 16) == "MessageNotExist"


def test_a_batch_is_deleted_but_for_the_handles_that_are_named(queue: Any) -> None:
    send(queue, "a", "b", "c")
    handles = [message.receipt_handle for message in queue.batch_receive_message(16, 0)]
    queue.delete_message(handles[1])
    with pytest.raises(MNSServerException) as refusal:
        queue.batch_delete_message([*handles, "no-handle"])
    assert [(entry["ErrorCode"], entry["ReceiptHandle"]) for entry in refusal.value.sub_errors] == [
        ("MessageNotExist", handles[1]),
        ("ReceiptHandleError", "no-handle"),
    ]
    attributes = queue.get_attributes()
    assert (attributes.active_messages, attributes.inactive_messages) == (0, 0)


def test_peeking_changes_nothing(queue: Any) -> None:
    send(queue, "seen", priority=2)
    for _ in range(2):
        peeked = queue.peek_message()
        assert (peeked.message_body, peeked.dequeue_count, peeked.priority) == ("seen", 0, 2)
    assert queue.receive_message(0).dequeue_count == 1


def test_the_counters_follow_a_message(queue: Any) -> None:
    def counts() -> tuple[int, int, int]:
        attributes = queue.get_attributes()
        return attributes.active_messages, attributes.inactive_messages, attributes.delay_messages

    send(queue, "now")
    send(queue, "later", delay_seconds=60)
    assert counts() == (1, 0, 1)
    received = queue.receive_message(0)
    assert counts() == (0, 1, 1)
    queue.delete_message(received.receipt_handle)
    assert counts() == (0, 0, 1)


def test_a_delayed_message_comes_when_it_is_due(queue: Any) -> None:
    send(queue, "later", delay_seconds=1)
    assert refused(queue.receive_message, 0) == "MessageNotExist"
    received = queue.receive_message(10)
    assert decoded(received) == "later"
    assert received.first_dequeue_time >= received.enqueue_time + 999
    attributes = queue.get_attributes()
    assert (attributes.active_messages, attributes.inactive_messages, attributes.delay_messages) == (0, 1, 0)


def test_a_topic_lives_from_creation_to_deletion(account: Any, name: str) -> None:
    topic = account.get_topic(name)
    assert topic.create(TopicMeta(maximum_message_size=2048)).endswith(f"/topics/{name}")
    assert refused(topic.create, TopicMeta(maximum_message_size=4096)) == "TopicAlreadyExist"
    topic.set_attributes(TopicMeta(maximum_message_size=1024, logging_enabled=True))
    attributes = topic.get_attributes()
    assert (attributes.topic_name, attributes.maximum_message_size, attributes.logging_enabled) == (name, 1024, True)
    assert (attributes.message_count, attributes.message_retention_period) == (0, 86400)
    assert refused(topic.publish_message, TopicMessage("x" * 1025)) == "InvalidArgument"
    topic.delete()
    assert refused(topic.get_attributes) == "TopicNotExist"
    assert refused(topic.publish_message, TopicMessage("x")) == "TopicNotExist"


def test_a_subscription_lives_from_creation_to_deletion(
    account: Any, name: str, queue: Any, emulator: RunningEmulator
) -> None:
    topic = account.get_topic(name)
    topic.create(TopicMeta())
    arn = f"acs:mns:{emulator.region}:{emulator.account_id}:queues/{name}"
    subscription = topic.get_subscription("s")
    assert subscription.subscribe(SubscriptionMeta(arn)).endswith(f"/topics/{name}/subscriptions/s")
    assert refused(subscription.subscribe, SubscriptionMeta(arn, filter_tag="x")) == "SubscriptionAlreadyExist"
    subscription.set_attributes(SubscriptionMeta(notify_strategy="EXPONENTIAL_DECAY_RETRY"))
    attributes = subscription.get_attributes()
    assert (attributes.endpoint, attributes.topic_owner, attributes.topic_name) == (arn, emulator.account_id, name)
    assert attributes.notify_strategy == "EXPONENTIAL_DECAY_RETRY"
    assert attributes.notify_content_format == "XML"
    assert topic.list_subscription() == ([f"{emulator.endpoint}/topics/{name}/subscriptions/s"], "")
    subscription.unsubscribe()
    assert refused(subscription.get_attributes) == "SubscriptionNotExist"
    assert topic.list_subscription() == ([], "")
    topic.publish_message(TopicMessage("nobody hears this"))
    assert refused(queue.receive_message, 0) == "MessageNotExist"
    topic.delete()


TEXT = '{"文件": "a<b>&\\"c\\".docx", "x": "]]>"}\r\n'


@pytest.mark.parametrize("tag", ["", "urgent"])
@pytest.mark.parametrize("notify_content_format", ["", "XML", "JSON", "SIMPLIFIED"])
def test_a_topic_pushes_in_the_format_of_the_subscription(
    publish: Callable[..., Any],
    queue: Any,
    emulator: RunningEmulator,
    name: str,
    notify_content_format: str,
    tag: str,
) -> None:
    before = time.time() * 1000
    published = publish(TopicMessage(TEXT, tag), notify_content_format=notify_content_format)
    received = queue.receive_message(10)
    text = TEXT.replace("\r\n", "\n")  # what an XML parser makes of the SDK's request
    if notify_content_format == "SIMPLIFIED":
        assert received.message_body == text
        return
    if notify_content_format == "JSON":
        envelope = json.loads(received.message_body)
    else:
        root = ElementTree.fromstring(received.message_body)
        assert root.tag == f"{NAMESPACE}Notification"
        envelope = {element.tag.removeprefix(NAMESPACE): element.text for element in root}
    assert before - 1 <= int(envelope.pop("PublishTime")) <= time.time() * 1000
    assert envelope == {
        "TopicOwner": emulator.account_id,
        "TopicName": name,
        "Subscriber": emulator.account_id,
        "SubscriptionName": "s",
        "MessageId": published.message_id,
        "Message": text,
        "MessageMD5": hashlib.md5(text.encode()).hexdigest().upper(),
        **({"MessageTag": tag} if tag else {}),
    }
    assert published.message_id != received.message_id


@pytest.mark.parametrize(("tag", "passes"), [("x", True), ("y", False), ("", False)])
def test_a_filter_tag_lets_its_own_messages_through(
    publish: Callable[..., Any], queue: Any, tag: str, passes: bool
) -> None:
    publish(TopicMessage("tagged", tag), filter_tag="x", notify_content_format="SIMPLIFIED")
    if passes:
        assert queue.receive_message(10).message_body == "tagged"
    else:
        assert refused(queue.receive_message, 0) == "MessageNotExist"


def test_a_push_to_a_queue_that_does_not_exist_is_dropped(account: Any, name: str, emulator: RunningEmulator) -> None:
    topic, queue = account.get_topic(name), account.get_queue(name)
    topic.create(TopicMeta())
    arn = f"acs:mns:{emulator.region}:{emulator.account_id}:queues/{name}"
    topic.get_subscription("s").subscribe(SubscriptionMeta(arn))
    topic.publish_message(TopicMessage("too early"))
    queue.create(meta())
    assert refused(queue.receive_message, 0) == "MessageNotExist"
    queue.delete()
    topic.delete()


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://example.invalid/hook",
        "acs:mns:cn-hangzhou:{uid}:queues/q",
        "acs:mns:{region}:1:queues/q",
        "acs:mns:{region}:{uid}:topics/q",
        "acs:mns:{region}:{uid}:queues/",
        "",
    ],
)
def test_only_a_queue_of_this_account_and_region_may_subscribe(
    account: Any, name: str, emulator: RunningEmulator, endpoint: str
) -> None:
    topic = account.get_topic(name)
    topic.create(TopicMeta())
    subscription = SubscriptionMeta(endpoint.format(region=emulator.region, uid=emulator.account_id))
    assert refused(topic.get_subscription("s").subscribe, subscription) == "EndpointInvalid"
    topic.delete()
