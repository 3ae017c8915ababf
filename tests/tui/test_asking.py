"""What a person sees of IMM being asked: about tasks whose event never came, and for submissions nobody knows of."""

from __future__ import annotations

from pathlib import Path

import pytest

from imm_tui import config
from imm_tui.credentials import Credentials
from imm_tui.tasks import Conversion, Event, Status
from imm_tui.tui.app import ImmApp
from imm_tui.tui.times import second
from imm_tui.tui.widgets.task_list import TaskList
from tests.conftest import RunningEmulator
from tests.control import Control
from tests.tui.conftest import Writer, app, event, lines, now
from tests.tui.stage import read, until, until_read

NEVER = 3600.0


def asking(emulator: RunningEmulator, path: Path, overdue_after: float, **flags: str) -> ImmApp:
    keys = Credentials(emulator.access_key_id, emulator.access_key_secret)
    return ImmApp(config.load(flags, emulator.env), path, keys, overdue_after=overdue_after)


def submit(shown: ImmApp) -> None:
    conversion = Conversion(source_uri="oss://demo/5页Word.docx", target_uri="oss://demo/out/", target_type="png")
    shown.submissions.send(shown.session.profile, [conversion], lambda result: None)


def answer(task_id: str, status: Status, at: int | None = None) -> Event:
    return Event(task_id=task_id, name="GetOfficeConversionTask", status=status, asked=True, time=str(at or now()))


@pytest.mark.parametrize("version", ["2017-09-06", "2020-09-30"])
async def test_a_task_whose_event_is_lost_is_asked_about_and_says_so(
    fresh_emulator: RunningEmulator, control: Control, path: Path, version: str
) -> None:
    control.fault("drop")
    shown = asking(fresh_emulator, path, 0.5, api_version=version)
    async with shown.run_test(size=(160, 40)) as pilot:
        await until_read(pilot, "No tasks yet")
        submit(shown)
        await until_read(pilot, "No event came; asked IMM at")
        words = read(shown)
        assert "✔* png" in words
        assert "✔ Succeeded" in words
        assert "events 0" in words
        await pilot.press("enter", "2")
        await until_read(pilot, "IMM's answer when asked: RequestId")
        assert "message " not in read(shown)


async def test_an_event_that_comes_after_all_takes_the_answers_place(path: Path, writer: Writer) -> None:
    number = writer.submitted("a.docx", "t-1")
    at = now()
    writer.history.record_answer(number, answer("t-1", Status.SUCCEEDED), b'{"Percent": 100}', "R-1", at)
    async with app(path).run_test(size=(160, 40)) as pilot:
        await until_read(pilot, f"No event came; asked IMM at {second(at, at)}.")
        writer.received(event("t-1"), "LATE")
        await until(pilot, lambda: "No event came" not in read(pilot.app))
        assert "✔ png" in read(pilot.app)
        await pilot.press("enter", "2")
        await until_read(pilot, "message LATE")
        words = read(pilot.app)
        assert words.index("message LATE") < words.index("IMM's answer when asked: RequestId R-1")


async def test_a_running_task_says_how_often_imm_was_asked_about_it(path: Path, writer: Writer) -> None:
    number = writer.submitted("a.docx", "t-1")
    at = now()
    for times, said in ((1, "Asked IMM at"), (2, "Asked IMM twice, the last time at"), (3, "Asked IMM 3 times")):
        writer.history.record_answer(number, answer("t-1", Status.RUNNING, times), b"{}", f"R-{times}", at)
        async with app(path).run_test(size=(160, 40)) as pilot:
            await until_read(pilot, f"Its event is overdue. {said}")
            assert f"at {second(at, at)}: it still runs." in read(pilot.app)


async def test_a_submission_of_unknown_outcome_says_what_is_done_about_it(path: Path, writer: Writer) -> None:
    number = writer.submitted("a.docx")
    writer.history.record_unknown(number, message="It was cut after it was sent.", request_id=None)
    async with app(path).run_test(size=(160, 40)) as pilot:
        await until_read(pilot, "It was cut after it was sent.")
        assert "by its source, target and time. Not looked for yet." in read(pilot.app)
        at = now()
        writer.history.record_no_answer([number], at)
        await until_read(pilot, f"Looked for it at {second(at, at)}, and did not find it.")
        assert "It is not sent again by itself." in read(pilot.app)


