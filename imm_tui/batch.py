"""Many submissions in the background: at IMM's pace, to be paused, resumed and cancelled, with a guess at their end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from imm_tui import plans, submission
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import Barred, HistoryTorn, HistoryUnusable, OutcomeUnknown, Trouble, Unreachable, mistake
from imm_tui.history import History
from imm_tui.submission import AT_ONCE, RATE, Outcome, Pace
from imm_tui.tasks import Conversion, Status, Task, now

_ENOUGH, _ENOUGH_SHARE = 3, 0.1
"""Tasks that have ended, and their share of a batch, from which on its own pace is the best guess."""

_FEW = 10
"""Tasks of a batch of which a guess from the history is better than none: for more of them it would be far off as a
rule, and jump when their own pace is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a batch has come. What is neither sent nor unsent is under way."""

    total: int
    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    unsent: int = 0
    """Not sent yet, or never if the batch is cancelled."""
    paused: bool = False
    cancelled: bool = False
    ended: bool = False
    """No more is sent, and all that was has its answer."""
    trouble: Trouble | None = None
    """Why it paused by itself, or ended before its time; else the newest refusal."""

    @property
    def sent(self) -> int:
        """Those that have their answer."""
        return self.accepted + self.refused + self.unknown

    @property
    def cut_short(self) -> bool:
        """What is unsent is never sent."""
        return self.unsent > 0 and (self.cancelled or self.ended)


class Batch:
    """Submits conversions in a thread of its own, as tasks of one batch.

    `on_change` is called in that thread whenever `progress` has changed; `resubmits` is the task that each conversion
    is once more. Where all others would fare the same, it pauses by itself, with `progress.trouble`: at a refusal that
    bars every call, when IMM cannot be reached or gives no readable answer, when the history cannot be written. The
    rest stays unsent, and can go on once that is mended. What cannot be mended so ends it, with the rest unsent.
    What is unsent outlives it as a plan of the history, with `form`: what the conversions came from, no password in it.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Keys,
        history_path: Path,
        conversions: Sequence[Conversion],
        *,
        on_change: Callable[[], None] = lambda: None,
        resubmits: Sequence[int] = (),
        form: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = settings
        self.began_at = now()
        """In epoch milliseconds."""
        self.number: int | None = None
        """The history's for this batch (`History.batch`), once its first submission is recorded."""
        self._credentials = credentials
        self._history_path = history_path
        self._conversions = list(conversions)
        self._resubmits = list(resubmits)
        self._form = form
        self._plan: plans.Held | None = None
        self._on_change = on_change
        self._pace = Pace()
        self._changed = threading.Condition()
        self._handed = 0
        """How many are recorded as tasks, and are sent or on their way."""
        self._answers = {Status.RUNNING: 0, Status.FAILED: 0, Status.UNKNOWN: 0}
        self._paused = False
        self._paused_at = 0.0
        """By the monotonic clock."""
        self._idle = 0.0
        """Seconds of all pauses that are over."""
        self._cancelled = False
        self._ended = False
        self._trouble: Trouble | None = None
        self._thread = threading.Thread(target=self._run, name="batch", daemon=True)

    def start(self) -> None:
        """From here on nothing of it is lost. Raises HistoryUnusable, with nothing sent, where that cannot be had."""
        sources = [conversion.source_uri for conversion in self._conversions]
        self._plan = plans.Held(self._history_path, self._form, sources)
        self._thread.start()

    def pause(self) -> None:
        """Sends no more than what is under way."""
        with self._changed:
            self._begin_pause()

    def resume(self) -> None:
        with self._changed:
            self._idle, self._paused = self._idle_until_now(), False
            self._trouble = None
            self._changed.notify_all()

    def cancel(self) -> None:
        """What is not yet sent is never sent; what is under way is finished."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()
        self._pace.stop()

    def join(self, timeout: float | None = None) -> bool:
        """Waits for its end, that many seconds at most; whether it has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def idle(self) -> int:
        """For how many milliseconds it has been paused by now, in all."""
        with self._changed:
            return round(1000 * self._idle_until_now())

    def _begin_pause(self) -> None:
        if not self._paused:
            self._paused, self._paused_at = True, time.monotonic()

    def _idle_until_now(self) -> float:
        return self._idle + (time.monotonic() - self._paused_at if self._paused else 0.0)

    @property
    def progress(self) -> Progress:
        with self._changed:
            return Progress(
                total=len(self._conversions),
                accepted=self._answers[Status.RUNNING],
                refused=self._answers[Status.FAILED],
                unknown=self._answers[Status.UNKNOWN],
                unsent=len(self._conversions) - self._handed,
                paused=self._paused and not self._cancelled and not self._ended,
                cancelled=self._cancelled,
                ended=self._ended,
                trouble=self._trouble,
            )

    def _run(self) -> None:
        trouble: Trouble | None = None
        try:
            self._send_all()
        except Trouble as met:  # the settings do not do, say: no going on mends that
            trouble = met
        except Exception as error:
            trouble = mistake(error)
        if self._plan is not None:
            self._plan.release()
        with self._changed:
            self._ended = True
            self._trouble = trouble or self._trouble
        self._on_change()

    def _send_all(self) -> None:
        with (
            closing(submission.connect(self.settings, self._credentials)) as imm,
            History(self._history_path) as history,
        ):
            while self._has_more():
                try:
                    history.probe()
                except HistoryUnusable as trouble:
                    self._pause_for(trouble)
                    continue
                # A handful at a time: between two of them it can be paused.
                part = slice(self._handed, self._handed + AT_ONCE)
                outcomes = submission.submit(
                    history,
                    imm,
                    self.settings,
                    self._conversions[part],
                    batch=self.number or 0,
                    batch_size=len(self._conversions),
                    resubmits=self._resubmits[part],
                    plan=self._plan.name if self._plan is not None else None,
                    pace=self._pace,
                    on_intent=self._hand,
                )
                try:
                    with closing(outcomes):
                        met = [self._count(outcome) for outcome in outcomes]
                except HistoryTorn:
                    raise
                except HistoryUnusable as trouble:
                    self._pace = Pace()
                    self._pause_for(trouble)
                    continue
                finally:
                    self._count_lost()
                barred = [trouble for trouble in met if isinstance(trouble, Barred)]
                lost = [trouble for trouble in met if isinstance(trouble, Unreachable | OutcomeUnknown)]
                if barred:
                    self._pace = Pace()
                if barred or (lost and len(lost) == len(met)):
                    self._pause_for((barred or lost)[-1])
            if self.number is not None:
                history.record_batch_ended(self.number)  # it may have been cancelled

    def _hand(self, task: int) -> None:
        with self._changed:
            self.number = self.number or task
            self._handed += 1

    def _has_more(self) -> bool:
        """Waits while it is paused; whether there is anything to send then."""
        with self._changed:
            self._changed.wait_for(
                lambda: not self._paused or self._cancelled or self._handed == len(self._conversions)
            )
            return not self._cancelled and self._handed < len(self._conversions)

    def _pause_for(self, trouble: Trouble) -> None:
        with self._changed:
            self._begin_pause()
            self._trouble = trouble
        self._on_change()

    def _count(self, outcome: Outcome) -> Trouble | None:
        trouble = outcome.trouble
        kind = Status.RUNNING if trouble is None else Status.FAILED
        if isinstance(trouble, OutcomeUnknown):
            kind = Status.UNKNOWN
        with self._changed:
            self._answers[kind] += 1
            self._trouble = trouble or self._trouble
        if isinstance(trouble, Barred):
            self._pace.stop()
        self._on_change()
        return trouble

    def _count_lost(self) -> None:
        """Those that were on their way when it failed: the history has their answers, or will."""
        with self._changed:
            self._answers[Status.UNKNOWN] += self._handed - sum(self._answers.values())


