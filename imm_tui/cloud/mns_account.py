"""The queues, topics and subscriptions of an MNS account: what there is, how it is set up, created and taken away.

A refusal's code tells what does not exist: `refusals.is_missing`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from mns.mns_request import (
    CreateQueueRequest,
    CreateTopicRequest,
    DeleteQueueRequest,
    DeleteTopicRequest,
    GetQueueAttributesRequest,
    GetSubscriptionAttributesRequest,
    GetTopicAttributesRequest,
    ListQueueRequest,
    ListSubscriptionByTopicRequest,
    ListTopicRequest,
    SubscribeRequest,
    UnsubscribeRequest,
)

from imm_tui.cloud.mns_reply import (
    QueueAttributes,
    Received,
    Subscription,
    TopicAttributes,
    names_of,
    queue_of,
    subscription_of,
    topic_of,
)
from imm_tui.cloud.mns_wire import Mns, Reply, checked_name
from imm_tui.cloud.refusals import is_missing
from imm_tui.credentials import Keys
from imm_tui.errors import BadInput, Refused
from imm_tui.i18n import _

__all__ = ["MnsAccount", "QueueAttributes", "Subscription", "TopicAttributes"]

PAGE = 1000
"""Names that one call lists at most (MNS API 2015-06-06, ListQueue, x-mns-ret-number)."""

LARGEST = 65536
"""Bytes of a message; what the service takes by itself. The SDK's own default is 2048."""

Told = TypeVar("Told")


