"""How a trouble reads: what happened, why, what to do next, and what the service's support asks for. Cleaned."""

from __future__ import annotations

from textual.content import Content

from imm_tui.errors import OutcomeUnknown, Trouble
from imm_tui.i18n import _, sentences
from imm_tui.text import block, line
from imm_tui.tui.theme import QUIET


def parts(trouble: Trouble) -> tuple[str, str]:
    """What happened, and the rest of it."""
    request = f"RequestId {trouble.request_id}." if trouble.request_id else ""
    return line(trouble.what), block(sentences(trouble.why, trouble.fix, request))


def in_full(trouble: Trouble, shape: str = "✘", style: str = "$text-error") -> Content:
    """All of it, each thing on a line of its own."""
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
