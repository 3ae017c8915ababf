"""Queues, topics and subscriptions, in memory: what MNS does with a message from its sending to its deletion.

All of it belongs to one event loop. Times are seconds since the epoch here and milliseconds on the wire.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import itertools
import json
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from imm_tui.emulator.account import Account
from imm_tui.emulator.clock import Clock
from imm_tui.emulator.faults import ON_DELIVERY, ON_HANDLES, RECEIVING, Faults
from imm_tui.emulator.ledger import Action, Ledger
from imm_tui.emulator.mns.wire import MnsError, document, elements, escape

_HANDLE = re.compile(r"[0-9A-F]+-1-[0-9A-F]+-[0-9A-F]+-[1-9a-f][0-9a-f]*")
_ENDPOINT = re.compile(r"acs:mns:([a-z0-9-]+):(\d+):queues/([A-Za-z0-9][A-Za-z0-9-]{0,119})")

NOTIFY_STRATEGIES = ("BACKOFF_RETRY", "EXPONENTIAL_DECAY_RETRY")
NOTIFY_FORMATS = ("XML", "JSON", "SIMPLIFIED")
TAG_LENGTH = 16
TOPIC_RETENTION = 86400

LATE = 1.0
"""Real seconds that a notification, held back so that the next one overtakes it, waits for that."""


@dataclass(frozen=True, slots=True)
class QueueAttributes:
    """Seconds and bytes, with the service's defaults."""

    visibility_timeout: int = 30
    maximum_message_size: int = 65536
    message_retention_period: int = 345600
    delay_seconds: int = 0
    polling_wait_seconds: int = 0
    logging_enabled: bool = False


@dataclass(frozen=True, slots=True)
class TopicAttributes:
    maximum_message_size: int = 65536
    logging_enabled: bool = False


@dataclass(frozen=True, slots=True)
class SubscriptionAttributes:
    """`endpoint` is the ARN of a queue, which need not exist. No filter tag lets every message through."""

    endpoint: str
    filter_tag: str = ""
    notify_strategy: str = "BACKOFF_RETRY"
    notify_content_format: str = "XML"


