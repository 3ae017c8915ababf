"""What became of a submission, in words that can be shown, each trouble once and in full."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from imm_tui.errors import OutcomeUnknown, Trouble
from imm_tui.i18n import _
from imm_tui.submission import Outcome
from imm_tui.text import line
from imm_tui.tui.trouble_words import in_full


def kept(sources: Sequence[str], result: Sequence[Outcome] | Trouble) -> list[str]:
    """The sources that may be submitted again: those refused; where none was, those of unknown outcome."""
    if isinstance(result, Trouble):
        return list(sources)
    unknown = {outcome.task.source_uri for outcome in result if isinstance(outcome.trouble, OutcomeUnknown)}
    refused = {outcome.task.source_uri for outcome in result if outcome.trouble} - unknown
    return [source for source in sources if source in (refused or unknown)]


def answer(result: Sequence[Outcome] | Trouble, kept: int) -> Content:
    """What became of it; `kept` sources stay in the form."""
    if isinstance(result, Trouble):
        return in_full(result)
    names: dict[str, list[str]] = {}
    troubles: dict[str, Trouble] = {}
    for outcome in result:
        if outcome.trouble is not None:
            kind = f"{outcome.trouble.code} {outcome.trouble.what} {outcome.trouble.why}"
            troubles.setdefault(kind, outcome.trouble)
            names.setdefault(kind, []).append(outcome.task.name)
    if not troubles:
        return Content(named([outcome.task.name for outcome in result]))
    if len(result) == 1:
        return in_full(next(iter(troubles.values())))
    failed = sum(map(len, names.values()))
    words = _("{failed} of {total} documents were not accepted. The form keeps {kept}, the list shows all.")
    parts = [Content(words.format(failed=failed, total=len(result), kept=kept))]
    for kind, trouble in troubles.items():
        parts += [Content.styled(named(names[kind]), "bold"), in_full(trouble)]
    return Content("\n").join(parts)


def named(names: Sequence[str], most: int = 3) -> str:
    """The first names of them, cleaned, and how many more there are."""
    shown = ", ".join(line(name, 100) for name in names[:most])
    if len(names) <= most:
        return shown
    return _("{names} and {count} more").format(names=shown, count=f"{len(names) - most:,}")
