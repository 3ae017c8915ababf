"""A task, as it is written on the screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from imm_tui.tasks import SHAPES, Status, Task
from imm_tui.tui import task_words

NOON = 1_795_435_200_000
"""2026-11-23T12:00:00Z."""


def task(status: Status = Status.SUCCEEDED, **changes: object) -> Task:
    values: dict[str, object] = {"id": 1, "task_id": "t-1", "status": status, "seen_at": NOON, "submitted_at": NOON}
    return Task(**(values | changes))  # type: ignore[arg-type]


def test_a_running_task_without_a_figure_shows_life_and_no_figure() -> None:
    shown = {
        task_words.percent(task(Status.RUNNING, percent=percent), NOON + 1000 * s)
        for percent in (None, 0)
        for s in range(3)
    }
    assert shown == {"·  ", " · ", "  ·"}


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (task(percent=100), "100 %"),
        (task(Status.RUNNING, percent=40), "40 %"),
        (task(Status.FAILED, percent=0), "0 %"),
        (task(Status.FAILED), "–"),
        (task(Status.SUBMITTING), "–"),
        (task(Status.UNKNOWN), "–"),
    ],
)
def test_percent_is_the_services_own_figure(shown: Task, words: str) -> None:
    assert task_words.percent(shown, NOON) == words


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (task(page_count=5), "5 p"),
        (task(page_count=2368), "2,368 p"),
        (task(page_count=0), "0 p"),
        (task(Status.RUNNING, page_count=0), "–"),
        (task(Status.FAILED, page_count=0), "–"),
        (task(Status.RUNNING, page_count=3), "3 p"),
        (task(page_count=12_345), "12k p"),
        (task(page_count=10**9), "1000M p"),
        (task(), "–"),
    ],
)
def test_pages_are_counted_when_there_is_a_count(shown: Task, words: str) -> None:
    assert task_words.pages(shown) == words


def test_the_figures_say_what_there_is() -> None:
    done = task(page_count=5, target_type="png", finished_at=NOON + 2_100)
    assert task_words.figures(done, NOON) == "5 pages · png · took 2.1 s"
    assert task_words.figures(task(page_count=1, finished_at=NOON), NOON) == "1 page · took 0.0 s"
    assert task_words.figures(task(Status.RUNNING, target_type="png"), NOON + 12_400) == "png · for 12 s"
    assert task_words.figures(task(submitted_at=None, finished_at=NOON), NOON) == ""


def test_a_document_is_called_by_its_name_and_a_stranger_by_its_shortened_id() -> None:
    assert task_words.name(task(source_uri="oss://bucket/资料/5页\x1bWord.docx"), 14) == "5页␛Word.docx "
    long = task(task_id="formatconvert-0123456789abcdef0123456789abcdef")
    assert task_words.name(long, 40).rstrip() == "formatconvert-…456789abcdef"
    assert task_words.name(long, 20) == "formatc…456789abcdef"
    assert task_words.name(long, 8) == "…9abcdef", "what tells it from its neighbours"
    assert task_words.name(task(task_id="short\u202e"), 6) == "short\ufffd"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])), st.integers(0, 30))
def test_a_name_fills_its_cells_exactly(text: str, cells: int) -> None:
    assert cell_len(task_words.name(task(task_id=text), cells)) == cells


def test_every_status_has_a_shape_of_its_own() -> None:
    assert len(set(SHAPES.values())) == len(Status)
