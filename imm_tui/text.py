"""Untrusted text → what may be shown to a person.

A terminal obeys control characters, and neither Textual nor Rich keeps them from it. So whatever came from outside
(a message, an object's name, an error of the service, a config value) passes here on its way to a screen or to stdout.
The history and `--json` keep the text as it came.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from contextlib import suppress

LINE_LENGTH = 1_000
"""Characters of a one-line text that are worth showing; a longer one is cut, and says so."""

BLOCK_LENGTH = 200_000
"""The same for a text of many lines: more than an MNS message can hold, even with every character escaped."""

_MARKS = 4
"""Combining marks that one character may carry: no language needs more, and a pile of them paints over other lines."""

# What is not a picture but an instruction: C0, DEL and C1; bidi marks and overrides, which reorder what is beside them;
# zero-width and variation marks, on whose width terminals disagree; line separators; lone surrogates, no text at all.
_HAZARD = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_IN_LINE = re.compile(f"[\t\n{_HAZARD}]")
_IN_BLOCK = re.compile(f"[{_HAZARD}]")


def _picture(match: re.Match[str]) -> str:
    """The visible stand-in for one hazardous character."""
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)  # U+2400 CONTROL PICTURES: ␛ for ESC, ␊ for LF
    if code == 0x7F:
        return "␡"
    return "\ufffd"


def line(text: object, limit: int | None = LINE_LENGTH) -> str:
    """`text` fit for one line: no control character, no line break, at most `limit` characters.

    What a person puts in is never to be cut: there `limit` is None, here and in `block`.
    """
    return _pared(_IN_LINE.sub(_picture, _cut(str(text), limit)))


def block(text: str, limit: int | None = BLOCK_LENGTH) -> str:
    """`text` fit for many lines: its line breaks and tabs stay, every other control character is made visible."""
    return _pared(_IN_BLOCK.sub(_picture, _cut(text.replace("\r\n", "\n"), limit)))


def say(text: object) -> None:
    """One line on stderr, cleaned, where there is still somebody to tell."""
    with suppress(OSError):
        print(f"imm-tui: {line(text)}", file=sys.stderr, flush=True)


def _cut(text: str, limit: int | None) -> str:
    return text if limit is None or len(text) <= limit else text[: limit - 1] + "…"


def _pared(text: str) -> str:
    """`text` with every combining mark beyond the first few on a character replaced."""
    # Of a hundred thousand names in Chinese each character is looked at once, not each time that it occurs.
    marks = "".join(mark for mark in set(text) if unicodedata.category(mark) in ("Mn", "Me"))
    if not marks:
        return text
    piled = re.compile(f"([{marks}]{{{_MARKS}}})([{marks}]+)")
    return piled.sub(lambda found: found[1] + "\ufffd" * len(found[2]), text)
