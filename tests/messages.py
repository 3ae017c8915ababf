"""The catalogue of translations, brought up to date with the texts of the source: what `make messages` runs.

What is written depends on nothing but the source and the translations, so that a change of the catalogue is a change
of a text.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import imm_tui

_SOURCE = Path(imm_tui.__file__).parent
PO = _SOURCE / "locale" / "zh_CN" / "LC_MESSAGES" / "imm_tui.po"
MO = PO.with_suffix(".mo")

_MARKS = ("_", "N_", "ngettext")
_HEADERS = [
    ("Language", "zh_CN"),
    ("Plural-Forms", "nplurals=1; plural=0;"),
    ("MIME-Version", "1.0"),
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Transfer-Encoding", "8bit"),
]


class _Dateless(Catalog):
    """Without the dates, names and addresses that nobody keeps true."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return _HEADERS


def texts() -> Iterator[str | tuple[str, str]]:
    """Every text that the source marks for translation; one and many of a kind as a pair.

    From the syntax tree: Babel looks at tokens, and what stands in an f-string is none in every Python.
    """
    for path in sorted(_SOURCE.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _MARKS:
                match [text.value for text in call.args if isinstance(text, ast.Constant)]:
                    case [str(text)]:
                        yield text
                    case [str(one), str(many)]:
                        yield one, many


def translations() -> Catalog:
    """The catalogue as it is kept."""
    with PO.open("rb") as file:
        return read_po(file, locale="zh_CN")


def up_to_date() -> Catalog:
    """The texts of the source, each with the translation that is kept of it, if there is one."""
    kept, merged = translations(), _Dateless(locale="zh_CN", header_comment="", fuzzy=False)
    for text in texts():
        known = kept.get(text)
        merged.add(text, known.string if known is not None else None)
    return merged


def as_po(catalogue: Catalog) -> bytes:
    """As text, sorted, for people."""
    file = io.BytesIO()
    write_po(file, catalogue, width=0, sort_output=True)
    return file.getvalue()


def as_mo(catalogue: Catalog) -> bytes:
    """As gettext reads it."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


if __name__ == "__main__":
    catalogue = up_to_date()
    PO.write_bytes(as_po(catalogue))
    MO.write_bytes(as_mo(catalogue))
    done = sum(any(message.string) for message in catalogue if message.id and message.string)
    print(f"{done} of {len(catalogue)} texts are translated into {catalogue.locale_identifier}.")
