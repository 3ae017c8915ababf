"""What a person is told whose key asks for what a read-only profile does not do."""

from __future__ import annotations

from typing import Any

from textual.app import App

from imm_tui.config import Settings
from imm_tui.i18n import _, sentences
from imm_tui.text import line

_TOLD_FOR = 12.0


def refuses(app: App[Any], settings: Settings) -> bool:
    """Whether the profile is one; a toast says so, what that means, and where it comes from."""
    if settings.read_only:
        means = _("It only looks: nothing is submitted, received, hidden, deleted or created.")
        source = settings.sources.get("read_only", "")
        place = _("That comes from {source}.").format(source=line(source)) if source else ""
        title = _("Read-only: {profile}").format(profile=line(settings.profile))
        app.notify(sentences(means, place), title=title, severity="warning", timeout=_TOLD_FOR, markup=False)
    return settings.read_only
