"""The dry run: no line is lost or fatal, and what speaks against one is said before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imm_tui import submission
from imm_tui.config import Settings
from imm_tui.dry_run import Note, Preview, Row, dry_run
from imm_tui.errors import BadInput
from imm_tui.history import History
from imm_tui.sources import Lister
from imm_tui.submission import Wanted

NEW = Settings(region="cn-beijing", project="p")
OLD = replace(NEW, api_version="2017-09-06")


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "history.db") as opened:
        yield opened


def seen(
    *lines: str, history: History | None = None, lister: Lister | None = None, target_type: str = "png", **more: Any
) -> Preview:
    return dry_run(lines, Wanted(target_type=target_type, **more), NEW, history=history, lister=lister)


def notes(preview: Preview) -> list[Note]:
    return [row.note for row in preview.rows]


def submitted(history: History, source: str, target_type: str = "png", **more: str) -> int:
    [conversion] = submission.plan([source], Wanted(target_type=target_type, **more), NEW)  # type: ignore[arg-type]  # texts only
    return history.record_intent(conversion, project="p", api_version="2020-09-30", token="t", at=1)


def test_each_line_has_its_number_and_its_target() -> None:
    preview = seen("", "oss://b/a.docx", "# a comment", " oss://b/x/文档.docx ")
    assert preview.rows == [
        Row(2, "oss://b/a.docx", "oss://b/imm-format-convert-tgt/a.docx/"),
        Row(4, "oss://b/x/文档.docx", "oss://b/imm-format-convert-tgt/x/文档.docx/"),
    ]
    assert not preview.objections
    assert [conversion.target_uri for conversion in preview.conversions] == [row.target for row in preview.rows]


def test_a_wrong_line_says_why_and_costs_no_other() -> None:
    preview = seen("/home/me/a.docx", "oss://b/a.docx", "https://b/a.docx", "oss://b/\udc80.docx")
    assert notes(preview) == [Note.WRONG, Note.GOOD, Note.WRONG, Note.WRONG]
    assert all(row.why and not row.target for row in preview.rows if row.note)
    assert len(preview.conversions) == preview.counts[Note.GOOD] == 1


def test_a_typed_line_that_lost_a_character_is_wrong_and_a_name_of_a_file_with_the_same_one_is_not() -> None:
    lines = ["oss://b/a␇.docx", "oss://b/\ufffd*.docx", "oss://b/b.docx", "oss://b/of a file ␇.docx"]
    preview = dry_run(lines, Wanted(target_type="png"), NEW, typed=frozenset(lines[:3]), lister=lambda *_: ())
    assert notes(preview) == [Note.WRONG, Note.WRONG, Note.GOOD, Note.GOOD]
    assert "cannot be shown" in preview.rows[0].why
    assert [it.source_uri for it in preview.conversions] == lines[2:]


def test_a_duplicate_names_the_line_that_it_repeats() -> None:
    preview = seen("oss://b/a.docx", "oss://b/b.docx", "", " oss://b/a.docx")
    assert notes(preview) == [Note.GOOD, Note.GOOD, Note.DUPLICATE]
    assert "line 1" in preview.rows[2].why
    assert len(preview.conversions) == 2


@pytest.mark.parametrize(
    ("target_uri", "collide"),
    [
        ("oss://b/out/{barename}.{autoext}", True),
        ("oss://b/out/{dirname}/{barename}.{autoext}", False),
        ("oss://b/out/{filename}.{autoext}", True),
        ("oss://b/out/fixed.png", False),
        ("oss://b/out/", False),
    ],
)
def test_two_sources_for_one_place_collide(target_uri: str, collide: bool) -> None:
    preview = seen("oss://b/x/a.docx", "oss://b/y/a.docx", target_uri=target_uri)
    assert notes(preview) == [Note.COLLISION if collide else Note.GOOD] * 2
    assert preview.objections == collide
    assert len(preview.conversions) == 2
    assert not collide or "Line 1" in preview.rows[1].why


def test_a_template_is_shown_filled_in_as_far_as_it_is_known() -> None:
    template = "oss://{bucket}/{tags.team}/{dirname}/{index}-{barename}.{autoext}"
    [row] = seen("oss://b/a.docx", target_uri=template, options={"Tags": "team=sales"}).rows
    assert row.target == "oss://b/sales/{index}-a.png"


def test_what_a_task_of_the_history_has_written_would_be_overwritten(history: History) -> None:
    task = submitted(history, "oss://b/a.docx")
    preview = seen("oss://b/a.docx", "oss://b/b.docx", history=history)
    assert notes(preview) == [Note.OVERWRITES, Note.GOOD]
    assert f"#{task}" in preview.rows[0].why
    assert notes(seen("oss://b/a.docx", target_type="pdf", history=history)) == [Note.GOOD]


def test_pages_of_another_document_are_overwritten_and_its_pdf_is_not(history: History) -> None:
    for target_type in ("png", "pdf"):
        submitted(history, "oss://b/a.docx", target_type, target_uri="oss://b/out")
    there: dict[str, Any] = {"target_uri": "oss://b/out", "history": history}
    assert notes(seen("oss://b/b.docx", **there)) == [Note.OVERWRITES]
    assert notes(seen("oss://b/b.docx", target_type="pdf", **there)) == [Note.GOOD]


def test_a_failed_task_has_written_nothing(history: History) -> None:
    task = submitted(history, "oss://b/a.docx")
    history.record_refused(task, code="X", message="", request_id=None, at=1)
    assert notes(seen("oss://b/a.docx", history=history)) == [Note.GOOD]


def test_of_many_tasks_with_one_template_the_newest_is_named_and_none_is_fetched_alone(history: History) -> None:
    template = "oss://b/out/{barename}.{autoext}"
    tasks = [submitted(history, f"oss://b/{number % 30}.docx", target_uri=template) for number in range(60)]
    asked: list[str] = []
    history._db.set_trace_callback(asked.append)
    preview = seen("oss://b/7.docx", "oss://b/77.docx", target_uri=template, history=history)
    assert notes(preview) == [Note.OVERWRITES, Note.GOOD]
    assert f"#{tasks[37]}" in preview.rows[0].why
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("oss://b/x/y/a.tar.gz", "b|x/y|a.tar|a.tar.gz|gz"),
        ("oss://b/.docx", "b||.docx|.docx|"),
        ("oss://b/季度 报告.pptx", "b||季度 报告|季度 报告.pptx|pptx"),
    ],
)
def test_a_templates_variables_are_filled_in(source: str, result: str) -> None:
    template = "oss://b/{bucket}|{dirname}|{barename}|{filename}|{ext}"
    assert seen(source, target_uri=template).rows[0].target == f"oss://b/{result}"


def test_a_pattern_has_a_row_for_each_object(history: History) -> None:
    def lister(bucket: str, prefix: str) -> Iterable[str]:
        assert (bucket, prefix) == ("b", "x/")
        return ["x/b.docx", "x/a.docx", "x/a.pdf"]

    preview = seen("oss://b/x/a.docx", "oss://b/x/*.docx", lister=lister)
    assert [(row.line, row.source, row.note) for row in preview.rows] == [
        (1, "oss://b/x/a.docx", Note.GOOD),
        (2, "oss://b/x/a.docx", Note.DUPLICATE),
        (2, "oss://b/x/b.docx", Note.GOOD),
    ]


def test_a_pattern_that_stands_for_nothing_is_wrong() -> None:
    def fails(bucket: str, prefix: str) -> Iterable[str]:
        raise PermissionError(13, "Permission denied")

    for lister, why in ((None, "listed"), (fails, "Permission denied"), (lambda bucket, prefix: [], "matches")):
        [row] = seen("oss://b/*.docx", lister=lister).rows
        assert row.note is Note.WRONG
        assert why in row.why


@pytest.mark.parametrize("lines", [[], ["no source"], ["oss://b/a.docx"]])
def test_another_field_that_is_wrong_is_raised_whatever_the_lines(lines: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        dry_run(lines, Wanted(target_type="png", options={"Quality": "101"}), NEW)
    assert caught.value.field == "Quality"
    assert dry_run(lines, Wanted(target_type="png"), NEW).conversions or "oss://b/a.docx" not in lines


LINES = st.lists(
    st.sampled_from(["oss://b/a.docx", "oss://b/a.pdf", "oss://b/x/a.docx", "oss://b/*", "", "#"])
    | st.text(max_size=20)
)


@given(LINES, st.sampled_from(["", "oss://b/out/", "oss://b/out/{barename}", "oss://b/{filename}"]))
def test_no_line_is_fatal_and_what_is_sent_is_what_plan_sends(lines: list[str], target_uri: str) -> None:
    preview = seen(*lines, target_uri=target_uri)
    sent = [row for row in preview.rows if row.note not in (Note.WRONG, Note.DUPLICATE)]
    assert [conversion.source_uri for conversion in preview.conversions] == [row.source for row in sent]
    assert sum(preview.counts.values()) == len(preview.rows)
    if sent:
        sources = [row.source for row in sent]
        assert preview.conversions == submission.plan(sources, Wanted(target_type="png", target_uri=target_uri), NEW)


def test_ten_thousand_lines_against_as_many_tasks(history: History) -> None:
    lines = [f"oss://b/{number}.pdf" for number in range(10_000)]
    for line in lines[::500]:
        submitted(history, line)
    preview = seen(*lines, history=history)
    assert preview.counts[Note.OVERWRITES] == 20
    assert preview.counts[Note.GOOD] == 9_980
