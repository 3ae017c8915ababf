"""An account's queues, topics and subscriptions: on an MNS that checks every signature, and on wires that do not."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from imm_tui.cloud.mns_account import MnsAccount, QueueAttributes, Subscription, TopicAttributes
from imm_tui.cloud.refusals import is_missing
from imm_tui.errors import BadInput, Denied, Refused, Unreachable
from tests.cloud.conftest import KEYS, assert_tells_nothing
from tests.cloud.servers import Act, Service, answer
from tests.conftest import RunningEmulator
from tests.control import Control
from tests.mailbox import Mailbox

NAMESPACE = 'xmlns="http://mns.aliyuncs.com/doc/v1/"'
SETTINGS: dict[str, Any] = {"visibility_timeout": 30, "retention": 3600, "polling_wait": 10}


@pytest.fixture
def account(mailbox: Mailbox) -> Iterator[MnsAccount]:
    with closing(MnsAccount(mailbox.emulator.endpoint, mailbox.credentials)) as account:
        yield account


@pytest.fixture
def name() -> str:
    return f"made-{uuid.uuid4().hex[:8]}"


def subscribe(account: MnsAccount, emulator: RunningEmulator, topic: str, queue: str) -> bool:
    return account.subscribe(
        topic, "mine", queue, region=emulator.region, account_id=emulator.account_id, content_format="SIMPLIFIED"
    )


def test_a_queue_is_there_from_its_creation_to_its_deletion(account: MnsAccount, name: str) -> None:
    assert account.create_queue(name, **SETTINGS)
    assert name in account.queues()
    created = account.queue(name).created_at
    assert created is not None
    assert created % 1000 == 0
    assert account.queue(name) == QueueAttributes(
        name=name,
        visibility_timeout=30,
        retention=3600,
        polling_wait=10,
        maximum_size=65536,
        delay=0,
        active=0,
        inactive=0,
        delayed=0,
        created_at=created,
    )
    assert account.delete_queue(name)
    assert name not in account.queues()


def test_what_is_created_a_second_time_stays_as_it_is(account: MnsAccount, name: str) -> None:
    assert account.create_queue(name, **SETTINGS)
    assert not account.create_queue(name, **SETTINGS)
    assert not account.create_queue(name, **(SETTINGS | {"visibility_timeout": 60}))
    assert account.queue(name).visibility_timeout == 30
    assert account.create_topic(name)
    assert not account.create_topic(name)


def test_what_is_taken_away_a_second_time_was_not_there(
    account: MnsAccount, emulator: RunningEmulator, name: str
) -> None:
    account.create_queue(name, **SETTINGS)
    account.create_topic(name)
    subscribe(account, emulator, name, name)
    assert (account.unsubscribe(name, "mine"), account.unsubscribe(name, "mine")) == (True, False)
    assert (account.delete_topic(name), account.delete_topic(name)) == (True, False)
    assert (account.delete_queue(name), account.delete_queue(name)) == (True, False)


def test_a_topic_tells_where_it_pushes_to(account: MnsAccount, emulator: RunningEmulator, name: str) -> None:
    account.create_topic(name)
    assert name in account.topics()
    topic = account.topic(name)
    assert topic == TopicAttributes(
        name=name, maximum_size=65536, retention=86400, message_count=0, created_at=topic.created_at
    )
    assert account.subscriptions(name) == []
    assert subscribe(account, emulator, name, "elsewhere")
    assert not subscribe(account, emulator, name, "another")
    (subscription,) = account.subscriptions(name)
    assert subscription == Subscription(
        topic=name,
        name="mine",
        endpoint=f"acs:mns:{emulator.region}:{emulator.account_id}:queues/elsewhere",
        content_format="SIMPLIFIED",
        filter_tag="",
        strategy="BACKOFF_RETRY",
        owner=emulator.account_id,
    )
    assert subscription.queue == (emulator.region, emulator.account_id, "elsewhere")


def test_a_peek_changes_nothing_and_tells_what_somebody_has_received(account: MnsAccount, mailbox: Mailbox) -> None:
    assert account.peek(mailbox.name) == []
    mailbox.publish("one", "two")
    for _time in range(2):
        first, second = account.peek(mailbox.name)
        assert (first.body, second.body) == (b"one", b"two")
        assert (first.receipt_handle, first.dequeue_count) == ("", 0)
    assert len(account.peek(mailbox.name, 1)) == 1
    assert mailbox.left == (2, 0)


@pytest.mark.parametrize(
    "call",
    [
        lambda account: account.queue("no-such-thing"),
        lambda account: account.peek("no-such-thing"),
        lambda account: account.topic("no-such-thing"),
        lambda account: account.subscriptions("no-such-thing"),
    ],
)
def test_what_does_not_exist_is_refused_by_its_own_code(
    account: MnsAccount, call: Callable[[MnsAccount], object]
) -> None:
    with pytest.raises(Refused) as caught:
        call(account)
    assert is_missing(caught.value.code)
    assert "does not exist" in caught.value.what
    assert caught.value.request_id


def test_a_queue_of_another_account_or_region_cannot_be_subscribed(account: MnsAccount, mailbox: Mailbox) -> None:
    with pytest.raises(Refused) as caught:
        account.subscribe(
            mailbox.name, "x", "x", region="cn-nowhere", account_id=mailbox.emulator.account_id, content_format="XML"
        )
    assert caught.value.code == "EndpointInvalid"


CALLS: dict[str, tuple[str, Callable[[MnsAccount], object]]] = {
    "mns:ListQueue": ("ListQueue", lambda account: account.queues()),
    "mns:GetQueueAttributes": ("GetQueueAttributes", lambda account: account.queue("x")),
    "mns:PeekMessage": ("BatchPeekMessage", lambda account: account.peek("x")),
    "mns:CreateQueue": ("CreateQueue", lambda account: account.create_queue("x", **SETTINGS)),
    "mns:DeleteQueue": ("DeleteQueue", lambda account: account.delete_queue("x")),
    "mns:ListTopic": ("ListTopic", lambda account: account.topics()),
    "mns:GetTopicAttributes": ("GetTopicAttributes", lambda account: account.topic("x")),
    "mns:CreateTopic": ("CreateTopic", lambda account: account.create_topic("x")),
    "mns:DeleteTopic": ("DeleteTopic", lambda account: account.delete_topic("x")),
    "mns:ListSubscriptionByTopic": ("ListSubscriptionByTopic", lambda account: account.subscriptions("imm-tui-topic")),
    "mns:GetSubscriptionAttributes": (
        "GetSubscriptionAttributes",
        lambda account: account.subscriptions("imm-tui-topic"),
    ),
    "mns:Subscribe": (
        "Subscribe",
        lambda account: account.subscribe("x", "x", "x", region="cn-x", account_id="1", content_format="XML"),
    ),
    "mns:Unsubscribe": ("Unsubscribe", lambda account: account.unsubscribe("x", "x")),
}


def test_a_denial_names_the_permission_that_is_lacking(fresh_emulator: RunningEmulator, control: Control) -> None:
    credentials = Mailbox(fresh_emulator).credentials
    for action, (operation, call) in CALLS.items():
        control.fault("error", service="mns", operation=operation, status=403, code="AccessDenied", message="No.")
        with closing(MnsAccount(fresh_emulator.endpoint, credentials)) as account, pytest.raises(Denied) as caught:
            call(account)
        assert caught.value.action == action
        assert action in caught.value.why
        control.clear()


def test_a_clock_that_is_off_shows_even_where_the_call_is_refused_for_it(
    fresh_emulator: RunningEmulator, control: Control
) -> None:
    with closing(MnsAccount(fresh_emulator.endpoint, Mailbox(fresh_emulator).credentials)) as account:
        account.queues()
        assert account.clock_offset is not None
        assert abs(account.clock_offset) < 60
        control.fault("skew", service="mns", seconds=3600)
        with pytest.raises(Refused) as caught:
            account.queues()
        assert caught.value.code == "TimeExpired"
        assert abs(account.clock_offset - 3600) < 60


# On wires that do anything


@contextmanager
def on(*acts: Act) -> Iterator[tuple[MnsAccount, Service]]:
    """An account at a service that does `acts`."""
    with Service(*acts) as fake, closing(MnsAccount(fake.url, KEYS)) as account:
        yield account, fake


def page(kind: str, *names: str, marker: str = "") -> Act:
    items = "".join(f"<{kind}><{kind}URL>http://x/{kind.lower()}s/{name}</{kind}URL></{kind}>" for name in names)
    return answer(200, f"<{kind}s {NAMESPACE}>{items}<NextMarker>{marker}</NextMarker></{kind}s>")


def test_every_page_of_a_list_is_asked_for_with_the_marker_of_the_one_before() -> None:
    with on(page("Queue", "a", "b", marker="m+/="), page("Queue", marker="n"), page("Queue", "c")) as (account, fake):
        assert account.queues() == ["a", "b", "c"]
    assert [request.headers.get("x-mns-marker") for request in fake.requests] == [None, "m+/=", "n"]


def test_a_list_that_goes_round_in_a_circle_is_left() -> None:
    with on(*(page("Topic", name, marker=marker) for name, marker in ("a1", "b2", "c1", "d2"))) as (account, fake):
        assert account.topics() == ["a", "b", "c"]
    assert len(fake.requests) == 3


def test_what_a_reply_leaves_out_has_the_services_default() -> None:
    counts = "".join(f"<{name}>1</{name}>" for name in ("ActiveMessages", "InactiveMessages", "DelayMessages"))
    attributes = f"<Queue {NAMESPACE}><QueueName>q</QueueName>{counts}<CreateTime>1250700979248</CreateTime></Queue>"
    with on(answer(200, attributes)) as (account, _):
        queue = account.queue("q")
    assert (queue.visibility_timeout, queue.retention, queue.delay, queue.maximum_size) == (30, 345600, 0, 65536)
    assert queue.created_at == 1250700979248
    subscription = f"<Subscription {NAMESPACE}><SubscriptionName>s</SubscriptionName></Subscription>"
    with on(page("Subscription", "s"), answer(200, subscription)) as (account, _):
        (told,) = account.subscriptions("t")
    assert (told.content_format, told.filter_tag, told.queue) == ("XML", "", None)


def test_a_subscription_that_goes_while_the_list_is_read_is_left_out() -> None:
    gone = answer(404, f"<Error {NAMESPACE}><Code>SubscriptionNotExist</Code><Message>No.</Message></Error>")
    with on(page("Subscription", "s"), gone) as (account, _):
        assert account.subscriptions("t") == []


@pytest.mark.parametrize("spelling", ["SubscriptionNotExist", "SubscriberNotExist", "TopicNotExist"])
def test_the_service_has_several_words_for_what_does_not_exist(spelling: str) -> None:
    with on(answer(404, f"<Error {NAMESPACE}><Code>{spelling}</Code><Message>No.</Message></Error>")) as (account, _):
        assert not account.unsubscribe("a-topic", "a-subscription")


@pytest.mark.parametrize("action", CALLS)
@pytest.mark.parametrize("status", [200, 302, 403, 502])
def test_a_portals_page_is_no_answer(action: str, status: int) -> None:
    _operation, call = CALLS[action]
    with on(answer(status, "<html>Sign in</html>")) as (account, fake), pytest.raises(Unreachable) as caught:
        call(account)
    assert_tells_nothing(caught.value, fake)


def test_every_attribute_is_given_when_something_is_created() -> None:
    """The SDK would make of a queue one that takes no message of more than 2 KB."""
    with on(answer(201), answer(201)) as (account, fake):
        account.create_queue("q", **SETTINGS)
        account.create_topic("t")
    queue, topic = (request.body.decode() for request in fake.requests)
    for element in ("VisibilityTimeout>30<", "MessageRetentionPeriod>3600<", "PollingWaitSeconds>10<"):
        assert element in queue
    assert "DelaySeconds>0<" in queue
    assert "MaximumMessageSize>65536<" in queue
    assert "MaximumMessageSize>65536<" in topic


@pytest.mark.parametrize("name", ["", "  ", "a b", "a/b", "a?x=1", "-a", "名", "a" * 257, "a\r\nX: y"])
def test_a_name_that_cannot_be_is_not_sent(name: str) -> None:
    with on(answer(204)) as (account, fake):
        for call in (account.queue, account.topic, account.subscriptions, account.delete_queue, account.delete_topic):
            with pytest.raises(BadInput):
                call(name)
        with pytest.raises(BadInput):
            account.unsubscribe("t", name)
    assert not fake.requests


@pytest.mark.parametrize("change", [{"visibility_timeout": 0}, {"retention": 59}, {"polling_wait": 31}])
def test_a_number_of_seconds_that_the_service_does_not_take_is_not_sent(change: dict[str, int]) -> None:
    with on(answer(201)) as (account, fake), pytest.raises(BadInput) as caught:
        account.create_queue("q", **(SETTINGS | change))
    assert caught.value.field in change
    assert not fake.requests
