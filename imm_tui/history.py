"""The history: one SQLite file with every submission, every message as it was delivered, and what the tasks came to.

It is the only truth that the screen and the commands are drawn from, and this room is its only writer. A message may be
deleted from its queue once `store` has returned, and not before: the commit is on disk then (`synchronous=FULL`).

A `History` is one connection and belongs to the thread that opened it; any number of threads and processes may each
have their own on one file.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from imm_tui.arrivals import (
    EVENT_COLUMNS,
    PEEKED,
    Arrival,
    Delivery,
    as_sql,
    as_text,
    digest_of,
    event_of,
    take,
)
from imm_tui.errors import HistoryTorn, HistoryUnusable
from imm_tui.i18n import N_, _, sentences
from imm_tui.tasks import Conversion, Event, Status, Task, task_key

_LOG = 4_000
"""Pages, of 4 KB, of SQLite's log that are copied into the file at once. Identities are in no order: beside a long
history each event changes a page of its own, and the longer the log the more of them change more than once."""

_BUSY = 10.0
"""Seconds that a statement waits for another connection."""

_FIX = N_("Make room or mend its permissions.")
_FIXES = {
    sqlite3.SQLITE_FULL: N_("Make room on its disk."),
    sqlite3.SQLITE_IOERR: N_("Make room on its disk, or mend the disk."),
    sqlite3.SQLITE_BUSY: N_("End the process that keeps it locked."),
    sqlite3.SQLITE_CANTOPEN: N_("Mend the permissions of the file and its folder."),
    sqlite3.SQLITE_READONLY: N_("Mend the permissions of the file and its folder."),
    sqlite3.SQLITE_ERROR: N_("Report this."),
    sqlite3.SQLITE_MISUSE: N_("Report this."),
}
"""What a person can do about each family of SQLite's errors."""

_making = threading.Lock()

_VERSION_1 = """
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    revision INTEGER NOT NULL,      -- grows with every change of any task: what the screen asks for
    task_id TEXT,                   -- as IMM wrote it first, NULL until it has
    task_key TEXT UNIQUE,           -- what all spellings of the id share
    status TEXT NOT NULL,
    percent INTEGER,
    page_count INTEGER,
    code TEXT,
    message TEXT,
    source_uri TEXT,
    target_uri TEXT,
    target_type TEXT,
    pages TEXT,
    dpi INTEGER,
    project TEXT,
    api_version TEXT,
    token TEXT,                     -- IdempotentToken or UserData of the submission
    request_id TEXT,
    seen_at INTEGER NOT NULL,       -- times are epoch milliseconds
    submitted_at INTEGER,           -- NULL: not submitted by this history
    finished_at INTEGER,
    events INTEGER NOT NULL DEFAULT 0,
    decisive INTEGER REFERENCES events (id)     -- the highest-ranking event
);
CREATE INDEX tasks_by_revision ON tasks (revision);

CREATE TABLE removals (             -- an untracked task that turned out to be one of our submissions
    task INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL
);
CREATE INDEX removals_by_revision ON removals (revision);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    digest BLOB NOT NULL,
    body BLOB NOT NULL,             -- exactly as delivered
    reason TEXT,                    -- why it is quarantined, NULL when it was readable
    enqueued_at INTEGER,
    received_at INTEGER NOT NULL,
    dequeue_count INTEGER NOT NULL, -- as the queue last said it
    UNIQUE (message_id, digest)
);

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    task INTEGER NOT NULL REFERENCES tasks (id),
    message INTEGER NOT NULL REFERENCES messages (id),
    task_id TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    percent INTEGER,
    page_count INTEGER,
    code TEXT,
    detail TEXT,
    time TEXT,
    received_at INTEGER NOT NULL
);
CREATE INDEX events_by_task ON events (task);

CREATE TABLE deliveries (           -- what the listener reported, in order: an event each time it came, or a quarantine
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL REFERENCES messages (id),
    event INTEGER REFERENCES events (id),
    duplicate INTEGER NOT NULL,
    received_at INTEGER NOT NULL
);
"""

_VERSION_2 = """
ALTER TABLE tasks ADD COLUMN submitter INTEGER;                 -- the process that submits it
ALTER TABLE tasks ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;  -- what it is was learned by asking IMM
ALTER TABLE tasks ADD COLUMN asks INTEGER NOT NULL DEFAULT 0;   -- how often IMM has answered what it was asked
ALTER TABLE tasks ADD COLUMN asked_at INTEGER;                  -- when it was last asked
CREATE INDEX tasks_unfinished ON tasks (submitted_at) WHERE status IN ('Submitting', 'Running', 'Unknown');
CREATE INDEX tasks_by_token ON tasks (token) WHERE task_id IS NULL;
CREATE INDEX tasks_learned_by_asking ON tasks (asked_at) WHERE asked;

ALTER TABLE events ADD COLUMN asked INTEGER NOT NULL DEFAULT 0; -- an answer of IMM's, which is its message

ALTER TABLE messages ADD COLUMN receipt_handle TEXT;            -- of a quarantined message: the newest
ALTER TABLE messages ADD COLUMN hidden_until INTEGER;           -- and how long that is good for
ALTER TABLE messages ADD COLUMN delete_wanted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN released INTEGER;               -- the dequeue_count at which it was given back
ALTER TABLE messages ADD COLUMN deleted_at INTEGER;
CREATE INDEX deliveries_by_event ON deliveries (event);
CREATE INDEX messages_quarantined ON messages (id) WHERE reason IS NOT NULL AND deleted_at IS NULL;
"""

_VERSION_3 = """
ALTER TABLE tasks ADD COLUMN accepted_at INTEGER;               -- when IMM took it
ALTER TABLE tasks ADD COLUMN request TEXT;                      -- its submission as it is sent, as JSON (no password)
ALTER TABLE tasks ADD COLUMN batch INTEGER;                     -- the first task of those it was submitted with
ALTER TABLE tasks ADD COLUMN resubmits INTEGER;                 -- the task whose request it sends once more
ALTER TABLE tasks ADD COLUMN batch_size INTEGER;                -- of that first task: how many there are to be
CREATE INDEX tasks_by_batch ON tasks (batch) WHERE batch IS NOT NULL;
CREATE INDEX tasks_by_target ON tasks (target_uri);

ALTER TABLE messages ADD COLUMN stored_at INTEGER;              -- when its transaction was committed
"""

