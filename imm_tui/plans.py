"""What a batch is to submit, kept in the history from before its first submission: what is left of it outlives whoever
submits it, also one that is killed.

Whoever works with a plan holds its lock, which the system frees when a process ends, however it does.
"""

from __future__ import annotations

import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from imm_tui.errors import HistoryUnusable
from imm_tui.history import History, Plan
from imm_tui.i18n import _


class Held:
    """A new plan, on disk when this returns, and held until `release`. Raises HistoryUnusable where it cannot be.

    `form` and `sources` are those of History.record_plan.
    """

    def __init__(self, history_path: Path, form: Mapping[str, str] | None, sources: Sequence[str]) -> None:
        self.name = uuid.uuid4().hex
        self._lock = _lock(history_path, self.name)
        with History(history_path) as history:
            try:
                self._lock.acquire()
            except OSError as error:
                raise HistoryUnusable(
                    _("What is to be submitted cannot be kept beside the history {path}.").format(path=history_path),
                    f"{error.strerror or error}.",
                    _("Make room or mend its permissions."),
                ) from None
            try:
                history.record_plan(self.name, form, sources)
            except BaseException:
                _remove(self._lock)
                raise

    def release(self) -> None:
        """No more is submitted by it: what is left is anybody's."""
        self._lock.release()


def left(history: History) -> Generator[Plan, None, None]:
    """Each plan that nobody holds, as far as it was not submitted. It is over when the next one is asked for: what is
    left of it has to be on disk elsewhere by then."""
    for name in history.plans():
        lock = _lock(history.path, name)
        with suppress(Timeout), lock:
            plan = history.plan(name)
            if plan is not None:  # nobody was faster
                yield plan
                history.record_plan_over(name)
                _remove(lock)


def _lock(history_path: Path, name: str) -> FileLock:
    return FileLock(f"{history_path}.{name}.lock", blocking=False, mode=0o600, thread_local=False)


def _remove(lock: FileLock) -> None:
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)
