"""What a terminal sends of a paste is text to its very end, whatever is in it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.message import Message

_USERS = ("textual.drivers.linux_driver", "textual.drivers.win32")
"""The modules that make a parser of what a terminal sends."""

_PICTURES = str.maketrans({"\x1b": "␛", "\0": "␀"})


class PasteParser(XTermParser):
    """Textual's own takes an ESC within a paste for the beginning of a key, and then the rest for keys that are
    pressed: a `q` among them would quit. It also drops every NUL, which makes another name of a name.

    Here both are the pictures that text.py has for them before Textual reads them.
    """

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._pasting = False
        self._last = ""
        """The last characters that were fed, among which a paste may begin that goes on in the next."""
        self._held = ""
        """The last characters of a paste, with which its end may begin; they are fed with the next."""

    def feed(self, data: str) -> Iterable[Message]:
        if data and not (data := self._pictured(data)):
            return ()  # to be fed with the next: "" would be the end of the input
        return super().feed(data)

    def _pictured(self, data: str) -> str:
        """What is to be fed now; of a paste in pieces that can be nothing yet."""
        fed = ""
        while data:
            if self._pasting:
                text, end, rest = (self._held + data).partition(BRACKETED_PASTE_END)
                self._held = "" if end else _beginning(text, BRACKETED_PASTE_END)
                fed += text.removesuffix(self._held).translate(_PICTURES) + end
                self._pasting, self._last, data = not end, "", rest
            else:
                before, start, rest = (self._last + data).partition(BRACKETED_PASTE_START)
                fed += (before + start)[len(self._last) :]
                self._pasting, self._last, data = bool(start), _beginning(before, BRACKETED_PASTE_START), rest
        return fed


def _beginning(text: str, sequence: str) -> str:
    """As much of the end of `text` as `sequence` begins with."""
    lengths = range(len(sequence) - 1, 0, -1)
    return next((sequence[:length] for length in lengths if text.endswith(sequence[:length])), "")


@contextmanager
def whole_pastes() -> Iterator[None]:
    """The terminals that Textual opens meanwhile have pastes that are whole."""
    users = [module for name in _USERS if (module := sys.modules.get(name)) is not None]
    for module in users:
        setattr(module, "XTermParser", PasteParser)  # noqa: B010 - Textual has no other way to choose one
    try:
        yield
    finally:
        for module in users:
            setattr(module, "XTermParser", XTermParser)  # noqa: B010
