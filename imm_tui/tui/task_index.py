"""Which tasks there are, newest first, and how many of each status: nine bytes a task, however many there are."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

from imm_tui.tasks import Status

_STATUSES = tuple(Status)


class TaskIndex:
    """The numbers of all tasks in the order of the list: row 0 is the highest number, the newest task."""

    def __init__(self, tasks: Iterable[tuple[int, Status]] = ()) -> None:
        # Upside down: numbers only ever grow, so that a new one is appended and nothing has to move.
        self._ids = array("q")
        self._statuses = bytearray()
        self.counts: Counter[Status] = Counter()
        for task, status in tasks:
            self.put(task, status)

    def __len__(self) -> int:
        return len(self._ids)

    def id_at(self, row: int) -> int:
        return self._ids[len(self._ids) - 1 - row]

    def row_of(self, task: int) -> int | None:
        at = bisect_left(self._ids, task)
        return len(self._ids) - 1 - at if at < len(self._ids) and self._ids[at] == task else None

    def put(self, task: int, status: Status) -> bool:
        """Adds a task, or notes its new status; true when it is new."""
        self.counts[status] += 1
        at = bisect_left(self._ids, task)
        if at < len(self._ids) and self._ids[at] == task:
            self.counts[_STATUSES[self._statuses[at]]] -= 1
            self._statuses[at] = _STATUSES.index(status)
            return False
        self._ids.insert(at, task)
        self._statuses.insert(at, _STATUSES.index(status))
        return True

    def remove(self, task: int) -> bool:
        """Takes a task out; false when it was not there."""
        at = bisect_left(self._ids, task)
        if at == len(self._ids) or self._ids[at] != task:
            return False
        del self._ids[at]
        self.counts[_STATUSES[self._statuses.pop(at)]] -= 1
        return True
