"""The command palette: Textual's, with the one sentence that it has of its own in our language."""

from __future__ import annotations

from functools import partial

from rich.align import Align
from rich.text import Text
from textual.command import CommandList, CommandPalette
from textual.widgets.option_list import Option

from imm_tui.i18n import _


class Palette(CommandPalette):
    """Every action by its name."""

    def __init__(self) -> None:
        super().__init__(placeholder=_("Search for commands…"), id="--command-palette")

    def _start_no_matches_countdown(self, search_value: str) -> None:
        self._stop_no_matches_countdown()
        tell = partial(self._tell_no_matches, search_value)
        self._no_matches_timer = self.set_timer(self._NO_MATCHES_COUNTDOWN, tell)

    def _tell_no_matches(self, search_value: str) -> None:
        if search_value:
            words = Align.center(Text(_("No command has these words"), style="not bold"))
            self.query_one(CommandList).add_option(Option(words, disabled=True, id=self._NO_MATCHES))
        self._list_visible = bool(search_value)
