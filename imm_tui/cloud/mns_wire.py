"""MNS at one endpoint through aliyun-mns 1.1.5, made safe; what all calls of it have in common.

The SDK builds and signs the requests. Sending them and reading the replies is done here: the SDK prints the key at
every request, sends a request twice when a connection breaks, waits for ever on TLS, and takes a portal's page for a
success.
"""

from __future__ import annotations

import http.client
import re
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

import mns.mns_client
from mns.mns_client import MNSClient
from mns.mns_request import (
    BatchDeleteMessageRequest,
    BatchPeekMessageRequest,
    BatchReceiveMessageRequest,
    ChangeMessageVisibilityRequest,
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
    ResponseBase,
    SubscribeRequest,
    UnsubscribeRequest,
)

from imm_tui.cloud import read_only as promise
from imm_tui.cloud.connection import Connection, another_may_do, usable
from imm_tui.cloud.mns_reply import Received, fields_of, messages_of
from imm_tui.cloud.refusals import (
    clock_offset_of,
    code_of,
    refused,
    request_id_of,
    retry_after_of,
)
from imm_tui.cloud.route import Address, Route
from imm_tui.credentials import Credentials, Keys
from imm_tui.errors import BadInput, Refused, Unreachable
from imm_tui.i18n import N_, _

# MNSClient prints the secret, the signature and every reply's headers. A module's global hides the builtin from that
# module alone, in every thread, and leaves sys.stdout in peace.
mns.mns_client.print = lambda *_args, **_kwargs: None

PATIENCE_SECONDS = 5.0
"""How much longer than the wait that was asked for an answer may take to begin, or to go on."""

_CALLS: dict[type, tuple[Callable[[MNSClient, Any, Any], None], str]] = {
    BatchReceiveMessageRequest: (MNSClient.batch_receive_message, "mns:ReceiveMessage"),
    BatchPeekMessageRequest: (MNSClient.batch_peek_message, "mns:PeekMessage"),
    BatchDeleteMessageRequest: (MNSClient.batch_delete_message, "mns:DeleteMessage"),
    ChangeMessageVisibilityRequest: (MNSClient.change_message_visibility, "mns:ChangeMessageVisibility"),
    ListQueueRequest: (MNSClient.list_queue, "mns:ListQueue"),
    GetQueueAttributesRequest: (MNSClient.get_queue_attributes, "mns:GetQueueAttributes"),
    CreateQueueRequest: (MNSClient.create_queue, "mns:CreateQueue"),
    DeleteQueueRequest: (MNSClient.delete_queue, "mns:DeleteQueue"),
    ListTopicRequest: (MNSClient.list_topic, "mns:ListTopic"),
    GetTopicAttributesRequest: (MNSClient.get_topic_attributes, "mns:GetTopicAttributes"),
    CreateTopicRequest: (MNSClient.create_topic, "mns:CreateTopic"),
    DeleteTopicRequest: (MNSClient.delete_topic, "mns:DeleteTopic"),
    ListSubscriptionByTopicRequest: (MNSClient.list_subscription_by_topic, "mns:ListSubscriptionByTopic"),
    GetSubscriptionAttributesRequest: (MNSClient.get_subscription_attributes, "mns:GetSubscriptionAttributes"),
    SubscribeRequest: (MNSClient.subscribe, "mns:Subscribe"),
    UnsubscribeRequest: (MNSClient.unsubscribe, "mns:Unsubscribe"),
}
"""How the SDK carries each request out, and the permission that it needs."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,255}")
_NAMES = {
    "queue": (
        N_("“{name}” is not the name of a queue."),
        N_("The queue's name is empty."),
        N_("A queue's name has up to 256 letters, digits and hyphens, and does not begin with a hyphen."),
    ),
    "topic": (
        N_("“{name}” is not the name of a topic."),
        N_("The topic's name is empty."),
        N_("A topic's name has up to 256 letters, digits and hyphens, and does not begin with a hyphen."),
    ),
    "subscription": (
        N_("“{name}” is not the name of a subscription."),
        N_("The subscription's name is empty."),
        N_("A subscription's name has up to 256 letters, digits and hyphens, and does not begin with a hyphen."),
    ),
}


def checked_name(name: str, kind: str) -> str:
    """The name of a `kind`, queue, topic or subscription, without blanks around it. The SDK puts it into the URL as it
    is. Raises BadInput, with the kind for its field."""
    name = name.strip()
    if _NAME.fullmatch(name):
        return name
    wrong, empty, rule = map(_, _NAMES[kind])
    raise BadInput(
        wrong.format(name=name) if name else empty, rule, _("Copy the name from the MNS console."), field=kind
    )


class Cancelled(Exception):
    """The connection was killed, or its receiving interrupted."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that is on its way. The SDK, which takes it for a reply, copies `status` and `header`."""

    at: float
    """Epoch seconds, by our clock."""
    signature: str = field(repr=False)
    key: Credentials = field(default=Credentials("", ""), repr=False)
    """What it was signed with."""
    status: int = 0
    header: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of whatever status and form."""

    status: int
    header: http.client.HTTPMessage = field(repr=False)
    body: bytes = field(repr=False)
    times: tuple[float, float]
    """When the request went out and when the reply began to come, in epoch seconds by our clock."""
    signature: str = field(repr=False)
    """Of the request."""
    key: Credentials = field(repr=False)
    """What that was signed with."""

    @property
    def code(self) -> str | None:
        """The service's error code, where it is a refusal in its form."""
        return code_of(self.error.get("Code")) if self.status >= 400 else None

    @property
    def error(self) -> Mapping[str, str]:
        """The fields of a refusal in the service's form."""
        return fields_of(self.body, "Error")

    @property
    def clock_offset(self) -> float | None:
        """Seconds by which the service's clock is ahead of ours. Not for a long poll: that is answered at any time."""
        return clock_offset_of(self.header, *self.times)


