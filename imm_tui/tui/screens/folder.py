"""Asks for the folder that something is written to."""

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
from imm_tui.tui.widgets.field import LineInput


class FolderScreen(Localized[str | None], ModalScreen[str | None], inherit_bindings=False):
    """It ends with what was typed, or None."""

    AUTO_FOCUS = "#folder"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", N_("close"), id="folder.close", tooltip=N_("Write nothing")),
        Binding("tab", "app.focus_next", N_("switch"), id="folder.next", tooltip=N_("To the next part"), show=False),
        Binding(
            "shift+tab", "app.focus_previous", N_("Back"), id="folder.back", tooltip=N_("The part before"), show=False
        ),
    ]

    def __init__(self, folder: str) -> None:
        super().__init__(classes="dialog")
        self._folder = folder

    def compose(self) -> ComposeResult:
        with VerticalGroup(id="dialog") as dialog:
            dialog.border_title = _("Export the message")
            yield Static(_("Its bytes, exactly as delivered, to a new file of yours only."), markup=False)
            with HorizontalGroup(classes="field"):
                yield Label(_("Folder"))
                yield LineInput(
                    self._folder, placeholder=_("a folder; it is made if need be"), compact=True, id="folder"
                )
            with HorizontalGroup(id="buttons"):
                yield Button(_("Export"), variant="primary", compact=True, id="export")
                yield Button(_("Close"), compact=True, id="close")
        yield Footer(show_command_palette=False)

    @on(Input.Submitted)
    @on(Button.Pressed, "#export")
    def _export(self) -> None:
        if folder := self.query_one(LineInput).value.strip():
            self.dismiss(folder)

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)
