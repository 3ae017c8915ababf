"""Many documents in the background: how far they are, pause and cancel, and what was never sent."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from imm_tui.batch import Progress
from imm_tui.errors import Unreachable
from imm_tui.history import History
from imm_tui.tasks import Status
from imm_tui.tui.app import ImmApp
from imm_tui.tui.batches import BatchState
from imm_tui.tui.screens.batch import BatchScreen
from imm_tui.tui.screens.confirm import ConfirmScreen
from imm_tui.tui.screens.dry_run import DryRunScreen
from imm_tui.tui.styles import stylesheet
from imm_tui.tui.theme import DARK
from imm_tui.tui.widgets.batch_strip import BatchStrip
from imm_tui.tui.widgets.choices import Choices
from tests.conftest import RunningEmulator
from tests.tui.stage import paste, read, until, until_read
from tests.tui.test_submit import SETTINGS, SIZE, against, form, open_form, server_that_says_nothing, sources

MANY = [f"oss://demo/{number}.pdf" for number in range(30)]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


async def start(app: ImmApp, pilot: Pilot[str | None]) -> None:
    """Thirty documents, looked at and agreed to."""
    await open_form(pilot)
    await paste(pilot, "\n".join(MANY))
    await pilot.press("ctrl+s")
    await until(pilot, lambda: isinstance(app.screen, DryRunScreen) and app.focused is not None)
    await pilot.press("enter")
    await until(pilot, lambda: app.screen is app.dashboard)


async def open_batches(app: ImmApp, pilot: Pilot[str | None]) -> list[int | None]:
    """The screen of all batches, and what it ends with."""
    chosen: list[int | None] = []
    app.push_screen(BatchScreen(app.submissions.batches, app.history_path), chosen.append)
    await until(pilot, lambda: isinstance(app.screen, BatchScreen) and app.focused is not None)
    return chosen


# The session's batches


async def test_many_documents_are_looked_at_first_and_then_sent_as_one_batch(
    emulator: RunningEmulator, history: Path
) -> None:
    app = against(emulator, history)
    async with app.run_test(size=SIZE) as pilot:
        await start(app, pilot)
        await until(pilot, lambda: app.submissions.batches.states(history)[0].progress.ended)
        with History(history) as db:
            tasks = db.tasks()
            assert len(tasks) == len(MANY)
            assert {task.status for task in tasks} == {Status.RUNNING}
            assert {task.batch for task in tasks} == {tasks[-1].id}

        await until_read(pilot, "30/30 sent")  # on the dashboard
        chosen = await open_batches(app, pilot)
        assert "30/30 sent" in read(app)
        await pilot.press("enter")
        assert chosen == [tasks[-1].id], "whose tasks are to be listed"


@pytest.mark.parametrize("width", [120, 80, 60])
async def test_a_batch_is_two_lines_where_there_is_room(emulator: RunningEmulator, history: Path, width: int) -> None:
    app = against(emulator, history)
    async with app.run_test(size=(120, 24)) as pilot:
        await start(app, pilot)
        await open_batches(app, pilot)
        await pilot.resize_terminal(width, 24)
        await until_read(pilot, "30/30 sent")
        await until(pilot, lambda: app.screen.query_one(Choices).size.height == 2)


async def test_what_the_history_cannot_keep_until_it_is_sent_stays_in_the_form(
    emulator: RunningEmulator, history: Path
) -> None:
    History(history).close()
    with closing(sqlite3.connect(history)) as database:
        database.execute("CREATE TRIGGER spoilt BEFORE INSERT ON plans BEGIN SELECT RAISE(ABORT, 'spoilt'); END")
    app = against(emulator, history)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await paste(pilot, "\n".join(MANY))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, DryRunScreen) and app.focused is not None)
        await pilot.press("enter")
        await until_read(pilot, "Spoilt.")
        assert sources(pilot).splitlines() == MANY
        assert app.submissions.unsent == 0


async def test_the_line_on_the_dashboard_goes_when_its_end_has_been_seen(history: Path) -> None:
    with server_that_says_nothing() as (endpoint, hang_up):
        app = form(history, replace(SETTINGS, imm_endpoint=endpoint))
        async with app.run_test(size=SIZE) as pilot:
            await start(app, pilot)
            strip = app.dashboard.query_one(BatchStrip)
            await until(pilot, lambda: strip.display and app.submissions.batches.unsent == 22)
            await open_batches(app, pilot)
            await pilot.press("x", "y")
            hang_up.set()
            await until_read(pilot, "22 not sent · ended")
            await pilot.press("escape")
            await until(pilot, lambda: not strip.display)


async def test_the_detail_says_of_how_many_a_task_is_also_before_all_are_sent_and_after_the_rest_is_cancelled(
    history: Path,
) -> None:
    with server_that_says_nothing() as (endpoint, hang_up):
        app = form(history, replace(SETTINGS, imm_endpoint=endpoint))
        async with app.run_test(size=(120, 40)) as pilot:
            await start(app, pilot)
            await until_read(pilot, "of 30 submitted together")
            app.submissions.batches.cancel(1)
            hang_up.set()
            await until_read(pilot, "of 8 submitted together")


async def test_what_is_not_sent_can_be_cancelled_after_a_question_and_is_in_the_form_again(history: Path) -> None:
    with server_that_says_nothing() as (endpoint, hang_up):
        app = form(history, replace(SETTINGS, imm_endpoint=endpoint))
        async with app.run_test(size=SIZE) as pilot:
            await start(app, pilot)
            await until(pilot, lambda: app.submissions.batches.states(history)[0].progress.unsent == 22)
            await open_batches(app, pilot)
            await pilot.press("x")
            await until_read(pilot, "22 documents are not sent yet.")
            await pilot.press("n")
            assert app.submissions.batches.unsent == 22, "no is no"
            await pilot.press("x", "y")
            hang_up.set()
            await until_read(pilot, "22 not sent")
            await pilot.press("escape")
            await open_form(pilot)
            assert sources(pilot).splitlines() == MANY[8:]


async def test_what_comes_back_while_the_form_is_open_is_in_the_next_one_beside_what_was_typed(history: Path) -> None:
    with server_that_says_nothing() as (endpoint, hang_up):
        app = form(history, replace(SETTINGS, imm_endpoint=endpoint))
        async with app.run_test(size=SIZE) as pilot:
            await start(app, pilot)
            await until(pilot, lambda: app.submissions.batches.unsent == 22)
            await open_form(pilot)
            await paste(pilot, "oss://demo/typed.pdf")
            app.submissions.batches.cancel(1)
            app.submissions.batches.cancel(1)
            hang_up.set()
            await until(pilot, lambda: app.submissions.batches.states(history)[0].progress.ended)
            await pilot.press("escape")
            await open_form(pilot)
            assert sources(pilot).splitlines() == ["oss://demo/typed.pdf", *MANY[8:]]


async def test_a_batch_that_cannot_go_on_pauses_says_why_and_goes_on_by_key(history: Path) -> None:
    with server_that_says_nothing() as (endpoint, hang_up):
        hang_up.set()
        app = form(history, replace(SETTINGS, imm_endpoint=endpoint))
        async with app.run_test(size=(120, 30)) as pilot:
            await start(app, pilot)
            await open_batches(app, pilot)
            await until_read(pilot, "8/30 sent · ? 8 unknown · paused")
            assert "? The task was sent, and whether IMM has it is not known." in read(app)
            assert "The connection was cut before a whole answer came." in read(app), "in full"
            await pilot.press("p")
            await until_read(pilot, "? 16 unknown")


async def test_leaving_while_documents_are_not_sent_asks_and_keeps_them_for_the_next_session(history: Path) -> None:
    with server_that_says_nothing() as (endpoint, hang_up):
        settings = replace(SETTINGS, imm_endpoint=endpoint)
        app = form(history, settings)
        async with app.run_test(size=SIZE) as pilot:
            await start(app, pilot)
            await until(pilot, lambda: app.submissions.batches.unsent == 22)
            await pilot.press("q")
            await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
            assert "22 documents are not sent yet." in read(app)
            await pilot.press("n")
            assert app.is_running
            await pilot.press("q")
            await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
            hang_up.set()
            await pilot.press("y")
        assert not app.is_running

        app = form(history, settings)
        async with app.run_test(size=SIZE) as pilot:
            await open_form(pilot)
            assert set(sources(pilot).splitlines()) <= set(MANY[8:])
            with History(history) as db:
                sent = {task.source_uri for task in db.tasks()}
            assert sent | set(sources(pilot).splitlines()) == set(MANY), "each was sent or is in the form"


async def test_without_a_batch_the_screen_says_how_one_comes_about(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        await open_batches(app, pilot)
        assert "No batch in this session. A submission of more than 20 documents is one." in read(app)
        await pilot.press("p", "x", "escape")
        await until(pilot, lambda: app.screen is app.dashboard)


# The line on the dashboard


class Strip(App[None]):
    CSS = stylesheet()

    def compose(self) -> ComposeResult:
        yield BatchStrip()

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = DARK.name


def state(**changes: object) -> BatchState:
    progress = Progress(total=120, accepted=36, refused=1, unsent=83)
    values = {"progress": progress, "succeeded": 30, "failed": 1, "left": 125_000, **changes}
    return BatchState(key=1, number=7, began_at=0, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (state(), "37/120 sent · 30 done · ✘ 1 failed · about 2 m left"),
        (state(left=None), "37/120 sent · 30 done · ✘ 1 failed"),
        (
            state(progress=Progress(total=120, accepted=37, unsent=83, paused=True), failed=0),
            "37/120 sent · 30 done · paused",
        ),
        (
            state(
                progress=Progress(total=9, accepted=1, unsent=8, paused=True, trouble=Unreachable("IMM is away.")),
                succeeded=0,
                failed=0,
            ),
            "1/9 sent · paused: IMM is away.",
        ),
        (
            state(progress=Progress(total=9, accepted=5, unsent=4, ended=True), succeeded=5, failed=0, left=0),
            "5/9 sent · 5 done · 4 not sent · ended",
        ),
        (
            state(progress=Progress(total=120, accepted=36, refused=1, unsent=83, cancelled=True)),
            "37/120 sent · 30 done · ✘ 1 failed · 83 not sent b shows",
        ),
    ],
    ids=["under way", "nothing known", "paused", "trouble", "ended", "cancelled"],
)
async def test_one_line_says_how_far_it_is(shown: BatchState, words: str) -> None:
    app = Strip()
    async with app.run_test(size=(120, 10)) as pilot:
        strip = app.query_one(BatchStrip)
        strip.show(shown)
        await pilot.pause()
        assert words in read(app)
        assert strip.region.height == 1
        strip.show(None)
        await pilot.pause()
        assert read(app) == "", "nothing is told, nothing is taken"


async def test_the_bar_gives_way_to_the_words_where_it_is_narrow() -> None:
    app = Strip()
    async with app.run_test(size=(60, 10)) as pilot:
        app.query_one(BatchStrip).show(state())
        await pilot.pause()
        assert "━" not in read(app)
        assert "37/120 sent · 30 done" in read(app)
