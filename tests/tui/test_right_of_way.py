"""A key comes before a queue that is drained: who waits for whom, how threads take turns, when garbage is sought."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual import events
from textual.app import App
from textual.pilot import Pilot

from imm_tui.tui import process
from imm_tui.tui.app import ImmApp
from imm_tui.tui.screens.dashboard import Dashboard
from tests.tui.conftest import Writer, app
from tests.tui.stage import read, until, until_read


@pytest.fixture
def process_of_its_own() -> Iterator[None]:
    """Left as it was found."""
    with process.taken(lambda _failed: None):
        yield


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who drains a queue would wait for as long as it takes to see that it does."""
    monkeypatch.setattr("imm_tui.tui.right_of_way._GIVES_WAY", 60)


def drained(shown: ImmApp) -> threading.Thread:
    """A thread that has begun to give way."""
    thread = threading.Thread(target=shown.right_of_way.wait, daemon=True)
    thread.start()
    thread.join(0.2)
    return thread


@pytest.mark.usefixtures("patient")
async def test_whoever_drains_a_queue_waits_until_a_key_is_answered(path: Path) -> None:
    shown = app(path)
    async with shown.run_test() as pilot:
        await until_read(pilot, "No tasks yet")
        handling = shown.on_event(events.Key("down", None))
        listener = drained(shown)
        assert listener.is_alive(), "the key is being handled"
        await handling
        await until(pilot, lambda: not listener.is_alive())


@pytest.mark.usefixtures("patient")
async def test_and_until_what_it_has_changed_is_drawn(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = app(path)
    order: list[str] = []
    async with shown.run_test() as pilot:
        await until_read(pilot, "No tasks yet")
        give_back, display = shown.right_of_way._give_back, App._display

        def note_end() -> None:
            order.append("given back")
            give_back()

        def note_frame(self: App[object], *what: object) -> None:
            order.append("drawn")
            display(self, *what)  # type: ignore[arg-type]

        monkeypatch.setattr(shown.right_of_way, "_give_back", note_end)
        monkeypatch.setattr(App, "_display", note_frame)
        await pilot.press("slash")  # the list leaves it alone; it opens the filter
        await until(pilot, lambda: "given back" in order)
    assert order[0] == "drawn"


async def test_what_comes_in_is_shown_though_a_person_does_not_stop_pressing_keys(
    path: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dashboard, "_tick", lambda _self: None)  # it would look for it anyway, each second
    shown = app(path)
    async with shown.run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "No tasks yet")
        writer.submitted("a.docx", "TASK-a")
        shown.wake()

        async def seen_amid_keys(pilot: Pilot[str | None], words: str) -> bool:
            for _ in range(200):
                await pilot.press("down")
                if words in read(shown):
                    return True
            return False

        assert await seen_amid_keys(pilot, "a.docx")
        writer.submitted("b.docx", "TASK-b")
        shown.wake()
        assert await seen_amid_keys(pilot, "b.docx")


class Garbage:
    def __init__(self) -> None:
        self.itself = self


@pytest.mark.usefixtures("process_of_its_own")
async def test_all_garbage_is_looked_for_when_no_key_is_pressed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = app(path)
    async with shown.run_test() as pilot:
        await until_read(pilot, "No tasks yet")
        shown.right_of_way.alone = True
        process.spare_what_is_there()
        garbage = Garbage()
        left = weakref.ref(garbage)
        gc.collect()  # by now it is old
        del garbage
        for _ in range(process._GENERATIONS):
            gc.collect(1)
        assert left() is not None
        monkeypatch.setattr("imm_tui.tui.right_of_way._KEY_AFTER_KEY", 3600)
        await pilot.press("down", "up")
        assert left() is not None
        monkeypatch.setattr("imm_tui.tui.right_of_way._KEY_AFTER_KEY", 0)
        await pilot.press("down")
        await until(pilot, lambda: left() is None)


@pytest.mark.usefixtures("process_of_its_own")
async def test_what_is_drawn_is_not_interrupted_and_a_key_is_heard_at_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = app(path)
    intervals: list[float] = []
    async with shown.run_test() as pilot:
        await until_read(pilot, "No tasks yet")
        shown.right_of_way.alone = True
        display = App._display

        def note_frame(self: App[object], *what: object) -> None:
            intervals.append(sys.getswitchinterval())
            display(self, *what)  # type: ignore[arg-type]

        monkeypatch.setattr(App, "_display", note_frame)
        await pilot.press("slash")
        await until(pilot, lambda: bool(intervals))
        await until(pilot, lambda: sys.getswitchinterval() < 0.001)
    assert min(intervals) >= 0.01


def test_the_process_is_left_as_it_was_found() -> None:
    before = sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count()
    with process.taken(lambda _failed: None):
        sys.setswitchinterval(0.02)
        process.spare_what_is_there()
        assert gc.get_threshold() != before[1]
        assert gc.get_freeze_count() > before[2]
    assert (sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count()) == before
