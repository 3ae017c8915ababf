"""The smoke test: one conversion through everything, and how long it was on each leg of its way.

It takes its own event from the queue and no other, so that it may be run beside whoever lives on that queue: it looks
without receiving until its event stands there, and what it receives along with it goes back at once. Where an imm-tui
listens for the same history already, that one receives, and the test only watches.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import Timeout

from imm_tui import notifications, submission
from imm_tui.arrivals import Arrival
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import BadInput, Barred, Denied, NoCredentials, OutcomeUnknown, Refused, Trouble, Unreachable
from imm_tui.history import History, Left, Message
from imm_tui.i18n import N_, _
from imm_tui.listener import Election
from imm_tui.reconciler import ask
from imm_tui.submission import Wanted, default_target_uri
from imm_tui.tasks import Conversion, Status, Task, now, task_key

if TYPE_CHECKING:
    from imm_tui.cloud.imm import Imm
    from imm_tui.cloud.mns import Queue
    from imm_tui.cloud.mns_reply import Received

TIMEOUT = 180.0
"""Seconds for which the event is waited for at most: a small document takes some, and a busy project queues."""

_LOOK = 0.25
"""Seconds between two looks, at the queue or at the history."""

_ASK_AFTER = 15.0
"""Seconds after which IMM itself is asked how the task is, and again after each time as many."""

_GRACE = 6.0
"""Seconds that the event has to come after IMM has said that the task has ended, beyond the timeout too."""

_DEPTH = 3
"""Batches that are lifted to get at an event that others stand in front of: each hides theirs for a second."""

_LIFTS, _REST = 2, 5.0
"""How often that is tried in vain, and the seconds between: every delivery counts, and a queue may put away for good
what was delivered too often."""

_PLACE = "imm-tui-smoke"
"""The folder for what the test converts, in the one where the document's results would go: it overwrites none."""


class Leg(StrEnum):
    """A part of the way, by what ends it."""

    ACCEPTED = "accepted"
    """From the submission to IMM's answer."""
    PUBLISHED = "published"
    """From there until the event stood on the queue: IMM converts, publishes to the topic, and that pushes."""
    RECEIVED = "received"
    STORED = "stored"


class Verdict(StrEnum):
    """How it came out."""

    PASSED = "passed"
    FAILED = "failed"
    """The event came as it should, and it tells of a failed conversion."""
    NO_EVENT = "no event"
    """IMM says that the task has ended, and its event did not come."""
    RUNNING = "running"
    """The time was over before the task was: IMM says so."""
    SILENT = "silent"
    """The time was over, and IMM could not be asked."""
    REFUSED = "refused"
    """A service said no, or cannot be reached."""
    UNKNOWN = "unknown"
    """The task was sent, and whether IMM has it is not known."""
    STOPPED = "stopped"
    """A person ended it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it has come; `verdict` is None while it is under way."""

    task: Task | None = None
    message: Message | None = None
    """The one that brought the event."""
    verdict: Verdict | None = None
    trouble: Trouble | None = None
    watched: bool = False
    """Another imm-tui receives for this history."""

    def took(self, leg: Leg) -> int | None:
        """Milliseconds; None where it is not over. Negative where the clocks of two machines differ by more."""
        began, ended = self._between(leg)
        return None if began is None or ended is None else ended - began

    @property
    def total(self) -> int | None:
        """Milliseconds from the submission to the commit, by this machine's clock alone."""
        stored = self.message.stored_at if self.message else None
        return None if stored is None or self.task is None else stored - (self.task.submitted_at or stored)

    def _between(self, leg: Leg) -> tuple[int | None, int | None]:
        task, message = self.task, self.message
        match leg:
            case Leg.ACCEPTED:
                return (task.submitted_at, task.accepted_at) if task else (None, None)
            case Leg.PUBLISHED:
                return task.accepted_at if task else None, message.enqueued_at if message else None
            case Leg.RECEIVED:
                return (message.enqueued_at, message.received_at) if message else (None, None)
            case Leg.STORED:
                return (message.received_at, message.stored_at) if message else (None, None)


