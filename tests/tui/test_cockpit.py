"""What a person does with the list all day: filter, sort, fold, mark, follow; and how they want the whole of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from imm_tui import i18n, preferences
from imm_tui.tui.app import ImmApp
from imm_tui.tui.widgets.task_list import TaskList
from tests.tui.conftest import Writer, app, event
from tests.tui.stage import read, seen, until, until_read

DOCUMENTS = ("5页Word.docx", "季度报告.pptx", "broken.xls", "合同.pdf")


@pytest.fixture
def documents(writer: Writer) -> dict[str, int]:
    """Four tasks: three have succeeded, and one has failed."""
    numbers = {}
    for pages, name in enumerate(DOCUMENTS, 1):
        numbers[name] = writer.submitted(name, name)
        writer.received(event(name, pages=pages, code="NoSuchKey" if name == "broken.xls" else "NoError"))
    return numbers


def listed(shown: str) -> list[str]:
    """The documents in the order in which they stand in the list."""
    places = {name: shown.find(name) for name in DOCUMENTS}
    return sorted((name for name in DOCUMENTS if places[name] >= 0), key=places.__getitem__)


def in_list(shown: object) -> list[str]:
    """The same without the detail beside the list."""
    lines = seen(shown).splitlines()  # type: ignore[arg-type]
    return listed("\n".join(line[:60] for line in lines))


async def test_a_filter_holds_as_it_is_typed_and_escape_ends_it(path: Path, documents: dict[str, int]) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 30)) as pilot:
        await until(pilot, lambda: len(in_list(shown)) == 4)
        await pilot.press("slash", *"status:fa")
        await until(pilot, lambda: in_list(shown) == ["broken.xls"])
        assert "1 of 4" in seen(shown)
        await pilot.press("enter")
        assert shown.focused is shown.dashboard.query_one(TaskList)
        await until_read(pilot, "Esc clears")
        await pilot.press("escape")
        await until(pilot, lambda: len(in_list(shown)) == 4)
        assert "Esc clears" not in seen(shown)


async def test_what_comes_while_a_filter_holds_is_listed_if_it_fits(
    path: Path, documents: dict[str, int], writer: Writer
) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 30)) as pilot:
        await until(pilot, lambda: len(in_list(shown)) == 4)
        await pilot.press("slash", *"status:failed", "enter")
        await until(pilot, lambda: in_list(shown) == ["broken.xls"])
        writer.submitted("合同.pdf", "again")
        writer.received(event("again", code="NoSuchKey"))
        await until(pilot, lambda: in_list(shown) == ["合同.pdf", "broken.xls"])


async def test_the_order_is_kept_for_the_next_session(path: Path, documents: dict[str, int]) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 30)) as pilot:
        await until(pilot, lambda: in_list(shown) == [*reversed(DOCUMENTS)])
        await pilot.press("F")
        await until(pilot, lambda: in_list(shown)[0] == "broken.xls")
        await pilot.press("z")
        await until(pilot, lambda: in_list(shown) == ["broken.xls"])
    again = app(path)
    async with again.run_test(size=(130, 30)) as pilot:
        await until(pilot, lambda: in_list(again) == ["broken.xls"])
        await pilot.press("z", "F")
        await until(pilot, lambda: in_list(again) == [*reversed(DOCUMENTS)])
    kept = preferences.load(path.parent / "preferences.json")
    assert (kept.failures_first, kept.folded) == (False, False)


async def test_a_key_sorts_by_one_column_after_the_other(path: Path, documents: dict[str, int]) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 30)) as pilot:
        await until(pilot, lambda: len(in_list(shown)) == 4)
        orders = set()
        tasks = shown.dashboard.query_one(TaskList)
        for _ in range(6):
            await pilot.press("s")
            orders.add(tasks.order)
            await until(pilot, lambda: tasks.arrangement.order == tasks.order)
            assert sorted(in_list(shown)) == sorted(DOCUMENTS)
        assert len(orders) >= 5
        assert shown.chosen.now.sort == tasks.order.column


async def test_escape_goes_back_one_step_at_a_time(path: Path, documents: dict[str, int]) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 30)) as pilot:
        await until(pilot, lambda: len(in_list(shown)) == 4)
        tasks = shown.dashboard.query_one(TaskList)
        await pilot.press("slash", *"-pages:9", "enter")
        await until_read(pilot, "Esc clears")
        await pilot.press("space", "enter")
        assert len(tasks.marked) == 1
        assert not tasks.has_focus
        await pilot.press("escape")
        assert tasks.has_focus
        assert len(tasks.marked) == 1
        await pilot.press("escape")
        assert tasks.marked == []
        assert "Esc clears" in seen(shown)
        await pilot.press("escape")
        await until(pilot, lambda: "Esc clears" not in seen(shown))


async def test_following_keeps_the_newest_in_view_until_a_person_moves(
    path: Path, documents: dict[str, int], writer: Writer
) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 30)) as pilot:
        await until(pilot, lambda: len(in_list(shown)) == 4)
        tasks = shown.dashboard.query_one(TaskList)
        await pilot.press("end", "g")
        newest = writer.submitted("a.docx", "A")
        await until(pilot, lambda: tasks.selected == newest)
        await pilot.press("down")
        kept = tasks.selected
        writer.submitted("b.docx", "B")
        await until_read(pilot, "b.docx")
        assert tasks.selected == kept
        assert not tasks.follow


async def test_the_language_is_switched_while_it_runs_and_kept(path: Path, documents: dict[str, int]) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 30)) as pilot:
        await until(pilot, lambda: len(in_list(shown)) == 4)
        await pilot.press("L")
        await until_read(pilot, "简体中文")
        await pilot.press("down", "enter")
        await until_read(pilot, "任务")
        assert len(in_list(shown)) == 4
        assert "Submit" not in seen(shown)
    assert preferences.load(path.parent / "preferences.json").language == "zh_CN"
    again = app(path)
    async with again.run_test(size=(130, 30)) as pilot:
        await until_read(pilot, "任务")
        await pilot.press("L", "up", "enter")
        await until_read(pilot, "Tasks")
    assert i18n.language() == "en"


async def test_another_language_leaves_a_person_where_they_are(path: Path, documents: dict[str, int]) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 30)) as pilot:
        await until(pilot, lambda: len(in_list(shown)) == 4)
        await pilot.press("slash", *"status:succeeded", "enter", "s", "s", "home", "space", "down", "enter", "3")
        before = shown.dashboard.whereabouts
        await pilot.press("L", "down", "enter")
        await until_read(pilot, "任务 3 / 4 · 已标记 1")
        await until_read(pilot, "投递 1 次")
        assert shown.dashboard.whereabouts == before
        assert before.marked == [documents["合同.pdf"]]
        assert before.selected == documents["5页Word.docx"]
        assert before.in_detail


async def test_a_theme_is_chosen_and_kept(path: Path) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 30)) as pilot:
        shown.action_change_theme()
        await until_read(pilot, "imm-light")
        await pilot.press("down", "enter")
        assert shown.theme == "imm-light"
    assert app(path).theme == "imm-light"


async def test_the_mouse_can_be_left_to_the_terminal(path: Path) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 30), notifications=True) as pilot:
        shown.action_mouse()
        await until_read(pilot, "The mouse is the terminal's.")
    assert not app(path).chosen.now.mouse


def told(shown: ImmApp) -> list[str]:
    """The toasts that can be read at the moment."""
    return [toast.message for toast in shown._notifications]


async def test_the_end_of_a_task_is_told_once_and_by_the_way_that_was_chosen(
    path: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imm_tui.completion._LASTS", 4.0)
    monkeypatch.setattr("imm_tui.completion._FAILED_LASTS", 4.0)
    shown = app(path)
    rung = []
    monkeypatch.setattr(shown, "bell", lambda: rung.append(1))
    async with shown.run_test(size=(130, 30), notifications=True) as pilot:
        await until_read(pilot, "Tasks 0")
        writer.submitted("季度报告.pptx", "A")
        writer.received(event("A"))
        await until(pilot, lambda: told(shown) == ["季度报告.pptx succeeded"])
        writer.received(event("A"))  # a duplicate
        shown.clear_notifications()
        writer.submitted("broken.xls", "B")
        writer.received(event("B", code="NoSuchKey"))
        await until(pilot, lambda: told(shown) == ["broken.xls failed: NoSuchKey"])
        shown.action_telling()
        await until_read(pilot, "OSC 9")
        await pilot.press("down", "enter")
        assert rung == []
        writer.submitted("c.pdf", "C")
        writer.received(event("C"))
        await until(pilot, lambda: rung == [1])


async def test_what_had_ended_before_is_not_told(path: Path, documents: dict[str, int]) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 30), notifications=True) as pilot:
        await until(pilot, lambda: len(in_list(shown)) == 4)
        await pilot.pause(1.5)
        assert told(shown) == []


async def test_a_click_on_a_count_lists_only_those(path: Path, documents: dict[str, int]) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 30)) as pilot:
        await until_read(pilot, "1 failed")
        counts = seen(shown).splitlines()
        row = next(y for y, line in enumerate(counts) if "1 failed" in line)
        await pilot.click(offset=(counts[row].index("1 failed") + 2, row))
        await until(pilot, lambda: in_list(shown) == ["broken.xls"])
        await pilot.press("escape")
        await until(pilot, lambda: len(in_list(shown)) == 4)


async def test_a_named_filter_is_kept_and_chosen_again(path: Path, documents: dict[str, int]) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 30)) as pilot:
        await until(pilot, lambda: len(in_list(shown)) == 4)
        await pilot.press("slash", *"type:png code:NoSuchKey", "enter", "v", "s", *"昨天的失败", "enter")
        await until_read(pilot, "昨天的失败")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: len(in_list(shown)) == 4)
    again = app(path)
    async with again.run_test(size=(130, 30)) as pilot:
        await until(pilot, lambda: len(in_list(again)) == 4)
        await pilot.press("v")
        await until_read(pilot, "昨天的失败")
        await pilot.press("end", "enter")
        await until(pilot, lambda: in_list(again) == ["broken.xls"])


async def test_what_is_marked_is_copied_line_by_line_and_kept_in_a_file(path: Path, documents: dict[str, int]) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 30), notifications=True) as pilot:
        await until(pilot, lambda: len(in_list(shown)) == 4)
        await pilot.press("home", "space", "space", "y", "i")
        await until_read(pilot, "Copied: the task id")
        assert shown.clipboard == "合同.pdf\nbroken.xls"
    assert (path.parent / "copied.txt").read_text() == "合同.pdf\nbroken.xls"


async def test_what_is_listed_is_exported_and_nothing_else(path: Path, documents: dict[str, int]) -> None:
    shown = app(path)
    file = path.parent / "failed.csv"
    async with shown.run_test(size=(130, 30), notifications=True) as pilot:
        await pilot.press("slash", *"status:failed", "enter")
        await until(pilot, lambda: in_list(shown) == ["broken.xls"])
        await pilot.press("e")
        await until_read(pilot, "Export 1 task")
        await pilot.press("ctrl+u", *str(file), "enter")
        await until(pilot, file.exists)
    exported = file.read_text("utf-8-sig")
    assert "broken.xls" in exported
    assert "合同.pdf" not in exported


async def test_a_failed_tasks_code_is_explained(path: Path, documents: dict[str, int]) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 34)) as pilot:
        await until(pilot, lambda: len(in_list(shown)) == 4)
        await pilot.press("slash", *"status:failed", "enter")
        await until_read(pilot, "1 of 4")
        await pilot.press("c")
        await until_read(pilot, "Codes of IMM, MNS and OSS")
        await until_read(pilot, "NoSuchKey")


async def test_an_error_stays_until_it_is_read(path: Path, documents: dict[str, int]) -> None:
    shown = app(path)
    async with shown.run_test(size=(130, 30), notifications=True) as pilot:
        await until(pilot, lambda: len(in_list(shown)) == 4)
        shown.notify("It cannot be. [/]", title="No", severity="error", timeout=0.1, markup=False)
        shown.notify("A word.", timeout=0.1)
        await until(pilot, lambda: told(shown) == ["It cannot be. [/]"])
        await pilot.press("escape")
        assert told(shown) == []
        assert "Esc" not in seen(shown)


async def test_choices_that_were_damaged_are_told_once_and_are_not_lost(path: Path) -> None:
    file = path.with_name("preferences.json")
    file.write_text('{"theme": "nord", ')
    shown = app(path)
    async with shown.run_test(size=(200, 24), notifications=True) as pilot:
        await until_read(pilot, "preferences.json.damaged")
        await until_read(pilot, "No tasks yet")
        shown.chosen.change(mouse=False)
    assert file.with_name("preferences.json.damaged").read_text() == '{"theme": "nord", '
    again = app(path)
    async with again.run_test(size=(200, 24), notifications=True) as pilot:
        await until_read(pilot, "No tasks yet")
        assert "damaged" not in read(again)


async def test_another_language_does_not_cost_another_reading_of_all_styles(path: Path) -> None:
    shown = app(path)
    async with shown.run_test(size=(120, 24)) as pilot:
        await until_read(pilot, "No tasks yet")
        for key, words in (("down", "还没有任务"), ("up", "No tasks yet")):
            await pilot.press("L")
            await until_read(pilot, "简体中文")
            rules = shown.stylesheet.rules
            await pilot.press(key, "enter")
            await until_read(pilot, words)
            assert shown.stylesheet.rules is rules
