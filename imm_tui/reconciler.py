"""The reconciler: asks IMM about tasks whose event never came, and looks for submissions whose outcome is unknown.

An event can be lost: a subscription is missing, a role may not publish, somebody else takes from the queue. And an
answer to a submission can be lost while the submission was not. So IMM is asked, the more seldom the longer it takes:
hundreds of times less than polling would. Several imm-tui on one history share the questions out through it.
"""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from imm_tui import submission
from imm_tui.backoff import Backoff
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import Barred, Refused, Trouble, Unreachable
from imm_tui.history import History
from imm_tui.i18n import N_
from imm_tui.tasks import Status, Task, now

if TYPE_CHECKING:
    from imm_tui.cloud.imm import Imm, Listed

OVERDUE_AFTER = 30.0
"""Seconds from a submission to the first question: most conversions have ended by then, and their events have come."""

_UNKNOWN_AFTER = 5.0
"""Seconds after which a submission whose outcome is unknown is looked for: what IMM took is in its list by then."""

_LOOK = 1.0
"""Seconds between two looks for tasks that are overdue, while there are any that may become it."""

_AT_ONCE = 10
"""Tasks that are asked about at one look: IMM is not to be flooded after a long absence."""

_ODD_IN_A_ROW = 3
"""Answers that are none, after which asking rests: fewer may be due to the tasks that were asked about."""

_BARRED_FOR = 300.0
"""Seconds before IMM is asked again when it has refused everything: only a person can mend that."""

_TRY_AGAIN = 30.0
"""Seconds before a history that could not be used is opened again."""

_OUTDATED = 60.0
"""Seconds after which a trouble is no longer told, when there was nothing to ask since."""

_TASK_ID = re.compile(r"[!-~]{1,256}")
"""What IMM can have called a task. Anybody who may publish can send an event with anything else."""

_CLOCKS = 15 * 60_000
"""Milliseconds that two clocks may be apart, and that a call may take: where IMM's tasks are searched for one."""


