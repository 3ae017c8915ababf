"""One MNS queue through aliyun-mns 1.1.5, made safe.

The SDK builds and signs the requests. Sending them and reading the replies is done here: the SDK prints the key at
every request, sends a request twice when a connection breaks, waits for ever on TLS, takes a portal's page for a
deleted message, and drops a whole batch for one message that it cannot read.
"""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any
from urllib.parse import quote

import mns.mns_client
from mns.mns_client import MNSClient
from mns.mns_request import (
    BatchDeleteMessageRequest,
    BatchDeleteMessageResponse,
    BatchReceiveMessageRequest,
    BatchReceiveMessageResponse,
    ChangeMessageVisibilityRequest,
    ChangeMessageVisibilityResponse,
    GetQueueAttributesRequest,
    GetQueueAttributesResponse,
)

from imm_tui.cloud.connection import Connection, usable
from imm_tui.cloud.mns_reply import Depth, Received, depth_of, failed_deletes, fields_of, messages_of
from imm_tui.cloud.refusals import code_of, refused, request_id_of, retry_after_of
from imm_tui.cloud.route import Address, Route
from imm_tui.credentials import Credentials
from imm_tui.errors import BadInput, Refused, Unreachable
from imm_tui.i18n import _

# MNSClient prints the secret, the signature and every reply's headers. A module's global hides the builtin from that
# module alone, in every thread, and leaves sys.stdout in peace.
mns.mns_client.print = lambda *_args, **_kwargs: None

BATCH = 16
"""Messages that one call can receive or delete (MNS API 2015-06-06, BatchReceiveMessage, BatchDeleteMessage)."""

_BARRING_CODES = frozenset({"QueueNotExist", "InvalidQueueName", "QueueNameLengthError"})

PATIENCE_SECONDS = 5.0
"""How much longer than the wait that was asked for an answer may take to begin, or to go on."""

_QUEUE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,255}")
_HANDLE = re.compile(r"[!-~]+")
_ACTIONS = {
    BatchReceiveMessageRequest: "mns:ReceiveMessage",
    BatchDeleteMessageRequest: "mns:DeleteMessage",
    ChangeMessageVisibilityRequest: "mns:ChangeMessageVisibility",
    GetQueueAttributesRequest: "mns:GetQueueAttributes",
}
"""The permission that each call needs."""


class Cancelled(Exception):
    """The queue was killed, or its receiving interrupted."""


