"""Bytes of MNS's replies → messages and errors. Pure; damage costs the message that it is in, never its neighbours.

MNS API 2015-06-06. ElementTree reads a reply 2.7 times faster than the SDK's minidom. Namespaces are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import md5
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element


class Received(NamedTuple):  # there are many: a frozen dataclass takes twice as long to make
    """One message as MNS delivered it."""

    message_id: str
    receipt_handle: str
    """Good for this delivery only; empty where a damaged reply held none, and where the message was only peeked at."""
    body: bytes
    """Exactly the body's text, in UTF-8; base64 is not undone."""
    dequeue_count: int
    """How often it was received, this time included."""
    enqueued_at: int | None
    """Milliseconds since the epoch."""
    repaired: bool = False
    """It arrived damaged: its text is not well-formed XML. `body` is the nearest to what the publisher sent; its next
    delivery may be whole."""
    fits: bool | None = None
    """Whether the body fits its MessageBodyMD5; None where there is none."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages are on a queue."""

    active: int
    """They can be received."""
    inactive: int
    """Received by somebody, not deleted yet, and hidden until their visibility timeout is over."""
    delayed: int
    """Sent with a delay that is not over yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAttributes:
    """How a queue is set up, and what is on it. Times in seconds, sizes in bytes."""

    name: str
    visibility_timeout: int
    """For how long a received message is hidden from others."""
    retention: int
    """For how long a message is kept that nobody deletes."""
    polling_wait: int
    maximum_size: int
    delay: int
    """For how long a message is held back before it can be received."""
    active: int
    """See Depth; so for the next two. The service counts approximately."""
    inactive: int
    delayed: int
    created_at: int | None
    """Epoch milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicAttributes:
    """How a topic is set up. Seconds, bytes, and epoch milliseconds."""

    name: str
    maximum_size: int
    retention: int
    message_count: int
    """Messages that are still being pushed to subscribers."""
    created_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Where a topic pushes its messages, and how."""

    topic: str
    name: str
    endpoint: str
    """A queue's ARN, or a URL or an address of another kind."""
    content_format: str
    """XML, JSON or SIMPLIFIED."""
    filter_tag: str
    """Only messages with this tag are pushed; empty: all are. IMM's have none."""
    strategy: str
    """How often a push is tried again: BACKOFF_RETRY or EXPONENTIAL_DECAY_RETRY."""
    owner: str
    """The account id of the topic."""

    @property
    def queue(self) -> tuple[str, str, str] | None:
        """Region, account id and name of the queue that it pushes to; None where that is no queue."""
        arn = _QUEUE_ARN.fullmatch(self.endpoint)
        return None if arn is None else (arn["region"], arn["account"], arn["queue"])


_QUEUE_ARN = re.compile(r"acs:mns:(?P<region>[\w-]*):(?P<account>\d*):/?queues/(?P<queue>[A-Za-z0-9-]+)")


def messages_of(reply: bytes) -> list[Received] | None:
    """The messages of a reply to a receive; None if it is no such reply."""
    root = _parsed(reply)
    if root is None:
        return [message for message in _salvaged(_decoded(reply)) if message] or None
    if _name(root) not in ("Message", "Messages"):
        return None
    elements = [root] if _name(root) == "Message" else [child for child in root if _name(child) == "Message"]
    return [message for element in elements if (message := _received(element))]


def failed_deletes(reply: bytes) -> set[str] | None:
    """The receipt handles whose messages a batch delete did not delete; None if the reply does not say exactly."""
    root = _parsed(reply)
    if root is None or _name(root) != "Errors":
        return None
    failed = {_texts(error).get("ReceiptHandle", "") for error in root if _name(error) == "Error"}
    return failed if failed and "" not in failed else None


def depth_of(reply: bytes) -> Depth | None:
    """What a queue's attributes say of its messages; None if the reply is not such attributes."""
    fields = fields_of(reply, "Queue")
    counts = [fields.get(name, "") for name in ("ActiveMessages", "InactiveMessages", "DelayMessages")]
    if not all(_NUMBER.fullmatch(count) for count in counts):
        return None
    return Depth(*map(int, counts))


# What a reply leaves out has the service's default (MNS API 2015-06-06, CreateQueue, CreateTopic, Subscribe).


def queue_of(reply: bytes) -> QueueAttributes | None:
    """What a reply to GetQueueAttributes says; None if it is no such reply."""
    fields = fields_of(reply, "Queue")
    depth = depth_of(reply)
    if depth is None or not fields.get("QueueName"):
        return None
    return QueueAttributes(
        name=fields["QueueName"],
        visibility_timeout=_number(fields, "VisibilityTimeout", 30),
        retention=_number(fields, "MessageRetentionPeriod", 345600),
        polling_wait=_number(fields, "PollingWaitSeconds", 0),
        maximum_size=_number(fields, "MaximumMessageSize", 65536),
        delay=_number(fields, "DelaySeconds", 0),
        active=depth.active,
        inactive=depth.inactive,
        delayed=depth.delayed,
        created_at=_created_at(fields),
    )


