"""The screen before a queue that is drained: only one thread of Python's is at work at a time, and thousands of events
a second would leave a key little of it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from textual.app import App

from imm_tui.tui import process

_HEARS = 0.0001
"""Seconds for which another thread may keep the screen's waiting while nothing is drawn: a key goes from thread to
thread, and from widget to widget, until it is answered."""

_DRAWS = 0.02
"""Seconds for which no other thread interrupts what is drawn: longer than that takes."""

_KEY_AFTER_KEY = 0.25
"""Seconds after a key within which the next one is to be expected."""

_HOPS = 3
"""How often there may be nothing to draw before there is: a key that the focused widget leaves alone goes up to the
app first, from one widget to the next, and only then changes anything."""

_GIVES_WAY = 0.05
"""Seconds for which who drains a queue waits at most."""


class RightOfWay:
    """That of `app`, for whose thread it is, but for `wait`."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._free = threading.Event()
        self._free.set()
        self._pressed_at = -_KEY_AFTER_KEY
        self._takers = 0
        self.alone = False
        """Whether nothing else is in the process: how its threads take turns, and when garbage is looked for, is then
        for us to say."""

    @property
    def is_pressed(self) -> bool:
        """Whether a person is at the keys."""
        return time.monotonic() < self._pressed_at + _KEY_AFTER_KEY

    def press(self) -> None:
        """A key, or one of the mouse's, is to be answered."""
        self._pressed_at = time.monotonic()
        self.take()

    def take(self) -> None:
        """Until what is changed now is drawn."""
        self._take()
        self._takers += 1
        self._draw(_HOPS, self._takers)

    def _draw(self, times: int, taker: int) -> None:
        if taker != self._takers:
            return  # another has it by now
        if times:
            self._app.call_after_refresh(self._draw, times - 1, taker)
        else:
            self._give_back()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """As long as this lasts, if not longer."""
        free = self._free.is_set()
        self._take()
        try:
            yield
        finally:
            if free:
                self._give_back()

    def wait(self) -> None:
        """In another thread: until it is given back."""
        self._free.wait(_GIVES_WAY)

    def end(self) -> None:
        """Nothing is drawn any more."""
        self._free.set()

    def _take(self) -> None:
        self._free.clear()
        if self.alone:
            sys.setswitchinterval(_DRAWS)

    def _give_back(self) -> None:
        self._free.set()
        if self.alone:
            sys.setswitchinterval(_HEARS)
            if not self.is_pressed:
                process.look_for_garbage()
