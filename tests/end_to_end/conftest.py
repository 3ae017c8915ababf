"""The program on the running emulator, each test with a queue, a topic and a history of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import RunningEmulator
from tests.mailbox import Mailbox
from tests.program import Program


@pytest.fixture
def program(emulator: RunningEmulator, mailbox: Mailbox, tmp_path: Path) -> Iterator[Program]:
    own = Program(tmp_path / "home", {**emulator.env, "IMM_TUI_TOPIC": mailbox.name, "IMM_TUI_QUEUE": mailbox.name})
    yield own
    own.close()
