"""A read-only profile: what can be seen is seen, and nothing in the cloud is changed, by no command and no key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from textual.pilot import Pilot

from imm_tui import config, quarantine
from imm_tui.arrivals import Arrival
from imm_tui.errors import ReadOnly
from imm_tui.history import History
from imm_tui.profiles import Profiles
from imm_tui.tasks import Conversion, now
from imm_tui.tui.app import ImmApp
from tests.conftest import RunningEmulator
from tests.mailbox import Mailbox, all_quarantined, notification
from tests.program import Program
from tests.relay import Relay
from tests.tui.stage import read, until, until_read


def changes(relay: Relay) -> list[str]:
    """What would change anything in the cloud: to receive does, it hides a message from others."""
    imm = [action for action in relay.operations if not action.startswith(("Get", "List"))]
    mns = [f"{method} {target}" for method, target in relay.requests if method != "GET" or _receives(target)]
    return imm + mns


def _receives(target: str) -> bool:
    return urlsplit(target).path.endswith("/messages") and "peekonly=true" not in target


@pytest.fixture
def cloud(emulator: RunningEmulator) -> Iterator[Relay]:
    """The emulator, seen from a place where every request is known; whatever the test does, none changes anything."""
    with Relay(emulator.endpoint) as relay:
        yield relay
        assert changes(relay) == []


@pytest.fixture
def program(program: Program, cloud: Relay) -> Program:
    """The program, which knows no other way to the emulator."""
    ways = {"IMM_TUI_MNS_ENDPOINT": cloud.url, "IMM_TUI_IMM_ENDPOINT": cloud.url, "IMM_TUI_STS_ENDPOINT": cloud.url}
    program.environment |= ways
    return program


def test_watching_prints_each_event_once(program: Program, mailbox: Mailbox) -> None:
    mailbox.publish(notification("a"), notification("b"))
    run = program("watch", "--json", "--read-only", "--count", "2")
    assert [event["task_id"] for event in run.objects] == ["a", "b"]
    assert "Read-only" in run.err
    again = program("watch", "--json", "--idle-exit", "1", IMM_TUI_READ_ONLY="1")
    assert (again.code, again.out) == (0, "")
    assert mailbox.left == (2, 0)


def test_a_submission_is_refused_before_it_is_recorded(program: Program) -> None:
    run = program("submit", "oss://demo/a.docx", "--to", "png", "--wait", "--read-only")
    assert run.code == 2
    assert "read-only" in run.err
    assert program("tasks", "--json").out == ""


def test_a_smoke_test_is_refused(program: Program) -> None:
    run = program("smoke", "--source", "oss://demo/a.docx", "--read-only")
    assert run.code == 2
    assert "read-only" in run.err
    assert program("tasks", "--json").out == ""


def test_what_a_person_would_decide_about_a_message_is_refused_and_not_noted(mailbox: Mailbox, tmp_path: Path) -> None:
    settings = replace(mailbox.settings, read_only=True)
    with History(tmp_path / "history.db") as history:
        history.store_peeked([Arrival(message_id="1", body=b"?", reason="It is not IMM's.")], 1_000)
        (message,) = all_quarantined(history)
        for decide in (quarantine.delete, quarantine.release):
            with pytest.raises(ReadOnly):
                decide(history, settings, mailbox.credentials, message)
        assert all_quarantined(history) == [message]


LEAVING = {"app.leave", "app.quit", "quit", "suspend_process", "app.language", "app.profile", "screen.copy_text"}


@pytest.mark.parametrize("key", ["n", "R", "t", "U"])
async def test_a_key_that_would_change_something_says_why_it_does_not(
    mailbox: Mailbox, cloud: Relay, tmp_path: Path, key: str
) -> None:
    given = {"mns_endpoint": cloud.url, "imm_endpoint": cloud.url, "read_only": "true"}
    environ = {"IMM_TUI_CONFIG": str(tmp_path / "config.toml")}
    settings = config.load({name: getattr(mailbox.settings, name) for name in config.KEYS} | given, environ)
    mailbox.publish(notification("a"))
    shown = ImmApp(settings, tmp_path / "history.db", mailbox.credentials, profiles=Profiles({}, environ, "default"))
    async with shown.run_test(size=(140, 40), notifications=True) as pilot:
        await until_read(pilot, "1 succeeded")
        await pilot.press("end", key)
        await until_read(pilot, "It only looks")
        assert "--read-only" in read(shown)
        assert shown.screen is shown.dashboard


async def do_everything(pilot: Pilot[str | None]) -> set[tuple[str, str]]:
    """Whatever a key of ours does on the screen in front, and on every screen that one of them opens, once; what closes
    one is the last. Returns the screens and what was done there."""
    home = pilot.app.screen
    done: set[tuple[str, str]] = set()
    while True:
        front = pilot.app.screen
        name = type(front).__name__
        left = [
            (it.binding.action in ("dismiss", "cancel", "back") or it.binding.key == "enter", key, it.binding.action)
            for key, it in front.active_bindings.items()
            if it.enabled and (it.binding.id or key == "enter") and it.binding.action not in LEAVING
            if (name, it.binding.action) not in done
        ]
        if not left and front is home:
            return done
        _, key, action = min(left, default=(True, "escape", ""))
        done.add((name, action))
        await pilot.press(key)
        await pilot.pause()


async def test_no_key_of_any_screen_changes_anything(
    emulator: RunningEmulator, mailbox: Mailbox, cloud: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mailbox.publish("not ours", notification("a"), notification("b"))
    with History(tmp_path / "history.db") as history:
        conversion = Conversion(source_uri="oss://demo/a.docx", target_uri="oss://demo/out/", target_type="png")
        task = history.record_intent(
            conversion, project=emulator.project, api_version="2017-09-06", token="t", at=now() - 60_000
        )
        history.record_accepted(task, "long-ago", "request")
    settings = replace(mailbox.settings, read_only=True, mns_endpoint=cloud.url, imm_endpoint=cloud.url)
    profiles = Profiles({}, {"IMM_TUI_CONFIG": str(tmp_path / "config.toml")}, "default")
    shown = ImmApp(settings, tmp_path / "history.db", mailbox.credentials, overdue_after=0.1, profiles=profiles)
    shown.sample = "oss://demo/a.docx"  # for the smoke test
    async with shown.run_test(size=(140, 40)) as pilot:
        await until_read(pilot, "◉ peeking")
        assert "read-only" in read(shown)
        await until_read(pilot, "2 succeeded")
        done = await do_everything(pilot)
        await until(pilot, lambda: "GetOfficeConversionTask" in cloud.operations)
    screens = {screen for screen, _ in done}
    assert {"Dashboard", "QuarantineScreen", "ExportScreen", "HelpScreen", "DoctorScreen"} <= screens
    pressed = {action.removeprefix("app.") for _, action in done}
    assert {"new_submission", "resubmit", "smoke", "setup", "delete", "release"} <= pressed
    assert not {"SubmitScreen", "ResubmitScreen", "SmokeScreen", "SetupScreen", "ConfirmScreen"} & screens
    assert any("peekonly" in target for _, target in cloud.requests)
    assert mailbox.left == (3, 0)
