"""What every screen of ours has in common."""

from __future__ import annotations

import asyncio

from textual.app import App, ComposeResult
from textual.widgets import Static

from imm_tui.tui.localized import Localized


class Answered(Localized[None]):
    def compose(self) -> ComposeResult:
        yield Static("the answer")


async def test_a_screen_on_its_way_out_is_not_open_where_its_widgets_are_gone_already() -> None:
    async with App[None]().run_test() as pilot:
        screen = Answered()
        await pilot.app.push_screen(screen)
        assert screen.is_open
        pilot.app.pop_screen()
        while screen.is_attached:
            assert not screen.is_open
            await asyncio.sleep(0)
