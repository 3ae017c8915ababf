"""The two ways to look at a task's events, as a line to be clicked."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import HorizontalGroup
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static


class EventTabs(HorizontalGroup):
    """`Raw event`, as it came, and `Formatted`, for reading."""

    ALLOW_SELECT: ClassVar[bool] = False

    formatted: reactive[bool] = reactive(False)

    class Switched(Message):
        """The other way was chosen."""

    def compose(self) -> ComposeResult:
        yield Static("Raw event", id="raw")
        yield Static("Formatted", id="formatted")

    def on_mount(self) -> None:
        self.watch(self, "formatted", self._mark)

    def _mark(self, formatted: bool) -> None:
        self.query_one("#raw").set_class(not formatted, "chosen")
        self.query_one("#formatted").set_class(formatted, "chosen")

    def on_click(self, event: events.Click) -> None:
        if event.widget is not None and event.widget.id in ("raw", "formatted"):
            self.switch(event.widget.id == "formatted")

    def switch(self, formatted: bool) -> None:
        if formatted != self.formatted:
            self.formatted = formatted
            self.post_message(self.Switched())
