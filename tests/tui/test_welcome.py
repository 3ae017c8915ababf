"""The first run: what is missing, where it goes, and the ways on from there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imm_tui import credentials
from imm_tui.config import Settings, load
from imm_tui.errors import BadInput, NoCredentials, Trouble
from imm_tui.profiles import lacking
from imm_tui.tui.app import ImmApp
from imm_tui.tui.screens.dashboard import Dashboard
from imm_tui.tui.screens.welcome import WelcomeScreen
from tests.tui.stage import read, seen, until

MISSING = BadInput("The settings account_id, queue are missing.", "Nothing gives them.", "Write them there.")


@pytest.fixture
def no_key() -> NoCredentials:
    """What is really said where no key is to be found."""
    with pytest.raises(NoCredentials) as caught:
        credentials.find("", {"HOME": "/home/nobody"})
    return caught.value


def first_run(tmp_path: Path, problem: Trouble, settings: Settings | None = None) -> ImmApp:
    return ImmApp(settings or load({}, {}), tmp_path / "history.db", None, problem=problem)


async def test_without_anything_it_says_what_is_missing_and_where_it_goes(
    tmp_path: Path, no_key: NoCredentials
) -> None:
    settings = load({"profile": None}, {"IMM_TUI_CONFIG": "/etc/imm/config.toml"})
    app = first_run(tmp_path, no_key, settings)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Try the demo: no account needed" in read(app))
        words = read(app)
        assert " ".join(no_key.what.split()) in words
        assert "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET are not set." in words
        assert "`aliyun configure`" in words
        assert "[profiles.default] in /etc/imm/config.toml" in words
        for name in ("region", "project", "topic", "queue", "account_id"):
            assert f"{name} IMM_TUI_{name.upper()} " in words
        for choice in ("Try the demo: no account needed", "Look at the history", "Quit"):
            assert choice in words


async def test_with_a_key_it_names_only_the_settings_that_are_missing(tmp_path: Path) -> None:
    given = {"IMM_TUI_REGION": "cn-beijing", "IMM_TUI_PROJECT": "demo", "IMM_TUI_TOPIC": "results"}
    app = first_run(tmp_path, MISSING, load({}, given))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "IMM_TUI_QUEUE" in read(app))
        assert MISSING.what in read(app)
        assert "IMM_TUI_ACCOUNT_ID" in read(app)
        assert "IMM_TUI_REGION" not in read(app)


async def test_of_half_a_profile_it_says_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    settings = load({}, {"IMM_TUI_REGION": "cn-beijing", "IMM_TUI_PROJECT": "demo"})
    app = first_run(tmp_path, lacking(settings, settings.missing_to_listen()), settings)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "IMM_TUI_QUEUE" in read(app))
        words = read(app)
        assert "3 settings are missing. Set already: region cn-beijing, project demo." in words
        for name in ("topic", "queue", "account_id"):
            assert words.count(f"{name} IMM_TUI_") == 1
        assert "account_id, queue" not in words, "no second list that says something else"


async def test_with_all_settings_only_the_key_is_spoken_of(tmp_path: Path, no_key: NoCredentials) -> None:
    given = {f"IMM_TUI_{name}": "cn-x" for name in ("REGION", "PROJECT", "TOPIC", "QUEUE")} | {
        "IMM_TUI_ACCOUNT_ID": "1"
    }
    app = first_run(tmp_path, no_key, load({}, given))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: no_key.what in read(app))
        assert "Missing settings" not in read(app)


@pytest.mark.parametrize(
    ("keys", "result"), [(["down", "enter"], "demo"), (["d"], "demo"), (["q"], None), (["up", "enter"], None)]
)
async def test_a_key_starts_the_demo_or_leaves(tmp_path: Path, keys: list[str], result: str | None) -> None:
    app = first_run(tmp_path, MISSING)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen) and app.focused is not None)
        await pilot.press(*keys)
    assert app.return_value == result
    assert not app.is_running


async def test_without_a_key_the_demo_comes_first(tmp_path: Path, no_key: NoCredentials) -> None:
    app = first_run(tmp_path, no_key)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen) and app.focused is not None)
        await pilot.press("enter")
    assert app.return_value == "demo"


async def test_a_click_starts_the_demo(tmp_path: Path) -> None:
    app = first_run(tmp_path, MISSING)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen) and app.focused is not None)
        await pilot.click("#choices", offset=(3, 1))
    assert app.return_value == "demo"


@pytest.mark.parametrize("keys", [["h"], ["escape"], ["end", "up", "enter"]])
async def test_the_history_can_be_looked_at_all_the_same(tmp_path: Path, keys: list[str]) -> None:
    app = first_run(tmp_path, MISSING)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen) and app.focused is not None)
        await pilot.press(*keys)
        await until(pilot, lambda: isinstance(app.screen, Dashboard))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen))


@pytest.mark.parametrize(
    "payload", ["[red]x[/red]", "a [/foo] b", "[@click=app.quit]x[/]", "[$primary]q[/]", "x\x1b]52;c;y\x07"]
)
async def test_no_text_is_markup_or_obeyed(tmp_path: Path, payload: str) -> None:
    settings = replace(load({}, {}), config_file=Path(f"/{payload}"))
    app = first_run(tmp_path, NoCredentials(payload, payload, payload), settings)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen))
        await pilot.pause()
        shown = payload.replace("\x1b", "␛").replace("\x07", "␇")
        assert read(app).count(shown) == 4
        assert "\x1b" not in seen(app)


@pytest.mark.parametrize("size", [(200, 50), (120, 40), (80, 24), (60, 16), (40, 12)])
async def test_the_choices_are_always_in_sight(tmp_path: Path, size: tuple[int, int], no_key: NoCredentials) -> None:
    app = first_run(tmp_path, no_key)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen))
        await pilot.pause()
        lines = [line.strip() for line in seen(app).splitlines()]
        assert {"Try the demo: no account needed", "Look at the history", "Quit"} <= set(lines)
