"""One queue, drained into the history: receive → parse → commit → delete.

While batches come back full the three stages overlap, each with a thread and a connection of its own: the next messages
are received while these are stored, in one transaction however many have come, and the last ones are deleted. Nothing
is deleted before its own commit. Importing this room loads the SDK.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

from imm_tui import notifications, quarantine
from imm_tui.arrivals import Arrival, Delivery
from imm_tui.cloud.mns import BATCH, Cancelled, Queue
from imm_tui.cloud.mns_reply import Received
from imm_tui.config import Settings
from imm_tui.credentials import Credentials, Keys
from imm_tui.errors import BadInput, Barred, Refused, Trouble
from imm_tui.history import History, Left, Quarantined
from imm_tui.i18n import N_, _
from imm_tui.tasks import now

_Result = TypeVar("_Result")

_AHEAD = 8
"""Batches that are received while others are stored: more in one transaction make it little cheaper."""

_DAMAGED_AGAIN = 3
"""Deliveries of a damaged message, after which it is hidden like any other that cannot be read."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """What was received ahead."""

    messages: list[Received]
    is_last: bool


@dataclass(frozen=True, slots=True)
class _Gone:
    """How it went to delete what could be read, and to hide what could not."""

    deleted_at: int | None
    hidden: list[_Hidden]
    trouble: Trouble | Cancelled | None = None
    """What has stopped it half-way."""


@dataclass(frozen=True, slots=True)
class _Hidden:
    """One message that is not to come back at once, or why a person has to see to that."""

    message: int
    receipt_handle: str = ""
    until: int = 0
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class _Leaving:
    """What is stored, and on its way from the queue."""

    deliveries: list[Delivery]
    message_ids: tuple[str, ...]
    """Of what could be read."""
    stored_at: int
    gone: Future[_Gone]


class Drain:
    """The queue of `settings`, between the service and `history`. Not for sharing between threads, but for `interrupt`
    and `kill`.

    `on_batch` is called by `cycle` and `peek` with what a batch brought, when it is stored and deleted; `give_way` from
    any of the threads before it does something that keeps all others waiting, and may wait itself.
    """

    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        history: History,
        on_batch: Callable[[list[Delivery]], None],
        give_way: Callable[[], object] = lambda: None,
    ) -> None:
        """Opens nothing yet. Raises BadInput and NoCredentials as a Queue does."""
        self._history = history
        self._on_batch = on_batch
        self._give_way = give_way
        self._receiving, self._deleting = (
            Queue(settings.mns_endpoint, settings.queue, keys, read_only=settings.read_only) for _each in range(2)
        )
        self._receiver, self._deleter = _Aside("receiving ahead"), _Aside("deleting")
        self._ahead: SimpleQueue[_Batch | BaseException] = SimpleQueue()
        self._room = threading.Semaphore(_AHEAD)
        self.is_ahead = False
        """Whether there may be messages that were received and are not stored yet."""
        self._leaving: deque[_Leaving] = deque()
        self._left: list[Left] = []
        self.more = False
        """Whether the last batch was full, so that there may be more on the queue."""
        self.unhidden: Trouble | None = None
        """What a person has to mend, where messages that could not be read may never be hidden."""

    @property
    def refused_key(self) -> Credentials | None:
        """What the last call was signed with, where it was refused and another key may do."""
        return self._receiving.refused_key or self._deleting.refused_key

    def cycle(self, wait: int, go_on: Callable[[], bool]) -> int:
        """Receives, stores and deletes what is on the queue; waits up to `wait` (0 to 30) seconds for it.

        After a full batch the next cycle's messages are received meanwhile, if `go_on` says so, and the delete of this
        batch may end with that cycle. How many messages came. Raises Trouble and Cancelled: what was stored by then has
        been told, and what was received ahead is for the next cycle.
        """
        batch = self._take_ahead() if self.is_ahead else self._receive(wait)
        if self.more and not self.is_ahead and go_on():
            self.is_ahead = True
            self._receiver.call(partial(self._receive_ahead, go_on))
        if batch:
            self._store(batch)
        self._settle(1 if self.is_ahead else 0)
        if self._left and not self.is_ahead:  # else it is noted along with what comes next
            self._history.record_left(self._left)
            self._left = []
        return len(batch)

    def peek(self) -> int:
        """Stores what is on the queue, as far as it shows, and leaves it there; how many messages are new."""
        deliveries = self._history.store_peeked([_arrival(message) for message in self._receiving.peek(BATCH)], now())
        if deliveries:
            self._on_batch(deliveries)
        return len({delivery.message_id for delivery in deliveries})

    def interrupt(self) -> None:
        """From any thread: receives no more. An answer that has begun to come is still taken."""
        self._receiving.interrupt()

    def kill(self) -> None:
        """From any thread: ends all calls at once."""
        self._receiving.kill()
        self._deleting.kill()

    def close(self) -> None:
        """What was received ahead and not stored comes again."""
        with suppress(Trouble, Cancelled):
            self._settle()
            self._history.record_left(self._left)
        if self.is_ahead:
            self._receiving.kill()
            self._room.release()
        self._receiver.close(self._receiving.close)
        self._deleter.close(self._deleting.close)

    def _receive(self, wait: int) -> list[Received]:
        batch = self._receiving.receive(BATCH, wait)
        self.more = len(batch) == BATCH
        return batch

    def _receive_ahead(self, go_on: Callable[[], bool]) -> None:
        """Batch after batch while they are full, not more of them than there is room for."""
        over = False
        while not over:
            self._room.acquire()
            self._give_way()
            try:
                messages = self._receiving.receive(BATCH, 0)
            except BaseException as error:  # raised where it is waited for
                self._ahead.put(error)
                return
            over = len(messages) < BATCH or not go_on()
            self._ahead.put(_Batch(messages, over))

    def _take_ahead(self) -> list[Received]:
        """All that has come ahead, at least one batch."""
        if self._ahead.empty():
            self._settle()  # there is nothing better to do
        taken: list[Received] = []
        while self.is_ahead and (not taken or not self._ahead.empty()):
            batch = self._ahead.get()
            if isinstance(batch, BaseException):
                if taken:
                    self._ahead.put(batch)  # for the next time
                    break
                self.is_ahead = False
                raise batch
            self._room.release()
            taken += batch.messages
            self.more = len(batch.messages) == BATCH
            self.is_ahead = not batch.is_last
        return taken

    def _store(self, batch: Sequence[Received]) -> None:
        """What could not be read stays on the queue, hidden for a while."""
        arrivals: list[Arrival] = []
        for message in batch:
            if len(arrivals) % BATCH == 0:
                self._give_way()
            arrivals.append(_arrival(message))
        self._give_way()
        deliveries = self._history.store(arrivals, now(), self._left)
        self._left = []
        stored_at = now()
        try:
            kept = _kept(self._history, batch, arrivals)
        except BaseException:
            self._on_batch(deliveries)
            raise
        handles = (message.receipt_handle for message in batch)
        gone = [handle for handle in handles if handle not in kept or kept[handle].delete_wanted]
        soon_whole = _soon_whole(batch)
        hide = {
            handle: message
            for handle, message in kept.items()
            if not message.delete_wanted and handle not in soon_whole
        }
        read = tuple(message.message_id for message in batch if message.receipt_handle not in kept)
        leaving = self._deleter.call(partial(self._leave, gone, hide))
        self._leaving.append(_Leaving(deliveries, read, stored_at, leaving))

    def _leave(self, gone: Sequence[str], hide: Mapping[str, Quarantined]) -> _Gone:
        """Deletes and hides messages by their receipt handles."""
        deleted_at = None
        hidden: list[_Hidden] = []
        try:
            self._give_way()
            self._deleting.delete(gone)
            deleted_at = now()
            for handle, message in hide.items():
                hidden.append(_hide(self._deleting, message, handle))
        except (Trouble, Cancelled) as trouble:
            return _Gone(deleted_at, hidden, trouble)
        return _Gone(deleted_at, hidden)

    def _settle(self, but: int = 0) -> None:
        """Waits until what is leaving the queue has left it, all but the last `but`; after a trouble, for all."""
        trouble = None
        while len(self._leaving) > (but if trouble is None else 0):
            leaving = self._leaving.popleft()
            gone = leaving.gone.result()
            trouble = trouble or gone.trouble
            if gone.deleted_at is not None:
                self._left.append(Left(leaving.message_ids, leaving.stored_at, gone.deleted_at))
            try:
                self._note_hidden(gone.hidden)
            finally:
                # Stored is stored: a delete that failed brings the message back, as a duplicate.
                self._on_batch(leaving.deliveries)
        if trouble is not None:
            raise trouble

    def _note_hidden(self, hidden: Sequence[_Hidden]) -> None:
        for it in hidden:
            if it.receipt_handle:
                self._history.record_hidden(it.message, it.receipt_handle, it.until)
        if hidden:
            self.unhidden = next((it.trouble for it in hidden if it.trouble is not None), None)


class _Aside:
    """A thread that carries out one call after the other. A daemon: no exit waits for a call."""

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def call(self, function: Callable[[], _Result]) -> Future[_Result]:
        future: Future[_Result] = Future()

        def carry_out() -> None:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        self._calls.put(carry_out)
        return future

    def close(self, last: Callable[[], object]) -> None:
        """Carries out this one as well, and no more."""
        self._calls.put(last)
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _kept(history: History, batch: Sequence[Received], arrivals: Sequence[Arrival]) -> dict[str, Quarantined]:
    """What of a batch is for a person to decide about, by receipt handle; a damaged reply may have cost one its handle.

    Not a message that could not be read now, but once could be: that is done with. One that was thought gone from the
    queue is decided about like any other.
    """
    return {
        message.receipt_handle: quarantined
        for message, it in zip(batch, arrivals, strict=True)
        if not it.events and message.receipt_handle and (quarantined := history.quarantine_of(it))
    }


def _hide(queue: Queue, message: Quarantined, receipt_handle: str) -> _Hidden:
    """From its owner as well as from us: it is to come back, but not at once, and ever more seldom. Where this is never
    allowed a person has to mend it; any other refusal only lets it come back sooner."""
    seconds = message.hide_for()
    until = now() + seconds * 1000
    try:
        return _Hidden(message.id, queue.change_visibility(receipt_handle, seconds), until)
    except Barred as refusal:
        what = _("A message that could not be read comes back again and again: it cannot be hidden for longer.")
        why = f"{refusal.what} {refusal.why}"
        trouble = Trouble(what, why, refusal.fix, code=refusal.code, request_id=refusal.request_id)
        return _Hidden(message.id, trouble=trouble)
    except (Refused, BadInput):  # BadInput: no handle of MNS's, from a damaged reply
        return _Hidden(message.id)


def _soon_whole(batch: Sequence[Received]) -> set[str]:
    """The receipt handles of messages that arrived damaged, and may be whole when they come again. Text that its
    publisher damaged never is: after some deliveries that is known."""
    return {message.receipt_handle for message in batch if message.repaired and message.dequeue_count < _DAMAGED_AGAIN}


def _arrival(message: Received) -> Arrival:
    found = notifications.parse(message.body)
    reason = found.reason
    if message.repaired:
        damaged = N_("The message was not well-formed XML, so its text is a guess.")
        reason = quarantine.CHANGED if message.fits is False else damaged
    return Arrival(
        message_id=message.message_id,
        body=message.body,
        events=() if message.repaired else found.events,
        reason=reason,
        dequeue_count=message.dequeue_count,
        enqueued_at=message.enqueued_at,
    )
