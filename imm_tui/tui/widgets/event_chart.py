"""How many events came lately, as a line of bars, the newest at the right.

A bar is ten seconds of ten minutes; on a narrower screen twenty seconds of five.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from imm_tui.i18n import ngettext
from imm_tui.tasks import now
from imm_tui.tui.pace import Pace

STEP = 10_000
"""Milliseconds in which events are counted together."""

_KEPT = 60
"""Steps: ten minutes."""

CHARTED = _KEPT * STEP
"""Milliseconds: events before that are not drawn any more."""

_HIDDEN_BELOW, _NARROW_BELOW = 100, 160
"""Columns of the screen."""

_NONE, _BARS = "▁", "▂▃▄▅▆▇█"

_FULL = 7
"""Events that the highest bar stands for at least: a single one is no peak."""

_DISTANCE = 2
"""Cells from what is at its left. They are its own, so that nothing is left of it where it is hidden."""


class EventChart(Widget):
    """One line; it takes no room where the screen is too narrow."""

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self._counts: Counter[int] = Counter()
        """Events by the number of their step, counted from the epoch."""
        self._drawn = ""
        self._draw_soon = Pace(self, self.tick)

    def add(self, times: Iterable[int]) -> None:
        """Events were received at these times, in epoch milliseconds."""
        self.add_counted(Counter(time // STEP for time in times))

    def add_counted(self, counts: Mapping[int, int]) -> None:
        """So many events were received in each step, by its number since the epoch."""
        self._counts.update(counts)
        self._draw_soon()

    def tick(self) -> None:
        """Time has passed: repaints where that makes a difference."""
        newest = now() // STEP
        for step in [step for step in self._counts if step <= newest - _KEPT]:
            del self._counts[step]
        self._explain()
        drawn = self._bars()
        if drawn != self._drawn:
            self._drawn = drawn
            self.refresh()

    def _bars(self) -> str:
        number = self.size.width - _DISTANCE
        if number <= 0:
            return ""
        return bars(self._counts, now() // STEP, number, steps=1 if number == _KEPT else 2)

    def _explain(self) -> None:
        events = self._counts.total()
        told = ngettext("{count} event in ten minutes", "{count} events in ten minutes", events)
        most = max(self._counts.values(), default=0)
        peak = ngettext("at most {count} in ten seconds", "at most {count} in ten seconds", most)
        words = f"{told.format(count=f'{events:,}')} · {peak.format(count=f'{most:,}')}"
        if words != str(self.tooltip):
            self.tooltip = Content(words)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        if viewport.width < _HIDDEN_BELOW:
            return 0
        return _DISTANCE + (_KEPT // 4 if viewport.width < _NARROW_BELOW else _KEPT)

    def render(self) -> Content:
        self._drawn = self._bars()
        styled = ((bar, "$foreground 25%" if bar == _NONE else "$secondary") for bar in self._drawn)
        return Content.assemble(" " * _DISTANCE, *styled)


def bars(counts: Counter[int], newest: int, number: int, *, steps: int = 1) -> str:
    """The last `number` bars of so many steps each, up to the one with the step `newest`, as glyphs of their height."""
    grouped: Counter[int] = Counter()
    for step, count in counts.items():
        grouped[step // steps] += count
    last = newest // steps
    events = [grouped[bar] for bar in range(last - number + 1, last + 1)]
    full = max(_FULL, *events)
    return "".join(_BARS[-(-count * len(_BARS) // full) - 1] if count else _NONE for count in events)
