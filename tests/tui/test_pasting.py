"""What is pasted is text, whatever is in it and in however many pieces it comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from imm_tui.tui.pasting import PasteParser

START, END = "\x1b[200~", "\x1b[201~"
TEXT = st.lists(st.sampled_from(["\x1b", "[", "20", "1", "~", START, "q", "\0", "文"]), max_size=12).map("".join)


def pieces(text: str, cuts: Sequence[int]) -> Iterator[str]:
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    yield from (text[start:end] for start, end in pairwise(edges))


def heard(texts: Iterator[str]) -> list[Message]:
    parser = PasteParser()
    return [message for text in texts for message in parser.feed(text)]


@given(pasted=TEXT.filter(lambda text: END not in text + END[:-1]), cuts=st.lists(st.integers(0, 200), max_size=6))
@example(pasted="x \x1b[z q \x1b" + "q" * 40, cuts=[])
@example(pasted="a\x1b[201", cuts=[3, 8, 12])
def test_a_paste_is_one_text_between_two_keys(pasted: str, cuts: list[int]) -> None:
    first, *paste, last = heard(pieces(f"a{START}{pasted}{END}b", cuts))
    assert [key.key for key in (first, last) if isinstance(key, events.Key)] == ["a", "b"]
    texts = [event.text for event in paste if isinstance(event, events.Paste)]
    assert texts == [pasted.replace("\x1b", "␛").replace("\0", "␀")] if pasted else not any(texts)
    assert len(paste) == len(texts)


@pytest.mark.parametrize("cuts", [[], [1], [2, 3]])
def test_keys_are_what_they_were(cuts: list[int]) -> None:
    keys = [message.key for message in heard(pieces("\x1b[Aq\x1b[B", cuts)) if isinstance(message, events.Key)]
    assert keys == ["up", "q", "down"]
