"""Documents in, pages out: the worker's `convert` on real files, its outputs opened again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from imm_tui.emulator.conversion.oss import Oss
from imm_tui.emulator.conversion.pdf import write_pdf
from imm_tui.emulator.conversion.request import Conversion, Outcome, parse_pages, select_pages
from imm_tui.emulator.conversion.worker import convert

PAGE_RANGES = re.compile(r"[1-9]\d*(-[1-9]\d*)?(,[1-9]\d*(-[1-9]\d*)?)*")
A4_AT_96_DPI = (794, 1123)


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    folder = tmp_path / "bucket"
    folder.mkdir()
    (folder / "手册.pdf").write_bytes(write_pdf([[f"Page {number}", "正文"] for number in range(1, 6)]))
    (folder / "locked.pdf").write_bytes(write_pdf([["Locked"]], "open sesame"))
    return folder


@pytest.fixture
def run(bucket: Path) -> Callable[..., Outcome]:
    """Converts oss://bucket/手册.pdf to numbered files in oss://bucket/out/, with what else is given."""

    def run_conversion(target_type: str = "png", source: str = "手册.pdf", **options: Any) -> Outcome:
        numbered = target_type in ("png", "jpg")
        options.setdefault(
            "target", ("oss://bucket/out/", f".{target_type}") if numbered else ("oss://bucket/out/all",)
        )
        conversion = Conversion(f"oss://bucket/{source}", source.rpartition(".")[2], target_type=target_type, **options)
        return convert(conversion, Oss(bucket.parent), None)

    return run_conversion


def outputs(bucket: Path) -> list[str]:
    return sorted(path.name for path in (bucket / "out").glob("*"))


def image(bucket: Path, name: str) -> Image.Image:
    with Image.open(bucket / "out" / name) as opened:
        opened.load()
        return opened


def pages_of(content: bytes) -> list[str]:
    document = pdfium.PdfDocument(content)
    texts = [page.get_textpage().get_text_range().splitlines()[0] for page in document]
    document.close()
    return texts


def is_drawn_on(picture: Image.Image) -> bool:
    return picture.convert("L").getextrema()[0] != 255


def test_each_page_becomes_an_image(run: Callable[..., Outcome], bucket: Path) -> None:
    assert run("png") == Outcome("NoError", "", 5)
    assert outputs(bucket) == ["1.png", "2.png", "3.png", "4.png", "5.png"]
    for name in outputs(bucket):
        page = image(bucket, name)
        assert (page.format, page.size) == ("PNG", A4_AT_96_DPI)
        assert is_drawn_on(page)


def test_resolution_and_scale_multiply(run: Callable[..., Outcome], bucket: Path) -> None:
    run("jpg", dpi=192, scale_percentage=50, pages=((1, 1),))
    page = image(bucket, "1.jpg")
    assert (page.format, page.size) == ("JPEG", A4_AT_96_DPI)


def test_quality_decides_the_size_of_a_jpg(run: Callable[..., Outcome], bucket: Path) -> None:
    sizes = []
    for quality in (0, 50, 100):
        run("jpg", quality=quality)
        sizes.append((bucket / "out" / "1.jpg").stat().st_size)
    assert sizes == sorted(set(sizes))


def test_only_the_pages_asked_for_are_converted(run: Callable[..., Outcome], bucket: Path) -> None:
    assert run("pdf", pages=((4, None), (1, 2), (2, 2))).page_count == 4
    assert pages_of((bucket / "out" / "all").read_bytes()) == ["Page 1", "Page 2", "Page 4", "Page 5"]


def test_a_whole_pdf_is_copied_as_it_is(run: Callable[..., Outcome], bucket: Path) -> None:
    assert run("pdf").page_count == 5
    assert (bucket / "out" / "all").read_bytes() == (bucket / "手册.pdf").read_bytes()