LEGS = {
    Leg.ACCEPTED: N_("IMM took the conversion on"),
    Leg.PUBLISHED: N_("it is converted, and its event stands on the queue"),
    Leg.RECEIVED: N_("the event is here"),
    Leg.STORED: N_("the event is in the history"),
}
"""What a person is told of each."""


def verdict_of(progress: Progress) -> Trouble | str:
    """How a test that has ended came out, in a sentence, or as the trouble that it met."""
    task, seconds = progress.task, (progress.total or 0) / 1000
    match progress.verdict:
        case Verdict.PASSED:
            return _("Everything works: {seconds:.1f} s from the submission to the event in the history.").format(
                seconds=seconds
            )
        case Verdict.FAILED:
            why = ": ".join(word for word in (task.code, task.message and _(task.message)) if word) if task else ""
            return Trouble(
                _("The notification works, the conversion does not: {reason}.").format(reason=why.rstrip(".。") or "–"),
                _("The event came as it should, {seconds:.1f} s after the submission.").format(seconds=seconds),
                _("Try another document, or look the code up in the glossary."),
                request_id=task.request_id if task else None,
            )
        case Verdict.RUNNING:
            return Trouble(
                _("The time was over before the conversion was."),
                _("IMM says that it still runs."),
                _("The dashboard will show its event; or try again with a longer {option}.").format(option="--timeout"),
            )
        case Verdict.STOPPED:
            return _("Ended before the event came.")
    assert progress.trouble is not None
    return progress.trouble


def last_source(history_path: Path, settings: Settings) -> str:
    """The document that was converted last in this project, so that it can be again; "" where there is none."""
    if not history_path.exists():
        return ""
    with History(history_path) as history:
        for task in history.tasks(status=Status.SUCCEEDED):
            if task.source_uri and (task.project, task.api_version) == (settings.project, settings.api_version):
                return task.source_uri
    return ""


def conversion_of(source: str, settings: Settings) -> Conversion:
    """The first page of a document as a PNG, into a folder of its own. Raises BadInput."""
    uri = submission.check_source_uri(source)
    folder = "" if "{" in settings.target_uri else settings.target_uri
    target = f"{default_target_uri(uri, folder)}{_PLACE}/"
    return submission.plan([uri], Wanted(target_type="png", target_uri=target, pages="1"), settings)[0]


