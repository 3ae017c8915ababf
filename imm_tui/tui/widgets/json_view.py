"""Raw events, on Textual's Line API: only the lines in sight are coloured and drawn, whatever the size of a body."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalGroup
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, Static

from imm_tui.i18n import N_, _, ngettext
from imm_tui.text import block, line
from imm_tui.tui import json_tree
from imm_tui.tui.cells import fold
from imm_tui.tui.widgets.field import LineInput

_TAB = 4
_LONGEST = 2_000_000
"""Characters of a body that are shown."""

_NO_TOKEN = (0, 0, "")
_TOKEN = re.compile(
    r'(?P<string>"[^"\\]*(?:\\.[^"\\]*)*"?)(?P<key>\s*:)?|(?P<number>-?\d[\d.eE+-]*)|(?P<word>true|false|null)',
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Body:
    """A text under a caption. The caption is clean already; the text is as it came, and is cleaned when it is shown."""

    caption: str
    text: str = ""
    plain: bool = False
    """Nothing in it is coloured."""
    formatted: bool = False
    """Where it is JSON, it is shown as a tree; where it is not, it is shown as it came, and the caption says so."""


@dataclass(slots=True, eq=False)
class _Document:
    """A body as lines, the caption's before its own."""

    body: Body
    tree: list[json_tree.Node] | None
    captions: int
    texts: list[str]
    """What each line says when nothing is folded."""
    number: int = 0
    """Its place among those that are shown."""
    tokens: dict[int, list[tuple[int, int, str]]] = field(default_factory=dict)
    """The colours of a line, once it has been drawn."""

    def node(self, number: int) -> json_tree.Node | None:
        return self.tree[number - self.captions] if self.tree and number >= self.captions else None

    def visible(self) -> Iterator[int]:
        """The lines that no fold hides."""
        number = 0
        while number < len(self.texts):
            yield number
            node = self.node(number)
            number = number + 1 if node is None or not node.folded else self.captions + node.end + 1

    def fold(self, node: json_tree.Node, folded: bool) -> None:
        node.folded = folded
        self.tokens.pop(self.captions + node.line, None)

    def text(self, number: int) -> str:
        """What a line says as it is folded now."""
        node = self.node(number)
        return self.texts[number] if node is None or not node.folded else f"{node.folded_text} {_size(node)}"

    def pieces(self, number: int, start: int, end: int) -> list[tuple[str, str]]:
        """A part of a line as texts and what each is: a key, a string, a number, a word, or nothing of the sort."""
        text = self.text(number)
        if number < self.captions:
            return [(text[start:end], "caption")]
        tokens = self.tokens.get(number)
        if tokens is None:
            tokens = self.tokens[number] = [_NO_TOKEN] if self.body.plain else [_NO_TOKEN, *self._tokens(number, text)]
        found: list[tuple[str, str]] = []
        at = start
        for index in range(max(bisect_right(tokens, (start,)) - 1, 0), len(tokens)):
            begin, stop, kind = tokens[index]
            if begin >= end:
                break
            if stop > at:
                found += [(text[at : max(begin, at)], ""), (text[max(begin, at) : min(stop, end)], kind)]
                at = min(stop, end)
        return [piece for piece in [*found, (text[at:end], "")] if piece[0]]

    def _tokens(self, number: int, text: str) -> Iterator[tuple[int, int, str]]:
        node = self.node(number)
        if node is not None and node.foldable and number == self.captions + node.line:
            yield node.mark, node.mark + len(json_tree.OPEN), "caption"
        told = len(node.folded_text) if node is not None and node.folded else len(text)
        for match in _TOKEN.finditer(text, 0, told):
            yield (*(match.span("string") if match["string"] else match.span()), match.lastgroup or "")
        if told < len(text):
            yield told, len(text), "caption"


def _size(node: json_tree.Node) -> str:
    if node.brackets == "{}":
        return ngettext("{count} key", "{count} keys", node.size).format(count=f"{node.size:,}")
    return ngettext("{count} item", "{count} items", node.size).format(count=f"{node.size:,}")


