"""How many events came lately, as bars."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.geometry import Region

from imm_tui.tasks import now
from imm_tui.tui import theme
from imm_tui.tui.widgets.event_chart import EventChart, bars
from tests.tui.stage import seen, until


class Shown(App[None]):
    CSS = "EventChart { width: auto; height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(theme.DARK)
        self.theme = theme.DARK.name
        self.chart = EventChart()

    def compose(self) -> ComposeResult:
        yield self.chart


def test_the_newest_is_at_the_right_and_nothing_is_a_line_on_the_ground() -> None:
    assert bars(Counter({100: 7, 98: 1, 40: 99}), newest=100, number=5) == "▁▁▂▁█"


def test_a_bar_of_two_steps_keeps_them_together_while_time_goes_on() -> None:
    counts = Counter({100: 2, 101: 5, 102: 1})
    assert bars(counts, newest=102, number=4, steps=2) == "▁▁█▂"
    assert bars(counts, newest=103, number=4, steps=2) == "▁▁█▂"
    assert bars(counts, newest=104, number=4, steps=2) == "▁█▂▁"


@pytest.mark.parametrize(("peak", "drawn"), [(1, "▂"), (4, "▅"), (7, "█"), (7_000, "█")])
def test_a_few_events_are_no_peak(peak: int, drawn: str) -> None:
    assert bars(Counter({1: peak}), newest=1, number=1) == drawn


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60).map(sorted))
def test_more_events_are_never_a_lower_bar_and_one_is_never_none(counts: list[int]) -> None:
    drawn = bars(Counter(dict(enumerate(counts))), newest=len(counts) - 1, number=len(counts))
    heights = ["▁▂▃▄▅▆▇█".index(bar) for bar in drawn]
    assert heights == sorted(heights)
    assert [height > 0 for height in heights] == [count > 0 for count in counts]


@pytest.mark.parametrize(("columns", "cells"), [(80, 0), (99, 0), (100, 15), (159, 15), (160, 60), (200, 60)])
async def test_it_takes_the_room_that_there_is(columns: int, cells: int) -> None:
    shown = Shown()
    async with shown.run_test(size=(columns, 3)) as pilot:
        shown.chart.add([now()] * 3)
        await pilot.pause()
        drawn = seen(shown).strip()
        assert len(drawn) == cells
        assert drawn.strip("▁") == ("▄" if cells else "")


async def test_the_tooltip_tells_the_figures() -> None:
    shown = Shown()
    async with shown.run_test():
        moment = now()
        shown.chart.add([moment, moment, moment - 300_000, moment - 900_000])
        assert str(shown.chart.tooltip) == "3 events in ten minutes · at most 2 in ten seconds"


async def test_time_that_changes_nothing_repaints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Shown()
    async with shown.run_test(size=(120, 3)) as pilot:
        painted: list[Region] = []
        monkeypatch.setattr(shown.chart, "refresh", lambda *regions, **_: painted.extend(regions or [Region()]))
        shown.chart.tick()
        shown.chart.add([])
        shown.chart.add([now() - 900_000])
        assert not painted
        shown.chart.add([now()])
        await until(pilot, lambda: bool(painted))
