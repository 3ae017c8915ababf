"""Messages on their way into the history: what they change there, and what is reported of them.

All that a batch meets in the file is read first, what it changes is gathered, and all of that is written at the end. A
queue is drained at the pace of this room, and to read and write message by message takes it twice as long.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, count
from typing import Any, NamedTuple

from imm_tui.tasks import Event, Status, task_key

PEEKED = 0
"""The dequeue_count of a message that was only looked at so far, whoever else may have received it."""

EVENT_COLUMNS = "e.task_id, e.name, e.status, e.percent, e.page_count, e.code, e.detail, e.time, e.asked"

_Key = tuple[object, bytes]
"""What tells stored messages apart: the message id, as SQLite takes it, and the digest of the body."""

_AT_ONCE = 500
"""Values in one query: SQLite has a limit."""


# Both are tuples because these are made of every message and every event: a frozen dataclass takes twice as long.


class Arrival(NamedTuple):
    """A message as it came from the queue, with what it was found to hold: events, or the reason why there is none."""

    message_id: str
    body: bytes
    events: tuple[Event, ...] = ()
    reason: str = ""
    dequeue_count: int = 1
    enqueued_at: int | None = None


class Delivery(NamedTuple):
    """One event as it was delivered, or one message that was quarantined (then `event` is None)."""

    id: int
    message_id: str
    received_at: int
    event: Event | None = None
    duplicate: bool = False
    reason: str = ""


def take(db: sqlite3.Connection, arrivals: Sequence[Arrival], at: int, revision: int) -> list[Delivery]:
    """Writes what these arrivals change, within a transaction whose changes bear this `revision`.

    Returns what is to be reported: each event, and each message without one that was not known before; but no answer of
    IMM's (`asked`). `at` is when they came.
    """
    keys = [(as_sql(arrival.message_id), digest_of(arrival.body)) for arrival in arrivals]
    intake = _Intake(db, arrivals, keys, at, revision)
    reports = [report for arrival, key in zip(arrivals, keys, strict=True) for report in intake.take(arrival, key)]
    intake.write()
    return reports


_VERDICT = ("status", "percent", "page_count", "code", "message", "finished_at", "asked")

# Statements for any number of rows, whose values take the place of {}. Where one statement writes many rows, no other
# thread need be waited for between them.
_NEW_MESSAGE = (
    "INSERT INTO messages (id, message_id, digest, body, reason, enqueued_at, received_at, dequeue_count) VALUES {}"
)
_NEW_TASK = f"INSERT INTO tasks (id, revision, task_id, task_key, seen_at, events, {', '.join(_VERDICT)}) VALUES {{}}"
_NEW_EVENT = (
    "INSERT INTO events (id, identity, task, message, received_at, task_id, name, status, percent, page_count, code,"
    " detail, time, asked) VALUES {}"
)
_DECISIVE = (
    "WITH new (id, decisive) AS (VALUES {}) UPDATE tasks SET decisive = new.decisive FROM new WHERE tasks.id = new.id"
)
_COUNTED = (
    "WITH new (id, revision, events) AS (VALUES {})"
    " UPDATE tasks SET revision = new.revision, events = tasks.events + new.events FROM new WHERE tasks.id = new.id"
)
_JUDGED = (
    f"WITH new (id, revision, events, decisive, {', '.join(_VERDICT)}) AS (VALUES {{}})"
    " UPDATE tasks SET revision = new.revision, events = tasks.events + new.events, decisive = new.decisive,"
    f" {', '.join(f'{column} = new.{column}' for column in _VERDICT)} FROM new WHERE tasks.id = new.id"
)
_NEW_DELIVERY = "INSERT INTO deliveries (id, message, event, duplicate, received_at) VALUES {}"

# Statements for one row, which are seldom needed.
# What an earlier imm-tui could not read is no longer quarantined when this one can. What was gone from the queue, and
# is not, is in quarantine again; but if a person wants it deleted, that is done from here on: whoever receives it
# deletes it next, and should that fail, it comes once more.
_KNOWN_MESSAGE = (
    "UPDATE messages SET dequeue_count = ?, reason = iif(?, NULL, reason), deleted_at = iif(delete_wanted, ?, NULL)"
    " WHERE id = ?"
)
# Of a message that came whole, a copy that arrived damaged is nobody's concern any more.
_COPIES = (
    "UPDATE messages SET deleted_at = ? WHERE message_id = ? AND id <> ? AND reason IS NOT NULL AND deleted_at IS NULL"
)

_STATEMENTS = (
    _NEW_MESSAGE,
    _KNOWN_MESSAGE,
    _COPIES,
    _NEW_TASK,
    _NEW_EVENT,
    _DECISIVE,
    _COUNTED,
    _JUDGED,
    _NEW_DELIVERY,
)
"""In an order in which each row finds those that it names."""

_TOGETHER = 128
"""Rows in one statement."""

_BY_TOKEN = "SELECT id FROM tasks WHERE token = ? AND task_id IS NULL"
_NAMED = "UPDATE tasks SET task_id = ?, task_key = ? WHERE id = ?"

_LAST_NUMBERS = (
    "SELECT (SELECT max(id) FROM messages), (SELECT max(id) FROM events),"
    " (SELECT seq FROM sqlite_sequence WHERE name = 'tasks'),"
    " (SELECT seq FROM sqlite_sequence WHERE name = 'deliveries')"
)


@dataclass(slots=True)
class _Task:
    """A task that some of the arrivals tell of."""

    id: int
    decisive: Event | None = None
    named: str | None = None
    """As IMM wrote its id, where the task is new."""
    changed: bool = False
    new_events: int = 0
    new_decisive: int | None = None
    """The number of `decisive`, where that is new."""


class _Intake:
    """Between its making and its `write` nobody else writes."""

    def __init__(
        self, db: sqlite3.Connection, arrivals: Sequence[Arrival], keys: Sequence[_Key], at: int, revision: int
    ) -> None:
        self._db, self._at, self._revision = db, at, revision
        used = db.execute(_LAST_NUMBERS).fetchone()
        self._new_message, self._new_event, self._new_task, self._new_delivery = (count((it or 0) + 1) for it in used)
        events = [event for arrival in arrivals for event in arrival.events]
        self._messages = self._known_messages(set(keys))
        self._message_ids = {message_id for message_id, _digest in self._messages}
        self._events = self._known_events([event.identity for event in events])
        self._tasks = self._known_tasks({task_key(event.task_id) for event in events})
        self._rows: dict[str, list[tuple[object, ...]]] = {statement: [] for statement in _STATEMENTS}

    def _known_messages(self, keys: Collection[_Key]) -> dict[_Key, int]:
        """Their numbers, and those of all others with one of these message ids."""
        query = "SELECT message_id, digest, id, dequeue_count FROM messages WHERE message_id IN ({})"
        known = {}
        for message_id, digest, message, dequeue_count in self._find(query, {message_id for message_id, _ in keys}):
            known[message_id, digest] = message
            if dequeue_count == PEEKED and (message_id, digest) in keys:  # this is its first delivery
                self._db.execute("DELETE FROM deliveries WHERE message = ? AND event IS NOT NULL", (message,))
        return known

    def _known_events(self, identities: Collection[str]) -> dict[str, tuple[int, bool]]:
        """Their numbers, and whether they were delivered; IMM's answers were not."""
        query = (
            "SELECT identity, id, EXISTS (SELECT 1 FROM deliveries WHERE event = events.id) FROM events"
            " WHERE identity IN ({})"
        )
        return {identity: (event, bool(delivered)) for identity, event, delivered in self._find(query, identities)}

    def _known_tasks(self, keys: Collection[str]) -> dict[str, _Task]:
        query = (
            f"SELECT t.task_key, t.id, {EVENT_COLUMNS} FROM tasks t LEFT JOIN events e ON e.id = t.decisive"
            " WHERE t.task_key IN ({})"
        )
        found = self._find(query, [as_sql(key) for key in keys])
        return {
            as_text(key) or "": _Task(task, event_of(columns) if columns[0] is not None else None)
            for key, task, *columns in found
        }

    def _find(self, query: str, values: Collection[object]) -> Iterator[Sequence[Any]]:
        left = list(values)
        while left:
            some, left = left[:_AT_ONCE], left[_AT_ONCE:]
            yield from self._db.execute(query.format(", ".join("?" * len(some))), some).fetchall()

    def take(self, arrival: Arrival, key: _Key) -> Iterator[Delivery]:
        message_id, _digest = key
        message = self._messages.get(key)
        first = message is None
        if message is None:
            message = self._messages[key] = next(self._new_message)
            reason = None if arrival.events else arrival.reason
            row = (message, *key, arrival.body, reason, arrival.enqueued_at, self._at, arrival.dequeue_count)
            self._rows[_NEW_MESSAGE].append(row)
        else:
            self._rows[_KNOWN_MESSAGE].append((arrival.dequeue_count, bool(arrival.events), self._at, message))
        if arrival.events and message_id and message_id in self._message_ids:
            self._rows[_COPIES].append((self._at, message_id, message))
        self._message_ids.add(message_id)
        if first and not arrival.events:
            yield self._report(arrival, message)
        for event in arrival.events:
            number, delivered = self._events.get(event.identity) or (self._add(event, message), False)
            self._events[event.identity] = number, delivered or not event.asked
            if not event.asked:
                yield self._report(arrival, message, event, number, delivered)

    def _add(self, event: Event, message: int) -> int:
        number = next(self._new_event)
        task = self._task_of(event)
        task.changed = True
        task.new_events += not event.asked
        if task.decisive is None or event.rank > task.decisive.rank:
            task.decisive, task.new_decisive = event, number
        row = (number, event.identity, task.id, message, self._at, event.task_id, event.name, event.status)
        said = (event.percent, event.page_count, event.code, event.message, event.time, event.asked)
        self._rows[_NEW_EVENT].append((*row, *said))
        return number

    def _task_of(self, event: Event) -> _Task:
        """The task that an event is of, a new one if there is none."""
        key = task_key(event.task_id)
        task = self._tasks.get(key)
        if task is None:
            ours = self._db.execute(_BY_TOKEN, (as_sql(event.user_data),)).fetchone() if event.user_data else None
            if ours is not None:
                # IMM has not answered its submission, or the answer was lost, or wrong.
                task = _Task(ours[0])
                self._db.execute(_NAMED, (as_sql(event.task_id), as_sql(key), task.id))
            else:
                task = _Task(next(self._new_task), named=event.task_id)
            self._tasks[key] = task
        return task

    def _report(
        self, arrival: Arrival, message: int, event: Event | None = None, number: int | None = None, again: bool = False
    ) -> Delivery:
        delivery = next(self._new_delivery)
        self._rows[_NEW_DELIVERY].append((delivery, message, number, again, self._at))
        return Delivery(
            id=delivery,
            message_id=arrival.message_id,
            received_at=self._at,
            event=event,
            duplicate=again,
            reason="" if event is not None else arrival.reason,
        )

    def write(self) -> None:
        for key, task in self._tasks.items():
            if task.changed:
                self._write_task(key, task)
        for statement, rows in self._rows.items():
            if "{}" in statement:
                self._write_together(statement, rows)
            elif rows:
                self._db.executemany(statement, rows)

    def _write_together(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        while rows:
            some = min(1 << len(rows).bit_length() - 1, _TOGETHER)  # so that few statements are to be prepared
            values = list(chain(*rows[:some]))
            prepared = _for_rows(statement, len(rows[0]), some)
            try:
                self._db.execute(prepared, values)
            except UnicodeEncodeError:
                self._db.execute(prepared, [as_sql(value) for value in values])
            rows = rows[some:]

    def _write_task(self, key: str, task: _Task) -> None:
        if task.decisive is None or task.new_decisive is None:
            self._rows[_COUNTED].append((task.id, self._revision, task.new_events))
            return
        verdict = task.decisive.verdict(self._at).values()
        if task.named is None:
            self._rows[_JUDGED].append((task.id, self._revision, task.new_events, task.new_decisive, *verdict))
        else:
            row = (task.id, self._revision, task.named, key, self._at, task.new_events)
            self._rows[_NEW_TASK].append((*row, *verdict))
            self._rows[_DECISIVE].append((task.id, task.new_decisive))


@cache
def _for_rows(statement: str, columns: int, rows: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return statement.format(", ".join([row] * rows))


def digest_of(body: bytes) -> bytes:
    """By which copies of one message are told apart."""
    return hashlib.blake2b(body, digest_size=16).digest()


def event_of(columns: Sequence[Any]) -> Event:
    """The event that EVENT_COLUMNS are of."""
    task_id, name, status, percent, page_count, code, detail, time, asked = columns
    return Event(
        task_id=as_text(task_id) or "",
        name=as_text(name) or "",
        status=Status(status),
        percent=percent,
        page_count=page_count,
        code=as_text(code),
        message=as_text(detail),
        time=as_text(time),
        asked=bool(asked),
    )


def as_sql(value: Any) -> Any:
    """A value as SQLite takes it. A text with lone surrogates is not UTF-8: it is kept as bytes, nothing is lost."""
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogatepass")
    return value


def as_text(value: Any) -> str | None:
    """A text as SQLite gave it back."""
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value
