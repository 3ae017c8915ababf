"""The rows of a dry run: from which line, which document goes where, and what speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from imm_tui.dry_run import Note, Row
from imm_tui.i18n import _
from imm_tui.text import line
from imm_tui.tui.cells import fit, fit_end, fit_right
from imm_tui.tui.task_index import Found
from imm_tui.tui.widgets.row_list import RowList

SHAPES = {Note.GOOD: " ", Note.WRONG: "✘", Note.DUPLICATE: "·", Note.COLLISION: "!", Note.OVERWRITES: "!"}
LOOKS = {Note.WRONG: "wrong", Note.COLLISION: "warned", Note.OVERWRITES: "warned"}

_BOTH = 56
"""Cells from which on source and target stand side by side; below, the target is under the list."""


class PreviewList(RowList):
    """All rows, or those alone that there is something to say of."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"preview-list--wrong", "preview-list--warned"}

    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__()
        self._all = rows
        self._figures = max(cell_len(_("line")), len(f"{rows[-1].line:,}") if rows else 0)
        self.border_title = _("Sources")
        notes = {row.note for row in rows} - {Note.GOOD}
        self._notes = max((cell_len(_(note)) for note in notes), default=0)

    def on_mount(self) -> None:
        self.show_rows(Found(range(len(self._all))))

    def show_noted(self, only: bool) -> None:
        """Whether rows that are good are left out."""
        found = (number for number, row in enumerate(self._all) if row.note is not Note.GOOD or not only)
        self.show_rows(Found(list(found)), self.place())

    @property
    def row(self) -> Row | None:
        """The one that is selected."""
        return self._all[self.selected] if self.selected is not None else None

    def to_noted(self, step: int) -> None:
        """Selects the next row, or the one before, that there is something to say of; at the end it begins anew."""
        count = len(self._all)
        start = self.selected or 0
        around = ((start + step * away) % count for away in range(1, count + 1))
        found = next((number for number in around if self._all[number].note is not Note.GOOD), None)
        if found is not None:
            self.select(found)

    def empty(self) -> Sequence[str]:
        return (_("No line speaks against it"),)

    def draw_titles(self, width: int) -> Strip:
        style = self.style("titles")
        words = self._laid_out(width, "", _("line"), "", _("source"), _("target"))
        return Strip([Segment("".join(words), style)]).crop_extend(0, width, style)

    def draw_row(self, number: int, look: str, width: int) -> Strip | None:
        row = self._all[number]
        base = self.style(look)
        quiet = base + Style(color=self.style("quiet").color)
        noted = quiet
        if row.note in LOOKS:
            noted = base + Style(color=self.get_component_rich_style(f"preview-list--{LOOKS[row.note]}").color)
        texts = self._laid_out(
            width,
            SHAPES[row.note],
            f"{row.line:,}",
            _(row.note),
            line(row.source),
            line(row.target) if row.target else line(row.why),
            is_place=bool(row.target),
        )
        styles = (noted, quiet, noted, base, quiet if row.target else noted)
        return Strip([Segment(text, style) for text, style in zip(texts, styles, strict=True)]).crop_extend(
            0, width, base
        )

    def _laid_out(
        self, width: int, shape: str, number: str, note: str, source: str, target: str, *, is_place: bool = False
    ) -> Sequence[str]:
        """Each text in its column. Where a place does not fit its end is shown, which tells it from its neighbours;
        `target` is a place, or words that speak against it."""
        before = f" {fit(shape, 1)}", f" {fit_right(number, self._figures)}  "
        noted = f"{fit(note, self._notes)}  " if self._notes else ""
        left = max(width - sum(map(cell_len, (*before, noted))), 0)
        if left < _BOTH:
            return *before, noted, fit_end(source, left), ""
        half = left // 2 - 2
        rest = left - half - 2
        fit_target = fit_end if is_place else fit
        return *before, noted, fit_end(source, half) + "  ", fit_target(target, rest)
