"""The program on the running emulator, each test with a queue, a topic and a history of its own; and, for what is
hostile, the program without any service, and what it tells a terminal while nobody means harm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from imm_tui.history import History
from imm_tui.tasks import Event, Status, now
from tests.conftest import RunningEmulator
from tests.injection import (
    CONFIGURED,
    HURRIED,
    LINES,
    arrival,
    click_behind,
    orders,
    paste,
    quarantine,
    quit_,
    screen,
    submitted,
)
from tests.mailbox import Mailbox
from tests.program import Program
from tests.terminal import F5, Terminal


@pytest.fixture
def program(emulator: RunningEmulator, mailbox: Mailbox, tmp_path: Path) -> Iterator[Program]:
    own = Program(tmp_path / "home", {**emulator.env, "IMM_TUI_TOPIC": mailbox.name, "IMM_TUI_QUEUE": mailbox.name})
    yield own
    own.close()


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[Program]:
    """The program with every setting, and no service that it could reach."""
    program = Program(tmp_path / "home", CONFIGURED)
    yield program
    program.close()


@pytest.fixture(scope="session")
def own_orders(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What the program itself tells a terminal, on all of its screens, while nobody means any harm."""
    home = Program(tmp_path_factory.mktemp("tame") / "home", CONFIGURED, HURRIED)
    home.data.mkdir()
    (home.data / "preferences.json").write_text(json.dumps({"telling": "osc9", "views": {"tame": "tame"}}))
    with History(home.data / "history.db") as history:
        for number in range(LINES):  # enough of them to be scrolled
            event = Event(task_id=f"task-{number}", name="n", status=Status.RUNNING)
            history.store([arrival(f"message-{number}", event)], now())
        submitted(history, "task-tame", "tame.docx", {"SourceURI": "oss://bucket/tame.docx", "Password": None})
        event = Event(task_id="task-tame", name="n", status=Status.RUNNING)
        history.store([arrival("tame", event, body=b'{"tame": "tame"}')], now())
    with screen(home) as terminal:
        terminal.until_read("reconnecting", "oss://bucket/tame.docx")  # the detail is there
        _walk_the_dashboard(terminal)
        _walk_the_form(terminal)
        quarantine(home, "tame")
        terminal.until_read("Not read")
        _open(terminal, "u", "Quarantine", "tame")
        _close(terminal, "Quarantine")
        with History(home.data / "history.db") as history:
            event = Event(task_id="task-tame", name="e", status=Status.FAILED, code="Tame", message="Tame words.")
            history.store([arrival("tame-end", event)], now())
        terminal.until(lambda: b"\x1b]9;imm-tui: tame.docx failed: Tame\x07" in terminal.written)
        quit_(terminal)
    return orders(terminal.written)


def _open(terminal: Terminal, key: str, *words: str) -> None:
    terminal.press(key)
    terminal.until_read(*words)


def _close(terminal: Terminal, words: str) -> None:
    terminal.press("\x1b")
    terminal.until(lambda: words not in terminal.text)


def _walk_the_dashboard(terminal: Terminal) -> None:
    _open(terminal, "\r", "esc back")
    _open(terminal, "2", "message tame")
    terminal.press("/")
    terminal.until_read("esc end")
    paste(terminal, "tame")
    terminal.until_read("1/2")
    _close(terminal, "1/2")
    _open(terminal, "y", "Copied")
    _open(terminal, "3", "received")
    _open(terminal, "4", "SourceURI")
    _open(terminal, "c", "aliyun imm Create")
    _open(terminal, "c", "import os")
    terminal.press("1")
    terminal.until_read("task-tame")
    _close(terminal, "esc back")
    _open(terminal, "/", "status:failed")
    paste(terminal, "tame")
    _open(terminal, "\r", "Esc clears")
    _open(terminal, "v", "Last hour", "tame")
    _open(terminal, "s", "Name")
    paste(terminal, "tame two")
    _open(terminal, "\r", "● tame two")
    _open(terminal, "d", "Delete this view?")
    _close(terminal, "Delete this view?")
    _close(terminal, "Last hour")
    _close(terminal, "Esc clears")
    _open(terminal, "y", "the source URI")
    _open(terminal, "y", "Copied: the row")
    for key, words in (
        ("e", "File"),
        ("b", "No batch in this session"),
        ("c", "Codes of IMM"),
        ("?", "Keys and shapes"),
    ):
        _open(terminal, key, words)
        _close(terminal, words)
    _open(terminal, "\x10", "Search for")
    paste(terminal, "tame")
    terminal.until(lambda: "Search for" not in terminal.text)
    _close(terminal, "▔▔")


def _walk_the_form(terminal: Terminal) -> None:
    _open(terminal, "n", "Submit a conversion")
    paste(terminal, "oss://bucket/tame\nwrong")
    _open(terminal, F5, "1 document to submit")
    _close(terminal, "1 document to submit")
    terminal.press("\x7f" * len("\nwrong"))
    _open(terminal, "\x13", "IMM cannot be reached")
    click_behind(terminal, "Target")  # the pointer changes its shape
    _close(terminal, "Submit a conversion")
