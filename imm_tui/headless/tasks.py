"""`imm-tui tasks`: what the history knows, without credentials, without the network."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from imm_tui import query, submission
from imm_tui.errors import BadInput
from imm_tui.exits import Exit
from imm_tui.headless.output import put, task_line
from imm_tui.history import History, Order
from imm_tui.i18n import _
from imm_tui.tasks import Status, Task, now
from imm_tui.text import say


def list_tasks(
    history_path: Path, *, status: str = "", filtered: str = "", limit: int = 100, as_json: bool = False
) -> Exit:
    """Prints the newest tasks first, of those only that a filter finds; makes no history where there is none.

    Raises BadInput for no status's word, and for a filter that cannot be read.
    """
    chosen = _status(status) if status else None
    query.parse(filtered, now())
    if not history_path.exists():
        if sys.stderr.isatty():
            told = _("There is no history yet: {path} does not exist. imm-tui submit begins it.")
            say(told.format(path=history_path))
        return Exit.SUCCEEDED
    with History(history_path) as history:
        submission.settle_abandoned(history)
        for task in _found(history, chosen, filtered, limit):
            put(task_line(task, as_json=as_json))
    return Exit.SUCCEEDED


def _found(history: History, status: Status | None, filtered: str, limit: int) -> Iterator[Task]:
    if not filtered.strip():
        yield from history.tasks(status=status, limit=limit)
        return
    at = now()
    wanted = query.parse(filtered, at)
    wanted = wanted.only(status) if status else wanted
    for number in history.find(wanted.where, wanted.values, Order(), at)[:limit]:
        if (task := history.task(number)) is not None:
            yield task


def _status(word: str) -> Status:
    for status in Status:
        if word.strip().lower() == status.lower():
            return status
    what = _("“{word}” is no status.").format(word=word)
    raise BadInput(what, fix=_("Give one of {words}.").format(words=", ".join(Status)), field="status")