def md5(text: str) -> str:
    """The digest that MNS gives for a body: of its UTF-8, in upper-case hex."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


@dataclass(slots=True, eq=False)
class Message:
    """A message on a queue. Its ticket is 0 while it is visible; each hiding draws a new one, and so a new handle."""

    id: str
    order: int
    digest: str
    priority: int
    enqueued: float
    fixed: str  # the elements of every reply that never change, the body among them, written once
    topic_message_id: str | None = None  # of the message that a topic pushed here
    ticket: int = 0
    delayed: bool = False
    visible_again: float = 0.0
    first_dequeued: float = 0.0
    dequeue_count: int = 0

    @property
    def handle(self) -> str:
        return f"{self.id}-{self.ticket:x}"

    def peeked(self) -> str:
        """The elements of PeekMessage: no handle, and no time at which it comes back."""
        return (
            f"{self.fixed}<FirstDequeueTime>{milliseconds(self.first_dequeued)}</FirstDequeueTime>"
            f"<DequeueCount>{self.dequeue_count}</DequeueCount>"
        )

    def received(self) -> str:
        """The elements of ReceiveMessage."""
        return (
            f"{self.peeked()}<ReceiptHandle>{self.handle}</ReceiptHandle>"
            f"<NextVisibleTime>{milliseconds(self.visible_again)}</NextVisibleTime>"
        )


class Queue:
    """One queue. Messages are delivered by priority (1 first), then by age."""

    def __init__(self, name: str, attributes: QueueAttributes, clock: Clock, ledger: Ledger) -> None:
        self.name = name
        self._clock = clock
        self._ledger = ledger
        self.created = self.modified = clock.now()
        self.attributes = attributes
        self._id_prefix = f"{secrets.randbits(64):016X}-1"
        self._orders = itertools.count(1)
        self._tickets = itertools.count(1)
        self._messages: OrderedDict[str, Message] = OrderedDict()  # all that exist, oldest first
        self._visible: list[tuple[int, int, Message]] = []  # heap: priority, order
        self._visible_count = 0
        self._delayed_count = 0
        self._hidden: list[tuple[float, int, Message]] = []  # heap: when visible again, ticket; stale ones stay a while
        self._waiters: dict[asyncio.Future[None], None] = {}  # long polls, first come first served
        self._alarm: asyncio.TimerHandle | None = None
        self._end: MnsError | None = None  # what long polls are told once the queue is gone

    def change(self, attributes: QueueAttributes) -> None:
        self.attributes = attributes
        self.modified = self._clock.now()

    def counts(self) -> tuple[int, int, int]:
        """Messages that are active, inactive (received, and hidden for now), and delayed."""
        self._advance(self._clock.now())
        inactive = len(self._messages) - self._visible_count - self._delayed_count
        return self._visible_count, inactive, self._delayed_count

    def send(self, body: str, delay: float = 0, priority: int = 8, topic_message_id: str | None = None) -> Message:
        """Put a message on the queue, to be seen `delay` seconds from now."""
        now = self._clock.now()
        order = next(self._orders)
        message_id = f"{self._id_prefix}-{milliseconds(now):X}-{order:X}"
        digest = md5(body)
        fixed = (
            f"<MessageId>{message_id}</MessageId><MessageBodyMD5>{digest}</MessageBodyMD5>"
            f"<MessageBody>{escape(body)}</MessageBody><EnqueueTime>{milliseconds(now)}</EnqueueTime>"
            f"<Priority>{priority}</Priority>"
        )
        message = Message(message_id, order, digest, priority, now, fixed, topic_message_id)
        self._messages[message_id] = message
        self._record("send", now, message, delay=delay)
        if delay > 0:
            message.delayed = True
            self._delayed_count += 1
            self._hide(message, now + delay)
        else:
            self._show(message)
        return message

    async def receive(self, limit: int, wait: float) -> list[Message]:
        """Up to `limit` messages, hidden from others from now on; waits up to `wait` seconds for the first.

        Cancelling a wait costs nobody a message. MnsError: the queue was closed meanwhile.
        """
        messages = self._take(limit)
        if messages or wait <= 0:
            return messages
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        while not messages and loop.time() < deadline:
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiters[waiter] = None
            self._set_alarm()
            try:
                async with asyncio.timeout_at(deadline):
                    await waiter
            except TimeoutError:
                pass
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._wake()  # it was this poll's turn: pass it on
                raise
            finally:
                self._waiters.pop(waiter, None)
            if self._end is not None:
                raise self._end
            messages = self._take(limit)
        return messages

    def peek(self, limit: int) -> list[Message]:
        """Up to `limit` visible messages, left as they are."""
        self._advance(self._clock.now())
        entries: list[tuple[int, int, Message]] = []
        while self._visible and len(entries) < limit:
            entry = heapq.heappop(self._visible)
            if entry[2].id in self._messages:
                entries.append(entry)
        for entry in entries:
            heapq.heappush(self._visible, entry)
        return [message for _, _, message in entries]

    def delete(self, handle: str) -> None:
        """Delete a message that is hidden under this handle. MnsError: see `_find`."""
        now = self._clock.now()
        message = self._find(handle, now)
        self._record("delete", now, message)
        self._forget(message)

    def change_visibility(self, handle: str, timeout: int) -> Message:
        """Hide a message for `timeout` seconds from now, under a new handle. MnsError: see `_find`."""
        now = self._clock.now()
        message = self._find(handle, now)
        self._hide(message, now + timeout)
        self._record("visibility", now, message, seconds=timeout)
        return message

    def void(self, handle: str) -> None:
        """The handle is good for nothing any more, though its message stays hidden. MnsError: see `_find`."""
        now = self._clock.now()
        message = self._find(handle, now)
        self._hide(message, message.visible_again)
        self._record("void", now, message)

    def redeliver(self, handle: str) -> None:
        """A message that was received is there to be received at once again. MnsError: see `_find`."""
        now = self._clock.now()
        message = self._find(handle, now)
        self._record("redeliver", now, message)
        self._show(message)

    def catch_up(self) -> None:
        """The clock was moved, or somebody wants to know: whatever is due happens now."""
        self._advance(self._clock.now())
        self._set_alarm()

    def close(self, end: MnsError) -> None:
        """The queue is no more: its messages are gone, and its long polls are told `end`."""
        self._end = end
        self._messages.clear()
        while self._waiters:
            self._wake()
        self._set_alarm()

    def _find(self, handle: str, now: float) -> Message:
        """The message whose newest handle this is.

        MnsError ReceiptHandleError: no handle at all, an older one, or one whose time is over; MessageNotExist: the
        message was deleted, or has outlived the retention period.
        """
        self._advance(now)
        if not _HANDLE.fullmatch(handle):
            raise MnsError("ReceiptHandleError", "The receipt handle you provide is not valid.")
        message = self._messages.get(handle.rpartition("-")[0])
        if message is None:
            raise no_message()
        if message.handle != handle:
            raise MnsError("ReceiptHandleError", "The receipt handle you provide has expired.")
        return message

    def _take(self, limit: int) -> list[Message]:
        now = self._clock.now()
        self._advance(now)
        taken: list[Message] = []
        while self._visible and len(taken) < limit:
            _, _, message = heapq.heappop(self._visible)
            if message.id not in self._messages:
                continue
            self._visible_count -= 1
            message.dequeue_count += 1
            message.first_dequeued = message.first_dequeued or now
            self._hide(message, now + self.attributes.visibility_timeout)
            self._record("receive", now, message)
            taken.append(message)
        return taken

    def _show(self, message: Message) -> None:
        message.ticket = 0
        if message.delayed:
            message.delayed = False
            self._delayed_count -= 1
        self._visible_count += 1
        heapq.heappush(self._visible, (message.priority, message.order, message))
        self._wake()

    def _hide(self, message: Message, until: float) -> None:
        message.ticket = next(self._tickets)
        message.visible_again = until
        heapq.heappush(self._hidden, (until, message.ticket, message))
        if self._waiters:
            self._set_alarm()

    def _forget(self, message: Message) -> None:
        del self._messages[message.id]
        if message.ticket == 0:
            self._visible_count -= 1
            return
        message.ticket = 0
        if message.delayed:
            self._delayed_count -= 1
        if len(self._hidden) > 2 * (len(self._messages) - self._visible_count) + 64:
            self._hidden = [entry for entry in self._hidden if entry[1] == entry[2].ticket]
            heapq.heapify(self._hidden)

    def _advance(self, now: float) -> None:
        """Bring the queue to `now`: show what is due, drop what has outlived the retention period."""
        while self._hidden and self._hidden[0][0] <= now:
            _, ticket, message = heapq.heappop(self._hidden)
            if message.ticket == ticket:
                if not message.delayed:
                    self._record("redeliver", message.visible_again, message)
                self._show(message)
        oldest_kept = now - self.attributes.message_retention_period
        while self._messages:
            oldest = next(iter(self._messages.values()))
            if oldest.enqueued > oldest_kept:
                break
            self._record("expire", oldest.enqueued + self.attributes.message_retention_period, oldest)
            self._forget(oldest)

    def _wake(self) -> None:
        if self._waiters:
            waiter = next(iter(self._waiters))
            del self._waiters[waiter]
            if not waiter.done():
                waiter.set_result(None)

    def _set_alarm(self) -> None:
        """While somebody waits, wake up when the next hidden message is due."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._waiters and self._hidden:
            delay = self._clock.until(self._hidden[0][0])
            if delay is not None:
                self._alarm = asyncio.get_running_loop().call_later(delay, self.catch_up)

    def _record(self, action: Action, at: float, message: Message, **more: object) -> None:
        self._ledger.record(
            action,
            at,
            queue=self.name,
            message_id=message.id,
            topic_message_id=message.topic_message_id,
            dequeue_count=message.dequeue_count,
            **more,
        )