def topic_of(reply: bytes) -> TopicAttributes | None:
    """What a reply to GetTopicAttributes says; None if it is no such reply."""
    fields = fields_of(reply, "Topic")
    if not fields.get("TopicName"):
        return None
    return TopicAttributes(
        name=fields["TopicName"],
        maximum_size=_number(fields, "MaximumMessageSize", 65536),
        retention=_number(fields, "MessageRetentionPeriod", 86400),
        message_count=_number(fields, "MessageCount", 0),
        created_at=_created_at(fields),
    )


def subscription_of(reply: bytes) -> Subscription | None:
    """What a reply to GetSubscriptionAttributes says; None if it is no such reply."""
    fields = fields_of(reply, "Subscription")
    if not fields.get("SubscriptionName"):
        return None
    return Subscription(
        topic=fields.get("TopicName", ""),
        name=fields["SubscriptionName"],
        endpoint=fields.get("Endpoint", ""),
        content_format=fields.get("NotifyContentFormat", "").upper() or "XML",
        filter_tag=fields.get("FilterTag", ""),
        strategy=fields.get("NotifyStrategy", "") or "BACKOFF_RETRY",
        owner=fields.get("TopicOwner", ""),
    )


def names_of(reply: bytes, kind: str) -> tuple[list[str], str] | None:
    """One page of a list of each `kind`, Queue, Topic or Subscription: the names, the last part of each URL, and the
    marker of the next page, empty on the last one; None if the reply is no such page."""
    root = _parsed(reply)
    if root is None or _name(root) != f"{kind}s":
        return None
    urls = [_texts(child).get(f"{kind}URL", "") for child in root if _name(child) == kind]
    names = [name for url in urls if (name := url.rstrip("/").rpartition("/")[2])]
    return names, _texts(root).get("NextMarker", "")


def _number(fields: dict[str, str], name: str, default: int) -> int:
    text = fields.get(name, "")
    return int(text) if _NUMBER.fullmatch(text) else default


def _created_at(fields: dict[str, str]) -> int | None:
    """Epoch milliseconds. The service writes seconds here, against the rest of its times; both are understood."""
    time = _number(fields, "CreateTime", 0)
    return (time if time > 10**11 else time * 1000) or None


def fields_of(reply: bytes, root_name: str) -> dict[str, str]:
    """The texts in a flat reply, by element; {} if the reply is not a `root_name`."""
    root = _parsed(reply)
    if root is not None:
        return _texts(root) if _name(root) == root_name else {}
    text = _decoded(reply)
    start = _START_TAG.search(text)
    if start is None or start["name"] != root_name:
        return {}
    names = ("Code", "Message", "RequestId", "ReceiptHandle")
    return {name: field.strip() for name in names if (field := _field(text, name)) is not None}


# A document type can only stand before the root. MNS never sends one, and what it declares must not be expanded.
_DOCTYPE = re.compile(rb"(?>[^<]*(?:<(?:\?.*?\?|!--.*?--)>[^<]*)*)<!DOCTYPE", re.DOTALL)


def _parsed(reply: bytes) -> Element | None:
    """The root of a reply; None if it is not well-formed XML."""
    if _DOCTYPE.match(reply):
        return None
    try:
        return ElementTree.fromstring(reply)
    except (ElementTree.ParseError, ValueError, LookupError):  # the last two: an encoding that expat does not know
        return None


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _texts(element: Element) -> dict[str, str]:
    return {_name(child): "".join(child.itertext()).strip() for child in element}


def _received(element: Element) -> Received | None:
    texts, text = {}, ""
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name == "MessageBody":
            text = "".join(child.itertext())
        else:
            texts[name] = (child.text or "").strip()
    body, fits = _digested(text.encode(), texts.get("MessageBodyMD5", ""))
    return _message(texts, body, fits=fits)


def _digested(body: bytes, digest: str) -> tuple[bytes, bool | None]:
    """The body, and whether `digest` is its own; None where that is no digest.

    MNS hashes the text that was published. An XML parser makes a line feed of each line end, the two bytes of others'.
    """
    if not _MD5.fullmatch(digest):
        return body, None
    digest = digest.lower()
    if md5(body, usedforsecurity=False).hexdigest() == digest:
        return body, True
    other = body.replace(b"\n", b"\r\n")
    fits = md5(other, usedforsecurity=False).hexdigest() == digest
    return other if fits else body, fits


def _message(
    fields: dict[str, str], body: bytes, *, repaired: bool = False, fits: bool | None = None
) -> Received | None:
    """One message, whatever it lacks; None if nothing could name it, not even to delete it."""
    message_id, receipt_handle = fields.get("MessageId", ""), fields.get("ReceiptHandle", "")
    if not message_id and not receipt_handle:
        return None
    least = 1 if receipt_handle else 0  # what is only peeked at may never have been received
    return Received(
        message_id,
        receipt_handle,
        body,
        max(least, _number(fields, "DequeueCount", 1)),
        int(time) if _NUMBER.fullmatch(time := fields.get("EnqueueTime", "")) else None,
        repaired,
        fits,
    )


