"""The domain: what is asked of IMM, what an event says, what a task is known to be, and the times of all of them."""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any, Literal

ApiVersion = Literal["2017-09-06", "2020-09-30"]
API_VERSIONS: tuple[ApiVersion, ...] = ("2017-09-06", "2020-09-30")


class Status(StrEnum):
    """How far a task is known to have come."""

    SUBMITTING = "Submitting"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    UNKNOWN = "Unknown"
    """The outcome of its submission is not known: it may or may not have reached IMM."""

    @property
    def under_way(self) -> bool:
        return self in (Status.SUBMITTING, Status.RUNNING)

    @property
    def finished(self) -> bool:
        return self in (Status.SUCCEEDED, Status.FAILED)


SHAPES = {
    Status.SUBMITTING: "…",
    Status.RUNNING: "◐",
    Status.SUCCEEDED: "✔",
    Status.FAILED: "✘",
    Status.UNKNOWN: "?",
}
"""Each status as a shape that says it without colour, wherever people read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One document conversion, as it is asked of IMM."""

    source_uri: str
    target_uri: str
    """A folder `oss://bucket/prefix/`, or, under 2020-09-30, a template with `{...}` in it."""
    target_type: str
    pages: str | None = None
    """`1,2-4,7`; None is all of them."""
    dpi: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    """Any other parameter of the call, by IMM's name for it, as it is sent."""
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Event:
    """What one notification says of one task. Strings are as received but for blanks around them."""

    task_id: str
    name: str
    status: Status
    percent: int | None = None
    page_count: int | None = None
    code: str | None = None
    message: str | None = None
    time: str | None = None
    user_data: str | None = None
    """What the submission gave IMM to send back (2020-09-30 only): its token, where it was ours."""
    asked: bool = False
    """IMM said this when it was asked; no notification brought it."""

    @cached_property
    def identity(self) -> str:
        """A digest of the content: the same event under another MessageId has the same identity."""
        content = [self.task_id, self.name, self.time, self.status, self.code, self.percent, self.page_count]
        return hashlib.blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()

    @cached_property
    def rank(self) -> tuple[bool, bool, int, int, str]:
        """Orders a task's events; the highest one decides what the task is, in whatever order they arrive.

        A finished state stands above a running one, so that an older event never un-finishes a task. A notification
        stands above an answer of IMM's, which may know less. Then the time counts, then the percent, for IMM answers
        with one and the same time while a task runs; and last the identity, so that two histories never disagree.
        """
        return (self.status.finished, not self.asked, milliseconds(self.time) or 0, self.percent or 0, self.identity)

    def verdict(self, received_at: int) -> dict[str, Any]:
        """What a task is that this event decides, by the names of Task; `received_at` stands in for a missing time."""
        return {
            "status": self.status,
            "percent": 100 if self.status is Status.SUCCEEDED else self.percent,
            "page_count": self.page_count,
            "code": self.code,
            "message": self.message,
            "finished_at": (milliseconds(self.time) or received_at) if self.status.finished else None,
            "asked": self.asked,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What the history knows of one task. Times are milliseconds since the epoch, UTC."""

    id: int
    """The history's own number, by age; a task has it before IMM has named it."""
    task_id: str | None
    status: Status
    percent: int | None = None
    page_count: int | None = None
    code: str | None = None
    message: str | None = None
    source_uri: str | None = None
    target_uri: str | None = None
    target_type: str | None = None
    project: str | None = None
    api_version: str | None = None
    request_id: str | None = None
    seen_at: int
    """When this history first heard of it."""
    submitted_at: int | None = None
    """None for an untracked task: an event came for it, but this history did not submit it."""
    accepted_at: int | None = None
    """When IMM answered that it took the submission."""
    finished_at: int | None = None
    events: int = 0
    """Distinct events; a duplicate does not count, nor does an answer of IMM's."""
    token: str | None = None
    """Names its submission to IMM: the IdempotentToken (2017-09-06) or the UserData (2020-09-30)."""
    asked: bool = False
    """What it is was learned by asking IMM: no event has come for it."""
    asks: int = 0
    """How often IMM has answered what it was asked about it."""
    asked_at: int | None = None
    """When IMM was last asked."""
    batch: int | None = None
    """The number of the first task of those that it was submitted with."""
    resubmits: int | None = None
    """The number of the task whose request this one sends once more."""

    @property
    def untracked(self) -> bool:
        return self.submitted_at is None

    def as_object(self) -> dict[str, object]:
        """What `--json`, a hook and an export say of it: each value as it was received, each time in RFC 3339."""
        return {
            "task_id": self.task_id,
            "status": self.status,
            "percent": self.percent,
            "page_count": self.page_count,
            "code": self.code,
            "message": self.message,
            "source_uri": self.source_uri,
            "target_uri": self.target_uri,
            "target_type": self.target_type,
            "project": self.project,
            "api_version": self.api_version,
            "submitted_at": rfc3339(self.submitted_at),
            "finished_at": rfc3339(self.finished_at),
            "events": self.events,
        }

    @property
    def name(self) -> str:
        """What a person calls it: the source's file name, else its id."""
        if self.source_uri:
            return self.source_uri.rstrip("/").rpartition("/")[2] or self.source_uri
        return self.task_id or f"#{self.id}"


_TASK_ID_PREFIX = re.compile(r"^(formatconvert|officeconversion)-(?=.)", re.IGNORECASE)


@lru_cache(maxsize=1024)  # one id is asked about several times in a row
def task_key(task_id: str) -> str:
    """What two spellings of one task id share: IMM writes it with and without the name of its kind in front."""
    return _TASK_ID_PREFIX.sub("", task_id).lower()


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> int:
    """The time, as epoch milliseconds."""
    return time.time_ns() // 1_000_000


def milliseconds(time: str | None) -> int | None:
    """An ISO 8601 time, or epoch milliseconds as digits, as epoch milliseconds; None where it is neither.

    The services write UTC with `Z` and 2 to 3 fractional digits, and `+08:00` with 9. A time without a zone is UTC.
    """
    if not time:
        return None
    if time.isdecimal() and time.isascii() and 12 <= len(time) <= 14:
        return int(time)
    try:
        moment = datetime.fromisoformat(time)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)  # in UTC its year may be 0 or 10000
    except (ValueError, OverflowError):
        return None


def rfc3339(moment: int | None) -> str | None:
    """Epoch milliseconds as RFC 3339 in UTC, `2026-11-23T06:51:25.042Z`."""
    if moment is None:
        return None
    time = _EPOCH + timedelta(milliseconds=moment)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
