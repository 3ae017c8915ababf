"""How far a task has come, as a bar. While the service reports nothing it only says that the task is alive."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

_STEP = 0.25
"""Seconds between two places of the wandering piece: it drifts, it does not race."""

_PIECE = 6
_FIGURE = 6


class PercentBar(Widget):
    """One line: the bar, and the figure where there is one."""

    ALLOW_SELECT: ClassVar[bool] = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"percent-bar--done", "percent-bar--rest", "percent-bar--figure"}

    def __init__(self) -> None:
        super().__init__()
        self._percent: int | None = None
        self._at = 0
        self._timer = self.set_interval(_STEP, self._drift, pause=True)

    def show(self, percent: int | None) -> None:
        """None: the service reports nothing."""
        if percent is None and self.app.animation_level != "none":
            self._timer.resume()
        else:
            self._timer.pause()
        self._percent = percent
        self.refresh()

    def rest(self) -> None:
        """Nobody sees it any more: it need not move."""
        self._timer.pause()

    def _drift(self) -> None:
        self._at += 1
        self.refresh()

    def render_line(self, y: int) -> Strip:
        done = self.get_component_rich_style("percent-bar--done")
        rest = self.get_component_rich_style("percent-bar--rest")
        width = max(self.size.width - _FIGURE, 1)
        if self._percent is None:
            way = max(width - _PIECE, 1)
            at = way - abs(self._at % (2 * way) - way)  # there and back again
            segments = [Segment("━" * at, rest), Segment("━" * min(_PIECE, width - at), done)]
            segments.append(Segment("━" * max(width - at - _PIECE, 0), rest))
            return Strip(segments).extend_cell_length(self.size.width, rest)
        filled = round(width * min(self._percent, 100) / 100)
        figure = self.get_component_rich_style("percent-bar--figure")
        segments = [Segment("━" * filled, done), Segment("━" * (width - filled), rest)]
        return Strip([*segments, Segment(f"{self._percent:>4} %", figure)])
