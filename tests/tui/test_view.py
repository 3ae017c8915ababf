"""Words, figures and times, as they are written on the screen."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from imm_tui.errors import Refused, Unreachable
from imm_tui.listener import ListenerState, Phase
from imm_tui.tasks import SHAPES, Status, Task
from imm_tui.tui import view

NOON = 1_795_435_200_000
"""2026-11-23T12:00:00Z."""


def task(status: Status = Status.SUCCEEDED, **changes: object) -> Task:
    values: dict[str, object] = {"id": 1, "task_id": "t-1", "status": status, "seen_at": NOON, "submitted_at": NOON}
    return Task(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (0, "0.0 s"),
        (-500, "0.0 s"),
        (2_149, "2.1 s"),
        (9_999, "9.9 s"),
        (10_000, "10 s"),
        (61_000, "1 m"),
        (3_600_000, "1 h"),
        (5 * 86_400_000, "5 d"),
    ],
)
def test_a_duration_has_its_unit(span: int, words: str) -> None:
    assert view.duration(span) == words


def test_an_exact_time_is_local_and_names_its_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        assert view.moment(NOON + 42) == "2026-11-23 20:00:00.042+08:00"
        assert view.clock(NOON, NOON + 60_000) == "20:00"
        assert view.clock(NOON, NOON + 86_400_000) == "11-23 20:00"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_time_beyond_the_calendar_is_no_time() -> None:
    assert view.moment(10**18) == view.NOTHING
    assert view.clock(10**18, NOON) == view.NOTHING


def test_a_running_task_without_a_figure_shows_life_and_no_figure() -> None:
    shown = {
        view.percent(task(Status.RUNNING, percent=percent), NOON + 1000 * s) for percent in (None, 0) for s in range(3)
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
    assert view.percent(shown, NOON) == words


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
    assert view.pages(shown) == words


def test_the_figures_say_what_there_is() -> None:
    done = task(page_count=5, target_type="png", finished_at=NOON + 2_100)
    assert view.figures(done, NOON) == "5 pages · png · took 2.1 s"
    assert view.figures(task(page_count=1, finished_at=NOON), NOON) == "1 page · took 0.0 s"
    assert view.figures(task(Status.RUNNING, target_type="png"), NOON + 12_400) == "png · for 12 s"
    assert view.figures(task(submitted_at=None, finished_at=NOON), NOON) == ""


def test_a_document_is_called_by_its_name_and_a_stranger_by_its_shortened_id() -> None:
    assert view.name(task(source_uri="oss://bucket/资料/5页\x1bWord.docx"), 14) == "5页␛Word.docx "
    long = task(task_id="formatconvert-0123456789abcdef0123456789abcdef")
    assert view.name(long, 40).rstrip() == "formatconvert-…456789abcdef"
    assert view.name(long, 20) == "formatc…456789abcdef"
    assert view.name(long, 8) == "…9abcdef", "what tells it from its neighbours"
    assert view.name(task(task_id="short\u202e"), 6) == "short\ufffd"


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from("\n页x"))


@given(texts, st.integers(2, 30))
def test_folding_loses_nothing_and_fits(text: str, width: int) -> None:
    pieces = [text[start:end] for start, end in view.fold(text, width)]
    assert "".join(pieces) == text.replace("\n", "")
    assert len(pieces) >= len(text.split("\n"))
    assert all(cell_len(piece) <= width for piece in pieces)


def test_folding_keeps_empty_lines() -> None:
    assert [("a\n\nbc")[start:end] for start, end in view.fold("a\n\nbc", 1)] == ["a", "", "b", "c"]


@given(texts.map(lambda text: text.replace("\n", "")), st.integers(0, 30))
def test_fitting_fills_the_cells_exactly(text: str, cells: int) -> None:
    assert cell_len(view.fit(text, cells)) == cell_len(view.fit_end(text, cells)) == cells
    assert cell_len(view.name(task(task_id=text), cells)) == cells


def test_a_cut_name_ends_in_an_ellipsis_and_halves_no_glyph() -> None:
    assert view.fit("很长的中文名字.docx", 8) == "很长的 …"
    assert view.fit("short", 8) == "short   "
    assert view.fit_end("很长的中文名字.docx", 8) == "…字.docx"


def test_a_trouble_is_told_whole_and_clean() -> None:
    what, rest = view.told(Refused("Refused\x1b[31m.", "Because.", "Do this.", request_id="R-1"))
    assert what == "Refused␛[31m."
    assert rest == "Because. Do this. RequestId R-1."


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ListenerState(phase=Phase.STARTING, since=NOON), "starting"),
        (
            ListenerState(phase=Phase.RECONNECTING, since=NOON, trouble=Unreachable("Cut."), retry_at=NOON + 4_200),
            "reconnecting in 5 s",
        ),
        (ListenerState(phase=Phase.RECONNECTING, since=NOON, retry_at=NOON - 1), "reconnecting now"),
        (ListenerState(phase=Phase.STOPPED, since=NOON), "stopped"),
        (ListenerState(phase=Phase.PAUSED, since=NOON), "paused · events wait on the queue"),
        (ListenerState(phase=Phase.WATCHING, since=NOON), "another imm-tui is listening · watching its history"),
    ],
)
def test_the_listener_is_told_in_words(state: ListenerState, words: str) -> None:
    first, details = view.listener_words(state, None, NOON)
    assert " · ".join([first, *details]) == words


def test_a_listener_says_since_when_and_how_long_ago_the_last_event_came() -> None:
    state = ListenerState(phase=Phase.LISTENING, since=NOON)
    since = f"since {view.clock(NOON, NOON)}"
    details = [f"{since} · last event 3 s ago", "last event 3 s ago", "3 s ago"]
    assert view.listener_words(state, NOON + 60_000, NOON + 63_000) == ("listening", details)
    assert view.listener_words(state, None, NOON) == ("listening", [f"{since} · no event yet", "no event yet"])


def test_every_status_and_phase_has_a_shape_of_its_own() -> None:
    assert len(set(SHAPES.values())) == len(Status)
    assert view.PHASE_SHAPES.keys() == set(Phase)
