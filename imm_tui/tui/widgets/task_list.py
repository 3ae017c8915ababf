"""The task list, on Textual's Line API: a repaint costs what the rows in sight cost, however many tasks there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from imm_tui.history import Changes
from imm_tui.tasks import SHAPES, Status, Task, now
from imm_tui.text import line
from imm_tui.tui import view
from imm_tui.tui.task_index import TaskIndex

_HEADER_ROWS = 1
_KEPT = 2000
"""Tasks that are kept in memory; the history has all."""


class TaskList(ScrollView, can_focus=True, inherit_bindings=False):
    """All tasks, newest first, one selected. It keeps the numbers of all and reads the ones in sight with `fetch`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "task-list--titles",
        "task-list--cursor",
        "task-list--hover",
        "task-list--quiet",
        "task-list--submitting",
        "task-list--running",
        "task-list--succeeded",
        "task-list--failed",
        "task-list--unknown",
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up", tooltip="Select the task above"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down", tooltip="Select the task below"),
        Binding("pageup", "move_page(-1)", "Page up", show=False, id="list.page-up", tooltip="One page up"),
        Binding("pagedown", "move_page(1)", "Page down", show=False, id="list.page-down", tooltip="One page down"),
        Binding("home", "move_to_end(-1)", "Newest", show=False, id="list.first", tooltip="Select the newest task"),
        Binding("end", "move_to_end(1)", "Oldest", show=False, id="list.last", tooltip="Select the oldest task"),
    ]

    class Selected(Message):
        """Another task is selected, or none is left."""

        def __init__(self, task: int | None, before: int | None) -> None:
            super().__init__()
            self.task = task
            self.before = before

    class Opened(Message):
        """The selected task was clicked twice."""

    def __init__(self, fetch: Callable[[int], Task | None]) -> None:
        super().__init__()
        self._fetch = fetch
        self._index: TaskIndex | None = None
        self._tasks: dict[int, Task] = {}
        self._strips: LRUCache[tuple[object, ...], Strip] = LRUCache(1024)
        self._hovered: int | None = None
        self.selected: int | None = None
        self.border_title = "Tasks"

    # What is shown

    def load(self, index: TaskIndex, newest: Iterable[Task] = ()) -> None:
        """Shows what the history holds; `newest` are the tasks that will be in sight first."""
        self._index = index
        for task in newest:
            self._keep(task)
        self._index_changed()

    def apply(self, changes: Changes) -> None:
        """Takes up what changed. The rows in sight stay where they are, and the selection on its task."""
        index = self._index
        if index is None:
            return
        top = index.id_at(row) if 0 < (row := round(self.scroll_y)) < len(index) else None
        selected_row = index.row_of(self.selected) if self.selected is not None else None
        moved = False
        for task in changes.tasks:
            self._keep(task)
            moved |= index.put(task.id, task.status)
        for removed in changes.removed:
            moved |= index.remove(removed)
            self._tasks.pop(removed, None)
        if not moved:
            for task in changes.tasks:
                self._refresh_task(task.id)
            self._set_title()
            return
        self._index_changed(selected_row)
        if top is not None and (row := index.row_of(top) or 0):
            self.scroll_to(y=row, animate=False, immediate=True)

    def select(self, task: int) -> None:
        """Selects a task, and brings it into sight."""
        if self._index is not None and (row := self._index.row_of(task)) is not None:
            self._select_row(row)

    def tick(self) -> None:
        """A second has passed: repaints the rows in sight whose task is under way."""
        for row in self._rows_in_sight():
            task = self._task_at(row)
            if task is not None and task.status.under_way:
                self._refresh_task(task.id)

    def _index_changed(self, selected_row: int | None = None) -> None:
        index = self._index
        assert index is not None
        self.virtual_size = Size(0, len(index) + _HEADER_ROWS)
        self._set_title()
        if not index:
            self._set_selected(None)
        elif self.selected is None or index.row_of(self.selected) is None:
            self._set_selected(index.id_at(min(selected_row or 0, len(index) - 1)))
        self.refresh()

    def _set_title(self) -> None:
        assert self._index is not None
        counts = self._index.counts
        running = sum(number for status, number in counts.items() if status.under_way)
        numbers = ((running, "running"), (counts[Status.FAILED], "failed"), (counts[Status.UNKNOWN], "unknown"))
        self.border_title = " · ".join(
            [f"Tasks {len(self._index):,}", *(f"{number:,} {word}" for number, word in numbers if number)]
        )

    # The selection

    def _set_selected(self, task: int | None) -> None:
        if task == self.selected:
            return
        previous, self.selected = self.selected, task
        for changed in (previous, task):
            if changed is not None:
                self._refresh_task(changed)
        self.post_message(self.Selected(task, previous))

    def _select_row(self, row: int) -> None:
        index = self._index
        if not index:
            return
        row = max(0, min(row, len(index) - 1))
        self._set_selected(index.id_at(row))
        if row < self.scroll_y:
            self.scroll_to(y=row, animate=False, immediate=True)
        elif row >= self.scroll_y + self._page:
            self.scroll_to(y=row - self._page + 1, animate=False, immediate=True)

    @property
    def _page(self) -> int:
        """How many rows are in sight."""
        return max(1, self.scrollable_content_region.height - _HEADER_ROWS)

    def _selected_row(self) -> int:
        row = self._index.row_of(self.selected) if self._index is not None and self.selected is not None else None
        return row or 0

    def action_move(self, rows: int) -> None:
        self._select_row(self._selected_row() + rows)

    def action_move_page(self, direction: int) -> None:
        self._select_row(self._selected_row() + direction * self._page)

    def action_move_to_end(self, direction: int) -> None:
        self._select_row(0 if direction < 0 or self._index is None else len(self._index) - 1)

    def _row_under(self, event: events.MouseEvent) -> int | None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y < _HEADER_ROWS or not self._index:
            return None
        row = offset.y - _HEADER_ROWS + round(self.scroll_y)
        return row if row < len(self._index) else None

    def on_click(self, event: events.Click) -> None:
        row = self._row_under(event)
        if row is not None:
            self._select_row(row)
            if event.chain == 2:
                self.post_message(self.Opened())

    def on_mouse_move(self, event: events.MouseMove) -> None:
        row = self._row_under(event)
        self._hover(self._index.id_at(row) if self._index is not None and row is not None else None)

    def on_leave(self) -> None:
        self._hover(None)

    def _hover(self, task: int | None) -> None:
        if task != self._hovered:
            previous, self._hovered = self._hovered, task
            for changed in (previous, task):
                if changed is not None:
                    self._refresh_task(changed)

    # Drawing

    def _rows_in_sight(self) -> range:
        top = round(self.scroll_y)
        return range(top, min(top + self._page, len(self._index or ())))

    def _refresh_task(self, task: int) -> None:
        row = self._index.row_of(task) if self._index is not None else None
        if row is not None and row in self._rows_in_sight():
            self.refresh(Region(0, row - round(self.scroll_y) + _HEADER_ROWS, self.size.width, 1))

    def _task_at(self, row: int) -> Task | None:
        assert self._index is not None
        number = self._index.id_at(row)
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

    def notify_style_update(self) -> None:
        self._strips.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if not self._index:
            return self._empty_line(y, width)
        if y < _HEADER_ROWS:
            return self._titles(width)
        row = y - _HEADER_ROWS + round(self.scroll_y)
        task = self._task_at(row) if row < len(self._index) else None
        if task is None:
            return Strip.blank(width, self.rich_style)
        moment = now()
        look = "cursor" if task.id == self.selected else "hover" if task.id == self._hovered else ""
        # Only a task that is under way looks different a second later.
        second = moment // 1000 if task.status.under_way else 0
        key = (task, look, width, second)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._row(task, look, width, moment)
        return strip

    def _row(self, task: Task, look: str, width: int, moment: int) -> Strip:
        base = self._style(look)
        shape_style, quiet = (base + self._colour(name) for name in (task.status.lower(), "quiet"))
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

    def _titles(self, width: int) -> Strip:
        titles = f"    {'type':6} {'pages':>6} {'done':>5} {'time':>6}  document"
        style = self._style("titles")
        return Strip([Segment(titles, style)]).crop_extend(0, width, style)

    def _empty_line(self, y: int, width: int) -> Strip:
        lines = ["Reading the history"] if self._index is None else ["No tasks yet", "n submits a document"]
        at = y - max(0, (self.size.height - len(lines)) // 2)
        text = lines[at] if 0 <= at < len(lines) else ""
        return Strip([Segment(text.center(width), self._style("quiet"))]).crop(0, width)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"task-list--{name}") if name else self.rich_style

    def _colour(self, name: str) -> Style:
        return Style(color=self._style(name).color)
