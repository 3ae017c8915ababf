"""Raw events, on Textual's Line API: only the lines in sight are coloured and drawn, whatever the size of a body."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from imm_tui.tui import view

_TAB = 4
_NO_TOKEN = (0, 0, "")
_TOKEN = re.compile(
    r'(?P<string>"[^"\\]*(?:\\.[^"\\]*)*"?)(?P<key>\s*:)?|(?P<number>-?\d[\d.eE+-]*)|(?P<word>true|false|null)',
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Body:
    """A text under a caption. Both are shown as they are: clean them first."""

    caption: str
    text: str = ""
    plain: bool = False
    """Nothing in it is coloured."""


@dataclass(slots=True)
class _Page:
    """One body, cut into lines of a width; its colours are found when they are first needed."""

    text: str
    lines: list[tuple[int, int]]
    tokens: list[tuple[int, int, str]] = field(default_factory=list)

    def pieces(self, line: int) -> list[tuple[str, str]]:
        """One line as texts and what each is: a key, a string, a number, a word, or nothing of the sort."""
        if not self.tokens:
            self.tokens = [_NO_TOKEN, *_tokens(self.text)]
        start, end = self.lines[line]
        found: list[tuple[str, str]] = []
        at = start
        for index in range(max(bisect_right(self.tokens, (start,)) - 1, 0), len(self.tokens)):
            begin, stop, kind = self.tokens[index]
            if begin >= end:
                break
            if stop > at:
                found += [(self.text[at : max(begin, at)], ""), (self.text[max(begin, at) : min(stop, end)], kind)]
                at = min(stop, end)
        return [piece for piece in [*found, (self.text[at:end], "")] if piece[0]]


def _tokens(text: str) -> list[tuple[int, int, str]]:
    found = []
    for match in _TOKEN.finditer(text):
        begin, stop = match.span("string") if match["string"] else match.span()
        found.append((begin, stop, match.lastgroup or ""))
    return found


class JsonView(Widget):
    """Texts, coloured as JSON and wrapped so that they can be read; what is no JSON is shown all the same."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "json-view--caption",
        "json-view--key",
        "json-view--string",
        "json-view--number",
        "json-view--word",
    }

    def __init__(self) -> None:
        super().__init__()
        self._bodies: Sequence[Body] = ()
        self._width = 0
        self._lines: list[tuple[_Page | None, int, str]] = []

    def show(self, bodies: Sequence[Body]) -> None:
        if bodies != self._bodies:
            self._bodies = bodies
            self._width = 0
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._folded(width))

    def _folded(self, width: int) -> list[tuple[_Page | None, int, str]]:
        """The lines for a width: a line of a page, or a caption's."""
        width = max(width, 1)
        if width != self._width:
            self._width = width
            self._lines = []
            for body in self._bodies:
                if self._lines:
                    self._lines.append((None, 0, ""))
                self._lines += [(None, 0, body.caption[start:end]) for start, end in view.fold(body.caption, width)]
                if body.text:
                    text = body.text.expandtabs(_TAB)
                    page = _Page(text, list(view.fold(text, width)), [_NO_TOKEN] if body.plain else [])
                    self._lines += [(page, line, "") for line in range(len(page.lines))]
        return self._lines

    def _text(self, line: tuple[_Page | None, int, str]) -> str:
        page, number, caption = line
        return caption if page is None else page.text[slice(*page.lines[number])]

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        lines = self._folded(width)
        base = self.rich_style
        if y >= len(lines):
            return Strip.blank(width, base)
        page, number, caption = lines[y]
        pieces = [(caption, "caption")] if page is None else page.pieces(number)
        segments = [Segment(text, self._style(kind)) for text, kind in pieces]
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(y)) is not None:
            segments = self._marked(segments, *span)
        return Strip(segments).crop_extend(0, width, base).apply_offsets(0, y)

    def _style(self, kind: str) -> Style:
        return self.get_component_rich_style(f"json-view--{kind}") if kind else self.rich_style

    # Selecting with the mouse

    def _marked(self, segments: list[Segment], start: int, end: int) -> list[Segment]:
        """The segments with the characters from `start` to `end` (-1: the last) marked as selected."""
        style = self.screen.get_component_rich_style("screen--selection")
        marked: list[Segment] = []
        at = 0
        for text, own, _ in segments:
            first = min(max(start - at, 0), len(text))
            last = len(text) if end == -1 else min(max(end - at, first), len(text))
            parts = ((text[:first], own), (text[first:last], style), (text[last:], own))
            marked += [Segment(*part) for part in parts if part[0]]
            at += len(text)
        return marked

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        return selection.extract("\n".join(map(self._text, self._lines))), "\n"
