"""Makes the pictures of this folder from the demo: `make screenshots`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from imm_tui import demo
from imm_tui.history import History
from imm_tui.tui.app import ImmApp

FOLDER = Path(__file__).parent
PATIENCE = 60.0
MESSAGES = 7
"""Quarantined messages that make a picture."""


async def until(pilot: Pilot[str | None], condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await pilot.pause(0.1)


def all_ended(app: ImmApp) -> bool:
    with History(app.history_path) as history:
        statuses = [task.status for task in history.tasks()]
    return len(statuses) == 7 and all(status.finished for status in statuses)


async def dashboard(app: ImmApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: all_ended(app))
        await pilot.press("end", "f")
        await pilot.pause(1)
        save(app, "dashboard")
        await pilot.press("up", "up", "up")
        await pilot.pause(1)
        save(app, "failed")
        await pilot.press("n")
        await pilot.pause(0.5)
        save(app, "submit")
        await pilot.press("escape", "question_mark")
        await pilot.pause(0.5)
        save(app, "help")


def save(app: ImmApp, name: str) -> None:
    app.save_screenshot(f"{name}.svg", path=str(FOLDER))


async def quarantine(app: ImmApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        with History(app.history_path) as history:
            await until(pilot, lambda: len(history.quarantine()) >= MESSAGES)
        await pilot.press("u", "down", "down")
        await pilot.pause(1)
        save(app, "quarantine")


def main() -> None:
    with demo.staged(api_version="2017-09-06", pace=0.5) as app:
        asyncio.run(dashboard(app))
    with demo.staged(api_version="2017-09-06", pace=0.5, scenario="poison") as app:
        asyncio.run(quarantine(app))


if __name__ == "__main__":
    main()
