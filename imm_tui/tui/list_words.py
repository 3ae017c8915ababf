"""What the task list says of itself: how many there are of what, how they are listed, and why there are none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from imm_tui.i18n import _
from imm_tui.text import line
from imm_tui.tui.task_index import Arrangement

_QUERY = 60
"""Characters of a filter that are worth repeating."""


def title(total: int, *, listed: int, marked: int = 0, unlisted: int = 0, states: Iterable[str] = ()) -> str:
    """How many tasks there are, how many are listed and marked (`unlisted`: of the marked), and the states of the
    list; "" is none."""
    if listed == total:
        parts = [_("Tasks {count}").format(count=f"{total:,}")]
    else:
        parts = [_("Tasks {listed} of {count}").format(listed=f"{listed:,}", count=f"{total:,}")]
    numbers = (
        (marked, _("{count} marked")),
        (unlisted, _("{count} of them not listed")),
    )
    parts += [words.format(count=f"{number:,}") for number, words in numbers if number]
    return " · ".join([*parts, *filter(None, states)])


def empty(total: int, arrangement: Arrangement, new_key: str) -> Sequence[str]:
    """What stands in place of the rows when there are none, though the history has `total` tasks; `new_key` is the
    key that submits a document, "" where none may be."""
    if not total:
        hint = (
            _("{key} submits a document").format(key=new_key) if new_key else _("read-only: nothing can be submitted")
        )
        return _("No tasks yet"), hint
    folded = [_("Tasks that have succeeded are hidden")] if arrangement.folded else []
    if arrangement.query:
        words = _("No task matches {filter}").format(filter=line(arrangement.query, _QUERY))
        return words, _("Esc clears the filter"), *folded
    return _("Nothing is under way, and nothing has failed"), *folded
