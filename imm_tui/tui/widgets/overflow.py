"""Room for text that may turn out longer than it."""

from __future__ import annotations

from textual.containers import VerticalScroll


class Overflow(VerticalScroll):
    """Tab stops at it only where the keys have something to scroll."""

    def allow_focus(self) -> bool:
        return self.max_scroll_y > 0
