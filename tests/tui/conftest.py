"""A history to be looked at, and somebody who writes to it as the listener and the submissions do."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from textual.strip import Strip
from textual.widget import Widget

from imm_tui import notifications
from imm_tui.arrivals import Arrival
from imm_tui.config import Settings
from imm_tui.history import History
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
