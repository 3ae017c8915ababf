"""The command palette: Textual's, which finds the words that are typed, and speaks our language."""

from __future__ import annotations

import re
from functools import partial
from operator import itemgetter
from typing import Final

from rich.align import Align
from rich.text import Text
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.widgets.option_list import Option

from imm_tui.i18n import _

_BEGINS, _WORD_BEGINS, _INSIDE, _ELSEWHERE = 1.0, 0.8, 0.5, 0.3
"""Where in a command a typed word is found, from the best place on: in its title, or in its explanation."""

NOT: Final = 0.0
"""A command is not found."""


def score(typed: str, title: str, explanation: str) -> float:
    """How well a command fits, as its least fitting word does: each is somewhere in it, whole or as a part."""
    title, explanation = title.casefold(), explanation.casefold()
    return min((_score(word, title, explanation) for word in typed.casefold().split()), default=NOT)


def _score(word: str, title: str, explanation: str) -> float:
    if title.startswith(word):
        return _BEGINS
    if re.search(rf"\b{re.escape(word)}", title):
        return _WORD_BEGINS
    if word in title:  # Chinese has no gaps between its words
        return _INSIDE
    return _ELSEWHERE if word in explanation else NOT


class _Commands(Provider):
    """Those of the app for the screen. Textual's own provider finds letters in their order, however far apart: in whole
    sentences that is nearly anything."""

    async def discover(self) -> Hits:
        commands = self.app.get_system_commands(self.screen)
        for title, explanation, command, _discover in sorted(commands, key=itemgetter(0)):
            yield DiscoveryHit(Content(title), command, text=title, help=explanation)

    async def search(self, query: str) -> Hits:
        for title, explanation, command, _discover in self.app.get_system_commands(self.screen):
            if (fits := score(query, title, explanation)) != NOT:
                yield Hit(fits, self._marked(title, query), command, text=title, help=explanation)

    def _marked(self, title: str, typed: str) -> Content:
        """The title with the typed words to be seen in it."""
        shown = Content(title)
        if self.match_style is not None:
            for found in re.finditer("|".join(map(re.escape, typed.split())), title, re.IGNORECASE):
                shown = shown.stylize(self.match_style, *found.span())
        return shown


class Palette(CommandPalette):
    """Every action by its name."""

    def __init__(self) -> None:
        super().__init__([_Commands], placeholder=_("Search for commands…"), id="--command-palette")

    def _start_no_matches_countdown(self, search_value: str) -> None:
        self._stop_no_matches_countdown()
        tell = partial(self._tell_no_matches, search_value)
        self._no_matches_timer = self.set_timer(self._NO_MATCHES_COUNTDOWN, tell)

    def _tell_no_matches(self, search_value: str) -> None:
        if search_value:
            words = Align.center(Text(_("No command has these words"), style="not bold"))
            self.query_one(CommandList).add_option(Option(words, disabled=True, id=self._NO_MATCHES))
        self._list_visible = bool(search_value)
