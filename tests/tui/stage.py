"""What a person does with a screen and sees on it: the pilot's keys, and the picture read back as text."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Callable

from rich.cells import cell_len
from textual import events
from textual.app import App
from textual.pilot import Pilot

_SEGMENT = re.compile(r'<text class="\S+" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>')
_CELL = 12.2
"""The width of a character in the picture that Textual draws."""


def seen(app: App[str | None]) -> str:
    """What the terminal shows, line by line."""
    lines: dict[float, str] = {}
    for x, y, drawn in _SEGMENT.findall(app.export_screenshot()):
        line = lines.get(float(y), "")
        blanks = " " * (round(float(x) / _CELL) - cell_len(line))
        lines[float(y)] = line + blanks + html.unescape(drawn).replace("\xa0", " ")
    return "\n".join(line for _, line in sorted(lines.items()))


def read(app: App[str | None]) -> str:
    """The words on the screen, wherever their lines break."""
    return " ".join(re.sub("[│─╭╮╰╯]", " ", seen(app)).split())


async def until(pilot: Pilot[str | None], condition: Callable[[], bool], seconds: float = 30) -> None:
    """Lets the app run until `condition` holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await pilot.pause(0.01)


async def until_read(pilot: Pilot[str | None], words: str) -> None:
    await until(pilot, lambda: words in read(pilot.app))


async def paste(pilot: Pilot[str | None], text: str) -> None:
    """What a terminal sends when somebody pastes."""
    pilot.app.post_message(events.Paste(text))
    await pilot.pause()