class Queue:
    """One queue over one connection of its own. Not for sharing between threads, but for `interrupt` and `kill`."""

    def __init__(self, endpoint: str, name: str, credentials: Credentials) -> None:
        """Opens nothing yet. Raises BadInput for an `endpoint`, a `name` or a proxy that cannot be, NoCredentials for
        keys."""
        address = Address.parse(endpoint, "mns_endpoint")
        self._name = name.strip()
        if not _QUEUE_NAME.fullmatch(self._name):
            raise BadInput(
                _("“{name}” is not the name of a queue.").format(name=self._name)
                if self._name
                else _("The queue's name is empty."),
                _("A queue's name has up to 256 letters, digits and hyphens, and does not begin with a hyphen."),
                _("Copy the name from the MNS console."),
                field="queue",
            )
        self._credentials = usable(credentials)
        self._route = Route.to("MNS", address)
        self._wire = _Wire(self._route)
        self._client = _Client(self._wire, self._credentials)
        self._digests = False

    def receive(self, count: int = BATCH, wait: int = 30) -> list[Received]:
        """Up to `count` (1 to 16) messages; [] when the queue stayed empty for `wait` (0 to 30) seconds.

        The service may answer that it is empty before `wait` is over. Raises Refused, Unreachable, Cancelled.
        A body that does not fit its MessageBodyMD5 counts as damaged, once another has shown that the service fills
        that in as we understand it.
        """
        request = BatchReceiveMessageRequest(self._name, count, base64decode=False, wait_seconds=wait)
        reply = self._call(self._client.batch_receive_message, request, BatchReceiveMessageResponse(), wait)
        if reply.status == 200 and (messages := messages_of(reply.body)) is not None:
            self._digests = self._digests or any(message.fits for message in messages)
            if self._digests:
                return [replace(it, repaired=True) if it.fits is False else it for it in messages]
            return messages
        if (refusal := self._refusal(reply, request)).code == "MessageNotExist":
            return []
        raise refusal

    def delete(self, receipt_handles: Sequence[str]) -> list[str]:
        """Delete messages, any number of them; which handles' messages the service says are deleted.

        One that is missing in the answer may have become visible again, or be deleted already. Raises Refused,
        Unreachable or Cancelled if a call fails before any message was deleted; after that it returns what was.
        """
        handles = [handle for handle in receipt_handles if _HANDLE.fullmatch(handle)]
        deleted: list[str] = []
        for start in range(0, len(handles), BATCH):
            batch = handles[start : start + BATCH]
            try:
                deleted += self._delete(batch)
            except (Refused, Unreachable):
                if not deleted:
                    raise
                break
        return deleted

    def _delete(self, batch: list[str]) -> list[str]:
        request = BatchDeleteMessageRequest(self._name, batch)
        reply = self._call(self._client.batch_delete_message, request, BatchDeleteMessageResponse())
        if reply.status == 204:
            return batch
        if reply.status >= 400 and (kept := failed_deletes(reply.body)) is not None and kept <= set(batch):
            return [handle for handle in batch if handle not in kept]
        raise self._refusal(reply, request)

    def change_visibility(self, receipt_handle: str, seconds: int) -> str:
        """Hide a received message for `seconds` (1 to 43200) from now; its new receipt handle, the old one is void.

        Raises Refused, Unreachable, Cancelled, and BadInput for a handle that MNS cannot have given.
        """
        if not _HANDLE.fullmatch(receipt_handle):
            raise BadInput(_("This is not a receipt handle of MNS."), field="receipt_handle")
        # The SDK puts the handle into the URL as it is, and signs that URL.
        handle = quote(receipt_handle, safe="!$'()*+,/:;=@-._~")
        request = ChangeMessageVisibilityRequest(self._name, handle, seconds)
        reply = self._call(self._client.change_message_visibility, request, ChangeMessageVisibilityResponse())
        if reply.status == 200 and (fields := fields_of(reply.body, "ChangeVisibility")).get("ReceiptHandle"):
            return fields["ReceiptHandle"]
        raise self._refusal(reply, request)

    def depth(self) -> Depth:
        """How many messages there are on the queue now, as far as the service knows: it counts approximately.

        MNS API 2015-06-06, GetQueueAttributes. Raises Refused, Unreachable, Cancelled.
        """
        request = GetQueueAttributesRequest(self._name)
        reply = self._call(self._client.get_queue_attributes, request, GetQueueAttributesResponse())
        if reply.status == 200 and (depth := depth_of(reply.body)) is not None:
            return depth
        raise self._refusal(reply, request)

    def interrupt(self) -> None:
        """From any thread: receive no more. Every later `receive` raises Cancelled, and so does a blocked one, at once,
        unless its answer has begun to come: that one is read to its end. Every other call is still possible.
        """
        self._wire.interrupt()

    def kill(self) -> None:
        """From any thread: end a blocked call at once. That call and every later one raise Cancelled."""
        self._wire.connection.kill()

    def close(self) -> None:
        """Close the connection; a later call opens a new one."""
        self._wire.connection.close()

    def _call(self, operation: Callable[[Any, Any], None], request: Any, response: Any, wait: int = 0) -> _Reply:
        self._wire.silence = wait + PATIENCE_SECONDS
        self._wire.receives = isinstance(request, BatchReceiveMessageRequest)
        operation(request, response)
        reply = response.error_data
        assert isinstance(reply, _Reply)
        return reply

    def _refusal(self, reply: _Reply, request: object) -> Refused | Unreachable:
        """The trouble that a reply which is no success tells of."""
        fields = fields_of(reply.body, "Error")
        code = code_of(fields.get("Code"))
        request_id = request_id_of(fields.get("RequestId"), reply.header.get("x-mns-request-id"))
        if code is None or reply.status < 400:
            return self._route.unusable(reply.status, retry_after_of(reply.header), request_id)
        return refused(
            "MNS",
            code,
            fields.get("Message", ""),
            request_id,
            status=reply.status,
            retry_after=retry_after_of(reply.header),
            resource=_("the queue “{name}”").format(name=self._name),
            action=_ACTIONS[type(request)],
            secrets=(self._credentials.access_key_secret, self._credentials.security_token, reply.signature),
            barring=_BARRING_CODES,
        )


