"""What happened to a task and its messages, step by step, with the time between. Pure.

The times are of three clocks: this machine's, IMM's and the queue's. A step is therefore put after its cause, whatever
its time says, and the gap between two clocks may come out negative.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from imm_tui.history import Message
from imm_tui.tasks import Status, Task, milliseconds


class Stage(StrEnum):
    """What happened."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    REPORTED = "reported"
    """By IMM's clock: an event of a task that goes on."""
    FINISHED = "finished"
    """By IMM's clock: what the event says of the end."""
    PUBLISHED = "published"
    """By the queue's clock: the message stood on it."""
    RECEIVED = "received"
    STORED = "stored"
    DELETED = "deleted"
    ASKED = "asked"
    """IMM answered what it was asked."""


_BY_IMM = (Stage.REPORTED, Stage.FINISHED)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened. Times are epoch milliseconds."""

    stage: Stage
    at: int
    since: Stage | None
    """The stage that `gap` is measured from: its cause, not always the step before; None for what began it all."""
    gap: int
    """Milliseconds since then; negative where the clocks of two machines differ, 0 for what began it all."""
    event: str = ""
    """The name of the event that it belongs to."""


def steps(task: Task, messages: Sequence[Message]) -> list[Step]:
    """All that is known of the way of a task: causes before effects, the events in the order in which they happened."""
    own = list(_submission(task))
    ways = [list(_way(task, message)) for message in messages]
    if task.asked_at is not None and not any(at == task.asked_at for way in ways for _, at, _ in way):
        ways.append([(Stage.ASKED, task.asked_at, "")])
    ways.sort(key=lambda way: (way[0][1], _came(way)))
    began, answer = own[:1], own[1:]
    found = list(_measured(began, None))
    cause = next(iter(began), None)
    for way in ways:
        # An event may come before the answer to its own submission.
        if answer and answer[0][1] <= _came(way):
            found += _measured(answer, began[0])
            cause, answer = answer[0] if cause in began else cause, []
        found += _measured(way, cause)
        if way[0][0] in _BY_IMM:
            cause = way[0]
    return [*found, *_measured(answer, next(iter(began), None))]


def longest(steps: Sequence[Step]) -> Step | None:
    """The step that was waited for the longest; None where nothing was waited for."""
    return max((step for step in steps if step.gap > 0), key=lambda step: step.gap, default=None)


_Point = tuple[Stage, int, str]


def _submission(task: Task) -> Iterator[_Point]:
    if task.submitted_at is not None:
        yield Stage.SUBMITTED, task.submitted_at, ""
        if task.accepted_at is not None:
            yield Stage.ACCEPTED, task.accepted_at, ""
        elif task.status is Status.FAILED and task.task_id is None and task.finished_at is not None:
            yield Stage.REFUSED, task.finished_at, ""


def _way(task: Task, message: Message) -> Iterator[_Point]:
    """One message, from what it tells of to its end."""
    happened = milliseconds(message.event_time)
    last = happened is not None and task.status.finished and happened == task.finished_at
    # An answer about a task that goes on bears the time of its beginning, which is not when it was said.
    if happened is not None and (last or not message.asked):
        yield Stage.FINISHED if last else Stage.REPORTED, happened, message.event_name
    if message.enqueued_at is not None:
        yield Stage.PUBLISHED, message.enqueued_at, message.event_name
    yield Stage.ASKED if message.asked else Stage.RECEIVED, message.received_at, message.event_name
    if message.stored_at is not None:
        yield Stage.STORED, message.stored_at, message.event_name
    if message.deleted_at is not None:
        yield Stage.DELETED, message.deleted_at, message.event_name


def _came(way: Sequence[_Point]) -> int:
    return next(at for stage, at, _ in way if stage in (Stage.RECEIVED, Stage.ASKED))


def _measured(way: Sequence[_Point], cause: _Point | None) -> Iterator[Step]:
    """The steps of a way, each measured from the one before it, the first from `cause`."""
    for stage, at, event in way:
        yield Step(stage, at, cause[0] if cause else None, at - cause[1] if cause else 0, event)
        cause = stage, at, event
