"""What is asked of a conversion and what came of it: the values that pass between the service and its workers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

# Source types by family (IMM 2020-09-30, CreateOfficeConversionTask, supported input formats).
FAMILIES = {
    extension: family
    for family, extensions in {
        "word": "doc docx wps wpss docm dotm dot dotx",
        "presentation": "pptx ppt pot potx pps ppsx dps dpt pptm potm ppsm dpss",
        "spreadsheet": "xls xlt et ett xlsx xltx csv xlsb xlsm xltm ets",
        "pdf": "pdf",
    }.items()
    for extension in extensions.split()
}

# The extension of what each target type writes.
EXTENSIONS = {"png": "png", "jpg": "jpg", "pdf": "pdf", "txt": "txt", "text": "txt", "vector": "svg"}

NO_ERROR = "NoError"
DOWNLOAD_FAILED = "FailedToDownloadSrcFile"
UNSUPPORTED = "UnsupportedSrcFile"
OPEN_ERROR = "OpenFileError"
WRITE_FAILED = "WriteTgtUriFailed"
TIMEOUT = "ConvertTimeout"
# The documented code for an argument that only the document can prove wrong (a page that it does not have).
BAD_ARGUMENT = "InvalidArgument"

_RANGE = re.compile(r"([1-9][0-9]{0,8})(?:-([1-9][0-9]{0,8}))?")

Ranges = tuple[tuple[int, int | None], ...]
"""Page numbers from 1, both ends included; None: to the end."""


class ConversionError(Exception):
    """A task's failure: one of the codes above and a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Conversion:
    source: str
    source_type: str
    """A lower-case extension; not necessarily one that can be converted."""
    target: tuple[str, ...]
    """The outputs' URI, cut where the number of the output belongs."""
    target_type: str
    pages: Ranges = ((1, None),)
    dpi: int = 96
    scale_percentage: int = 100
    quality: int = 90
    long_picture: bool = False
    first_page: bool = False
    password: str = ""

    def output(self, number: int) -> str:
        """The URI of the output `number`, from 1. Where it has no place for a number, the first goes without."""
        if len(self.target) > 1:
            return str(number).join(self.target)
        if number == 1:
            return self.target[0]
        stem, dot, extension = self.target[0].rpartition(".")
        return f"{stem}_{number}{dot}{extension}"


@dataclass(frozen=True, slots=True)
class Outcome:
    code: str
    message: str
    page_count: int
    """Pages converted; 0 on failure."""

    @property
    def succeeded(self) -> bool:
        return self.code == NO_ERROR


def parse_pages(text: str) -> Ranges:
    """Page ranges of the form 1,2-4,7. ValueError on anything else."""
    ranges = []
    for item in text.split(","):
        match = _RANGE.fullmatch(item)
        if match is None:
            raise ValueError("it must be page numbers and ranges such as 1,2-4,7")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ValueError(f"the range {item} runs backwards")
        ranges.append((first, last))
    return tuple(ranges)


def select_pages(ranges: Ranges, page_count: int) -> list[int]:
    """The numbers of an existing document's pages that are asked for, ascending, each once."""
    return sorted(
        {
            number
            for first, last in ranges
            for number in range(first, min(page_count if last is None else last, page_count) + 1)
        }
    )


def extension_of(key: str) -> str:
    """The lower-case extension of an object's name, without its dot."""
    return PurePosixPath(key).suffix[1:].lower()
