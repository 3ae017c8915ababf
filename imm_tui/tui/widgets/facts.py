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
        self._pairs: list[tuple[Static, Static]] = []

    def show(self, facts: Sequence[tuple[str, str]]) -> None:
        """Shows these; they are shown as they are: clean them first."""
        missing = len(facts) - len(self._pairs)
        fresh = [(Static(classes="label", markup=False), Static(classes="value", markup=False)) for _ in range(missing)]
        self._pairs += fresh
        for number, (label, value) in enumerate(self._pairs):
            label.display = value.display = number < len(facts)
            if number < len(facts):
                label.update(Content(facts[number][0]))
                value.update(Content(facts[number][1]))
        if fresh:
            self.mount(*(part for pair in fresh for part in pair))
