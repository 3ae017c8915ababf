"""Writes the tasks that are listed to a file: which, and in what form."""

from __future__ import annotations

import os
import threading
from array import array
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalGroup, VerticalGroup
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Footer, Input, Label, ProgressBar

from imm_tui import export, places
from imm_tui.errors import BadInput, Trouble
from imm_tui.history import History
from imm_tui.i18n import N_, _, ngettext
from imm_tui.text import line
from imm_tui.tui.localized import Localized
from imm_tui.tui.widgets.field import Choice, LineInput, Note

_FORMS = {"csv": "CSV", "jsonl": "JSON Lines"}

_TOLD_FOR = 12.0

_LAST = 1.0
"""Seconds that a file which is closed meanwhile has to be taken away."""


class ExportScreen(Localized[None], ModalScreen[None], inherit_bindings=False):
    """It closes when the file is written, and then says where it is. Closed before, it leaves no file."""

    AUTO_FOCUS = "#file"
    BINDING_GROUP_TITLE = N_("Export")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", N_("close"), id="export.close", tooltip=N_("Write nothing; end what is written")),
        Binding("tab", "app.focus_next", N_("switch"), id="export.next", tooltip=N_("To the next part"), show=False),
        Binding("shift+tab", "app.focus_previous", N_("Back"), id="export.back", tooltip=N_("Back"), show=False),
    ]

    def __init__(self, history_path: Path, tasks: Sequence[int]) -> None:
        """`tasks` are numbers of the history, in the order in which they are to be written."""
        super().__init__(classes="dialog")
        self._history_path = history_path
        self._tasks = array("q", tasks)  # the list goes on changing
        self._cancelled = threading.Event()
        self._writing: threading.Thread | None = None
        self._form = "csv"

    def compose(self) -> ComposeResult:
        count = len(self._tasks)
        title = ngettext("Export {count} task", "Export {count} tasks", count).format(count=f"{count:,}")
        with VerticalGroup(id="dialog") as dialog:
            dialog.border_title = Content(title)
            with HorizontalGroup(classes="field"):
                yield Label(_("File"))
                yield LineInput(_suggestion(), placeholder=_("a file that is not there yet"), compact=True, id="file")
            with HorizontalGroup(classes="field"):
                yield Label(_("Format"))
                yield Choice(_FORMS, self._form, id="form")
            yield Note(_("Of yours only. What is there already is not overwritten."), id="note")
            yield ProgressBar(total=count or None, show_eta=False, id="progress")
            with HorizontalGroup(id="buttons"):
                yield Button(_("Export"), variant="primary", compact=True, id="export")
                yield Button(_("Close"), compact=True, id="close")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one("#progress").display = False

    def on_unmount(self) -> None:
        self._cancelled.set()
        if self._writing is not None:
            self._writing.join(_LAST)  # what it began is gone then, also when the app ends

    @on(Choice.Changed)
    def _change_suffix(self) -> None:
        form = self.query_one(Choice).value
        field = self.query_one(LineInput)
        if field.value.endswith(f".{self._form}"):
            field.value = f"{field.value.removesuffix(self._form)}{form}"
        self._form = form

    @on(Input.Submitted)
    @on(Choice.Submitted)
    @on(Button.Pressed, "#export")
    def _export(self) -> None:
        if self.query_one("#progress").display:
            return  # it is under way
        try:
            path = places.whole(self.query_one(LineInput).value.strip())
        except BadInput as bad:
            self.query_one(Note).tell(bad)
            return
        self.query_one(Note).tell(None)
        self._show_under_way(True)
        self._writing = threading.Thread(target=self._write, args=(path, self._form), name="export", daemon=True)
        self._writing.start()

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss()

    def _show_under_way(self, under_way: bool) -> None:
        self.query_one("#progress").display = under_way
        self.query_one("#export").disabled = under_way

    def _write(self, path: Path, form: str) -> None:
        result: export.Exported | Trouble | None
        new = places.missing(path.parent)
        try:
            with History(self._history_path) as history:
                result = export.tasks(
                    history,
                    self._tasks,
                    path,
                    cast("export.Form", form),
                    on_progress=self._progress,
                    cancelled=self._cancelled.is_set,
                )
        except Trouble as trouble:
            result = trouble
        with suppress(RuntimeError):  # the app has ended meanwhile
            self.app.call_later(self._written, result, new)

    def _progress(self, done: int) -> None:
        with suppress(RuntimeError):
            self.app.call_later(self._show_progress, done)

    def _show_progress(self, done: int) -> None:
        if self.is_open:
            self.query_one(ProgressBar).update(progress=done)

    def _written(self, result: export.Exported | Trouble | None, new: Path | None) -> None:
        """`new` is the uppermost folder that was made for it."""
        if not self.is_open or result is None:
            return  # it was closed meanwhile
        if isinstance(result, Trouble):
            self._show_under_way(False)
            self.query_one(Note).tell(result)
            return
        words = ngettext("{count} task is in {path}", "{count} tasks are in {path}", result.count)
        words = words.format(count=f"{result.count:,}", path=line(result.path))
        if new is not None:
            words = "\n".join((words, _("New folder: {folder}").format(folder=line(new))))
        self.notify(words, title=_("Exported"), timeout=_TOLD_FOR, markup=False)
        self.dismiss()


def _suggestion() -> str:
    """A file in the folder that the program was started in, where that can be shown as it is."""
    try:
        here = os.getcwd()
    except OSError:  # it is gone
        here = "~"
    folder = here if line(here) == here else "~"
    return f"{folder.rstrip('/')}/imm-tasks-{datetime.now():%Y%m%d-%H%M%S}.csv"
