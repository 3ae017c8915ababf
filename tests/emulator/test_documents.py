"""Office documents written here byte by byte, and what is read from them without laying them out."""

from __future__ import annotations

import struct
import zipfile
from io import BytesIO

import pytest

from imm_tui.emulator.conversion.documents import page_count
from imm_tui.emulator.conversion.request import FAMILIES, ConversionError

SECTOR = 512
FREE, END_OF_CHAIN, FAT_SECTOR, NO_STREAM = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
SUMMARY, DOCUMENT_SUMMARY = "\x05SummaryInformation", "\x05DocumentSummaryInformation"


def package(**members: str) -> bytes:
    """A zip file; a member's name has __ for the slash and _ for the dot."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "/").replace("_", "."), content)
    return buffer.getvalue()


def compound(**streams: bytes) -> bytes:
    """An OLE compound file ([MS-CFB] version 3) of some large streams, each in a chain of its own sectors."""
    return compound_of(streams)


def compound_of(streams: dict[str, bytes]) -> bytes:
    chains: list[tuple[str, int, bytes]] = []
    directory_sectors = -(-(len(streams) + 1) // 4)
    fat = [FAT_SECTOR] + [sector + 1 for sector in range(1, directory_sectors)] + [END_OF_CHAIN]
    for name, content in streams.items():
        padded = content.ljust(4096, b"\0")  # smaller ones would live in the mini stream
        padded += bytes(-len(padded) % SECTOR)
        chains.append((name, len(fat), padded))
        fat += [len(fat) + number for number in range(1, len(padded) // SECTOR)] + [END_OF_CHAIN]
    assert len(fat) <= SECTOR // 4
    header = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(16)
    header += struct.pack(
        "<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, END_OF_CHAIN, 0, END_OF_CHAIN, 0
    )
    header += struct.pack("<I", 0) + struct.pack("<I", FREE) * 108

    def entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
        text = (name + "\0").encode("utf-16-le")
        return struct.pack("<64sHBBIII36xIII", text, len(text), kind, 1, NO_STREAM, right, child, start, size, 0)

    entries = entry("Root Entry", 5, NO_STREAM, 1, END_OF_CHAIN, 0)
    for number, (name, start, content) in enumerate(chains, 1):
        right = number + 1 if number < len(chains) else NO_STREAM
        entries += entry(name, 2, right, NO_STREAM, start, len(content))
    table = b"".join(struct.pack("<I", sector) for sector in fat).ljust(SECTOR, b"\xff")
    return header + table + entries.ljust(directory_sectors * SECTOR, b"\0") + b"".join(c for _, _, c in chains)


def properties(number: int, value: int) -> bytes:
    """A property set stream ([MS-OLEPS]) with one 32-bit integer."""
    section = struct.pack("<IIIIII", 24, 1, number, 16, 3, value)
    return struct.pack("<HHI16xI16xI", 0xFFFE, 0, 0, 1, 48) + section


def record(kind: int, content: bytes = b"") -> bytes:
    """A BIFF record of a workbook."""
    return struct.pack("<HH", kind, len(content)) + content


def slide_record(kind: int, content: bytes = b"") -> bytes:
    """A record of a PowerPoint stream."""
    return struct.pack("<HHI", 0x0F, kind, len(content)) + content


WORD = bytes(12)
ENCRYPTED_WORD = bytes(11) + b"\x01"
SHEETS = record(0x0809, bytes(16)) + record(0x0085, bytes(8)) * 3 + record(0x000A)
SLIDES = slide_record(0x03E8, bytes(40)) + slide_record(0x03EE, bytes(24)) * 4


@pytest.mark.parametrize(
    ("extension", "content", "pages"),
    [
        ("docx", package(word__document_xml="<w/>", docProps__app_xml="<Properties><Pages>5</Pages></Properties>"), 5),
        ("dotm", package(word__document_xml="<w/>", docProps__app_xml="<p:X><p:Pages> 12 </p:Pages></p:X>"), 12),
        ("docx", package(word__document_xml="<w/>"), 1),
        ("docx", package(word__document_xml="<w/>", docProps__app_xml="<Pages>0</Pages>"), 1),
        ("pptx", package(ppt__presentation_xml="<p/>", docProps__app_xml="<Slides>7</Slides>"), 7),
        ("ppsx", package(ppt__presentation_xml="<p/>", ppt__slides__slide1_xml="", ppt__slides__slide2_xml=""), 2),
        ("xlsx", package(xl__workbook_xml="<w/>", xl__worksheets__sheet1_xml="", xl__chartsheets__sheet1_xml=""), 2),
        ("xlsb", package(xl__workbook_bin="", xl__worksheets__sheet1_bin=""), 1),
        ("doc", compound_of({"WordDocument": WORD, SUMMARY: properties(14, 9)}), 9),
        ("wps", compound_of({"WordDocument": WORD, SUMMARY: properties(14, 3)}), 3),
        ("doc", compound(WordDocument=WORD), 1),
        ("ppt", compound_of({"PowerPoint Document": SLIDES, DOCUMENT_SUMMARY: properties(7, 6)}), 6),
        ("dps", compound_of({"PowerPoint Document": SLIDES}), 4),
        ("xls", compound(Workbook=SHEETS), 3),
        ("et", compound(Book=SHEETS), 3),
        ("csv", b"a,b\r\n", 1),
        ("csv", "季度,销售额".encode("gbk"), 1),
        ("csv", "季度,销售额".encode("utf-16"), 1),
    ],
)
def test_a_document_says_how_many_pages_it_has(extension: str, content: bytes, pages: int) -> None:
    assert page_count(content, FAMILIES[extension], extension) == pages


@pytest.mark.parametrize(
    ("extension", "content"),
    [
        ("docx", compound(EncryptedPackage=bytes(100), EncryptionInfo=bytes(100))),
        ("doc", compound(WordDocument=ENCRYPTED_WORD)),
        ("ppt", compound_of({"PowerPoint Document": SLIDES, "EncryptedSummary": b""})),
        ("xls", compound(Workbook=record(0x0809, bytes(16)) + record(0x002F, bytes(54)) + SHEETS)),
    ],
)
def test_a_password_is_named_as_the_reason(extension: str, content: bytes) -> None:
    with pytest.raises(ConversionError, match="password") as refusal:
        page_count(content, FAMILIES[extension], extension)
    assert refusal.value.code == "OpenFileError"


COMPLETE_WORD = compound(WordDocument=WORD)
COMPLETE_PACKAGE = package(word__document_xml="<w/>", docProps__app_xml="<Pages>5</Pages>")


@pytest.mark.parametrize(
    ("extension", "content"),
    [
        pytest.param("docx", b"", id="empty"),
        pytest.param("docx", b"Dear Sir or Madam,", id="no package"),
        pytest.param("docx", COMPLETE_PACKAGE[:-30], id="package without its end"),
        pytest.param("docx", COMPLETE_PACKAGE[:50], id="package's first bytes"),
        pytest.param(
            "docx",
            COMPLETE_PACKAGE.replace(b"word/document.xml", b"word/documemt.xml", 1),
            id="member not where the directory has it",
        ),
        pytest.param("docx", package(readme_txt="a zip file of something else"), id="another zip file"),
        pytest.param("xlsx", COMPLETE_PACKAGE, id="docx named xlsx"),
        pytest.param(
            "docx",
            package(word__document_xml="<w/>", docProps__app_xml="<Pages>999999999</Pages>"),
            id="too many pages",
        ),
        pytest.param("doc", COMPLETE_WORD[:-1], id="doc without its last byte"),
        pytest.param("doc", COMPLETE_WORD[:600], id="doc's first sectors"),
        pytest.param("doc", bytes.fromhex("D0CF11E0A1B11AE1"), id="doc's signature"),
        pytest.param("xls", COMPLETE_WORD, id="doc named xls"),
        pytest.param("ppt", COMPLETE_WORD, id="doc named ppt"),
        pytest.param(
            "xls",
            compound(Workbook=record(0x0085, bytes(8)) * 2 + struct.pack("<HH", 0x0085, 0xFFFF)),
            id="record beyond the stream",
        ),
        pytest.param("csv", b"\0\x01\x02", id="bytes that are no text"),
    ],
)
def test_a_damaged_document_is_recognised(extension: str, content: bytes) -> None:
    with pytest.raises(ConversionError, match="damaged") as refusal:
        page_count(content, FAMILIES[extension], extension)
    assert refusal.value.code == "OpenFileError"
