"""The operations of MNS over HTTP (API 2015-06-06): from a method, a target and a body to a `Reply`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote
from xml.etree import ElementTree

from imm_tui.emulator.mns.queues import (
    NOTIFY_FORMATS,
    NOTIFY_STRATEGIES,
    TAG_LENGTH,
    TOPIC_RETENTION,
    Message,
    Mns,
    Queue,
    QueueAttributes,
    Subscription,
    SubscriptionAttributes,
    Topic,
    TopicAttributes,
    milliseconds,
    no_message,
    no_such_queue,
)
from imm_tui.emulator.mns.wire import MnsError, Reply, boolean, document, elements, number, parse

NAME_LENGTH = 120
BATCH = 16
DELAY_LIMIT = 604800
WAIT_LIMIT = 30
LIST_LIMIT = 1000

_QUEUE_LIMITS = {
    "VisibilityTimeout": (1, 43200),
    "MaximumMessageSize": (1024, 65536),
    "MessageRetentionPeriod": (60, 604800),
    "DelaySeconds": (0, DELAY_LIMIT),
    "PollingWaitSeconds": (0, WAIT_LIMIT),
}
_TOPIC_LIMITS = {"MaximumMessageSize": (1024, 65536)}

_QUEUE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_OTHER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose signature was good. `headers` has lower-case names; `base_url` is how the caller names us."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    base_url: str

    @property
    def overrides(self) -> bool:
        return self.query.get("metaoverride", "").lower() == "true"


def query_of(text: str) -> dict[str, str]:
    """A query as MNS reads it: `+` stands for itself, since the SDKs send receipt handles unencoded."""
    pairs = (item.partition("=") for item in text.split("&") if item)
    return {unquote(name): unquote(value) for name, _, value in pairs}


def operation_of(request: Request) -> str:
    """The service's own name of what is asked for; "" when it is none of its operations."""
    batch = "numOfMessages" in request.query
    match request.path.split("/")[1:], request.method:
        case ["queues"], "GET":
            return "ListQueue"
        case ["queues", _], method:
            return _managing(method, request.overrides, "CreateQueue", "Queue", "DeleteQueue")
        case ["queues", _, "messages"], "GET" if request.query.get("peekonly", "").lower() == "true":
            return "BatchPeekMessage" if batch else "PeekMessage"
        case ["queues", _, "messages"], "GET":
            return "BatchReceiveMessage" if batch else "ReceiveMessage"
        case ["queues", _, "messages"], "POST":
            return "BatchSendMessage" if b"<Messages" in request.body else "SendMessage"
        case ["queues", _, "messages"], "DELETE":
            return "DeleteMessage" if "ReceiptHandle" in request.query else "BatchDeleteMessage"
        case ["queues", _, "messages"], "PUT":
            return "ChangeMessageVisibility"
        case ["topics"], "GET":
            return "ListTopic"
        case ["topics", _], method:
            return _managing(method, request.overrides, "CreateTopic", "Topic", "DeleteTopic")
        case ["topics", _, "messages"], "POST":
            return "Publish"
        case ["topics", _, "subscriptions"], "GET":
            return "ListSubscriptionByTopic"
        case ["topics", _, "subscriptions", _], method:
            return _managing(method, request.overrides, "Subscribe", "Subscription", "Unsubscribe")
    return ""


def _managing(method: str, overrides: bool, create: str, thing: str, delete: str) -> str:
    match method:
        case "PUT":
            return f"Set{thing}Attributes" if overrides else create
        case "GET":
            return f"Get{thing}Attributes"
        case "DELETE":
            return delete
    return ""


async def answer(mns: Mns, request: Request) -> Reply:
    """Carry out one request. MnsError: the service refuses it."""
    match request.path.split("/")[1:]:
        case ["queues"]:
            return _queues(mns, request)
        case ["queues", name]:
            return _queue(mns, request, name)
        case ["queues", name, "messages"]:
            return await _messages(mns, mns.queue(_queue_name(name)), request)
        case ["topics"]:
            return _topics(mns, request)
        case ["topics", name]:
            return _topic(mns, request, name)
        case ["topics", name, "messages"]:
            return _publish(mns, mns.topic(_topic_name(name)), request)
        case ["topics", name, "subscriptions"]:
            return _subscriptions(mns.topic(_topic_name(name)), request)
        case ["topics", topic, "subscriptions", name]:
            return _subscription(mns, mns.topic(_topic_name(topic)), request, name)
    raise MnsError("InvalidRequestURL", "Http request URL format invalid.")


