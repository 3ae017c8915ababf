"""A list of rows, one of them selected, on Textual's Line API: a repaint costs what the rows in sight cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

_HEADER_ROWS = 1


class Rows(Protocol):
    """Which rows there are, each with a number of its own that stays."""

    def __len__(self) -> int: ...
    def id_at(self, row: int) -> int: ...
    def row_of(self, number: int) -> int | None: ...


class RowList(ScrollView, can_focus=True, inherit_bindings=False):
    """Titles, and under them the rows that a subclass draws. The selection stays on its row's number."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "row-list--titles",
        "row-list--cursor",
        "row-list--hover",
        "row-list--quiet",
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up", tooltip="Select the one above"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down", tooltip="Select the one below"),
        Binding("pageup", "move_page(-1)", "Page up", show=False, id="list.page-up", tooltip="One page up"),
        Binding("pagedown", "move_page(1)", "Page down", show=False, id="list.page-down", tooltip="One page down"),
        Binding("home", "move_to_end(-1)", "Newest", show=False, id="list.first", tooltip="Select the newest"),
        Binding("end", "move_to_end(1)", "Oldest", show=False, id="list.last", tooltip="Select the oldest"),
    ]

    TITLES: ClassVar[str] = ""
    EMPTY: ClassVar[Sequence[str]] = ()
    """What the list says when it has no rows."""

    class Selected(Message):
        """Another row is selected, or none is left."""

        def __init__(self, row: int | None, before: int | None) -> None:
            super().__init__()
            self.row = row
            self.before = before

    class Opened(Message):
        """The selected row was clicked twice."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: Rows | None = None
        self._said = ""
        self._hovered: int | None = None
        self.selected: int | None = None

    # For the subclass

    def draw_row(self, number: int, look: str, width: int) -> Strip | None:
        """One row as it looks: selected, under the mouse, or neither. None where it cannot be read."""
        raise NotImplementedError

    def place(self) -> tuple[int | None, int | None]:
        """The row that is selected, and the number of the one at the top if that is not the first, before a change."""
        top = round(self.scroll_y)
        number = self._rows.id_at(top) if self._rows is not None and 0 < top < len(self._rows) else None
        return self.row_of(self.selected), number

    def show_rows(self, rows: Rows, place: tuple[int | None, int | None] = (None, None)) -> None:
        """Shows these. What was in sight at `place` stays, and the selection on its row, or on the one in its place."""
        selected_row, top = place
        self._rows = rows
        self.virtual_size = Size(0, len(rows) + _HEADER_ROWS)
        if not rows:
            self._set_selected(None)
        elif self.selected is None or rows.row_of(self.selected) is None:
            self._set_selected(rows.id_at(min(selected_row or 0, len(rows) - 1)))
        self.refresh()
        if top is not None and (row := rows.row_of(top) or 0):
            self.scroll_to(y=row, animate=False, immediate=True)

    def say(self, words: str) -> None:
        """What stands in place of the rows until there are any to be shown, or none."""
        self._said = words
        self.refresh()

    def row_of(self, number: int | None) -> int | None:
        return self._rows.row_of(number) if self._rows is not None and number is not None else None

    def rows_in_sight(self) -> range:
        top = round(self.scroll_y)
        return range(top, min(top + self._page, len(self._rows or ())))

    def refresh_row(self, number: int | None) -> None:
        row = self.row_of(number)
        if row is not None and row in self.rows_in_sight():
            self.refresh(Region(0, row - round(self.scroll_y) + _HEADER_ROWS, self.size.width, 1))

    def select(self, number: int) -> None:
        """Selects a row, and brings it into sight."""
        if (row := self.row_of(number)) is not None:
            self._select_row(row)

    # The selection

    def _set_selected(self, number: int | None) -> None:
        if number == self.selected:
            return
        previous, self.selected = self.selected, number
        self.refresh_row(previous)
        self.refresh_row(number)
        self.post_message(self.Selected(number, previous))

    def _select_row(self, row: int) -> None:
        rows = self._rows
        if not rows:
            return
        row = max(0, min(row, len(rows) - 1))
        self._set_selected(rows.id_at(row))
        if row < self.scroll_y:
            self.scroll_to(y=row, animate=False, immediate=True)
        elif row >= self.scroll_y + self._page:
            self.scroll_to(y=row - self._page + 1, animate=False, immediate=True)

    @property
    def _page(self) -> int:
        """How many rows are in sight."""
        return max(1, self.scrollable_content_region.height - _HEADER_ROWS)

    def action_move(self, rows: int) -> None:
        self._select_row((self.row_of(self.selected) or 0) + rows)

    def action_move_page(self, direction: int) -> None:
        self.action_move(direction * self._page)

    def action_move_to_end(self, direction: int) -> None:
        self._select_row(0 if direction < 0 or self._rows is None else len(self._rows) - 1)

    def _row_under(self, event: events.MouseEvent) -> int | None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y < _HEADER_ROWS or not self._rows:
            return None
        row = offset.y - _HEADER_ROWS + round(self.scroll_y)
        return row if row < len(self._rows) else None

    def on_click(self, event: events.Click) -> None:
        row = self._row_under(event)
        if row is not None:
            self._select_row(row)
            if event.chain == 2:
                self.post_message(self.Opened())

    def on_mouse_move(self, event: events.MouseMove) -> None:
        row = self._row_under(event)
        self._hover(self._rows.id_at(row) if self._rows is not None and row is not None else None)

    def on_leave(self) -> None:
        self._hover(None)

    def _hover(self, number: int | None) -> None:
        if number != self._hovered:
            previous, self._hovered = self._hovered, number
            self.refresh_row(previous)
            self.refresh_row(number)

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if not self._rows:
            return self._empty_line(y, width)
        if y < _HEADER_ROWS:
            style = self.style("titles")
            return Strip([Segment(self.TITLES, style)]).crop_extend(0, width, style)
        row = y - _HEADER_ROWS + round(self.scroll_y)
        strip = None
        if row < len(self._rows):
            number = self._rows.id_at(row)
            look = "cursor" if number == self.selected else "hover" if number == self._hovered else ""
            strip = self.draw_row(number, look, width)
        return Strip.blank(width, self.rich_style) if strip is None else strip

    def _empty_line(self, y: int, width: int) -> Strip:
        lines = [self._said] if self._rows is None else self.EMPTY
        at = y - max(0, (self.size.height - len(lines)) // 2)
        text = lines[at] if 0 <= at < len(lines) else ""
        return Strip([Segment(text.center(width), self.style("quiet"))]).crop(0, width)

    def style(self, name: str) -> Style:
        """That of a component class of this list, or of its plain text."""
        return self.get_component_rich_style(f"row-list--{name}") if name else self.rich_style
