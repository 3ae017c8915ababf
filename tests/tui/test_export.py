"""The export of what is listed: typed, chosen, under way, refused, closed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.app import App
from textual.widgets import ProgressBar

from imm_tui.tui.screens.export import ExportScreen
from imm_tui.tui.styles import stylesheet
from tests.tui.conftest import Writer
from tests.tui.stage import read, until, until_read


class Host(App[None]):
    """An app that opens the screen at once."""

    CSS = stylesheet()

    def __init__(self, path: Path, tasks: list[int]) -> None:
        super().__init__()
        self.exporting = ExportScreen(path, tasks)

    def on_mount(self) -> None:
        from imm_tui.tui import theme

        self.register_theme(theme.DARK)
        self.theme = theme.DARK.name
        self.push_screen(self.exporting)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the program was started in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


async def test_enter_writes_csv_where_the_program_was_started(writer: Writer, path: Path, here: Path) -> None:
    app = Host(path, [writer.submitted("季度 报告.docx"), writer.submitted("b.docx")])
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until_read(pilot, "Export 2 tasks")
        await pilot.press("enter")
        await until_read(pilot, "2 tasks are in")
        await until(pilot, lambda: app.screen is not app.exporting)
    (file,) = here.iterdir()
    assert file.suffix == ".csv"
    assert "季度 报告.docx" in file.read_text("utf-8-sig")


async def test_the_form_is_a_choice_and_the_name_follows_it(writer: Writer, path: Path, here: Path) -> None:
    app = Host(path, [writer.submitted("a.docx")])
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until_read(pilot, "Export 1 task")
        await pilot.press("tab", "right", "enter")
        await until_read(pilot, "1 task is in")
    (file,) = here.glob("*.jsonl")
    assert json.loads(file.read_text())["source_uri"] == "oss://bucket/in/a.docx"


async def test_where_it_cannot_be_written_it_says_so_and_keeps_what_was_typed(writer: Writer, path: Path) -> None:
    app = Host(path, [writer.submitted("a.docx")])
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until_read(pilot, "Export 1 task")
        await pilot.press("home", "shift+end", "delete", *"/dev/null/x", "enter")
        await until_read(pilot, "✘ Nothing can be exported to /dev/null/x. Not a directory.")
        assert app.screen is app.exporting
        await pilot.press("enter")
        await until_read(pilot, "✘ Nothing can be exported to /dev/null/x.")
        assert "a.docx" not in read(app)


async def test_a_folder_that_was_made_for_it_is_told(writer: Writer, path: Path, here: Path) -> None:
    app = Host(path, [writer.submitted("a.docx")])
    async with app.run_test(size=(160, 30), notifications=True) as pilot:
        await until_read(pilot, "Export 1 task")
        await pilot.press("home", "shift+end", "delete", *"new/folder/t.csv", "enter")
        await until_read(pilot, "New folder:")
        assert read(app).endswith("here/new"), "the uppermost says where to look"
    assert (here / "new" / "folder" / "t.csv").exists()


async def test_a_history_that_cannot_be_read_is_told(path: Path, here: Path) -> None:
    path.write_text("this is no history")
    async with Host(path, [1]).run_test(size=(100, 30), notifications=True) as pilot:
        await until_read(pilot, "Export 1 task")
        await pilot.press("enter")
        await until_read(pilot, "✘ The")
    assert not list(here.iterdir())


async def test_the_end_of_the_app_leaves_no_half_file(writer: Writer, path: Path, here: Path) -> None:
    app = Host(path, [writer.submitted("a.docx")] * 1_000_000)
    async with app.run_test(size=(100, 30)) as pilot:
        await until_read(pilot, "Export 1,000,000 tasks")
        await pilot.press("enter")
        await until(pilot, lambda: bool(list(here.iterdir())))
    assert list(here.iterdir()) == []


async def test_very_many_show_how_far_it_is_and_closing_ends_it(writer: Writer, path: Path, here: Path) -> None:
    app = Host(path, [writer.submitted("a.docx")] * 1_000_000)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until_read(pilot, "Export 1,000,000 tasks")
        await pilot.press("enter")
        bar = app.exporting.query_one(ProgressBar)
        await until(pilot, lambda: bar.progress > 0)
        assert "%" in read(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not app.exporting)
        await until(pilot, lambda: not list(here.iterdir()))
