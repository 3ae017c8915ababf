"""What an Office document says of itself without being laid out: whether it can be opened, and how many pages it has.

A document is hostile until proven otherwise: nothing here parses XML, and nothing is read without a limit.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from io import BytesIO

import olefile

from imm_tui.emulator.conversion.request import OPEN_ERROR, ConversionError

_MEMBER_LIMIT = 4 << 20
_MAX_PAGES = 10_000

# By family: what docProps/app.xml calls the pages, and where the package keeps its main part and its page-like parts.
_OOXML = {
    "word": (rb"<(?:\w+:)?Pages>\s*(\d{1,9})\s*<", "word/", None),
    "presentation": (rb"<(?:\w+:)?Slides>\s*(\d{1,9})\s*<", "ppt/", r"ppt/slides/[^/]+\.xml"),
    "spreadsheet": (None, "xl/", r"xl/(?:work|chart)sheets/[^/]+\.(?:xml|bin)"),
}

_PASSWORD = "The document is protected by a password that this emulator cannot use: it opens PDF files only with one."


def page_count(content: bytes, family: str, extension: str) -> int:
    """Pages, slides or sheets (at least 1) of a document in a family other than pdf. Raises ConversionError."""
    if extension == "csv":
        if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise _damaged("it holds no text")
        count = 1
    elif content.startswith(b"PK\x03\x04"):
        count = _count_ooxml(content, family)
    elif content.startswith(olefile.MAGIC):
        count = _count_ole(content, family)
    else:
        raise _damaged("it is neither an Office Open XML file nor an older Office file")
    if count > _MAX_PAGES:
        raise _damaged(f"it claims to have {count:,} pages")
    return max(count, 1)


def is_ooxml(content: bytes) -> bool:
    return content.startswith(b"PK")


def _damaged(why: str) -> ConversionError:
    return ConversionError(OPEN_ERROR, f"The document is damaged: {why}.")


def _count_ooxml(content: bytes, family: str) -> int:
    claim, folder, parts = _OOXML[family]
    try:
        with zipfile.ZipFile(BytesIO(content)) as package:
            names = package.namelist()
            if not any(name.startswith(folder) for name in names):
                raise _damaged("its package does not hold such a document")
            for name in (name for name in names if name.startswith(folder) and name.count("/") == 1):
                _read(package, name)
            if claim and "docProps/app.xml" in names:
                found = re.search(claim, _read(package, "docProps/app.xml"))
                if found and int(found[1]):
                    return int(found[1])
            return sum(1 for name in names if parts and re.fullmatch(parts, name))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        # RuntimeError: a member is encrypted.
        raise _damaged(f"its package cannot be read ({error})") from None


def _read(package: zipfile.ZipFile, name: str) -> bytes:
    with package.open(name) as member:
        return member.read(_MEMBER_LIMIT)


def _count_ole(content: bytes, family: str) -> int:
    try:
        with olefile.OleFileIO(BytesIO(content)) as file:
            used = [sector for sector, following in enumerate(file.fat) if following != olefile.FREESECT]
            if len(content) < (used[-1] + 2) * file.sectorsize:  # the header takes the place of one sector
                raise _damaged("its end is missing")
            if file.exists("EncryptedPackage") or file.exists("EncryptedSummary"):
                raise ConversionError(OPEN_ERROR, _PASSWORD)
            if family == "word":
                return _count_word(file)
            if family == "presentation":
                return _count_slides(file)
            return _count_sheets(file)
    except ConversionError:
        raise
    except Exception as error:  # olefile raises what a broken structure makes it raise: IndexError, struct.error, …
        raise _damaged(f"its structure cannot be read ({error})") from None


def _count_word(file: olefile.OleFileIO) -> int:
    header = file.openstream("WordDocument").read(12)
    if len(header) < 12:
        raise _damaged("its text is cut off")
    if header[11] & 0x01:  # [MS-DOC] FibBase.fEncrypted
        raise ConversionError(OPEN_ERROR, _PASSWORD)
    return int(file.get_metadata().num_pages or 1)


def _count_slides(file: olefile.OleFileIO) -> int:
    """What the summary says, or else the slides in the stream ([MS-PPT] 2.3.1, RecordHeader)."""
    stream = file.openstream("PowerPoint Document")
    if slides := file.get_metadata().slides:
        return int(slides)
    slides = 0
    while len(head := stream.read(8)) == 8:
        slides += int.from_bytes(head[2:4], "little") == 0x03EE  # RT_Slide
        stream.seek(int.from_bytes(head[4:], "little"), 1)
    return slides


def _count_sheets(file: olefile.OleFileIO) -> int:
    """Sheets that the workbook's globals list: the records up to the first EOF ([MS-XLS] 2.1.4)."""
    stream = file.openstream("Workbook" if file.exists("Workbook") else "Book")
    sheets = 0
    while len(head := stream.read(4)) == 4:
        kind, length = int.from_bytes(head[:2], "little"), int.from_bytes(head[2:], "little")
        if kind == 0x002F:  # FilePass
            raise ConversionError(OPEN_ERROR, _PASSWORD)
        if kind == 0x000A:  # EOF
            return sheets
        sheets += kind == 0x0085  # BoundSheet8
        stream.seek(length, 1)
    raise _damaged("its workbook is cut off")
