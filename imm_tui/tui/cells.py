"""Text that fits a number of cells, as wide as the terminal draws it: cut, filled up, folded."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len, get_character_cell_size, set_cell_size

NOTHING = "–"
"""Stands where there is no figure."""


def fold(text: str, width: int) -> Iterator[tuple[int, int]]:
    """Where `text` is cut so that it fits `width` cells: the start and end of each line. A wide glyph is not halved."""
    start = 0
    for source_line in text.split("\n"):
        end = start + len(source_line)
        if source_line.isascii():
            for cut in range(start, max(end, start + 1), width):
                yield cut, min(cut + width, end)
        else:
            yield from _fold_wide(source_line, start, width)
        start = end + 1


def _fold_wide(source_line: str, offset: int, width: int) -> Iterator[tuple[int, int]]:
    start, cells = 0, 0
    for at, character in enumerate(source_line):
        size = get_character_cell_size(character)
        if cells + size > width and at > start:
            yield offset + start, offset + at
            start, cells = at, 0
        cells += size
    yield offset + start, offset + len(source_line)


def fit(text: str, cells: int) -> str:
    """`text` in exactly `cells` cells: filled up with blanks, or cut with an ellipsis."""
    if cell_len(text) <= cells:
        return set_cell_size(text, cells)
    return f"{set_cell_size(text, cells - 1)}…" if cells > 0 else ""


def fit_end(text: str, cells: int) -> str:
    """`text` in exactly `cells` cells; of a longer one the end."""
    over = cell_len(text) - cells
    if over <= 0 or cells < 1:
        return fit(text, cells)
    cut = 0
    while over >= 0:  # room for the ellipsis as well
        over -= cell_len(text[cut])
        cut += 1
    return fit(f"…{text[cut:]}", cells)


def fit_right(text: str, cells: int) -> str:
    """Like `fit`, with the blanks in front of it: a figure under the other figures."""
    return fit(" " * (cells - cell_len(text)) + text, cells)
