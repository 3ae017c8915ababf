"""One task in full, read as it is drawn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.pilot import Pilot

from imm_tui.tasks import rfc3339
from imm_tui.tui import view
from imm_tui.tui.widgets.json_view import JsonView
from imm_tui.tui.widgets.percent_bar import PercentBar
from imm_tui.tui.widgets.task_detail import TaskDetail
from tests.tui.conftest import Writer, app, event, lines, now
from tests.tui.stage import read, until, until_read


async def test_a_succeeded_task_says_all_that_is_known_of_it(path: Path, writer: Writer) -> None:
    at = now() - 10_000
    task_id = "formatconvert-0123456789abcdef0123456789abcdef"
    writer.submitted("5页Word.docx", task_id, at=at)
    body = event(task_id, pages=5, at=at + 2_100)
    writer.received(body, "5F290C926D472878-2-14D9529A8FA-200000001")
    async with app(path).run_test(size=(200, 40)) as pilot:
        await until_read(pilot, "✔ Succeeded · NoError")
        words = read(pilot.app)
        for known in (
            "━ 100 %",
            "5 pages · png · took 2.1 s",
            "source oss://bucket/in/5页Word.docx",
            "target oss://bucket/out/5页Word.docx/",
            f"submitted {view.moment(at)}",
            f"finished {view.moment(at + 2_100)}",
            f"task {task_id}",
            "request REQUEST-ID",
            "project GetResult-ByNotify-Demo · 2017-09-06",
            "events 1",
            "message 5F290C926D472878-2-14D9529A8FA-200000001",
            "received 20",
        ):
            assert known in words
        drawn = "".join(strip.text.rstrip() for strip in lines(pilot.app.screen.query_one(JsonView))[2:])
        assert drawn.replace(" ", "") == body.decode().replace(" ", "")


@pytest.mark.parametrize("percent", [None, 0])
async def test_a_running_task_without_a_figure_is_alive_and_shows_none(
    path: Path, writer: Writer, percent: int | None
) -> None:
    writer.submitted("a.docx", "t-1")
    if percent is not None:
        writer.received(event("t-1", percent=percent, pages=0))
    async with app(path).run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "◐ Running")
        bar = pilot.app.screen.query_one(PercentBar)
        first = list(bar.render_line(0))
        await until(pilot, lambda: list(bar.render_line(0)) != first)
        assert "%" not in read(pilot.app)
        assert "0 pages" not in read(pilot.app)


async def test_a_figure_of_the_service_is_shown_as_it_is(path: Path, writer: Writer) -> None:
    writer.submitted("a.docx", "t-1")
    writer.received(event("t-1", percent=40, pages=2))
    async with app(path).run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "━ 40 %")
        assert "2 pages · png · for" in read(pilot.app)
        writer.received(event("t-1", percent=100, pages=5))
        await until_read(pilot, "━ 100 %")


async def test_a_failed_task_says_the_code_and_what_to_do(path: Path, writer: Writer) -> None:
    number = writer.submitted("a.docx")
    writer.history.record_refused(
        number, code="AccessDenied.Role", message="Refused. Grant the role.", request_id="R-7", at=now()
    )
    async with app(path).run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "✘ Failed · AccessDenied.Role")
        words = read(pilot.app)
        assert "Refused. Grant the role." in words
        assert "request R-7" in words
        assert "No event has come." in words
        assert "━━" not in words


async def test_an_unknown_outcome_and_an_untracked_task_are_told_in_words(path: Path, writer: Writer) -> None:
    number = writer.submitted("a.docx")
    writer.history.record_unknown(number, message="It was cut after it was sent.", request_id=None)
    writer.received(event("stranger"))
    async with app(path).run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "Untracked: an event came for this task, but it was not submitted from here.")
        await pilot.press("down")
        await until_read(pilot, "? Unknown")
        assert "It was cut after it was sent." in read(pilot.app)
        assert "Untracked" not in read(pilot.app)


async def test_several_messages_are_told_apart_the_deciding_one_first(path: Path, writer: Writer) -> None:
    at = now()
    writer.submitted("a.docx", "t-1")
    writer.received(event("t-1", at=at), "FINISHED")
    writer.received(event("t-1", percent=40, at=at - 1_000), "PROGRESS")
    async with app(path).run_test(size=(160, 40)) as pilot:
        await until_read(pilot, "message PROGRESS")
        words = read(pilot.app)
        assert words.index("message FINISHED") < words.index(rfc3339(at) or "") < words.index("message PROGRESS")
        assert "events 2" in words


async def test_the_events_are_shown_raw_or_formatted_by_key_and_by_mouse(path: Path, writer: Writer) -> None:
    body = json.dumps({"events": [{"eventName": "FormatConvertJob:TaskFinished", "imm": {"taskId": "t-\u9875"}}]})
    writer.received(body.encode())
    writer.received(b"<Message>%s</Message>" % body.replace("Finished", "Progress").encode())

    async with app(path).run_test(size=(160, 50)) as pilot:
        await until_read(pilot, "Raw event")
        await until_read(pilot, '"t-\\u9875"')
        await pilot.press("f")
        await until_read(pilot, '"taskId": "t-页"')
        assert "no JSON: shown as it came" in read(pilot.app)
        await pilot.click("EventTabs #raw")
        await until_read(pilot, '"t-\\u9875"')
        await pilot.click("EventTabs #formatted")
        await until_read(pilot, '"taskId": "t-页"')


def top(pilot: Pilot[str | None]) -> float:
    return pilot.app.screen.query_one(TaskDetail).scroll_y


async def test_a_change_leaves_the_scroll_where_it_is_and_another_task_starts_at_the_top(
    path: Path, writer: Writer
) -> None:
    writer.submitted("other.docx", "t-0")
    writer.submitted("a.docx", "t-1")
    for percent in range(10, 60, 10):
        writer.received(event("t-1", percent=percent))
    async with app(path).run_test(size=(120, 20)) as pilot:
        await until_read(pilot, "◐ Running")
        await pilot.press("enter", "pagedown")
        await until(pilot, lambda: top(pilot) >= 5)
        await pilot.wait_for_animation()
        there = top(pilot)
        writer.received(event("t-1", percent=90))
        await until_read(pilot, "90 %")
        assert top(pilot) == there
        await pilot.press("escape", "down")
        await until_read(pilot, "No event has come yet.")
        assert top(pilot) == 0
