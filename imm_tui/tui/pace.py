"""How often something is drawn that changes all the time, and that nobody reads faster."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.message_pump import MessagePump

CALM = 0.25
"""Seconds between two numbers in the same place: faster ones are not read, and each costs a frame."""


class Pace:
    """Calls `act` at once, and from then on at most every so many seconds, as long as it is asked to.

    It is for the thread of `owner`, with which it ends.
    """

    def __init__(self, owner: MessagePump, act: Callable[[], None], seconds: float = CALM) -> None:
        self._owner = owner
        self._act = act
        self._seconds = seconds
        self._waiting = False
        self._acted_at = 0.0

    def __call__(self) -> None:
        """What is asked for while it waits is done together."""
        if self._waiting:
            return
        # On the same beat as all others of this pace: what changes together is drawn in one frame.
        wait = (self._acted_at // self._seconds + 1) * self._seconds - time.monotonic()
        if wait > 0:
            self._waiting = True
            self._owner.set_timer(wait, self._go)
        else:
            self._go()

    def _go(self) -> None:
        self._waiting, self._acted_at = False, time.monotonic()
        self._act()
