"""Once more what failed: the question, the password, and the exact request."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from imm_tui.credentials import Credentials
from imm_tui.history import History
from imm_tui.submission import connect, submit
from imm_tui.tasks import Conversion, Status, Task
from imm_tui.tui.app import ImmApp
from imm_tui.tui.resubmit import resubmit
from imm_tui.tui.screens.confirm import ConfirmScreen
from imm_tui.tui.screens.password import PasswordScreen
from imm_tui.tui.widgets.task_list import TaskList
from tests.conftest import RunningEmulator
from tests.tui.stage import paste, read, seen, until, until_read
from tests.tui.test_submit import SIZE, against


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def refused(app: ImmApp, names: list[str], password: str | None = None) -> list[int]:
    """Tasks that IMM did not take, each with a request of its own; their numbers."""
    conversions = [
        Conversion(
            source_uri=f"oss://demo/{name}",
            target_uri=f"oss://demo/out/{name}/",
            target_type="png",
            pages="1",
            options=(("Quality", "80"),),
            password=password,
        )
        for name in names
    ]
    imm = connect(replace(app.settings, project="no-such-project"), app.credentials or Credentials("", ""))
    with History(app.history_path) as db:
        outcomes = list(submit(db, imm, app.settings, conversions))
    imm.close()
    assert {outcome.task.status for outcome in outcomes} == {Status.FAILED}
    return sorted(outcome.task.id for outcome in outcomes)


def newest(history: Path, count: int) -> list[Task]:
    with History(history) as db:
        return db.tasks(limit=count)


async def ask(app: ImmApp, pilot: Pilot[str | None], tasks: list[int]) -> None:
    await until(pilot, lambda: app.screen is app.dashboard)
    resubmit(app.dashboard, app.session.profile, app.submissions, tasks)
    await until(pilot, lambda: isinstance(app.screen, ConfirmScreen) and app.focused is not None)
    await until_read(pilot, "once more?")


async def test_one_task_is_sent_again_with_its_exact_request_after_a_question(
    emulator: RunningEmulator, history: Path
) -> None:
    app = against(emulator, history)
    tasks = refused(app, ["报告.pdf"])
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ask(app, pilot, tasks)
        assert "Submit this task once more?" in read(app)
        assert "The project was no-such-project and is" in read(app), "what is not as it was"
        await pilot.press("y")
        await until_read(pilot, "Submitted once more")
        (task,) = newest(history, 1)
        assert (task.status, task.resubmits) == (Status.RUNNING, tasks[0])
        with History(history) as db:
            before, after = db.request_of(tasks[0]), db.request_of(task.id)
        assert before is not None
        assert after is not None
        changes = ("ProjectName", "UserData")
        assert all(
            after["parameters"][name] == value for name, value in before["parameters"].items() if name not in changes
        )
        assert after["parameters"]["Quality"] == "80"


async def test_no_is_no(emulator: RunningEmulator, history: Path) -> None:
    app = against(emulator, history)
    tasks = refused(app, ["a.pdf"])
    async with app.run_test(size=SIZE) as pilot:
        await ask(app, pilot, tasks)
        await pilot.press("n")
        await until(pilot, lambda: app.screen is app.dashboard)
        assert [task.id for task in newest(history, 9)] == tasks


async def test_nothing_is_asked_about_a_list_that_was_left_for_another_profile(
    emulator: RunningEmulator, history: Path
) -> None:
    app = against(emulator, history)
    tasks = refused(app, ["a.pdf"])
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen is app.dashboard)
        left = app.session
        resubmit(app.dashboard, app.session.profile, app.submissions, tasks)
        app._open(replace(left.profile, history_path=history.with_name("other.db")))
        left.stop()
        await app._show_dashboard()
        await until(pilot, lambda: not any(thread.name == "resubmission" for thread in threading.enumerate()))
        await pilot.pause()
        assert app.screen is app.dashboard


async def test_a_submission_ends_in_the_profile_that_it_began_in(emulator: RunningEmulator, history: Path) -> None:
    app = against(emulator, history)
    other = history.with_name("other.db")
    with History(other) as db:
        for name in ("b.pdf", "c.pdf"):
            conversion = Conversion(source_uri=f"oss://demo/{name}", target_uri="oss://demo/out/", target_type="png")
            db.record_intent(conversion, project="demo", api_version="2020-09-30", token=name, at=1)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen is app.dashboard)
        began = app.session
        conversions = [Conversion(source_uri="oss://demo/a.pdf", target_uri="oss://demo/a/", target_type="png")]
        answers: list[object] = []
        app.submissions.send(began.profile, conversions, answers.append)
        app._open(replace(began.profile, settings=replace(app.settings, project="another"), history_path=other))
        began.stop()
        await app._show_dashboard()
        await until_read(pilot, "c.pdf")
        await until(pilot, lambda: bool(answers))
        assert [task.source_uri for task in newest(history, 9)] == ["oss://demo/a.pdf"]
        assert {task.project for task in newest(history, 9)} == {emulator.project}
        assert len(newest(other, 9)) == 2
        assert app.dashboard.query_one(TaskList).selected == 2, "number 1 is another task here"


async def test_several_are_sent_as_a_batch(emulator: RunningEmulator, history: Path) -> None:
    app = against(emulator, history)
    tasks = refused(app, ["a.pdf", "b.pdf", "c.pdf"])
    async with app.run_test(size=SIZE) as pilot:
        await ask(app, pilot, tasks)
        assert "Submit 3 tasks once more?" in read(app)
        assert read(app).count("The project was") == 1, "what is the same for all is told once"
        await pilot.press("y")
        await until(
            pilot,
            lambda: (
                bool(app.submissions.batches.states(history))
                and app.submissions.batches.states(history)[0].progress.ended
            ),
        )
        again = newest(history, 3)
        assert {task.resubmits for task in again} == set(tasks)
        assert len({task.batch for task in again}) == 1


async def test_what_is_sent_once_more_is_marked_no_more_and_what_cannot_be_still_is(
    emulator: RunningEmulator, history: Path
) -> None:
    app = against(emulator, history)
    refused(app, ["a.pdf", "b.pdf"])
    with History(history) as db:
        strange = Conversion(source_uri="oss://demo/c.pdf", target_uri="oss://demo/out/", target_type="png", pages="1")
        without_request = db.record_intent(
            strange, project=app.settings.project, api_version=app.settings.api_version, token="t", at=1
        )
    async with app.run_test(size=SIZE) as pilot:
        await until_read(pilot, "all 3")
        tasks = app.dashboard.query_one(TaskList)
        tasks.focus()
        tasks.action_mark_all()
        await pilot.press("R")
        await until_read(pilot, "Submit 2 tasks once more?")
        await pilot.press("y")
        await until(pilot, lambda: tasks.marked == [without_request])


@pytest.mark.parametrize(
    ("also", "words"),
    [([], "a.pdf It has not failed."), (["b.pdf", "c.pdf"], "1 of them has not failed.")],
    ids=["alone", "with others"],
)
async def test_what_has_not_failed_is_said(
    emulator: RunningEmulator, history: Path, also: list[str], words: str
) -> None:
    app = against(emulator, history)
    [going] = refused(app, ["a.pdf"])
    others = refused(app, also) if also else []
    with History(history) as db:
        db.record_accepted(going, "OfficeConversion-1", None)
    async with app.run_test(size=SIZE) as pilot:
        await ask(app, pilot, [going, *others])
        assert words in read(app)


async def test_a_password_is_asked_for_and_never_shown_or_kept(emulator: RunningEmulator, history: Path) -> None:
    app = against(emulator, history)
    tasks = refused(app, ["geheim.pdf"], password="hunter2")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ask(app, pilot, tasks)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, PasswordScreen) and app.focused is not None)
        assert "geheim.pdf was submitted with a password" in read(app)
        await paste(pilot, "hunter2")
        assert "hunter2" not in seen(app)
        await pilot.press("enter")
        await until_read(pilot, "Submitted once more")
        with History(history) as db:
            request = db.request_of(newest(history, 1)[0].id)
        assert request is not None
        assert request["parameters"]["Password"] is None
    assert b"hunter2" not in history.read_bytes()


async def test_what_cannot_be_sent_again_is_told(emulator: RunningEmulator, history: Path) -> None:
    app = against(emulator, history)
    (task,) = refused(app, ["a.pdf"])
    app = against(emulator, history, api_version="2017-09-06")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await until(pilot, lambda: app.screen is app.dashboard)
        resubmit(app.dashboard, app.session.profile, app.submissions, [task])
        await until_read(pilot, "This task cannot be submitted once more.")
        assert "Quality" in read(app)
        assert len(newest(history, 9)) == 1


async def test_a_refusal_is_told_in_full(emulator: RunningEmulator, history: Path) -> None:
    app = against(emulator, history, project="another-that-is-not-there")
    (task,) = refused(app, ["a.pdf"])
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await ask(app, pilot, [task])
        await pilot.press("y")
        await until_read(pilot, "Not submitted")
        await until_read(pilot, "RequestId")
