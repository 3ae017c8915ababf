"""One profile at work: its listener, and the reconciler beside it, for whoever shows its history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.errors import Trouble
from imm_tui.listener import Listener, ListenerState, Phase
from imm_tui.tasks import now

if TYPE_CHECKING:
    from imm_tui.reconciler import Reconciler
    from imm_tui.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What it takes to work with one profile. Where `problem` says what is missing, its history can be looked at."""

    settings: Settings
    history_path: Path
    credentials: Credentials | None = None
    problem: Trouble | None = None

    @property
    def can_listen(self) -> bool:
        """Whether there is what it takes to call the queue."""
        return self.credentials is not None and self.problem is None and not self.settings.missing_to_listen()

    @property
    def can_ask(self) -> bool:
        """Whether there is what it takes to ask IMM about a task."""
        return self.credentials is not None and self.problem is None and not self.settings.missing_to_submit()


class Session:
    """What works for one profile, from `start` to `stop`. `wake` is called from any thread when something has changed.

    `overdue_after` is the seconds after which IMM is asked about a task whose event has not come (None: as long as the
    reconciler finds right).
    """

    def __init__(self, profile: Profile, wake: Callable[[], None], *, overdue_after: float | None = None) -> None:
        self.profile = profile
        self._wake = wake
        self._overdue_after = overdue_after
        self._listener: Listener | None = None
        self._reconciler: Reconciler | None = None
        phase = Phase.STARTING if profile.problem is None else Phase.STOPPED
        self._before = ListenerState(phase=phase, since=now(), trouble=profile.problem)

    def start(self) -> None:
        self._start_listening()
        self._start_asking()

    def stop(self) -> None:
        """Ends all of it, at once but for what is half done; see Listener.stop."""
        if self._reconciler is not None:
            self._reconciler.stop()
        if self._listener is not None:
            self._listener.stop()

    def _start_listening(self) -> None:
        profile = self.profile
        if profile.credentials is None or profile.problem is not None:
            return
        self._listener = Listener(
            profile.settings,
            profile.credentials,
            profile.history_path,
            on_batch=lambda batch: self._wake(),
            on_state=lambda state: self._wake(),
        )
        self._listener.start()

    def _start_asking(self) -> None:
        profile = self.profile
        if profile.credentials is None or not profile.can_ask:
            return
        from imm_tui.reconciler import OVERDUE_AFTER, Reconciler  # not before the first paint

        self._reconciler = Reconciler(
            profile.settings,
            profile.credentials,
            profile.history_path,
            overdue_after=OVERDUE_AFTER if self._overdue_after is None else self._overdue_after,
            on_change=self._wake,
        )
        self._reconciler.start()

    @property
    def listening(self) -> ListenerState:
        """What the listener is doing."""
        return self._before if self._listener is None else self._listener.state

    @property
    def asking_trouble(self) -> Trouble | None:
        """Why IMM cannot be asked about overdue tasks."""
        return self._reconciler.trouble if self._reconciler is not None else None

    def reconnect(self) -> None:
        """Tries again now what the listener waits with; where it has ended, starts another."""
        if self._listener is None:
            self._start_listening()
        else:
            self._listener.resume()

    def ask(self, task: Task) -> bool:
        """Asks IMM about a task now: the history will tell. False where it is not of this project and API version."""
        if self._reconciler is None:
            self._start_asking()
        return self._reconciler is not None and self._reconciler.ask(task)

    def listener_failed(self, trouble: Trouble) -> None:
        """Its thread has ended by a mistake; `reconnect` starts another."""
        self._listener = None
        self._before = ListenerState(phase=Phase.STOPPED, since=now(), trouble=trouble)

    def reconciler_failed(self) -> None:
        """Its thread has ended by a mistake; `ask` starts another."""
        self._reconciler = None
