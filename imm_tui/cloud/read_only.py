"""The promise of a read-only profile, kept in one place: what changes anything in the cloud is not even sent."""

from __future__ import annotations

import re

from imm_tui.errors import ReadOnly
from imm_tui.i18n import _

_READING = re.compile(r"\w+:(Get|List|Peek)[A-Z]")


def forbidden(action: str) -> ReadOnly | None:
    """What a person is told instead of a call that needs the permission `action`; None where it only reads.

    A call changes something unless its name says that it does not: receiving hides a message from others.
    """
    if _READING.match(action):
        return None
    return ReadOnly(
        _("This profile is read-only, and {action} would change something in the cloud.").format(action=action),
        _("Nothing was sent."),
        _("Leave out {flag}, unset {variable}, or take {setting} out of the profile.").format(
            flag="--read-only", variable="IMM_TUI_READ_ONLY", setting="read_only"
        ),
    )
