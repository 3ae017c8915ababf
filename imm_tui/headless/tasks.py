"""`imm-tui tasks`: what the history knows, without credentials, without the network."""

from __future__ import annotations

import sys
from pathlib import Path

from imm_tui import submission
from imm_tui.errors import BadInput
from imm_tui.exits import Exit
from imm_tui.headless.output import put, task_line
from imm_tui.history import History
from imm_tui.tasks import Status
from imm_tui.text import say


def list_tasks(history_path: Path, *, status: str = "", limit: int = 100, as_json: bool = False) -> Exit:
    """Prints the newest tasks first; makes no history where there is none. Raises BadInput for no status's word."""
    chosen = _status(status) if status else None
    if not history_path.exists():
        if sys.stderr.isatty():
            say(f"There is no history yet: {history_path} does not exist. imm-tui submit begins it.")
        return Exit.SUCCEEDED
    with History(history_path) as history:
        submission.settle_abandoned(history)
        for task in history.tasks(status=chosen, limit=limit):
            put(task_line(task, as_json=as_json))
    return Exit.SUCCEEDED


def _status(word: str) -> Status:
    for status in Status:
        if word.strip().lower() == status.lower():
            return status
    raise BadInput(f"“{word}” is no status.", fix=f"Give one of {', '.join(Status)}.", field="status")
