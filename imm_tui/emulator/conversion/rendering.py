"""A PDF's pages as images, text or another PDF, through pdfium. Runs in a worker process only: pdfium may crash."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image

from imm_tui.emulator.conversion.request import (
    BAD_ARGUMENT,
    OPEN_ERROR,
    Conversion,
    ConversionError,
    select_pages,
)

_MAX_PIXELS = 100_000_000
_MAX_JOINED = 20
_POINTS_PER_INCH = 72
_JPEG_MAX_SIDE = 65_500


def render(content: bytes, conversion: Conversion) -> Iterator[tuple[bytes, int]]:
    """The outputs one by one, each with the number of pages in it. Raises ConversionError."""
    document = _open(content, conversion.password)
    try:
        numbers = select_pages(conversion.pages, len(document))
        if not numbers:
            raise ConversionError(
                BAD_ARGUMENT, f"The document has {len(document)} pages and none of those that were asked for."
            )
        match conversion.target_type:
            case "pdf":
                whole = len(numbers) == len(document) and not conversion.password
                yield content if whole else _extract(document, numbers), len(numbers)
            case "txt" | "text":
                texts = [_page(document, number).get_textpage().get_text_range() for number in numbers]
                yield "\n".join(texts).replace("\r\n", "\n").encode("utf-8", "replace"), len(numbers)
            case _:
                yield from _images(document, numbers, conversion)
    finally:
        document.close()


def _open(content: bytes, password: str) -> pdfium.PdfDocument:
    # pdfium repairs a file that was cut off by dropping what is lost; IMM's answer to such a file is a failure.
    if b"%%EOF" not in content[-4096:]:
        raise ConversionError(OPEN_ERROR, "The document is damaged: its end is missing.")
    try:
        document = pdfium.PdfDocument(content, password=password or None)
        if len(document):
            return document
        document.close()
        raise ConversionError(OPEN_ERROR, "The document has no pages.")
    except pdfium.PdfiumError as error:
        if error.err_code == pdfium_c.FPDF_ERR_PASSWORD:
            reason = "the password given is wrong" if password else "no password was given"
            message = f"The document is protected by a password, and {reason}."
        else:
            message = "The document is damaged: it is not a readable PDF."
        raise ConversionError(OPEN_ERROR, message) from None


def _page(document: pdfium.PdfDocument, number: int) -> pdfium.PdfPage:
    try:
        return document[number - 1]
    except pdfium.PdfiumError:
        raise ConversionError(OPEN_ERROR, f"The document is damaged: page {number} cannot be read.") from None


def _extract(document: pdfium.PdfDocument, numbers: list[int]) -> bytes:
    extract, buffer = pdfium.PdfDocument.new(), BytesIO()
    extract.import_pages(document, [number - 1 for number in numbers])
    extract.save(buffer)
    extract.close()
    return buffer.getvalue()


def _images(document: pdfium.PdfDocument, numbers: list[int], conversion: Conversion) -> Iterator[tuple[bytes, int]]:
    if conversion.first_page:
        numbers = numbers[:1]
    if not conversion.long_picture:
        for number in numbers:
            yield _encode(_image(document, number, conversion), conversion), 1
        return
    if len(numbers) > _MAX_JOINED:
        raise ConversionError(
            BAD_ARGUMENT, f"A long picture joins at most {_MAX_JOINED} pages; {len(numbers)} were asked for."
        )
    images = [_image(document, number, conversion) for number in numbers]
    width, height = max(image.width for image in images), sum(image.height for image in images)
    _check_size(width, height, conversion.target_type)
    picture = Image.new("RGB", (width, height), "white")
    top = 0
    for image in images:
        picture.paste(image, (0, top))
        top += image.height
    yield _encode(picture, conversion), len(numbers)


def _image(document: pdfium.PdfDocument, number: int, conversion: Conversion) -> Image.Image:
    page = _page(document, number)
    scale = conversion.dpi / _POINTS_PER_INCH * conversion.scale_percentage / 100
    _check_size(page.get_width() * scale, page.get_height() * scale, conversion.target_type)
    image: Image.Image = page.render(scale=scale).to_pil().convert("RGB")
    return image


def _check_size(width: float, height: float, target_type: str) -> None:
    if width * height > _MAX_PIXELS or (target_type == "jpg" and max(width, height) > _JPEG_MAX_SIDE):
        raise ConversionError(
            BAD_ARGUMENT, f"The image would have {width:,.0f} × {height:,.0f} pixels; ask for a lower resolution."
        )


def _encode(image: Image.Image, conversion: Conversion) -> bytes:
    buffer = BytesIO()
    if conversion.target_type == "jpg":
        # Pillow takes a quality of 0 for its default.
        image.save(buffer, "JPEG", quality=max(conversion.quality, 1), dpi=(conversion.dpi, conversion.dpi))
    else:
        image.save(buffer, "PNG", compress_level=1, dpi=(conversion.dpi, conversion.dpi))
    return buffer.getvalue()