def test_pages_beyond_the_end_are_an_argument_that_the_document_refutes(run: Callable[..., Outcome]) -> None:
    outcome = run("png", pages=((6, 9),))
    assert (outcome.code, outcome.page_count) == ("InvalidArgument", 0)
    assert "5 pages" in outcome.message


@pytest.mark.parametrize("target_type", ["txt", "text"])
def test_text_is_extracted(run: Callable[..., Outcome], bucket: Path, target_type: str) -> None:
    assert run(target_type).page_count == 5
    text = (bucket / "out" / "all").read_text(encoding="utf-8")
    assert text.splitlines() == [line for number in range(1, 6) for line in (f"Page {number}", "正文")]


def test_a_long_picture_joins_the_pages(run: Callable[..., Outcome], bucket: Path) -> None:
    assert run("png", long_picture=True).page_count == 5
    width, height = A4_AT_96_DPI
    assert outputs(bucket) == ["1.png"]
    picture = image(bucket, "1.png")
    assert picture.size == (width, 5 * height)
    assert all(is_drawn_on(picture.crop((0, top, width, top + height))) for top in range(0, 5 * height, height))


def test_a_long_picture_may_be_the_first_page_alone(run: Callable[..., Outcome], bucket: Path) -> None:
    assert run("png", long_picture=True, first_page=True).page_count == 1
    assert image(bucket, "1.png").size == A4_AT_96_DPI


def test_a_long_picture_has_twenty_pages_at_most(run: Callable[..., Outcome], bucket: Path) -> None:
    (bucket / "long.pdf").write_bytes(write_pdf([["Page"]] * 21))
    assert run("png", "long.pdf", long_picture=True, pages=((1, 20),), dpi=96, scale_percentage=20).page_count == 20
    outcome = run("png", "long.pdf", long_picture=True)
    assert outcome.code == "InvalidArgument"
    assert "20" in outcome.message


def test_an_image_too_large_for_memory_is_refused_before_it_is_made(run: Callable[..., Outcome], bucket: Path) -> None:
    huge = write_pdf([["Poster"]]).replace(b"[0 0 595 842]", b"[0 0 9000 9000]")
    (bucket / "huge.pdf").write_bytes(huge)
    outcome = run("png", "huge.pdf", dpi=600)
    assert outcome.code == "InvalidArgument"
    assert "pixels" in outcome.message


def test_several_outputs_with_one_name_do_not_overwrite_each_other(run: Callable[..., Outcome], bucket: Path) -> None:
    run("png", target=("oss://bucket/out/cover.png",), pages=((1, 3),))
    assert outputs(bucket) == ["cover.png", "cover_2.png", "cover_3.png"]


def test_a_password_opens_a_pdf_and_the_result_needs_none(run: Callable[..., Outcome], bucket: Path) -> None:
    assert run("pdf", "locked.pdf", password="open sesame").page_count == 1
    assert pages_of((bucket / "out" / "all").read_bytes()) == ["Locked"]


@pytest.mark.parametrize("password", ["", "wrong", "\udcff"])
def test_a_pdf_stays_shut_without_its_password(run: Callable[..., Outcome], password: str) -> None:
    outcome = run("png", "locked.pdf", password=password)
    assert outcome.code == "OpenFileError"


@pytest.mark.parametrize("password", ["", "wrong"])
def test_the_failure_for_a_password_says_so(run: Callable[..., Outcome], password: str) -> None:
    assert "password" in run("png", "locked.pdf", password=password).message


@pytest.mark.parametrize(
    "damage", [lambda pdf: pdf[: len(pdf) // 2], lambda pdf: pdf[:-7], lambda _: b"", lambda _: b"%PDF"]
)
def test_a_damaged_pdf_cannot_be_opened(
    run: Callable[..., Outcome], bucket: Path, damage: Callable[[bytes], bytes]
) -> None:
    (bucket / "broken.pdf").write_bytes(damage((bucket / "手册.pdf").read_bytes()))
    outcome = run("png", "broken.pdf")
    assert (outcome.code, outcome.page_count) == ("OpenFileError", 0)
    assert outputs(bucket) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400), st.sampled_from(["pdf", "docx", "doc", "pptx", "ppt", "xlsx", "xls"]))
