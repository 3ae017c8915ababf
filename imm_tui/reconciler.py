"""The reconciler: asks IMM about tasks whose event never came, and looks for submissions whose outcome is unknown.

An event can be lost: a subscription is missing, a role may not publish, somebody else takes from the queue. And an
answer to a submission can be lost while the submission was not. So IMM is asked, the more seldom the longer it takes:
hundreds of times less than polling would. Several imm-tui on one history share the questions out through it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from imm_tui import submission
from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.errors import Barred, Refused, Trouble, Unreachable
from imm_tui.history import History
from imm_tui.listener import Backoff
from imm_tui.tasks import Task, now

if TYPE_CHECKING:
    from imm_tui.cloud.imm import Imm, Listed

OVERDUE_AFTER = 30.0
"""Seconds from a submission to the first question: most conversions have ended by then, and their events have come."""

_LOOK = 1.0
"""Seconds between two looks for tasks that are overdue."""

_AT_ONCE = 10
"""Tasks that are asked about at one look: IMM is not to be flooded after a long absence."""

_BARRED_FOR = 300.0
"""Seconds before IMM is asked again when it has refused everything: only a person can mend that."""

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
        credentials: Credentials,
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
        self._asked_for: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="reconciler", daemon=True)
        self._not_before = 0.0
        self._backoff = Backoff()
        self.trouble: Trouble | None = None
        """Why IMM could not be asked the last time."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """It asks no more. A question under way is not waited for: it changes nothing at IMM."""
        self._stopping = True
        self._woken.set()

    def ask(self, task: Task) -> None:
        """Asks about a task now, overdue or not."""
        self._asked_for.put(task)
        self._woken.set()

    def _run(self) -> None:
        while not self._stopping:
            try:
                imm = submission.connect(self._settings, self._credentials)
                with closing(imm), History(self._history_path) as history:
                    while not self._stopping:
                        self._look(history, imm)
                        self._woken.wait(_LOOK)
                        self._woken.clear()
            except Trouble as trouble:  # the settings do not do, or the history
                self._tell(trouble)
                self._woken.wait(_BARRED_FOR)
                self._woken.clear()

    def _look(self, history: History, imm: Imm) -> None:
        if submission.settle_abandoned(history):
            self._on_change()
        asked_for: list[Task] = []
        while not self._asked_for.empty():
            asked_for.append(self._asked_for.get())
        if asked_for:
            self._not_before = 0.0
        if time.monotonic() < self._not_before:
            return
        overdue = history.overdue(
            now(),
            project=self._settings.project,
            api_version=self._settings.api_version,
            first=round(self._overdue_after * 1000),
            limit=_AT_ONCE,
        )
        tasks = list({task.id: task for task in (*asked_for, *overdue)}.values())
        if not tasks:
            return
        try:
            self._ask(history, imm, tasks)
        except (Refused, Unreachable) as trouble:
            barred = isinstance(trouble, Barred)
            delay = _BARRED_FOR if barred else self._backoff.delay(trouble.retry_after)
            self._not_before = time.monotonic() + delay
            self._tell(trouble)
        else:
            self._backoff.reset()
            self._tell(None)

    def _ask(self, history: History, imm: Imm, tasks: Sequence[Task]) -> None:
        unknown = [task for task in tasks if task.task_id is None]
        if unknown:
            find(history, imm, unknown)
        for task in tasks:
            if self._stopping:
                return
            if task.task_id is not None:
                ask(history, imm, task)
                self._on_change()

    def _tell(self, trouble: Trouble | None) -> None:
        self.trouble = trouble
        self._on_change()


def ask(history: History, imm: Imm, task: Task) -> None:
    """Asks IMM what has become of a task that has an id, and records what it says. Raises Refused, Unreachable."""
    assert task.task_id is not None
    answer = imm.get_task(task.task_id)
    if answer is None:
        said = "IMM does not know this task any more: it keeps tasks for seven days. No event came for it."
        history.record_not_known(task.id, said, now())
    else:
        history.record_answer(task.id, answer.event, answer.body, answer.request_id, now())


def find(history: History, imm: Imm, tasks: Sequence[Task]) -> None:
    """Looks among IMM's tasks for submissions whose outcome is unknown. Raises Refused, Unreachable.

    Under 2020-09-30 a task carries the submission's token as its UserData. Under 2017-09-06 the list does not show the
    IdempotentToken; there it is the task of the same source, target, type and time that no other submission became.
    """
    moments = [task.submitted_at for task in tasks if task.submitted_at is not None]
    listed = list(imm.list_tasks(min(moments) - _CLOCKS, max(moments) + _CLOCKS))
    for task in sorted(tasks, key=lambda task: task.id):
        match = next((it for it in listed if _is_it(it, task) and not history.is_submitted(it.task_id)), None)
        if match is None:
            history.record_not_found(task.id, now())
        else:
            history.record_accepted(task.id, match.task_id, None)


def _is_it(listed: Listed, task: Task) -> bool:
    if task.api_version == "2020-09-30":
        return listed.user_data is not None and listed.user_data == task.token
    same = (
        listed.source_uri == task.source_uri
        and listed.target_uri == task.target_uri
        and (listed.target_type or "").lower() in (task.target_type, {"txt": "text"}.get(task.target_type or ""))
    )
    return same and (
        listed.created_at is None or task.submitted_at is None or abs(listed.created_at - task.submitted_at) < _CLOCKS
    )
