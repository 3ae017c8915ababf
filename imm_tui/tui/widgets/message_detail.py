"""One quarantined message in full: why it could not be read, what became of it, and its bytes."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from imm_tui.history import Quarantined
from imm_tui.tasks import now
from imm_tui.text import line
from imm_tui.tui import view
from imm_tui.tui.theme import QUIET
from imm_tui.tui.widgets.detail import Detail
from imm_tui.tui.widgets.json_view import Body, JsonView


class MessageDetail(Detail):
    """The reason first, then what became of it, then the bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Message"
        self._shown: Quarantined | None = None
        self._formatted = True

    def compose(self) -> ComposeResult:
        yield Static(id="message-facts")
        yield JsonView()

    def show(self, message: Quarantined | None) -> None:
        """Shows a message; None where none is selected."""
        before, self._shown = self._shown, message
        if message is None or before is None or message.id != before.id:
            self.scroll_home(animate=False)
        self.tick()
        if message is None or before is None or message.body != before.body:
            self._show_body()

    def tick(self) -> None:
        """A second has passed: what is hidden is so for a second less."""
        self.query_one("#message-facts", Static).update(self._facts())

    def _facts(self) -> Content:
        message = self._shown
        if message is None:
            return Content.styled("Select a message to see what is in it.", QUIET)
        facts = view.message_facts(message, now())
        rows = [Content.assemble((f"{label:11}", QUIET), words) for label, words in facts]
        return Content("\n").join([Content.styled(line(message.reason), "bold"), Content(""), *rows])

    def _show_body(self) -> None:
        self.query_one(JsonView).show(list(self._bodies()) if self._shown is not None else [])

    def _bodies(self) -> Iterator[Body]:
        assert self._shown is not None
        body = self._shown.body
        pretty = view.formatted(body) if self._formatted else None
        yield Body("As it came" if pretty is None else "Formatted", view.raw(body) if pretty is None else pretty)
        if not view.is_text(body):
            yield Body("It is no plain text. Its bytes:", view.hexadecimal(body), plain=True)

    def switch_view(self) -> None:
        """The message as it came, or formatted where it is JSON."""
        self._formatted = not self._formatted
        self._show_body()
