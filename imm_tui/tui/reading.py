"""Reads a history for the screen: all there is at first, and from then on what is new."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from imm_tui.arrivals import Delivery
from imm_tui.history import History
from imm_tui.tasks import Status, Task
from imm_tui.tui.task_index import TaskIndex

_FIRST = 200
"""Tasks and deliveries that are read in full at first: more than are in sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A history as it was when it was first read."""

    index: TaskIndex
    newest: list[Task]
    """Those that are in sight at first."""
    received: dict[int, int]
    """How many events were received lately, as History.received_since has it."""
    last_event: int | None
    """When the newest event was received."""
    revision: int
    last_delivery: int


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What has come about in a history: no more of it than the screen needs of each of thousands."""

    statuses: dict[int, Status]
    """Of the tasks that are new or have changed, by their numbers."""
    removed: list[int]
    """The numbers of tasks that are no more."""
    received: Counter[int]
    """How many events were received at each time."""
    quarantined: list[Delivery]


def outline(path: Path, received_since: int, step: int) -> Outline:
    """All there is; it takes its time. Raises HistoryUnusable."""
    with History(path) as history:
        last_delivery = history.last_delivery()
        deliveries = history.deliveries(last_delivery - _FIRST)
        received = history.received_since(received_since, step)
        numbers, statuses, revision = history.outline()
        newest = history.tasks(limit=_FIRST)
    return Outline(
        index=TaskIndex.of(numbers, statuses),
        newest=newest,
        received=received,
        last_event=max((delivery.received_at for delivery in deliveries if delivery.event is not None), default=None),
        revision=revision,
        last_delivery=last_delivery,
    )


class Reading:
    """What is new in a history after `since`, until `close`. Raises HistoryUnusable, here and from every method."""

    def __init__(self, path: Path, since: Outline) -> None:
        self.history = History(path)
        self.version = 0
        """Another number whenever `news` has read what another connection has committed."""
        self._revision = since.revision
        self._last_delivery = since.last_delivery

    def close(self) -> None:
        self.history.close()

    @property
    def outdated(self) -> bool:
        """Whether anything was committed since `news` was last asked for."""
        return self.history.data_version() != self.version

    def news(self) -> News:
        """What has changed, and what was delivered, since this was last asked for."""
        # Asked first: what is committed while this reads is read the next time.
        self.version = self.history.data_version()
        statuses, removed, self._revision = self.history.turns(self._revision)
        received, quarantined, self._last_delivery = self.history.arrived(self._last_delivery)
        return News(statuses=statuses, removed=removed, received=received, quarantined=quarantined)
