"""The columns of the task list: which ones fit a width, their titles, what stands in them; all measured in cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rich.cells import cell_len

from imm_tui.history import Column, Order
from imm_tui.i18n import N_, _
from imm_tui.tasks import Status, Task
from imm_tui.text import line
from imm_tui.tui import task_words
from imm_tui.tui.cells import NOTHING, fit, fit_right
from imm_tui.tui.times import clock, elapsed

ASCENDING, DESCENDING = "▴", "▾"
"""Beside the title of the column that the list is sorted by; their width is not ambiguous, that of larger ones is."""

_BAR = 6
_SPANS = (59_000, 59 * 60_000, 23 * 3_600_000, 999 * 86_400_000)
"""Milliseconds: the durations that are the widest to read."""

_LONG = Task(id=0, task_id=None, status=Status.SUCCEEDED, page_count=9_999, seen_at=0)
"""It has the count of pages that is the widest to read."""


def ordered_by(column: Column, order: Order) -> Order:
    """`order` with that column to sort by, at first in the direction in which people look for it."""
    figures = (Column.SUBMITTED, Column.PAGES, Column.PERCENT, Column.TIME)
    return replace(order, column=column, descending=column in figures)


def turned(order: Order) -> Order:
    return replace(order, descending=not order.descending)


def progress(task: Task) -> tuple[str, str]:
    """How far a task has come, where the service reports it: the bar and the rest of it."""
    if task.status is not Status.RUNNING or not task.percent:
        return "", " " * _BAR
    halves = round(2 * _BAR * min(max(task.percent, 0), 100) / 100)
    done = "━" * (halves // 2) + "╸" * (halves % 2)
    return done, "─" * (_BAR - len(done))


@dataclass(frozen=True, slots=True)
class _Figure:
    """A column between the shape of the status and the name of the document."""

    key: str
    column: Column | None
    """What a click on its title sorts by."""
    title: str
    cells: int
    """Its least width; a title that is wider makes it wider."""
    leaves: int
    """It is shown where so many cells are left to the name."""
    text: Callable[[Task, int], str]
    right: bool = True


def _type(task: Task, at: int) -> str:
    return line(task.target_type or NOTHING)


def _pages(task: Task, at: int) -> str:
    return task_words.pages(task)


def _submitted(task: Task, at: int) -> str:
    return clock(task.seen_at if task.submitted_at is None else task.submitted_at, at)


def _code(task: Task, at: int) -> str:
    return line(task.code or NOTHING) if task.status is Status.FAILED else ""


# In their order on the screen.
_FIGURES = (
    _Figure("type", Column.TYPE, N_("type"), 6, 14, _type, right=False),
    _Figure("pages", Column.PAGES, N_("pages"), 6, 14, _pages),
    _Figure("percent", Column.PERCENT, N_("done"), 5, 8, task_words.percent),
    _Figure("bar", Column.PERCENT, "", _BAR, 22, lambda *_: "", right=False),
    _Figure("time", Column.TIME, N_("time"), 6, 6, task_words.age),
    _Figure("submitted", Column.SUBMITTED, N_("submitted"), 11, 36, _submitted),
    _Figure("code", None, N_("code"), 16, 48, _code, right=False),
)
_IMPORTANCE = ("time", "percent", "pages", "type", "bar", "submitted", "code")

_MARKS = 3
"""Cells of what is in front: that the row is marked, the shape of its status, what stands beside the shape."""

_GAP = 1
"""Between two columns, and once more in front of the name."""


class Columns:
    """The columns that a list of this width has. It is made for the language of the moment."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._cells = {it.key: self._measured(it) for it in _FIGURES}
        left = width - _MARKS - _GAP
        shown = set()
        figures = {it.key: it for it in _FIGURES}
        for key in _IMPORTANCE:
            left -= _GAP + self._cells[key]
            if left < figures[key].leaves:
                break
            shown.add(key)
        self._shown = [it for it in _FIGURES if it.key in shown]
        taken = sum(_GAP + self._cells[it.key] for it in self._shown)
        self.name_cells = max(width - _MARKS - taken - _GAP, 0)
        """What is left to the name."""

    def _measured(self, figure: _Figure) -> int:
        widths = [figure.cells]
        if figure.title:
            widths.append(cell_len(_(figure.title)) + 1)  # and its direction, when the list is sorted by it
        if figure.key == "time":
            widths += [cell_len(elapsed(span)) for span in _SPANS]
        if figure.key == "pages":
            widths.append(cell_len(task_words.pages(_LONG)))
        return max(widths)

    def titles(self, order: Order) -> list[tuple[str, bool]]:
        """The row of titles in pieces, each with whether the list is sorted by it."""
        direction = DESCENDING if order.descending else ASCENDING
        by = order.column
        pieces = [(f" {direction} " if by is Column.STATUS else " " * _MARKS, by is Column.STATUS)]
        for it in self._shown:
            sorted_by = bool(it.title) and it.column is by
            title = _(it.title) + (direction if sorted_by else " " if it.title and it.right else "")
            pieces.append((" " * _GAP + self._placed(it, title), sorted_by))
        sorted_by = by is Column.DOCUMENT
        pieces.append((" " * _GAP + _("document") + (direction if sorted_by else ""), sorted_by))
        return pieces

    def untitled(self, order: Order) -> str:
        """What no title says of the order; "" where nothing is left to be said."""
        direction = DESCENDING if order.descending else ASCENDING
        if order.column in (Column.STATUS, Column.DOCUMENT) or any(it.column is order.column for it in self._shown):
            return ""
        if order.column is Column.SUBMITTED:
            return "" if order.descending else _("oldest first")
        title = next(_(it.title) for it in _FIGURES if it.column is order.column)
        return _("by {column}").format(column=title) + direction

    def at(self, x: int) -> Column | None:
        """What the title in this cell sorts by."""
        end = _MARKS
        if x < end:
            return Column.STATUS
        for it in self._shown:
            end += _GAP + self._cells[it.key]
            if x < end:
                return it.column
        return Column.DOCUMENT

    def figures(self, task: Task, at: int) -> list[tuple[str, str]]:
        """What stands between the marks and the name, in pieces, each with what it is: "bar", its "rest", or ""."""
        pieces = []
        for it in self._shown:
            pieces.append((" " * _GAP, ""))
            if it.key == "bar":
                done, rest = progress(task)
                pieces += [(done, "bar"), (rest, "rest")]
            else:
                pieces.append((self._placed(it, it.text(task, at)), ""))
        return [*pieces, (" " * _GAP, "")]

    def _placed(self, figure: _Figure, text: str) -> str:
        cells = self._cells[figure.key]
        return fit_right(text, cells) if figure.right else fit(text, cells)
