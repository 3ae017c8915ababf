"""A text that changes often, as when somebody goes through a list with the arrow keys."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Words(Static):
    """The screen is laid out anew only where another text needs another size: that takes as long as all else."""

    def __init__(self, id: str) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self._said = Content()

    def say(self, words: str | Content) -> None:
        """Shows this as it is: clean it first. Where there is nothing, it takes no room."""
        said = Content(words) if isinstance(words, str) else words
        self.display = bool(said)
        if not said.is_same(self._said):
            self._said = said
            self.update(said, layout=False)
            if not self._fits(said):
                self.refresh(layout=True)

    def _fits(self, said: Content) -> bool:
        width, height = self.content_size
        if self.styles.is_auto_width and said.cell_length != width:
            return False
        return width > 0 and len(said.wrap(width)) == height
