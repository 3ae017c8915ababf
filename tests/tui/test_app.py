"""The app from its first paint to its end, and a submission on its whole way, against the emulator."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.pilot import Pilot

from imm_tui import config
from imm_tui.credentials import Credentials
from imm_tui.errors import HistoryUnusable, NoCredentials, Trouble
from imm_tui.listener import Listener
from imm_tui.reconciler import Reconciler
from imm_tui.submission import Outcome
from imm_tui.tasks import Conversion
from imm_tui.tui.app import ImmApp
from imm_tui.tui.screens.dashboard import Dashboard
from imm_tui.tui.widgets.filter_bar import FilterBar
from imm_tui.tui.widgets.task_detail import TaskDetail
from imm_tui.tui.widgets.task_list import TaskList
from tests.conftest import RunningEmulator
from tests.tui.conftest import Writer, app
from tests.tui.stage import read, seen, until, until_read

OURS: list[type[DOMNode]] = [ImmApp, Dashboard, TaskList, TaskDetail]


def against(emulator: RunningEmulator, path: Path, **flags: str) -> ImmApp:
    settings = config.load(flags, emulator.env)
    return ImmApp(settings, path, Credentials(emulator.access_key_id, emulator.access_key_secret))


def running(name: str) -> bool:
    return any(thread.name == name for thread in threading.enumerate())


def listening() -> bool:
    return running("listener")


async def submit(pilot: Pilot[str | None], *names: str) -> list[Outcome] | Trouble:
    shown = pilot.app
    assert isinstance(shown, ImmApp)
    done: list[list[Outcome] | Trouble] = []
    ends: list[threading.Thread] = []

    def note(result: list[Outcome] | Trouble) -> None:
        done.append(result)
        ends.append(threading.current_thread())

    shown.submissions.send(
        shown.session.profile,
        [
            Conversion(source_uri=f"oss://demo/{name}", target_uri=f"oss://demo/out/{name}/", target_type="png")
            for name in names
        ],
        note,
    )
    await until(pilot, lambda: bool(done))
    assert ends == [threading.main_thread()]
    return done[0]


@pytest.mark.parametrize(("version", "figures"), [("2017-09-06", "5 p 100 %"), ("2020-09-30", "– 100 %")])
async def test_a_submission_is_watched_until_it_ends(
    fresh_emulator: RunningEmulator, path: Path, version: str, figures: str
) -> None:
    shown = against(fresh_emulator, path, api_version=version)
    async with shown.run_test(size=(160, 40)) as pilot:
        await until_read(pilot, "● listening")
        outcomes = await submit(pilot, "5页Word.docx", "missing.docx")
        assert not isinstance(outcomes, Trouble)
        assert {outcome.trouble is None for outcome in outcomes} == {True}
        await until_read(pilot, "✘ 1 failed ✔ 1 succeeded")
        assert f"✔ png {figures}" in read(shown)
        accepted = outcomes[0].task
        await until_read(pilot, f"task {accepted.task_id}")  # the detail shows what was submitted
        assert "last event" in read(shown)
        await pilot.press("q")
    assert shown.return_code == 0
    assert not listening()


async def test_a_submission_that_cannot_be_sent_is_answered_with_the_trouble(
    fresh_emulator: RunningEmulator, path: Path
) -> None:
    shown = against(fresh_emulator, path, imm_endpoint="http://127.0.0.1:9")
    async with shown.run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "● listening")
        outcomes = await submit(pilot, "5页Word.docx")
        assert not isinstance(outcomes, Trouble)
        assert outcomes[0].trouble is not None
        await until_read(pilot, "✘ 1 failed")
        path.rename(path.with_suffix(".aside"))
        path.mkdir()
        assert isinstance(await submit(pilot, "5页Word.docx"), HistoryUnusable)


async def test_a_refused_key_stops_the_listener_and_r_tries_again(emulator: RunningEmulator, path: Path) -> None:
    shown = ImmApp(config.load({}, emulator.env), path, Credentials(emulator.access_key_id, "wrong"))
    async with shown.run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "✕ stopped")
        await until_read(pilot, "RequestId")
        since = shown.dashboard.listener.since
        await pilot.press("r")
        await until(pilot, lambda: shown.dashboard.listener.since != since)
        await until_read(pilot, "✕ stopped")
        assert "wrong" not in seen(shown)


async def test_where_nothing_can_be_done_yet_it_says_so_and_shows_the_history(path: Path, writer: Writer) -> None:
    writer.submitted("a.docx", "t-1")
    shown = ImmApp(app(path).settings, path, None, problem=NoCredentials("No access key was found."))
    async with shown.run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "No access key was found.")
        welcome = shown.screen
        assert welcome is not shown.dashboard
        assert not listening()
        await pilot.press("h")
        await until_read(pilot, "◐ 1 running")
        assert "✕ stopped" in read(shown)
        assert "r reconnect" not in read(shown)
        await pilot.press("n")
        await until(pilot, lambda: type(shown.screen) is type(welcome))


async def test_a_second_app_watches_what_the_first_one_receives(fresh_emulator: RunningEmulator, path: Path) -> None:
    first, second = against(fresh_emulator, path), against(fresh_emulator, path)
    async with first.run_test(size=(120, 40)) as one:
        await until_read(one, "● listening")
        async with second.run_test(size=(120, 40)) as two:
            await until_read(two, "◉ another imm-tui is listening")
            await submit(two, "5页Word.docx")
            await until_read(two, "✔ Succeeded")
        await until_read(one, "✔ Succeeded")


async def test_news_that_comes_while_the_screen_is_taken_down_is_left_for_the_next_time(
    emulator: RunningEmulator, path: Path
) -> None:
    shown = against(emulator, path)
    async with shown.run_test() as pilot:
        await until_read(pilot, "● listening")
    shown._drain()


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_leaving_ends_a_long_poll_at_once(emulator: RunningEmulator, path: Path, key: str) -> None:
    shown = against(emulator, path)
    async with shown.run_test() as pilot:
        await until_read(pilot, "● listening")
        await pilot.press(key)
    assert shown.return_code == 0
    assert not listening()


@pytest.fixture
def broken(path: Path) -> ImmApp:
    class Broken(ImmApp):
        def action_help(self) -> None:
            secret = "LTAI-the-secret"
            raise ValueError(f"of {secret}")

    return Broken(app(path).settings, path, None)


def test_a_mistake_of_its_own_is_told_in_a_sentence(broken: ImmApp, capfd: pytest.CaptureFixture[str]) -> None:
    async def press(pilot: Pilot[Any]) -> None:
        await until_read(pilot, "No tasks yet")
        await pilot.press("question_mark")

    broken.run(headless=True, auto_pilot=press)
    told = " ".join(capfd.readouterr().err.split())
    assert broken.return_code == 1
    assert re.search(r"imm-tui ended through a mistake of its own: ValueError \(\w+.py, line \d+, imm-tui \S+\)", told)
    assert "Traceback" not in told
    assert "LTAI" not in told


def sabotage(monkeypatch: pytest.MonkeyPatch, shown: ImmApp, kind: type, name: str) -> None:
    """Lets a thread end through an error that nobody foresaw, in an app that a pilot runs."""

    def broken(*_: object) -> None:
        raise KeyError("a-secret")

    monkeypatch.setattr(kind, name, broken)
    monkeypatch.setattr(threading, "excepthook", shown.thread_failed)


async def test_a_listener_that_failed_is_not_said_to_listen_and_can_be_started_again(
    emulator: RunningEmulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = against(emulator, path)
    with monkeypatch.context() as broken:
        sabotage(broken, shown, Listener, "_listen")
        async with shown.run_test(size=(120, 24)) as pilot:
            await until_read(pilot, "The listener ended through a mistake of its own: KeyError")
            assert "stopped" in read(shown)
            assert "a-secret" not in read(shown)
            broken.undo()
            await pilot.press("r")
            await until_read(pilot, "● listening")


async def test_a_reconciler_that_failed_is_told_and_asking_starts_another(
    emulator: RunningEmulator, path: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.submitted("a.docx", "t-1")
    shown = against(emulator, path, api_version="2017-09-06")
    with monkeypatch.context() as broken:
        sabotage(broken, shown, Reconciler, "_look")
        async with shown.run_test(size=(200, 40), notifications=True) as pilot:
            await until_read(pilot, "Asking IMM ended through a mistake")
            assert "a-secret" not in read(shown)
            assert not running("reconciler")
            broken.undo()
            task = shown.dashboard._fetch(1)
            assert task is not None
            shown.session.ask(task)
            assert running("reconciler")


async def test_a_first_reading_that_failed_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = app(path)
    sabotage(monkeypatch, shown, Dashboard, "_read_all")
    async with shown.run_test(size=(120, 24)) as pilot:
        await until_read(pilot, "Reading the history ended through a mistake of its own: KeyError")


async def test_ctrl_c_now_and_then_ends_nothing_and_a_form_keeps_what_was_typed(path: Path) -> None:
    shown = app(path)
    async with shown.run_test(size=(120, 24), notifications=True) as pilot:
        for _ in range(2):
            await pilot.press("ctrl+c")
            await until_read(pilot, "Once more Ctrl-C ends imm-tui")
            shown._interrupted_at -= 2.0  # as if so many seconds had passed
        await pilot.press("n")
        await until_read(pilot, "Submit a conversion")
        await pilot.press("o", "ctrl+c", "ctrl+c", "ctrl+c")
        await until_read(pilot, "Submit a conversion")
        assert shown.return_code is None
        await pilot.press("escape")
        await pilot.press("ctrl+c", "ctrl+c")
        await until(pilot, lambda: shown.return_code == 130)


def test_every_key_has_a_name_a_description_and_a_tooltip_of_its_own() -> None:
    bindings = [binding for kind in OURS for binding in kind.BINDINGS if binding not in App.BINDINGS]
    for binding in bindings:
        assert isinstance(binding, Binding)
        assert binding.id
        assert binding.description
        assert binding.tooltip
    names = [binding.id for binding in bindings if isinstance(binding, Binding)]
    assert len(names) == len(set(names))


async def test_the_palette_has_every_action_that_the_footer_has(path: Path, writer: Writer) -> None:
    writer.submitted("a.docx", "t-1")
    shown = app(path)
    async with shown.run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "⏎ detail")
        titles = [command.title for command in shown.get_system_commands(shown.screen)]
        shown_keys = [it for it in shown.screen.active_bindings.values() if it.binding.show and it.binding.id]
        words = {f"{it.binding.description}: {it.tooltip}" for it in shown_keys if it.binding.id != "command_palette"}
        unshown = {"views: Filters that have a name", "export: Write the tasks that are listed to a file"}
        assert {it for it in words if not it.startswith("palette")} | unshown <= set(titles)
        assert {"Colours", "Language", "Mouse"} <= set(titles)
        await pilot.press("ctrl+p")
        await pilot.press(*"a part of it", "enter")
        await until_read(pilot, "the task id")


async def test_every_theme_can_be_chosen(path: Path, writer: Writer) -> None:
    writer.submitted("a.docx", "t-1")
    shown = app(path)
    assert shown.theme == "imm-dark"
    async with shown.run_test(size=(120, 24)) as pilot:
        await until_read(pilot, "◐ Running")
        assert {"imm-dark", "imm-light", "nord"} < shown.available_themes.keys()
        for name in shown.available_themes:
            shown.theme = name
            await pilot.pause()
            assert "◐ Running" in read(shown)


def test_the_screen_imports_no_sdk() -> None:
    code = "import sys, imm_tui.tui.app, imm_tui.tui.screens.dashboard, imm_tui.session; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = found.stdout.split()
    assert "imm_tui.tui.app" in modules
    strangers = ("aliyunsdkcore", "aliyunsdkimm", "mns", "requests", "imm_tui.cloud", "imm_tui.emulator")
    assert [name for name in modules if name.startswith(strangers)] == []


def test_what_the_first_frame_does_not_need_is_imported_after_it() -> None:
    code = "import sys, imm_tui.cli, imm_tui.profiles, imm_tui.tui.app; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(found.stdout.split())
    assert "imm_tui.tui.screens.opening" in modules
    later = {"imm_tui.listener", "imm_tui.history", "imm_tui.tui.screens.dashboard", "filelock", "sqlite3"}
    assert not later & modules


@pytest.mark.parametrize("key", ["slash", "c", "question_mark", "e", "y", "v", "u", "L", "ctrl+p"])
async def test_escape_takes_an_error_away_before_what_is_open(path: Path, writer: Writer, key: str) -> None:
    writer.submitted("a.docx", "t-1")
    shown = ImmApp(app(path).settings, path, Credentials("an-id", "a-secret"))
    async with shown.run_test(size=(120, 40), notifications=True) as pilot:
        await until_read(pilot, "⏎ detail")
        await pilot.press(key)
        await until(pilot, lambda: shown.screen is not shown.dashboard or shown.dashboard.query_one(FilterBar).editing)
        await until(pilot, lambda: shown.screen.is_mounted and shown.focused is not None)
        opened, focused = shown.screen, shown.focused
        shown.notify("It went wrong.", severity="error")
        await until_read(pilot, "It went wrong.")
        await pilot.press("escape")
        await until(pilot, lambda: "It went wrong." not in read(shown))
        assert (shown.screen, shown.focused) == (opened, focused)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(shown.focused, TaskList))


async def test_an_error_that_a_form_does_not_show_waits_and_costs_it_no_escape(path: Path) -> None:
    shown = ImmApp(app(path).settings, path, Credentials("an-id", "a-secret"))
    async with shown.run_test(size=(120, 40), notifications=True) as pilot:
        await until_read(pilot, "No tasks yet")
        await pilot.press("n")
        await until_read(pilot, "Submit a conversion")
        shown.notify("It went wrong.", severity="error")
        await pilot.press("escape")
        await until_read(pilot, "It went wrong.")
        assert shown.screen is shown.dashboard
        await pilot.press("escape")
        await until(pilot, lambda: "It went wrong." not in read(shown))
