"""How often something is drawn that changes all the time."""

from __future__ import annotations

from textual.app import App

from imm_tui.tui.pace import Pace
from tests.tui.stage import until


async def test_the_first_is_done_at_once_and_what_comes_then_together() -> None:
    app: App[None] = App()
    done: list[int] = []
    asked = 0
    async with app.run_test() as pilot:
        pace = Pace(app, lambda: done.append(asked), seconds=0.2)
        for number in range(1, 4):
            asked = number
            pace()
        assert done == [1]
        await until(pilot, lambda: len(done) > 1)
        assert done == [1, 3]
        asked = 4
        pace()
        await until(pilot, lambda: len(done) > 2)
        assert done == [1, 3, 4]


async def test_it_ends_with_its_owner() -> None:
    app: App[None] = App()
    done: list[int] = []
    async with app.run_test():
        pace = Pace(app, lambda: done.append(1), seconds=0.05)
        pace()
        pace()
    assert done == [1]
