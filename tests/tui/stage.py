"""What a person does with a screen and sees on it: the pilot's keys, and the picture read back as text."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Callable
from itertools import groupby

from textual import events
from textual.app import App
from textual.pilot import Pilot

_SEGMENT = re.compile(r'<text class="\S+" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>')


def seen(app: App[str | None]) -> str:
    """What the terminal shows, line by line."""
    found = _SEGMENT.findall(app.export_screenshot())
    rows = groupby(sorted(((float(y), float(x), text) for x, y, text in found)), key=lambda segment: segment[0])
    return "\n".join(html.unescape("".join(text for _, _, text in row)).replace("\xa0", " ") for _, row in rows)


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
