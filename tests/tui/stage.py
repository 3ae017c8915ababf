"""What a person does with a screen and sees on it: the pilot's keys, and the picture read back as text."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from textual import events
from textual.app import App
from textual.pilot import Pilot


def seen(app: App[Any]) -> str:
    """What the terminal shows, line by line, with every word in its column."""
    # The picture that Textual exports says the same, and takes fifty times as long to make.
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


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
