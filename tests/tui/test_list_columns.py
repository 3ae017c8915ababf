"""The columns: which ones there are at a width, under which title what stands, and how wide all of it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, set_cell_size

from imm_tui import i18n
from imm_tui.history import Column, Order
from imm_tui.tasks import Status
from imm_tui.tui import task_words
from imm_tui.tui.columns import Columns, ordered_by, progress, turned
from tests.tui.conftest import lines, now
from tests.tui.test_task_list import Listing, task

AT = 1_800_000_000_000


@pytest.fixture(params=list(i18n.LANGUAGES), autouse=True)
def language(request: pytest.FixtureRequest) -> Iterator[None]:
    before = i18n.language()
    i18n.use(request.param)
    yield
    i18n.use(before)


def words(width: int, order: Order | None = None) -> list[str]:
    return [text.strip() for text, _ in Columns(width).titles(order or Order()) if text.strip()]


def test_the_narrower_the_list_the_fewer_the_columns_and_the_bar_goes_first() -> None:
    failed = task(1, Status.FAILED, code="InvalidFile.Type", submitted_at=AT - 5_000, finished_at=AT)
    running = task(1, Status.RUNNING, percent=50, submitted_at=AT - 5_000)
    shown = {width: [text for text, _ in Columns(width).figures(failed, AT)] for width in (12, 40, 57, 77, 121)}
    assert [len(words(width)) for width in shown] == sorted(len(words(width)) for width in shown)
    assert "InvalidFile.Type" in "".join(shown[121])
    assert "InvalidFile.Type" not in "".join(shown[77])
    bars = {width: any(kind == "bar" for _, kind in Columns(width).figures(running, AT)) for width in shown}
    assert bars == {12: False, 40: False, 57: False, 77: True, 121: True}
    assert len(words(57)) == len(words(77)) == 5, "the bar has no title of its own"


def test_a_name_has_more_room_than_a_code_that_most_tasks_lack() -> None:
    assert Columns(97).name_cells >= 40


@pytest.mark.parametrize("pages", [1, 9_999, 10_000, 999_999, 5_000_000])
@pytest.mark.parametrize("seconds", [9, 59, 59 * 60, 23 * 3600, 300 * 86400])
def test_no_figure_is_cut_in_either_language(pages: int, seconds: int) -> None:
    it = task(1, page_count=pages, percent=100, submitted_at=AT - seconds * 1000, finished_at=AT)
    told = "".join(text for text, _ in Columns(121).figures(it, AT))
    assert "…" not in told
    assert f" {task_words.pages(it)} " in told
    assert f" {task_words.age(it, AT)} " in told


@pytest.mark.parametrize("column", Column)
def test_a_title_sorts_by_the_column_that_it_stands_over(column: Column) -> None:
    columns = Columns(120)
    for order in (ordered_by(column, Order()), turned(ordered_by(column, Order()))):
        start = 0
        for text, sorted_by in columns.titles(order):
            if sorted_by:
                assert {columns.at(x) for x in range(start + 1, start + cell_len(text))} == {column}
                assert text.rstrip().endswith("▾" if order.descending else "▴")
            start += cell_len(text)
        assert sum(sorted_by for _, sorted_by in columns.titles(order)) == 1


def test_an_order_that_no_title_shows_is_told_otherwise() -> None:
    assert not Columns(120).untitled(Order(Column.PAGES))
    assert Columns(30).untitled(Order(Column.PAGES)).endswith("▾")
    assert Columns(77).untitled(Order(descending=False))
    assert not Columns(77).untitled(Order()), "the newest first is what a list is"


@given(st.integers(0, 130), st.integers(0, 10**7), st.text(max_size=20), st.sampled_from(Status), st.integers(0, 100))
def test_figures_and_titles_are_as_wide_as_each_other(
    width: int, pages: int, text: str, status: Status, percent: int
) -> None:
    columns = Columns(width)
    it = task(1, status, target_type=text, code=text, percent=percent, page_count=pages, submitted_at=0)
    figures = "".join(text for text, _ in columns.figures(it, AT))
    titles = [text for text, _ in columns.titles(Order(Column.STATUS))]
    assert 3 + cell_len(figures) == cell_len("".join(titles[:-1])) + 1
    if columns.name_cells:
        assert 3 + cell_len(figures) + columns.name_cells == width


@given(st.one_of(st.none(), st.integers(-5, 500)), st.sampled_from(Status))
def test_a_bar_is_drawn_where_the_service_reports_how_far_it_is(percent: int | None, status: Status) -> None:
    done, rest = progress(task(1, status, percent=percent))
    assert cell_len(done + rest) == 6
    if status is not Status.RUNNING or not percent:
        assert not (done + rest).strip(), "a row that is at rest stays calm"
    elif percent >= 100:
        assert done == "━" * 6


async def test_figures_of_each_row_stand_under_each_other() -> None:
    tasks = [
        task(1, page_count=12345, percent=100, target_type="长长长长长", submitted_at=now() - 9_000, finished_at=now()),
        task(2, Status.RUNNING, name="季度报告.pptx", percent=7, target_type="pdf"),
        task(3, Status.FAILED, target_type=None, code="内部错误", submitted_at=None),
    ]
    listing = Listing(tasks)
    async with listing.run_test(size=(110, 12)):
        titles, *rows = [strip.text for strip in lines(listing.widget)[:4]]
        name = cell_len(titles.rstrip()) - cell_len(titles.split()[-1])
        for row, it in zip(rows, reversed(tasks), strict=True):
            before = set_cell_size(row, name)
            assert row.removeprefix(before).rstrip() == it.name
            assert before.endswith(" ")
