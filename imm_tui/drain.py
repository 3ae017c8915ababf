"""One queue, drained into the history: receive → parse → commit → delete.

While batches come back full the next ones are received meanwhile, several at once, and stored in one transaction;
nothing is deleted before its own commit. All of it in one thread, which sends requests and does something else until
the replies have come: threads of Python's that hand over to one another take longer. Importing this room loads the SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain

from imm_tui import notifications, quarantine
from imm_tui.arrivals import Arrival, Delivery
from imm_tui.cloud.mns import AT_ONCE, BATCH, Cancelled, Queue
from imm_tui.cloud.mns_reply import Received
from imm_tui.config import Settings
from imm_tui.credentials import Credentials, Keys
from imm_tui.errors import BadInput, Barred, Refused, Trouble
from imm_tui.history import History, Left, Quarantined
from imm_tui.i18n import N_, _
from imm_tui.tasks import now

_DAMAGED_AGAIN = 3
"""Deliveries of a damaged message, after which it is hidden like any other that cannot be read."""


@dataclass(frozen=True, slots=True)
class _Leaving:
    """What is stored, and on its way from the queue."""

    deliveries: list[Delivery]
    batch: list[Received]
    stored_at: int
    kept: dict[str, Quarantined]
    """What stays there, by receipt handle."""
    deleted: Callable[[], list[str]]
    """Waits for the end of it."""


class Drain:
    """The queue of `settings`, between the service and `history`. Not for sharing between threads, but for `interrupt`
    and `kill`.

    `on_batch` is called by `cycle` and `peek` with what a batch brought, when it is stored and deleted; `give_way`
    before anything that keeps other threads of Python's waiting, and may wait itself.
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
        self._queue = Queue(settings.mns_endpoint, settings.queue, keys, read_only=settings.read_only)
        self._ahead: list[Callable[[], list[Received]]] = []
        """Receives that are under way."""
        self._leaving: _Leaving | None = None
        self._left: list[Left] = []
        self.more = False
        """Whether the last batches were full, so that there may be more on the queue."""
        self.unhidden: Trouble | None = None
        """What a person has to mend, where messages that could not be read may never be hidden."""

    @property
    def refused_key(self) -> Credentials | None:
        """What the last call was signed with, where it was refused and another key may do."""
        return self._queue.refused_key

    @property
    def is_ahead(self) -> bool:
        """Whether there may be messages that were received and are not stored yet."""
        return bool(self._ahead)

    def cycle(self, wait: int, go_on: Callable[[], bool]) -> int:
        """Receives, stores and deletes what is on the queue; waits up to `wait` (0 to 30) seconds for it.

        After full batches the next cycle's messages are received meanwhile, if `go_on` says so: twice as many batches
        as these, up to AT_ONCE. How many messages came. Raises Trouble and Cancelled: what was stored by then has been
        told, and what was received ahead is for the next cycle.
        """
        batches = self._receive(wait)
        self.more = all(len(batch) == BATCH for batch in batches)
        if self.more and not self._ahead and go_on():
            self._receive_ahead(min(2 * len(batches), AT_ONCE))
        messages = list(chain.from_iterable(batches))
        if messages:
            self._store(messages)
        if not self._ahead:  # else it goes on while the next replies are read, and is noted along with what they bring
            self._finish()
        return len(messages)

    def peek(self) -> int:
        """Stores what is on the queue, as far as it shows, and leaves it there; how many messages are new."""
        deliveries = self._history.store_peeked([_arrival(message) for message in self._queue.peek(BATCH)], now())
        if deliveries:
            self._on_batch(deliveries)
        return len({delivery.message_id for delivery in deliveries})

    def interrupt(self) -> None:
        """From any thread: receives no more. An answer that has begun to come is still taken."""
        self._queue.interrupt()

    def kill(self) -> None:
        """From any thread: ends all calls at once."""
        self._queue.kill()

    def close(self) -> None:
        """What was received ahead and not stored comes again."""
        try:
            with suppress(Trouble, Cancelled):
                self._finish()
        finally:
            self._queue.close()

    def _receive(self, wait: int) -> list[list[Received]]:
        """At least one batch. The last ones have left the queue by then."""
        try:
            batches = self._take_ahead() if self._ahead else [self._queue.receive(BATCH, wait)]
        except BaseException:
            self._settle()
            raise
        try:
            self._settle()
        except (Trouble, Cancelled) as fault:  # for the next cycle: there is something in hand
            self._ahead.insert(0, partial(_fail, fault))
        return batches

    def _receive_ahead(self, count: int) -> None:
        """A fault is for the next cycle: there is something in hand."""
        try:
            for _each in range(count):
                self._ahead.append(self._queue.start_receive())
        except (Trouble, Cancelled) as fault:
            self._ahead.append(partial(_fail, fault))

    def _take_ahead(self) -> list[list[Received]]:
        """At least one batch. A fault is for the next cycle, if any batch has come before it."""
        batches: list[list[Received]] = []
        while self._ahead:
            self._give_way()
            take = self._ahead.pop(0)
            try:
                batches.append(take())
            except (Trouble, Cancelled) as fault:
                if not batches:
                    raise
                self._ahead.insert(0, partial(_fail, fault))
                break
        return batches

    def _store(self, batch: list[Received]) -> None:
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
            self._give_way()
            handles = (message.receipt_handle for message in batch)
            gone = [handle for handle in handles if handle not in kept or kept[handle].delete_wanted]
            deleted = self._queue.start_delete(gone)
        except BaseException:
            self._on_batch(deliveries)
            raise
        self._leaving = _Leaving(deliveries, batch, stored_at, kept, deleted)

    def _settle(self) -> None:
        """Waits until what is leaving the queue has left it, and tells what it brought."""
        leaving, self._leaving = self._leaving, None
        if leaving is None:
            return
        try:
            leaving.deleted()
            read = tuple(message.message_id for message in leaving.batch if message.receipt_handle not in leaving.kept)
            self._left.append(Left(read, leaving.stored_at, now()))
            self._hide(leaving)
        finally:
            # Stored is stored: a delete that failed brings the message back, as a duplicate.
            self._on_batch(leaving.deliveries)

    def _finish(self) -> None:
        self._settle()
        if self._left:
            self._history.record_left(self._left)
            self._left = []

    def _hide(self, leaving: _Leaving) -> None:
        soon_whole = _soon_whole(leaving.batch)
        hide = {
            handle: message
            for handle, message in leaving.kept.items()
            if not message.delete_wanted and handle not in soon_whole
        }
        troubles = [_hide(self._queue, self._history, message, handle) for handle, message in hide.items()]
        if troubles:
            self.unhidden = next(filter(None, troubles), None)


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


def _hide(queue: Queue, history: History, message: Quarantined, receipt_handle: str) -> Trouble | None:
    """From its owner as well as from us: it is to come back, but not at once, and ever more seldom. Where this is never
    allowed a person has to mend it: that is returned. Any other refusal only lets it come back sooner."""
    seconds = message.hide_for()
    until = now() + seconds * 1000
    try:
        history.record_hidden(message.id, queue.change_visibility(receipt_handle, seconds), until)
    except Barred as refusal:
        what = _("A message that could not be read comes back again and again: it cannot be hidden for longer.")
        why = f"{refusal.what} {refusal.why}"
        return Trouble(what, why, refusal.fix, code=refusal.code, request_id=refusal.request_id)
    except (Refused, BadInput):  # BadInput: no handle of MNS's, from a damaged reply
        pass
    return None


def _fail(fault: Trouble | Cancelled) -> list[Received]:
    raise fault


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
