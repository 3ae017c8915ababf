"""The set-up on the screen, against a running emulator."""

from __future__ import annotations

import os
import threading
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from imm_tui import config
from imm_tui.config import Settings
from imm_tui.credentials import Credentials, Keys
from imm_tui.profiles import Profiles, ready
from imm_tui.tui.app import ImmApp
from imm_tui.tui.screens.setup import SetupScreen
from tests.conftest import RunningEmulator
from tests.control import Control
from tests.tui.stage import read, until, until_read

FOUND = ("IMM_TUI_REGION", "IMM_TUI_PROJECT", "IMM_TUI_TOPIC", "IMM_TUI_QUEUE")


@pytest.fixture
def environ(fresh_emulator: RunningEmulator, tmp_path: Path) -> dict[str, str]:
    """With a key and the endpoints, and nothing else that has to be known."""
    known = {name: value for name, value in fresh_emulator.env.items() if name not in FOUND}
    here = {"HOME": str(tmp_path), "IMM_TUI_CONFIG": str(tmp_path / "config.toml"), "IMM_TUI_DATA_DIR": str(tmp_path)}
    return {**known, **here, "USER": "ada"}


def screen(
    environ: Mapping[str, str], emulator: RunningEmulator, copied: list[str], keys: Keys | None = None
) -> SetupScreen:
    def load(answers: Mapping[str, str]) -> Settings:
        return config.load(answers, environ, to_write=True)

    key = Credentials(emulator.access_key_id, emulator.access_key_secret)
    return SetupScreen(load, keys or key, environ, copied.append)


class HeldKeys:
    """A key that is not to be had while `free` is not set: what a thread does stands still there."""

    def __init__(self, emulator: RunningEmulator) -> None:
        self._key = Credentials(emulator.access_key_id, emulator.access_key_secret)
        self.free = threading.Event()
        self.free.set()

    def current(self) -> Credentials:
        assert self.free.wait(30)
        return self._key

    def renew(self, _refused: Credentials) -> bool:
        return False


def app_at(tmp_path: Path) -> ImmApp:
    return ImmApp(Settings(), tmp_path / "history.db", None)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_questions_then_the_plan_and_nothing_is_made_before_it_is_agreed_to(
    fresh_emulator: RunningEmulator, environ: dict[str, str], tmp_path: Path, size: tuple[int, int]
) -> None:
    app, file = app_at(tmp_path), tmp_path / "config.toml"
    ended: list[bool | None] = []
    async with app.run_test(size=size) as pilot:
        app.push_screen(screen(environ, fresh_emulator, []), ended.append)
        await until_read(pilot, "Which region")
        await pilot.press("down", "down", "enter")
        await until_read(pilot, "Which topic")
        await pilot.press("escape")
        await until_read(pilot, "Which region")  # back, where it was answered
        await pilot.press("enter")
        await until_read(pilot, "Which topic")
        await pilot.press("enter")
        await until_read(pilot, "Nothing is changed before.")
        assert not file.exists()
        await pilot.press("enter")
        await until_read(pilot, "The profile is set up.")
        assert tomllib.loads(file.read_text())["profiles"]["default"]["region"] == "cn-beijing"
        await pilot.press("enter")
        await until(pilot, lambda: ended == [True])


async def test_a_refusal_says_what_is_lacking_gives_the_policy_and_can_be_tried_again(
    fresh_emulator: RunningEmulator, control: Control, environ: dict[str, str], tmp_path: Path
) -> None:
    control.fault("error", service="mns", operation="CreateQueue", status=403, code="AccessDenied")
    app, copied = app_at(tmp_path), list[str]()
    environ |= {"IMM_TUI_REGION": "cn-beijing", "IMM_TUI_TOPIC": fresh_emulator.topic}
    async with app.run_test(size=(120, 40)) as pilot:
        app.push_screen(screen(environ, fresh_emulator, copied))
        await until_read(pilot, "Nothing is changed before.")
        await pilot.press("enter")
        await until_read(pilot, "mns:CreateQueue")
        await pilot.press("y")
        assert "mns:CreateQueue" in copied[0]
        control.clear()
        await pilot.press("r")
        await until_read(pilot, "Nothing is changed before.")
        await pilot.press("enter")
        await until_read(pilot, "The profile is set up.")