class Mns:
    """Calls of MNS over one connection, one after the other. Not for sharing between threads, but for the wire's
    `interrupt` and `kill`."""

    def __init__(self, endpoint: str, keys: Keys, *, read_only: bool) -> None:
        """Opens nothing yet. Raises BadInput for an `endpoint` or a proxy that cannot be, NoCredentials for keys."""
        address = Address.parse(endpoint, "mns_endpoint")
        usable(keys.current())
        self._keys = keys
        self._read_only = read_only
        self.route = Route.to("MNS", address)
        self.wire = Wire(self.route, address.tls_context())
        self._client = _Client(self.wire)
        self.busy = False
        """Whether a call was started and its reply not taken yet."""
        self.refused_key: Credentials | None = None
        """What the last call was signed with, where it was refused and another key may do."""

    def beside(self) -> Mns:
        """Another connection to the same place, with the same keys."""
        other = copy(self)
        other.wire = self.wire.beside()
        other._client = _Client(other.wire)
        other.busy, other.refused_key = False, None
        return other

    def close(self) -> None:
        """Gives up the call under way, if there is one; a later call opens a new connection."""
        self.busy = False
        self.wire.connection.close()

    def call(self, request: Any, wait: int = 0) -> Reply:
        """The reply to one of the SDK's requests, of whatever status; it may take `wait` seconds to begin.

        A call that is refused because of its key was not carried out: it is sent again if there is another key now.
        Raises ReadOnly before anything is sent, Unreachable, Cancelled, and NoCredentials if there is no key any more.
        """
        return self.start(request, wait)()

    def start(self, request: Any, wait: int = 0) -> Callable[[], Reply]:
        """As `call`, but only sends the request; the reply is taken by what this returns, which is called once."""
        perform, action = _CALLS[type(request)]
        if self._read_only and (trouble := promise.forbidden(action)):
            raise trouble
        self.wire.silence = wait + PATIENCE_SECONDS
        self.wire.receives = isinstance(request, BatchReceiveMessageRequest)
        self.wire.waits = wait > 0
        key = self._keys.current()
        sent = self._client.send(perform, request, usable(key))

        def take() -> Reply:
            nonlocal key
            self.busy = False
            reply = self.wire.reply(sent)
            if _is_for_another(reply, key) and self._keys.renew(key):
                key = self._keys.current()
                reply = self.wire.reply(self._client.send(perform, request, usable(key)))
            self.refused_key = key if _is_for_another(reply, key) else None
            return reply

        self.busy = True
        return take

    def peek(self, queue: str, count: int, resource: str, barring: Collection[str] = ()) -> list[Received]:
        """Up to `count` (1 to 16) of the messages that could be received now, and still can be: nothing changes.

        They have no receipt handle. MNS API 2015-06-06, BatchPeekMessage. Raises what `call` does, and Refused.
        """
        request = BatchPeekMessageRequest(queue, count, base64decode=False)
        reply = self.call(request)
        if reply.status == 200 and (messages := messages_of(reply.body)) is not None:
            return messages
        if reply.code == "MessageNotExist":
            return []
        raise self.refusal(reply, request, resource, barring)

    def refusal(
        self, reply: Reply, request: object, resource: str, barring: Collection[str] = ()
    ) -> Refused | Unreachable:
        """The trouble that a reply which is no success tells of, with the `resource` that the call was about."""
        fields = reply.error
        request_id = request_id_of(fields.get("RequestId"), reply.header.get("x-mns-request-id"))
        if (code := reply.code) is None:
            return self.route.unusable(reply.status, retry_after_of(reply.header), request_id)
        return refused(
            "MNS",
            code,
            fields.get("Message", ""),
            request_id,
            status=reply.status,
            retry_after=retry_after_of(reply.header),
            resource=resource,
            action=_CALLS[type(request)][1],
            secrets=(reply.key.access_key_secret, reply.key.security_token, reply.signature),
            barring=barring,
        )


