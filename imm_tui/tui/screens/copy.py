"""Copies a part of one task or of several: one more key says which."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer
from textual.widgets.option_list import Option

from imm_tui.errors import HistoryUnusable, Trouble
from imm_tui.history import History
from imm_tui.i18n import N_, _, sentences
from imm_tui.tasks import Task, now
from imm_tui.text import line
from imm_tui.tui import task_words, trouble_words
from imm_tui.tui.cells import fit
from imm_tui.tui.clipboard import copy, pasted
from imm_tui.tui.localized import Localized
from imm_tui.tui.widgets.choices import Choices

_HIDDEN = re.compile("[\x7f-\x9f\ud800-\udfff]")
"""What JSON need not escape, and a clipboard would lose."""

_FILE = "copied.txt"


def _row(history: History, task: Task) -> str:
    cells = (
        task_words.status(task.status),
        task.target_type or "",
        task_words.pages(task),
        task_words.percent(task, now()),
        task_words.age(task, now()),
    )
    return "\t".join(_one_line(cell) for cell in (*cells, task.name))


def _json_of(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _event(history: History, task: Task) -> bytes | None:
    messages = history.messages_of(task.id, limit=1)
    return messages[0].body if messages else None


def _request(history: History, task: Task) -> str | None:
    request = history.request_of(task.id)
    return None if request is None else _json_of(request)


def _one_line(text: str | None) -> str:
    """A line break in the middle of what is one thing would be the end of a command, where it is pasted."""
    return re.sub("[\r\n\t]", "\ufffd", text or "")


_PARTS: dict[str, tuple[str, Callable[[History, Task], str | bytes | None]]] = {
    "row": (N_("the row"), _row),
    "id": (N_("the task id"), lambda _history, task: _one_line(task.task_id)),
    "source": (N_("the source URI"), lambda _history, task: _one_line(task.source_uri)),
    "target": (N_("the target URI"), lambda _history, task: _one_line(task.target_uri)),
    "json": (N_("the task as JSON"), lambda _history, task: _json_of(task.as_object())),
    "event": (N_("the raw event"), _event),
    "request": (N_("the request as it was sent"), _request),
}
"""What can be copied: what it is called, and how it is read from the history; nothing where a task has none."""


def gather(history_path: Path, tasks: Sequence[int], part: str) -> str | bytes:
    """One part, by its key in _PARTS, of each task that has it, in lines; of a single raw event the very bytes.

    Raises HistoryUnusable.
    """
    read = _PARTS[part][1]
    found: list[str | bytes] = []
    with History(history_path) as history:
        for number in tasks:
            task = history.task(number)
            if task is not None and (content := read(history, task)):
                found.append(content)
    if len(found) == 1:
        return found[0]
    return "\n".join(pasted(content) for content in found)


class CopyScreen(Localized[None], ModalScreen[None], inherit_bindings=False):
    """It closes when it has copied; `tasks` are numbers of the history."""

    AUTO_FOCUS = "Choices"
    BINDING_GROUP_TITLE = N_("Copy")
    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the list takes j for its own.
        *(
            Binding(
                key, f"copy('{part}')", _PARTS[part][0], id=f"copy.{part}", tooltip=tooltip, show=False, priority=True
            )
            for key, part, tooltip in (
                ("y", "row", N_("Copy the row as the list shows it, with tabs between the columns")),
                ("i", "id", N_("Copy the task id")),
                ("s", "source", N_("Copy the source URI")),
                ("t", "target", N_("Copy the target URI")),
                ("j", "json", N_("Copy the task as JSON, as imm-tui tasks --json prints it")),
                ("e", "event", N_("Copy the raw event that says how it ended")),
                ("r", "request", N_("Copy the request as it was sent")),
            )
        ),
        Binding("escape,q", "dismiss", N_("close"), id="copy.close", tooltip=N_("Copy nothing")),
    ]

    def __init__(self, history_path: Path, tasks: Sequence[int]) -> None:
        super().__init__()
        self._history_path = history_path
        self._tasks = tasks
        self._busy = False

    def compose(self) -> ComposeResult:
        with Vertical(id="copy") as region:
            count = len(self._tasks)
            region.border_title = _("Copy") if count == 1 else _("Copy of {count} tasks").format(count=f"{count:,}")
            yield Choices(markup=False, compact=True)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        samples = self._samples()
        keys = {active.binding.id: active.binding for active in self.active_bindings.values()}
        names = {part: _(name) for part, (name, _read) in _PARTS.items()}
        wide = max(map(cell_len, names.values()))
        for part, name in names.items():
            binding = keys.get(f"copy.{part}")
            key = self.app.get_key_display(binding) if binding is not None else ""
            words = Content.assemble(
                (f"{key:>2}", "$text-accent"), f"  {fit(name, wide)}  ", (samples.get(part, ""), "$foreground 60%")
            )
            self.query_one(Choices).add_option(Option(words, id=part, disabled=bool(samples) and part not in samples))
        self.query_one(Choices).highlighted = 0

    def _samples(self) -> dict[str, str]:
        """Of a single task: how each part begins that it has."""
        if len(self._tasks) != 1:
            return {}
        try:
            with History(self._history_path) as history:
                task = history.task(self._tasks[0])
                parts = {} if task is None else {part: read(history, task) for part, (_name, read) in _PARTS.items()}
        except HistoryUnusable:
            return {}  # choosing one says so
        return {part: line(pasted(content).replace("\t", "  "), 200) for part, content in parts.items() if content}

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        if event.option_id is not None:
            self.action_copy(event.option_id)

    def action_copy(self, part: str) -> None:
        """In a thread of its own: there may be a hundred thousand tasks."""
        if not self._busy:
            self._busy = True
            self.query_one("#copy").border_subtitle = _("Reading the history …")
            threading.Thread(target=self._gather, args=(part,), name="copying", daemon=True).start()

    def _gather(self, part: str) -> None:
        result: str | bytes | Trouble
        try:
            result = gather(self._history_path, self._tasks, part)
        except HistoryUnusable as trouble:
            result = trouble
        with suppress(RuntimeError):  # the app has ended meanwhile
            self.app.call_later(self._gathered, part, result)

    def _gathered(self, part: str, result: str | bytes | Trouble) -> None:
        if not self.is_open:
            return  # it was closed meanwhile
        name = _(_PARTS[part][0])
        if len(self._tasks) > 1:
            name = _("{what}, of {count} tasks").format(what=name, count=f"{len(self._tasks):,}")
        if isinstance(result, Trouble):
            self.notify(sentences(*trouble_words.parts(result)), severity="error", markup=False)
        elif not result:
            self.notify(_("There is nothing to copy: {what}").format(what=name), severity="warning", markup=False)
        else:
            copy(self.app, result, name, self._history_path.with_name(_FILE))
        self.dismiss()
