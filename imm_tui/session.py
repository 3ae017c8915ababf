"""One profile at work: what listens, asks, counts and starts hooks, for whoever shows its history."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from imm_tui.errors import Trouble
from imm_tui.listener import Listener, ListenerState, Phase
from imm_tui.profiles import Profile
from imm_tui.tasks import now

if TYPE_CHECKING:
    from imm_tui.hooks import Hooks
    from imm_tui.queue_depth import Depth, QueueDepth
    from imm_tui.reconciler import Reconciler
    from imm_tui.tasks import Task


class Session:
    """What works for one profile, from `start` to `stop`.

    `wake` is called from any thread when something has changed, `on_hook_trouble` when a hook has failed; `give_way`
    by what drains the queue, as a Listener does it.
    `overdue_after` is the seconds after which IMM is asked about a task whose event has not come (None: as long as the
    reconciler finds right).
    """

    def __init__(
        self,
        profile: Profile,
        wake: Callable[[], None],
        *,
        overdue_after: float | None = None,
        on_hook_trouble: Callable[[Trouble], None] = lambda trouble: None,
        give_way: Callable[[], object] = lambda: None,
    ) -> None:
        self.profile = profile
        self._wake = wake
        self._overdue_after = overdue_after
        self._on_hook_trouble = on_hook_trouble
        self._give_way = give_way
        self._listener: Listener | None = None
        self._reconciler: Reconciler | None = None
        self._hooks: Hooks | None = None
        self._stopped = False
        self._queue_depth: QueueDepth | None = None
        phase = Phase.STARTING if profile.problem is None else Phase.STOPPED
        self._before = ListenerState(phase=phase, since=now(), trouble=profile.problem)

    def start(self) -> None:
        """Not before the first paint: most of it is imported here. Nothing where it was stopped already."""
        if self._stopped:
            return
        self._start_hooks()
        self._start_listening()
        self._start_asking()
        self._start_counting()

    def stop(self) -> None:
        """Ends all of it, at once but for what is half done; see Listener.stop."""
        self._stopped = True
        for part in (self._queue_depth, self._reconciler, self._listener, self._hooks):
            if part is not None:
                part.stop()

    def _start_hooks(self) -> None:
        if not self.profile.settings.hooks:
            return
        from imm_tui.hooks import Hooks

        self._hooks = Hooks(
            self.profile.settings.hooks,
            self.profile.history_path,
            on_trouble=self._on_hook_trouble,
        )
        self._hooks.start()

    def _start_listening(self) -> None:
        profile = self.profile
        if profile.credentials is None or profile.problem is not None:
            return
        self._listener = Listener(
            profile.settings,
            profile.credentials,
            profile.history_path,
            on_batch=lambda batch: self._came(),
            on_state=lambda state: self._wake(),
            give_way=self._give_way,
        )
        self._listener.start()

    def _start_asking(self) -> None:
        profile = self.profile
        if profile.credentials is None or not profile.can_ask:
            return
        from imm_tui.reconciler import OVERDUE_AFTER, Reconciler

        self._reconciler = Reconciler(
            profile.settings,
            profile.credentials,
            profile.history_path,
            overdue_after=OVERDUE_AFTER if self._overdue_after is None else self._overdue_after,
            on_change=self.news,
        )
        self._reconciler.start()

    def _start_counting(self) -> None:
        profile = self.profile
        if profile.credentials is None or not profile.can_listen:
            return
        from imm_tui.queue_depth import QueueDepth

        self._queue_depth = QueueDepth(profile.settings, profile.credentials, on_change=self._wake)
        self._queue_depth.start()

    def _came(self) -> None:
        if self._queue_depth is not None:
            self._queue_depth.ask_soon()
        self.news()

    def news(self) -> None:
        """This process has written to the history. From any thread."""
        if self._hooks is not None:
            self._hooks.wake()
        self._wake()

    @property
    def listening(self) -> ListenerState:
        """What the listener is doing."""
        return self._before if self._listener is None else self._listener.state

    @property
    def asking_trouble(self) -> Trouble | None:
        """Why IMM cannot be asked about overdue tasks."""
        return self._reconciler.trouble if self._reconciler is not None else None

    @property
    def depth(self) -> tuple[Depth | None, Trouble | None] | None:
        """How many messages are on the queue, or why that is not known; None while nobody counts them."""
        return (self._queue_depth.depth, self._queue_depth.trouble) if self._queue_depth is not None else None

    def reconnect(self) -> None:
        """Tries again now what the listener waits with, a pause too; where it has ended, starts another."""
        if self._listener is None:
            self._start_listening()
        else:
            self._listener.resume()

    def pause(self) -> None:
        """Receives nothing until `reconnect`."""
        if self._listener is not None:
            self._listener.pause()

    def ask(self, task: Task) -> bool:
        """Asks IMM about a task now: the history will tell. False where it is not of this project and API version."""
        if self._reconciler is None:
            self._start_asking()
        return self._reconciler is not None and self._reconciler.ask(task)

    def has(self, thread: threading.Thread | None) -> bool:
        """Whether it is the listener's or the reconciler's of this session."""
        return thread in [part.thread for part in (self._listener, self._reconciler) if part is not None]

    def listener_failed(self, trouble: Trouble) -> None:
        """Its thread has ended by a mistake; `reconnect` starts another."""
        self._listener = None
        self._before = ListenerState(phase=Phase.STOPPED, since=now(), trouble=trouble)

    def reconciler_failed(self) -> None:
        """Its thread has ended by a mistake; `ask` starts another."""
        self._reconciler = None
