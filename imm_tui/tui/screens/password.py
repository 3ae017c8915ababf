"""Asks for the password of documents that are submitted once more: none is ever kept."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalGroup, VerticalGroup
from textual.screen import ModalScreen
from textual.widgets import Button, Footer, Input, Label, Static

from imm_tui.i18n import N_, _
from imm_tui.tui.localized import Localized


class PasswordScreen(Localized[str | None], ModalScreen[str | None], inherit_bindings=False):
    """It ends with what was typed, or None."""

    AUTO_FOCUS = "#password"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", N_("close"), id="password.close", tooltip=N_("Submit nothing")),
        Binding("tab", "app.focus_next", N_("switch"), id="password.next", tooltip=N_("To the next part"), show=False),
        Binding(
            "shift+tab", "app.focus_previous", N_("Back"), id="password.back", tooltip=N_("The part before"), show=False
        ),
    ]

    def __init__(self, words: str) -> None:
        """`words` says of which documents, cleaned."""
        super().__init__(classes="dialog")
        self._words = words

    def compose(self) -> ComposeResult:
        with VerticalGroup(id="dialog") as dialog:
            dialog.border_title = _("The password")
            yield Static(self._words, markup=False)
            with HorizontalGroup(classes="field"):
                yield Label(_("Password"))
                yield Input(password=True, compact=True, id="password")
            with HorizontalGroup(id="buttons"):
                yield Button(_("Submit"), variant="primary", compact=True, id="submit")
                yield Button(_("Close"), compact=True, id="close")
        yield Footer(show_command_palette=False)

    @on(Input.Submitted)
    @on(Button.Pressed, "#submit")
    def _submit(self) -> None:
        if password := self.query_one(Input).value:
            self.dismiss(password)

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)
