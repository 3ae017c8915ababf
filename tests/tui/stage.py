"""What a person does with a screen and sees on it: the pilot's keys, and the picture read back as text."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import set_cell_size
from textual import events
from textual.app import App
from textual.pilot import Pilot

_TEXT = re.compile(r'<text class="\S+" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>')
_CELL = 12.2
"""The width of a cell in the picture that Textual exports."""


def seen(app: App[Any]) -> str:
    """What the terminal shows, line by line, with every word in its column."""
    rows: dict[float, str] = {}
    found = ((float(y), float(x), text) for x, y, text in _TEXT.findall(app.export_screenshot()))
    for y, x, text in sorted(found):
        rows[y] = set_cell_size(rows.get(y, ""), round(x / _CELL)) + html.unescape(text).strip("\n").replace(
            "\xa0", " "
        )
    return "\n".join(rows.values())


def read(app: App[Any]) -> str:
    """The words on the screen, without the gaps and the borders between them."""
    return " ".join(re.sub("[│─╭╮╰╯▌]", " ", seen(app)).split())


async def until(pilot: Pilot[Any], condition: Callable[[], bool], seconds: float = 30) -> None:
    """Lets the app run until `condition` holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await pilot.pause(0.03)


async def until_read(pilot: Pilot[Any], words: str) -> None:
    try:
        await until(pilot, lambda: words in read(pilot.app))
    except TimeoutError:
        pytest.fail(f"{words!r} was never seen; the screen shows:\n{seen(pilot.app)}")


async def paste(pilot: Pilot[Any], text: str) -> None:
    """What a terminal sends when somebody pastes."""
    pilot.app.post_message(events.Paste(text))
    await pilot.pause()
