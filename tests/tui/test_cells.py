"""Text in cells, as wide as the terminal draws it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from imm_tui.tui.cells import fit, fit_end, fold

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from("\n页x"))


@given(texts, st.integers(2, 30))
def test_folding_loses_nothing_and_fits(text: str, width: int) -> None:
    pieces = [text[start:end] for start, end in fold(text, width)]
    assert "".join(pieces) == text.replace("\n", "")
    assert len(pieces) >= len(text.split("\n"))
    assert all(cell_len(piece) <= width for piece in pieces)


def test_folding_keeps_empty_lines() -> None:
    assert [("a\n\nbc")[start:end] for start, end in fold("a\n\nbc", 1)] == ["a", "", "b", "c"]


@given(texts.map(lambda text: text.replace("\n", "")), st.integers(0, 30))
def test_fitting_fills_the_cells_exactly(text: str, cells: int) -> None:
    assert cell_len(fit(text, cells)) == cell_len(fit_end(text, cells)) == cells


def test_a_cut_name_ends_in_an_ellipsis_and_halves_no_glyph() -> None:
    assert fit("很长的中文名字.docx", 8) == "很长的 …"
    assert fit("short", 8) == "short   "
    assert fit_end("很长的中文名字.docx", 8) == "…字.docx"
