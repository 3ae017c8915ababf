"""How many tasks are in each status, and what a click on one does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from textual.app import App, ComposeResult

from imm_tui.tasks import Status
from imm_tui.tui import theme
from imm_tui.tui.widgets.status_counts import StatusCounts, query_of
from tests.tui.stage import seen

SOME = Counter({Status.RUNNING: 3, Status.FAILED: 1, Status.UNKNOWN: 0, Status.SUCCEEDED: 1_220})


class Shown(App[None]):
    CSS = "StatusCounts { width: 1fr; height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }"

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(theme.DARK)
        self.theme = theme.DARK.name
        self.counts = StatusCounts()
        self.queries: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.counts

    def on_status_counts_chosen(self, chosen: StatusCounts.Chosen) -> None:
        self.queries.append(chosen.query)


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (80, "◐ 3 running  ✘ 1 failed  ✔ 1,220 succeeded  all 1,224"),
        (55, "◐ 3 running  ✘ 1 failed  ✔ 1,220 succeeded  all 1,224"),
        (54, "◐ 3  ✘ 1  ✔ 1,220  all 1,224"),
    ],
)
async def test_each_status_that_some_task_has_is_counted(width: int, words: str) -> None:
    shown = Shown()
    async with shown.run_test(size=(width, 1)) as pilot:
        shown.counts.show(SOME, "")
        await pilot.pause()
        assert seen(shown).strip() == words


@pytest.mark.parametrize(
    ("chosen", "clicks", "queries"),
    [
        ("", [1, 11], ["status:running", "status:running"]),
        ("", [12, 13], []),
        ("", [14, 27], ["status:failed", "status:succeeded"]),
        ("status:failed", [14, 52], ["", ""]),
        ("status:failed", [5], ["status:running"]),
        ("status:failed", [60], []),
    ],
)
async def test_a_click_chooses_and_a_click_on_what_is_chosen_lets_go(
    chosen: str, clicks: Sequence[int], queries: list[str]
) -> None:
    shown = Shown()
    async with shown.run_test(size=(80, 1)) as pilot:
        shown.counts.show(SOME, chosen)
        for x in clicks:
            await pilot.click(offset=(x, 0))
        assert shown.queries == queries


async def test_what_is_chosen_is_marked_and_stays_when_no_task_is_left() -> None:
    shown = Shown()
    async with shown.run_test(size=(80, 1)) as pilot:
        shown.counts.show(Counter({Status.RUNNING: 1}), query_of(Status.FAILED))
        await pilot.pause()
        assert seen(shown).strip() == "◐ 1 running  ✘ 0 failed  all 1"
        marked = [segment.text for segment in shown.counts.render_line(0) if segment.style and segment.style.underline]
        assert "".join(marked) == "0 failed"


async def test_where_there_is_no_task_there_is_nothing_to_choose() -> None:
    shown = Shown()
    async with shown.run_test(size=(80, 1)) as pilot:
        shown.counts.show(Counter({Status.FAILED: 0}), "")
        await pilot.click(offset=(1, 0))
        assert not seen(shown).strip()
        assert not shown.queries


async def test_a_filter_of_another_kind_marks_none() -> None:
    shown = Shown()
    async with shown.run_test(size=(80, 1)) as pilot:
        shown.counts.show(SOME, "pages>10")
        await pilot.pause()
        assert not [it for it in shown.counts.render_line(0) if it.style and it.style.underline]


def test_each_status_has_a_query_of_its_own() -> None:
    assert [query_of(status) for status in (Status.FAILED, Status.UNKNOWN)] == ["status:failed", "status:unknown"]