async def test_what_is_being_made_is_made_to_its_end_whatever_is_pressed(
    fresh_emulator: RunningEmulator, environ: dict[str, str], tmp_path: Path
) -> None:
    environ |= {"IMM_TUI_REGION": "cn-beijing", "IMM_TUI_TOPIC": fresh_emulator.topic}
    keys, app = HeldKeys(fresh_emulator), app_at(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(screen(environ, fresh_emulator, [], keys))
        await until_read(pilot, "Nothing is changed before.")
        keys.free.clear()
        await pilot.press("enter")
        await until_read(pilot, "Creating and writing")
        await pilot.press("escape")
        assert "Creating and writing" in read(app)
        keys.free.set()
        await until_read(pilot, "The profile is set up.")


async def test_what_is_being_made_is_made_to_its_end_though_the_screen_is_gone(
    fresh_emulator: RunningEmulator, environ: dict[str, str], tmp_path: Path
) -> None:
    environ |= {"IMM_TUI_REGION": "cn-beijing", "IMM_TUI_TOPIC": fresh_emulator.topic}
    keys, app = HeldKeys(fresh_emulator), app_at(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(screen(environ, fresh_emulator, [], keys))
        await until_read(pilot, "Nothing is changed before.")
        keys.free.clear()
        await pilot.press("enter")
        await until_read(pilot, "Creating and writing")
        app.pop_screen()
        await pilot.pause()
        keys.free.set()
        await until(pilot, (tmp_path / "config.toml").exists)


async def test_an_answer_asks_only_what_follows_from_it(
    fresh_emulator: RunningEmulator, control: Control, environ: dict[str, str], tmp_path: Path
) -> None:
    control.fault("latency", operation="ListProjects", seconds=0)
    control.fault("latency", operation="GetCallerIdentity", seconds=0)
    del environ["IMM_TUI_ACCOUNT_ID"]
    app = app_at(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(screen(environ, fresh_emulator, []))
        await until_read(pilot, "Which region")
        await pilot.press("down", "down", "enter")
        await until_read(pilot, "Which topic")
        await pilot.press("down", "enter")
        await until_read(pilot, "Nothing is changed before.")
        assert [rule["injected"] for rule in control.faults()] == [2, 1]  # both API versions, and whose the key is


async def test_who_has_a_shared_queue_can_have_one_of_their_own(
    fresh_emulator: RunningEmulator, environ: dict[str, str], tmp_path: Path
) -> None:
    environ |= {name: fresh_emulator.env[name] for name in FOUND}
    app = app_at(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(screen(environ, fresh_emulator, []))
        await until_read(pilot, "Which queue")
        await pilot.press("enter")
        await until_read(pilot, f"there queue {fresh_emulator.queue}")
        await pilot.press("escape", "down", "enter")
        await until_read(pilot, "+ queue imm-tui-ada")


async def test_a_read_only_profile_says_so_before_anything_is_agreed_to(
    fresh_emulator: RunningEmulator, environ: dict[str, str], tmp_path: Path
) -> None:
    environ |= {"IMM_TUI_REGION": "cn-beijing", "IMM_TUI_TOPIC": fresh_emulator.topic, "IMM_TUI_READ_ONLY": "1"}
    app = app_at(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        app.push_screen(screen(environ, fresh_emulator, []))
        await until_read(pilot, "This profile is read-only, and mns:CreateQueue would change something")
        await pilot.press("enter")
        assert "Creating" not in read(app)


async def test_a_mistake_of_the_program_is_told(
    fresh_emulator: RunningEmulator, environ: dict[str, str], tmp_path: Path
) -> None:
    app = app_at(tmp_path)

    def load(_answers: Mapping[str, str]) -> Settings:
        raise ZeroDivisionError

    async with app.run_test(size=(120, 40)) as pilot:
        app.push_screen(SetupScreen(load, HeldKeys(fresh_emulator), environ, list[str]().append))
        await until_read(pilot, "ended through a mistake of its own: ZeroDivisionError")
        await until_read(pilot, "Nothing was changed.")


async def test_left_before_the_end_it_has_made_nothing(
    fresh_emulator: RunningEmulator, environ: dict[str, str], tmp_path: Path
) -> None:
    app = app_at(tmp_path)
    ended: list[bool | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(screen(environ, fresh_emulator, []), ended.append)
        await until_read(pilot, "Which region")
        await pilot.press("escape")
        await until(pilot, lambda: ended == [False])
        assert not (tmp_path / "config.toml").exists()
        assert "Which region" not in read(app)


async def test_from_the_welcome_screen_to_a_profile_at_work_and_the_doctor(
    fresh_emulator: RunningEmulator, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IMM_TUI_REGION", "cn-beijing")
    first = ready(config.load({}, os.environ), os.environ)
    profiles = Profiles({}, os.environ, first.settings.profile)
    app = ImmApp(first.settings, first.history_path, first.credentials, problem=first.problem, profiles=profiles)
    async with app.run_test(size=(120, 40)) as pilot:
        await until_read(pilot, "settings are missing")
        await pilot.press("s")
        await until_read(pilot, "Which topic")
        await pilot.press("down", "enter")
        await until_read(pilot, "Nothing is changed before.")
        await pilot.press("enter")
        await until_read(pilot, "The profile is set up.")
        await pilot.press("enter")
        await until(pilot, lambda: type(app.screen).__name__ == "DoctorScreen")
        await until_read(pilot, "subscription")
        await pilot.press("escape")
        await until_read(pilot, "listening")