@dataclass(frozen=True, slots=True)
class _Reply:
    """The SDK copies `status` and `header`; the rest is between `_Wire` and `Queue`."""

    status: int
    header: http.client.HTTPMessage = field(repr=False)
    body: bytes = field(repr=False)
    signature: str = field(repr=False)
    """Of the request."""


class _Stage(Enum):
    """How far a receive has come, which decides what an interruption may end."""

    NONE = auto()
    """There is none, or its answer has begun to come."""
    CONNECTING = auto()
    """Nothing was sent yet."""
    WAITING = auto()
    """The service may answer at any moment."""


class _Wire:
    """Stands where the SDK has its MNSHttp."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.connection = Connection(route, route.address.tls_context())
        self.silence = 0.0
        """Seconds without a byte after which the call in hand is given up."""
        self.receives = False
        """Whether the call in hand is one that an interruption ends."""
        self._stage = _Stage.NONE
        self._interrupted = False
        self._turn = threading.Lock()  # held for a change of the two, never while anything is waited for

    def is_keep_alive(self) -> bool:
        return True

    def interrupt(self) -> None:
        with self._turn:
            self._interrupted = True
            # What has come and is not looked at yet is for the receiving thread to judge.
            come = self._stage is _Stage.WAITING and self.connection.readable(0)
            if self._stage is not _Stage.NONE and not come:
                self.connection.abort()

    def send_request(self, request: Any) -> _Reply:
        """Send `request`, once: a receive that is sent again hides the messages that the first one took.

        A connection that the service closed while it was idle is noticed before anything is sent.
        """
        connection = self.connection
        receiving = self.receives
        if connection.stale:
            connection.close()  # not after _enter: it would undo an interruption
        self._enter(_Stage.CONNECTING if receiving else _Stage.NONE)
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(self.silence)
            if receiving:
                self._enter(_Stage.WAITING)
            connection.request(request.method, request.uri, request.data, request.header)
            if receiving:
                self._await_answer()
            with connection.getresponse() as response:
                return _Reply(
                    response.status,
                    response.headers,
                    response.read(),
                    request.header["Authorization"].rpartition(":")[
                        2
                    ],  # in no local variable: a crash report has those
                )
        except (Unreachable, OSError, http.client.HTTPException, ValueError) as error:
            self._give_up()
            fault: Exception = error
        except BaseException:
            self._give_up()
            raise
        if connection.killed or (receiving and self._interrupted):
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
    """The SDK up to the reply, and nothing of what it does with one."""

    def __init__(self, wire: _Wire, credentials: Credentials) -> None:
        # It makes a connection of its own, opens it at the first request only, and loses it here. Under https:// that
        # would load every certificate of the system for nothing.
        super().__init__(
            f"http://{wire.route.address.authority}",
            credentials.access_key_id,
            credentials.access_key_secret,
            security_token=credentials.security_token,
        )
        self.http = wire

    def check_status(self, request: Any, reply: _Reply, response: Any, decoder: Any = None) -> None:
        """Called with each reply; while `error_data` is anything but "", the SDK leaves the reply alone."""
        response.error_data = reply
