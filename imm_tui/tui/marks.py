"""Which rows a person has marked, by their numbers: one at a time, as a range that grows and shrinks, or all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol


class Rows(Protocol):
    """Which rows there are, each with a number of its own that stays."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[int]: ...
    def id_at(self, row: int) -> int: ...
    def row_of(self, number: int) -> int | None: ...


class Marks:
    """A mark stays on its number, listed or not, until it is taken away."""

    def __init__(self) -> None:
        self._numbers: set[int] = set()
        self._anchor: int | None = None
        self._range: set[int] = set()
        """What the range under way has marked: unmarked again when it shrinks."""

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, number: int) -> bool:
        return number in self._numbers

    def toggle(self, number: int) -> None:
        self._numbers ^= {number}
        self._anchor, self._range = number, set()

    def extend(self, rows: Rows, start: int, to: int) -> None:
        """Marks the range that ends at `to`. It begins where the last one began or a mark was set, else at `start`."""
        if self._anchor is None or rows.row_of(self._anchor) is None:
            self._anchor, self._range = start, set()
        first, last = rows.row_of(self._anchor), rows.row_of(to)
        if first is None or last is None:
            return
        between = {rows.id_at(row) for row in range(min(first, last), max(first, last) + 1)}
        self._numbers -= self._range
        self._range = between - self._numbers
        self._numbers |= self._range

    def end_range(self) -> None:
        """The next range begins anew."""
        self._anchor, self._range = None, set()

    def mark_all(self, rows: Rows) -> None:
        """Marks all of them; where all are marked, nothing is any more."""
        listed = set(rows)
        if listed <= self._numbers:
            self.clear()
        else:
            self.end_range()
            self._numbers |= listed

    def add(self, numbers: Iterable[int]) -> None:
        self._numbers.update(numbers)

    def clear(self) -> None:
        self._numbers.clear()
        self.end_range()

    def forget(self, numbers: Iterable[int]) -> None:
        """These are no more."""
        self._numbers.difference_update(numbers)

    def unlisted(self, rows: Rows) -> int:
        """How many are not among these."""
        return sum(rows.row_of(number) is None for number in self._numbers)

    def in_order(self, rows: Iterable[int]) -> list[int]:
        """All of them as they are listed, then the others, the highest first."""
        listed = [number for number in rows if number in self._numbers] if self._numbers else []
        return listed + sorted(self._numbers.difference(listed), reverse=True)