class Reconciler:
    """Asks IMM in a thread of its own, from `start` to `stop`.

    `overdue_after` is the seconds after which a task's event is overdue. `on_change` is called in that thread whenever
    the history, or `trouble`, has changed.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Keys,
        history_path: Path,
        *,
        overdue_after: float = OVERDUE_AFTER,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._history_path = history_path
        self._overdue_after = overdue_after
        self._on_change = on_change
        self._asked_for: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._woken = threading.Event()
        self._stopping = False
        self.thread = threading.Thread(target=self._run, name="reconciler", daemon=True)
        self._listing = _Calls()
        self._asking = _Calls(patience=_ODD_IN_A_ROW)
        self.trouble: Trouble | None = None
        """Why IMM could not be asked the last time."""

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """It asks no more. A question under way is not waited for: it changes nothing at IMM."""
        self._stopping = True
        self._woken.set()

    def join(self, timeout: float | None = None) -> bool:
        """Waits for the thread to end; false when it has not after `timeout` seconds."""
        self.thread.join(timeout)
        return not self.thread.is_alive()

    def ask(self, task: Task) -> bool:
        """Asks about a task now, overdue or not; false for one of another project or API version, which this one
        knows nothing of."""
        ours = (self._settings.project, self._settings.api_version)
        if (task.project or ours[0], task.api_version or ours[1]) != ours:
            return False
        self._asked_for.put(task.id)
        self._woken.set()
        return True

    def _run(self) -> None:
        while not self._stopping:
            try:
                imm = submission.connect(self._settings, self._credentials)
                with closing(imm), History(self._history_path) as history:
                    while not self._stopping:
                        self._look(history, imm)
                        # What begins meanwhile is not due before that.
                        self._woken.wait(_LOOK if history.has_unfinished(now()) else max(_LOOK, self._first))
                        self._woken.clear()
            except Trouble as trouble:  # the settings do not do, or the history
                self._tell(trouble)
                self._woken.wait(_TRY_AGAIN)
                self._woken.clear()

    def _look(self, history: History, imm: Imm) -> None:
        if submission.settle_abandoned(history):
            self._on_change()
        wanted: list[Task] = []
        while not self._asked_for.empty():
            if (task := history.task(self._asked_for.get())) is not None:
                wanted.append(task)
        found = self._search(history, imm, [task for task in wanted if task.task_id is None])
        for task in self._due(history, [task for task in wanted if task.task_id is not None], found):
            try:
                ask(history, imm, task)
            except (Refused, Unreachable) as trouble:
                self._failed(self._asking, trouble)
            else:
                self._answered(self._asking)
            self._on_change()
        latest = self._listing.trouble or self._asking.trouble
        if latest is not self.trouble:
            self._tell(latest)

    def _search(self, history: History, imm: Imm, wanted: Sequence[Task]) -> list[Task]:
        """Looks for the submissions whose outcome is unknown, all of them in one list."""
        lost = [task for task in wanted if task.status is Status.UNKNOWN]
        if self._listing.allowed:
            lost += history.unfound(now(), first=round(self._first * 1000), **self._ours)
        if not lost:
            return []
        try:
            found = find(history, imm, lost)
        except (Refused, Unreachable) as trouble:
            self._failed(self._listing, trouble)
            return []
        self._answered(self._listing)
        self._on_change()
        return found

    def _due(self, history: History, wanted: Iterable[Task], found: Iterable[Task]) -> Iterator[Task]:
        """What IMM is to be asked about. Each is chosen when the one before has its answer, so that one that cannot
        be answered costs no other its turn; and while the oldest only takes long, no event is missing, and the others
        are not asked about."""
        yield from wanted
        for task in found:
            if self._asking.allowed:
                yield task
        after = round(self._overdue_after * 1000)
        for _ in range(_AT_ONCE):
            if self._stopping or not self._asking.allowed:
                return
            tasks = history.overdue(now(), first=after, limit=1, **self._ours)
            if not tasks:
                return
            yield from tasks
            told = history.task(tasks[0].id)
            if self._asking.trouble is None and told is not None and told.status is Status.RUNNING:
                return

    def _failed(self, calls: _Calls, trouble: Refused | Unreachable) -> None:
        seconds = calls.failed(trouble)
        if _unopened(trouble):
            for every in (self._listing, self._asking):
                every.rest(trouble, seconds)

    def _answered(self, calls: _Calls) -> None:
        for every in (self._listing, self._asking):
            if every is calls or _unopened(every.trouble):
                every.answered()

    @property
    def _first(self) -> float:
        """Seconds after a submission before which there is nothing to ask about it."""
        return min(_UNKNOWN_AFTER, self._overdue_after)

    @property
    def _ours(self) -> dict[str, str]:
        return {"project": self._settings.project, "api_version": self._settings.api_version}

    def _tell(self, trouble: Trouble | None) -> None:
        self.trouble = trouble
        self._on_change()


class _Calls:
    """One kind of call to IMM, listing or asking: it may fail while the other does not, and rests by itself then.

    `patience` is how many answers in a row that are none it takes before it rests.
    """

    def __init__(self, patience: int = 1) -> None:
        # Slower than the listener's: in an outage both services are called, and this can wait.
        self._backoff = Backoff(first=4.0, last=240.0)
        self._patience = patience
        self._odd = 0
        self._not_before = 0.0
        self._trouble: Trouble | None = None

    @property
    def allowed(self) -> bool:
        return time.monotonic() >= self._not_before

    @property
    def trouble(self) -> Trouble | None:
        """Why the last one failed; not for ever where there was none since."""
        return self._trouble if time.monotonic() <= self._not_before + _OUTDATED else None

    def failed(self, trouble: Refused | Unreachable) -> float:
        """Returns for how many seconds there is to be no such call."""
        self._odd += 1
        odd = isinstance(trouble, Unreachable) and trouble.opened and trouble.retry_after is None
        if isinstance(trouble, Barred):
            seconds = _BARRED_FOR
        elif odd and self._odd < self._patience:
            seconds = 0.0
        else:
            seconds = self._backoff.delay(trouble.retry_after)
        self.rest(trouble, seconds)
        return seconds

    def rest(self, trouble: Trouble, seconds: float) -> None:
        self._trouble = trouble
        self._not_before = time.monotonic() + seconds

    def answered(self) -> None:
        self._backoff.reset()
        self._odd = 0
        self._not_before = 0.0
        self._trouble = None


def _unopened(trouble: Trouble | None) -> bool:
    """Whether nothing could be sent to IMM at all, which has nothing to do with what was to be."""
    return isinstance(trouble, Unreachable) and not trouble.opened


def ask(history: History, imm: Imm, task: Task) -> None:
    """Asks IMM what has become of a task that has an id, and records what it says. Raises Refused, Unreachable."""
    assert task.task_id is not None
    try:
        answer = imm.get_task(task.task_id) if _TASK_ID.fullmatch(task.task_id) else None
    except (Refused, Unreachable) as trouble:
        if not (isinstance(trouble, Barred) or _unopened(trouble)):  # for this task perhaps: the next time is later
            history.record_no_answer([task.id], now())
        raise
    if answer is not None:
        history.record_answer(task.id, answer.event, answer.body, answer.request_id, now())
    else:
        said = N_("IMM does not know this task any more: it keeps tasks for seven days. How it ended is not known.")
        history.record_not_known(task.id, said, now())


def find(history: History, imm: Imm, tasks: Sequence[Task]) -> list[Task]:
    """Looks among IMM's tasks for submissions whose outcome is unknown, and returns those that it found, as they are
    now. Raises Refused, Unreachable.

    Under 2020-09-30 a task carries the submission's token as its UserData. Under 2017-09-06 the list does not show the
    IdempotentToken: there a submission is the task of the same content that is nearest in time, and that no other
    submission became.
    """
    named = tasks[0].api_version == "2020-09-30"
    sought: dict[object, dict[int, Task]] = {}
    for task in tasks:
        sought.setdefault(task.token if named else _content(task), {})[task.id] = task
    moments = [task.submitted_at or task.seen_at for task in tasks]
    pairs = []
    for listed in imm.list_tasks(min(moments) - _CLOCKS, max(moments) + _CLOCKS):
        for task in sought.get(listed.user_data if named else _content(listed), {}).values():
            apart = abs((listed.created_at or 0) - (task.submitted_at or 0))
            if named or apart < _CLOCKS:
                pairs.append((apart, task.id, listed.task_id))
    missing = {task.id for task in tasks}
    for _, number, task_id in sorted(pairs):
        if number in missing and history.record_found(number, task_id):
            missing.remove(number)
    history.record_no_answer(missing, now())
    found = (history.task(number) for number in {task.id for task in tasks} - missing)
    return [task for task in found if task is not None]


def _content(task: Task | Listed) -> tuple[str | None, str, str]:
    """What 2017-09-06's list shows of a submission, as it was sent or in other spellings of the same."""
    target_type = (task.target_type or "").lower()
    return task.source_uri, (task.target_uri or "").rstrip("/"), {"text": "txt"}.get(target_type, target_type)