# Queues


def _queues(mns: Mns, request: Request) -> Reply:
    _only(request, "GET")
    return _listing(
        request,
        "Queues",
        "Queue",
        "/queues/",
        {name: _queue_elements(queue) for name, queue in mns.queues.items()},
    )


def _queue(mns: Mns, request: Request, name: str) -> Reply:
    _queue_name(name)
    match request.method:
        case "PUT" if request.overrides:
            queue = mns.queue(name)
            queue.change(_queue_attributes(request.body, queue.attributes))
            return Reply(204)
        case "PUT":
            attributes = _queue_attributes(request.body, QueueAttributes())
            location = f"{request.base_url}/queues/{name}"
            reply = _created("Queue", mns.queues.get(name), attributes, location)
            mns.create_queue(name, attributes)
            return reply
        case "GET":
            return Reply(200, document("Queue", elements(_queue_elements(mns.queue(name)))))
        case "DELETE":
            mns.queue(name).close(no_such_queue())
            del mns.queues[name]
            return Reply(204)
    raise _wrong_method(request)


def _queue_attributes(body: bytes, attributes: QueueAttributes) -> QueueAttributes:
    """`attributes` with what the request says in their place."""
    root = _root(body, "Queue")
    changes: dict[str, int] = {}
    for name, (low, high) in _QUEUE_LIMITS.items():
        if root.find(name) is not None:
            changes[_snake(name)] = number(name, root.findtext(name), low, high)
    return replace(attributes, **changes, logging_enabled=_logging(root, attributes.logging_enabled))


def _queue_elements(queue: Queue) -> list[tuple[str, object]]:
    active, inactive, delayed = queue.counts()
    attributes = queue.attributes
    return [
        ("QueueName", queue.name),
        ("CreateTime", int(queue.created)),
        ("LastModifyTime", int(queue.modified)),
        *((name, getattr(attributes, _snake(name))) for name in _QUEUE_LIMITS),
        ("ActiveMessages", active),
        ("InactiveMessages", inactive),
        ("DelayMessages", delayed),
        ("LoggingEnabled", attributes.logging_enabled),
    ]


# Messages


async def _messages(mns: Mns, queue: Queue, request: Request) -> Reply:
    query = request.query
    match request.method:
        case "GET" if query.get("peekonly", "").lower() == "true":
            size = _batch_size(query)
            return _delivery([message.peeked() for message in queue.peek(size or 1)], size)
        case "GET":
            size = _batch_size(query)
            wait = queue.attributes.polling_wait_seconds
            if "waitseconds" in query:
                wait = number("waitseconds", query["waitseconds"], 0, WAIT_LIMIT)
            received = await queue.receive(size or 1, wait)
            reply = _delivery([message.received() for message in received], size)
            operation = "ReceiveMessage" if size is None else "BatchReceiveMessage"
            mns.disturb(queue, operation, *(message.handle for message in received))
            return reply
        case "POST":
            root = parse(request.body, "Message", "Messages")
            return _send(queue, root) if root.tag == "Message" else _send_batch(queue, root)
        case "DELETE" if "ReceiptHandle" in query:
            mns.disturb(queue, "DeleteMessage", query["ReceiptHandle"])
            queue.delete(query["ReceiptHandle"])
            return Reply(204)
        case "DELETE":
            return _delete_batch(mns, queue, request.body)
        case "PUT":
            handle, timeout = _handle(query), _visibility(query)
            mns.disturb(queue, "ChangeMessageVisibility", handle)
            message = queue.change_visibility(handle, timeout)
            inner = elements(
                [("ReceiptHandle", message.handle), ("NextVisibleTime", milliseconds(message.visible_again))]
            )
            return Reply(200, document("ChangeVisibility", inner))
    raise _wrong_method(request)


def _batch_size(query: Mapping[str, str]) -> int | None:
    """None: a single message is asked for, and is not wrapped in Messages."""
    if "numOfMessages" not in query:
        return None
    return number("numOfMessages", query["numOfMessages"], 1, BATCH)


