"""What would be sent, seen before it is: which lines, to which places, and what speaks against them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from imm_tui.history import History
from imm_tui.sources import folder_lister
from imm_tui.tasks import Conversion
from imm_tui.tui.app import ImmApp
from imm_tui.tui.screens.dry_run import DryRunScreen
from imm_tui.tui.screens.submit import SubmitScreen
from imm_tui.tui.widgets.preview_list import PreviewList
from tests.conftest import RunningEmulator
from tests.tui.stage import paste, read, seen, until, until_read
from tests.tui.test_submit import SETTINGS, SIZE, against, form, open_form, sources

MIXED = "oss://demo/季度报告.docx\noss://demo/a.pdf\na.pdf\noss://demo/a.pdf\noss://demo/5页Word.docx"


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


async def dry_run(app: ImmApp, pilot: Pilot[str | None], text: str) -> PreviewList:
    await open_form(pilot)
    await paste(pilot, text)
    await pilot.press("f5")
    await until(pilot, lambda: isinstance(app.screen, DryRunScreen) and app.focused is not None)
    await pilot.pause()
    return app.screen.query_one(PreviewList)


def tasks(history: Path) -> list[str]:
    with History(history) as db:
        return sorted(task.source_uri or "" for task in db.tasks())


async def test_each_line_is_shown_with_its_place_or_with_what_speaks_against_it(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=(120, 30)) as pilot:
        await dry_run(app, pilot, MIXED)
        rows = [" ".join(row.strip("│ ").split()) for row in seen(app).splitlines()]
        assert "1 oss://demo/季度报告.docx oss://demo/imm-format-convert-tgt/季度报告.docx/" in rows
        assert any(row.startswith("✘ 3 wrong a.pdf The source is not an OSS URI.") for row in rows)
        assert "· 4 duplicate oss://demo/a.pdf It is the same as line 2." in rows
        assert "3 documents to submit ✘ 1 wrong line stays in the form · 1 duplicate is left out" in read(app)
        assert tasks(history) == [], "nothing was sent"


async def test_what_is_sent_is_what_was_shown_and_the_wrong_line_stays_in_the_form(
    emulator: RunningEmulator, history: Path
) -> None:
    app = against(emulator, history)
    async with app.run_test(size=SIZE) as pilot:
        await dry_run(app, pilot, MIXED)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.dashboard)
        assert tasks(history) == ["oss://demo/5页Word.docx", "oss://demo/a.pdf", "oss://demo/季度报告.docx"]
        await open_form(pilot)
        assert sources(pilot) == "a.pdf"


@pytest.mark.parametrize("way", ["escape", "q", "button"])
async def test_back_to_the_form_nothing_is_lost_or_sent(history: Path, way: str) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        await dry_run(app, pilot, MIXED)
        await (pilot.click("#back") if way == "button" else pilot.press(way))
        await until(pilot, lambda: isinstance(app.screen, SubmitScreen))
        assert sources(pilot) == MIXED
        assert tasks(history) == []


async def test_the_lines_with_a_note_are_gone_through_by_key_and_listed_alone(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        rows = await dry_run(app, pilot, MIXED)
        for key, line in (("n", 3), ("n", 4), ("n", 3), ("N", 4)):
            await pilot.press(key)
            assert rows.row is not None
            assert rows.row.line == line
        await pilot.press("o")
        assert "季度报告" not in read(app)
        assert "It is the same as line 2." in read(app), "the selection has stayed on its line"


async def test_without_a_document_there_is_nothing_to_agree_to(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        await dry_run(app, pilot, "a.pdf\nb.pdf")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DryRunScreen)
        assert app.screen.query_one("#submit").disabled


async def test_what_overwrites_an_earlier_result_is_shown_before_it_is_sent(history: Path) -> None:
    source = "oss://demo/a.pdf"
    with History(history) as db:
        target = "oss://demo/imm-format-convert-tgt/a.pdf/"
        conversion = Conversion(source_uri=source, target_uri=target, target_type="png")
        task = db.record_intent(conversion, project="demo", api_version="2017-09-06", token="t", at=1)
        db.record_accepted(task, "TASK-OF-OLD", "REQUEST")
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await paste(pilot, source)
        await pilot.press("ctrl+s")
        await until_read(pilot, "It overwrites the result of task TASK-OF-OLD.")
        assert "! 1 overwrites an earlier result" in read(app)


async def test_two_documents_with_one_place_are_shown_before_they_are_sent(history: Path) -> None:
    app = form(history, replace(SETTINGS, api_version="2020-09-30"))
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_form(pilot)
        await paste(pilot, "oss://demo/a.pdf\noss://demo/b.pdf")
        screen.query_one("#target-uri").focus()
        await paste(pilot, "oss://demo/out/one.{autoext}")
        await pilot.press("enter")
        await until_read(pilot, "! 2 collide with one another")
        assert tasks(history) == []


async def test_a_file_of_sources_is_named_and_read_when_it_is_submitted(
    emulator: RunningEmulator, history: Path, tmp_path: Path
) -> None:
    file = tmp_path / "清单.txt"
    app = against(emulator, history)
    async with app.run_test(size=(120, 30)) as pilot:
        await open_form(pilot)
        await pilot.press("f2")
        await paste(pilot, str(file))
        await pilot.press("enter")
        await until_read(pilot, "cannot be read.")
        file.write_text("# of this week\n\noss://demo/a.pdf\noss://demo/b.pdf\n", encoding="utf-8")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SubmitScreen))
        assert sources(pilot) == f"@{file}"
        file.write_text("oss://demo/c.pdf\n", encoding="utf-8-sig")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is app.dashboard)
        assert tasks(history) == ["oss://demo/c.pdf"]


async def test_a_file_that_is_gone_is_told_beside_the_sources(history: Path, tmp_path: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await paste(pilot, f"@{tmp_path}/gone.txt")
        await pilot.press("ctrl+s")
        await until_read(pilot, "gone.txt cannot be read.")
        assert "✘" in read(app)
        assert sources(pilot) == f"@{tmp_path}/gone.txt"


async def test_a_pattern_stands_for_the_documents_of_a_bucket_that_can_be_listed(history: Path, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    for name in ("一.docx", "二.docx", "三.pdf"):
        (tmp_path / "demo" / name).touch()
    app = form(history)
    app.lister = folder_lister(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        rows = await dry_run(app, pilot, "oss://demo/*.docx")
        assert "oss://demo/一.docx" in read(app)
        assert "三.pdf" not in read(app)
        assert "2 documents to submit" in read(app)
        assert rows.row is not None
        assert rows.row.line == 1


@pytest.mark.parametrize("listed", [True, False], ids=["can be listed", "cannot be listed"])
async def test_the_form_tells_of_patterns_only_where_a_bucket_can_be_listed(
    history: Path, tmp_path: Path, listed: bool
) -> None:
    app = form(history)
    app.lister = folder_lister(tmp_path) if listed else None
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await until_read(pilot, "Several: one a line")
        assert ("a pattern such as" in read(app)) == listed


async def test_of_a_pattern_the_form_shows_where_results_go_as_far_as_that_is_known(history: Path) -> None:
    app = form(history)
    app.lister = lambda bucket, prefix: ()
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await paste(pilot, "oss://demo/2026/*.pdf")
        await until_read(pilot, "Each document that fits goes into a folder of its own.")
        assert "oss://demo/imm-format-convert-tgt/2026/…/" in read(app)
        assert "*.pdf/" not in read(app)


async def test_ten_thousand_lines_draw_no_more_than_the_rows_in_sight(history: Path) -> None:
    app = form(history)
    async with app.run_test(size=SIZE) as pilot:
        lines = "\n".join(f"oss://demo/{number}.pdf" for number in range(10_000))
        rows = await dry_run(app, pilot, lines)
        drawn: list[int] = []
        draw = rows.draw_row
        rows.draw_row = lambda number, look, width: drawn.append(number) or draw(number, look, width)  # type: ignore[func-returns-value,method-assign]
        await pilot.press("end")
        await pilot.pause()
        assert "10,000 documents to submit" in read(app)
        assert set(drawn) <= set(range(9_900, 10_000)) | {0}


@pytest.mark.parametrize("size", [(200, 50), (120, 40), (80, 24), (60, 20)])
async def test_the_counts_the_rows_and_the_buttons_are_in_sight(history: Path, size: tuple[int, int]) -> None:
    app = form(history)
    async with app.run_test(size=size) as pilot:
        await dry_run(app, pilot, MIXED)
        words = read(app)
        for expected in ("3 documents to submit", "oss://demo/季度报告.docx", "Submit 3 documents", "Back"):
            assert expected in words
