"""`imm-tui smoke`: one conversion through everything, leg by leg, and a plain verdict."""

from __future__ import annotations

import json
from pathlib import Path

from imm_tui import smoke
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import BadInput, Trouble
from imm_tui.exits import Exit, code_of
from imm_tui.headless.output import put
from imm_tui.i18n import _
from imm_tui.smoke import LEGS, Leg, Progress, Verdict, verdict_of
from imm_tui.text import line, say

_EXITS = {
    Verdict.PASSED: Exit.SUCCEEDED,
    Verdict.FAILED: Exit.FAILED,
    Verdict.NO_EVENT: Exit.TIMED_OUT,
    Verdict.RUNNING: Exit.TIMED_OUT,
    Verdict.STOPPED: Exit.INTERRUPTED,
}


def run(
    settings: Settings,
    keys: Keys,
    history_path: Path,
    source: str,
    *,
    timeout: float = smoke.TIMEOUT,
    as_json: bool = False,
) -> Exit:
    """Converts the first page of `source`, or of the document that was converted last here, and prints each leg of the
    way when it is over; with `as_json` one object at the end. Raises BadInput where there is no document.
    """
    uri = source or smoke.last_source(history_path, settings)
    if not uri:
        raise BadInput(
            _("There is no document to try it with."),
            _("None was converted in this project yet."),
            _("Name a small one that is in its region: {example}.").format(
                example="`imm-tui smoke --source oss://bucket/small.docx`"
            ),
            field="source",
        )
    conversion = smoke.conversion_of(uri, settings)
    say(_("Converts the first page of {source} into {target}.").format(source=uri, target=conversion.target_uri))
    printed = _Printed()
    progress = smoke.run(
        settings,
        keys,
        history_path,
        conversion,
        timeout=timeout,
        on_progress=lambda progress: None if as_json else printed.follow(progress),
    )
    verdict = verdict_of(progress)
    put(json.dumps(_as_object(progress, verdict)) if as_json else line(verdict))
    assert progress.verdict is not None
    known = _EXITS.get(progress.verdict)
    return known if known is not None else code_of(verdict) if isinstance(verdict, Trouble) else Exit.SUCCEEDED


class _Printed:
    """The legs, each printed once."""

    def __init__(self) -> None:
        self._left = list(Leg)

    def follow(self, progress: Progress) -> None:
        while self._left and (took := progress.took(self._left[0])) is not None:
            leg = self._left.pop(0)
            put(f"✔ {leg:<10} {max(took, 0) / 1000:>8.3f} s  {_(LEGS[leg])}")


def _as_object(progress: Progress, verdict: Trouble | str) -> dict[str, object]:
    task = progress.task
    trouble = verdict if isinstance(verdict, Trouble) else None
    return {
        "verdict": progress.verdict,
        "task_id": task.task_id if task else None,
        "status": task.status if task else None,
        "code": trouble.code if trouble and trouble.code else task.code if task else None,
        "request_id": trouble.request_id if trouble else task.request_id if task else None,
        "source_uri": task.source_uri if task else None,
        "target_uri": task.target_uri if task else None,
        **{f"{leg}_ms": progress.took(leg) for leg in Leg},
        "total_ms": progress.total,
        "cause": " ".join(filter(None, (trouble.what, trouble.why))) if trouble else None,
        "fix": trouble.fix if trouble else None,
    }
