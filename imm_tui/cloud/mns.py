"""One MNS queue: its messages received, kept back and deleted.

The SDK drops a whole batch for one message that it cannot read, so the replies are read here.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from urllib.parse import quote

from mns.mns_request import (
    BatchDeleteMessageRequest,
    BatchReceiveMessageRequest,
    ChangeMessageVisibilityRequest,
    GetQueueAttributesRequest,
)

from imm_tui.cloud.mns_reply import Depth, Received, depth_of, failed_deletes, fields_of, messages_of
from imm_tui.cloud.mns_wire import Cancelled, Mns, Reply, checked_name
from imm_tui.credentials import Credentials, Keys
from imm_tui.errors import BadInput, NoCredentials, Refused, Trouble, Unreachable
from imm_tui.i18n import _

__all__ = ["AT_ONCE", "BATCH", "MOST", "Cancelled", "Queue"]

BATCH = 16
"""Messages that one call can receive or delete (MNS API 2015-06-06, BatchReceiveMessage, BatchDeleteMessage)."""

AT_ONCE = 8
"""Calls of one kind that are worth having under way at once."""

MOST = AT_ONCE * BATCH
"""Messages that can be received or deleted at once."""

_BARRING_CODES = frozenset({"QueueNotExist", "InvalidQueueName", "QueueNameLengthError"})

_HANDLE = re.compile(r"[!-~]+")


class Queue:
    """One queue, over as many connections as there are calls under way. Not for sharing between threads, but for
    `interrupt` and `kill`."""

    def __init__(self, endpoint: str, name: str, credentials: Keys, *, read_only: bool = False) -> None:
        """Opens nothing yet. Of a `read_only` queue one can only `peek` and ask the `depth`: all else raises ReadOnly.

        Raises BadInput for an `endpoint`, a `name` or a proxy that cannot be, NoCredentials for keys.
        """
        self._name = checked_name(name, "queue")
        self._mns = Mns(endpoint, credentials, read_only=read_only)
        self._lines = [self._mns]
        self._interrupted = self._killed = False
        self._turn = threading.Lock()  # for these three
        self._digests = False

    def receive(self, count: int = BATCH, wait: int = 30) -> list[Received]:
        """Up to `count` (1 to 16) messages; [] when the queue stayed empty for `wait` (0 to 30) seconds.

        The service may answer that it is empty before `wait` is over. Raises Refused, Unreachable, Cancelled.
        A body that does not fit its MessageBodyMD5 counts as damaged, once another has shown that the service fills
        that in as we understand it.
        """
        return self.start_receive(count, wait)()

    def start_receive(self, count: int = BATCH, wait: int = 0) -> Callable[[], list[Received]]:
        """As `receive`, but only sends the request; the messages are taken by what this returns, which is called once.
        What else is called meanwhile has a connection of its own."""
        request = BatchReceiveMessageRequest(self._name, count, base64decode=False, wait_seconds=wait)
        take = self._free().start(request, wait)

        def messages() -> list[Received]:
            reply = take()
            if reply.status == 200 and (found := messages_of(reply.body)) is not None:
                return self._judged(found)
            if (refusal := self._refusal(reply, request)).code == "MessageNotExist":
                return []
            raise refusal

        return messages

    def peek(self, count: int = BATCH) -> list[Received]:
        """Up to `count` (1 to 16) of the messages that `receive` would take, without a receipt handle; nothing changes.

        Nothing says how to see more than the first 16, nor those that are hidden for now. MNS API 2015-06-06,
        BatchPeekMessage. Raises Refused, Unreachable, Cancelled.
        """
        return self._judged(self._free().peek(self._name, count, self._resource, _BARRING_CODES))

    def _judged(self, messages: list[Received]) -> list[Received]:
        self._digests = self._digests or any(message.fits for message in messages)
        if self._digests:
            return [it._replace(repaired=True) if it.fits is False else it for it in messages]
        return messages

    def delete(self, receipt_handles: Sequence[str]) -> list[str]:
        """Delete messages, any number of them, some batches at once; which handles' messages the service says are
        deleted.

        One that is missing in the answer may have become visible again, or be deleted already. Raises Refused,
        Unreachable or Cancelled if a call fails before any message was deleted; after that it returns what was.
        """
        deleted: list[str] = []
        for start in range(0, len(receipt_handles), MOST):
            try:
                deleted += self.start_delete(receipt_handles[start : start + MOST])()
            except (Refused, Unreachable, NoCredentials):
                if not deleted:
                    raise
                break
        return deleted

    def start_delete(self, receipt_handles: Sequence[str]) -> Callable[[], list[str]]:
        """As `delete`, of up to MOST messages, but only sends the requests; what this returns takes the replies, and is
        called once."""
        handles = [handle for handle in receipt_handles if _HANDLE.fullmatch(handle)]
        started: list[Callable[[], list[str]]] = []
        faults: list[Trouble] = []
        try:
            for start in range(0, len(handles), BATCH):
                started.append(self._start_delete(handles[start : start + BATCH]))
        except (Refused, Unreachable, NoCredentials) as fault:
            faults.append(fault)

        def deleted() -> list[str]:
            gone: list[str] = []
            for take in started:
                try:
                    gone += take()
                except (Refused, Unreachable, NoCredentials) as fault:
                    faults.append(fault)
            if faults and not gone:
                raise faults[0]
            return gone

        return deleted

    def _start_delete(self, batch: list[str]) -> Callable[[], list[str]]:
        request = BatchDeleteMessageRequest(self._name, batch)
        take = self._free().start(request)

        def deleted() -> list[str]:
            reply = take()
            if reply.status == 204:
                return batch
            if reply.status >= 400 and (kept := failed_deletes(reply.body)) is not None and kept <= set(batch):
                return [handle for handle in batch if handle not in kept]
            raise self._refusal(reply, request)

        return deleted

    def change_visibility(self, receipt_handle: str, seconds: int) -> str:
        """Hide a received message for `seconds` (1 to 43200) from now; its new receipt handle, the old one is void.

        Raises Refused, Unreachable, Cancelled, and BadInput for a handle that MNS cannot have given.
        """
        if not _HANDLE.fullmatch(receipt_handle):
            raise BadInput(_("This is not a receipt handle of MNS."), field="receipt_handle")
        # The SDK puts the handle into the URL as it is, and signs that URL.
        handle = quote(receipt_handle, safe="!$'()*+,/:;=@-._~")
        request = ChangeMessageVisibilityRequest(self._name, handle, seconds)
        reply = self._free().call(request)
        if reply.status == 200 and (fields := fields_of(reply.body, "ChangeVisibility")).get("ReceiptHandle"):
            return fields["ReceiptHandle"]
        raise self._refusal(reply, request)

    def depth(self) -> Depth:
        """How many messages there are on the queue now, as far as the service knows: it counts approximately.

        MNS API 2015-06-06, GetQueueAttributes. Raises Refused, Unreachable, Cancelled.
        """
        request = GetQueueAttributesRequest(self._name)
        reply = self._free().call(request)
        if reply.status == 200 and (depth := depth_of(reply.body)) is not None:
            return depth
        raise self._refusal(reply, request)

    @property
    def refused_key(self) -> Credentials | None:
        """What a call was signed with, where the last one on its connection was refused and another key may do."""
        return next((line.refused_key for line in self._lines if line.refused_key is not None), None)

    def interrupt(self) -> None:
        """From any thread: receive no more. Every later `receive` raises Cancelled, and so does one that waits, at
        once, unless its answer has begun to come: that one is read to its end, and so is one that does not wait. Every
        other call is still possible.
        """
        with self._turn:
            self._interrupted = True
            for line in self._lines:
                line.wire.interrupt()

    def kill(self) -> None:
        """From any thread: end all calls at once. They and every later one raise Cancelled."""
        with self._turn:
            self._killed = True
            for line in self._lines:
                line.wire.connection.kill()

    def close(self) -> None:
        """Close the connections, and give up the calls under way; a later call opens a new one."""
        for line in self._lines:
            line.close()

    def _free(self) -> Mns:
        """A connection that no call is under way on; one is kept for the next."""
        free = next((line for line in self._lines if not line.busy), None)
        if free is None:
            free = self._mns.beside()
            with self._turn:
                self._lines.append(free)
                if self._interrupted:
                    free.wire.interrupt()
                if self._killed:
                    free.wire.connection.kill()
        return free

    @property
    def _resource(self) -> str:
        return _("the queue “{name}”").format(name=self._name)

    def _refusal(self, reply: Reply, request: object) -> Refused | Unreachable:
        return self._mns.refusal(reply, request, self._resource, _BARRING_CODES)
