"""`python -m imm_tui.emulator.conversion.worker DATA_DIR SCRATCH`: converts documents as it is told on stdin.

Each line of stdin is a conversion, each line of stdout its outcome. The end of stdin (the emulator closed it, or is
gone, also by kill -9) ends the worker at once, in the middle of a conversion too, and with it its LibreOffice and
its scratch folder.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path, PurePosixPath
from queue import SimpleQueue

from imm_tui.emulator.conversion import rendering
from imm_tui.emulator.conversion.documents import page_count
from imm_tui.emulator.conversion.office import Office, find_soffice
from imm_tui.emulator.conversion.oss import Oss
from imm_tui.emulator.conversion.pdf import write_pdf
from imm_tui.emulator.conversion.request import (
    DOWNLOAD_FAILED,
    FAMILIES,
    NO_ERROR,
    OPEN_ERROR,
    UNSUPPORTED,
    WRITE_FAILED,
    Conversion,
    ConversionError,
    Outcome,
)

_MAX_BYTES = 200 << 20
_ATTEMPTS = 50


def convert(conversion: Conversion, oss: Oss, office: Office | None) -> Outcome:
    """Converts one document and writes the results."""
    try:
        pages = _convert(conversion, oss, office)
    except ConversionError as error:
        return Outcome(error.code, error.message, 0)
    except Exception as error:  # a document must not end the worker, whatever it makes a library raise
        return Outcome(OPEN_ERROR, f"The document cannot be converted ({type(error).__name__}).", 0)
    return Outcome(NO_ERROR, "", pages)


def _convert(conversion: Conversion, oss: Oss, office: Office | None) -> int:
    content = _read(conversion, oss)
    family = FAMILIES.get(conversion.source_type)
    if family is None:
        kind = f"of type {conversion.source_type}" if conversion.source_type else "without an extension"
        raise ConversionError(UNSUPPORTED, f"A document {kind} cannot be converted.")
    if conversion.target_type == "vector":
        raise ConversionError(UNSUPPORTED, "This emulator does not make IMM's vector format.")
    if conversion.target_type == "text" and family == "spreadsheet":
        raise ConversionError(UNSUPPORTED, "A spreadsheet cannot be converted to text.")
    if family != "pdf":
        # Counted also where LibreOffice does the work: it takes almost any bytes for a text or a table.
        pages = page_count(content, family, conversion.source_type)
        if office:
            content = office.to_pdf(content, conversion.source_type)
        else:
            content = _stand_in(PurePosixPath(conversion.source).name, pages, landscape=family == "presentation")
    converted = 0
    for number, (output, pages) in enumerate(rendering.render(content, conversion), 1):
        try:
            oss.write(conversion.output(number), output)
        except OSError as error:
            raise ConversionError(WRITE_FAILED, _reason(error)) from None
        converted += pages
    return converted


def _read(conversion: Conversion, oss: Oss) -> bytes:
    try:
        return oss.read(conversion.source, _MAX_BYTES)
    except OverflowError as error:
        raise ConversionError(UNSUPPORTED, str(error)) from None
    except OSError as error:
        raise ConversionError(DOWNLOAD_FAILED, _reason(error)) from None


def _reason(error: OSError) -> str:
    """Our own sentence, or the system's without the path on this machine."""
    return str(error.strerror or error)


def _stand_in(name: str, pages: int, *, landscape: bool) -> bytes:
    return write_pdf(
        [
            [f"Stand-in for page {page} of {pages}", f"of {name}:", "LibreOffice is not installed on this machine."]
            for page in range(1, pages + 1)
        ],
        landscape=landscape,
    )


def main() -> None:
    oss, scratch = Oss(Path(sys.argv[1])), Path(sys.argv[2])
    program = find_soffice()
    office = Office(scratch, program) if program else None
    lines: SimpleQueue[str] = SimpleQueue()

    def read_stdin() -> None:
        for line in sys.stdin:
            lines.put(line)
        if office:
            office.stop()
        for _ in range(_ATTEMPTS):  # a LibreOffice that dies may still be adding to it
            shutil.rmtree(scratch, ignore_errors=True)
            if not scratch.exists():
                break
            time.sleep(0.01)
        os._exit(0)

    reader = threading.Thread(target=read_stdin, daemon=True)
    reader.start()
    try:
        while True:
            request = json.loads(lines.get())
            request["target"] = tuple(request["target"])
            request["pages"] = tuple(map(tuple, request["pages"]))
            outcome = convert(Conversion(**request), oss, office)
            print(json.dumps([outcome.code, outcome.message, outcome.page_count]), flush=True)
    except BrokenPipeError:
        reader.join()  # the emulator is gone, and stdin with it: the clearing up is under way


if __name__ == "__main__":
    main()