async def test_r_asks_about_the_selected_task(fresh_emulator: RunningEmulator, control: Control, path: Path) -> None:
    control.fault("drop")
    shown = asking(fresh_emulator, path, NEVER)
    async with shown.run_test(size=(160, 40)) as pilot:
        await until_read(pilot, "● listening")
        assert "r ask IMM" not in read(shown), "there is no task"
        submit(shown)
        await until(pilot, lambda: any(entry["action"] == "drop" for entry in control.ledger()))
        await until_read(pilot, "r ask IMM")
        assert "◐ Running" in read(shown)
        await pilot.press("r")
        await until_read(pilot, "No event came; asked IMM at")
        assert "Asking IMM" not in read(shown)
        assert "r ask IMM" in read(shown), "what was learned by asking can be asked for again"


async def test_a_question_that_fails_says_why_where_the_task_is(
    fresh_emulator: RunningEmulator, control: Control, path: Path
) -> None:
    control.fault("drop")
    control.fault("error", operation="GetTask", status=403, code="Forbidden", message="Not yours.")
    shown = asking(fresh_emulator, path, NEVER, api_version="2020-09-30")
    async with shown.run_test(size=(160, 40)) as pilot:
        await until_read(pilot, "● listening")
        submit(shown)
        await until(pilot, lambda: any(entry["action"] == "drop" for entry in control.ledger()))
        await until_read(pilot, "r ask IMM")
        await pilot.press("r")
        await until_read(pilot, "IMM could not be asked about it.")
        assert "Not yours." in read(shown)
        assert "● listening" in read(shown)
        control.clear()
        await pilot.press("r")
        await until_read(pilot, "No event came; asked IMM at")
        assert "could not be asked" not in read(shown)


async def test_while_the_listener_waits_r_is_for_the_listener(
    fresh_emulator: RunningEmulator, control: Control, path: Path
) -> None:
    control.fault("error", service="mns", status=503, code="InternalError", message="Later.", retry_after=60)
    shown = asking(fresh_emulator, path, NEVER)
    async with shown.run_test(size=(160, 40)) as pilot:
        await until_read(pilot, "r reconnect")
        submit(shown)
        await until_read(pilot, "◐ Running")
        assert "r ask IMM" not in read(shown)
        control.clear()
        await pilot.press("r")
        await until_read(pilot, "● listening")
        assert "r reconnect" not in read(shown)


async def test_a_task_of_another_project_is_not_asked_about(
    fresh_emulator: RunningEmulator, path: Path, writer: Writer
) -> None:
    number = writer.history.record_intent(
        Conversion(source_uri="oss://b/a.docx", target_uri="oss://b/t/", target_type="png"),
        project="another-project",
        api_version="2017-09-06",
        token="t",
        at=now(),
    )
    writer.history.record_accepted(number, "t-1", "R")
    shown = asking(fresh_emulator, path, NEVER)
    async with shown.run_test(size=(160, 40), notifications=True) as pilot:
        await until_read(pilot, "● listening")
        await until_read(pilot, "r ask IMM")
        await pilot.press("r")
        await until_read(pilot, "another-project · 2017-09-06")


async def test_the_star_stands_beside_every_task_that_was_learned_by_asking(path: Path, writer: Writer) -> None:
    asked = writer.submitted("asked.docx", "t-1")
    writer.submitted("heard.docx", "t-2")
    writer.history.record_answer(asked, answer("t-1", Status.FAILED), b"{}", "R-1", now())
    writer.received(event("t-2"))
    async with app(path).run_test(size=(120, 24)) as pilot:
        await until_read(pilot, "✘ 1 failed ✔ 1 succeeded")
        rows = [strip.text.split() for strip in lines(pilot.app.screen.query_one(TaskList))[1:3]]
        assert [(row[0], row[-1]) for row in rows] == [("✔", "heard.docx"), ("✘*", "asked.docx")]
