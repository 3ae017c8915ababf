"""The dashboard: what another connection writes to the history is what a person sees."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from imm_tui.errors import Refused, Unreachable
from imm_tui.history import Left
from imm_tui.listener import ListenerState, Phase
from imm_tui.tasks import Conversion, Event, Status
from imm_tui.tui.app import ImmApp
from imm_tui.tui.widgets.footer import Footer
from imm_tui.tui.widgets.json_view import JsonView
from imm_tui.tui.widgets.task_detail import TaskDetail
from imm_tui.tui.widgets.task_list import TaskList
from imm_tui.tui.widgets.trouble_banner import TroubleBanner
from tests.tui.conftest import SETTINGS, Writer, app, event, lines, now
from tests.tui.stage import read, seen, until, until_read

MARKUP = "[@click=app.quit]x[/] [/foo] [$primary]q[/] [link=http://a]l[/link] tail\\"
CONTROLS = "\x1b[31m \x1b]52;c;aGk=\x07 \x00 \x9b \x7f \u202e \u2066 \u200b \ufeff \ud800"
HAZARDS = set(CONTROLS) - set(" [31m]52;caGk=")


async def test_an_empty_history_says_so_and_what_the_program_looks_at(path: Path) -> None:
    async with app(path).run_test(size=(120, 24)) as pilot:
        await until_read(pilot, "No tasks yet")
        assert "imm-tui cn-beijing · GetResult-ByNotify-Demo · 2017-09-06" in read(pilot.app)
        assert "Tasks 0" in read(pilot.app)


async def test_what_another_process_writes_appears_by_itself(path: Path, writer: Writer) -> None:
    async with app(path).run_test(size=(120, 24)) as pilot:
        await until_read(pilot, "No tasks yet")
        writer.submitted("5页Word.docx", "t-1")
        await until_read(pilot, "◐ png – ")
        await until_read(pilot, "◐ 1 running")
        writer.received(event("t-1", pages=5))
        await until_read(pilot, "✔ png 5 p 100 %")


async def test_a_wake_up_from_any_thread_is_enough(path: Path, writer: Writer) -> None:
    shown = app(path)
    async with shown.run_test(size=(120, 24)) as pilot:
        await until_read(pilot, "No tasks yet")
        writer.submitted("a.docx", "t-1")
        shown.wake()
        shown.wake()
        await until_read(pilot, "Tasks 1")


async def test_a_history_of_thousands_is_shown_newest_first(path: Path, writer: Writer) -> None:
    conversion = Conversion(source_uri="oss://b/old.docx", target_uri="oss://b/t/", target_type="pdf")
    writer.history.record_intent(conversion, project="p", api_version="2017-09-06", token="t", at=1)
    with closing(sqlite3.connect(path)) as file, file as db:
        columns = "revision, status, source_uri, target_type, seen_at, submitted_at"
        db.executemany(
            f"INSERT INTO tasks ({columns}) VALUES (?, 'Unknown', ?, 'png', 1, 1)",
            [(2 + number, f"oss://b/document-{number}.docx") for number in range(5_000)],
        )
    async with app(path).run_test(size=(120, 24)) as pilot:
        await until_read(pilot, "… 1 submitting ? 5,000 unknown all 5,001")
        assert "document-4999.docx" in read(pilot.app)
        await pilot.press("end")
        await until_read(pilot, "old.docx")


async def test_an_event_that_came_before_the_answer_becomes_one_with_its_submission(path: Path, writer: Writer) -> None:
    async with app(path).run_test(size=(120, 24)) as pilot:
        number = writer.submitted("5页Word.docx")
        writer.received(event("formatconvert-1"))
        await until_read(pilot, "Tasks 2 ")
        writer.history.record_accepted(number, "1", "REQUEST")
        await until_read(pilot, "Tasks 1 5页Word.docx")
        assert "✔ png 5 p 100 %" in read(pilot.app)


async def test_the_detail_follows_the_selection(path: Path, writer: Writer) -> None:
    for name in ("first.docx", "second.docx", "third.docx"):
        writer.submitted(name, name)
    async with app(path).run_test(size=(120, 24)) as pilot:
        await until_read(pilot, "source oss://bucket/in/third.docx")
        await pilot.press("down", "down")
        await until_read(pilot, "source oss://bucket/in/first.docx")
        writer.submitted("fourth.docx", "fourth")
        await until_read(pilot, "Tasks 4")
        assert "source oss://bucket/in/first.docx" in read(pilot.app)
        await pilot.click(TaskList, offset=(10, 2))
        await until_read(pilot, "source oss://bucket/in/fourth.docx")


async def test_the_timeline_says_when_an_event_has_left_its_queue(path: Path, writer: Writer) -> None:
    writer.submitted("a.docx", "t-1")
    async with app(path).run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "⏎ detail")
        await pilot.press("enter", "3")
        writer.received(event("t-1"), "M")
        await until_read(pilot, "received")
        assert "deleted" not in read(pilot.app)
        await pilot.pause(1)  # another moment than that of the event
        writer.history.record_left([Left(("M",), now(), now())])
        await until_read(pilot, "deleted")


async def test_enter_goes_to_the_detail_and_escape_back(path: Path, writer: Writer) -> None:
    writer.submitted("a.docx", "t-1")
    async with app(path).run_test(size=(120, 12)) as pilot:
        await until_read(pilot, "⏎ detail")
        for there, back in (("enter", "escape"), ("right", "left"), ("tab", "tab"), ("shift+tab", "shift+tab")):
            await pilot.press(there)
            await until_read(pilot, "esc back")
            assert "⏎ detail" not in read(pilot.app)
            await pilot.press(back)
            await until_read(pilot, "⏎ detail")
        await pilot.click(TaskList, offset=(10, 2), times=2)
        await until_read(pilot, "esc back")


@pytest.mark.parametrize("goes_there", [False, True])
async def test_the_newest_push_the_selection_out_of_sight_unless_its_detail_is_read(
    path: Path, writer: Writer, goes_there: bool
) -> None:
    writer.submitted("first.docx", "t-1")
    async with app(path).run_test(size=(160, 20)) as pilot:
        await until_read(pilot, "source oss://bucket/in/first.docx")
        if goes_there:
            await pilot.press("tab")
            await until_read(pilot, "esc back")
        for number in range(30):
            writer.submitted(f"later-{number}.docx", f"l-{number}")
        await until_read(pilot, "Tasks 31")
        tasks = pilot.app.screen.query_one(TaskList)
        listed = " ".join(strip.text for strip in lines(tasks))
        assert ("later-29.docx" in listed, "first.docx" in listed) == (not goes_there, goes_there)
        assert "source oss://bucket/in/first.docx" in read(pilot.app)
        await pilot.press("escape", "up")
        await until_read(pilot, "source oss://bucket/in/later-0.docx")


@pytest.mark.parametrize(
    ("size", "stacked"), [((60, 20), True), ((80, 24), True), ((120, 40), False), ((200, 50), False)]
)
async def test_the_two_regions_share_the_screen_at_every_size(
    path: Path, writer: Writer, size: tuple[int, int], stacked: bool
) -> None:
    writer.submitted("5页Word.docx", "t-1")
    async with app(path).run_test(size=size) as pilot:
        await until_read(pilot, "source oss://")
        await until_read(pilot, "n new")
        tasks, detail = (pilot.app.screen.query_one(kind).region for kind in (TaskList, TaskDetail))
        assert stacked == (tasks.y < detail.y)
        assert stacked == (tasks.x == detail.x)
        assert "5页Word.docx" in seen(pilot.app)
        assert "◐ Running" in seen(pilot.app)
        assert detail.height >= 6


async def test_a_stopped_listener_is_told_in_full_with_the_key_that_helps(path: Path) -> None:
    shown = app(path)
    trouble = Refused(
        "The queue refused the call.",
        " ".join(["The key may not receive from it."] * 6),
        "Grant mns:BatchReceiveMessage.",
        request_id="5F74C5C9",
    )
    async with shown.run_test(size=(80, 24)) as pilot:
        assert "r reconnect" not in read(shown)
        shown.dashboard.show_listener(ListenerState(phase=Phase.STOPPED, since=now(), trouble=trouble))
        await until_read(pilot, "r reconnect")
        assert "✕ stopped" in read(shown)
        await until_read(pilot, f"{trouble} r tries again.")
        shown.dashboard.show_listener(ListenerState(phase=Phase.LISTENING, since=now()))
        await until_read(pilot, "● listening")
        await until(pilot, lambda: "refused" not in read(shown) and "r reconnect" not in read(shown))


async def test_a_lost_connection_says_when_and_why(path: Path) -> None:
    shown = app(path)
    trouble = Unreachable("MNS cannot be reached.", "The connection timed out.")
    async with shown.run_test(size=(80, 24)) as pilot:
        shown.dashboard.show_listener(
            ListenerState(phase=Phase.RECONNECTING, since=now(), trouble=trouble, retry_at=now() + 8_900)
        )
        await until(pilot, lambda: re.search("◌ reconnecting in [1-9] s", read(shown)) is not None)
        await until_read(pilot, "MNS cannot be reached. The connection timed out.")
        await until_read(pilot, "r reconnect")


async def test_a_quarantined_message_is_told_once_and_those_that_follow_together(
    path: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imm_tui.tui.screens.dashboard._TOAST_LASTS", 2.0)
    writer.received(b"from before", "OLD")
    shown = app(path)
    async with shown.run_test(size=(120, 40), notifications=True) as pilot:
        await until_read(pilot, "No tasks yet")
        writer.received(b"hello", "MESSAGE-[@click=app.quit]7")
        await until_read(pilot, "MessageId MESSAGE-[@click=app.quit]7")
        words = read(pilot.app)
        assert "The message is neither a JSON object nor an XML envelope." in words
        assert "It was kept, and left on the queue" in words
        assert "OLD" not in words
        for number in range(5):
            writer.received(b"again", f"MORE-{number}")
            shown.wake()
            await pilot.pause(0.1)
            assert len(pilot.app.screen.query("Toast")) == 1
        await until_read(pilot, "5 messages could not be read. They were kept")
        assert len(pilot.app.screen.query("Toast")) == 1


async def test_a_toast_waits_until_the_form_is_closed_and_counts_what_came_meanwhile(
    path: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imm_tui.tui.screens.dashboard._TOAST_LASTS", 4.0)
    async with app(path).run_test(size=(100, 34), notifications=True) as pilot:
        await until_read(pilot, "No tasks yet")
        await pilot.press("n")
        await until_read(pilot, "Submit a conversion")
        tasks = pilot.app.screen_stack[0].query_one(TaskList)
        for waiting in ("2 not read: u shows them", "4 not read: u shows them"):
            for _ in range(2):
                writer.received(b"hello")
            await until(pilot, partial(lambda words: tasks.border_subtitle == words, waiting))
        assert "Not read" not in read(pilot.app)
        await pilot.press("escape")
        await until_read(pilot, "4 messages could not be read. They were kept")
        await until_read(pilot, "4 not read: u shows them")
        await pilot.press("n")
        await until_read(pilot, "Submit a conversion")
        assert "Not read" not in read(pilot.app)


async def test_events_that_never_came_are_told_when_there_are_two_of_them(path: Path, writer: Writer) -> None:
    at = now() - 60_000
    tasks = [writer.submitted(f"{number}.docx", f"t-{number}", at=at) for number in (1, 2)]
    for number, task in enumerate(tasks, 1):
        async with app(path).run_test(size=(120, 40)) as pilot:
            await until_read(pilot, "Tasks 2")
            assert "no event came for them" not in read(pilot.app)
        answer = Event(task_id=f"t-{number}", name="GetTask", status=Status.SUCCEEDED, asked=True)
        writer.history.record_answer(task, answer, b"{}", f"R-{number}", at)
    shown = app(path)
    async with shown.run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "2 tasks of the last hour have ended at IMM, and no event came for them.")
        words = read(pilot.app)
        assert "Somebody else may be taking from the queue queue" in words
        assert "Give every viewer a queue of its own, subscribed to the topic." in words
        trouble = Unreachable("MNS cannot be reached.")
        shown.dashboard.show_listener(ListenerState(phase=Phase.RECONNECTING, since=now(), trouble=trouble))
        await until_read(pilot, "MNS cannot be reached.")
        shown.dashboard.show_listener(ListenerState(phase=Phase.LISTENING, since=now()))
        await until_read(pilot, "no event came for them")
        writer.received(event("t-1"))
        await until(pilot, lambda: "no event came for them" not in read(pilot.app))


async def test_escape_takes_away_what_is_told_of_missing_events_until_there_are_more(
    path: Path, writer: Writer
) -> None:
    def unheard(name: str) -> None:
        task = writer.submitted(name, name, at=now() - 60_000)
        answer = Event(task_id=name, name="GetTask", status=Status.SUCCEEDED, asked=True)
        writer.history.record_answer(task, answer, b"{}", name, now() - 60_000)

    unheard("a")
    unheard("b")
    shown = app(path)
    async with shown.run_test(size=(60, 20)) as pilot:
        await until_read(pilot, "no event came for them")
        assert shown.screen.query_one(TroubleBanner).size.height <= 4
        await pilot.press("escape")
        assert "no event came for them" not in read(shown)
        await pilot.pause(1.2)
        assert "no event came for them" not in read(shown)
        unheard("c")
        await until_read(pilot, "3 tasks of the last hour")


async def test_a_toast_is_drawn_once_under_what_is_opened_over_it(path: Path) -> None:
    shown = app(path)
    async with shown.run_test(size=(60, 20), notifications=True) as pilot:
        await until_read(pilot, "No tasks yet")
        shown.notify("What is told", timeout=60)
        await until_read(pilot, "What is told")
        await pilot.press("v")
        await until_read(pilot, "Failed and unknown")
        await until(pilot, lambda: read(shown).count("What is told") == 1)
        await pilot.press("escape")
        await until(pilot, lambda: "Failed and unknown" not in read(shown))
        assert read(shown).count("What is told") == 1


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [("http://mns.example.com", True), ("https://mns.example.com", False), ("http://127.0.0.1:9", False)],
)
async def test_what_is_not_encrypted_is_said_in_the_heading(path: Path, endpoint: str, told: bool) -> None:
    async with app(path, replace(SETTINGS, mns_endpoint=endpoint)).run_test(size=(80, 24)) as pilot:
        await until_read(pilot, "No tasks yet")
        assert ("http: not encrypted" in read(pilot.app)) is told


async def test_the_heading_names_the_scenario_of_the_demo(path: Path) -> None:
    shown = ImmApp(SETTINGS, path, None, demo=True, scenario="lost-events")
    async with shown.run_test(size=(120, 24)) as pilot:
        await until_read(pilot, "imm-tui demo · lost-events cn-beijing")


async def test_an_unusable_history_is_told_and_nothing_else_breaks(path: Path) -> None:
    path.mkdir()
    async with app(path).run_test(size=(120, 24)) as pilot:
        await until_read(pilot, "cannot be used")
        await pilot.press("down", "enter", "f", "end", "tab")
        assert "IMM_TUI_DATA_DIR" in read(pilot.app)


async def test_a_history_that_breaks_while_it_is_shown_is_told(path: Path, writer: Writer) -> None:
    writer.submitted("a.docx", "t-1")
    async with app(path).run_test(size=(120, 24)) as pilot:
        await until_read(pilot, "◐ Running")
        with closing(sqlite3.connect(path)) as file, file as db:
            db.execute("ALTER TABLE removals RENAME TO gone")
        await until_read(pilot, "cannot be used")
        with closing(sqlite3.connect(path)) as file, file as db:
            db.execute("ALTER TABLE gone RENAME TO removals")
        writer.submitted("b.docx", "t-2")
        await until_read(pilot, "Tasks 2")
        await until(pilot, lambda: "cannot be used" not in read(pilot.app))


@pytest.mark.parametrize("hostile", [MARKUP, CONTROLS, MARKUP + CONTROLS])
async def test_nothing_from_outside_is_obeyed(path: Path, writer: Writer, hostile: str) -> None:
    """As markup, by a terminal, or by a click; wherever it stands: name, id, code, words, body, project."""
    name = hostile.replace("/", "")
    task = writer.history.record_intent(
        Conversion(source_uri=f"oss://b/{name}", target_uri=f"oss://{hostile}/", target_type=hostile),
        project=hostile,
        api_version=hostile,
        token="t",
        at=now(),
    )
    writer.history.record_refused(task, code=hostile, message=f"{hostile}\nline", request_id=hostile, at=now())
    other = writer.submitted(name)
    writer.history.record_accepted(other, f"id-{hostile}", hostile)
    writer.received(event(f"id-{hostile}").replace(b"\\u001b", b"\x1b"), f"M-{hostile}")
    settings = SETTINGS.__class__(region=hostile, project=hostile, api_version=SETTINGS.api_version)
    shown = ImmApp(settings, path, None)
    async with shown.run_test(size=(120, 40), notifications=True) as pilot:
        writer.received(b"no event", f"M-{hostile}")
        trouble = Refused(hostile, hostile, hostile, code=hostile, request_id=hostile)
        shown.dashboard.show_listener(ListenerState(phase=Phase.STOPPED, since=now(), trouble=trouble))
        for key, words in (("home", "id-"), ("end", "Failed")):
            await pilot.press("escape", key, "f")
            await until_read(pilot, words)
            drawn = seen(shown) + "".join(
                strip.text for kind in (TaskList, JsonView) for strip in lines(shown.dashboard.query_one(kind))
            )
            assert not HAZARDS & set(drawn)
            for widget in [*shown.dashboard.query("TaskDetail > *, Facts, TroubleBanner, Toast")]:
                if widget.region and shown.get_widget_at(*widget.region.offset)[0] is widget:
                    await pilot.click(widget, offset=(1, 0))
                    assert shown.is_running, widget
        if hostile.startswith(MARKUP):
            await until(pilot, lambda: "[@click=app.quit]x[" in read(shown))
        assert shown.is_running
        assert shown.dashboard.query_one(Footer).is_attached