def _is_for_another(reply: Reply, key: Credentials) -> bool:
    return reply.status >= 400 and another_may_do(key, reply.code, reply.error.get("Message", ""))


class _Stage(Enum):
    """How far a receive has come, which decides what an interruption may end."""

    NONE = auto()
    """There is none, or its answer has begun to come."""
    CONNECTING = auto()
    """Nothing was sent yet."""
    WAITING = auto()
    """The service may answer at any moment."""


class Wire:
    """Stands where the SDK has its MNSHttp."""

    def __init__(self, route: Route, tls: ssl.SSLContext | None) -> None:
        self.route = route
        self._tls = tls
        self.connection = Connection(route, tls)
        self.silence = 0.0
        """Seconds without a byte after which the call in hand is given up."""
        self.receives = False
        """Whether the call in hand is one that an interruption ends."""
        self.waits = False
        """Whether the service may take its time to answer that. Where it answers at once it has taken the messages at
        once, and its answer is taken."""
        self._stage = _Stage.NONE
        self._interrupted = False
        self._turn = threading.Lock()  # held for a change of the two, never while anything is waited for

    def beside(self) -> Wire:
        """Another one to the same place. To load a system's certificates takes twenty milliseconds: it shares them."""
        return Wire(self.route, self._tls)

    def is_keep_alive(self) -> bool:
        return True

    def interrupt(self) -> None:
        with self._turn:
            self._interrupted = True
            # What has come and is not looked at yet is for the receiving thread to judge.
            come = self._stage is _Stage.WAITING and self.connection.readable(0)
            if self._stage is not _Stage.NONE and not come:
                self.connection.abort()

    def send_request(self, request: Any) -> Sent:
        """Send `request`, once: a receive that is sent again hides the messages that the first one took.

        A connection that the service closed while it was idle is noticed before anything is sent.
        """
        connection = self.connection
        if connection.stale:
            connection.close()  # not after _enter: it would undo an interruption
        self._enter(_Stage.CONNECTING if self.receives else _Stage.NONE)
        with self._faults():
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(self.silence)
            self._enter(_Stage.WAITING if self.receives and self.waits else _Stage.NONE)
            at = time.time()
            connection.request(request.method, request.uri, request.data, request.header)
            # In no local variable: a crash report has those.
            return Sent(at, request.header["Authorization"].rpartition(":")[2])

    def reply(self, sent: Sent) -> Reply:
        """The reply to what was sent last."""
        with self._faults():
            if self.receives and self.waits:
                self._await_answer()
            with self.connection.getresponse() as response:
                times = sent.at, time.time()
                return Reply(response.status, response.headers, response.read(), times, sent.signature, sent.key)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Whatever goes wrong within ends the call, as Unreachable or Cancelled."""
        try:
            yield
        except (Unreachable, OSError, http.client.HTTPException, ValueError) as error:
            self._give_up()
            fault: Exception = error
        except BaseException:
            self._give_up()
            raise
        else:
            return
        if self.connection.killed or (self.receives and self._interrupted):
            raise Cancelled
        raise fault if isinstance(fault, Unreachable) else self.route.unreachable(fault)

    def _enter(self, stage: _Stage) -> None:
        with self._turn:
            if self.connection.killed or (self._interrupted and stage is not _Stage.NONE):
                raise Cancelled
            self._stage = stage

    def _await_answer(self) -> None:
        """Until it begins to come. From then on an interruption leaves it alone."""
        deadline = time.monotonic() + self.silence
        while self.connection.readable(deadline - time.monotonic()):
            with self._turn:
                if self.connection.answered():
                    self._stage = _Stage.NONE
                    return
                if self._interrupted and not self.connection.readable(0):
                    raise Cancelled
        raise TimeoutError

    def _give_up(self) -> None:
        with self._turn:
            self._stage = _Stage.NONE
        self.connection.close()


class _Client(MNSClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK up to the request, and nothing of what it does with a reply."""

    def __init__(self, wire: Wire) -> None:
        # It makes a connection of its own, opens it at the first request only, and loses it here. Under https:// that
        # would load every certificate of the system for nothing.
        super().__init__(f"http://{wire.route.address.authority}", "", "")
        self.http = wire

    def send(self, perform: Callable[[MNSClient, Any, Any], None], request: Any, key: Credentials) -> Sent:
        """Sends `request`, signed with `key`."""
        self.access_id = key.access_key_id
        self.access_key = key.access_key_secret
        self.security_token = key.security_token
        response = ResponseBase()
        perform(self, request, response)
        sent = response.error_data
        assert isinstance(sent, Sent)
        return replace(sent, key=key)

    def check_status(self, request: Any, sent: Sent, response: Any, decoder: Any = None) -> None:
        """Called with what the wire has returned; while `error_data` is anything but "", the SDK leaves it alone."""
        response.error_data = sent