@dataclass(slots=True)
class Subscription:
    name: str
    attributes: SubscriptionAttributes
    created: float
    modified: float

    @property
    def queue_name(self) -> str:
        return self.attributes.endpoint.rpartition("/")[2]

    def change(self, attributes: SubscriptionAttributes, at: float) -> None:
        self.attributes = attributes
        self.modified = at

    def wants(self, tag: str) -> bool:
        return self.attributes.filter_tag in ("", tag)


@dataclass(slots=True)
class Topic:
    name: str
    attributes: TopicAttributes
    created: float
    modified: float
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    def change(self, attributes: TopicAttributes, at: float) -> None:
        self.attributes = attributes
        self.modified = at


class Mns:
    """The queues and topics of one account in one region."""

    def __init__(self, account: Account, clock: Clock, ledger: Ledger, faults: Faults) -> None:
        self.account = account
        self.clock = clock
        self._faults = faults
        self._held: dict[str, tuple[asyncio.TimerHandle, Callable[[], None]]] = {}
        self.queues: dict[str, Queue] = {}
        self.topics: dict[str, Topic] = {}
        self._ledger = ledger
        self._publications = itertools.count(1)
        self._id_prefix = f"{secrets.randbits(64):016X}-1"

    def clear(self) -> None:
        """Everything is gone; a long poll is told that there was no message."""
        for queue in self.queues.values():
            queue.close(no_message())
        for alarm, _ in self._held.values():
            alarm.cancel()
        self._held.clear()
        self.queues.clear()
        self.topics.clear()

    def catch_up(self) -> None:
        """The clock was moved: see `Queue.catch_up`."""
        for queue in self.queues.values():
            queue.catch_up()

    def create_queue(self, name: str, attributes: QueueAttributes) -> Queue:
        """A new queue, or the one of this name as it is."""
        return self.queues.setdefault(name, Queue(name, attributes, self.clock, self._ledger))

    def create_topic(self, name: str, attributes: TopicAttributes) -> Topic:
        """A new topic, or the one of this name as it is."""
        now = self.clock.now()
        return self.topics.setdefault(name, Topic(name, attributes, now, now))

    def subscribe(self, topic: Topic, name: str, attributes: SubscriptionAttributes) -> Subscription:
        """A new subscription, or the topic's own of this name as it is."""
        now = self.clock.now()
        return topic.subscriptions.setdefault(name, Subscription(name, attributes, now, now))

    def queue(self, name: str) -> Queue:
        """MnsError QueueNotExist."""
        try:
            return self.queues[name]
        except KeyError:
            raise no_such_queue() from None

    def topic(self, name: str) -> Topic:
        """MnsError TopicNotExist."""
        try:
            return self.topics[name]
        except KeyError:
            raise MnsError("TopicNotExist", "The topic you provided is not exist.") from None

    def queue_arn(self, name: str) -> str:
        """What a subscription calls a queue."""
        return f"acs:mns:{self.account.region}:{self.account.account_id}:queues/{name}"

    def check_endpoint(self, endpoint: str) -> None:
        """MnsError EndpointInvalid: not a queue of this account in this region."""
        match = _ENDPOINT.fullmatch(endpoint)
        if match is None or match.groups()[:2] != (self.account.region, self.account.account_id):
            raise MnsError(
                "EndpointInvalid",
                f"The endpoint you provided is invalid. Here it has the form {self.queue_arn('QUEUE')}.",
            )

    def publish(self, topic: Topic, body: str, tag: str = "", services: tuple[str, ...] = ("mns",)) -> tuple[str, str]:
        """Push a message to the queues that are subscribed; returns its id and its digest.

        `services` are those whose fault rules it is subject to.
        A subscription whose queue does not exist gets nothing, now or later.
        """
        now = self.clock.now()
        message_id = f"{self._id_prefix}-{milliseconds(now):X}-{next(self._publications):X}"
        digest = md5(body)
        self._ledger.record("publish", now, topic_message_id=message_id, topic=topic.name)
        for subscription in topic.subscriptions.values():
            queue = self.queues.get(subscription.queue_name)
            if queue is None or not subscription.wants(tag):
                continue
            if subscription.attributes.notify_content_format == "SIMPLIFIED":
                self._deliver(queue, body, message_id, services)
                continue
            envelope = {
                "TopicOwner": self.account.account_id,
                "TopicName": topic.name,
                "Subscriber": self.account.account_id,
                "SubscriptionName": subscription.name,
                "MessageId": message_id,
                "Message": body,
                "MessageMD5": digest,
                "PublishTime": str(milliseconds(now)),
            }
            if tag:
                envelope["MessageTag"] = tag
            if subscription.attributes.notify_content_format == "JSON":
                text = json.dumps(envelope, ensure_ascii=False)
            else:
                text = document("Notification", elements(envelope.items()))
            self._deliver(queue, text, message_id, services)
        return message_id, digest

    def _deliver(self, queue: Queue, body: str, topic_message_id: str, services: tuple[str, ...]) -> None:
        copies, delay, late = 1, float(queue.attributes.delay_seconds), False
        for rule in self._faults.strike(ON_DELIVERY, services, "Publish"):
            match rule.effect:
                case "drop":
                    self._ledger.record("drop", self.clock.now(), queue=queue.name, topic_message_id=topic_message_id)
                    return
                case "duplicate":
                    copies = rule.times
                case "delay":
                    delay += rule.seconds or 0
                case "reorder":
                    late = True

        def send() -> None:
            for _ in range(copies if self.queues.get(queue.name) is queue else 0):
                queue.send(body, delay, topic_message_id=topic_message_id)

        if late and queue.name not in self._held:
            alarm = asyncio.get_running_loop().call_later(LATE, self._release, queue.name)
            self._held[queue.name] = alarm, send
        else:
            send()
            self._release(queue.name)

    def _release(self, name: str) -> None:
        """What was held back for its successor to overtake it has been overtaken, or waited long enough."""
        if held := self._held.pop(name, None):
            alarm, send = held
            alarm.cancel()
            send()

    def disturb(self, queue: Queue, operation: str, *handles: str) -> None:
        """What fault rules do to messages under these handles: just given out, or about to be used."""
        effects = ON_HANDLES if operation in RECEIVING else ("expire-handle",)
        for rule in self._faults.strike(effects, ("mns",), operation):
            for handle in handles:
                with suppress(MnsError):  # no good in the first place
                    if rule.effect == "duplicate":
                        queue.redeliver(handle)
                    else:
                        queue.void(handle)


def no_such_queue() -> MnsError:
    return MnsError("QueueNotExist", "The queue name you provided is not exist.")


def no_message() -> MnsError:
    return MnsError("MessageNotExist", "Message not exist.")
