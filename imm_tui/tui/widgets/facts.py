"""Facts, each with its label, in two columns that line up in any language."""

from __future__ import annotations

from collections.abc import Sequence

from textual.containers import ItemGrid
from textual.content import Content
from textual.widgets import Static


class Facts(ItemGrid):
    """The labels in a column as wide as the widest of them, the values wrapped beside them."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[tuple[str, str]] = []
        self._pairs: list[tuple[Static, Static]] = []

    def show(self, facts: Sequence[tuple[str, str]]) -> None:
        """Shows these as they are: clean them first. What has not changed is not drawn again."""
        for number in range(max(len(facts), len(self._shown))):
            fact = facts[number] if number < len(facts) else None
            if fact != (self._shown[number] if number < len(self._shown) else None):
                self._put(number, fact)
        self._shown = list(facts)

    def _put(self, number: int, fact: tuple[str, str] | None) -> None:
        if number == len(self._pairs):
            pair = Static(classes="label", markup=False), Static(classes="value", markup=False)
            self._pairs.append(pair)
            self.mount(*pair)
        for widget, words in zip(self._pairs[number], fact or ("", ""), strict=True):
            widget.display = fact is not None
            widget.update(Content(words))
