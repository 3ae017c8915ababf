"""The first frame: where the dashboard has its lines, and nothing of what is pressed before that stands is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual import events
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from imm_tui import i18n
from imm_tui.credentials import Credentials
from imm_tui.tui import styles, theme
from imm_tui.tui.app import ImmApp
from imm_tui.tui.screens.opening import Opening
from tests.tui.conftest import SETTINGS, app
from tests.tui.stage import seen, until

FRAME = "╭╮╰╯│"


@pytest.fixture(params=list(i18n.LANGUAGES), autouse=True)
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = i18n.language()
    monkeypatch.setattr(i18n, "of_environment", lambda _environ: request.param)
    i18n.use(request.param)
    yield
    i18n.use(before)


class First(App[None]):
    """The first frame alone, with nothing that comes after it."""

    CSS = styles.frame()

    def __init__(self) -> None:
        super().__init__()
        dark, _light = theme.themes(self.console.color_system)
        self.register_theme(dark)
        self.theme = dark.name

    def get_default_screen(self) -> Opening:
        return Opening(SETTINGS, demo=False, scenario="")


def coloured(shown: App[Any]) -> list[tuple[str, object]]:
    """What the first line says of what is looked at, each glyph with its style."""
    heading = shown.screen.query_one("Heading")
    line = shown.screen._compositor.render_strips()[0].crop(0, heading.region.right)
    return [(glyph, segment.style) for segment in line for glyph in segment.text]


def corners(shown: App[Any]) -> set[tuple[int, int, str]]:
    """Where the lines of the regions are: column, line and glyph."""
    lines = seen(shown).splitlines()
    return {
        (cell_len(line[:at]), y, glyph)
        for y, line in enumerate(lines)
        for at, glyph in enumerate(line)
        if glyph in FRAME
    }


@pytest.mark.parametrize("width", [60, 61, 77, 80, 81, 99, 100, 101, 119, 160])
async def test_no_line_jumps_when_the_dashboard_takes_its_place(path: Path, width: int) -> None:
    async with First().run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        frame, heading = corners(pilot.app), coloured(pilot.app)
    async with app(path).run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        rooms = corners(pilot.app)
        assert coloured(pilot.app) == heading
    assert len(frame) > 2 * 20
    assert frame <= rooms


async def test_a_key_that_is_pressed_before_the_dashboard_stands_acts_on_it(path: Path) -> None:
    shown = ImmApp(SETTINGS, path, Credentials("an-id", "a-secret"))
    shown.post_message(events.Key("n", "n"))
    async with shown.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: shown.screen is not shown.dashboard)
        await pilot.press("escape")
        await until(pilot, lambda: shown.screen is shown.dashboard)
    assert shown.return_code is None


async def test_so_does_the_one_that_ends_it(path: Path) -> None:
    shown = app(path)
    shown.post_message(events.Key("q", "q"))
    async with shown.run_test() as pilot:
        await until(pilot, lambda: shown.return_code == 0)


def test_an_app_that_is_asked_to_end_before_the_dashboard_stands_ends(path: Path) -> None:
    shown = app(path)
    screens: list[Screen[Any]] = []

    async def end(pilot: Pilot[Any]) -> None:
        screens.append(shown.screen)
        shown.exit(return_code=143)

    shown.run(headless=True, auto_pilot=end)
    assert isinstance(screens[0], Opening)
    assert shown.return_code == 143


def test_so_does_one_that_is_asked_to_before_there_is_a_screen(path: Path) -> None:
    class Asked(ImmApp):
        def _styled(self, screen: Screen[None]) -> Screen[None]:
            self.exit(return_code=143)
            return super()._styled(screen)

    shown = Asked(SETTINGS, path, None)
    shown.run(headless=True)
    assert shown.return_code == 143


def test_a_mistake_in_the_first_frame_ends_it_with_a_sentence(
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("a-secret")

    monkeypatch.setattr(Opening, "compose", broken)
    shown = app(path)
    shown.run(headless=True)
    assert shown.return_code == 1
    assert "KeyError" in capfd.readouterr().err
