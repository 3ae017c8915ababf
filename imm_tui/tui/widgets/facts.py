"""Facts, each with its label, in two columns that line up in any language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from imm_tui.tui.cells import fit

_GAP = 2
"""Cells between the columns."""


class Facts(Widget):
    """The labels in a column as wide as the widest of them, at most half of all; the values wrapped beside them.

    It is one widget: as two for each fact they took longer to be laid out than everything else on the screen.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"facts--label"}

    def __init__(self) -> None:
        super().__init__()
        self._facts: Sequence[tuple[str, str]] = ()

    def show(self, facts: Sequence[tuple[str, str]]) -> None:
        """Shows these as they are: clean them first. What has not changed is not drawn again."""
        if facts != self._facts:
            self._facts = facts
            self.refresh(layout=len(self._lines(self.size.width)) != self.size.height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        return list(self._drawn(width)) if width > 0 else []

    def _drawn(self, width: int) -> Iterator[Content]:
        labels = min(max((cell_len(label) for label, _value in self._facts), default=0), width // 2 - _GAP)
        first = labels + _GAP
        style = self.get_visual_style("facts--label", partial=True)
        for label, value in self._facts:
            before = Content.styled(fit(label, labels) + " " * _GAP, style)
            for value_line in Content(value).wrap(max(width - first, 1)):
                yield before + value_line
                before = Content(" " * first)
