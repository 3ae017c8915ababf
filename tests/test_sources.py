"""Sources: what lines and patterns stand for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imm_tui import sources
from imm_tui.errors import BadInput


def written(folder: Path, content: bytes) -> str:
    path = folder / "list.txt"
    path.write_bytes(content)
    return str(path)


def test_a_file_is_read_as_other_programs_write_it(tmp_path: Path) -> None:
    file = written(tmp_path, "\ufeff# of May\r\n\r\n  oss://b/文档.pdf \r\noss://b/#1.pdf\n#oss://b/no.pdf".encode())
    assert sources.read_lines(file) == sources.read_named(file)
    assert list(sources.numbered(sources.read_named(file))) == [(3, "oss://b/文档.pdf"), (4, "oss://b/#1.pdf")]


def test_a_hundred_thousand_lines_are_sources(tmp_path: Path) -> None:
    file = written(tmp_path, b"".join(b"oss://b/%d.pdf\n" % number for number in range(100_000)))
    assert len(sources.with_files([f"@{file}", "oss://b/k"])) == 100_002


@pytest.mark.parametrize("content", [b"", b"# nothing\n\n", "oss://b/文档.pdf".encode("gbk"), b"oss://b/a\noss://\xff"])
def test_a_file_that_names_no_source_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadInput, match=r"list\.txt") as caught:
        sources.read_named(written(tmp_path, content))
    assert caught.value.fix


@pytest.mark.parametrize("file", ["", "no-such-file", "a\0b", "~nobody-of-that-name/x"])
def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match="cannot be read"):
        sources.read_named(file)


def test_what_has_no_end_or_is_too_large_is_not_begun(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for file in (tmp_path / "fifo", Path("/dev/zero"), tmp_path):
        with pytest.raises(BadInput, match="It is no ordinary file"):
            sources.read_named(str(file))
    large = tmp_path / "large"
    with large.open("wb") as opened:
        opened.truncate(2**24 + 1)
    with pytest.raises(BadInput, match="It is larger than 16 MB"):
        sources.with_files([f"@{large}"])


@pytest.mark.parametrize(
    ("typed", "told", "wrong"),
    [
        ([], "0 sources", "The source is missing"),
        (["oss://b/k", "", "# a comment", "@list.txt"], "2 sources", None),
        (["oss://b/k", "k", "oss://b/k", "@-"], "4 sources · 1 duplicate · 2 wrong", "Line 2: "),
        (["oss://b/\u2407"], "1 source · 1 wrong", "cannot be shown"),
    ],
)
def test_lines_that_are_typed_are_counted_and_checked(typed: list[str], told: str, wrong: str | None) -> None:
    tally = sources.tally(typed)
    assert tally.told == told
    assert tally.first == next(iter(typed), "")
    assert (wrong or "None") in str(tally.wrong)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("oss://b/*.docx", ["a.docx", "页[1].docx"]),
        ("oss://b/a*.docx", ["a.docx"]),
        ("oss://b/*/*.docx", ["x/a.docx"]),
        ("oss://b/**.docx", ["a.docx", "x/a.docx", "x/y/a.docx", "页[1].docx"]),
        ("oss://b/x/**", ["x/a.docx", "x/y/a.docx"]),
        ("oss://b/页[1].*", ["页[1].docx"]),
        ("oss://b/*.DOCX", []),
        ("oss://other/*", []),
    ],
)
def test_a_pattern_stands_for_the_objects_that_it_matches(tmp_path: Path, pattern: str, found: list[str]) -> None:
    for name in ("a.docx", "x/a.docx", "x/y/a.docx", "页[1].docx", "a.pdf"):
        path = tmp_path / "b" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    if "other" in pattern:
        (tmp_path / "other").mkdir()
    assert sources.is_pattern(pattern)
    assert sources.expand(pattern, sources.folder_lister(tmp_path)) == [f"oss://b/{name}" for name in found]


@pytest.mark.parametrize("source", ["oss://b/a[1].docx", "oss://b/a?.docx", "oss://b*/a.docx", "oss://b/", "*.docx"])
def test_anything_else_is_no_pattern(source: str) -> None:
    assert not sources.is_pattern(source)
