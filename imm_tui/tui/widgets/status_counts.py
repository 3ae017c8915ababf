"""How many tasks are in each status, as a line of words that filter the list when they are clicked."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from imm_tui.i18n import N_, _
from imm_tui.tasks import SHAPES, Status
from imm_tui.tui.theme import QUIET, STATUS_COLOURS

_WORDS = {
    Status.SUBMITTING: N_("submitting"),
    Status.RUNNING: N_("running"),
    Status.FAILED: N_("failed"),
    Status.UNKNOWN: N_("unknown"),
    Status.SUCCEEDED: N_("succeeded"),
}
"""In the order in which they want to be looked at."""

_ALL = ""
_BETWEEN = 2


def query_of(status: Status) -> str:
    """The filter that lets through the tasks of a status."""
    return f"status:{status.lower()}"


class StatusCounts(Widget):
    """One line; where it is too narrow, the words go and the shapes stay. A status that no task has is left out, but
    not the one that is chosen."""

    ALLOW_SELECT: ClassVar[bool] = False

    class Chosen(Message):
        """One was clicked. `query` is the filter that it stands for, "" for all tasks: also where the one that was
        clicked is chosen already."""

        def __init__(self, query: str) -> None:
            super().__init__()
            self.query = query

    def __init__(self) -> None:
        super().__init__()
        self._counts: Counter[Status] = Counter()
        self._chosen = _ALL
        self._hovered: str | None = None

    def show(self, counts: Counter[Status], chosen: str) -> None:
        """`chosen` is the filter of the list, of whatever kind."""
        if (counts, chosen) != (self._counts, self._chosen):
            self._counts, self._chosen = counts.copy(), chosen
            self.refresh()

    def _chips(self) -> list[tuple[str, Content]]:
        """Each query, and what stands for it."""
        whole = self._content(words=True)
        needed = sum(chip.cell_length + _BETWEEN for _query, chip in whole) - _BETWEEN
        return whole if needed <= self.size.width else self._content(words=False)

    def _content(self, *, words: bool) -> list[tuple[str, Content]]:
        chips = []
        for status, word in _WORDS.items():
            query, count = query_of(status), self._counts[status]
            if count or query == self._chosen:
                told = f"{count:,} {_(word)}" if words else f"{count:,}"
                shape = (f"{SHAPES[status]} ", STATUS_COLOURS[status] if count else QUIET)
                chips.append((query, Content.assemble(shape, (told, self._style(query)))))
        if chips:
            told = _("all {count}").format(count=f"{self._counts.total():,}")
            chips.append((_ALL, Content.styled(told, self._style(_ALL))))
        return chips

    def _style(self, query: str) -> str:
        if query == self._chosen and query != _ALL:
            return "bold underline $foreground"
        return "$foreground" if query in (self._chosen, self._hovered) else QUIET

    def render(self) -> Content:
        return Content(" " * _BETWEEN).join(chip for _query, chip in self._chips())

    def _at(self, x: int) -> str | None:
        """The query of what stands in the column `x`."""
        left = 0
        for query, chip in self._chips():
            if left <= x < left + chip.cell_length:
                return query
            left += chip.cell_length + _BETWEEN
        return None

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        query = self._at(offset.x) if offset is not None else None
        if query is not None:
            self.post_message(self.Chosen(_ALL if query == self._chosen else query))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        offset = event.get_content_offset(self)
        self._hover(self._at(offset.x) if offset is not None else None)

    def on_leave(self) -> None:
        self._hover(None)

    def _hover(self, query: str | None) -> None:
        if query != self._hovered:
            self._hovered = query
            self.refresh()
