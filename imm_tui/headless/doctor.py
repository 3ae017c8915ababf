"""`imm-tui doctor`: one line a check, in a fixed order, each as soon as it and all before it are decided."""

from __future__ import annotations

import json
from pathlib import Path

from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.doctor.asking import examine
from imm_tui.doctor.check import LONGEST, SHAPES, Check, Verdict
from imm_tui.doctor.verdicts import CHECKS
from imm_tui.exits import Exit
from imm_tui.headless.output import put
from imm_tui.i18n import _
from imm_tui.text import line, say

_NAME_WIDTH = max(map(len, CHECKS))


def run(settings: Settings, keys: Keys, history_path: Path, *, as_json: bool) -> Exit:
    """Prints every check, and then, for people, what it comes to. REFUSED where one failed."""
    decided: dict[str, Check] = {}
    waiting = list(CHECKS)
    try:
        for check in examine(settings, keys, history_path):
            decided[check.name] = check
            while waiting and waiting[0] in decided:
                put(_printed(decided[waiting.pop(0)], as_json=as_json))
    finally:  # at an interrupt, too, what is known is told
        for name in waiting:
            if name in decided:
                put(_printed(decided[name], as_json=as_json))
    if not as_json:
        say(_summary(decided))
    failed = any(check.status is Verdict.FAIL for check in decided.values())
    return Exit.REFUSED if failed else Exit.SUCCEEDED


def _printed(check: Check, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(check.as_object())
    told = f"{check.cause} → {check.fix}" if check.fix else check.cause
    return f"{SHAPES[check.status]} {check.name:<{_NAME_WIDTH}}  {line(told, LONGEST)}"


def _summary(checks: dict[str, Check]) -> str:
    named = {verdict: ", ".join(name for name in CHECKS if checks[name].status is verdict) for verdict in Verdict}
    if named[Verdict.FAIL]:
        return _("This is broken: {checks}.").format(checks=named[Verdict.FAIL])
    if named[Verdict.WARN]:
        return _("It works; look at this all the same: {checks}.").format(checks=named[Verdict.WARN])
    return _("All is well.")
