"""kill -9 in the midst of a batch: each document is in the list or in the form, none in both, none is sent twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from imm_tui.history import History
from imm_tui.tasks import Status
from tests.conftest import RunningEmulator
from tests.control import Control
from tests.injection import paste
from tests.program import Program
from tests.terminal import Terminal

MANY = [f"oss://demo/{number}.pdf" for number in range(120)]
ENTER, CTRL_S, ESCAPE = "\r", "\x13", "\x1b"


@pytest.fixture
def program(fresh_emulator: RunningEmulator, tmp_path: Path) -> Iterator[Program]:
    with closing(Program(tmp_path / "home", fresh_emulator.env)) as program:
        yield program


def sends(terminal: Terminal, question: str) -> None:
    """What is in the form, looked at and agreed to."""
    terminal.press(CTRL_S)
    terminal.until_read(question)
    terminal.press(ENTER)
    terminal.until_read("sent")


def form(program: Program) -> list[str]:
    """The documents that the form holds."""
    forms = json.loads((program.data / "preferences.json").read_text())["forms"]
    return [source for kept in forms.values() for source in kept.get("sources", "").splitlines()]


def recorded(program: Program) -> dict[str | None, Status]:
    with History(program.data / "history.db") as history:
        tasks = history.tasks(limit=1000)
    assert len({task.source_uri for task in tasks}) == len(tasks), "none is recorded twice"
    return {task.source_uri: task.status for task in tasks}


@pytest.mark.parametrize("sent", [0, 1, 50, 119])
def test_what_a_killed_batch_had_not_sent_is_in_the_form_of_the_next_session(
    program: Program, fresh_emulator: RunningEmulator, sent: int
) -> None:
    control = Control(fresh_emulator.endpoint)
    control.fault("latency", operation="CreateOfficeConversionTask", skip=sent, seconds=600)
    with Terminal(program) as terminal:
        terminal.until_read("listening")
        terminal.press("n")
        terminal.until_read("Submit")
        paste(terminal, "\n".join(MANY))
        sends(terminal, "120 documents to submit")
        terminal.until(lambda: bool(control.faults()[0]["injected"]))
        terminal.process.kill()
        terminal.process.wait()
    control.clear()
    before = recorded(program)
    assert sent < len(before) <= len(MANY)

    with Terminal(program) as terminal:
        terminal.until_read("listening")
        terminal.until(lambda: recorded(program).keys() | set(form(program)) == set(MANY))
        left = form(program)
        assert left == MANY[len(before) :], "in their order, and none that was sent"
        if left:
            terminal.until_read("in the form: n opens it")
        terminal.press("q")
        assert terminal.ended() == 0
    arrived = Counter(entry["source"] for entry in control.ledger() if entry["action"] == "submit")
    assert set(arrived.values()) <= {1}
    assert arrived.keys() <= before.keys(), "nothing was sent unrecorded"