def _delivery(messages: list[str], size: int | None) -> Reply:
    if not messages:
        raise no_message()
    if size is None:
        return Reply(200, document("Message", messages[0]))
    return Reply(200, document("Messages", "".join([f"<Message>{message}</Message>" for message in messages])))


def _send(queue: Queue, root: ElementTree.Element) -> Reply:
    message = _enqueue(queue, root)
    inner: list[tuple[str, object]] = [("MessageId", message.id), ("MessageBodyMD5", message.digest)]
    if message.delayed:
        inner.append(("ReceiptHandle", message.handle))
    return Reply(201, document("Message", elements(inner)))


def _send_batch(queue: Queue, root: ElementTree.Element) -> Reply:
    """Each message is taken or refused by itself; with any refused the status is 500."""
    entries = root.findall("Message")
    number("the number of messages", str(len(entries)), 1, BATCH)
    status = 201
    inner = []
    for entry in entries:
        try:
            message = _enqueue(queue, entry)
            values = [("MessageId", message.id), ("MessageBodyMD5", message.digest)]
        except MnsError as error:
            status = 500
            values = [("ErrorCode", error.code), ("ErrorMessage", error.message)]
        inner.append(f"<Message>{elements(values)}</Message>")
    return Reply(status, document("Messages", "".join(inner)))


def _enqueue(queue: Queue, entry: ElementTree.Element) -> Message:
    attributes = queue.attributes
    body = _body(entry, attributes.maximum_message_size)
    delay, priority = attributes.delay_seconds, 8
    if entry.find("DelaySeconds") is not None:
        delay = number("DelaySeconds", entry.findtext("DelaySeconds"), 0, DELAY_LIMIT)
    if entry.find("Priority") is not None:
        priority = number("Priority", entry.findtext("Priority"), 1, 16)
    return queue.send(body, delay, priority)


def _delete_batch(mns: Mns, queue: Queue, body: bytes) -> Reply:
    """204 only when every handle was good; else a 404 that lists the others."""
    if not body:
        raise MnsError("MissingReceiptHandle", "The receipt handle is required.")
    handles = [element.text or "" for element in parse(body, "ReceiptHandles").findall("ReceiptHandle")]
    number("the number of receipt handles", str(len(handles)), 1, BATCH)
    mns.disturb(queue, "BatchDeleteMessage", *handles)
    errors = []
    for handle in handles:
        try:
            queue.delete(handle)
        except MnsError as error:
            values = [("ErrorCode", error.code), ("ErrorMessage", error.message), ("ReceiptHandle", handle)]
            errors.append(f"<Error>{elements(values)}</Error>")
    return Reply(404, document("Errors", "".join(errors))) if errors else Reply(204)


def _handle(query: Mapping[str, str]) -> str:
    if not query.get("ReceiptHandle"):
        raise MnsError("MissingReceiptHandle", "The receipt handle is required.")
    return query["ReceiptHandle"]


def _visibility(query: Mapping[str, str]) -> int:
    if not query.get("VisibilityTimeout"):
        raise MnsError("MissingVisibilityTimeout", "The visibility timeout is required.")
    return number("VisibilityTimeout", query["VisibilityTimeout"], *_QUEUE_LIMITS["VisibilityTimeout"])


# Topics


def _topics(mns: Mns, request: Request) -> Reply:
    _only(request, "GET")
    return _listing(
        request,
        "Topics",
        "Topic",
        "/topics/",
        {name: _topic_elements(topic) for name, topic in mns.topics.items()},
    )


def _topic(mns: Mns, request: Request, name: str) -> Reply:
    _topic_name(name)
    match request.method:
        case "PUT" if request.overrides:
            topic = mns.topic(name)
            topic.change(_topic_attributes(request.body, topic.attributes), mns.clock.now())
            return Reply(204)
        case "PUT":
            attributes = _topic_attributes(request.body, TopicAttributes())
            location = f"{request.base_url}/topics/{name}"
            reply = _created("Topic", mns.topics.get(name), attributes, location)
            mns.create_topic(name, attributes)
            return reply
        case "GET":
            return Reply(200, document("Topic", elements(_topic_elements(mns.topic(name)))))
        case "DELETE":
            mns.topic(name)
            del mns.topics[name]
            return Reply(204)
    raise _wrong_method(request)