def run(
    settings: Settings,
    keys: Keys,
    history_path: Path,
    conversion: Conversion,
    *,
    timeout: float = TIMEOUT,
    stop: threading.Event | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Submits `conversion`, waits for its event, and says how it came out; `on_progress` is told each step of the way.

    `timeout` is in seconds; `stop` ends the wait at once. Raises BadInput for settings that cannot be, ReadOnly for a
    profile that is, and HistoryUnusable.
    """
    if settings.read_only:
        from imm_tui.cloud.read_only import forbidden

        if trouble := forbidden("imm:CreateOfficeConversionTask"):
            raise trouble
    stop = stop or threading.Event()
    with (
        closing(submission.connect(settings, keys)) as imm,
        History(history_path) as history,
        closing(_Receiver(settings, keys, history)) as receiver,
    ):
        test = _Test(settings, imm, history, receiver, on_progress)
        try:
            receiver.check()  # a queue that is not there is found before a conversion is paid for
            with closing(submission.submit(history, imm, settings, [conversion])) as outcomes:
                outcome = next(outcomes)
            test.tell(task=outcome.task, watched=not receiver.elected)
            if outcome.trouble is not None:
                raise outcome.trouble
            return test.wait(outcome.task, time.monotonic() + timeout, stop)
        except OutcomeUnknown as trouble:
            return test.tell(verdict=Verdict.UNKNOWN, trouble=trouble)
        except (Refused, Unreachable, NoCredentials) as trouble:
            return test.tell(verdict=Verdict.REFUSED, trouble=trouble)


class _Receiver:
    """The queue, for as long as it is for us to receive from it: no other imm-tui listens for this history."""

    def __init__(self, settings: Settings, keys: Keys, history: History) -> None:
        self._settings = settings
        self._keys = keys
        self._queue = self._open()
        self._history = history
        self._election = Election(history.path)
        self._lifts = _LIFTS
        self._lift_not_before = 0.0
        self.crowded = False
        """What others have on the queue is more than is lifted."""

    @property
    def elected(self) -> bool:
        """Whether it is; the one that listened may have ended since the last time."""
        try:
            self._election.acquire()
        except Timeout:
            return False
        return True

    def _open(self) -> Queue:
        from imm_tui.cloud.mns import Queue

        return Queue(self._settings.mns_endpoint, self._settings.queue, self._keys)

    def check(self) -> None:
        """Raises Refused or Unreachable for a queue that cannot be looked at."""
        self._queue.peek(1)

    def look(self, task: Task, stop: threading.Event) -> None:
        """Whether the event stands on the queue; then takes it. Where others stand in front of it they are lifted.

        Raises Refused and Unreachable.
        """
        from imm_tui.cloud.mns import BATCH

        seen = self._queue.peek(BATCH)
        if any(_is_of(message, task) for message in seen):
            self._lift(task, stop)
        elif len(seen) == BATCH and self._lifts and time.monotonic() >= self._lift_not_before:
            self._lift(task, stop)
            self._lifts -= 1
            self._lift_not_before = time.monotonic() + _REST

    def _lift(self, task: Task, stop: threading.Event) -> None:
        """Receives until the event is among what came, and gives all else back at once to whoever it is for."""
        from imm_tui.cloud.mns import BATCH

        for _batch in range(_DEPTH):
            if stop.is_set():
                return
            batch = self._queue.receive(BATCH, 0)
            own = [message for message in batch if _is_of(message, task)]
            try:
                if own:
                    self._take(own)
            finally:
                self._give_back([message.receipt_handle for message in batch if message not in own])
            if own or not batch:
                self.crowded = False
                return
        self.crowded = True

    def _give_back(self, handles: list[str]) -> None:
        """All at once: a person who wants the test to end need not wait for one after the other.

        Raises Barred where it is never allowed; any other refusal only lets a message come back later.
        """
        if not handles:
            return
        with ThreadPoolExecutor(len(handles), thread_name_prefix="smoke test") as pool:
            refusals = [refusal for refusal in pool.map(self._show_again, handles) if refusal is not None]
        for refusal in refusals:
            if isinstance(refusal, Denied):
                what = _("What was received along with the event cannot be given back: its owner has to wait for it.")
                raise Denied(
                    what,
                    refusal.what,
                    refusal.fix,
                    action=refusal.action,
                    code=refusal.code,
                    request_id=refusal.request_id,
                )
            raise refusal

    def _show_again(self, handle: str) -> Barred | None:
        try:
            with closing(self._open()) as queue:
                queue.change_visibility(handle, 1)
        except Barred as refusal:
            return refusal
        except (Refused, Unreachable, BadInput):  # it comes back when its time is over
            pass
        return None

    def _take(self, own: list[Received]) -> None:
        """Stores the event, and only then deletes it."""
        arrivals = [
            Arrival(
                message_id=message.message_id,
                body=message.body,
                events=notifications.parse(message.body).events,
                dequeue_count=message.dequeue_count,
                enqueued_at=message.enqueued_at,
            )
            for message in own
        ]
        self._history.store(arrivals, now())
        stored_at = now()
        self._queue.delete([message.receipt_handle for message in own])
        self._history.record_left([Left(tuple(message.message_id for message in own), stored_at, now())])

    def close(self) -> None:
        self._election.release()
        self._queue.close()


class _Test:
    """One run of it."""

    def __init__(
        self,
        settings: Settings,
        imm: Imm,
        history: History,
        receiver: _Receiver,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._settings = settings
        self._imm = imm
        self._history = history
        self._receiver = receiver
        self._on_progress = on_progress
        self._progress = Progress()

    def tell(self, **changes: object) -> Progress:
        self._progress = replace(self._progress, **changes)  # type: ignore[arg-type]  # by the names of Progress
        self._on_progress(self._progress)
        return self._progress

    def wait(self, task: Task, until: float, stop: threading.Event) -> Progress:
        """Until the event of `task` is stored, or it is known that none will come."""
        trouble: Trouble | None = None
        ask_at = time.monotonic() + _ASK_AFTER
        grace: float | None = None
        while True:
            try:
                if self._receiver.elected:
                    self._receiver.look(task, stop)
                trouble = None
            except Barred:
                self._come(task)  # the event may be here all the same
                raise
            except (Refused, Unreachable) as passing:
                trouble = passing
            if (told := self._come(task)) is not None:
                return told
            if self._progress.watched == self._receiver.elected:
                self.tell(watched=not self._receiver.elected)
            if stop.wait(_LOOK):
                return self.tell(verdict=Verdict.STOPPED)
            at = time.monotonic()
            if grace is None and at >= min(ask_at, until):
                ask_at = at + _ASK_AFTER
                if self._has_ended(task):
                    grace = at + _GRACE
            if at >= (until if grace is None else grace):
                return self._in_vain(task, trouble)

    def _come(self, task: Task) -> Progress | None:
        """What the history knows of the task by now; the end of the test, where its event has come."""
        current = self._history.task(task.id)
        if current is None or not current.status.finished or current.asked:
            return None
        message = next((it for it in self._history.messages_of(current.id) if not it.asked), None)
        if message is None or message.stored_at is None:
            return None
        verdict = Verdict.PASSED if current.status is Status.SUCCEEDED else Verdict.FAILED
        return self.tell(task=current, message=message, verdict=verdict)

    def _has_ended(self, task: Task) -> bool:
        assert task.task_id is not None
        try:
            answer = self._imm.get_task(task.task_id)
        except (Refused, Unreachable):
            return False
        return answer is not None and answer.event.status.finished

    def _in_vain(self, task: Task, trouble: Trouble | None) -> Progress:
        try:
            ask(self._history, self._imm, task)
        except (Refused, Unreachable) as unasked:
            return self.tell(verdict=Verdict.SILENT, trouble=trouble or unasked)
        current = self._history.task(task.id) or task
        if not current.status.finished:
            return self.tell(task=current, verdict=Verdict.RUNNING, trouble=trouble)
        return self.tell(task=current, verdict=Verdict.NO_EVENT, trouble=trouble or self._silence)

    @property
    def _silence(self) -> Trouble:
        """Why no event may have come."""
        what = _("IMM has ended the task, but its event did not come.")
        if self._progress.watched:
            why = _("Another imm-tui receives for this history: it may be paused, or in trouble.")
            return Trouble(what, why, _("Look what it says, or end it, and try again."))
        if self._receiver.crowded:
            why = _("It may stand behind messages of others, which are many on this queue.")
            own = self._settings.command("setup --private")
            return Trouble(what, why, _("{command} makes a queue of your own.").format(command=own))
        why = _(
            "The topic is not the one that IMM publishes to, the queue is not subscribed to it, the project's "
            "service role may not publish, or somebody else took the event from the queue."
        )
        return Trouble(what, why, _("{command} tells which.").format(command=self._settings.command("doctor")))


def _is_of(message: Received, task: Task) -> bool:
    """Whether a message tells of this task. One that came damaged is left to a listener, which knows what to do."""
    if message.repaired:
        return False
    return any(
        task_key(event.task_id) == task_key(task.task_id or "") or (event.user_data and event.user_data == task.token)
        for event in notifications.parse(message.body).events
    )
