"""`imm-tui watch`: the listener without a screen, one line an event."""

from __future__ import annotations

import math
import threading
import time
from itertools import groupby
from pathlib import Path

from imm_tui.arrivals import Delivery
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.exits import Exit, code_of
from imm_tui.headless.output import Narrator, delivery_line, put
from imm_tui.history import History
from imm_tui.hooks import Hooks
from imm_tui.i18n import _, ngettext
from imm_tui.listener import LONG_POLL, Listener, ListenerState, Phase
from imm_tui.text import say

_FOR_A_KEY = 30.0
"""Seconds on end without a key that the service accepts, after which a run that could get another gives up."""

_LOOK = 0.1
"""Seconds between two looks at whether another process has written to the history."""


def watch(
    settings: Settings,
    credentials: Keys,
    history_path: Path,
    *,
    count: int | None = None,
    idle_exit: float | None = None,
    as_json: bool = False,
) -> Exit:
    """Prints each event as soon as it is stored, whichever imm-tui received it, and each message quarantined; the
    hooks of the settings are told of what ends.

    Ends after `count` events, and nothing is received after the batch that held the last of them; or after `idle_exit`
    seconds in which the service said that the queue is empty (where another process listens: in which nothing came;
    where it only peeks, as for a read-only profile: in which nothing new was seen); or when the listener cannot go on,
    for which a refused key has 30 seconds to be replaced.
    """
    if settings.read_only:
        say(_("Read-only: nothing is received. Only the first 16 messages of the queue can be seen."))
    with History(history_path) as history:
        return _Watch(history, settings, credentials, count, idle_exit, as_json).run()


class _Watch:
    """One run of the command. The listener's thread waits until its news is printed before it receives more."""

    def __init__(
        self,
        history: History,
        settings: Settings,
        credentials: Keys,
        count: int | None,
        idle_exit: float | None,
        as_json: bool,
    ) -> None:
        self._history = history
        self._count = count
        self._idle_exit = idle_exit
        self._as_json = as_json
        self._printed = history.last_delivery()
        self._events = 0
        self._last_news = time.monotonic()
        self._keyless_since: float | None = None
        self._over = False
        self._news = threading.Event()
        self._heard = threading.Event()
        self._listener = Listener(
            settings,
            credentials,
            history.path,
            wait=LONG_POLL if idle_exit is None else _poll_within(idle_exit),
            ahead=count is None,
            on_batch=lambda batch: self._hand_over(),
            on_state=lambda state: self._hand_over(),
        )
        self._hooks = Hooks(settings.hooks, history.path, on_trouble=say)

    def run(self) -> Exit:
        narrator = Narrator()
        version: int | None = None
        self._hooks.start()
        self._listener.start()
        try:
            while not self._over:
                news = self._news.wait(_LOOK)
                if news:
                    self._news.clear()
                if (now := self._history.data_version()) != version:
                    version = now
                    self._hooks.wake()
                    self._print(self._history.deliveries(self._printed))
                state = self._listener.state
                narrator.follow(state)
                if state.phase in (Phase.LISTENING, Phase.PEEKING):
                    self._keyless_since = None
                if state.phase is Phase.STOPPED and state.trouble is not None and not self._may_get_key(state):
                    self._finish()
                    return code_of(state.trouble)
                self._over = self._over or self._is_idle(state)
                if news and not self._over:
                    self._heard.set()
            self._finish()
            return Exit.SUCCEEDED
        finally:
            self._end_listening()
            self._hooks.stop()

    def _end_listening(self) -> None:
        self._over = True
        self._heard.set()
        self._listener.stop()

    def _finish(self) -> None:
        """Where nobody interrupts it, a run ends when every hook has."""
        self._end_listening()
        self._hooks.finish()

    def _hand_over(self) -> None:
        """In the listener's thread: has its news printed, and ends it where that was all."""
        self._heard.clear()
        self._news.set()
        if not self._over:
            self._heard.wait()
        if self._over:
            self._listener.stop()

    def _print(self, deliveries: list[Delivery]) -> None:
        """Prints batch by batch (what was stored together has one time), until there are enough events."""
        for _received_at, batch in groupby(deliveries, key=lambda delivery: delivery.received_at):
            for delivery in batch:
                put(delivery_line(delivery, as_json=self._as_json))
                self._printed = delivery.id
                self._events += delivery.event is not None
            self._last_news = time.monotonic()
            if self._count is not None and self._events >= self._count:
                self._over = True
                return

    def _may_get_key(self, state: ListenerState) -> bool:
        if not state.awaits_key:
            return False
        if self._keyless_since is None:
            self._keyless_since = time.monotonic()
            words = ngettext(
                "Waiting up to {count} s for another key.",
                "Waiting up to {count} s for another key.",
                round(_FOR_A_KEY),
            )
            say(words.format(count=round(_FOR_A_KEY)))
        return time.monotonic() - self._keyless_since < _FOR_A_KEY

    def _is_idle(self, state: ListenerState) -> bool:
        if state.phase is not Phase.WATCHING:
            self._last_news = time.monotonic()
        if self._idle_exit is None:
            return False
        if state.phase in (Phase.LISTENING, Phase.PEEKING):
            return 0 < state.empty_for >= self._idle_exit
        return state.phase is Phase.WATCHING and time.monotonic() - self._last_news >= self._idle_exit


def _poll_within(idle_exit: float) -> int:
    """The longest poll, in whole seconds, such that one ends when the queue has been empty for long enough."""
    polls = max(1, math.ceil(idle_exit / LONG_POLL))
    return max(1, math.ceil(idle_exit / polls))