def _document(body: Body) -> _Document:
    caption = body.caption
    tree = json_tree.parse(body.text) if body.formatted else None
    if tree is not None:
        texts = [node.text(number) for number, node in enumerate(tree)]
    else:
        if body.formatted and body.text:
            caption = " · ".join(part for part in (caption, _("no JSON: shown as it came")) if part)
        texts = block(body.text, _LONGEST).expandtabs(_TAB).split("\n") if body.text else []
    captions = caption.split("\n")
    return _Document(body, tree, len(captions), captions + texts)


class _Row(NamedTuple):
    """What one line of the screen shows: a part of a document's line, or nothing between two documents."""

    document: _Document | None
    line: int = 0
    start: int = 0
    end: int = 0
    hang: int = 0
    """Blanks in front of it: a line of a tree goes on below its beginning."""


def _rows(document: _Document, width: int) -> Iterator[_Row]:
    for number in document.visible():
        text = document.text(number)
        if len(text) * (1 if text.isascii() else 2) <= width:  # no glyph is wider
            yield _Row(document, number, 0, len(text))
            continue
        node = document.node(number)
        start, end = next(fold(text, width))
        yield _Row(document, number, start, end)
        if end < len(text):
            hang = 0 if node is None else min(node.mark + 2 * len(json_tree.OPEN), width // 2)
            for start, stop in fold(text[end:], width - hang):
                yield _Row(document, number, end + start, end + stop, hang)


class JsonView(ScrollView, can_focus=True, inherit_bindings=False):
    """Texts, coloured as JSON and wrapped so that they can be read; what is no JSON is shown all the same.

    What is formatted can be folded. Its part under the cursor can be copied, and the way there; of a text that is shown
    as it came, all of it. A text can be looked for, in a line at the bottom of the widget that this one is in.
    """

    BINDING_GROUP_TITLE = N_("JSON")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", N_("Up"), show=False, id="json.up", tooltip=N_("One line up")),
        Binding("down,j", "move(1)", N_("Down"), show=False, id="json.down", tooltip=N_("One line down")),
        Binding("pageup", "page(-1)", N_("Page up"), show=False, id="json.page-up", tooltip=N_("One page up")),
        Binding("pagedown", "page(1)", N_("Page down"), show=False, id="json.page-down", tooltip=N_("One page down")),
        Binding("home", "end(-1)", N_("Top"), show=False, id="json.top", tooltip=N_("To the first line")),
        Binding("end", "end(1)", N_("Bottom"), show=False, id="json.bottom", tooltip=N_("To the last line")),
        Binding("space,enter", "toggle_fold", N_("fold"), id="json.toggle", tooltip=N_("Fold or open it")),
        Binding("left", "close", N_("Fold"), show=False, id="json.fold", tooltip=N_("Fold it, or go to what it is in")),
        Binding("right", "open", N_("Open"), show=False, id="json.open", tooltip=N_("Open what is folded here")),
        Binding("minus", "fold_all(True)", N_("Fold all"), show=False, id="json.fold-all", tooltip=N_("Fold all")),
        Binding("plus", "fold_all(False)", N_("Open all"), show=False, id="json.open-all", tooltip=N_("Open all")),
        Binding(
            "slash",
            "search",
            N_("find"),
            id="json.search",
            tooltip=N_("Find a text in what is shown here"),
            priority=True,  # else what is typed right after it would be keys of this view
        ),
        Binding("n", "next(1)", N_("next"), id="json.next", tooltip=N_("The next place where it was found")),
        Binding("N", "next(-1)", N_("before"), show=False, id="json.previous", tooltip=N_("The place before")),
        Binding("escape", "end_search", N_("end"), id="json.end-search", tooltip=N_("End the search")),
        Binding("y", "copy", N_("copy"), id="json.copy", tooltip=N_("Copy the value under the cursor")),
        Binding("Y", "copy_path", N_("path"), show=False, id="json.copy-path", tooltip=N_("Copy the path to it")),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "json-view--caption",
        "json-view--key",
        "json-view--string",
        "json-view--number",
        "json-view--word",
        "json-view--cursor",
        "json-view--match",
        "json-view--current",
    }

    class Copied(Message):
        """A text is to be copied as it is; `what` says to a person what it is."""

        def __init__(self, text: str, what: str) -> None:
            super().__init__()
            self.text = text
            self.what = what

    def __init__(self) -> None:
        super().__init__()
        self._documents: list[_Document] = []
        self._rows: list[_Row] = []
        self._cursor = 0
        """The number of a row."""
        self._width = 0
        self._search_line: SearchLine | None = None
        self._sought = ""
        self._matches: list[tuple[int, int, int, int]] = []
        """Of each its document's number, its line there, and its start and end in that."""
        self._match = 0
        self._began = (0, 0, 0)
        """Where the cursor was when the search began."""

    def show(self, bodies: Sequence[Body]) -> None:
        """Shows these, from the top; where one among them is shown already, what is in sight of it stays."""
        if [document.body for document in self._documents] == list(bodies):
            return
        before = self._tells
        known = {document.body: document for document in self._documents}
        self._documents = [known.get(body) or _document(body) for body in bodies]
        for number, document in enumerate(self._documents):
            document.number = number
        self._find()
        self._lay_out()
        if self._tells != before:
            self.refresh_bindings()  # the footer is too dear for every task

    # Rows

    def on_resize(self) -> None:
        width = self.scrollable_content_region.width
        if width != self._width:
            self._width = width
            self._lay_out()

    def _lay_out(self) -> None:
        """Finds the rows anew. The cursor, and what is at the top, stay on their lines."""
        before, top = self._rows, round(self.scroll_y)
        self._rows = []
        for document in self._documents if self._width > 0 else ():
            if self._rows:
                self._rows.append(_Row(None))
            self._rows += _rows(document, self._width)
        self._cursor, top = (self._row_of(before[at]) if at < len(before) else 0 for at in (self._cursor, top))
        self.virtual_size = Size(0, len(self._rows))
        self.scroll_to(y=top, animate=False, immediate=True, force=True)
        self.refresh()

    def _row_of(self, place: _Row) -> int:
        """The row that shows this place, or what it is folded into; the first where it is not shown any more."""
        found = 0
        for number, row in enumerate(self._rows):
            if row.document is place.document:
                if (row.line, row.start) > (place.line, place.start):
                    break
                found = number
        return found

    # The cursor

    @property
    def _here(self) -> _Row:
        return self._rows[self._cursor] if self._cursor < len(self._rows) else _Row(None)

    @property
    def _node(self) -> json_tree.Node | None:
        """What is under the cursor, in a tree."""
        row = self._here
        return None if row.document is None else row.document.node(row.line)

    def _go(self, row: int) -> None:
        """Puts the cursor on a row, and brings that into sight."""
        self._cursor = max(0, min(row, len(self._rows) - 1))
        height = self.scrollable_content_region.height
        if self._cursor < self.scroll_y:
            self.scroll_to(y=self._cursor, animate=False, immediate=True)
        elif self._cursor >= self.scroll_y + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False, immediate=True)
        self.refresh()

    def action_move(self, rows: int) -> None:
        self._go(self._cursor + rows)

    def action_page(self, direction: int) -> None:
        self._go(self._cursor + direction * max(1, self.scrollable_content_region.height - 1))

    def action_end(self, direction: int) -> None:
        self._go(0 if direction < 0 else len(self._rows) - 1)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or self.text_selection is not None:
            return
        row = round(self.scroll_y) + offset.y
        if row < len(self._rows):
            self._go(row)
            node = self._node
            if node is not None and self._here.start == 0 and 0 <= offset.x - node.mark < len(json_tree.OPEN):
                self.action_toggle_fold()

    # Folding

    def _fold(self, node: json_tree.Node, folded: bool) -> None:
        document = self._here.document
        if document is not None and node.foldable and node.folded != folded:
            document.fold(node, folded)
            self._lay_out()
            self._go(self._cursor)

    def action_toggle_fold(self) -> None:
        if (node := self._node) is not None:
            self._fold(node, not node.folded)

    def action_open(self) -> None:
        if (node := self._node) is not None:
            self._fold(node, False)

    def action_close(self) -> None:
        """Folds what is under the cursor; where that is folded already, or cannot be, goes to what it is in."""
        node, document = self._node, self._here.document
        if node is None or document is None:
            return
        if node.foldable and not node.folded:
            self._fold(node, True)
        elif node.parent is not None:
            self._go(self._row_of(_Row(document, document.captions + node.parent.line)))

    def action_fold_all(self, folded: bool) -> None:
        """Folds or opens all; what a body is as a whole stays open."""
        for document in self._documents:
            for node in document.tree or ():
                if node.foldable and node.folded != (folded and node.parent is not None):
                    document.fold(node, not node.folded)
        self._lay_out()
        self._go(self._cursor)

    # Searching

    async def action_search(self) -> None:
        row = self._here
        self._began = (row.document.number if row.document is not None else 0, row.line, row.start)
        if self._search_line is None:
            assert isinstance(self.parent, Widget)
            self._search_line = SearchLine(self)
            await self.parent.mount(self._search_line, after=self)
            self.refresh_bindings()
        self._search_line.focus_input()

    def search(self, text: str) -> None:
        """Looks for a text, in any case of its letters, and goes to the first place from where the cursor was."""
        self._sought = text
        self._find()
        self._match = bisect_left(self._matches, self._began) % max(1, len(self._matches))
        self._reveal()

    def _find(self) -> None:
        pattern = re.compile(re.escape(self._sought), re.IGNORECASE)
        self._matches = [
            (document.number, number, *found.span())
            for document in (self._documents if self._sought else ())
            for number in range(document.captions, len(document.texts))
            for found in pattern.finditer(document.texts[number])
        ]
        self._match = min(self._match, max(0, len(self._matches) - 1))
        self._tell()

    def _tell(self) -> None:
        if self._search_line is not None:
            count = f"{self._match + 1}/{len(self._matches)}" if self._matches else _("not found")
            self._search_line.tell(count if self._sought else "")

    def _reveal(self) -> None:
        """Brings the match of the moment into sight, with whatever is folded round it opened."""
        self._tell()
        if self._matches:
            number, at, start, _end = self._matches[self._match]
            document = self._documents[number]
            node = document.node(at)
            if node is not None and at == document.captions + node.line:
                node = node.parent
            folded = False
            while node is not None:
                if node.folded:
                    document.fold(node, False)
                    folded = True
                node = node.parent
            if folded:
                self._lay_out()
            row, height = self._row_of(_Row(document, at, start)), self.scrollable_content_region.height
            if not self.scroll_y <= row < self.scroll_y + height - 1:
                self.scroll_to(y=row - height // 2, animate=False, immediate=True)
            self._go(row)
        self.refresh()

    def action_next(self, step: int) -> None:
        if self._matches:
            self._match = (self._match + step) % len(self._matches)
            self._reveal()

    def action_end_search(self) -> None:
        search_line, self._search_line = self._search_line, None
        if search_line is not None:
            if search_line.has_focus_within:
                self.screen.set_focus(self)
            search_line.remove()
            self.search("")
            self.refresh_bindings()

    def on_hide(self) -> None:
        self.action_end_search()

    # Copying

    def action_copy(self) -> None:
        node, document = self._node, self._here.document
        if node is not None:
            self.post_message(self.Copied(node.value, _("the value of {path}").format(path=line(node.path, 60))))
        elif document is not None and document.body.text:
            self.post_message(self.Copied(document.body.text, _("the text as it came")))

    def action_copy_path(self) -> None:
        if (node := self._node) is not None:
            self.post_message(self.Copied(node.path, _("the path {path}").format(path=line(node.path, 60))))

    @property
    def _tells(self) -> tuple[bool, bool]:
        """Whether there is any text, and a tree among what is shown."""
        texts = any(document.body.text for document in self._documents)
        return texts, any(document.tree for document in self._documents)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        texts, trees = self._tells
        match action:
            case "next" | "end_search":
                return self._search_line is not None
            case "toggle_fold" | "open" | "close" | "fold_all" | "copy_path":
                return trees
            case "search" | "copy":
                return texts
        return super().check_action(action, parameters)

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        number = round(self.scroll_y) + y
        base = self.rich_style
        row = self._rows[number] if number < len(self._rows) else _Row(None)
        document = row.document
        if document is None:
            return Strip.blank(width, base).apply_offsets(0, number)
        segments = [Segment(" " * row.hang, base)] if row.hang else []
        segments += [Segment(text, self._style(kind)) for text, kind in document.pieces(row.line, row.start, row.end)]
        at_cursor = number == self._cursor or (row[:2] == self._here[:2] and document.node(row.line) is not None)
        if at_cursor:
            background = Style(bgcolor=self._style("cursor").bgcolor)
            base += background
            segments = [Segment(text, style and style + background) for text, style, _control in segments]
        for start, end, kind in self._matches_in(document, row):
            segments = _marked(segments, start, end, self._style(kind))
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(number)) is not None:
            segments = _marked(segments, *span, self.screen.get_component_rich_style("screen--selection"))
        return Strip(segments).crop_extend(0, width, base).apply_offsets(0, number)

    def _matches_in(self, document: _Document, row: _Row) -> Iterator[tuple[int, int, str]]:
        """Where in a row something was found, and which of the places it is."""
        first = (document.number, row.line, row.start - len(self._sought))
        for number in range(bisect_left(self._matches, first), len(self._matches)):
            *where, start, end = self._matches[number]
            if where != [document.number, row.line] or start >= row.end:
                break
            if end > row.start:
                kind = "current" if number == self._match else "match"
                yield max(start, row.start) - row.start + row.hang, min(end, row.end) - row.start + row.hang, kind

    def _style(self, kind: str) -> Style:
        return self.get_component_rich_style(f"json-view--{kind}") if kind else self.rich_style

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What the mouse selected: a line that was wrapped is one again, and the marks of folding are no part of it."""
        first = selection.start.y if selection.start is not None else 0
        last = selection.end.y if selection.end is not None else len(self._rows) - 1
        parts: list[str] = []
        for number in range(first, min(last + 1, len(self._rows))):
            row, span = self._rows[number], selection.get_span(number)
            if row.start == 0 and parts:
                parts.append("\n")
            if row.document is not None and span is not None:
                start, end = (max(0, at - row.hang) for at in span)
                text = row.document.text(row.line)
                node = row.document.node(row.line)
                if node is not None:
                    text = text[: node.mark].ljust(node.mark + len(json_tree.OPEN)) + text[node.mark + 2 :]
                parts.append(text[row.start : row.end][start : None if span[1] == -1 else end])
        return "".join(parts), "\n"


def _marked(segments: list[Segment], start: int, end: int, style: Style) -> list[Segment]:
    """The segments with the characters from `start` to `end` (-1: the last) in a style of their own."""
    marked: list[Segment] = []
    at = 0
    for text, own, _control in segments:
        first = min(max(start - at, 0), len(text))
        last = len(text) if end == -1 else min(max(end - at, first), len(text))
        parts = ((text[:first], own), (text[first:last], style), (text[last:], own))
        marked += [Segment(*part) for part in parts if part[0]]
        at += len(text)
    return marked


class SearchLine(HorizontalGroup):
    """What is looked for in a view, as it is typed, and how often it is there."""

    BINDING_GROUP_TITLE = N_("Find")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", N_("end"), id="find.close", tooltip=N_("End the search")),
        # Before the field takes it, as all that come at once are: the next key is the view's.
        Binding("enter", "leave", N_("done"), id="find.leave", tooltip=N_("To what was found"), priority=True),
        Binding("down", "next(1)", N_("next"), id="find.next", tooltip=N_("The next place"), priority=True),
        Binding("up", "next(-1)", N_("before"), id="find.previous", tooltip=N_("The place before"), priority=True),
    ]

    def __init__(self, view: JsonView) -> None:
        super().__init__()
        self._view = view

    def compose(self) -> ComposeResult:
        yield Static("/", id="sign")
        yield LineInput(compact=True, id="sought")
        yield Static(id="count", markup=False)

    def focus_input(self) -> None:
        self.screen.set_focus(self.query_one(LineInput))

    def tell(self, count: str) -> None:
        self.query_one("#count", Static).update(count)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._view.search(event.value)

    def action_leave(self) -> None:
        self.screen.set_focus(self._view)

    def action_next(self, step: int) -> None:
        self._view.action_next(step)

    def action_close(self) -> None:
        self._view.action_end_search()