def _topic_attributes(body: bytes, attributes: TopicAttributes) -> TopicAttributes:
    root = _root(body, "Topic")
    size = attributes.maximum_message_size
    if root.find("MaximumMessageSize") is not None:
        size = number("MaximumMessageSize", root.findtext("MaximumMessageSize"), *_TOPIC_LIMITS["MaximumMessageSize"])
    return TopicAttributes(size, _logging(root, attributes.logging_enabled))


def _topic_elements(topic: Topic) -> list[tuple[str, object]]:
    return [
        ("TopicName", topic.name),
        ("CreateTime", int(topic.created)),
        ("LastModifyTime", int(topic.modified)),
        ("MaximumMessageSize", topic.attributes.maximum_message_size),
        ("MessageRetentionPeriod", TOPIC_RETENTION),
        ("MessageCount", 0),  # a message leaves the topic as soon as it is pushed
        ("LoggingEnabled", topic.attributes.logging_enabled),
    ]


def _publish(mns: Mns, topic: Topic, request: Request) -> Reply:
    _only(request, "POST")
    root = parse(request.body, "Message")
    body = _body(root, topic.attributes.maximum_message_size)
    message_id, digest = mns.publish(topic, body, _tag("MessageTag", root))
    return Reply(201, document("Message", elements([("MessageId", message_id), ("MessageBodyMD5", digest)])))


# Subscriptions


def _subscriptions(topic: Topic, request: Request) -> Reply:
    _only(request, "GET")
    return _listing(
        request,
        "Subscriptions",
        "Subscription",
        f"/topics/{topic.name}/subscriptions/",
        {name: [] for name in topic.subscriptions},
    )


def _subscription(mns: Mns, topic: Topic, request: Request, name: str) -> Reply:
    _check_name(name, _OTHER_NAME, "SubscriptionNameInvalid", "SubscriptionNameLengthError")
    if request.method == "PUT" and not request.overrides:
        attributes = _subscription_attributes(mns, request.body)
        location = f"{request.base_url}/topics/{topic.name}/subscriptions/{name}"
        reply = _created("Subscription", topic.subscriptions.get(name), attributes, location)
        mns.subscribe(topic, name, attributes)
        return reply
    subscription = topic.subscriptions.get(name)
    if subscription is None:
        raise MnsError("SubscriptionNotExist", "The subscription you provided is not exist.")
    match request.method:
        case "PUT":
            strategy = _strategy(_root(request.body, "Subscription"), subscription.attributes.notify_strategy)
            subscription.change(replace(subscription.attributes, notify_strategy=strategy), mns.clock.now())
            return Reply(204)
        case "GET":
            return Reply(200, document("Subscription", elements(_subscription_elements(mns, topic, subscription))))
        case "DELETE":
            del topic.subscriptions[name]
            return Reply(204)
    raise _wrong_method(request)


def _subscription_attributes(mns: Mns, body: bytes) -> SubscriptionAttributes:
    root = _root(body, "Subscription")
    defaults = SubscriptionAttributes(endpoint=root.findtext("Endpoint", ""))
    mns.check_endpoint(defaults.endpoint)
    return SubscriptionAttributes(
        endpoint=defaults.endpoint,
        filter_tag=_tag("FilterTag", root),
        notify_strategy=_strategy(root, defaults.notify_strategy),
        notify_content_format=_one_of("NotifyContentFormat", root, NOTIFY_FORMATS, defaults.notify_content_format),
    )


def _subscription_elements(mns: Mns, topic: Topic, subscription: Subscription) -> list[tuple[str, object]]:
    attributes = subscription.attributes
    values: list[tuple[str, object]] = [
        ("SubscriptionName", subscription.name),
        ("Subscriber", mns.account.account_id),
        ("TopicOwner", mns.account.account_id),
        ("TopicName", topic.name),
        ("Endpoint", attributes.endpoint),
        ("NotifyStrategy", attributes.notify_strategy),
        ("NotifyContentFormat", attributes.notify_content_format),
        ("CreateTime", int(subscription.created)),
        ("LastModifyTime", int(subscription.modified)),
    ]
    if attributes.filter_tag:
        values.append(("FilterTag", attributes.filter_tag))
    return values


