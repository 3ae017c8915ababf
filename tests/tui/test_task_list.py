"""The list, by key and by mouse, read as it is drawn."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import MouseScrollDown
from textual.pilot import Pilot
from textual.strip import Strip

from imm_tui.tasks import Status, Task
from imm_tui.tui.styles import stylesheet
from imm_tui.tui.task_index import TaskIndex
from imm_tui.tui.widgets.task_list import TaskList
from tests.tui.conftest import app, lines, now
from tests.tui.stage import read, seen, until, until_read


def task(number: int, status: Status = Status.SUCCEEDED, name: str = "", **changes: object) -> Task:
    values: dict[str, object] = {
        "id": number,
        "task_id": f"t-{number}",
        "status": status,
        "source_uri": f"oss://bucket/{name or f'document-{number}.docx'}",
        "target_type": "png",
        "seen_at": now(),
        "submitted_at": now(),
    }
    return Task(**(values | changes))  # type: ignore[arg-type]


class Listing(App[None]):
    """The list alone, over tasks that a dictionary keeps."""

    CSS = stylesheet()
    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "sort")]

    def __init__(self, tasks: Iterable[Task] = ()) -> None:
        super().__init__()
        self.known = {task.id: task for task in tasks}
        self.opened = self.fetched = 0
        self.told: list[object] = []
        """What the list has said of its marks, its order, and whether it follows."""

    def compose(self) -> ComposeResult:
        yield TaskList(self.fetch)

    def fetch(self, numbers: Iterable[int]) -> list[Task]:
        wanted = [*numbers]
        self.fetched += len(wanted)
        return [self.known[number] for number in wanted if number in self.known]

    def on_mount(self) -> None:
        self.widget.load(TaskIndex((task.id, task.status) for task in self.known.values()))

    def action_sort(self) -> None:
        self.widget.action_sort()

    def on_row_list_opened(self) -> None:
        self.opened += 1

    def on_task_list_marked(self, event: TaskList.Marked) -> None:
        self.told.append(event.count)

    def on_task_list_sorted(self, event: TaskList.Sorted) -> None:
        self.told.append(event.order)

    def on_task_list_followed(self, event: TaskList.Followed) -> None:
        self.told.append(event.follow)

    @property
    def widget(self) -> TaskList:
        return self.query_one(TaskList)

    @property
    def rows(self) -> list[str]:
        """The names in sight, the selected one marked."""
        rows = [strip.text.split()[-1] for strip in lines(self.widget)[1:] if strip.text.strip()]
        return [f"> {name}" if name == f"document-{self.widget.selected}.docx" else name for name in rows]

    def change(self, *tasks: Task, removed: Iterable[int] = ()) -> None:
        self.known |= {task.id: task for task in tasks}
        self.widget.apply({task.id: task.status for task in tasks}, list(removed))


def names(listing: Listing) -> list[str]:
    """The documents that the terminal shows."""
    return re.findall(r"document-\d+\.docx", seen(listing))


async def test_an_empty_list_says_which_key_submits(path: Path) -> None:
    async with app(path).run_test() as pilot:
        await until_read(pilot, "No tasks yet")
        assert "n submits a document" in read(pilot.app)


async def test_a_row_says_status_type_pages_percent_time_and_name() -> None:
    at = now()
    tasks = [
        task(1, name="报告/5页Word.docx", page_count=5, percent=100, submitted_at=at, finished_at=at + 2_100),
        task(2, Status.RUNNING, name="季度报告.pptx", percent=40, submitted_at=at - 12_300),
        task(3, Status.FAILED, name="broken.xls", percent=0, finished_at=at + 60_500, submitted_at=at),
        task(4, Status.SUBMITTING, name="new.pdf"),
        task(5, Status.UNKNOWN, name="lost.pdf"),
        task(
            6, source_uri=None, target_type=None, submitted_at=None, task_id="formatconvert-0123456789abcdef0123456789"
        ),
    ]
    listing = Listing(tasks)
    async with listing.run_test(size=(80, 12)):
        titles, *rows = [strip.text for strip in lines(listing.widget)[:7]]
        assert titles.split() == ["type", "pages", "done", "time", "document"]
        assert [" ".join(row.split()) for row in rows] == [
            "✔· – – – – formatconvert-…ef0123456789",
            "? png – – – lost.pdf",
            "… png – – 0 s new.pdf",
            "✘ png – 0 % 1 m broken.xls",
            "◐ png – 40 % ━━╸─── 12 s 季度报告.pptx",
            "✔ png 5 p 100 % 2.1 s 5页Word.docx",
        ]


async def test_it_counts_the_tasks_of_each_status() -> None:
    states = [Status.RUNNING, Status.SUBMITTING, Status.FAILED, Status.SUCCEEDED, Status.UNKNOWN]
    listing = Listing(task(number, status) for number, status in enumerate(states, 1))
    async with listing.run_test() as pilot:
        assert "Tasks 5" in read(pilot.app)
        assert listing.widget.counts == Counter(states)
        listing.change(task(1), task(2), task(5))
        assert +listing.widget.counts == Counter({Status.SUCCEEDED: 4, Status.FAILED: 1})


@pytest.mark.parametrize("width", [20, 33, 41, 60, 120])
async def test_every_row_fills_its_width_whatever_the_glyphs(width: int) -> None:
    names = ["很长的中文名字" * 8, "e\u0301" * 50, "😀" * 40, "a", "ﾊﾝｶｸ" * 12]
    listing = Listing(task(number, name=name, page_count=10**9) for number, name in enumerate(names, 1))
    async with listing.run_test(size=(width, 12)):
        room = listing.widget.scrollable_content_region.width
        assert {strip.cell_length for strip in lines(listing.widget)} == {room}


async def test_keys_move_the_selection_and_bring_it_into_sight() -> None:
    listing = Listing(task(number) for number in range(1, 101))
    async with listing.run_test(size=(60, 13)) as pilot:
        assert listing.widget.selected == 100
        for keys, selected in (
            (["down"], 99),
            (["pagedown"], 89),
            (["end"], 1),
            (["up", "up"], 3),
            (["pageup"], 13),
            (["home", "up"], 100),
        ):
            await pilot.press(*keys)
            assert listing.widget.selected == selected
            assert f"> document-{selected}.docx" in listing.rows


async def test_a_click_selects_and_a_second_one_opens() -> None:
    listing = Listing(task(number) for number in range(1, 51))
    async with listing.run_test(size=(60, 13)) as pilot:
        await pilot.press("pagedown", "pagedown")
        assert await pilot.click(TaskList, offset=(12, 5))
        clicked = listing.rows[3]
        assert clicked.startswith("> ")
        assert listing.opened == 0
        await pilot.click(TaskList, offset=(12, 5), times=2)
        assert listing.opened == 1
        assert listing.rows[3] == clicked
        await pilot.click(TaskList, offset=(12, 1))  # the titles are no task
        assert listing.rows[3] == clicked


async def test_the_wheel_scrolls_and_leaves_the_selection_alone() -> None:
    listing = Listing(task(number) for number in range(1, 51))
    async with listing.run_test(size=(60, 13)) as pilot:
        before = listing.rows
        listing.widget.post_message(
            MouseScrollDown(listing.widget, 9, 5, 0, 1, 0, shift=False, meta=False, ctrl=False, screen_x=9, screen_y=5)
        )
        await until(pilot, lambda: listing.rows != before)
        assert listing.widget.selected == 50


async def test_new_rows_leave_the_selection_on_its_task_and_the_rows_in_sight_in_place() -> None:
    listing = Listing(task(number) for number in range(1, 101))
    async with listing.run_test(size=(60, 13)) as pilot:
        await pilot.press("down", "down")
        listing.change(task(101))
        await pilot.pause()
        assert listing.rows[:4] == ["document-101.docx", "document-100.docx", "document-99.docx", "> document-98.docx"]
        await pilot.press("pagedown", "pagedown")
        before = listing.rows
        listing.change(*(task(number) for number in range(102, 202)))
        await pilot.pause()
        assert listing.rows == before


async def test_the_selected_row_stays_in_sight_however_many_come_and_however_small_the_list_gets() -> None:
    listing = Listing([task(1)])
    async with listing.run_test(size=(60, 13)) as pilot:
        await pilot.press("down")  # whoever presses a key has chosen
        for number in range(2, 40):
            listing.change(task(number))
            await until(pilot, lambda: "> document-1.docx" in listing.rows, seconds=5)
        assert listing.rows[-1] == "> document-1.docx"
        before = listing.rows
        listing.change(task(40))
        await pilot.pause()
        assert listing.rows == before, "and nothing moves any more"
        await pilot.resize_terminal(60, 9)
        await pilot.pause()
        assert listing.rows[-1] == "> document-1.docx"


async def test_until_a_person_moves_the_newest_are_in_sight_and_the_selection_goes_out_of_it() -> None:
    listing = Listing([task(1)])
    async with listing.run_test(size=(60, 13)) as pilot:
        for number in range(2, 40):
            listing.change(task(number))
            await pilot.pause()
            assert names(listing)[0] == f"document-{number}.docx"
        assert listing.widget.selected == 1, "what is read in the detail stays there"
        await pilot.resize_terminal(60, 9)
        await pilot.pause()
        assert names(listing)[0] == "document-39.docx"
        await pilot.press("up")
        assert "> document-2.docx" in listing.rows
        before = names(listing)
        listing.change(*(task(number) for number in range(40, 100)))
        await pilot.pause()
        assert names(listing) == before


@pytest.mark.parametrize("key", ["home", "space", "shift+down"])
async def test_any_key_for_the_selection_keeps_it_in_sight(key: str) -> None:
    listing = Listing([task(1)])
    async with listing.run_test(size=(60, 13)) as pilot:
        await pilot.press(key)
        listing.change(*(task(number) for number in range(2, 40)))
        await pilot.pause()
        assert "> document-1.docx" in listing.rows


async def test_rows_that_come_and_go_are_drawn_as_if_they_had_been_there_from_the_first() -> None:
    """Through the first page, the row that makes the scrollbar appear, many pages, and back."""
    at = now()
    tasks = [task(number, submitted_at=at, seen_at=at) for number in range(1, 301)]
    listing = Listing(tasks[:1])

    async def drawn(pilot: Pilot[None], shown: Listing) -> tuple[str, list[Strip]]:
        """The words, and the scrollbar with its colours."""
        count = len(shown.widget.listed)
        long = count > 10
        await until(pilot, lambda: shown.widget.show_vertical_scrollbar == long and f"Tasks {count} " in seen(shown))
        await pilot.pause()
        return seen(shown), [strip.crop(58, 59) for strip in shown.screen._compositor.render_strips()[1:-1] if long]

    async with listing.run_test(size=(60, 13)) as pilot:
        for size in (*range(2, 13), 60, 61, 300, 12, 11, 10, 4):
            listing.change(*tasks[:size], removed=range(size + 1, 301))
            grown = await drawn(pilot, listing)
            assert names(listing) == [f"document-{it}.docx" for it in range(size, max(size - 10, 0), -1)]
            again = Listing(tasks[:size])
            async with again.run_test(size=(60, 13)) as other:
                assert await drawn(other, again) == grown


async def test_a_change_is_drawn_in_its_row() -> None:
    listing = Listing([task(1, Status.RUNNING), task(2)])
    async with listing.run_test(size=(60, 13)) as pilot:
        assert "◐" in lines(listing.widget)[2].text
        listing.change(task(1, page_count=7, percent=100))
        await pilot.pause()
        assert "✔" in lines(listing.widget)[2].text
        assert "7 p 100 %" in read(pilot.app)


async def test_a_removed_task_hands_the_selection_to_the_one_in_its_place() -> None:
    listing = Listing(task(number) for number in (1, 2, 3))
    async with listing.run_test(size=(60, 13)) as pilot:
        await pilot.press("down")
        listing.change(removed=[2])
        await pilot.pause()
        assert listing.rows == ["document-3.docx", "> document-1.docx"]
        listing.change(removed=[1, 3])
        await pilot.pause()
        assert listing.widget.selected is None
        assert "No tasks yet" in read(pilot.app)


async def test_a_hundred_thousand_tasks_are_reached_from_end_to_end() -> None:
    listing = Listing(task(number) for number in range(1, 100_001))
    async with listing.run_test(size=(80, 24)) as pilot:
        await pilot.press("end")
        assert listing.rows[-1] == "> document-1.docx"
        assert "Tasks 100,000" in read(pilot.app)
        listing.change(task(1, Status.FAILED), task(100_001))
        await pilot.press("up", "home")
        assert listing.rows[0] == "> document-100001.docx"
        assert listing.fetched < 200  # what is not in sight stays in the history


async def test_without_colours_the_selected_row_is_one_reverse_band(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    listing = Listing([task(1, Status.RUNNING, percent=40)])
    async with listing.run_test(size=(90, 13)):
        row = [segment.style for segment in lines(listing.widget)[1]]
        assert {(style.reverse, style.color, style.bgcolor) for style in row if style is not None} == {
            (True, listing.widget.style("cursor").color, listing.widget.style("cursor").bgcolor)
        }


async def test_a_theme_change_repaints_the_rows() -> None:
    listing = Listing([task(1)])
    async with listing.run_test(size=(60, 13)) as pilot:
        before = list(lines(listing.widget)[1])
        listing.theme = "textual-light"
        await pilot.pause()
        assert list(lines(listing.widget)[1]) != before