_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_NUMBER = re.compile(r"[0-9]{1,18}")

# What is left of a reply that is not well-formed. Every search here is linear in its length.

_DECLARED = re.compile(rb"""\s*<\?xml[^>]*encoding=["']([\w-]+)["']""")
_START_TAG = re.compile(r"<(?P<tag>(?:[\w.-]+:)?(?P<name>\w+))(?:\s[^<>]*)?>")
_MARK = re.compile(r"<!\[CDATA\[|]]>|<(?P<end>/?)(?:[\w.-]+:)?Message(?P<body>Body)?(?:\s[^<>]*)?(?P<empty>/?)>")
_NEXT = re.compile(
    r"\s*<(?:[\w.-]+:)?Message(?:\s[^<>]*)?>\s*<(?:[\w.-]+:)?(?:MessageId|ReceiptHandle|MessageBody)(?:\s[^<>]*)?>"
)
_BODY_START = re.compile(r"<(?:[\w.-]+:)?MessageBody(?:\s[^<>]*)?(?<!/)>")
_BODY_END = re.compile(r"</(?:[\w.-]+:)?MessageBody\s*>")
_ESCAPE = re.compile(
    r"<!\[CDATA\[(?P<cdata>.*?)(?:]]>|\Z)"
    r"|&(?:#(?P<dec>[0-9]{1,7})|#x(?P<hex>[0-9a-fA-F]{1,6})|(?P<name>amp|lt|gt|quot|apos));",
    re.DOTALL,
)
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def _decoded(reply: bytes) -> str:
    """The reply as text; bytes that are none become lone surrogates, from which `_bytes` brings them back."""
    if reply.startswith((b"\xff\xfe", b"\xfe\xff")):
        return reply.decode("utf-16", "replace")
    declared = _DECLARED.match(reply)
    encodings = ["utf-8-sig"]
    if declared and declared[1].lower() in (b"gbk", b"gb2312", b"gb18030"):
        encodings.append("gb18030")
    for encoding in encodings:
        try:
            return reply.decode(encoding)
        except UnicodeDecodeError:
            continue
    return reply.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _salvaged(text: str) -> Iterator[Received | None]:
    """Cut a damaged reply into its messages and read each by itself: strictly if that works, else by its tags."""
    root = _START_TAG.search(text)
    if root is None or root["name"] not in ("Message", "Messages"):
        return
    # A whole message is read within the root's own tags, because those declare its prefix.
    before, after = ("<_>", "</_>") if root["name"] == "Message" else (root[0], f"</{root['tag']}>")
    for part in _parts(text[root.start() :]):
        parsed = _parsed(_bytes(before + part + after))
        if parsed is not None and len(parsed):
            yield _received(parsed[0])
        else:
            yield _repaired(part)


def _parts(text: str) -> Iterator[str]:
    """The source of each message. Tags that a body quotes are not the reply's own."""
    start: int | None = None
    in_body = in_cdata = False
    for mark in _MARK.finditer(text):
        if mark["end"] and not mark["body"] and _NEXT.match(text, mark.end()):
            in_body = in_cdata = False  # messages do not nest: what this one has opened, it never closed
        if in_cdata or mark[0] == "<![CDATA[":
            in_cdata = mark[0] != "]]>"
        elif mark[0] == "]]>" or mark["empty"]:
            continue
        elif mark["body"]:
            in_body = not mark["end"]
        elif in_body:
            continue
        else:
            if start is not None:
                yield text[start : mark.end() if mark["end"] else mark.start()]
            start = None if mark["end"] else mark.start()
    if start is not None:
        yield text[start:]


def _repaired(part: str) -> Received | None:
    start = _BODY_START.search(part)
    body, rest = "", part
    if start is not None:
        ends = list(_BODY_END.finditer(part, start.end()))
        body = part[start.end() : ends[-1].start() if ends else None]
        rest = part[: start.start()] + (part[ends[-1].end() :] if ends else "")
    names = ("MessageId", "ReceiptHandle", "DequeueCount", "EnqueueTime")
    fields = {name: field.strip() for name in names if (field := _field(rest, name)) is not None}
    return _message(fields, _bytes(_unescaped(body)), repaired=True)


def _field(text: str, name: str) -> str | None:
    found = re.search(rf"<(?:[\w.-]+:)?{name}(?:\s[^<>]*)?>(.*?)</", text, re.DOTALL)
    return None if found is None else _bytes(_unescaped(found[1])).decode("utf-8", "replace")


def _unescaped(text: str) -> str:
    """What an XML parser makes of a text, but that a character which XML forbids is let through, and a reference that
    means no character stays as it is written."""

    def character(escape: re.Match[str]) -> str:
        if (cdata := escape["cdata"]) is not None:
            return cdata
        if name := escape["name"]:
            return _ENTITIES[name]
        code = int(escape["dec"]) if escape["dec"] else int(escape["hex"], 16)
        return escape[0] if code > 0x10FFFF or 0xD800 <= code < 0xE000 else chr(code)

    return _ESCAPE.sub(character, text)