def eta(
    tasks: Sequence[Task], durations: Sequence[tuple[int, int | None]], at: int, unsent: int = 0, idle: int = 0
) -> int | None:
    """In how many milliseconds, from `at`, the batch of these tasks, with `unsent` to come, is likely to have ended.

    Learned from its own pace as soon as enough of it has ended, without the `idle` milliseconds in which it was paused;
    before that, for a few tasks only, from `History.durations` of their target type. None where nothing is known.
    """
    going = [task for task in tasks if task.status.under_way]
    left = len(going) + unsent
    if not left:
        return 0
    began = min((task.submitted_at for task in tasks if task.submitted_at is not None), default=at)
    ended = [
        task for task in tasks if task.status is Status.SUCCEEDED or (task.status is Status.FAILED and task.task_id)
    ]
    total = len(tasks) + unsent
    if len(ended) >= max(_ENOUGH, _ENOUGH_SHARE * total):
        # Before the first could end nothing could: that says nothing of the pace.
        spans = (it.finished_at - it.submitted_at for it in ended if it.finished_at and it.submitted_at is not None)
        if (busy := at - began - idle - max(0, min(spans, default=0))) > 0:
            return busy * left // len(ended)
    if not durations or total > _FEW:
        return None
    usual = median(duration for duration, _pages in durations)
    by_page = [duration / pages for duration, pages in durations if pages]
    a_page = median(by_page) if by_page else None

    def rest(task: Task) -> float:
        whole = a_page * task.page_count if a_page is not None and task.page_count else usual
        return max(0.0, whole - (at - (at if task.submitted_at is None else task.submitted_at)))

    to_come = [unsent * 1000 / RATE + usual] if unsent else []
    return round(max([*map(rest, going), *to_come]))