class MnsAccount:
    """One account in one region, over one connection. Not for sharing between threads.

    Every method raises Refused (Denied where a permission is lacking), Unreachable, BadInput for a name that cannot be,
    and NoCredentials if there is no key any more. All calls are of MNS API 2015-06-06.
    """

    def __init__(self, endpoint: str, credentials: Keys, *, read_only: bool = False) -> None:
        """Opens nothing yet. A `read_only` one raises ReadOnly for what would change anything.

        Raises BadInput for an `endpoint` or a proxy that cannot be, NoCredentials for keys.
        """
        self._mns = Mns(endpoint, credentials, read_only=read_only)
        self.clock_offset: float | None = None
        """Seconds by which the service's clock is ahead of this machine's, as its last reply said, refusal or not."""

    def queues(self) -> list[str]:
        """The names of all queues (ListQueue)."""
        resource = _("the list of the account's queues")
        return self._names("Queue", resource, lambda marker: ListQueueRequest("", PAGE, marker))

    def queue(self, name: str) -> QueueAttributes:
        """How a queue is set up, and how many messages are on it (GetQueueAttributes)."""
        name = checked_name(name, "queue")
        return self._told(GetQueueAttributesRequest(name), queue_of, _queue(name))

    def topics(self) -> list[str]:
        """The names of all topics (ListTopic)."""
        resource = _("the list of the account's topics")
        return self._names("Topic", resource, lambda marker: ListTopicRequest("", PAGE, marker))

    def topic(self, name: str) -> TopicAttributes:
        """How a topic is set up (GetTopicAttributes)."""
        name = checked_name(name, "topic")
        return self._told(GetTopicAttributesRequest(name), topic_of, _topic(name))

    def subscriptions(self, topic: str) -> list[Subscription]:
        """Everything that a topic pushes to (ListSubscriptionByTopic, and GetSubscriptionAttributes of each)."""
        topic = checked_name(topic, "topic")
        names = self._names(
            "Subscription", _topic(topic), lambda marker: ListSubscriptionByTopicRequest(topic, "", PAGE, marker)
        )
        found = []
        for name in names:
            request = GetSubscriptionAttributesRequest(topic, name)
            try:
                found.append(self._told(request, subscription_of, _subscription(topic, name)))
            except Refused as refusal:
                if not is_missing(refusal.code):  # taken away since it was listed
                    raise
        return found

    def peek(self, queue: str, count: int = 16) -> list[Received]:
        """Up to `count` (1 to 16) of a queue's messages that could be received now, and still can be: nothing changes.

        They have no receipt handle; their dequeue_count says how often somebody received them (BatchPeekMessage).
        """
        queue = checked_name(queue, "queue")
        return self._mns.peek(queue, count, _queue(queue))

    def create_queue(self, name: str, *, visibility_timeout: int, retention: int, polling_wait: int) -> bool:
        """Create a queue (CreateQueue); False where there is one of this name already, which stays as it is.

        `visibility_timeout` (1 to 43200), `retention` (60 to 604800) and `polling_wait` (0 to 30) are in seconds.
        """
        name = checked_name(name, "queue")
        request = CreateQueueRequest(
            name,
            visibility_timeout=_within("visibility_timeout", visibility_timeout, 1, 43200),
            maximum_message_size=LARGEST,
            message_retention_period=_within("retention", retention, 60, 604800),
            delay_seconds=0,
            polling_wait_seconds=_within("polling_wait", polling_wait, 0, 30),
            logging_enabled=False,
        )
        return self._created(request, _queue(name))

    def create_topic(self, name: str) -> bool:
        """Create a topic (CreateTopic); False where there is one of this name already, which stays as it is."""
        name = checked_name(name, "topic")
        return self._created(CreateTopicRequest(name, LARGEST, logging_enabled=False), _topic(name))

    def subscribe(
        self, topic: str, name: str, queue: str, *, region: str, account_id: str, content_format: str
    ) -> bool:
        """Have a topic push every message to a queue (Subscribe), which has to be of this region and account.

        False where the topic has a subscription of this name already, to whatever queue; it stays as it is.
        `content_format` is XML, JSON or SIMPLIFIED.
        """
        topic, name = checked_name(topic, "topic"), checked_name(name, "subscription")
        endpoint = queue_arn(region, account_id, checked_name(queue, "queue"))
        request = SubscribeRequest(topic, name, endpoint, "BACKOFF_RETRY", content_format)
        return self._created(request, _subscription(topic, name))

    def unsubscribe(self, topic: str, name: str) -> bool:
        """Take a subscription away (Unsubscribe); False where it was not there."""
        topic, name = checked_name(topic, "topic"), checked_name(name, "subscription")
        return self._gone(UnsubscribeRequest(topic, name), _subscription(topic, name))

    def delete_queue(self, name: str) -> bool:
        """Delete a queue with all that is on it (DeleteQueue); False where it was not there."""
        name = checked_name(name, "queue")
        return self._gone(DeleteQueueRequest(name), _queue(name))

    def delete_topic(self, name: str) -> bool:
        """Delete a topic with its subscriptions (DeleteTopic); False where it was not there."""
        name = checked_name(name, "topic")
        return self._gone(DeleteTopicRequest(name), _topic(name))

    def close(self) -> None:
        """Close the connection; a later call opens a new one."""
        self._mns.close()

    def _call(self, request: Any) -> Reply:
        reply = self._mns.call(request)
        if (offset := reply.clock_offset) is not None:
            self.clock_offset = offset
        return reply

    def _told(self, request: Any, read: Callable[[bytes], Told | None], resource: str) -> Told:
        reply = self._call(request)
        if reply.status == 200 and (told := read(reply.body)) is not None:
            return told
        raise self._mns.refusal(reply, request, resource)

    def _names(self, kind: str, resource: str, request_of: Callable[[str], Any]) -> list[str]:
        """All names of a list; `request_of` asks for the page that begins at a marker."""
        names: list[str] = []
        markers: list[str] = []
        marker = ""
        while marker not in markers:
            markers.append(marker)
            found, marker = self._told(request_of(marker), lambda reply: names_of(reply, kind), resource)
            names += found
            if not marker:
                break
        return names

    def _created(self, request: Any, resource: str) -> bool:
        """201; 204 where it exists as it would have been created, and 409 where it exists otherwise."""
        reply = self._call(request)
        if reply.status == 201:
            return True
        if reply.status == 204 or (reply.code or "").endswith("AlreadyExist"):
            return False
        raise self._mns.refusal(reply, request, resource)

    def _gone(self, request: Any, resource: str) -> bool:
        reply = self._call(request)
        if reply.status == 204:
            return True
        if is_missing(reply.code):
            return False
        raise self._mns.refusal(reply, request, resource)


def queue_arn(region: str, account_id: str, queue: str) -> str:
    """What a subscription calls a queue."""
    return f"acs:mns:{region}:{account_id}:queues/{queue}"


def _queue(name: str) -> str:
    return _("the queue “{name}”").format(name=name)


def _topic(name: str) -> str:
    return _("the topic “{name}”").format(name=name)


def _subscription(topic: str, name: str) -> str:
    return _("the subscription “{name}” of the topic “{topic}”").format(name=name, topic=topic)


def _within(field: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        what = _("{field} cannot be {value}.").format(field=field, value=value)
        raise BadInput(
            what, _("It is a number of seconds from {low} to {high}.").format(low=low, high=high), field=field
        )
    return value