def test_no_bytes_make_the_converter_raise(
    run: Callable[..., Outcome], bucket: Path, content: bytes, extension: str
) -> None:
    for start in (b"", b"PK\x03\x04", bytes.fromhex("D0CF11E0A1B11AE1"), b"%PDF-1.4\n"):
        (bucket / f"noise.{extension}").write_bytes(start + content)
        assert run("png", f"noise.{extension}").code == "OpenFileError"


def test_a_missing_source_fails_the_download(run: Callable[..., Outcome]) -> None:
    for source in ("missing.pdf", "../bucket/手册.pdf", "."):
        assert run("png", source).code == "FailedToDownloadSrcFile"


def test_a_source_of_another_kind_is_unsupported(run: Callable[..., Outcome], bucket: Path) -> None:
    (bucket / "film.mp4").write_bytes(b"film")
    assert run("png", "film.mp4").code == "UnsupportedSrcFile"


def test_a_source_over_200_mb_is_unsupported(run: Callable[..., Outcome], bucket: Path) -> None:
    with (bucket / "large.pdf").open("wb") as file:
        file.truncate((200 << 20) + 1)
    outcome = run("png", "large.pdf")
    assert outcome.code == "UnsupportedSrcFile"
    assert "209,715,200" in outcome.message


def test_the_vector_format_is_refused_not_faked(run: Callable[..., Outcome], bucket: Path) -> None:
    assert run("vector").code == "UnsupportedSrcFile"
    assert outputs(bucket) == []


def test_a_missing_target_bucket_fails_the_writing(run: Callable[..., Outcome]) -> None:
    outcome = run("png", target=("oss://elsewhere/", ".png"))
    assert outcome.code == "WriteTgtUriFailed"
    assert "elsewhere" in outcome.message


def test_a_target_that_cannot_be_written_fails_the_writing(run: Callable[..., Outcome], bucket: Path) -> None:
    (bucket / "out").write_bytes(b"a file where a folder should be")
    outcome = run("png")
    assert outcome.code == "WriteTgtUriFailed"
    assert str(bucket) not in outcome.message


def test_without_libreoffice_a_stand_in_says_what_it_is(run: Callable[..., Outcome], bucket: Path) -> None:
    (bucket / "销售.csv").write_text("a,b\n1,2\n")
    assert run("txt", "销售.csv") == Outcome("NoError", "", 1)
    text = " ".join((bucket / "out" / "all").read_text(encoding="utf-8").split())
    assert text == "Stand-in for page 1 of 1 of 销售.csv: LibreOffice is not installed on this machine."
    assert run("png", "销售.csv", dpi=72, pages=((1, 1),)).page_count == 1
    assert image(bucket, "1.png").size == (595, 842)


def page_ranges() -> st.SearchStrategy[list[tuple[int, int]]]:
    bounds = st.tuples(st.integers(1, 50), st.integers(0, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))
    return st.lists(bounds, min_size=1, max_size=6)


@given(page_ranges(), st.integers(1, 40))
def test_page_ranges_mean_what_they_say(ranges: list[tuple[int, int]], page_count: int) -> None:
    text = ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
    wanted = {number for first, last in ranges for number in range(first, last + 1)}
    assert select_pages(parse_pages(text), page_count) == [n for n in range(1, page_count + 1) if n in wanted]


@given(st.text("0123456789-, ", max_size=12).filter(lambda text: not PAGE_RANGES.fullmatch(text)))
def test_anything_else_is_no_page_range(text: str) -> None:
    with pytest.raises(ValueError, match=r"1,2-4,7|runs backwards"):
        parse_pages(text)


def test_a_range_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="4-2 runs backwards"):
        parse_pages("1,4-2")


def test_a_range_to_the_end_of_the_numbers_costs_nothing() -> None:
    assert select_pages(parse_pages("1-999999999"), 3) == [1, 2, 3]
