"""A PDF writer for pages of a few lines of text, Chinese included: the samples and the stand-ins are made with it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_PASSWORD_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
_NO_PERMISSIONS_WITHHELD = (-4).to_bytes(4, "little", signed=True)


def write_pdf(pages: Sequence[Sequence[str]], password: str = "", *, landscape: bool = False) -> bytes:
    """An A4 document. Each page's first line is its title. With a password it opens with that password only.

    Chinese text names a font that every viewer substitutes instead of embedding one: it can be extracted anywhere,
    and be seen where a Chinese font is installed.
    """
    width, height = (842, 595) if landscape else (595, 842)
    identifier = hashlib.md5("\n".join(map("\n".join, pages)).encode(), usedforsecurity=False).digest()
    owner = _rc4(_md5(_padded(password))[:5], _padded(password))
    key = _md5(_padded(password) + owner + _NO_PERMISSIONS_WITHHELD + identifier)[:5] if password else b""

    objects: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        4: b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UTF16-H"
        b" /DescendantFonts [5 0 R] >>",
        5: b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 /W [1 95 500] /FontDescriptor 6 0 R"
        b" /CIDSystemInfo << /Registry <%s> /Ordering <%s> /Supplement 4 >> >>"
        % (_sealed(key, 5, b"Adobe").hex().encode(), _sealed(key, 5, b"GB1").hex().encode()),
        6: b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880]"
        b" /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
    }
    page_numbers = []
    for lines in pages:
        content_number, page_number = len(objects) + 2, len(objects) + 3  # 2 is the page tree, written last
        content = _sealed(key, content_number, _content(lines, width, height))
        objects[content_number] = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
        objects[page_number] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R"
            b" /Resources << /Font << /L 3 0 R /C 4 0 R >> >> >>" % (width, height, content_number)
        )
        page_numbers.append(page_number)
    kids = b" ".join(b"%d 0 R" % number for number in page_numbers)
    objects[2] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(page_numbers), kids)

    trailer = b"/Size %d /Root 1 0 R" % (len(objects) + 1)
    if password:
        trailer += (b" /ID [<%b> <%b>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%b> /U <%b> >>") % tuple(
            value.hex().encode() for value in (identifier, identifier, owner, _rc4(key, _PASSWORD_PADDING))
        )
    return _file(objects, trailer)


def _content(lines: Sequence[str], width: int, height: int) -> bytes:
    """A page's drawing: the title over an orange rule, the other lines below."""
    drawing = [b"1 0.42 0 rg 56 %d %d 2 re f 0.13 g BT" % (height - 100, width - 112)]
    for index, line in enumerate(lines):
        size, baseline = (24, height - 88) if index == 0 else (13, height - 112 - 24 * index)
        drawing.append(b"1 0 0 1 56 %d Tm" % baseline)
        font, encoding = (b"L", "ascii") if line.isascii() else (b"C", "utf-16-be")
        drawing.append(b"/%s %d Tf <%s> Tj" % (font, size, line.encode(encoding, "replace").hex().encode()))
    drawing.append(b"ET")
    return b"\n".join(drawing)


def _file(objects: dict[int, bytes], trailer: bytes) -> bytes:
    content = bytearray(b"%PDF-1.4\n")
    table = b"0000000000 65535 f \n"
    for number, body in sorted(objects.items()):
        table += b"%010d 00000 n \n" % len(content)
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(content)
    content += b"xref\n0 %d\n%strailer << %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        table,
        trailer,
        start,
    )
    return bytes(content)


def _sealed(key: bytes, number: int, content: bytes) -> bytes:
    """A string or stream of object `number` under the standard security handler (PDF 1.4, algorithm 3.1)."""
    if not key:
        return content
    return _rc4(_md5(key + number.to_bytes(3, "little") + b"\0\0")[:10], content)


def _padded(password: str) -> bytes:
    return (password.encode("latin-1") + _PASSWORD_PADDING)[:32]


def _md5(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()


def _rc4(key: bytes, content: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in content:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
