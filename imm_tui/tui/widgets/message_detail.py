"""One quarantined message in full: why it could not be read, what became of it, and its bytes."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from imm_tui.history import Quarantined
from imm_tui.i18n import _
from imm_tui.tasks import now
from imm_tui.text import line
from imm_tui.tui import message_words
from imm_tui.tui.widgets.detail import Detail
from imm_tui.tui.widgets.facts import Facts
from imm_tui.tui.widgets.json_view import Body, JsonView


class MessageDetail(Detail):
    """The reason first, then what became of it, then the bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = Content(_("Message"))
        self._shown: Quarantined | None = None
        self._formatted = True

    def compose(self) -> ComposeResult:
        yield Static(id="reason", markup=False)
        yield Facts()
        yield JsonView()

    @property
    def inside(self) -> JsonView:
        return self.query_one(JsonView)

    def show(self, message: Quarantined | None) -> None:
        """Shows a message; None where none is selected."""
        before, self._shown = self._shown, message
        words = _("Select a message to see what is in it.") if message is None else line(_(message.reason))
        reason = self.query_one("#reason", Static)
        reason.set_class(message is None, "empty")
        reason.update(Content(words))
        self.tick()
        if message is None or before is None or message.body != before.body:
            self._show_body()

    def tick(self) -> None:
        """A second has passed: what is hidden is so for a second less."""
        message = self._shown
        self.query_one(Facts).show(list(message_words.facts(message, now())) if message is not None else [])

    def _show_body(self) -> None:
        self.query_one(JsonView).show(list(self._bodies()) if self._shown is not None else [])

    def _bodies(self) -> Iterator[Body]:
        assert self._shown is not None
        body = self._shown.body
        yield Body(_("The message"), body.decode("utf-8", "replace"), formatted=self._formatted)
        if not message_words.is_text(body):
            yield Body(_("It is no plain text. Its bytes:"), message_words.hexadecimal(body), plain=True)

    def switch_view(self) -> None:
        """The message as it came, or formatted where it is JSON."""
        self._formatted = not self._formatted
        self._show_body()
