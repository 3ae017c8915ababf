"""The words at the top right: what the listener is doing, with a shape that says the same without colour."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from imm_tui.listener import ListenerState, Phase
from imm_tui.tasks import now
from imm_tui.tui import listener_words
from imm_tui.tui.theme import QUIET

_COLOURS = {
    Phase.STARTING: QUIET,
    Phase.LISTENING: "$text-success",
    Phase.PEEKING: "$text-success",
    Phase.RECONNECTING: "$text-warning",
    Phase.STOPPED: "$text-error",
    Phase.PAUSED: "$text-warning",
    Phase.WATCHING: "$text-success",
}

_SHARE, _LEAST = 1 / 3, 24
"""Of the screen's width, and cells: the rest is for what is looked at."""


class ListenerStatus(Widget):
    """One line; where it is too narrow, the details are shortened, and go at last."""

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self, state: ListenerState) -> None:
        super().__init__()
        self._state = state
        self._last_event: int | None = None
        self._words = listener_words.words(state, None, state.since)

    def show(self, state: ListenerState, last_event: int | None) -> None:
        """`last_event` is when the newest event was received."""
        self._state, self._last_event = state, last_event
        self.tick()

    def tick(self) -> None:
        """Time has passed: repaints where that makes a difference."""
        words = listener_words.words(self._state, self._last_event, now())
        if words != self._words:
            self._words = words
            self.refresh(layout=self._cells(self.app.size.width) != self.size.width)

    def _fitting(self, width: float) -> tuple[str, str]:
        """The fullest wording that fits into so many cells; what it is doing is said in any case."""
        first, details = self._words
        room = width - 2 - cell_len(first)
        return first, next((f"· {words}" for words in details if cell_len(words) + 3 <= room), "")

    def _cells(self, screen: int) -> int:
        """The same whatever it does, as far as there is room to say that: what stands beside it stays as it is."""
        return max(int(screen * _SHARE), _LEAST, 2 + cell_len(self._words[0]))

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return self._cells(viewport.width)

    def render(self) -> Content:
        first, details = self._fitting(self.size.width)
        phase = self._state.phase
        return Content.assemble(
            (f"{listener_words.SHAPES[phase]} ", _COLOURS[phase]), f"{first} " if details else first, (details, QUIET)
        )
