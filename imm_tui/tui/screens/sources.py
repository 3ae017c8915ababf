"""Asks for the file that lists the documents to be submitted."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalGroup, VerticalGroup
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Button, Footer, Input, Label, Static

from imm_tui import text
from imm_tui.errors import BadInput
from imm_tui.i18n import N_, _
from imm_tui.sources import read_named
from imm_tui.tui.localized import Localized
from imm_tui.tui.widgets.field import LineInput, Note


class SourcesScreen(Localized[str | None], ModalScreen[str | None], inherit_bindings=False):
    """It ends with the path of a file that could be read, or None."""

    AUTO_FOCUS = "#file"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", N_("close"), id="sources.close", tooltip=N_("Read no file")),
        Binding("tab", "app.focus_next", N_("switch"), id="sources.next", tooltip=N_("To the next part"), show=False),
        Binding(
            "shift+tab", "app.focus_previous", N_("Back"), id="sources.back", tooltip=N_("The part before"), show=False
        ),
    ]

    def __init__(self) -> None:
        super().__init__(classes="dialog")

    def compose(self) -> ComposeResult:
        with VerticalGroup(id="dialog") as dialog:
            dialog.border_title = _("Sources from a file")
            words = _("One source URI a line. Blank lines, and lines that begin with #, are passed over.")
            yield Static(words, markup=False)
            with HorizontalGroup(classes="field"):
                yield Label(_("File"))
                yield LineInput(placeholder="~/documents.txt", suggester=_Paths(), compact=True, id="file")
            yield Note(_("The right arrow takes the name that is offered."), id="file-note")
            with HorizontalGroup(id="buttons"):
                yield Button(_("Add"), variant="primary", compact=True, id="add")
                yield Button(_("Close"), compact=True, id="close")
        yield Footer(show_command_palette=False)

    @on(Input.Submitted)
    @on(Button.Pressed, "#add")
    def _add(self) -> None:
        path = self.query_one(LineInput).value.strip()
        if not path or self.query_one("#add").disabled:
            return
        if path == "-":  # not what it is on a command line: standard input is the keyboard here
            path = "./-"
        self.query_one("#add").disabled = True
        # A disk that has gone to sleep, a server that is away: not in the screen's thread.
        threading.Thread(target=self._read, args=(path,), name="sources", daemon=True).start()

    def _read(self, path: str) -> None:
        wrong: BadInput | None = None
        try:
            read_named(path)
        except BadInput as bad:
            wrong = bad
        with suppress(RuntimeError):  # the app has ended meanwhile
            self.app.call_later(self._was_read, path, wrong)

    def _was_read(self, path: str, wrong: BadInput | None) -> None:
        if not self.is_open:
            return  # it was closed meanwhile
        self.query_one("#add").disabled = False
        if wrong is None:
            self.dismiss(path)
        else:
            self.query_one(Note).tell(wrong)

    @on(Input.Changed)
    def _mended(self) -> None:
        self.query_one(Note).tell(None)

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)


class _Paths(Suggester):
    """Offers the first file or folder that what is typed is the beginning of, if that can be shown as it is."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        folder, _slash, beginning = value.rpartition("/")
        with suppress(OSError, ValueError, RuntimeError):  # whatever is no folder has nothing to offer
            place = Path(f"{folder}/" if "/" in value else ".").expanduser()
            for entry in sorted(os.scandir(place), key=lambda entry: entry.name):
                if entry.name.startswith(beginning) and entry.name != beginning and text.line(entry.name) == entry.name:
                    return f"{value}{entry.name[len(beginning) :]}{'/' if entry.is_dir() else ''}"
        return None
