"""A trouble in full: what happened, why, what to do next. It stands under the header for as long as it lasts."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from imm_tui.errors import Trouble
from imm_tui.tui import trouble_words
from imm_tui.tui.theme import QUIET


class TroubleBanner(Static):
    """Hidden while there is no trouble."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Trouble | None, bool, str] = (None, False, "")
        self.display = False

    def show(self, trouble: Trouble | None, *, stopped: bool = False, hint: str = "") -> None:
        """`stopped`: it will not go away by itself. `hint` says which key helps."""
        if (trouble, stopped, hint) == self._shown:
            return
        self._shown = (trouble, stopped, hint)
        self.display = trouble is not None
        self.set_class(stopped, "stopped")
        if trouble is not None:
            what, rest = trouble_words.parts(trouble)
            self.update(Content.assemble((what, "bold"), " ", rest, (f" {hint}" if hint else "", QUIET)))
