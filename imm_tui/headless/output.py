"""What the commands print: lines of tasks and of events on stdout, for people or as JSON, and narration on stderr.

JSON is ASCII and has every value as it was received; what people read is cleaned first (text.py).
"""

from __future__ import annotations

import json
from datetime import datetime

from imm_tui.arrivals import Delivery
from imm_tui.errors import Trouble
from imm_tui.i18n import _
from imm_tui.listener import ListenerState, Phase
from imm_tui.tasks import SHAPES, Status, Task, rfc3339
from imm_tui.text import line, say


def put(text: str) -> None:
    """One line on stdout, at once: whoever reads it through a pipe need not wait for the next."""
    print(text, flush=True)


def task_line(task: Task, *, as_json: bool) -> str:
    """What the history knows of a task."""
    if as_json:
        return json.dumps(task.as_object())
    columns = [
        _state(task.status),
        f"{task.target_type or '–':<4}",
        _figure(task.page_count, "p"),
        _figure(task.percent, "%"),
        _took(task),
        task.task_id or "–",
        task.source_uri or "",
    ]
    if task.asked:
        columns.append(_("(asked IMM)"))
    if not task.status.finished or task.status is Status.FAILED:
        columns.append(_reason(task.code, task.message))
    return _columns(columns)


def delivery_line(delivery: Delivery, *, as_json: bool) -> str:
    """One event as its message told it, or one message that was quarantined."""
    event = delivery.event
    if as_json and event is None:
        return json.dumps(
            {
                "message_id": delivery.message_id,
                "quarantined": True,
                "reason": delivery.reason,
                "received_at": rfc3339(delivery.received_at),
            }
        )
    if as_json and event is not None:
        return json.dumps(
            {
                "message_id": delivery.message_id,
                "task_id": event.task_id,
                "event_name": event.name,
                "status": event.status,
                "percent": event.percent,
                "page_count": event.page_count,
                "code": event.code,
                "event_time": event.time,
                "received_at": rfc3339(delivery.received_at),
                "duplicate": delivery.duplicate,
            }
        )
    clock = datetime.fromtimestamp(delivery.received_at / 1000).strftime("%H:%M:%S")
    if event is None:
        return _columns([clock, _("! quarantined"), delivery.message_id, _(delivery.reason)])
    columns = [clock, _state(event.status), _figure(event.page_count, "p"), _figure(event.percent, "%")]
    columns += [event.task_id, event.name, event.code or "", _("(again)") if delivery.duplicate else ""]
    return _columns(columns)


class Narrator:
    """Says on stderr what keeps a listener from listening: each trouble once, and when it is over."""

    def __init__(self) -> None:
        self._said: tuple[str, ...] | None = None

    def follow(self, state: ListenerState) -> None:
        trouble = state.trouble
        if trouble is None:
            if self._said and state.phase in (Phase.LISTENING, Phase.PEEKING):
                again = {Phase.LISTENING: _("Listening again."), Phase.PEEKING: _("Peeking again.")}
                say(again[state.phase])
                self._said = None
            return
        if told(trouble) != self._said:
            self._said = told(trouble)
            say(trouble)


def told(trouble: Trouble) -> tuple[str, ...]:
    """What two troubles share that need not be said twice: all but the RequestId."""
    return (trouble.what, trouble.why, trouble.fix)


def _columns(cells: list[str]) -> str:
    """Cells side by side; each is cleaned and cut by itself, so that none costs the next one its place."""
    return "  ".join(line(cell) for cell in cells).rstrip()


def _state(status: Status) -> str:
    return f"{SHAPES[status]} {status:<10}"


def _figure(value: int | None, unit: str) -> str:
    return f"{'–':>4} {' ' * len(unit)}" if value is None else f"{value:>4} {unit}"


def _took(task: Task) -> str:
    """From the submission to the end, in seconds."""
    if task.submitted_at is None or task.finished_at is None:
        return f"{'–':>7}"
    return f"{max(task.finished_at - task.submitted_at, 0) / 1000:5.1f} s"


def _reason(code: str | None, message: str | None) -> str:
    return ": ".join(part for part in (code, message and _(message)) if part)
