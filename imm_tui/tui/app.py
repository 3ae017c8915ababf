"""ImmApp: which screen is shown, the listener and the reconciler behind it, and the way in and out."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import events
from textual.app import App, SystemCommand
from textual.screen import Screen

from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.errors import Trouble, mistake
from imm_tui.exits import END_SIGNALS, Exit, end_at_last
from imm_tui.history import History
from imm_tui.listener import Listener, ListenerState, Phase
from imm_tui.tasks import now
from imm_tui.text import block, line
from imm_tui.tui import theme
from imm_tui.tui.screens.dashboard import Dashboard
from imm_tui.tui.styles import stylesheet

if TYPE_CHECKING:
    from imm_tui.reconciler import Reconciler
    from imm_tui.submission import Outcome
    from imm_tui.tasks import Conversion, Task
    from imm_tui.tui.screens.submit import Draft

_FRAME = 1 / 30
"""Seconds between two readings of the history, however often it changes."""


_NOTHING_LOST = "Nothing that was received is lost."

_THREADS = {"listener": "The listener", "reconciler": "Asking IMM", "first reading": "Reading the history"}
"""What a person calls the threads that work for the screen, by the names that they have here."""

_TOLD_FOR = 20.0

_TWICE = 2.0
"""Seconds within which a second Ctrl-C ends the dashboard."""


@contextmanager
def _modes_kept() -> Iterator[None]:
    """Textual takes the modes that it finds after a SIGCONT for those of before, and these may be its own."""
    try:
        import termios
    except ImportError:  # not a POSIX system
        yield
        return
    try:
        modes = termios.tcgetattr(sys.stdin)
    except (OSError, ValueError, termios.error):  # no terminal
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError, ValueError, termios.error):
            if os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp():  # else they are another's to set
                termios.tcsetattr(sys.stdin, termios.TCSANOW, modes)


class ImmApp(App[str | None]):
    """The program on the screen. Where `problem` says why nothing can be done yet, it only shows the history.

    `overdue_after` is the seconds after which IMM is asked about a task whose event has not come (None: as long as the
    reconciler finds right). `scenario` is the name of what goes wrong in the demo's emulator.

    It returns "demo" when the demo was chosen instead. Its `return_code` is 0, 1 after an error of its own, or 128 and
    the number of the signal that ended it, for which Ctrl-C twice counts as SIGINT.
    """

    TITLE = "imm-tui"
    CSS = stylesheet()

    def __init__(
        self,
        settings: Settings,
        history_path: Path,
        credentials: Credentials | None,
        *,
        problem: Trouble | None = None,
        demo: bool = False,
        overdue_after: float | None = None,
        scenario: str = "",
    ) -> None:
        super().__init__()
        self.settings = settings
        self.history_path = history_path
        self.credentials = credentials
        self.problem = problem
        self.demo = demo
        self.scenario = scenario
        self.draft: Draft | None = None
        """What the last form held when it was closed."""
        self._overdue_after = overdue_after
        self._listener: Listener | None = None
        self._reconciler: Reconciler | None = None
        self._owns_signals = False
        self._woken = False
        self._drained_at = 0.0
        self._interrupted_at = -_TWICE
        for own in (theme.DARK, theme.LIGHT):
            self.register_theme(own)
        self.theme = theme.DARK.name

    def run(self, **options: Any) -> str | None:
        """Runs to the end, which a signal can ask for as well; call it in the main thread."""
        before = {number: signal.getsignal(number) for number in END_SIGNALS}
        hook_before, threading.excepthook = threading.excepthook, self.thread_failed
        self._owns_signals = True
        try:
            with _modes_kept():
                return super().run(**options)
        finally:
            threading.excepthook = hook_before
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end(self, loop: asyncio.AbstractEventLoop, number: int, _frame: object) -> None:
        # Called by Python, not by the loop, which may be waiting for a terminal that nobody reads.
        end_at_last(128 + number)
        loop.call_soon_threadsafe(partial(self.exit, return_code=128 + number))

    def get_default_screen(self) -> Screen[None]:
        phase = Phase.STARTING if self.problem is None else Phase.STOPPED
        state = ListenerState(phase=phase, since=now(), trouble=self.problem)
        self.dashboard = Dashboard(self.settings, self.history_path, state, demo=self.demo, scenario=self.scenario)
        return self.dashboard

    def on_load(self) -> None:
        # Before the terminal is switched over: a signal that ends the process in the midst of that would leave it so.
        if self._owns_signals:
            end = partial(self._end, asyncio.get_running_loop())
            for number in END_SIGNALS:
                signal.signal(number, end)

    def on_mount(self) -> None:
        if self.problem is not None:
            self._welcome()
        else:
            self.call_after_refresh(self._start_listening)
            self.call_after_refresh(self._start_asking)

    def on_event(self, event: events.Event) -> Coroutine[Any, Any, None]:
        if isinstance(event, events.Paste):
            # Not every field is one of ours: the palette's would hand control characters on to the terminal.
            event.text = block(event.text.replace("\r\n", "\n").replace("\r", "\n"))
        return super().on_event(event)  # not awaited here: this place would be in every traceback

    def on_unmount(self) -> None:
        if self._reconciler is not None:
            self._reconciler.stop()
        if self._listener is not None:
            self._listener.stop()

    # The listener and the reconciler

    def _start_listening(self) -> None:
        if self.credentials is None:
            return
        self._listener = Listener(
            self.settings,
            self.credentials,
            self.history_path,
            on_batch=lambda batch: self.wake(),
            on_state=lambda state: self.wake(),
        )
        self._listener.start()

    def _start_asking(self) -> None:
        if not self.can_ask:
            return
        from imm_tui.reconciler import OVERDUE_AFTER, Reconciler  # not before the first paint

        overdue_after = OVERDUE_AFTER if self._overdue_after is None else self._overdue_after
        assert self.credentials is not None
        self._reconciler = Reconciler(
            self.settings, self.credentials, self.history_path, overdue_after=overdue_after, on_change=self.wake
        )
        self._reconciler.start()

    @property
    def can_reach_queue(self) -> bool:
        """Whether there is what it takes to call the queue."""
        return self.credentials is not None and self.problem is None and not self.settings.missing_to_listen()

    @property
    def can_ask(self) -> bool:
        """Whether there is what it takes to ask IMM about a task."""
        return self.credentials is not None and self.problem is None and not self.settings.missing_to_submit()

    def ask(self, task: Task) -> bool:
        """Asks IMM about a task now: the history will tell. False where it is not of this project and API version."""
        if self._reconciler is None:
            self._start_asking()
        return self._reconciler is not None and self._reconciler.ask(task)

    def wake(self) -> None:
        """Something has changed: may be called from any thread, as often as it likes."""
        if not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # the loop has ended, nobody looks any more
                self.call_later(self._drain_soon)

    def _drain_soon(self) -> None:
        wait = self._drained_at + _FRAME - time.monotonic()
        if wait > 0:
            self.set_timer(wait, self._drain)
        else:
            self._drain()

    def _drain(self) -> None:
        if not self.is_running:
            return  # the screen is being taken down
        self._woken = False
        self._drained_at = time.monotonic()
        if self._listener is not None:
            self.dashboard.show_listener(self._listener.state)
        if self._reconciler is not None:
            self.dashboard.asking_failed(self._reconciler.trouble)
        self.dashboard.read()

    # Submissions

    def submit(self, conversions: Sequence[Conversion], done: Callable[[list[Outcome] | Trouble], None]) -> None:
        """Submits in a thread of its own, and selects the first task that was accepted.

        `done` is called on the app's thread, with what became of each conversion, or why nothing was sent.
        """
        threading.Thread(target=self._submit, args=(conversions, done), name="submission", daemon=True).start()

    def _submit(self, conversions: Sequence[Conversion], done: Callable[[list[Outcome] | Trouble], None]) -> None:
        result = self._outcomes(conversions)
        with suppress(RuntimeError):  # the app has ended meanwhile; the history knows the outcomes
            self.call_later(self._submitted, result, done)

    def _outcomes(self, conversions: Sequence[Conversion]) -> list[Outcome] | Trouble:
        from imm_tui import submission  # not before the first paint

        assert self.credentials is not None
        outcomes = []
        try:
            imm = submission.connect(self.settings, self.credentials)
            with closing(imm), History(self.history_path) as history:
                for outcome in submission.submit(history, imm, self.settings, conversions):
                    outcomes.append(outcome)
                    self.wake()
        except Trouble as trouble:
            return trouble
        except Exception as error:  # a form that waits for ever would be worse than any sentence
            return mistake(error, "The submission", "The list has what was sent.")
        return outcomes

    def _submitted(self, result: list[Outcome] | Trouble, done: Callable[[list[Outcome] | Trouble], None]) -> None:
        if not isinstance(result, Trouble):
            accepted = [outcome.task.id for outcome in result if outcome.trouble is None]
            if accepted:
                self.dashboard.select(accepted[0])
        done(result)

    # Screens and keys

    def _welcome(self) -> None:
        from imm_tui.tui.screens.welcome import WelcomeScreen

        assert self.problem is not None
        self.push_screen(WelcomeScreen(self.settings, self.problem))

    def action_new_submission(self) -> None:
        """The submission form; where nothing can be submitted, what is missing for it."""
        if self.problem is not None:
            self._welcome()
            return
        from imm_tui.tui.screens.submit import SubmitScreen

        self.push_screen(SubmitScreen(self.settings))

    def action_help(self) -> None:
        """What every key does."""
        from imm_tui.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.screen))

    def action_help_quit(self) -> None:
        """Ctrl-C where there is nothing to copy. On the dashboard the second ends it; no form is lost that way."""
        if self.screen is not self.dashboard:
            super().action_help_quit()
            return
        at = time.monotonic()
        if at - self._interrupted_at < _TWICE:
            self.exit(return_code=Exit.INTERRUPTED)
            return
        self._interrupted_at = at
        self.notify("Once more Ctrl-C ends imm-tui, and so does q.", title="Leave?", timeout=_TWICE, markup=False)

    def action_reconnect(self) -> None:
        """Tries again now what the listener waits with; where it has ended, starts another."""
        if self._listener is None:
            self._start_listening()
        else:
            self._listener.resume()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "reconnect":
            waits = self.dashboard.listener.phase in (Phase.STOPPED, Phase.RECONNECTING)
            return waits and self.problem is None
        return super().check_action(action, parameters)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What Textual offers, and every key of the screen that has a name."""
        own = {active.binding.action: active for active in screen.active_bindings.values() if active.binding.id}
        for action, (node, binding, enabled, tooltip) in own.items():
            if enabled and binding.show:
                key = f"The key {self.get_key_display(binding)}"
                yield SystemCommand(tooltip, key, partial(self.run_action, action, node))
        # Of Textual's own those that we have better words for are left out.
        yield from (it for it in super().get_system_commands(screen) if it.title not in ("Quit", "Keys"))

    # Errors that nobody caught

    def thread_failed(self, failed: threading.ExceptHookArgs) -> None:
        """`threading.excepthook` while the app runs: a thread that has ended must not seem to be at work."""
        name = failed.thread.name if failed.thread is not None else ""
        if name == "textual-output":  # the terminal is gone, and everything else would wait for this thread for ever
            signal.raise_signal(END_SIGNALS[-1])
            return
        trouble = mistake(failed.exc_value, _THREADS.get(name, f"The thread {name}"), _NOTHING_LOST)
        with suppress(RuntimeError):  # the app has ended meanwhile
            self.call_later(self._tell_failed, name, trouble)

    def _tell_failed(self, name: str, trouble: Trouble) -> None:
        match name:
            case "listener":
                self._listener = None
                self.dashboard.show_listener(ListenerState(phase=Phase.STOPPED, since=now(), trouble=trouble))
            case "reconciler":
                self._reconciler = None  # asking once more starts another
                self.dashboard.asking_failed(trouble)
                self._toast(trouble)
            case "first reading":
                self.dashboard.reading_failed(trouble)
            case _:
                self._toast(trouble)

    def _toast(self, trouble: Trouble) -> None:
        self.notify(line(trouble), title="A mistake", severity="error", timeout=_TOLD_FOR, markup=False)

    async def _shutdown(self) -> None:
        """Also when something fails on the way out, what gives the terminal back is written before this returns."""
        try:
            await super()._shutdown()
        finally:
            if self._driver is not None:
                self._driver.close()

    def _fatal_error(self) -> None:
        """Textual would print a traceback with the values of variables; a person gets a sentence, and no secret."""
        error = sys.exc_info()[1] or self._exception
        told = error if isinstance(error, Trouble) else mistake(error, then=f"{_NOTHING_LOST} Start it again.")
        self.panic(Text(block(str(told))))
