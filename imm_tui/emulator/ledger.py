"""The ledger: what really became of every message and every submission, whatever a client was told."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

Action = Literal["publish", "send", "drop", "receive", "delete", "visibility", "void", "redeliver", "expire", "submit"]

KEPT = 200_000
"""Entries; older ones make room."""


@dataclass(frozen=True, slots=True)
class _Entry:
    at: int
    action: Action
    queue: str | None
    message_id: str | None
    topic_message_id: str | None
    dequeue_count: int
    more: dict[str, object]


class Ledger:
    """Entries are numbered from 1, in the order in which things were done."""

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque(maxlen=KEPT)
        self._recorded = 0

    def record(
        self,
        action: Action,
        at: float,
        *,
        queue: str | None = None,
        message_id: str | None = None,
        topic_message_id: str | None = None,
        dequeue_count: int = 0,
        **more: object,
    ) -> None:
        """`at` is in seconds since the epoch, and in milliseconds where the ledger is read."""
        entry = _Entry(int(at * 1000), action, queue, message_id, topic_message_id, dequeue_count, more)
        self._entries.append(entry)
        self._recorded += 1

    @property
    def dropped(self) -> int:
        """How many of the oldest entries had to make room."""
        return self._recorded - len(self._entries)

    def entries(self, after: int = 0, queue: str | None = None) -> Iterator[dict[str, object]]:
        """What was recorded after the entry `after`; of one queue, if it is named."""
        first = max(after, self.dropped)
        for number, entry in enumerate(islice(self._entries, first - self.dropped, None), first + 1):
            if queue is None or entry.queue == queue:
                yield {
                    "id": number,
                    "at": entry.at,
                    "action": entry.action,
                    "queue": entry.queue,
                    "message_id": entry.message_id,
                    "topic_message_id": entry.topic_message_id,
                    "dequeue_count": entry.dequeue_count,
                    **entry.more,
                }

    def clear(self) -> None:
        self._entries.clear()
        self._recorded = 0