def _strategy(root: ElementTree.Element, default: str) -> str:
    return _one_of("NotifyStrategy", root, NOTIFY_STRATEGIES, default)


# What they share


def _created(
    kind: str,
    existing: Queue | Topic | Subscription | None,
    attributes: QueueAttributes | TopicAttributes | SubscriptionAttributes,
    location: str,
) -> Reply:
    """201; or 204 when it exists with equal attributes. MnsError ...AlreadyExist: with other attributes."""
    if existing is None:
        return Reply(201, location=location)
    if existing.attributes != attributes:
        name = kind.lower()
        raise MnsError(f"{kind}AlreadyExist", f"The {name} exists already, with other attributes.")
    return Reply(204, location=location)


def _listing(
    request: Request, root: str, item: str, path: str, entries: Mapping[str, Iterable[tuple[str, object]]]
) -> Reply:
    """One page in order of the names; the marker is the name that the next page starts with."""
    headers = request.headers
    prefix, marker = headers.get("x-mns-prefix", ""), headers.get("x-mns-marker", "")
    limit = LIST_LIMIT
    if "x-mns-ret-number" in headers:
        limit = number("x-mns-ret-number", headers["x-mns-ret-number"], 1, LIST_LIMIT)
    with_meta = headers.get("x-mns-with-meta", "").lower() == "true"
    names = sorted(name for name in entries if name.startswith(prefix) and name >= marker)
    inner = []
    for name in names[:limit]:
        url = (f"{item}URL", f"{request.base_url}{path}{name}")
        inner.append(f"<{item}>{elements([url, *(entries[name] if with_meta else ())])}</{item}>")
    if len(names) > limit:
        inner.append(elements([("NextMarker", names[limit])]))
    return Reply(200, document(root, "".join(inner)))


def _root(body: bytes, name: str) -> ElementTree.Element:
    """The attributes of a request; no body at all says nothing, and so leaves every default."""
    return parse(body, name) if body else ElementTree.Element(name)


def _body(entry: ElementTree.Element, limit: int) -> str:
    body = entry.findtext("MessageBody", "")
    if not body:
        raise MnsError("InvalidArgument", "The MessageBody is required and must not be empty.")
    if len(body.encode()) > limit:
        raise MnsError("InvalidArgument", f"The length of the MessageBody must be between 1 and {limit} bytes.")
    return body


def _tag(name: str, root: ElementTree.Element) -> str:
    tag = root.findtext(name, "")
    if len(tag) > TAG_LENGTH:
        raise MnsError("InvalidArgument", f"The length of {name} must be between 1 and {TAG_LENGTH}.")
    return tag


def _logging(root: ElementTree.Element, default: bool) -> bool:
    return (
        default if root.find("LoggingEnabled") is None else boolean("LoggingEnabled", root.findtext("LoggingEnabled"))
    )


def _one_of(name: str, root: ElementTree.Element, choices: tuple[str, ...], default: str) -> str:
    value = root.findtext(name) or default
    if value not in choices:
        raise MnsError("InvalidArgument", f"The value of {name} must be one of {', '.join(choices)}.")
    return value


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _queue_name(name: str) -> str:
    return _check_name(name, _QUEUE_NAME, "InvalidQueueName", "QueueNameLengthError")


def _topic_name(name: str) -> str:
    return _check_name(name, _OTHER_NAME, "TopicNameInvalid", "TopicNameLengthError")


def _check_name(name: str, pattern: re.Pattern[str], invalid: str, too_long: str) -> str:
    if pattern.fullmatch(name) is None:
        raise MnsError(
            invalid, "A name has letters, digits and hyphens, and starts with a letter (a queue's: or a digit)."
        )
    if len(name) > NAME_LENGTH:
        raise MnsError(too_long, f"A name has at most {NAME_LENGTH} characters.")
    return name


def _only(request: Request, method: str) -> None:
    if request.method != method:
        raise _wrong_method(request)


def _wrong_method(request: Request) -> MnsError:
    return MnsError("InvalidRequestURL", f"There is no operation {request.method} {request.path}.")
