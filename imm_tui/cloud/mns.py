"""One MNS queue: its messages received, kept back and deleted.

The SDK drops a whole batch for one message that it cannot read, so the replies are read here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
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
from imm_tui.errors import BadInput, NoCredentials, Refused, Unreachable
from imm_tui.i18n import _

__all__ = ["BATCH", "Cancelled", "Queue"]

BATCH = 16
"""Messages that one call can receive or delete (MNS API 2015-06-06, BatchReceiveMessage, BatchDeleteMessage)."""

_BARRING_CODES = frozenset({"QueueNotExist", "InvalidQueueName", "QueueNameLengthError"})

_HANDLE = re.compile(r"[!-~]+")


class Queue:
    """One queue over one connection of its own. Not for sharing between threads, but for `interrupt` and `kill`."""

    def __init__(self, endpoint: str, name: str, credentials: Keys, *, read_only: bool = False) -> None:
        """Opens nothing yet. Of a `read_only` queue one can only `peek` and ask the `depth`: all else raises ReadOnly.

        Raises BadInput for an `endpoint`, a `name` or a proxy that cannot be, NoCredentials for keys.
        """
        self._name = checked_name(name, "queue")
        self._mns = Mns(endpoint, credentials, read_only=read_only)
        self._digests = False

    def receive(self, count: int = BATCH, wait: int = 30) -> list[Received]:
        """Up to `count` (1 to 16) messages; [] when the queue stayed empty for `wait` (0 to 30) seconds.

        The service may answer that it is empty before `wait` is over. Raises Refused, Unreachable, Cancelled.
        A body that does not fit its MessageBodyMD5 counts as damaged, once another has shown that the service fills
        that in as we understand it.
        """
        request = BatchReceiveMessageRequest(self._name, count, base64decode=False, wait_seconds=wait)
        reply = self._mns.call(request, wait)
        if reply.status == 200 and (messages := messages_of(reply.body)) is not None:
            return self._judged(messages)
        if (refusal := self._refusal(reply, request)).code == "MessageNotExist":
            return []
        raise refusal

    def peek(self, count: int = BATCH) -> list[Received]:
        """Up to `count` (1 to 16) of the messages that `receive` would take, without a receipt handle; nothing changes.

        Nothing says how to see more than the first 16, nor those that are hidden for now. MNS API 2015-06-06,
        BatchPeekMessage. Raises Refused, Unreachable, Cancelled.
        """
        return self._judged(self._mns.peek(self._name, count, self._resource, _BARRING_CODES))

    def _judged(self, messages: list[Received]) -> list[Received]:
        self._digests = self._digests or any(message.fits for message in messages)
        if self._digests:
            return [replace(it, repaired=True) if it.fits is False else it for it in messages]
        return messages

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
            except (Refused, Unreachable, NoCredentials):
                if not deleted:
                    raise
                break
        return deleted

    def _delete(self, batch: list[str]) -> list[str]:
        request = BatchDeleteMessageRequest(self._name, batch)
        reply = self._mns.call(request)
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
        reply = self._mns.call(request)
        if reply.status == 200 and (fields := fields_of(reply.body, "ChangeVisibility")).get("ReceiptHandle"):
            return fields["ReceiptHandle"]
        raise self._refusal(reply, request)

    def depth(self) -> Depth:
        """How many messages there are on the queue now, as far as the service knows: it counts approximately.

        MNS API 2015-06-06, GetQueueAttributes. Raises Refused, Unreachable, Cancelled.
        """
        request = GetQueueAttributesRequest(self._name)
        reply = self._mns.call(request)
        if reply.status == 200 and (depth := depth_of(reply.body)) is not None:
            return depth
        raise self._refusal(reply, request)

    @property
    def refused_key(self) -> Credentials | None:
        """What the last call was signed with, where it was refused and another key may do."""
        return self._mns.refused_key

    def interrupt(self) -> None:
        """From any thread: receive no more. Every later `receive` raises Cancelled, and so does one that waits, at
        once, unless its answer has begun to come: that one is read to its end, and so is one that does not wait. Every
        other call is still possible.
        """
        self._mns.wire.interrupt()

    def kill(self) -> None:
        """From any thread: end a blocked call at once. That call and every later one raise Cancelled."""
        self._mns.wire.connection.kill()

    def close(self) -> None:
        """Close the connection; a later call opens a new one."""
        self._mns.wire.connection.close()

    @property
    def _resource(self) -> str:
        return _("the queue “{name}”").format(name=self._name)

    def _refusal(self, reply: Reply, request: object) -> Refused | Unreachable:
        return self._mns.refusal(reply, request, self._resource, _BARRING_CODES)
