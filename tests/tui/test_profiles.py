"""Another profile inside the app: its own project, its own history, its own listener."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import pytest

from imm_tui.history import History
from imm_tui.profiles import Profile, Profiles, ready
from imm_tui.tui.app import ImmApp
from tests.conftest import RunningEmulator
from tests.tui.conftest import Writer
from tests.tui.stage import read, until, until_read


@pytest.fixture
def profiles(emulator: RunningEmulator, tmp_path: Path) -> tuple[Profiles, Path, dict[str, str]]:
    """A file with two profiles on the emulator, and one that lacks its queue."""
    env = emulator.env
    common = "\n".join(
        f'{key} = "{env[f"IMM_TUI_{key.upper()}"]}"'
        for key in ("region", "topic", "mns_endpoint", "imm_endpoint", "project")
    )
    file = tmp_path / "config.toml"
    file.write_text(
        f'[profiles.default]\n{common}\nqueue = "{env["IMM_TUI_QUEUE"]}"\n'
        f'[profiles."生产"]\n{common}\nqueue = "{env["IMM_TUI_QUEUE"]}"\napi_version = "2017-09-06"\n'
        f"[profiles.halfway]\n{common}\n",
        encoding="utf-8",
    )
    keys = {name: value for name, value in env.items() if name.startswith("ALIBABA")}
    environ = {**keys, "IMM_TUI_DATA_DIR": str(tmp_path / "data"), "HOME": str(tmp_path)}
    return Profiles({"config": str(file)}, environ, "default"), file, environ


def opened(profiles: Profiles, environ: dict[str, str], name: str = "default") -> ImmApp:
    profile = profiles.open(name)
    return ImmApp(
        profile.settings, profile.history_path, profile.credentials, problem=profile.problem, profiles=profiles
    )


def listeners() -> int:
    return sum(thread.name == "listener" for thread in threading.enumerate())


async def test_another_profile_has_its_own_history_and_one_listener_at_a_time(
    profiles: tuple[Profiles, Path, dict[str, str]],
) -> None:
    choice, _, environ = profiles
    shown = opened(choice, environ)
    async with shown.run_test(size=(140, 30)) as pilot:
        await until_read(pilot, "● listening")
        assert "2020-09-30" in read(shown)
        before = shown.history_path
        await pilot.press("P")
        await until_read(pilot, "生产")
        await pilot.press("down", "enter")
        await until_read(pilot, "生产 · ")
        await until_read(pilot, "2017-09-06")
        await until_read(pilot, "● listening")
        assert shown.history_path != before
        assert shown.history_path.exists()
        await until(pilot, lambda: listeners() == 1)
        await pilot.press("P", "up", "enter")
        await until_read(pilot, "2020-09-30")
        await until_read(pilot, "● listening")
    assert listeners() == 0


class OneIsHeld(Profiles):
    """One of the profiles opens when it is `free`."""

    held = ""

    def __init__(self, flags: Mapping[str, str | None], environ: Mapping[str, str], first: str) -> None:
        super().__init__(flags, environ, first)
        self.free = threading.Event()

    def open(self, name: str) -> Profile:
        profile = super().open(name)
        assert name != self.held or self.free.wait(30)
        return profile


@pytest.mark.parametrize(
    ("faster", "slower", "words"), [("生产", "halfway", "生产 · "), ("halfway", "生产", "One setting is missing.")]
)
async def test_of_two_switches_at_once_the_first_to_arrive_counts_and_nobody_else_listens(
    profiles: tuple[Profiles, Path, dict[str, str]], faster: str, slower: str, words: str
) -> None:
    _, file, environ = profiles
    choice = OneIsHeld({"config": str(file)}, environ, "default")
    shown = opened(choice, environ)
    async with shown.run_test(size=(140, 30)) as pilot:
        await until_read(pilot, "● listening")
        choice.held = slower
        shown._switch_profile(slower)
        shown._switch_profile(faster)
        await until(pilot, lambda: shown.settings.profile == faster)
        await until_read(pilot, words)
        choice.free.set()
        await until(pilot, lambda: not any(thread.name == "profile" for thread in threading.enumerate()))
        await pilot.pause()
        assert shown.settings.profile == faster
        assert words in read(shown)
        await until(pilot, lambda: listeners() == (1 if faster == "生产" else 0))
    assert listeners() == 0


async def test_a_profile_that_one_comes_back_to_is_as_it_was_left(
    profiles: tuple[Profiles, Path, dict[str, str]],
) -> None:
    choice, _, environ = profiles
    shown = opened(choice, environ)
    async with shown.run_test(size=(140, 30)) as pilot:
        await until_read(pilot, "● listening")
        await pilot.press("slash", *"status:failed", "enter", "P", "end", "up", "enter")
        await until(pilot, lambda: shown.settings.profile == "生产")
        await until_read(pilot, "No tasks yet")
        assert "status:failed" not in read(shown)
        await pilot.press("P", "home", "enter")
        await until(pilot, lambda: shown.settings.profile == "default")
        await until_read(pilot, "/ status:failed")


async def test_a_profile_that_lacks_something_says_what_and_another_can_be_chosen(
    profiles: tuple[Profiles, Path, dict[str, str]],
) -> None:
    choice, _, environ = profiles
    shown = opened(choice, environ)
    async with shown.run_test(size=(140, 40)) as pilot:
        await until_read(pilot, "● listening")
        await pilot.press("P", "end", "enter")
        await until_read(pilot, "queue")
        await until_read(pilot, "is missing")
        await pilot.press("h")
        await until_read(pilot, "✕ stopped")
        await pilot.press("P", "home", "enter")
        await until_read(pilot, "● listening")


async def test_reconnecting_finds_the_setting_and_the_key_that_were_missing(
    profiles: tuple[Profiles, Path, dict[str, str]], emulator: RunningEmulator
) -> None:
    _, file, environ = profiles
    found = {name: environ.pop(name) for name in list(environ) if name.startswith("ALIBABA")}
    choice = Profiles({"config": str(file), "profile": "halfway", "topic": "of-a-flag"}, environ, "halfway")
    shown = opened(choice, environ, "halfway")
    async with shown.run_test(size=(140, 40)) as pilot:
        await until_read(pilot, "No access key was found")
        await pilot.press("h")
        await until_read(pilot, "r reconnect")
        keys = {"access_key_id": found["ALIBABA_CLOUD_ACCESS_KEY_ID"]}
        keys["access_key_secret"] = found["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]
        config_json = Path(environ["HOME"], ".aliyun", "config.json")
        config_json.parent.mkdir()
        config_json.write_text(json.dumps({"current": "a", "profiles": [{"name": "a", "mode": "AK", **keys}]}))
        await pilot.press("r")
        await until_read(pilot, "is missing")
        with file.open("a") as settings:
            settings.write(f'queue = "{emulator.env["IMM_TUI_QUEUE"]}"\n')
        await pilot.press("h")
        await until_read(pilot, "r reconnect")
        await pilot.press("r")
        await until_read(pilot, "● listening")
        assert shown.settings.topic == "of-a-flag"


async def test_a_file_that_was_spoilt_meanwhile_is_told_and_nothing_is_switched(
    profiles: tuple[Profiles, Path, dict[str, str]],
) -> None:
    choice, file, environ = profiles
    shown = opened(choice, environ)
    async with shown.run_test(size=(140, 30), notifications=True) as pilot:
        await until_read(pilot, "● listening")
        file.write_text("[profiles\n")
        await pilot.press("P")
        await until_read(pilot, "Not switched")
        assert shown.settings.profile == "default"
        assert "● listening" in read(shown)


def test_a_profile_is_ready_with_all_that_it_takes(profiles: tuple[Profiles, Path, dict[str, str]]) -> None:
    choice, _, environ = profiles
    assert choice.names() == ["default", "生产", "halfway"]
    whole = choice.open("生产")
    assert (whole.can_listen, whole.can_ask, whole.problem) == (True, True, None)
    halfway = choice.open("halfway")
    assert halfway.problem is not None
    assert "queue" in halfway.problem.what
    keyless = ready(whole.settings, {"IMM_TUI_DATA_DIR": environ["IMM_TUI_DATA_DIR"], "HOME": environ["HOME"]})
    assert keyless.credentials is None
    assert not keyless.can_listen


async def test_receiving_is_paused_and_resumed_by_one_key(profiles: tuple[Profiles, Path, dict[str, str]]) -> None:
    choice, _, environ = profiles
    shown = opened(choice, environ)
    async with shown.run_test(size=(140, 30)) as pilot:
        await until_read(pilot, "● listening")
        await pilot.press("p")
        await until_read(pilot, "paused")
        await until_read(pilot, "p resume")
        await pilot.press("p")
        await until_read(pilot, "● listening")
        await until_read(pilot, "p pause")


async def test_a_switch_amid_a_live_filter_leaves_nothing_behind(
    profiles: tuple[Profiles, Path, dict[str, str]],
) -> None:
    choice, _, environ = profiles
    shown = opened(choice, environ)
    async with shown.run_test(size=(140, 30)) as pilot:
        await until_read(pilot, "● listening")
        await pilot.press("slash", *"took<9d", "enter")
        with History(shown.history_path) as history:
            writer = Writer(history, count(1))
            for turn in range(3):
                for number in range(20):
                    writer.submitted(f"{number}.docx", f"{turn}-{number}")
                await pilot.press("P", "end", "up", "enter")
                await until(pilot, lambda: shown.settings.profile == "生产")
                await until_read(pilot, "● listening")
                if not turn:  # later it is as it was left
                    await pilot.press("slash", *"took<9d", "enter")
                await pilot.press("P", "home", "enter")
                await until(pilot, lambda: shown.settings.profile == "default")
                await until_read(pilot, "● listening")
                await until_read(pilot, f"all {20 * (turn + 1)}")
    assert shown.return_code in (0, None)


async def test_the_language_is_not_switched_under_a_form(profiles: tuple[Profiles, Path, dict[str, str]]) -> None:
    choice, _, environ = profiles
    shown = opened(choice, environ)
    async with shown.run_test(size=(140, 40)) as pilot:
        await until_read(pilot, "● listening")
        assert "Language" in [command.title for command in shown.get_system_commands(shown.screen)]
        await pilot.press("n")
        await until_read(pilot, "Submit a conversion")
        assert "Language" not in [command.title for command in shown.get_system_commands(shown.screen)]