_VERSION_4 = """
CREATE TABLE plans (                -- what a batch is to submit, from before its first submission to after its last
    name TEXT PRIMARY KEY,
    batch INTEGER REFERENCES tasks (id),    -- its first task, NULL until there is one
    form TEXT,                      -- what it was sent from, as JSON (no password), NULL if from no form
    sources TEXT NOT NULL           -- all its source URIs, as JSON, in the order in which they are submitted
);
CREATE INDEX tasks_outline ON tasks (id, status);               -- all tasks, without the width of a row
"""

# All tasks without the width of a row, a fifth of it: what a list begins with, and what filters look at but for texts.
_VERSION_5 = """
DROP INDEX tasks_outline;
CREATE INDEX tasks_outline ON tasks (
    id, status, percent, page_count, code, target_type, seen_at, submitted_at, finished_at, events, asked, batch,
    resubmits
);
"""

_VERSIONS = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5)
"""What makes each version of the file out of the one before it; a new file goes through all of them. A semicolon ends a
statement, and stands nowhere else."""

_UNFINISHED = f"status IN ('{Status.SUBMITTING}', '{Status.RUNNING}', '{Status.UNKNOWN}')"
"""In the words of the index tasks_unfinished, so that SQLite takes that one, also where a query asks for less."""

_TO_DECIDE = "reason IS NOT NULL AND deleted_at IS NULL AND (released IS NULL OR dequeue_count > released)"
"""Which messages wait for a person: one that was given back does not, unless it has come again."""

_STATUSES = tuple(Status)
_PLACE = " ".join(["CASE status", *(f"WHEN '{status}' THEN {place}" for place, status in enumerate(_STATUSES)), "END"])
_PLACES = bytes.maketrans(b"0123456789", bytes(range(10)))
"""A status as its place among all that there are: in SQL as a digit, in an outline as a byte."""

_PIECE = 20_000
"""Characters, or numbers, that are read at a time, in half a millisecond: meanwhile the interpreter draws no screen."""

_FIRST_STEP = 20_000
"""Tasks that are looked through first when a list is to be filled: in ten milliseconds, whatever is looked for."""

_ASK_LAST, _KEPT_BY_IMM = 3_600_000, 8 * 86_400_000
"""Milliseconds: the longest interval between two questions about a task, and how long IMM can know one (seven days)
with a day to spare."""

_TASK_COLUMNS = (
    "id, task_id, status, percent, page_count, code, message, source_uri, target_uri, target_type, project, "
    "api_version, request_id, seen_at, submitted_at, accepted_at, finished_at, events, token, asked, asks, asked_at, "
    "batch, resubmits"
)


@dataclass(frozen=True, slots=True)
class Left:
    """A batch that is on disk and was deleted from the queue, with the times of both."""

    message_ids: tuple[str, ...]
    stored_at: int
    deleted_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A stored message of one task, the raw event; or what IMM answered when it was asked (`asked`)."""

    message_id: str
    """The queue's; of an answer, its RequestId."""
    body: bytes
    received_at: int
    times: int
    """How often it was delivered, here or to anybody, under this MessageId or another."""
    asked: bool = False
    duplicates: int = 0
    """How often it came here again, its event already known."""
    event_name: str = ""
    event_time: str | None = None
    """When it happened, as IMM wrote it."""
    enqueued_at: int | None = None
    stored_at: int | None = None
    deleted_at: int | None = None
    """When it had left the queue; None also where that is not known: the process ended before it could be noted."""


@dataclass(frozen=True, slots=True)
class Tally:
    """All the messages of one task, in numbers."""

    messages: int = 0
    """IMM's answers among them."""
    delivered: int = 0
    """How often its events came, here or to anybody."""
    duplicates: int = 0
    """How often one came here again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A message without a readable event, still on the queue, until a person decides about it."""

    id: int
    message_id: str
    reason: str
    body: bytes
    """Exactly as delivered."""
    received_at: int
    """When it first came."""
    dequeue_count: int
    """How often it has been delivered to anybody, as the queue last said."""
    receipt_handle: str | None
    hidden_until: int | None
    """Until when it is hidden from every consumer, and `receipt_handle` is good. None: not known."""
    delete_wanted: bool
    """A person wants it deleted: done as soon as it is at hand."""
    released: int | None
    """The `dequeue_count` at which a person gave it back to its owner."""

    def hide_for(self) -> int:
        """Seconds for which it is to be hidden this time: 60, doubling with each delivery to an hour, so that it is
        not fetched again and again. One that was given back is hidden for a second at first: its owner has many
        chances to get it."""
        first, times = (60, self.dequeue_count) if self.released is None else (1, self.dequeue_count - self.released)
        return int(min(first * 2 ** min(max(times - 1, 0), 12), 3600))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch was to submit and has not."""

    form: dict[str, str] | None
    """What it was sent from, None if from no form."""
    unsent: list[str]
    """The source URIs of which nothing is recorded."""


_URI = "rtrim(CAST(source_uri AS TEXT), '/')"  # a text that is no UTF-8 is kept as bytes
NAME = (
    f"coalesce(nullif(substr({_URI}, length(rtrim({_URI}, replace({_URI}, '/', ''))) + 1), ''),"
    " nullif(source_uri, ''), nullif(task_id, ''), '#' || id)"
)
"""What Task.name is, as SQLite can say it: all but slashes is trimmed off the end."""


class Column(StrEnum):
    """What a list of tasks can be sorted by."""

    SUBMITTED = "submitted"
    STATUS = "status"
    TYPE = "type"
    PAGES = "pages"
    PERCENT = "percent"
    TIME = "time"
    """How long it took, or has been under way."""
    DOCUMENT = "document"


_SORT_KEYS = {
    Column.SUBMITTED: "id",
    Column.STATUS: (
        "CASE status WHEN 'Failed' THEN 0 WHEN 'Unknown' THEN 1 WHEN 'Submitting' THEN 2 WHEN 'Running' THEN 3"
        " ELSE 4 END"
    ),
    Column.TYPE: "target_type",
    Column.PAGES: "page_count",
    Column.PERCENT: "percent",
    Column.TIME: "coalesce(finished_at, ?) - coalesce(submitted_at, seen_at)",
    Column.DOCUMENT: NAME,
}


@dataclass(frozen=True, slots=True)
class Order:
    """How a list of tasks is sorted; of two that are equal the newer is first."""

    column: Column = Column.SUBMITTED
    descending: bool = True
    failures_first: bool = False
    """Failed and unknown tasks stand above all others."""

    @property
    def takes_time(self) -> bool:
        return self.column is Column.TIME

    @property
    def sql(self) -> str:
        first = ["status IN ('Failed', 'Unknown') DESC"] if self.failures_first else []
        key = f"{_SORT_KEYS[self.column]} {'DESC' if self.descending else 'ASC'} NULLS LAST"
        return ", ".join([*first, key, "id DESC"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed after some revision: the tasks as they are now, and the numbers of those that are no more."""

    tasks: list[Task]
    removed: list[int]
    revision: int


