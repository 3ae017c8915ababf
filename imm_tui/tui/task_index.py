"""Which tasks are listed: all of them newest first, nine bytes a task, or those that the history has found."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import neg

from imm_tui.history import Order
from imm_tui.tasks import Status

_STATUSES = tuple(Status)

_PIECE = 4096


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What a person wants listed, and how."""

    order: Order = field(default_factory=Order)
    query: str = ""
    """The filter as it was typed."""
    folded: bool = False
    """Tasks that have succeeded are not listed."""

    @property
    def plain(self) -> bool:
        """All tasks, newest first: what a TaskIndex has without a question to the history."""
        return self == Arrangement()

    @property
    def partial(self) -> bool:
        """Only some of the tasks are wanted."""
        return bool(self.query) or self.folded


class Found:
    """Numbers in the order that they were found in. It is made in pieces that hold up no other thread for long.

    `newest_first`: the numbers only fall. Not `whole`: below these there may be more, which are still looked for.
    """

    def __init__(self, ids: Sequence[int], *, newest_first: bool = False, whole: bool = True) -> None:
        self.whole = whole
        self._ids = ids
        self._newest_first = newest_first
        # By its number the row of each, from 1: a dictionary would take ten times the memory, and much of it at once.
        self._rows = array("i")
        if newest_first:
            return
        for start in range(0, len(ids), _PIECE):
            piece = ids[start : start + _PIECE]
            if (missing := max(piece) + 1 - len(self._rows)) > 0:
                self._rows.frombytes(bytes(missing * self._rows.itemsize))
            for row, number in enumerate(piece, start + 1):
                self._rows[number] = row

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids)

    def id_at(self, row: int) -> int:
        return self._ids[row]

    def row_of(self, number: int) -> int | None:
        if self._newest_first:
            row = bisect_left(self._ids, -number, key=neg)
            return row if row < len(self._ids) and self._ids[row] == number else None
        place = self._rows[number] if number < len(self._rows) else 0
        return place - 1 if place else None


class TaskIndex:
    """The numbers of all tasks in the order of the list: row 0 is the highest number, the newest task."""

    def __init__(self, tasks: Iterable[tuple[int, Status]] = ()) -> None:
        # Upside down: numbers only ever grow, so that a new one is appended and nothing has to move.
        self._ids = array("q")
        self._statuses = bytearray()
        self.counts: Counter[Status] = Counter()
        for task, status in tasks:
            self.put(task, status)

    @classmethod
    def of(cls, numbers: array[int], statuses: bytes) -> TaskIndex:
        """Of all the tasks of a history, as History.outline gives them."""
        index = cls()
        index._ids, index._statuses = numbers, bytearray(statuses)
        index.counts.update({status: statuses.count(place) for place, status in enumerate(_STATUSES)})
        return index

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[int]:
        return reversed(self._ids)

    def id_at(self, row: int) -> int:
        return self._ids[len(self._ids) - 1 - row]

    def row_of(self, task: int) -> int | None:
        at = bisect_left(self._ids, task)
        return len(self._ids) - 1 - at if at < len(self._ids) and self._ids[at] == task else None

    def status_of(self, task: int) -> Status | None:
        at = bisect_left(self._ids, task)
        known = at < len(self._ids) and self._ids[at] == task
        return _STATUSES[self._statuses[at]] if known else None

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
