"""One task in full, read as it is drawn: four tabs, and what is above them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from imm_tui import i18n, snippets
from imm_tui.arrivals import Arrival
from imm_tui.errors import Unreachable
from imm_tui.history import Left
from imm_tui.notifications import parse
from imm_tui.tasks import Conversion, Event, Status
from imm_tui.tui import theme
from imm_tui.tui.styles import stylesheet
from imm_tui.tui.times import moment
from imm_tui.tui.widgets.detail import Detail
from imm_tui.tui.widgets.facts import Facts
from imm_tui.tui.widgets.overview import Overview
from imm_tui.tui.widgets.percent_bar import PercentBar
from imm_tui.tui.widgets.task_detail import TaskDetail
from imm_tui.tui.widgets.timeline import Chart, Timeline
from tests.tui.conftest import Writer, event, lines, now
from tests.tui.stage import read, seen, until, until_read

REQUEST = {
    "action": "CreateOfficeConversionTask",
    "version": "2020-09-30",
    "region": "cn-beijing",
    "endpoint": "https://imm.cn-beijing.aliyuncs.com",
    "parameters": {"ProjectName": "demo", "SourceURI": "oss://bucket/5页.docx", "ImageDPI": 150, "Password": None},
}


class Shown(App[None]):
    """The detail beside something else that can have the focus."""

    CSS = stylesheet()

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        self.register_theme(theme.DARK)
        self.theme = theme.DARK.name
        self._writer = writer
        self.copied: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Input(id="elsewhere")
            yield TaskDetail()

    def on_mount(self) -> None:
        self.query_one("#elsewhere").styles.width = 3

    @property
    def detail(self) -> TaskDetail:
        return self.query_one(TaskDetail)

    def show(self, task: int, **known: Any) -> None:
        history = self._writer.history
        known = {"tally": history.tally_of(task), "request": history.request_of(task), **known}
        self.detail.show(history.task(task), history.messages_of(task), **known)

    def on_detail_copied(self, event: Detail.Copied) -> None:
        self.copied.append((event.text, event.what))


def sent(writer: Writer, *, request: dict[str, Any] | None = None, at: int | None = None) -> int:
    conversion = Conversion(source_uri="oss://bucket/5页.docx", target_uri="oss://bucket/out/", target_type="png")
    return writer.history.record_intent(
        conversion, project="demo", api_version="2020-09-30", token="t", at=at or now(), request=request
    )


async def test_the_overview_says_all_that_is_known(writer: Writer) -> None:
    at = now() - 10_000
    task_id = "formatconvert-0123456789abcdef0123456789abcdef"
    task = writer.submitted("5页Word.docx", task_id, at=at)
    writer.received(event(task_id, pages=5, at=at + 2_100))
    shown = Shown(writer)
    async with shown.run_test(size=(120, 30)) as pilot:
        shown.show(task, batch=(12, 40))
        await until_read(pilot, "✔ Succeeded · NoError")
        words = read(shown)
        for known in (
            "━ 100 %",
            "5 pages · png · took 2.1 s",
            "source oss://bucket/in/5页Word.docx",
            "target oss://bucket/out/5页Word.docx/",
            f"submitted {moment(at)}",
            f"finished {moment(at + 2_100)}",
            f"task {task_id}",
            "request REQUEST-ID",
            "project GetResult-ByNotify-Demo · 2017-09-06",
            "events 1",
            "batch 12 of 40 submitted together",
        ):
            assert known in words


@pytest.mark.parametrize("percent", [None, 0])
async def test_a_running_task_without_a_figure_is_alive_and_shows_none(writer: Writer, percent: int | None) -> None:
    task = writer.submitted("a.docx", "t-1")
    if percent is not None:
        writer.received(event("t-1", percent=percent, pages=0))
    shown = Shown(writer)
    async with shown.run_test() as pilot:
        shown.show(task)
        await until_read(pilot, "◐ Running")
        bar = shown.query_one(PercentBar)
        first = list(bar.render_line(0))
        await until(pilot, lambda: list(bar.render_line(0)) != first)
        assert "%" not in read(shown)
        assert "0 pages" not in read(shown)


async def test_a_figure_of_the_service_is_shown_as_it_is(writer: Writer) -> None:
    task = writer.submitted("a.docx", "t-1")
    writer.received(event("t-1", percent=40, pages=2))
    shown = Shown(writer)
    async with shown.run_test() as pilot:
        shown.show(task)
        await until_read(pilot, "━ 40 %")
        assert "2 pages · png · for" in read(shown)
        writer.received(event("t-1", percent=100, pages=5))
        shown.show(task)
        await until_read(pilot, "━ 100 %")


async def test_a_failed_task_says_the_code_and_what_to_do(writer: Writer) -> None:
    task = writer.submitted("a.docx")
    writer.history.record_refused(
        task, code="AccessDenied.Role", message="Refused. Grant the role.", request_id="R-7", at=now()
    )
    shown = Shown(writer)
    async with shown.run_test() as pilot:
        shown.show(task)
        await until_read(pilot, "✘ Failed · AccessDenied.Role")
        words = read(shown)
        assert "Refused. Grant the role. Likely cause: " in words
        assert "What to do: " in words
        assert "request R-7" in words
        assert "━━" not in words
        await pilot.press("tab", "2")
        await until_read(pilot, "No event has come.")


async def test_an_unknown_outcome_an_untracked_task_and_why_imm_cannot_be_asked_are_told_in_words(
    writer: Writer,
) -> None:
    task = writer.submitted("a.docx")
    writer.history.record_unknown(task, message="It was cut after it was sent.", request_id=None)
    writer.received(event("stranger"))
    (stranger,) = (known.id for known in writer.history.tasks() if known.untracked)
    shown = Shown(writer)
    async with shown.run_test() as pilot:
        shown.show(stranger)
        await until_read(pilot, "Untracked: an event came for this task, but it was not submitted from here.")
        shown.show(task, asking=Unreachable("IMM cannot be reached.", "No route.", "Mend it."))
        await until_read(pilot, "? Unknown")
        assert "It was cut after it was sent." in read(shown)
        await until_read(pilot, "IMM could not be asked about it. IMM cannot be reached. No route. Mend it.")
        await until_read(pilot, "submitted 20")
        assert "Untracked" not in read(shown)


async def test_facts_that_are_no_more_leave_no_gap(writer: Writer) -> None:
    known, less = writer.submitted("a.docx", "t-1"), sent(writer)
    shown = Shown(writer)
    async with shown.run_test(size=(120, 24)) as pilot:
        shown.show(known, batch=(1, 2))
        await until_read(pilot, "batch 1 of 2 submitted together")
        shown.show(less)
        await until_read(pilot, "… Submitting")
        await until(pilot, lambda: shown.query_one(Facts).size.height == 5)


async def test_nothing_selected_says_so(writer: Writer) -> None:
    shown = Shown(writer)
    async with shown.run_test() as pilot:
        await until_read(pilot, "Select a task to see what is known of it.")
        shown.show(writer.submitted("a.docx", "t-1"))
        await until_read(pilot, "◐ Running")
        shown.detail.show(None, ())
        await until_read(pilot, "Select a task to see what is known of it.")
        assert "Running" not in read(shown)


async def test_tabs_are_chosen_by_number_by_brackets_and_by_mouse_and_the_focus_goes_along(writer: Writer) -> None:
    task = sent(writer, request=REQUEST)
    shown = Shown(writer)
    async with shown.run_test(size=(100, 24)) as pilot:
        shown.show(task)
        await until_read(pilot, "source oss://bucket/5页.docx")
        shown.detail.focus()
        for keys, words in (
            (["2"], "No event has come yet."),
            (["right_square_bracket"], "submitted"),
            (["right_square_bracket"], "ImageDPI 150"),
            (["right_square_bracket"], "events 0"),
            (["left_square_bracket"], "ImageDPI 150"),
            (["1"], "events 0"),
        ):
            await pilot.press(*keys)
            await until_read(pilot, words)
            assert shown.focused is shown.detail.inside
        await pilot.press("shift+tab")
        assert shown.focused is shown.query_one("#elsewhere")
        await pilot.click(shown.query_one("#tabs").children[2])
        await until(pilot, lambda: isinstance(shown.detail.inside, Timeline))


async def test_the_chosen_tab_stays_when_another_task_is_shown_and_that_begins_at_its_top(writer: Writer) -> None:
    other, task = writer.submitted("other.docx", "t-0"), writer.submitted("a.docx", "t-1")
    for percent in range(10, 60, 5):
        writer.received(event("t-0", percent=percent))
        writer.received(event("t-1", percent=percent))
    shown = Shown(writer)
    async with shown.run_test(size=(100, 14)) as pilot:
        shown.show(other)
        await until_read(pilot, "◐ Running")
        shown.detail.focus()
        await pilot.press("3", "end")
        timeline = shown.query_one(Timeline)
        await until(pilot, lambda: timeline.scroll_y > 10)
        there = timeline.scroll_y
        writer.received(event("t-0", percent=90))
        shown.show(other)
        await until_read(pilot, "90 %")
        assert timeline.scroll_y == there, "a change leaves the scroll where it is"
        shown.show(task)
        await until(pilot, lambda: timeline.scroll_y == 0)
        assert shown.detail.inside is timeline


async def test_several_messages_are_told_apart_the_deciding_one_first(writer: Writer) -> None:
    task = writer.submitted("a.docx", "t-1")
    writer.received(event("t-1"), "FINISHED")
    writer.received(event("t-1", percent=40, at=now() - 1_000), "PROGRESS")
    shown = Shown(writer)
    async with shown.run_test(size=(120, 50)) as pilot:
        shown.show(task)
        await until_read(pilot, "events 2")
        await pilot.press("tab", "2")
        await until_read(pilot, "message PROGRESS")
        words = read(shown)
        assert words.index("message FINISHED") < words.index("message PROGRESS")


async def test_events_are_shown_raw_or_formatted_by_key_and_by_mouse(writer: Writer) -> None:
    body = json.dumps({"events": [{"eventName": "FormatConvertJob:TaskFinished", "imm": {"taskId": "t-\u9875"}}]})
    writer.received(b"<Message>%s</Message>" % body.replace("Finished", "Progress").encode())
    writer.received(body.encode())
    shown = Shown(writer)
    async with shown.run_test(size=(120, 40)) as pilot:
        shown.show(1)
        await until_read(pilot, "✔ Succeeded")
        await pilot.press("tab", "2")
        await until_read(pilot, '"taskId": "t-页"')
        assert "no JSON: shown as it came" in read(shown)
        await pilot.press("f")
        await until_read(pilot, '"t-\\u9875"')
        await pilot.click(shown.query_one("#tabs").children[1])
        await until_read(pilot, '"taskId": "t-页"')
        await pilot.press("3", "f", "2")
        await until_read(pilot, '"taskId": "t-页"')


def story(writer: Writer, *, happened: int = 2_000) -> tuple[int, int]:
    """A task whose event was delivered three times, twice to us; and when it was submitted."""
    at = now() - 60_000
    task = sent(writer, at=at)
    writer.history.record_accepted(task, "t-1", "R-1", None, at + 120)
    body = event("t-1", at=at + happened)
    for times in (2, 3):
        arrival = Arrival(
            message_id="M", body=body, events=parse(body).events, enqueued_at=at + 2_030, dequeue_count=times
        )
        writer.history.store([arrival], at + 2_050)
    writer.history.record_left([Left(("M",), at + 2_054, at + 2_090)])
    return task, at


async def test_the_timeline_says_when_each_thing_happened_and_what_took_longest(writer: Writer) -> None:
    task, at = story(writer)
    shown = Shown(writer)
    async with shown.run_test(size=(90, 24)) as pilot:
        shown.show(task)
        await until_read(pilot, "✔ Succeeded")
        await pilot.press("tab", "3")
        await until_read(pilot, "submitted")
        words, drawn = read(shown), seen(shown)
        clock = moment(at).partition(" ")[2][:12]
        assert f"submitted {clock} accepted" in words
        for step in ("accepted", "finished", "published", "received", "stored", "deleted"):
            assert f" {step} " in words
        bars = {line.split()[1]: line.count("━") for line in drawn.splitlines() if " ms " in line or " s " in line}
        assert bars["finished"] > 8 * bars["accepted"] > 0
        for gap in ("120 ms", "1.8 s", "30 ms", "20 ms", "4 ms", "36 ms"):
            assert gap in words
        assert "delivered 3 times duplicates 1" in words


async def test_clocks_that_differ_are_told_and_a_bar_too_many_is_left_out(writer: Writer) -> None:
    task, _ = story(writer, happened=-4_000)
    shown = Shown(writer)
    async with shown.run_test(size=(48, 24)) as pilot:
        shown.show(task)
        await until_read(pilot, "✔ Succeeded")
        await pilot.press("tab", "3")
        await until_read(pilot, "-4.1 s clocks differ")
        assert not any("━" in strip.text for strip in lines(shown.query_one(Chart)))
        assert "clocks this machine's" in read(shown)
        assert "since" not in read(shown)


async def test_times_beyond_reason_and_many_messages_do_no_harm(writer: Writer) -> None:
    task = writer.submitted("a.docx", "t-1")
    for percent in range(30):
        writer.received(event("t-1", percent=percent, at=253_402_300_799_999 - percent))
    shown = Shown(writer)
    async with shown.run_test(size=(90, 24)) as pilot:
        shown.show(task)
        await until_read(pilot, "◐ Running")
        await pilot.press("tab", "3")
        await until_read(pilot, "reported")
        await pilot.press("end")
        await until_read(pilot, "older 10 messages are not drawn")


async def test_what_was_learned_by_asking_is_a_step_of_its_own(writer: Writer) -> None:
    task = sent(writer)
    writer.history.record_accepted(task, "t-1", "R-1")
    told = Event(task_id="t-1", name="GetTask", status=Status.SUCCEEDED, asked=True)
    writer.history.record_answer(task, told, b"{}", "R-2", now())
    shown = Shown(writer)
    async with shown.run_test(size=(90, 24)) as pilot:
        shown.show(task)
        await until_read(pilot, "No event came; asked IMM")
        await pilot.press("tab", "3")
        await until_read(pilot, "learned by asking IMM: no event has come of its end")
        assert "asked IMM " in read(shown)
        assert "1 answer of IMM's" in read(shown)


async def test_the_request_is_shown_as_it_was_sent_as_a_command_and_as_a_program(writer: Writer) -> None:
    task = sent(writer, request=REQUEST)
    shown = Shown(writer)
    async with shown.run_test(size=(100, 40)) as pilot:
        shown.show(task)
        await until_read(pilot, "… Submitting")
        await pilot.press("tab", "4")
        await until_read(pilot, "SourceURI oss://bucket/5页.docx ImageDPI 150 Password sent, and not kept")
        assert "Action CreateOfficeConversionTask Version 2020-09-30 RegionId cn-beijing" in read(shown)
        assert json.loads(shown.detail.copyable()[0]) == REQUEST
        await pilot.press("c")
        await until_read(pilot, "aliyun imm CreateOfficeConversionTask")
        assert "environment variable DOCUMENT_PASSWORD" in read(shown)
        assert shown.detail.copyable() == (snippets.aliyun(REQUEST), "the aliyun command")
        await pilot.click(shown.query_one("#forms").children[2])
        await until_read(pilot, "from aliyunsdkcore.client import AcsClient")
        await pilot.press("y")
        await until(pilot, lambda: shown.copied == [(snippets.python(REQUEST), "the Python program")])


async def test_a_request_that_is_not_known_says_why(writer: Writer) -> None:
    older = sent(writer)
    writer.received(event("stranger"))
    shown = Shown(writer)
    async with shown.run_test() as pilot:
        shown.show(older)
        await until_read(pilot, "… Submitting")
        await pilot.press("tab", "4")
        await until_read(pilot, "by an older imm-tui, which did not keep what it sent.")
        shown.show(older + 1)
        await until_read(pilot, "It was not submitted from here: what was sent is not known.")
        assert shown.detail.copyable() == ("", "")


async def test_each_tab_can_be_copied_as_text(writer: Writer) -> None:
    task, _ = story(writer)
    shown = Shown(writer)
    async with shown.run_test() as pilot:
        assert shown.detail.copyable() == ("", "")
        shown.show(task)
        await until_read(pilot, "✔ Succeeded")
        shown.detail.focus()
        await pilot.press("y", "3", "y")
        await until(pilot, lambda: len(shown.copied) == 2)
        (overview, _), (timeline, _) = shown.copied
        assert "source: oss://bucket/5页.docx" in overview
        assert [line.split()[0] for line in timeline.splitlines()[1:4]] == ["submitted", "accepted", "finished"]
        await pilot.press("2")
        assert shown.detail.copyable()[0].encode() == writer.history.messages_of(task)[0].body


HOSTILE = "[@click=app.quit]x[/] [/foo] \x1b[31m \x1b]52;c;aGk=\x07 \x9b \u202e \u200b"


async def test_nothing_from_outside_is_obeyed_in_any_tab(writer: Writer) -> None:
    request = {**REQUEST, "region": HOSTILE, "parameters": {HOSTILE: HOSTILE, "Password": None}}
    conversion = Conversion(source_uri=f"oss://b/{HOSTILE}", target_uri=HOSTILE, target_type=HOSTILE)
    task = writer.history.record_intent(
        conversion, project=HOSTILE, api_version=HOSTILE, token="t", at=now(), request=request
    )
    writer.history.record_accepted(task, f"id-{HOSTILE}", HOSTILE)
    writer.received(event(f"id-{HOSTILE}", code=HOSTILE), f"M-{HOSTILE}")
    writer.received(event(f"id-{HOSTILE}", percent=40))
    shown = Shown(writer)
    async with shown.run_test(size=(120, 40)) as pilot:
        shown.show(task)
        await until_read(pilot, "[@click=app.quit]x[")
        shown.detail.focus()
        for keys in ("1", "2", "3", "4", "c", "c"):
            await pilot.press(keys)
            await until_read(pilot, "[@click=app.quit]x[" if keys != "3" else "submitted")
            assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u200b"} & set(seen(shown))
            for widget in shown.query("TaskDetail Static"):
                if widget.region and shown.get_widget_at(*widget.region.offset)[0] is widget:
                    if widget.parent is not None and widget.parent.id in ("tabs", "forms"):
                        continue
                    await pilot.click(widget, offset=(1, 0))
                    assert shown.is_running


@pytest.fixture
def chinese() -> Iterator[None]:
    i18n.use("zh_CN")
    yield
    i18n.use("en")


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("size", [(60, 12), (80, 24), (120, 40), (200, 50)])
async def test_every_tab_is_drawn_at_every_size_in_chinese_too(writer: Writer, size: tuple[int, int]) -> None:
    task, _ = story(writer)
    shown = Shown(writer)
    async with shown.run_test(size=size) as pilot:
        shown.show(task)
        await until_read(pilot, "━ 100 %")
        shown.detail.focus()
        for tab in "1234":
            await pilot.press(tab)
            await until(pilot, lambda: shown.focused is shown.detail.inside)
            assert shown.detail.inside is not None
            region = shown.detail.inside.region
            assert region.height >= 3
            assert shown.detail.region.contains_region(region)


async def test_a_code_that_is_longer_than_a_line_is_told_all_the_same(writer: Writer) -> None:
    task = writer.submitted("a.docx", "t-1")
    writer.received(event("t-1", code="Long" * 30))
    shown = Shown(writer)
    async with shown.run_test(size=(60, 24)) as pilot:
        shown.show(task)
        await until_read(pilot, "✘ Failed ·")
        await until_read(pilot, "LongLong")


async def test_a_second_that_passes_redraws_the_figures_and_nothing_else(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = clock = now()
    monkeypatch.setattr("imm_tui.tui.widgets.overview.now", lambda: clock)
    task = writer.submitted("a.docx", "t-1", at=began)
    shown = Shown(writer)
    async with shown.run_test() as pilot:
        clock = began + 5_000
        shown.show(task)
        await until_read(pilot, "png · for 5 s")
        before = read(shown)
        clock = began + 6_000
        shown.detail.tick()
        await until_read(pilot, "png · for 6 s")
        assert read(shown) == before.replace("for 5 s", "for 6 s")
        await pilot.press("tab", "3")
        shown.detail.tick()
        assert not shown.query_one(Overview).display


@pytest.mark.parametrize(("tab", "words"), [("1", "source"), ("2", "message LAST"), ("3", "received")])
async def test_without_a_task_nothing_of_the_one_before_is_left(writer: Writer, tab: str, words: str) -> None:
    task = writer.submitted("a.docx", "t-1")
    writer.received(event("t-1"), "LAST")
    shown = Shown(writer)
    async with shown.run_test(size=(120, 40)) as pilot:
        shown.show(task)
        await until_read(pilot, "✔ Succeeded")
        await pilot.press("tab", tab)
        await until_read(pilot, words)
        shown.detail.show(None, ())
        await until_read(pilot, "Select a task")
        assert words not in read(shown)
        assert "Overview" not in read(shown)