class History:
    """One connection to the history file at `path`, which is made if it does not exist (0600, its folder 0700).

    Raises HistoryUnusable, here and from every method, when the file cannot be opened, read or written, or was made by
    a newer imm-tui (it is left untouched then).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite would create it with the umask's mode; its -wal and -shm files inherit the mode of this one.
            # Never while it is open: closing any descriptor of a file frees all locks that the process has on it.
            with _making, suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from None
        self._refuse_others()
        with self._told():
            self._db = sqlite3.connect(path, timeout=_BUSY, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _refuse_others(self) -> None:
        """Looks through a connection that cannot write: another would, when it is closed, tidy up what is not ours."""
        with self._told():
            try:
                version, tables = self._look("ro")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
                    raise
                # A process was killed while it made or changed the file: its journal has to be rolled back first.
                version, tables = self._look("rw")
        if version > len(_VERSIONS):
            why = _("It has version {version}; this imm-tui knows versions up to {known}. It was left as it is.")
            raise HistoryUnusable(
                _("The history {path} was written by a newer imm-tui.").format(path=self.path),
                why.format(version=version, known=len(_VERSIONS)),
                _("Update imm-tui, or name another folder with IMM_TUI_DATA_DIR."),
            )
        if tables and "deliveries" not in tables:  # every version has that one
            raise HistoryUnusable(
                _("The file {path} is not a history of imm-tui.").format(path=self.path),
                _("Another program made it. It was left as it is."),
                _("Move it away, or name another folder with IMM_TUI_DATA_DIR."),
            )

    def _look(self, mode: str) -> tuple[int, set[str]]:
        """The file's version and its tables."""
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY)) as db:
            return self._version(db), {name for (name,) in db.execute("SELECT name FROM sqlite_master")}

    def _prepare(self) -> None:
        with self._told():
            self._write_ahead()
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(f"PRAGMA wal_autocheckpoint = {_LOG}")
            self._db.execute("PRAGMA foreign_keys = ON")
            if self._version(self._db) < len(_VERSIONS):
                with self._transaction():
                    for statements in _VERSIONS[self._version(self._db) :]:  # another process may have been faster
                        for statement in statements.split(";"):
                            self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version = {len(_VERSIONS)}")

    def _write_ahead(self) -> None:
        """SQLite waits for other connections at every statement but this one, which the first of several makes."""
        deadline = time.monotonic() + _BUSY
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)

    @staticmethod
    def _version(db: sqlite3.Connection) -> int:
        return int(db.execute("PRAGMA user_version").fetchone()[0])

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Submissions

    def record_intent(
        self,
        conversion: Conversion,
        *,
        project: str,
        api_version: str,
        token: str,
        at: int,
        request: Mapping[str, Any] | None = None,
        batch: int | None = None,
        batch_size: int | None = None,
        resubmits: int | None = None,
        plan: str | None = None,
    ) -> int:
        """A submission that is about to be sent; returns the task's number. Its password is not kept.

        `request` is what is sent, `batch` the number of the first task of those that it is submitted with (0: it is
        itself the first, of `batch_size`), `resubmits` that of the task whose request this is once more, `plan`
        the name of the plan that its batch is of.
        """
        with self._writing() as revision:
            row = {
                "revision": revision,
                "status": Status.SUBMITTING,
                "source_uri": conversion.source_uri,
                "target_uri": conversion.target_uri,
                "target_type": conversion.target_type,
                "pages": conversion.pages,
                "dpi": conversion.dpi,
                "project": project,
                "api_version": api_version,
                "token": token,
                "seen_at": at,
                "submitted_at": at,
                "submitter": os.getpid(),
                "request": None if request is None else json.dumps(request),
                "batch": batch,
                "resubmits": resubmits,
            }
            task = self._insert("tasks", row)
            if batch == 0:
                self._update(task, revision, batch=task, batch_size=batch_size)
                self._db.execute("UPDATE plans SET batch = ? WHERE name = ?", (task, plan))
            return task

    def record_batch_ended(self, batch: int) -> None:
        """No more of a batch is submitted, however many there were to be."""
        with self._told(), self._transaction():
            self._db.execute("UPDATE tasks SET batch_size = NULL WHERE id = ?", (batch,))

    def record_plan(self, name: str, form: Mapping[str, str] | None, sources: Sequence[str]) -> None:
        """A batch is about to submit these, in this order; each has its own name. `form` holds no password."""
        row = {"name": name, "form": None if form is None else json.dumps(form), "sources": json.dumps(sources)}
        with self._told(), self._transaction():
            self._insert("plans", row)

    def record_plan_over(self, name: str) -> None:
        """What is left of a plan is kept elsewhere by now, and its batch submits no more."""
        with self._told(), self._transaction():
            self._db.execute(
                "UPDATE tasks SET batch_size = NULL WHERE id = (SELECT batch FROM plans WHERE name = ?)", (name,)
            )
            self._db.execute("DELETE FROM plans WHERE name = ?", (name,))

    def plans(self) -> list[str]:
        """The names of all plans, the oldest first."""
        with self._told():
            return [name for (name,) in self._db.execute("SELECT name FROM plans ORDER BY rowid")]

    def plan(self, name: str) -> Plan | None:
        """One of them, as far as it was not submitted; None where it is over."""
        submitted = "(SELECT count(*) FROM tasks WHERE tasks.batch = plans.batch)"
        with self._told():
            row = self._row(f"SELECT form, sources, {submitted} FROM plans WHERE name = ?", name)
        if row is None:
            return None
        form, sources, count = row
        return Plan(None if form is None else json.loads(form), json.loads(sources)[count:])

    def record_accepted(
        self, task: int, task_id: str, request_id: str | None, percent: int | None = None, at: int | None = None
    ) -> None:
        """IMM took the submission, `at` that time; `percent` is how far it said the task is, if it did.

        Where its event came before this answer, the two become one task.
        """
        with self._writing() as revision:
            # An event with its token has said already which task it is: that stands, whatever the answer says.
            unnamed = self._row("SELECT 1 FROM tasks WHERE id = ? AND task_id IS NULL", task)
            if unnamed and not self._become(task, task_id, revision, percent):
                why = N_("IMM answered with the id of another task of this history.")
                self._update(task, revision, status=Status.UNKNOWN, message=why)
            self._update(task, revision, request_id=request_id, accepted_at=at)

    def record_found(self, task: int, task_id: str) -> bool:
        """A submission whose outcome was unknown is among IMM's tasks, by its content.

        False where it cannot be that one: it has an id already, another submission became it, or one of the same
        content still waits for its answer and may have become it.
        """
        content = "source_uri, target_uri, target_type"
        under_way = (
            f"SELECT 1 FROM tasks WHERE {_UNFINISHED} AND status = 'Submitting' AND id <> ?"
            f" AND ({content}) = (SELECT {content} FROM tasks WHERE id = ?)"
        )
        with self._writing() as revision:
            unnamed = self._row("SELECT 1 FROM tasks WHERE id = ? AND task_id IS NULL", task)
            if not unnamed or self._row(under_way, task, task) or not self._become(task, task_id, revision):
                return False
            self._update(task, revision, asks=0)  # about a running task the questions begin anew
            return True

    def _become(self, task: int, task_id: str, revision: int, percent: int | None = None) -> bool:
        """A submission is the task with this id, and all that is known of that one; false where another one is."""
        columns = (
            "id, submitted_at, events, decisive, status, percent, page_count, code, message, finished_at, "
            "asked, asks, asked_at"
        )
        row = self._row(f"SELECT {columns} FROM tasks WHERE task_key = ?", as_sql(task_key(task_id)))
        told: dict[str, Any] = {"status": Status.RUNNING, "percent": percent, "message": None}
        if row is not None:
            told = dict(zip(columns.split(", "), row, strict=True))
            untracked = told.pop("id")
            if told.pop("submitted_at") is not None:
                return False
            self._db.execute("UPDATE events SET task = ? WHERE task = ?", (task, untracked))
            self._db.execute("DELETE FROM tasks WHERE id = ?", (untracked,))
            self._db.execute("INSERT INTO removals (task, revision) VALUES (?, ?)", (untracked, revision))
        self._update(task, revision, task_id=task_id, task_key=task_key(task_id), **told)
        return True

    def record_refused(self, task: int, *, code: str | None, message: str, request_id: str | None, at: int) -> None:
        """IMM did not take the submission. Nothing where its event says that IMM did, whatever it answered."""
        with self._writing() as revision:
            if self._row("SELECT 1 FROM tasks WHERE id = ? AND task_id IS NULL", task):
                self._update(
                    task,
                    revision,
                    status=Status.FAILED,
                    code=code,
                    message=message,
                    request_id=request_id,
                    finished_at=at,
                )

    def record_unknown(self, task: int, *, message: str, request_id: str | None) -> None:
        """The submission may or may not have become a task at IMM. Nothing where its event has already said so."""
        with self._writing() as revision:
            if self._row("SELECT 1 FROM tasks WHERE id = ? AND status = ?", task, Status.SUBMITTING):
                self._update(task, revision, status=Status.UNKNOWN, message=message, request_id=request_id)

    def submitting(self) -> list[tuple[int, int | None, int]]:
        """The submissions without an outcome yet: the task, the process that submits it, and since when."""
        with self._told():
            return self._db.execute(
                f"SELECT id, submitter, submitted_at FROM tasks WHERE {_UNFINISHED} AND status = ?",
                (Status.SUBMITTING,),
            ).fetchall()

    # Asking IMM

    def has_unfinished(self, at: int) -> bool:
        """Whether there is any task, of whatever project, that IMM may have to be asked about, now or later."""
        query = f"SELECT 1 FROM tasks WHERE {_UNFINISHED} AND coalesce(submitted_at, seen_at) > ? LIMIT 1"
        with self._told():
            return self._row(query, at - _KEPT_BY_IMM) is not None

    def overdue(self, at: int, *, project: str, api_version: str, first: int, limit: int) -> list[Task]:
        """The running tasks that IMM is to be asked about now, noted as asked: of several processes only one gets each.

        One is overdue when its event has not come `first` milliseconds after its submission, and again at intervals
        that double up to an hour. An untracked task, which names no project, is taken to be of this one.
        """
        return self._to_ask("status = 'Running' AND task_id IS NOT NULL", at, project, api_version, first, limit)

    def unfound(self, at: int, *, project: str, api_version: str, first: int) -> list[Task]:
        """The submissions whose outcome is unknown that are to be looked for now, noted and timed like `overdue`.

        Where one is, those that are half-way to their time come with it: one list serves them all, and from then on
        they keep step, so that IMM's tasks are not listed more often than for one alone.
        """
        which = "status = 'Unknown' AND task_id IS NULL"
        due = self._to_ask(which, at, project, api_version, first, -1)
        return due and due + self._to_ask(which, at, project, api_version, first // 2, -1)

    def _to_ask(self, which: str, at: int, project: str, api_version: str, first: int, limit: int) -> list[Task]:
        query = (
            f"SELECT {_TASK_COLUMNS} FROM tasks WHERE {_UNFINISHED} AND {which}"
            " AND (project IS NULL OR project = ?) AND (api_version IS NULL OR api_version = ?)"
            " AND coalesce(submitted_at, seen_at) > ?"
            " AND coalesce(asked_at, submitted_at, seen_at) + min(? << min(asks, 20), ?) <= ?"
            " ORDER BY coalesce(asked_at, submitted_at, seen_at) LIMIT ?"
        )
        values = (project, api_version, at - _KEPT_BY_IMM, first, _ASK_LAST, at, limit)
        if not self._tasks(query, *values):  # most often: then nobody need wait for the other's lock
            return []
        with self._writing() as revision:
            tasks = self._tasks(query, *values)
            for task in tasks:
                self._update(task.id, revision, asked_at=at)
        return tasks

    def record_answer(self, task: int, event: Event, body: bytes, request_id: str, at: int) -> None:
        """IMM was asked about a task and said `event`, with `body` as the raw answer."""
        with self._writing() as revision:
            self._count_ask(task, revision, at)
            if self._row("SELECT 1 FROM events WHERE identity = ?", event.identity) is None:
                answer = Arrival(message_id=request_id, body=body, events=(event,))
                take(self._db, [answer], at, revision)

    def record_not_known(self, task: int, message: str, at: int) -> None:
        """IMM was asked about a task and does not know it; `message` says what that means."""
        with self._writing() as revision:
            self._count_ask(task, revision, at)
            unfinished = "SELECT 1 FROM tasks WHERE id = ? AND submitted_at IS NOT NULL AND finished_at IS NULL"
            if self._row(unfinished, task):
                self._update(task, revision, status=Status.UNKNOWN, message=message)

    def record_no_answer(self, tasks: Iterable[int], at: int) -> None:
        """IMM was asked, and what it answered says nothing of these tasks."""
        with self._writing() as revision:
            for task in tasks:
                self._count_ask(task, revision, at)

    def _count_ask(self, task: int, revision: int, at: int) -> None:
        self._db.execute(
            "UPDATE tasks SET revision = ?, asks = asks + 1, asked_at = ? WHERE id = ?", (revision, at, task)
        )

    def unheard(self, since: int, until: int) -> int:
        """How many tasks IMM, asked in that time, said are finished, and no event of theirs has come until now."""
        with self._told():
            query = "SELECT count(*) FROM tasks WHERE asked AND asked_at BETWEEN ? AND ? AND finished_at IS NOT NULL"
            row = self._row(query, since, until)
        assert row is not None
        return int(row[0])

    # Messages

    def store(self, arrivals: Sequence[Arrival], received_at: int, left: Iterable[Left] = ()) -> list[Delivery]:
        """Stores one batch in one transaction, on disk when this returns; returns what is to be reported of it.

        An event that is already known is reported as a duplicate. A message without an event is quarantined, and
        reported the first time only. What has `left` the queue since is noted along with it, as `record_left` does.
        """
        with self._writing() as revision:
            self._note_left(left)
            return take(self._db, arrivals, received_at, revision)

    def store_peeked(self, arrivals: Sequence[Arrival], seen_at: int) -> list[Delivery]:
        """Stores what was only looked at on its queue, like `store`, but each message once however often it is seen.
        When it is received later, that is its first delivery, which is reported as it would have been."""
        with self._told():
            if not self._new(arrivals):
                return []
        with self._writing() as revision:
            # Another process may have been faster.
            new = [arrival._replace(dequeue_count=PEEKED) for arrival in self._new(arrivals)]
            return take(self._db, new, seen_at, revision)

    def _new(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Those whose messages are not stored, once each."""
        query = "SELECT 1 FROM messages WHERE message_id = ? AND digest = ?"
        keys = {(as_sql(arrival.message_id), digest_of(arrival.body)): arrival for arrival in arrivals}
        return [arrival for key, arrival in keys.items() if self._row(query, *key) is None]

    def record_left(self, left: Iterable[Left]) -> None:
        """These messages were stored and have left the queue."""
        with self._told(), self._transaction():
            self._note_left(left)

    def _note_left(self, left: Iterable[Left]) -> None:
        for batch in left:
            marks = ", ".join("?" * len(batch.message_ids))
            self._db.execute(
                f"UPDATE messages SET stored_at = coalesce(stored_at, ?), deleted_at = ?"
                f" WHERE message_id IN ({marks}) AND reason IS NULL",
                [batch.stored_at, batch.deleted_at, *map(as_sql, batch.message_ids)],
            )

    # Quarantine

    def quarantine_size(self) -> int:
        """How many messages a person has to decide about."""
        with self._told():
            return int(self._db.execute(f"SELECT count(*) FROM messages WHERE {_TO_DECIDE}").fetchone()[0])

    def quarantine_ids(self) -> list[int]:
        """The numbers of the messages that a person has to decide about, the newest first."""
        with self._told():
            query = f"SELECT id FROM messages WHERE {_TO_DECIDE} ORDER BY id DESC"
            return [row[0] for row in self._db.execute(query)]

    def quarantine_of(self, arrival: Arrival) -> Quarantined | None:
        """A message that has arrived, as it is known, whether it is in quarantine or counts as deleted; None only where
        its stored bytes were read, so that its events are in the history."""
        where = "message_id = ? AND digest = ?"
        return next(iter(self._quarantined(where, as_sql(arrival.message_id), digest_of(arrival.body))), None)

    def in_quarantine(self, message: int) -> Quarantined | None:
        return next(iter(self._quarantined("id = ? AND deleted_at IS NULL", message)), None)

    def in_quarantine_bodiless(self, message: int) -> Quarantined | None:
        """The same for a list: the body, which may be large, is not read, and is empty."""
        return next(iter(self._quarantined("id = ? AND deleted_at IS NULL", message, body="x''")), None)

    def _quarantined(self, which: str, *values: object, body: str = "body") -> list[Quarantined]:
        columns = _QUARANTINE_COLUMNS.replace("body", body)
        with self._told():
            rows = self._db.execute(
                f"SELECT {columns} FROM messages WHERE reason IS NOT NULL AND {which}", values
            ).fetchall()
        found = (dict(zip(_QUARANTINE_COLUMNS.split(", "), row, strict=True)) for row in rows)
        return [
            Quarantined(
                **{
                    **row,
                    "message_id": as_text(row["message_id"]) or "",
                    "reason": as_text(row["reason"]) or "",
                    "delete_wanted": bool(row["delete_wanted"]),
                }
            )
            for row in found
        ]

    def record_hidden(self, message: int, receipt_handle: str, until: int) -> None:
        """A quarantined message is hidden until then, and this handle is good until then."""
        self._change_message(message, receipt_handle=receipt_handle, hidden_until=until)

    def record_delete_wanted(self, message: int) -> None:
        """A person wants a quarantined message deleted from the queue."""
        self._change_message(message, delete_wanted=True)

    def record_released(self, message: Quarantined) -> None:
        """A person gives a quarantined message back to its owner."""
        self._change_message(message.id, released=message.dequeue_count, delete_wanted=False)

    def record_deleted(self, message: int, at: int | None) -> None:
        """A quarantined message has left its queue, or is to leave it in a moment; None: it has not after all.

        Its bytes stay in the history. It is in quarantine again when it comes again, unless a person wants it deleted.
        """
        self._change_message(message, deleted_at=at)

    def record_read(self, message: Quarantined, events: Sequence[Event], at: int) -> list[Delivery]:
        """The stored bytes of a quarantined message could be read after all: it is a message like any other."""
        with self._writing() as revision:
            self._db.execute("UPDATE messages SET reason = NULL WHERE id = ?", (message.id,))
            arrival = Arrival(
                message_id=message.message_id,
                body=message.body,
                events=tuple(events),
                dequeue_count=message.dequeue_count,
            )
            return take(self._db, [arrival], at, revision)

    def _change_message(self, message: int, **values: object) -> None:
        sets = ", ".join(f"{name} = ?" for name in values)
        with self._told(), self._transaction():
            self._db.execute(f"UPDATE messages SET {sets} WHERE id = ?", [*values.values(), message])

    # Reading

    def tasks(self, *, status: Status | None = None, limit: int = 100) -> list[Task]:
        """The newest tasks first."""
        where, values = ("WHERE status = ?", [str(status)]) if status else ("", [])
        return self._tasks(f"SELECT {_TASK_COLUMNS} FROM tasks {where} ORDER BY id DESC LIMIT ?", *values, limit)

    def task(self, task: int) -> Task | None:
        return next(iter(self._tasks(f"SELECT {_TASK_COLUMNS} FROM tasks WHERE id = ?", task)), None)

    def tasks_of(self, numbers: Iterable[int]) -> list[Task]:
        """Those of them that there are."""
        return self._tasks(
            f"SELECT {_TASK_COLUMNS} FROM tasks WHERE id IN (SELECT value FROM json_each(?))", json.dumps([*numbers])
        )

    def changes(self, since: int) -> Changes:
        """What changed after revision `since` (0: everything there is)."""
        with self._told(), self._transaction("BEGIN"):  # one snapshot for the three questions
            revision = self._revision()
            # Not by id itself: SQLite would walk through all tasks in that order rather than take the few by revision.
            tasks = self._tasks(f"SELECT {_TASK_COLUMNS} FROM tasks WHERE revision > ? ORDER BY +id", since)
            removed = self._db.execute("SELECT task FROM removals WHERE revision > ?", (since,)).fetchall()
        return Changes(tasks=tasks, removed=[row[0] for row in removed], revision=revision)

    def turns(self, since: int) -> tuple[dict[int, Status], list[int], int]:
        """What `changes` tells, of each task no more than its status: by their numbers, with the numbers of those that
        are no more, and the revision."""
        with self._told(), self._transaction("BEGIN"):
            revision = self._revision()
            # In one row: between two rows SQLite lets every other thread go first, and this is the screen's.
            query = f"SELECT group_concat(id), group_concat({_PLACE}, '') FROM tasks WHERE revision > ?"
            ((ids, places),) = self._db.execute(query, (since,))
            removed = self._db.execute("SELECT task FROM removals WHERE revision > ?", (since,)).fetchall()
        statuses = (_STATUSES[place] for place in (places or "").encode().translate(_PLACES))
        return dict(zip(_numbers(ids or ""), statuses, strict=True)), [row[0] for row in removed], revision

    def size(self) -> int:
        """How many tasks there are."""
        with self._told():
            return int(self._db.execute("SELECT count(*) FROM tasks").fetchone()[0])

    def outline(self) -> tuple[array[int], bytes, int]:
        """The numbers of all tasks, the oldest first, the status of each as its place among all that there are, and
        the revision that they are of."""
        # In the order of the index: to ask for the same order in a subquery would copy every row first.
        ids, places = (
            f"SELECT group_concat({it}) FROM tasks INDEXED BY tasks_outline" for it in ("id", f"{_PLACE}, ''")
        )
        with self._told(), self._transaction("BEGIN"):
            ((concatenated, last),) = self._db.execute(f"SELECT ({places}), coalesce(max(id), 0) FROM tasks")
            statuses = (concatenated or "").encode().translate(_PLACES)
            # To read a million numbers takes longer than all else: they are all up to the last but the removed ones.
            removed = [
                task for (task,) in self._db.execute("SELECT task FROM removals WHERE task < ? ORDER BY 1", (last,))
            ]
            if last - len(removed) == len(statuses):
                numbers = _all_but(removed, last)
            else:  # others have taken tasks out of the file
                ((concatenated,),) = self._db.execute(ids)
                numbers = _numbers(concatenated or "")
            return numbers, statuses, self._revision()

    def find(self, where: str, values: Sequence[object], order: Order, at: int) -> array[int]:
        """The numbers of the tasks for which `where` holds, a condition on the table of tasks, in that order.

        `at` is the time by which the ages of unfinished tasks are compared.
        """
        query = f"SELECT id FROM tasks WHERE {where} ORDER BY {order.sql}"
        # In one row: SQLite is at work without the interpreter, which has a screen to draw meanwhile.
        with self._told():
            row = self._row(f"SELECT group_concat(id) FROM ({query})", *values, *([at] if order.takes_time else ()))
        assert row is not None
        return _numbers(row[0] or "")

    def find_newest(self, where: str, values: Sequence[object]) -> Iterator[tuple[array[int], bool]]:
        """As `find`, the newest first, but step by step, each a look at as many tasks again as all before it: the
        numbers of those that were found so far, and whether these are all."""
        query = f"SELECT id FROM tasks WHERE id > ? AND id <= ? AND ({where}) ORDER BY id DESC"
        found = array("q")
        with self._told():
            last = self._row("SELECT coalesce(max(id), 0) FROM tasks")
        assert last is not None
        to, step = int(last[0]), _FIRST_STEP
        while True:
            since = to - step
            with self._told():
                row = self._row(f"SELECT group_concat(id) FROM ({query})", since, to, *values)
            assert row is not None
            found = found + _numbers(row[0] or "")
            yield found, since <= 0
            if since <= 0:
                return
            to, step = since, last[0] - since  # as many again

    def interrupt(self) -> None:
        """From any thread: what `find` or `find_newest` is at work on ends now, with HistoryUnusable."""
        self._db.interrupt()

    def results(self, targets: Sequence[str]) -> list[tuple[int, str | None, str, str, str]]:
        """The tasks that have put their results into one of these targets, or may yet, the newest first: number, id at
        IMM, source, target and type of each."""
        query = (
            "SELECT id, task_id, source_uri, target_uri, target_type FROM tasks"
            f" WHERE target_uri IN (SELECT value FROM json_each(?)) AND status <> '{Status.FAILED}'"
            " AND source_uri IS NOT NULL AND target_type IS NOT NULL ORDER BY id DESC"
        )
        with self._told():
            rows = self._db.execute(query, (json.dumps(targets),)).fetchall()
        return [(row[0], as_text(row[1]), *(as_text(value) or "" for value in row[2:])) for row in rows]

    def request_of(self, task: int) -> dict[str, Any] | None:
        """The submission of a task as it was sent; None where it was not sent from here, or by an older imm-tui."""
        with self._told():
            row = self._row("SELECT request FROM tasks WHERE id = ?", task)
        return json.loads(row[0]) if row and row[0] else None

    def batch(self, batch: int) -> list[Task]:
        """The tasks that were submitted together, the first of which has this number."""
        return self._tasks(f"SELECT {_TASK_COLUMNS} FROM tasks WHERE batch = ? ORDER BY id", batch)

    def left_of(self, batch: int) -> int:
        """How many tasks of a batch have not ended; those that are yet to be submitted count as well."""
        query = (
            f"SELECT coalesce(sum({_UNFINISHED}), 0) + max(coalesce(max(batch_size), 0) - count(*), 0)"
            " FROM tasks WHERE batch = ?"
        )
        with self._told():
            row = self._row(query, batch)
        assert row is not None
        return int(row[0])

    def unfinished(self) -> list[int]:
        """The numbers of the tasks that have not ended."""
        with self._told():
            return [task for (task,) in self._db.execute(f"SELECT id FROM tasks WHERE {_UNFINISHED}")]

    def place_in_batch(self, task: Task) -> tuple[int, int] | None:
        """Which one of those it is that were submitted together, from 1, and how many they are; those that are yet to
        be submitted count as well. None for one alone."""
        if task.batch is None:
            return None
        query = "SELECT sum(id <= ?), max(count(*), coalesce(max(batch_size), 0)) FROM tasks WHERE batch = ?"
        with self._told():
            row = self._row(query, task.id, task.batch)
        assert row is not None
        return row[0], row[1]

    def durations(self, target_type: str, limit: int = 200) -> list[tuple[int, int | None]]:
        """Of the newest successes of this target type: milliseconds from the submission to its end, and the pages."""
        query = (
            "SELECT finished_at - submitted_at, page_count FROM tasks WHERE status = 'Succeeded' AND target_type = ?"
            " AND finished_at >= submitted_at ORDER BY id DESC LIMIT ?"
        )
        with self._told():
            return self._db.execute(query, (target_type, limit)).fetchall()

    def messages_of(self, task: int, limit: int = 20) -> list[Message]:
        """The messages that brought the events of `task`, the deciding event's first, then the newest, that many at
        most: a task has one or two as a rule, but nothing holds a stranger back from sending thousands."""
        with self._told():
            rows = self._db.execute(
                "SELECT m.message_id, m.body, m.received_at, m.enqueued_at, m.stored_at, m.deleted_at,"
                " asked, name, time, m.dequeue_count, times, duplicates"
                f" FROM ({_BY_MESSAGE} ORDER BY decides DESC, e.message DESC LIMIT ?) b"
                " JOIN messages m ON m.id = b.message ORDER BY decides DESC, m.id DESC",
                (task, limit),
            ).fetchall()
        return [
            Message(
                message_id=as_text(row[0]) or "",
                body=row[1],
                received_at=row[2],
                enqueued_at=row[3],
                stored_at=row[4],
                deleted_at=row[5],
                asked=bool(row[6]),
                event_name=as_text(row[7]) or "",
                event_time=as_text(row[8]),
                times=max(row[9], row[10]),
                duplicates=row[11],
            )
            for row in rows
        ]

    def tally_of(self, task: int) -> Tally:
        """All the messages that brought the events of `task`, counted without reading them."""
        query = (
            "SELECT count(*), sum(iif(asked, 0, max(m.dequeue_count, times))), sum(iif(asked, 0, duplicates))"
            f" FROM ({_BY_MESSAGE}) b JOIN messages m ON m.id = b.message"
        )
        with self._told():
            row = self._row(query, task)
        assert row is not None
        return Tally(row[0], row[1] or 0, row[2] or 0)

    def deliveries(self, after: int) -> list[Delivery]:
        """What was delivered after delivery number `after`, in order."""
        return self._deliveries("d.id > ?", after)

    def arrived(self, after: int) -> tuple[Counter[int], list[Delivery], int]:
        """What `deliveries` tells, of events only how many were received at each time; with the messages that were
        quarantined, and the number of the newest delivery."""
        with self._told(), self._transaction("BEGIN"):
            query = "SELECT received_at, count(*) FROM deliveries WHERE id > ? AND event IS NOT NULL GROUP BY 1"
            received = Counter(dict(self._db.execute(query, (after,)).fetchall()))
            return received, self._deliveries("d.id > ? AND d.event IS NULL", after), self.last_delivery()

    def _deliveries(self, where: str, *values: object) -> list[Delivery]:
        with self._told():
            rows = self._db.execute(
                f"SELECT d.id, m.message_id, d.received_at, d.duplicate, m.reason, {EVENT_COLUMNS}"
                " FROM deliveries d JOIN messages m ON m.id = d.message LEFT JOIN events e ON e.id = d.event"
                f" WHERE {where} ORDER BY d.id",
                values,
            ).fetchall()
        return [
            Delivery(
                id=row[0],
                message_id=as_text(row[1]) or "",
                received_at=row[2],
                duplicate=bool(row[3]),
                reason=as_text(row[4]) or "",
                event=event_of(row[5:]) if row[5] is not None else None,
            )
            for row in rows
        ]

    def received_since(self, since: int, step: int) -> dict[int, int]:
        """How many events were received from then on, as often as they were delivered: by the number of the step, of so
        many milliseconds, since the epoch."""
        deliveries = range(self.last_delivery() + 1)
        counts: dict[int, int] = {}
        with self._told():

            def received_at(delivery: int) -> int:
                row = self._row("SELECT received_at FROM deliveries WHERE id >= ? ORDER BY id LIMIT 1", delivery)
                assert row is not None
                return int(row[0])

            # Their numbers grow with time, which has no index: where a step begins is found by halves.
            first = bisect_left(deliveries, since, 1, key=received_at)
            while first < len(deliveries):
                number = received_at(first) // step
                end = bisect_left(deliveries, (number + 1) * step, first + 1, key=received_at)
                query = "SELECT count(event) FROM deliveries WHERE id >= ? AND id < ?"
                ((events,),) = self._db.execute(query, (first, end))
                counts[number] = counts.get(number, 0) + events
                first = end
        return counts

    def last_delivery(self) -> int:
        """The number of the newest delivery; 0 when there is none."""
        with self._told():
            return int(self._db.execute("SELECT coalesce(max(id), 0) FROM deliveries").fetchone()[0])

    def probe(self) -> None:
        """Writes to the file without a change to what it says: HistoryUnusable where that cannot be done."""
        with self._told(), self._transaction():
            self._db.execute(f"PRAGMA user_version = {len(_VERSIONS)}")

    def data_version(self) -> int:
        """A number that differs when another connection, of this process or another, has committed a change."""
        with self._told():
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    # SQLite

    def _tasks(self, query: str, *values: object) -> list[Task]:
        with self._told():
            return [_task(row) for row in self._db.execute(query, values)]

    def _row(self, query: str, *values: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._db.execute(query, values).fetchone()
        return row

    def _insert(self, table: str, row: Mapping[str, object]) -> int:
        marks = ", ".join("?" * len(row))
        cursor = self._db.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", [as_sql(value) for value in row.values()]
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _update(self, task: int, revision: int, **values: object) -> None:
        sets = ", ".join(f"{name} = ?" for name in values)
        self._db.execute(
            f"UPDATE tasks SET revision = ?, {sets} WHERE id = ?",
            [revision, *(as_sql(value) for value in values.values()), task],
        )

    def _revision(self) -> int:
        row = self._row(
            "SELECT max(coalesce((SELECT max(revision) FROM tasks), 0),"
            " coalesce((SELECT max(revision) FROM removals), 0))"
        )
        assert row is not None
        return int(row[0])

    @contextmanager
    def _writing(self) -> Iterator[int]:
        """A write transaction; gives the revision that its changes bear."""
        with self._told(), self._transaction():
            yield self._revision() + 1

    @contextmanager
    def _transaction(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
        try:
            self._db.execute(begin)  # in here: a signal's exception may come between its end and the next line
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """SQLite's errors as something a person can be told."""
        try:
            yield
        except sqlite3.Error as error:
            # Some errors come from Python's own module and have no code; the low byte says of which family one is.
            family = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            if family in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise HistoryTorn(
                    _("The history {path} is damaged.").format(path=self.path),
                    _("SQLite says: {error}. It was left as it is.").format(error=error),
                    _("Move it away, with the files beside it that begin with its name, and a new one begins."),
                ) from None
            raise self._unusable(str(error), _FIXES.get(family, _FIX)) from None

    def _unusable(self, why: str, fix: str = _FIX) -> HistoryUnusable:
        return HistoryUnusable(
            _("The history {path} cannot be used.").format(path=self.path),
            f"{why[:1].upper()}{why[1:]}.",
            sentences(_(fix), _("Or name another folder with IMM_TUI_DATA_DIR.")),
        )


_BY_MESSAGE = (
    "SELECT e.message, max(e.id = t.decisive) AS decides, max(e.asked) AS asked, e.name, e.time,"
    " max((SELECT count(*) FROM deliveries d WHERE d.event = e.id)) AS times,"
    " max((SELECT count(*) FROM deliveries d WHERE d.event = e.id AND d.duplicate)) AS duplicates"
    " FROM events e JOIN tasks t ON t.id = e.task WHERE t.id = ? GROUP BY e.message"
)
"""What of a task's events came with each message, without the bodies."""

_QUARANTINE_COLUMNS = (
    "id, message_id, reason, body, received_at, dequeue_count, receipt_handle, hidden_until, delete_wanted, released"
)


def _all_but(removed: Iterable[int], last: int) -> array[int]:
    """The numbers from 1 to `last` without those, which are in order."""
    numbers = array("q")
    at = 1
    for gap in [*removed, last + 1]:
        for start in range(at, gap, _PIECE):
            numbers.extend(range(start, min(start + _PIECE, gap)))
        at = gap + 1
    return numbers


def _numbers(text: str) -> array[int]:
    """What SQLite has put into one text, with commas between."""
    numbers = array("q")
    at = 0
    while at < len(text):
        end = text.find(",", at + _PIECE)
        end = len(text) if end < 0 else end
        numbers.extend(json.loads(f"[{text[at:end]}]"))
        at = end + 1
    return numbers


def _task(row: Sequence[Any]) -> Task:
    values = [as_text(value) if isinstance(value, bytes) else value for value in row]
    fields: dict[str, Any] = dict(zip(_TASK_COLUMNS.split(", "), values, strict=True))
    return Task(**{**fields, "status": Status(fields["status"]), "asked": bool(fields["asked"])})
