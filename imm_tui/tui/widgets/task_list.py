"""The task list: however many tasks there are, it keeps their numbers, and reads the ones in sight."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

from imm_tui.history import Changes
from imm_tui.tasks import SHAPES, Status, Task, now
from imm_tui.text import line
from imm_tui.tui import view
from imm_tui.tui.task_index import TaskIndex
from imm_tui.tui.widgets.row_list import RowList

_KEPT = 2000
"""Tasks that are kept in memory; the history has all."""


class TaskList(RowList):
    """All tasks, newest first, one selected. It keeps the numbers of all and reads the ones in sight with `fetch`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "task-list--submitting",
        "task-list--running",
        "task-list--succeeded",
        "task-list--failed",
        "task-list--unknown",
    }
    TITLES = f"    {'type':6} {'pages':>6} {'done':>5} {'time':>6}  document"
    EMPTY = ("No tasks yet", "n submits a document")

    def __init__(self, fetch: Callable[[int], Task | None]) -> None:
        super().__init__()
        self._fetch = fetch
        self._index: TaskIndex | None = None
        self._tasks: dict[int, Task] = {}
        self._strips: LRUCache[tuple[object, ...], Strip] = LRUCache(1024)
        self.border_title = "Tasks"

    # What is shown

    def load(self, index: TaskIndex, newest: Iterable[Task] = ()) -> None:
        """Shows what the history holds; `newest` are the tasks that will be in sight first."""
        self._index = index
        for task in newest:
            self._keep(task)
        self._set_title()
        self.show_rows(index)

    def apply(self, changes: Changes) -> None:
        """Takes up what changed. The rows in sight stay where they are, and the selection on its task."""
        index = self._index
        if index is None:
            return
        place = self.place()
        moved = False
        for task in changes.tasks:
            self._keep(task)
            moved |= index.put(task.id, task.status)
        for removed in changes.removed:
            moved |= index.remove(removed)
            self._tasks.pop(removed, None)
        self._set_title()
        if moved:
            self.show_rows(index, place)
        else:
            for task in changes.tasks:
                self.refresh_row(task.id)

    def tick(self) -> None:
        """A second has passed: repaints the rows in sight whose task is under way."""
        for row in self.rows_in_sight():
            assert self._index is not None
            task = self._known(self._index.id_at(row))
            if task is not None and task.status.under_way:
                self.refresh_row(task.id)

    def _set_title(self) -> None:
        assert self._index is not None
        counts = self._index.counts
        running = sum(number for status, number in counts.items() if status.under_way)
        numbers = ((running, "running"), (counts[Status.FAILED], "failed"), (counts[Status.UNKNOWN], "unknown"))
        self.border_title = " · ".join(
            [f"Tasks {len(self._index):,}", *(f"{number:,} {word}" for number, word in numbers if number)]
        )

    def _known(self, number: int) -> Task | None:
        task = self._tasks.get(number)
        if task is None:
            task = self._fetch(number)
            if task is not None:
                self._keep(task)
        return task

    def _keep(self, task: Task) -> None:
        if len(self._tasks) >= _KEPT:
            self._tasks.clear()  # the rows in sight are read again; it happens once in a long scroll
        self._tasks[task.id] = task

    # Drawing

    def notify_style_update(self) -> None:
        self._strips.clear()
        super().notify_style_update()

    def draw_row(self, number: int, look: str, width: int) -> Strip | None:
        task = self._known(number)
        if task is None:
            return None
        moment = now()
        # Only a task that is under way looks different a second later.
        second = moment // 1000 if task.status.under_way else 0
        key = (task, look, width, second)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._row(task, look, width, moment)
        return strip

    def _row(self, task: Task, look: str, width: int, moment: int) -> Strip:
        base = self.style(look)
        shape_style = base + Style(color=self.get_component_rich_style(f"task-list--{task.status.lower()}").color)
        quiet = base + Style(color=self.style("quiet").color)
        figures = (
            f" {view.fit(line(task.target_type or view.NOTHING), 6)}"
            f" {view.pages(task):>6} {view.percent(task, moment):>5} {view.age(task, moment):>6}  "
        )
        segments = [
            Segment(f" {SHAPES[task.status]}", shape_style),
            Segment(view.mark(task) + figures, quiet),
            Segment(view.fit(view.name(task), max(width - 3 - cell_len(figures), 0)), base),
        ]
        return Strip(segments).crop_extend(0, width, base)
