"""What `y` copies: one key more says which part, of one task or of several."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from imm_tui.history import History
from imm_tui.tasks import Conversion
from imm_tui.tui.screens.copy import CopyScreen
from imm_tui.tui.styles import stylesheet
from tests.tui.conftest import Writer, event, now
from tests.tui.stage import read, until, until_read


class Host(App[None]):
    """An app that opens the screen at once."""

    CSS = stylesheet()

    def __init__(self, path: Path, tasks: Sequence[int], keymap: dict[str, str] | None = None) -> None:
        super().__init__()
        self.copying = CopyScreen(path, tasks)
        self.set_keymap(keymap or {})

    def on_mount(self) -> None:
        from imm_tui.tui import theme

        self.register_theme(theme.DARK)
        self.theme = theme.DARK.name
        self.push_screen(self.copying)


@pytest.fixture(autouse=True)
def no_multiplexer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("STY", raising=False)
    monkeypatch.setattr(HeadlessDriver, "write", lambda _, data: None)


async def copied(path: Path, tasks: Sequence[int], *keys: str, keymap: dict[str, str] | None = None) -> str:
    """What is in the clipboard after these keys."""
    app = Host(path, tasks, keymap)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until(pilot, lambda: app.screen is app.copying)
        await pilot.pause()
        await pilot.press(*keys)
        await until(pilot, lambda: app.screen is not app.copying)
        return app.clipboard


def finished(writer: Writer, name: str = "季度 报告.docx", task_id: str = "t-1") -> int:
    task = writer.submitted(name, task_id)
    writer.received(event(task_id))
    return task


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("i", "t-1"),
        ("s", "oss://bucket/in/季度 报告.docx"),
        ("t", "oss://bucket/out/季度 报告.docx/"),
    ],
)
async def test_one_key_copies_a_part(writer: Writer, path: Path, key: str, text: str) -> None:
    assert await copied(path, [finished(writer)], key) == text
    assert path.with_name("copied.txt").read_text() == text


async def test_the_row_can_be_pasted_into_a_sheet(writer: Writer, path: Path) -> None:
    cells = (await copied(path, [finished(writer)], "y")).split("\t")
    assert cells[:4] == ["Succeeded", "png", "5 p", "100 %"]
    assert cells[-1] == "季度 报告.docx"


async def test_the_json_is_what_the_commands_print(writer: Writer, path: Path) -> None:
    number = finished(writer, "a\x9b\ud800\x1b.docx")
    text = await copied(path, [number], "j")
    task = writer.history.task(number)
    assert task is not None
    assert json.loads(text) == task.as_object(), "nothing is lost on the way"


async def test_the_raw_event_is_kept_byte_for_byte(writer: Writer, path: Path) -> None:
    number = writer.submitted("a", "t-1")
    body = event("t-1") + b"\r\n"
    writer.received(body)
    await copied(path, [number], "e")
    assert path.with_name("copied.txt").read_bytes() == body


async def test_the_request_is_copied_as_it_was_sent(writer: Writer, path: Path) -> None:
    request = {"action": "CreateOfficeConversionTask", "parameters": {"SourceURI": "oss://b/页"}}
    conversion = Conversion(source_uri="oss://b/页", target_uri="oss://b/", target_type="png")
    number = writer.history.record_intent(
        conversion, project="p", api_version="2020-09-30", token="t", at=now(), request=request
    )
    assert json.loads(await copied(path, [number], "r")) == request


async def test_several_tasks_are_copied_in_lines(writer: Writer, path: Path) -> None:
    tasks = [finished(writer, f"{name}.docx", name) for name in "abc"]
    assert await copied(path, tasks, "i") == "a\nb\nc"
    assert [json.loads(text)["task_id"] for text in (await copied(path, tasks, "j")).split("\n")] == ["a", "b", "c"]


async def test_a_line_break_in_a_name_ends_no_command(writer: Writer, path: Path) -> None:
    assert "\n" not in await copied(path, [finished(writer, "a\nrm -rf ~")], "s")


async def test_enter_and_a_click_choose_as_well(writer: Writer, path: Path) -> None:
    assert await copied(path, [finished(writer)], "down", "enter") == "t-1"


async def test_another_key_does_it_where_a_person_wants_that(writer: Writer, path: Path) -> None:
    task = finished(writer)
    app = Host(path, [task], {"copy.id": "x"})
    async with app.run_test(size=(120, 30)) as pilot:
        await until_read(pilot, "x the task id")
    assert await copied(path, [task], "x", keymap={"copy.id": "x"}) == "t-1"


async def shown(pilot: Pilot[Any]) -> str:
    await until_read(pilot, "the row")
    return read(pilot.app)


async def test_what_a_task_has_not_cannot_be_chosen(writer: Writer, path: Path) -> None:
    app = Host(path, [writer.submitted("a.docx")])
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        assert "oss://bucket/in/a.docx" in await shown(pilot)
        await pilot.press("i")
        await until_read(pilot, "There is nothing to copy: the task id")
        assert app.clipboard == ""


async def test_a_history_that_cannot_be_read_is_told(path: Path) -> None:
    path.write_text("this is no history")
    app = Host(path, [1])
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until(pilot, lambda: app.screen is app.copying)
        await pilot.press("i")
        await until_read(pilot, "history.db")


async def test_nothing_on_it_is_markup_or_a_command(writer: Writer, path: Path) -> None:
    app = Host(path, [finished(writer, "[red]x[/red] [/] \x1b[31m.docx")])
    async with app.run_test(size=(120, 30)) as pilot:
        assert "[red]x[/red] [/]" in await shown(pilot)
        assert "\x1b[31m" not in app.export_screenshot()


async def test_very_many_are_copied_to_the_file(path: Path) -> None:
    with History(path) as history:
        numbers = [
            history.record_intent(
                Conversion(source_uri=f"oss://b/{number}", target_uri="oss://b/", target_type="png"),
                project="p",
                api_version="2017-09-06",
                token="t",
                at=now(),
            )
            for number in range(200)
        ]
    assert await copied(path, numbers * 50, "s") == "", "too much for a terminal"
    assert path.with_name("copied.txt").read_text().count("\n") == 200 * 50 - 1
