"""A line of words of which one is chosen, to be clicked: the tabs of a detail, the forms of a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import HorizontalGroup
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static


class ChoiceLine(HorizontalGroup):
    """The words side by side; the chosen one is marked."""

    ALLOW_SELECT: ClassVar[bool] = False

    chosen: reactive[int] = reactive(0)
    """The place of the chosen word, from 0."""

    class Switched(Message):
        """Another word was chosen."""

        def __init__(self, line: ChoiceLine) -> None:
            super().__init__()
            self.line = line

        @property
        def control(self) -> ChoiceLine:
            return self.line

    class Repeated(Switched):
        """The chosen word was clicked once more."""

    def __init__(self, words: Sequence[str], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._words = words

    def compose(self) -> ComposeResult:
        for number, word in enumerate(self._words):
            yield Static(word, markup=False, classes="chosen" if number == self.chosen else "")

    def step(self, by: int) -> None:
        """Chooses the word that many places on, round and round."""
        self.chosen = (self.chosen + by) % len(self._words)

    def watch_chosen(self, chosen: int) -> None:
        for number, word in enumerate(self.children):
            word.set_class(number == chosen, "chosen")
        if self.is_mounted:
            self.post_message(self.Switched(self))

    def on_click(self, event: events.Click) -> None:
        for number, word in enumerate(self.children):
            if word is event.widget and number == self.chosen:
                self.post_message(self.Repeated(self))
            elif word is event.widget:
                self.chosen = number
