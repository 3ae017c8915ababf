"""The way out: nothing opens any more, and what was just opening is no mistake."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual import events
from textual.screen import Screen

from imm_tui.tui.app import ImmApp
from imm_tui.tui.screens.copy import CopyScreen
from imm_tui.tui.screens.export import ExportScreen
from tests.tui.test_submit import SETTINGS, form


@pytest.fixture
def app(tmp_path: Path) -> ImmApp:
    return form(tmp_path / "history.db", SETTINGS)


async def test_a_key_behind_the_one_that_leaves_opens_nothing(app: ImmApp) -> None:
    async with app.run_test() as pilot:
        await pilot.pause()
        app.exit()
        await app.run_action("screen.export")
        assert app.screen is app.dashboard


@pytest.mark.parametrize("behind", ["n", "v", "b"])
async def test_keys_typed_in_one_go_with_the_one_that_leaves_are_no_mistake(app: ImmApp, behind: str) -> None:
    async with app.run_test() as pilot:
        await pilot.pause()
        for key in ("q", behind, behind):  # as they come from a terminal, nobody waits between them
            app.post_message(events.Key(key, key))
        while not app._exit:
            await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)
        assert app.screen_stack == [app.dashboard]
    assert app.return_code == 0


@pytest.mark.parametrize("turns", range(0, 25, 4))
async def test_a_screen_that_was_opening_when_the_end_came_is_no_mistake(app: ImmApp, turns: int) -> None:
    opening: list[Screen[None]] = [ExportScreen(app.history_path, [1]), CopyScreen(app.history_path, [1])]
    async with app.run_test() as pilot:
        await pilot.pause()
        for screen in opening:
            app.push_screen(screen)
        for _ in range(turns):
            await asyncio.sleep(0)
        app.exit()
    assert app.return_code == 0
