"""What the doctor knows so far: the answer to each of its questions, in whatever order they come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from imm_tui.cloud.refusals import is_about_the_clock, lacks_the_operation
from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.errors import Denied, KeyRefused, NoCredentials, NotActivated, Refused, Trouble, Unreachable
from imm_tui.tasks import ApiVersion, Task

if TYPE_CHECKING:
    from imm_tui.cloud.imm import Listed, Project
    from imm_tui.cloud.mns_reply import QueueAttributes, Received, Subscription, TopicAttributes
    from imm_tui.cloud.sts import Caller

T = TypeVar("T")


class NotYet(Exception):
    """A verdict needs an answer that has not come."""


class Kind(Enum):
    """What an answer says of the way to the service."""

    ANSWERED = auto()
    NOT_ASKED = auto()
    UNREACHABLE = auto()
    KEY = auto()
    """The service does not accept the key, or there is none any more."""
    CLOCK = auto()
    """The service does not accept the time of the request."""
    DENIED = auto()
    NOT_ACTIVATED = auto()
    VERSION = auto()
    """The service does not have this operation, or not in this version."""
    REGION = auto()
    """The service does not know the region."""
    FAULT = auto()
    """Anything else, of the service's own."""


_NO_REGION = re.compile(r"(\w+\.)?(Invalid|Unknown|Unsupported)(Parameter\.)?Region", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[T]):
    """What came of one question: a value, or the trouble with it, or nothing because it could not be asked."""

    value: T | None = None
    trouble: Trouble | None = None
    needs: str = ""
    """The check that says why it was not asked."""
    offset: float | None = None
    """Seconds by which the service's clock is ahead of this machine's."""

    @property
    def kind(self) -> Kind:
        match self.trouble:
            case None:
                return Kind.NOT_ASKED if self.needs else Kind.ANSWERED
            case Unreachable():
                return Kind.UNREACHABLE
            case NoCredentials() | KeyRefused():
                return Kind.KEY
            case NotActivated():
                return Kind.NOT_ACTIVATED
            case Denied():
                return Kind.DENIED
            case Refused(code=code) if is_about_the_clock(code):
                return Kind.CLOCK
            case Refused(code=code) if lacks_the_operation(code):
                return Kind.VERSION
            case Refused(code=code) if _NO_REGION.match(code or ""):
                return Kind.REGION
        return Kind.FAULT


# What is asked for and does not exist is an answer like any other: it comes with what exists instead.


@dataclass(frozen=True, slots=True)
class ProjectFound:
    project: Project | None
    others: tuple[str, ...] = ()
    """The projects that there are, where this one is not one of them."""
    in_version: ApiVersion | None = None
    """The other API version, where it has the project."""


@dataclass(frozen=True, slots=True)
class TopicFound:
    topic: TopicAttributes | None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueueFound:
    queue: QueueAttributes | None
    others: tuple[str, ...] = ()
    peeked: tuple[Received, ...] | None = None
    """Some of the messages on it; None where they could not be looked at."""
    peek_trouble: Trouble | None = None
    taken: int = 0
    """Messages that somebody took away while the doctor looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFound:
    """The history's file as it is, and what it remembers of the project."""

    path: Path
    exists: bool
    trouble: Trouble | None = None
    exposed: tuple[tuple[Path, int], ...] = ()
    """What others than its owner may read or write, with its mode."""
    of_another: bool = False
    """It belongs to another user."""
    free: int | None = None
    """Bytes left on its disk."""
    attended: bool = False
    """An imm-tui receives for this history at this moment."""
    hidden: int = 0
    """Messages of the queue that this history keeps hidden: of its quarantine."""
    quarantined: frozenset[str] = frozenset()
    """The ids of all that are in it: this history has received them, and left them on the queue."""
    ended: tuple[Task, ...] = ()
    """The tasks of this project that have ended, of the newest; the last to end is the first."""
    looked_at: int = 0
    """Epoch milliseconds."""

    @property
    def latest(self) -> Task | None:
        return self.ended[0] if self.ended else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All of it; None is an answer that has not come."""

    settings: Settings
    keys: Answer[Credentials] | None = None
    caller: Answer[Caller] | None = None
    """Its value is None where there is nobody to ask."""
    project: Answer[ProjectFound] | None = None
    task: Answer[bool] | None = None
    """IMM was asked about a task that does not exist, to see whether it may be."""
    tasks: Answer[tuple[Listed, ...]] | None = None
    topic: Answer[TopicFound] | None = None
    queue: Answer[QueueFound] | None = None
    subscriptions: Answer[tuple[Subscription, ...]] | None = None
    history: HistoryFound | None = None

    @property
    def of_imm(self) -> tuple[Answer[Any] | None, ...]:
        return (self.project, self.task, self.tasks)

    @property
    def of_mns(self) -> tuple[Answer[Any] | None, ...]:
        return (self.topic, self.queue, self.subscriptions)

    @property
    def denials(self) -> Iterator[Denied]:
        """What the caller lacks a permission for, of the answers that have come."""
        troubles = [answer.trouble for answer in (*self.of_imm, *self.of_mns) if answer is not None]
        if self.queue is not None and self.queue.value is not None:
            troubles.append(self.queue.value.peek_trouble)
        return (trouble for trouble in troubles if isinstance(trouble, Denied))


def known(answer: T | None) -> T:
    """An answer that has come. Raises NotYet."""
    if answer is None:
        raise NotYet
    return answer
