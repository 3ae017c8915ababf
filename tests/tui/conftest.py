"""A history to be looked at, and somebody who writes to it as the listener and the submissions do."""

from __future__ import annotations

import asyncio
import html
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from rich.cells import set_cell_size
from textual.app import App
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget

from imm_tui import notifications
from imm_tui.config import Settings
from imm_tui.history import Arrival, History
from imm_tui.tasks import Conversion, rfc3339
from imm_tui.tui.app import ImmApp

SETTINGS = Settings(
    region="cn-beijing", api_version="2017-09-06", project="GetResult-ByNotify-Demo", topic="topic", queue="queue"
)


def now() -> int:
    return time.time_ns() // 1_000_000


def event(task_id: str, *, percent: int = 100, pages: int = 5, code: str = "NoError", at: int | None = None) -> bytes:
    """The body of a notification of 2017-09-06."""
    name = "FormatConvertJob:TaskFinished" if percent == 100 or code != "NoError" else "FormatConvertJob:TaskProgress"
    imm = {"taskId": task_id, "code": code, "percent": percent, "pageCount": pages}
    told = {"eventName": name, "eventSource": "acs:imm", "eventTime": rfc3339(at or now()), "imm": imm}
    return json.dumps({"events": [told]}, ensure_ascii=False).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Writer:
    """Another connection to the history that the app shows."""

    history: History
    numbers: Iterator[int]

    def submitted(self, name: str, task_id: str = "", *, target_type: str = "png", at: int | None = None) -> int:
        """A submission; without a `task_id` IMM has not answered yet."""
        conversion = Conversion(
            source_uri=f"oss://bucket/in/{name}", target_uri=f"oss://bucket/out/{name}/", target_type=target_type
        )
        task = self.history.record_intent(
            conversion, project=SETTINGS.project, api_version="2017-09-06", token="t", at=at or now()
        )
        if task_id:
            self.history.record_accepted(task, task_id, "REQUEST-ID")
        return task

    def received(self, body: bytes, message_id: str = "") -> None:
        found = notifications.parse(body)
        arrival = Arrival(
            message_id=message_id or f"MESSAGE-{next(self.numbers)}",
            body=body,
            events=found.events,
            reason=found.reason,
        )
        self.history.store([arrival], now())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    with History(path) as history:
        yield Writer(history, count(1))


def app(path: Path, settings: Settings = SETTINGS) -> ImmApp:
    """The app without a listener: the tests write what one would."""
    return ImmApp(settings, path, None)


def lines(widget: Widget) -> list[Strip]:
    """What a Line API widget draws."""
    return [widget.render_line(y) for y in range(widget.size.height)]


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
    return " ".join(re.sub("[│─╭╮╰╯]", " ", seen(app)).split())


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
