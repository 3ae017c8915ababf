"""The task list: however many tasks there are, it keeps their numbers, and reads the ones in sight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from imm_tui.history import Column, Order
from imm_tui.i18n import N_, _
from imm_tui.tasks import SHAPES, Status, Task, now
from imm_tui.tui import list_words, task_words
from imm_tui.tui.columns import Columns, ordered_by, turned
from imm_tui.tui.marks import Marks
from imm_tui.tui.task_index import Arrangement, Found, TaskIndex
from imm_tui.tui.widgets.row_list import RowList

_KEPT = 2000
"""Tasks that are kept in memory; the history has all."""

_DRAWN = 256
"""Rows that are kept as they were drawn: those in sight, some times over. Each is dozens of objects of Textual's, and
the whole program stands still while garbage is looked for among them."""

_SOON = 3
"""Pictures of the sign of life that the title leaves out: most searches are over by then."""

_MARKED = "▐"
"""In front of a marked row: the half that is beside it."""


class TaskList(RowList):
    """Tasks, one selected and any number marked. It keeps the numbers of all and reads the ones in sight with `fetch`.

    What is listed is either the index that `load` was given, kept up to date by `apply`, or whatever the history has
    found for another arrangement. The counts in the title are always those of the index.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "task-list--submitting",
        "task-list--running",
        "task-list--succeeded",
        "task-list--failed",
        "task-list--unknown",
        "task-list--marked",
        "task-list--sorted",
        "task-list--mark",
        "task-list--bar",
        "task-list--rest",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space", "mark", N_("mark"), show=False, id="list.mark", tooltip=N_("Mark the task, or not, and go on")
        ),
        Binding(
            "shift+up,K",
            "extend(-1)",
            N_("Mark up"),
            show=False,
            id="list.mark-up",
            tooltip=N_("Mark a range, upwards"),
        ),
        Binding(
            "shift+down,J",
            "extend(1)",
            N_("Mark down"),
            show=False,
            id="list.mark-down",
            tooltip=N_("Mark a range, downwards"),
        ),
        Binding(
            "a",
            "mark_all",
            N_("mark all"),
            show=False,
            id="list.mark-all",
            tooltip=N_("Mark all that are listed, or none"),
        ),
        Binding("S", "turn", N_("turn"), show=False, id="list.turn", tooltip=N_("Turn the order round")),
    ]

    follow: reactive[bool] = reactive(False, init=False)
    """The first row is selected whenever rows change, until a person moves."""

    class Sorted(Message):
        """A person wants another order."""

        def __init__(self, order: Order) -> None:
            super().__init__()
            self.order = order

    class Marked(Message):
        """So many tasks are marked now."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    class Followed(Message):
        """The list follows the newest, or does so no more."""

        def __init__(self, follow: bool) -> None:
            super().__init__()
            self.follow = follow

    def __init__(self, fetch: Callable[[Iterable[int]], Iterable[Task]]) -> None:
        super().__init__()
        self._fetch = fetch
        self._index: TaskIndex | None = None
        self._found: Found | None = None
        self._marks = Marks()
        self._tasks: dict[int, Task] = {}
        self._strips: LRUCache[tuple[object, ...], Strip] = LRUCache(_DRAWN)
        self._styles: dict[tuple[str, bool], dict[str, Style]] = {}
        self._columns = Columns(0)
        self._titled = ""
        self.arrangement = Arrangement()
        """Of what is shown."""
        self.order = Order()
        """The one that is wanted: already in the titles when its rows are still being found."""
        self._set_title()

    # What is shown

    def load(self, index: TaskIndex, newest: Iterable[Task] = ()) -> None:
        """Shows what the history holds; `newest` are the tasks that will be in sight first."""
        self._index = index
        self._keep(newest)
        self.show_all()

    def show_all(self) -> None:
        """Lists all tasks, newest first."""
        if self._index is not None:
            self._show(None, Arrangement())

    def show_found(self, found: Found, arrangement: Arrangement) -> None:
        """Lists what the history has found for this arrangement. Asked again for the same one, no row jumps.

        A part of it is listed at once, but not in place of the whole, nor while the rest may have the task in it that a
        person has selected.
        """
        if found.whole or self._goes_by(found, arrangement):
            self._show(found, arrangement)

    def _goes_by(self, part: Found, arrangement: Arrangement) -> bool:
        if arrangement == self.arrangement:
            return self._found is None or not self._found.whole
        return not self._held or self.selected is None or part.row_of(self.selected) is not None

    def _show(self, found: Found | None, arrangement: Arrangement) -> None:
        rows = self._index if found is None else found
        assert rows is not None
        place = self.place()
        another = arrangement != self.arrangement
        at_top = place.row == 0 and arrangement.order != self.arrangement.order  # and stays there
        if another:
            in_sight = self._held and place.candidates and place.row in self.rows_in_sight()
            anchor = ((place.candidates[0], place.row - round(self.scroll_y)),) if in_sight else ()
            place = replace(place, row=0, anchors=anchor)
        self._found, self.arrangement, self.order = found, arrangement, arrangement.order
        if found is None or found.whole:
            self.say("")
        self.show_rows(rows, place)
        if another and (at_top or self._held):
            self.select_row(0 if at_top else self.row_of(self.selected) or 0)
        self._follow()
        self._set_title()

    def apply(self, statuses: Mapping[int, Status], removed: Sequence[int]) -> None:
        """Takes up which tasks are new or have changed, and which are no more. The rows in sight stay where they are,
        and the selection on its task."""
        index = self._index
        if index is None:
            return
        place = self.place()
        changed, moved = {*statuses, *removed}, False
        for number, status in statuses.items():
            moved |= index.put(number, status)
        for number in removed:
            moved |= index.remove(number)
        for number in changed & self._tasks.keys():
            del self._tasks[number]
        self.forget_marks(removed)
        if moved and self._found is None:
            self.show_rows(index, place)
            self._follow()
        self._edge()
        if changed and self._rows:
            for number in changed.intersection(self._numbers_in_sight()):
                self.refresh_row(number)

    def _follow(self) -> None:
        if self.follow:
            self.select_row(0)

    def draw_edge(self) -> None:
        super().draw_edge()
        self._set_title()

    def tick(self) -> None:
        """A second has passed: repaints the rows in sight whose task is under way."""
        for number in self._numbers_in_sight():
            task = self._tasks.get(number)
            if task is not None and task.status.under_way:
                self.refresh_row(number)

    def empty(self) -> Sequence[str]:
        return list_words.empty(len(self._index or ()), self.arrangement, self._key_of("new"))

    def _key_of(self, binding: str) -> str:
        """The key that the screen has for it, which a person may have changed; "" where it does nothing now."""
        active = (it for it in self.screen.active_bindings.values() if it.binding.id == binding)
        return next((self.app.get_key_display(it.binding) if it.enabled else "" for it in active), "n")

    def say(self, words: str, *, busy: bool = False) -> None:
        """In place of the rows; beside the title, as long as there are other rows to be seen."""
        super().say(words, busy=busy)
        self._set_title()

    def _turn(self) -> None:
        super()._turn()
        self._set_title()

    def _set_title(self) -> None:
        if (title := self._title()) != self._titled:
            self._titled = self.border_title = title  # Textual draws all of the list again for any title, even the same

    def _title(self) -> str:
        index, found = self._index, self._found
        if index is None:
            return _("Tasks")
        return list_words.title(
            len(index),
            # In another order all are listed, though those of this moment have not been found yet.
            listed=len(found) if found is not None and self.arrangement.partial else len(index),
            marked=len(self._marks),
            unlisted=0 if found is None else self._marks.unlisted(found),
            states=(
                self._columns.untitled(self.order),
                _("{shape} first").format(shape=SHAPES[Status.FAILED]) if self.order.failures_first else "",
                _("{shape} hidden").format(shape=SHAPES[Status.SUCCEEDED]) if self.arrangement.folded else "",
                _("following") if self.follow else "",
                self.said if self._turned > _SOON else "",
            ),
        )

    def _numbers_in_sight(self) -> list[int]:
        return [self._rows.id_at(row) for row in self.rows_in_sight()] if self._rows else []

    def _known(self, number: int) -> Task | None:
        if number not in self._tasks:
            # What is in sight with it is read at once: to ask is what takes long.
            self._keep(self._fetch({number, *self._numbers_in_sight()} - self._tasks.keys()))
        return self._tasks.get(number)

    def _keep(self, tasks: Iterable[Task]) -> None:
        if len(self._tasks) >= _KEPT:
            self._tasks.clear()  # the rows in sight are read again; it happens once in a long scroll
        self._tasks |= {task.id: task for task in tasks}

    @property
    def counts(self) -> Counter[Status]:
        """How many tasks there are of each status, listed or not."""
        return self._index.counts if self._index is not None else Counter()

    def status_of(self, task: int) -> Status | None:
        """Of any task, listed or not, as it was last told; None for one that was not told yet."""
        return self._index.status_of(task) if self._index is not None else None

    @property
    def listed(self) -> list[int]:
        """The tasks that are listed, in their order."""
        return list(self._rows or ())

    # Marks

    @property
    def has_marks(self) -> bool:
        return len(self._marks) > 0

    @property
    def marked(self) -> list[int]:
        """The marked tasks as they are listed, then those that are not listed now."""
        return self._marks.in_order(self._rows or ())

    @property
    def chosen(self) -> list[int]:
        """What an action is for: the marked tasks, or else the selected one."""
        return self.marked or ([] if self.selected is None else [self.selected])

    def mark(self, tasks: Iterable[int]) -> None:
        """Marks those of them that there still are."""
        if self._index is not None:
            self._marks.add(task for task in tasks if self._index.row_of(task) is not None)
            self._marks_changed()

    def unmark(self) -> bool:
        """Takes all marks away; false when there were none."""
        some = len(self._marks) > 0
        self._marks.clear()
        if some:
            self._marks_changed()
        return some

    def forget_marks(self, numbers: Sequence[int]) -> None:
        """Takes the marks of these away."""
        before = len(self._marks)
        self._marks.forget(numbers)
        if len(self._marks) != before:
            self._marks_changed()

    def _marks_changed(self) -> None:
        self._set_title()
        self.refresh()
        self.post_message(self.Marked(len(self._marks)))

    def action_mark(self) -> None:
        if (number := self.selected) is not None:
            self._stay()
            self._marks.toggle(number)
            self.select_row((self.row_of(number) or 0) + 1)
            self._marks_changed()

    def action_extend(self, rows: int) -> None:
        if self.selected is not None:
            self._extend_to((self.row_of(self.selected) or 0) + rows)

    def _extend_to(self, row: int) -> None:
        rows, start = self._rows, self.selected
        if rows and start is not None:
            self._stay()
            self.select_row(row)
            assert self.selected is not None
            self._marks.extend(rows, start, self.selected)
            self._marks_changed()

    def action_mark_all(self) -> None:
        if self._rows:
            self._marks.mark_all(self._rows)
            self._marks_changed()

    # Order

    def action_sort(self) -> None:
        """Sorts by the next column; the screen has a key for it."""
        columns = list(Column)
        following = columns[(columns.index(self.order.column) + 1) % len(columns)]
        self._want(ordered_by(following, self.order))

    def action_turn(self) -> None:
        self._want(turned(self.order))

    def _want(self, order: Order) -> None:
        self.order = order
        self._set_title()
        self.refresh()
        self.post_message(self.Sorted(order))

    # What a person does

    def watch_follow(self, follow: bool) -> None:
        self._follow()
        self._set_title()
        self.post_message(self.Followed(follow))

    def person_moves(self) -> None:
        self._stay()
        self._marks.end_range()

    def _stay(self) -> None:
        self.follow = False
        self.hold()

    def on_click(self, event: events.Click) -> None:
        row, offset = self.row_under(event), event.get_content_offset(self)
        if row is not None and event.shift:
            self._extend_to(row)
        elif row is not None and event.ctrl and self._rows:
            self.person_moves()
            self.select_row(row)
            self._marks.toggle(self._rows.id_at(row))
            self._marks_changed()
        elif offset is not None and offset.y == 0 and self._rows:
            column = self._columns.at(offset.x)
            if column is not None:
                self._want(turned(self.order) if column is self.order.column else ordered_by(column, self.order))
        else:
            return  # a click as in any list
        event.prevent_default()

    # Drawing

    def on_resize(self) -> None:
        self._fit_columns(self.scrollable_content_region.width)
        self._set_title()

    def notify_style_update(self) -> None:
        self._strips.clear()
        self._styles.clear()
        super().notify_style_update()

    def draw_titles(self, width: int) -> Strip:
        style, by = self.style("titles"), self.get_component_rich_style("task-list--sorted")
        self._fit_columns(width)
        pieces = [Segment(text, by if sorted_by else style) for text, sorted_by in self._columns.titles(self.order)]
        return Strip(pieces).crop_extend(0, width, style)

    def draw_row(self, number: int, look: str, width: int) -> Strip | None:
        task = self._known(number)
        if task is None:
            return None
        moment = now()
        # Only a task that is under way looks different a second later.
        second = moment // 1000 if task.status.under_way else 0
        marked = number in self._marks
        key = (task, look, marked, width, second)
        strip = self._strips.get(key)
        if strip is None:
            self._fit_columns(width)
            strip = self._strips[key] = self._row(task, look, marked, width, moment)
        return strip

    def _fit_columns(self, width: int) -> None:
        if self._columns.width != width:
            self._columns = Columns(width)

    def _row(self, task: Task, look: str, marked: bool, width: int, moment: int) -> Strip:
        styles = self._styles.get((look, marked)) or self._find_styles(look, marked)
        segments = [
            Segment(_MARKED if marked else " ", styles["mark"]),
            Segment(SHAPES[task.status], styles[task.status.lower()]),
            Segment(task_words.mark(task), styles[""]),
        ]
        segments += [Segment(text, styles[kind]) for text, kind in self._columns.figures(task, moment)]
        segments.append(Segment(task_words.name(task, self._columns.name_cells), styles["name"]))
        return Strip(segments).simplify().crop_extend(0, width, styles["name"])

    def _find_styles(self, look: str, marked: bool) -> dict[str, Style]:
        """Those of the pieces of a row: to find them takes longer than to draw it."""
        base = self.style(look)
        if marked and look != "cursor":
            base += self.get_component_rich_style("task-list--marked")
        classes = {"": "row-list--quiet"} | {kind: f"task-list--{kind}" for kind in ("mark", "bar", "rest")}
        classes |= {(kind := status.lower()): f"task-list--{kind}" for status in Status}
        colours = {kind: self.get_component_rich_style(name).color for kind, name in classes.items()}
        if base.reverse:
            colours = dict.fromkeys(colours)  # else each would be another background
        styles = {kind: base + Style(color=colour) for kind, colour in colours.items()}
        styles["name"] = base
        self._styles[look, marked] = styles
        return styles
