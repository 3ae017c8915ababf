"""How many events came lately, as a line of bars: ten seconds each, the newest at the right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from imm_tui.i18n import ngettext
from imm_tui.tasks import now

_BAR = 10_000
"""Milliseconds that one bar stands for."""

_WIDE, _NARROW = 60, 30
"""Bars: ten minutes, and five."""

_HIDDEN_BELOW, _NARROW_BELOW = 100, 160
"""Columns of the screen."""

_NONE, _BARS = "▁", "▂▃▄▅▆▇█"

_FULL = 7
"""Events that the highest bar stands for at least: a single one is no peak."""


class EventChart(Widget):
    """One line, with its distance from what is at its left; it takes no room where the screen is too narrow."""

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self._counts: Counter[int] = Counter()
        """Events by the number of their bar, counted from the epoch."""
        self._drawn = _NONE * _WIDE

    def add(self, times: Iterable[int]) -> None:
        """Events were received at these times, in epoch milliseconds."""
        self._counts.update(time // _BAR for time in times)
        self.tick()

    def tick(self) -> None:
        """Time has passed: repaints where that makes a difference."""
        newest = now() // _BAR
        for bar in [bar for bar in self._counts if bar <= newest - _WIDE]:
            del self._counts[bar]
        drawn = bars(self._counts, newest, _WIDE)
        if drawn != self._drawn:
            self._drawn = drawn
            self._explain()
            self.refresh()

    def _explain(self) -> None:
        events = self._counts.total()
        told = ngettext("{count} event in ten minutes", "{count} events in ten minutes", events)
        most = max(self._counts.values(), default=0)
        peak = ngettext("at most {count} in ten seconds", "at most {count} in ten seconds", most)
        self.tooltip = Content(f"{told.format(count=f'{events:,}')} · {peak.format(count=f'{most:,}')}")

    def get_content_width(self, container: Size, viewport: Size) -> int:
        if viewport.width < _HIDDEN_BELOW:
            return 0
        return 2 + (_NARROW if viewport.width < _NARROW_BELOW else _WIDE)

    def render(self) -> Content:
        shown = self._drawn[-(self.size.width - 2) :] if self.size.width > 2 else ""
        styled = ((bar, "$foreground 25%" if bar == _NONE else "$accent 80%") for bar in shown)
        return Content.assemble("  ", *styled)


def bars(counts: Counter[int], newest: int, number: int) -> str:
    """The last `number` bars up to the one numbered `newest`, each as a glyph of its height."""
    events = [counts[bar] for bar in range(newest - number + 1, newest + 1)]
    full = max(_FULL, *events)
    return "".join(_BARS[-(-count * len(_BARS) // full) - 1] if count else _NONE for count in events)
