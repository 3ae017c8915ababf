"""A trouble, as it is written on the screen."""

from __future__ import annotations

from imm_tui.errors import Refused
from imm_tui.tui import trouble_words


def test_a_trouble_is_told_whole_and_clean() -> None:
    what, rest = trouble_words.parts(Refused("Refused\x1b[31m.", "Because.", "Do this.", request_id="R-1"))
    assert what == "Refused␛[31m."
    assert rest == "Because. Do this. RequestId R-1."
