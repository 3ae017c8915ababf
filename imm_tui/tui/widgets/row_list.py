"""A list of rows, one of them selected, on Textual's Line API: a repaint costs what the rows in sight cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from imm_tui.i18n import N_
from imm_tui.tui.marks import Rows
from imm_tui.tui.pace import Pace

_TITLE_ROWS = 1

_TURN = 0.12
"""Seconds between two pictures of what says that something is under way."""

_TURNS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list stands before it changes."""

    row: int = 0
    """That is selected."""
    candidates: Sequence[int] = ()
    """What is to be selected after it, the first of these that is still there."""
    anchors: Sequence[tuple[int, int]] = ()
    """Numbers with the lines that they are in: the first that is still there stays in its line."""
    in_sight: bool = False
    """The selected row is, and stays so."""


class RowList(ScrollView, can_focus=True, inherit_bindings=False):
    """Titles, and under them the rows that a subclass draws. The selection stays on its row's number."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "row-list--titles",
        "row-list--cursor",
        "row-list--hover",
        "row-list--quiet",
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", N_("Up"), show=False, id="list.up", tooltip=N_("Select the one above")),
        Binding("down,j", "move(1)", N_("Down"), show=False, id="list.down", tooltip=N_("Select the one below")),
        Binding("pageup", "move_page(-1)", N_("Page up"), show=False, id="list.page-up", tooltip=N_("One page up")),
        Binding(
            "pagedown", "move_page(1)", N_("Page down"), show=False, id="list.page-down", tooltip=N_("One page down")
        ),
        Binding("home", "move_to_end(-1)", N_("First"), show=False, id="list.first", tooltip=N_("Select the first")),
        Binding("end", "move_to_end(1)", N_("Last"), show=False, id="list.last", tooltip=N_("Select the last")),
    ]

    virtual_size: Reactive[Size] = Reactive(Size(0, 0), repaint=False)
    """Rows come many times in a second. Textual's own would lay out the whole screen each time, but how many there are
    matters to the scrollbar alone, which asks for that by itself when it comes or goes."""

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
        self._turned = 0
        self._hovered: int | None = None
        self._words: Sequence[str] | None = None
        """What stands in place of the rows, in the frame that is being drawn."""
        self._lines = 0
        """How many rows were in sight before the last change of the size."""
        self._turning = self.set_interval(_TURN, self._turn, pause=True)
        self._edge = Pace(self, self.draw_edge)
        self._still = False
        """What is set now leaves the rows in sight in their lines."""
        self._held = False
        """A person has chosen what is selected: until then the list stands at its top, whatever comes."""
        self.selected: int | None = None

    # For the subclass

    def draw_titles(self, width: int) -> Strip:
        raise NotImplementedError

    def draw_row(self, number: int, look: str, width: int) -> Strip | None:
        """One row as it looks: selected, under the mouse, or neither. None where it cannot be read."""
        raise NotImplementedError

    def empty(self) -> Sequence[str]:
        """What the list says when it has no rows."""
        raise NotImplementedError

    def person_moves(self) -> None:
        """A person is about to move the selection or to scroll, by key or by mouse."""
        self.hold()

    def draw_edge(self) -> None:
        """What stands around the rows says how many there are, and where among them these are."""
        self._scroll_update(self.virtual_size)  # as OptionList does: else it is done when the screen is laid out
        self.vertical_scrollbar.position = self.scroll_y

    # What is shown

    def watch_virtual_size(self, size: Size) -> None:
        if self.show_vertical_scrollbar == (size.height > self.container_size.height):
            self._edge()
        else:
            self.draw_edge()  # which makes the rows narrower, or wider

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if self._still:
            self._edge()
        else:
            super().watch_scroll_y(old_value, new_value)

    def place(self) -> Place:
        """What is to be kept when the rows change: those in sight in their lines, but at the top whatever is new. A
        selection that nobody has chosen goes out of sight as other rows come in above it."""
        rows, top = self._rows, round(self.scroll_y)
        if not rows:
            return Place()
        anchors = [(rows.id_at(row), row - top) for row in self.rows_in_sight()] if top else []
        row = self.row_of(self.selected)
        if row is None:
            return Place(anchors=anchors)
        near = [*range(row, min(row + self._page, len(rows))), *range(row - 1, max(row - self._page, 0) - 1, -1)]
        in_sight = self._held and row in self.rows_in_sight()
        return Place(row, [rows.id_at(it) for it in near], anchors, in_sight=in_sight)

    def show_rows(self, rows: Rows, place: Place | None = None) -> None:
        """Shows these. What was in sight at `place` stays, and the selection on its row, or on the one in its place."""
        place = place or Place()
        before = self.selected
        self._rows = rows
        self.virtual_size = Size(0, len(rows) + _TITLE_ROWS)
        if not rows:
            self._set_selected(None)
        elif self.row_of(self.selected) is None:
            there = next((it for it in place.candidates if rows.row_of(it) is not None), None)
            self._set_selected(rows.id_at(min(place.row, len(rows) - 1)) if there is None else there)
        lines = ((rows.row_of(number), y) for number, y in place.anchors)
        top = next((row - y for row, y in lines if row is not None), round(self.scroll_y))
        if place.in_sight and (selected := self.row_of(self.selected)) is not None:
            top = min(max(top, selected - self._page + 1), selected)
        top = max(min(top, len(rows) - self._page), 0)
        sight = [(rows.id_at(row), row - top) for row in range(top, min(top + self._page, len(rows)))]
        self._still = sight == place.anchors and self.selected == before
        if not self._still:
            self.refresh()
        # By force: the row that makes the scrollbar appear comes before it.
        self.scroll_to(y=top, animate=False, force=True, immediate=True)
        self._still = False

    def say(self, words: str, *, busy: bool = False) -> None:
        """What stands in place of the rows until there are any to be shown, or none; `busy`: it goes on."""
        self._said, self._turned = words, 0
        if busy and self.app.animation_level != "none":
            self._turning.resume()
        else:
            self._turning.pause()
        self._draw_said()

    def _turn(self) -> None:
        self._turned += 1
        self._draw_said()

    def _draw_said(self) -> None:
        if not self._rows:  # else rows stand in its place, which need not be drawn again
            self.refresh()

    @property
    def said(self) -> str:
        """With a sign of life, as long as it goes on."""
        return f"{self._said} {_TURNS[self._turned % len(_TURNS)]}" if self._turned else self._said

    def row_of(self, number: int | None) -> int | None:
        return self._rows.row_of(number) if self._rows is not None and number is not None else None

    def rows_in_sight(self) -> range:
        top = round(self.scroll_y)
        return range(top, min(top + self._page, len(self._rows or ())))

    def refresh_row(self, number: int | None) -> None:
        row = self.row_of(number)
        if row is not None and row in self.rows_in_sight():
            self.refresh(Region(0, row - round(self.scroll_y) + _TITLE_ROWS, self.size.width, 1))

    def select(self, number: int) -> None:
        """Selects a row, and brings it into sight."""
        if (row := self.row_of(number)) is not None:
            self.hold()
            self.select_row(row)

    def hold(self) -> None:
        """From now on the selected row stays in sight when others come."""
        self._held = True

    def on_resize(self) -> None:
        lines, self._lines = self._lines, self._page
        row, top = self.row_of(self.selected), round(self.scroll_y)
        if self._held and row is not None and top <= row < top + lines:
            self.select_row(row)

    # The selection

    def _set_selected(self, number: int | None) -> None:
        if number == self.selected:
            return
        previous, self.selected = self.selected, number
        self.refresh_row(previous)
        self.refresh_row(number)
        self.post_message(self.Selected(number, previous))

    def select_row(self, row: int) -> None:
        """Selects the row in this place, or the nearest, and brings it into sight."""
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
        return max(1, self.scrollable_content_region.height - _TITLE_ROWS)

    def action_move(self, rows: int) -> None:
        self.person_moves()
        self.select_row((self.row_of(self.selected) or 0) + rows)

    def action_move_page(self, direction: int) -> None:
        self.action_move(direction * self._page)

    def action_move_to_end(self, direction: int) -> None:
        self.person_moves()
        self.select_row(0 if direction < 0 or self._rows is None else len(self._rows) - 1)

    # The mouse

    def row_under(self, event: events.MouseEvent) -> int | None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y < _TITLE_ROWS or not self._rows:
            return None
        row = offset.y - _TITLE_ROWS + round(self.scroll_y)
        return row if row < len(self._rows) else None

    def on_click(self, event: events.Click) -> None:
        row = self.row_under(event)
        if row is not None:
            self.person_moves()
            self.select_row(row)
            if event.chain == 2:
                self.post_message(self.Opened())

    def on_mouse_scroll_up(self) -> None:
        self.person_moves()

    def on_mouse_scroll_down(self) -> None:
        self.person_moves()

    def on_scroll_to(self) -> None:
        self.person_moves()

    def on_scroll_up(self) -> None:
        self.person_moves()

    def on_scroll_down(self) -> None:
        self.person_moves()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        row = self.row_under(event)
        self._hover(self._rows.id_at(row) if self._rows is not None and row is not None else None)

    def on_leave(self) -> None:
        self._hover(None)

    def _hover(self, number: int | None) -> None:
        if number != self._hovered:
            previous, self._hovered = self._hovered, number
            self.refresh_row(previous)
            self.refresh_row(number)

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        self._words = None  # said once a frame: to find the key that it names takes longer than to draw the line
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if not self._rows:
            return self._empty_line(y, width)
        if y < _TITLE_ROWS:
            return self.draw_titles(width)
        row = y - _TITLE_ROWS + round(self.scroll_y)
        strip = None
        if row < len(self._rows):
            number = self._rows.id_at(row)
            look = "cursor" if number == self.selected else "hover" if number == self._hovered else ""
            strip = self.draw_row(number, look, width)
        return Strip.blank(width, self.rich_style) if strip is None else strip

    def _empty_line(self, y: int, width: int) -> Strip:
        if self._words is None:
            self._words = [self.said] if self._rows is None else self.empty()
        lines = self._words
        at = y - max(0, (self.size.height - len(lines)) // 2)
        text = lines[at] if 0 <= at < len(lines) else ""
        before = " " * ((width - cell_len(text)) // 2)
        style = self.style("quiet")
        return Strip([Segment(before + text, style)]).crop_extend(0, width, style)

    def style(self, name: str) -> Style:
        """That of a component class of this list, or of its plain text."""
        return self.get_component_rich_style(f"row-list--{name}") if name else self.rich_style
