"""`imm-tui smoke`: one conversion through everything, leg by leg, and a plain verdict."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path

from imm_tui import ram, smoke
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import BadInput, Denied, Trouble
from imm_tui.exits import END_SIGNALS, Exit, code_of, end_at_last
from imm_tui.headless.output import put
from imm_tui.i18n import _
from imm_tui.smoke import LEGS, Leg, Progress, Verdict, verdict_of
from imm_tui.text import line, say

_EXITS = {
    Verdict.PASSED: Exit.SUCCEEDED,
    Verdict.FAILED: Exit.FAILED,
    Verdict.NO_EVENT: Exit.REFUSED,
    Verdict.RUNNING: Exit.TIMED_OUT,
    Verdict.SILENT: Exit.TIMED_OUT,
}


def run(
    settings: Settings,
    keys: Keys,
    history_path: Path,
    source: str,
    *,
    timeout: float | None = None,
    as_json: bool = False,
) -> int:
    """Converts the first page of `source`, or of the document that was converted last here, and prints each leg of the
    way when it is over; with `as_json` one object at the end. `timeout` is in seconds.

    Raises BadInput where there is no document.
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
    stop, printed = _Stop(), _Printed(as_json=as_json)

    def follow(progress: Progress) -> None:
        if stop.listen():
            told = _("Converts the first page of {source} into {target}.")
            say(told.format(source=uri, target=conversion.target_uri))
        printed.follow(progress)

    progress = smoke.run(
        settings,
        keys,
        history_path,
        conversion,
        timeout=smoke.TIMEOUT if timeout is None else timeout,
        stop=stop.wanted,
        on_progress=follow,
    )
    verdict = verdict_of(progress)
    put(json.dumps(_as_object(progress, verdict)) if as_json else line(verdict))
    if isinstance(verdict, Denied):
        say(_("Whoever may grant permissions can paste this policy in the RAM console:"))
        say(ram.policy([verdict.action], settings))
    if progress.verdict is Verdict.STOPPED:
        return 128 + stop.signal
    assert progress.verdict is not None
    known = _EXITS.get(progress.verdict)
    return known if known is not None else code_of(verdict) if isinstance(verdict, Trouble) else Exit.SUCCEEDED


class _Stop:
    """What a signal asks for once the task is under way: an end in which everybody's messages are given back."""

    def __init__(self) -> None:
        self.wanted = threading.Event()
        self.signal = signal.SIGINT
        self._listens = False

    def listen(self) -> bool:
        """Whether this is the first time."""
        if self._listens:
            return False
        self._listens = True
        for number in END_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._note)
        return True

    def _note(self, number: int, _frame: object) -> None:
        self.signal = signal.Signals(number)
        end_at_last(128 + number)
        self.wanted.set()


class _Printed:
    """The legs, each printed once."""

    def __init__(self, *, as_json: bool) -> None:
        self._left = [] if as_json else list(Leg)
        self._told = False

    def follow(self, progress: Progress) -> None:
        if progress.watched and not self._told:
            self._told = True
            say(_("Another imm-tui listens for this history: it receives the event."))
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
