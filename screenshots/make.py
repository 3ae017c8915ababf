"""Makes the pictures of this folder, the same every time: the demo at one instant, on a history that is written down.

`make screenshots` makes them, `make screenshots-check` says which are stale.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from textual import events
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from imm_tui import demo
from imm_tui.listener import Phase
from imm_tui.tui.app import ImmApp
from imm_tui.tui.widgets.task_list import TaskList
from screenshots import scene

FOLDER = Path(__file__).parent

PATIENCE = 20.0
"""Seconds that a picture may take."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is pressed, one after the other, before it is taken; `shows` can be read then."""

    name: str
    """Nothing where it is but a step on the way, and not kept."""
    keys: tuple[str, ...]
    shows: str
    paste: str = ""
    """What is pasted after that."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """Pictures that are taken in one run, each from where the one before has ended."""

    pictures: tuple[Picture, ...]
    size: tuple[int, int] = (120, 36)
    language: str = "en_US.UTF-8"
    theme: str = "imm-dark"


def typed(words: str) -> tuple[str, ...]:
    return tuple("space" if letter == " " else letter for letter in words)


_TO_WORD = ("down",) * 16
"""The keys from the newest task to 5页Word.docx."""

_WORD = "oss://demo/converted/5页Word.docx/"
"""What only its detail says: the tasks on the way to it have succeeded as well."""

_SOURCES = """\
oss://demo/5页Word.docx
oss://demo/季度报告.pptx
oss://demo/产品手册.pdf
oss://demo/季度报告.pptx
oss:/demo/销售数据.csv
oss://demo/archive/产品手册.pdf
"""

SITTINGS = (
    Sitting(
        (
            Picture("dashboard", _TO_WORD, _WORD),
            Picture("timeline", ("enter", "3"), "published"),
            Picture("failed", ("1", "escape", *("up",) * 13), "OpenFileError"),
            Picture("filter", ("slash", *typed("status:failed since:1h")), "3"),
            Picture("help", ("escape", "escape", "question_mark"), "Keys and shapes"),
            Picture("copy", ("escape", "y"), "the task id"),
            Picture("quarantine", ("escape", "u"), "Quarantine"),
            Picture("submit", ("escape", "n"), "5页Word.docx", paste=_SOURCES),
            Picture("dry-run", ("f5",), "duplicate"),
        )
    ),
    Sitting(
        (
            Picture(
                "", ("n",), "24", paste="".join(f"oss://demo/发票 {number:04}.pdf\n" for number in range(101, 125))
            ),
            Picture("", ("f5",), "Dry run"),
            Picture("batch", ("enter", "end"), "24/24 sent"),  # to the oldest task: the new ones have ids by chance
        )
    ),
    Sitting((Picture("light", _TO_WORD, _WORD),), theme="imm-light"),
    Sitting((Picture("chinese", _TO_WORD, _WORD),), language="zh_CN.UTF-8"),
    Sitting((Picture("small", ("down",) * 3, "OpenFileError"),), size=(80, 24)),
)


def make(folder: Path) -> None:
    """Makes all of them in `folder`."""
    with one_instant():
        for sitting in SITTINGS:
            os.environ["LANG"] = os.environ["LC_ALL"] = sitting.language
            with demo.staged(api_version="2017-09-06", pace=86_400, presenting=False) as app:
                scene.write(app.history_path, app.settings)
                app.theme, app.animation_level = sitting.theme, "none"
                asyncio.run(sit(app, sitting, folder))


@contextmanager
def one_instant() -> Iterator[None]:
    """The clock that tasks, ages and events are dated by stands still, in China; the network's does not."""
    os.environ["TZ"] = "Asia/Shanghai"
    # Whatever the terminal is that this is called from: one of 16 colours has themes of its own.
    os.environ["TERM"], os.environ["COLORTERM"] = "xterm-256color", "truecolor"
    os.environ.pop("NO_COLOR", None)
    time.tzset()
    going, time.time_ns = time.time_ns, lambda: scene.NOW * 1_000_000
    try:
        yield
    finally:
        time.time_ns = going


async def sit(app: ImmApp, sitting: Sitting, folder: Path) -> None:
    async with app.run_test(size=sitting.size) as pilot:
        async with asyncio.timeout(PATIENCE):
            # A key that comes before the list is there moves nothing.
            tasks = app.dashboard.query_one(TaskList)
            while (
                app.session.listening.phase is not Phase.LISTENING
                or tasks.selected is None
                or (app.session.depth or (None,))[0] is None  # the header tells how many messages there are
            ):
                await pilot.pause(0.1)
        for picture in sitting.pictures:
            await pilot.press(*picture.keys)
            if picture.paste:
                await pilot.pause(0.5)
                app.post_message(events.Paste(picture.paste))
            content = await settled(pilot, picture)
            if picture.name:
                (folder / f"{picture.name}.svg").write_text(content, encoding="utf-8")


async def settled(pilot: Pilot[str | None], picture: Picture) -> str:
    """The picture, when it shows the words that it is to show, and changes no more."""
    before, now, same = "", shot(pilot.app), 0
    deadline = time.monotonic() + PATIENCE
    while same < 3 or picture.shows.replace(" ", "&#160;") not in now:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{picture.name or picture.keys} never showed “{picture.shows}”, or never stood still")
        await pilot.pause(0.15)
        before, now = now, shot(pilot.app)
        same = same + 1 if now == before else 0
    return f"{now}<!-- {made_with()} -->\n"


def shot(app: App[str | None]) -> str:
    for field in (*app.screen.query(Input), *app.screen.query(TextArea)):
        field.cursor_blink = False
    return app.export_screenshot()


def made_with() -> str:
    return f"textual {version('textual')}, rich {version('rich')}"


def stale() -> list[str]:
    """The pictures that would not be made so any more. Those that another release of Textual drew are not compared."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        fresh = {path.name: path.read_text(encoding="utf-8") for path in Path(folder).iterdir()}
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.svg")}
    comparable = {name for name, picture in there.items() if f"<!-- {made_with()} -->" in picture}
    changed = {name for name in comparable & fresh.keys() if fresh[name] != there[name]}
    return sorted(changed | (fresh.keys() ^ there.keys()))


def main() -> int:
    if "--check" not in sys.argv:
        for old in FOLDER.glob("*.svg"):
            old.unlink()
        make(FOLDER)
        return 0
    names = stale()
    if names:
        print(f"Stale: {', '.join(names)}. `make screenshots` makes them anew.")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
