"""What became of a submission, in words that can be shown, each trouble once and in full."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from imm_tui.errors import OutcomeUnknown, Trouble
from imm_tui.i18n import _
from imm_tui.submission import Outcome
from imm_tui.text import line
from imm_tui.tui.theme import QUIET


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
        return told(result)
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
        return told(next(iter(troubles.values())))
    failed = sum(map(len, names.values()))
    words = _("{failed} of {total} documents were not accepted. The form keeps {kept}, the list shows all.")
    parts = [Content(words.format(failed=failed, total=len(result), kept=kept))]
    for kind, trouble in troubles.items():
        parts += [Content.styled(named(names[kind]), "bold"), told(trouble)]
    return Content("\n").join(parts)


def named(names: Sequence[str], most: int = 3) -> str:
    """The first names of them, cleaned, and how many more there are."""
    shown = ", ".join(line(name, 100) for name in names[:most])
    if len(names) <= most:
        return shown
    return _("{names} and {count} more").format(names=shown, count=f"{len(names) - most:,}")


def told(trouble: Trouble, shape: str = "✘", style: str = "$text-error") -> Content:
    """A trouble in full: what happened, why, what to do next, and what the service's support asks for."""
    if isinstance(trouble, OutcomeUnknown):
        shape, style = "?", "$text-warning"
    parts = [Content.styled(f"{shape} {line(trouble.what)}", f"bold {style}")]
    parts += [Content(line(part)) for part in (trouble.why, trouble.fix) if part]
    if isinstance(trouble, OutcomeUnknown):
        parts.append(Content(_("The list shows it as Unknown until then.")))
    words = [_("Code {code}").format(code=line(trouble.code))] if trouble.code else []
    words += [f"RequestId {line(trouble.request_id)}"] if trouble.request_id else []
    if words:
        parts.append(Content.styled(" · ".join(words), QUIET))
    return Content("\n").join(parts)
