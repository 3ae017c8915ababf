"""The keys that matter at the moment, in the last line: as many as there is room for, each of them whole."""

from __future__ import annotations

from rich.cells import cell_len
from textual import events, widgets
from textual.app import ComposeResult
from textual.widgets._footer import FooterKey

_PADDING, _COMPACT = 3, 2
"""Blanks round a key and its word."""

_EDGE = 2
"""Cells in front of the palette's key and behind it."""


class Footer(widgets.Footer):
    """Textual's would show the half of a word at the right edge. A key that has no room is in the help."""

    def compose(self) -> ComposeResult:
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        blanks = _COMPACT if self.compact else _PADDING
        room = self.app.size.width + (1 if self.compact else 0)  # behind the last none is needed
        # The palette's comes last, and has its place at the right.
        for key in sorted(keys, key=lambda key: not key.has_class("-command-palette")):
            cells = self._cells(key, blanks) + (_EDGE if key.has_class("-command-palette") else 0)
            if cells <= room:
                room -= cells
                yield key

    @staticmethod
    def _cells(key: FooterKey, blanks: int) -> int:
        return cell_len(key.key_display) + cell_len(key.description) + blanks

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.recompose)
