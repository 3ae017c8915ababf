"""The one time of the emulated cloud: the machine's, until it is frozen or moved on."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Dates messages, tasks and whatever is due, a temporary key's end too. Requests and their signatures stay in the
    machine's own time."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._frozen_at: float | None = None

    @property
    def frozen(self) -> bool:
        return self._frozen_at is not None

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._ahead if self._frozen_at is None else self._frozen_at

    def date(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)

    def until(self, moment: float) -> float | None:
        """Seconds to wait for a moment, 0 when it is past; None while the clock stands still before it."""
        left = moment - self.now()
        if left <= 0:
            return 0.0
        return None if self.frozen else left

    def move(self, moment: float, *, frozen: bool) -> None:
        """Go on from `moment`, or stand still there."""
        self._frozen_at = moment if frozen else None
        self._ahead = moment - time.time()

    def reset(self) -> None:
        self._ahead, self._frozen_at = 0.0, None
