"""Asks before something is done."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalGroup, VerticalGroup
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Footer, Static

from imm_tui.i18n import N_
from imm_tui.tui.localized import Localized


class ConfirmScreen(Localized[bool], ModalScreen[bool], inherit_bindings=False):
    """It ends with true only when that was chosen; "no" is marked at first."""

    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", N_("yes"), id="confirm.yes", tooltip=N_("Do it")),
        Binding("n,escape", "answer(False)", N_("no"), id="confirm.no", tooltip=N_("Leave everything as it is")),
        Binding(
            "tab,right", "app.focus_next", N_("switch"), id="confirm.next", tooltip=N_("The other answer"), show=False
        ),
        Binding("shift+tab,left", "app.focus_previous", N_("Back"), id="confirm.back", tooltip=N_("Back"), show=False),
    ]

    def __init__(self, question: str, words: str, yes: str, no: str, *, grave: bool = True) -> None:
        """`words` may quote what came from outside, cleaned. `grave`: it cannot be taken back."""
        super().__init__(classes="dialog")
        self._question = question
        self._words = words
        self._answers = (yes, no)
        self._grave = grave

    def compose(self) -> ComposeResult:
        yes, no = self._answers
        with VerticalGroup(id="dialog") as dialog:
            dialog.border_title = Content(self._question)
            yield Static(self._words, markup=False)
            with HorizontalGroup(id="buttons"):
                yield Button(no, compact=True, id="no")
                yield Button(yes, variant="error" if self._grave else "primary", compact=True, id="yes")
        yield Footer(show_command_palette=False)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)
