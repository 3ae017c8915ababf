"""Nothing that came from outside gives orders to a terminal."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imm_tui.text import BLOCK_LENGTH, LINE_LENGTH, block, line

ORDERS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("5页Word.docx", "5页Word.docx"),
        ("\x1b[2J\x1b]0;title\x07", "␛[2J␛]0;title␇"),
        ("a\tb\r\nc\0", "a␉b␍␊c␀"),
        ("\x7f\x9b31m", "␡\ufffd31m"),
        ("photo\u202egpj.exe", "photo\ufffdgpj.exe"),
        ("a\u200bb\u2028c\ufeff", "a\ufffdb\ufffdc\ufffd"),
        ("lone \ud800", "lone \ufffd"),
        ("[red]markup[/red]", "[red]markup[/red]"),
        ("e\u0301 😀", "e\u0301 😀"),
        ("Vie\u0323\u0302t", "Vie\u0323\u0302t"),
        ("z" + "\u0301" * 6 + "o" + "\u0489" * 5, "z" + "\u0301" * 4 + "\ufffd\ufffdo" + "\u0489" * 4 + "\ufffd"),
    ],
)
def test_a_line_shows_what_would_be_obeyed(text: str, shown: str) -> None:
    assert line(text) == shown


def test_a_block_keeps_its_lines_and_tabs_and_nothing_else() -> None:
    assert block("{\r\n\t1\n}\r\x1b") == "{\n\t1\n}␍␛"


def test_a_long_text_is_cut_and_says_so() -> None:
    assert line("x" * LINE_LENGTH) == "x" * LINE_LENGTH
    assert line("x" * (LINE_LENGTH + 1)) == "x" * (LINE_LENGTH - 1) + "…"
    assert line("abcdef", limit=3) == "ab…"
    assert block("x" * (BLOCK_LENGTH + 1)) == "x" * (BLOCK_LENGTH - 1) + "…"


def test_what_a_person_puts_in_is_not_cut() -> None:
    names = "\n".join(f"oss://b/文档 {number}\x07\u0301.docx" for number in range(20_000))
    assert block(names, limit=None) == names.replace("\x07", "␇")
    assert line(names, limit=None) == names.replace("\x07", "␇").replace("\n", "␊")


def test_a_line_is_made_of_anything_that_has_a_text() -> None:
    assert line(None) == "None"
    assert line(ValueError("a\nb")) == "a␊b"


def test_every_character_that_gives_orders_is_replaced() -> None:
    kept = [
        f"U+{code:04X}"
        for code in range(0x110000)
        for character in [chr(code)]
        if (unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(character) in BIDI)
        and line(character) == character
    ]
    assert kept == []


# Default_Ignorable_Code_Point of Unicode 16, as far as it is assigned: what a terminal may draw with no width at all.
IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u200b\u200c\u200d\u200e\u200f\u2060\u2064"
    "\u206a\u206f\u3164\ufe00\ufe0f\ufeff\uffa0\U0001bca0\U0001bca3\U0001d173\U0001d17a\U000e0001\U000e007f\U000e01ef"
)


@pytest.mark.parametrize("character", IGNORABLE, ids=ascii)
def test_a_character_without_a_picture_gets_one(character: str) -> None:
    assert line(character) == block(character) == "\ufffd"


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_shown_is_harmless_stays_so_and_keeps_its_length(text: str) -> None:
    for shown in (line(text), block(text)):
        assert not ORDERS.search(shown)
        shown.encode()
    assert "\n" not in line(text)
    assert "\t" not in line(text)
    assert len(line(text)) == len(text)
    assert line(line(text)) == line(text)
    assert block(block(text)) == block(text)
