"""The catalogue of translations, brought up to date with the texts of the source: what `make messages` runs.

What is written depends on nothing but the source and the translations, so that a change of the catalogue is a change
of a text.
"""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import imm_tui

_SOURCE = Path(imm_tui.__file__).parent
PO = _SOURCE / "locale" / "zh_CN" / "LC_MESSAGES" / "imm_tui.po"
MO = PO.with_suffix(".mo")

_KEYWORDS = {**DEFAULT_KEYWORDS, "N_": None}
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


def texts() -> Catalog:
    """Every text that the source marks for translation; none has a translation."""
    found = Catalog()
    for _file, _line, text, _comments, _context in extract_from_dir(_SOURCE, keywords=_KEYWORDS, comment_tags=()):
        if text:
            found.add(text)
    return found


def translations() -> Catalog:
    """The catalogue as it is kept."""
    with PO.open("rb") as file:
        return read_po(file, locale="zh_CN")


def up_to_date() -> Catalog:
    """The texts of the source, each with the translation that is kept of it, if there is one."""
    kept, merged = translations(), _Dateless(locale="zh_CN", header_comment="", fuzzy=False)
    for message in texts():
        if message.id:
            known = kept.get(message.id)
            merged.add(message.id, known.string if known is not None else None)
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
