"""The help: every key that is active on the screen below, and nothing by heart."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.errors import NoCredentials
from imm_tui.tasks import SHAPES
from imm_tui.tui import listener_words, task_words
from imm_tui.tui.app import ImmApp
from imm_tui.tui.screens.dashboard import Dashboard
from imm_tui.tui.screens.help import HelpScreen
from imm_tui.tui.screens.submit import SubmitScreen
from imm_tui.tui.screens.welcome import WelcomeScreen
from tests.tui.stage import read, seen, until

TALL = (160, 90)


@pytest.fixture
def app(tmp_path: Path) -> ImmApp:
    settings = Settings(region="cn-beijing", project="demo", imm_endpoint="http://127.0.0.1:9")
    return ImmApp(settings, tmp_path / "history.db", Credentials("an-id", "a-secret"))


def keys_below(app: ImmApp) -> list[tuple[str, str]]:
    """Each key that is active, with what it is said to do."""
    active = app.screen.active_bindings.values()
    return [(app.get_key_display(it.binding), it.binding.tooltip or it.binding.description) for it in active]


async def open_help(pilot: Pilot[str | None], key: str) -> None:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
    await pilot.pause()


@pytest.mark.parametrize(
    ("way", "key"),
    [
        ([], "question_mark"),
        (["tab"], "question_mark"),
        (["n"], "f1"),
        (["n", "tab"], "f1"),
        (["n", "tab", "tab"], "f1"),
    ],
    ids=["list", "detail", "form", "choice", "field"],
)
async def test_every_active_key_is_listed_with_what_it_does(app: ImmApp, way: list[str], key: str) -> None:
    async with app.run_test(size=TALL) as pilot:
        await pilot.press(*way)
        await pilot.pause()
        keys = keys_below(app)
        await open_help(pilot, key)
        lines = seen(app).splitlines()
        for shown, words in keys:
            beginning = words[:36]  # the rest may stand in the next line
            said = [line.split(beginning)[0].split() for line in lines if beginning in line]
            assert any(shown in keys_beside for keys_beside in said), (shown, words)


async def test_what_has_no_effect_now_is_not_listed(app: ImmApp) -> None:
    async with app.run_test(size=TALL) as pilot:
        await open_help(pilot, "question_mark")
        assert "Go to the selected task's detail" not in read(app), "there is no task"


async def test_the_shapes_are_explained(app: ImmApp) -> None:
    async with app.run_test(size=TALL) as pilot:
        await open_help(pilot, "question_mark")
        for status, shape in SHAPES.items():
            assert f"{status} {shape} " in read(app)
        for phase, shape in listener_words.SHAPES.items():
            assert f"{phase.value} {shape} " in read(app)
        assert f"Untracked {task_words.UNTRACKED} " in read(app)


@pytest.mark.parametrize("key", ["escape", "q", "question_mark", "f1"])
async def test_it_closes_and_the_focus_is_where_it_was(app: ImmApp, key: str) -> None:
    async with app.run_test() as pilot:
        await pilot.press("tab")
        focused = app.focused
        await open_help(pilot, "question_mark")
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, Dashboard))
        assert app.focused is focused
        assert app.is_running, "q has closed the help, not the program"


async def test_what_does_not_fit_is_reached_by_key(app: ImmApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await open_help(pilot, "question_mark")
        assert "Untracked" not in read(app)
        await pilot.press("end")
        await until(pilot, lambda: "The listener" in read(app))


async def test_it_comes_back_to_a_form_with_what_was_typed(app: ImmApp) -> None:
    async with app.run_test() as pilot:
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, SubmitScreen))
        await pilot.press("o", "s", "s")
        await open_help(pilot, "f1")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, SubmitScreen))
        assert "✘" not in read(app), "looking for help is not leaving a field"
        assert "oss" in read(app)


async def test_it_explains_the_welcome_too(tmp_path: Path) -> None:
    app = ImmApp(Settings(), tmp_path / "history.db", None, problem=NoCredentials("No access key was found."))
    async with app.run_test(size=TALL) as pilot:
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen))
        await open_help(pilot, "question_mark")
        assert "Take the choice that is marked" in read(app)
