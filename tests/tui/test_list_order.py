"""Which tasks are listed and in what order: by key, by the titles, as the history finds them, or the newest first."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.events import MouseScrollDown

from imm_tui.history import Column, Order
from imm_tui.tasks import Status
from imm_tui.tui.task_index import Arrangement, Found
from imm_tui.tui.widgets.task_list import TaskList
from tests.tui.conftest import lines
from tests.tui.stage import read, until, until_read
from tests.tui.test_task_list import Listing, task

BY_PAGES = Order(Column.PAGES)


def listing_of(count: int) -> Listing:
    return Listing(task(number) for number in range(1, count + 1))


def titles(listing: Listing) -> str:
    return lines(listing.widget)[0].text


async def test_s_goes_through_the_columns_and_shift_s_turns_the_order() -> None:
    listing = listing_of(3)
    async with listing.run_test(size=(80, 12)) as pilot:
        await pilot.press("s", "s", "s", "S")
        assert listing.told == [
            Order(Column.STATUS, descending=False),
            Order(Column.TYPE, descending=False),
            Order(Column.PAGES, descending=True),
            Order(Column.PAGES, descending=False),
        ]
        assert "pages▴ done " in titles(listing)
        await pilot.press(*["s"] * (len(Column) - 3))
        assert listing.told[-1] == Order(), "all the way round"


async def test_a_title_that_is_clicked_sorts_and_at_the_second_time_turns() -> None:
    listing = listing_of(3)
    pinned = Order(failures_first=True)
    async with listing.run_test(size=(80, 12)) as pilot:
        listing.widget.show_found(Found([3, 2, 1]), Arrangement(pinned))
        for title, column in (("done", Column.PERCENT), ("type", Column.TYPE), ("document", Column.DOCUMENT)):
            x = titles(listing).index(title) + 1
            await pilot.click(TaskList, offset=(x, 1))
            await pilot.click(TaskList, offset=(x, 1))
            figures = column is Column.PERCENT
            assert listing.told[-2:] == [Order(column, figures, True), Order(column, not figures, True)]
            assert f"{title}{'▴' if figures else '▾'}" in titles(listing)
        await pilot.click(TaskList, offset=(2, 1))
        assert listing.told[-1] == Order(Column.STATUS, descending=False, failures_first=True)
        assert titles(listing).startswith(" ▴ ")


async def test_what_is_found_is_listed_and_the_counts_are_still_of_all() -> None:
    listing = Listing(task(number, Status.FAILED if number == 9 else Status.SUCCEEDED) for number in range(1, 10))
    async with listing.run_test(size=(100, 13)) as pilot:
        listing.widget.show_found(Found([2, 7]), Arrangement(Order(failures_first=True), "pages>3", folded=True))
        await until_read(pilot, "Tasks 2 of 9 · ✘ first · ✔ hidden")
        assert listing.rows == ["> document-2.docx", "document-7.docx"]
        await pilot.press("down")
        listing.change(task(7, Status.RUNNING), task(10, Status.RUNNING))
        await until_read(pilot, "Tasks 2 of 10 ")
        await until_read(pilot, "◐ png")
        listing.change(task(7, Status.RUNNING, percent=30))
        await until_read(pilot, "30 % ━━ ")
        listing.widget.show_all()
        await until_read(pilot, "Tasks 10 ")
        assert listing.rows[3] == "> document-7.docx"


async def test_asked_again_no_row_in_sight_jumps() -> None:
    listing = listing_of(200)
    async with listing.run_test(size=(60, 13)) as pilot:
        listing.widget.show_found(Found(range(1, 201)), Arrangement(BY_PAGES))
        await pilot.press("pagedown", "pagedown", "pagedown", "up")
        before = listing.rows
        listing.widget.show_found(Found([500, 400, 300, *range(1, 201)]), Arrangement(BY_PAGES))
        await pilot.pause()
        assert listing.rows == before
        gone = int(before[0].removesuffix(".docx").rpartition("-")[2])
        listing.widget.show_found(Found([it for it in range(1, 201) if it != gone]), Arrangement(BY_PAGES))
        await pilot.pause()
        assert listing.rows[1:] == before[1:]


async def test_another_order_keeps_the_selected_task_in_its_line() -> None:
    listing = listing_of(200)
    async with listing.run_test(size=(60, 13)) as pilot:
        await pilot.press("pagedown", "up", "up")
        line = listing.rows.index(f"> document-{listing.widget.selected}.docx")
        listing.widget.show_found(Found(range(1, 201)), Arrangement(BY_PAGES))
        await pilot.pause()
        assert listing.rows[line] == f"> document-{listing.widget.selected}.docx"
        assert listing.rows[line + 1] == f"document-{listing.widget.selected + 1}.docx"  # type: ignore[operator]


async def test_another_order_is_of_all_though_the_newest_has_not_been_found_yet() -> None:
    listing = listing_of(3)
    async with listing.run_test(size=(60, 13)) as pilot:
        listing.widget.show_found(Found([1, 2, 3]), Arrangement(BY_PAGES))
        listing.change(task(4))
        await until_read(pilot, "Tasks 4 ")
        listing.widget.show_found(Found([1, 2, 3]), Arrangement(query="x"))
        await until_read(pilot, "Tasks 3 of 4 ")


async def test_who_stands_at_the_top_sees_the_top_of_another_order() -> None:
    listing = listing_of(200)
    async with listing.run_test(size=(60, 13)) as pilot:
        listing.widget.show_found(Found(range(1, 201)), Arrangement(BY_PAGES))
        await pilot.pause()
        assert listing.rows[0] == "> document-1.docx"


def part(*numbers: int) -> Found:
    return Found(numbers, newest_first=True, whole=False)


async def test_what_is_found_first_is_listed_at_once_and_goes_on_below() -> None:
    listing = listing_of(50)
    async with listing.run_test(size=(60, 13)) as pilot:
        listing.widget.say("Finding tasks", busy=True)
        listing.widget.show_found(part(50, 45), Arrangement(query="x"))
        await until_read(pilot, "Tasks 2 of 50 · Finding tasks")
        assert listing.rows == ["> document-50.docx", "document-45.docx"]
        await pilot.press("down")
        listing.widget.show_found(part(50, 45, 9), Arrangement(query="x"))
        listing.widget.show_found(Found([50, 45, 9, 1], newest_first=True), Arrangement(query="x"))
        await until(pilot, lambda: "Finding" not in read(pilot.app))
        await until_read(pilot, "Tasks 4 of 50 ")
        assert listing.rows == ["document-50.docx", "> document-45.docx", "document-9.docx", "document-1.docx"]


async def test_a_part_does_not_take_the_place_of_the_whole_nor_of_a_task_that_may_be_in_the_rest() -> None:
    listing = listing_of(50)
    async with listing.run_test(size=(60, 13)) as pilot:
        whole = Found([50, 45, 9, 1], newest_first=True)
        listing.widget.show_found(whole, Arrangement(query="x"))
        listing.widget.show_found(part(50), Arrangement(query="x"))  # the history has changed, it is found again
        await until_read(pilot, "Tasks 4 of 50 ")
        await pilot.press("down", "down")
        listing.widget.show_found(part(50), Arrangement(query="y"))
        await until_read(pilot, "Tasks 4 of 50 ")
        assert listing.widget.selected == 9
        listing.widget.show_found(Found([50, 9], newest_first=True), Arrangement(query="y"))
        await until_read(pilot, "Tasks 2 of 50 ")
        assert listing.widget.selected == 9


async def test_a_filter_that_hides_the_selected_task_selects_the_nearest_that_is_left() -> None:
    listing = listing_of(50)
    async with listing.run_test(size=(60, 13)) as pilot:
        await pilot.press("down", "down", "down", "down")
        listing.widget.show_found(Found([50, 45, 44, 2, 1]), Arrangement(query="x"))
        await pilot.pause()
        assert listing.widget.selected == 45
        listing.widget.show_all()
        await pilot.pause()
        assert "> document-45.docx" in listing.rows


async def test_it_follows_the_newest_until_a_person_moves() -> None:
    listing = listing_of(50)
    async with listing.run_test(size=(60, 13)) as pilot:
        await pilot.press("end")
        listing.widget.follow = True
        await until_read(pilot, "following")
        assert listing.rows[0] == "> document-50.docx"
        listing.change(task(51), task(52))
        await pilot.pause()
        assert listing.rows[0] == "> document-52.docx"
        listing.widget.show_found(Found([7, 8]), Arrangement(BY_PAGES))
        assert listing.widget.selected == 7
        await pilot.press("down")
        assert listing.told == [True, False]
        listing.widget.show_found(Found([9, 7, 8]), Arrangement(BY_PAGES))
        await pilot.pause()
        assert listing.widget.selected == 8
        assert "following" not in read(listing)


@pytest.mark.parametrize("how", ["click", "wheel", "space", "shift+down"])
async def test_whatever_a_person_does_ends_the_following(how: str) -> None:
    listing = listing_of(50)
    async with listing.run_test(size=(60, 13)) as pilot:
        listing.widget.follow = True
        if how == "click":
            await pilot.click(TaskList, offset=(9, 3))
        elif how == "wheel":
            listing.widget.post_message(
                MouseScrollDown(
                    listing.widget, 9, 5, 0, 1, 0, shift=False, meta=False, ctrl=False, screen_x=9, screen_y=5
                )
            )
        else:
            await pilot.press(how)
        await until(pilot, lambda: not listing.widget.follow)
        assert False in listing.told


async def test_an_empty_list_says_why() -> None:
    listing = listing_of(3)
    async with listing.run_test(size=(80, 12)) as pilot:
        listing.widget.show_found(Found([]), Arrangement(query="status:failed \x1b[31m[/] " + "长" * 99))
        await until_read(pilot, "No task matches status:failed ␛[31m[/]")
        assert "Esc clears the filter" in read(listing)
        assert "hidden" not in read(listing)
        for strip in lines(listing.widget):
            assert strip.cell_length == listing.widget.size.width
            before, after = (strip.cell_length - cell_len(cut) for cut in (strip.text.lstrip(), strip.text.rstrip()))
            assert not strip.text.strip() or after - before in (0, 1), "it stands in the middle"
        listing.widget.show_found(Found([]), Arrangement(folded=True))
        await until_read(pilot, "Tasks that have succeeded are hidden")
        listing.widget.show_all()
        assert listing.widget.selected == 3


async def test_a_long_search_shows_that_it_goes_on() -> None:
    listing = listing_of(3)
    async with listing.run_test(size=(80, 12)) as pilot:
        listing.widget.say("Looking for them", busy=True)
        await until_read(pilot, "Looking for them ")
        before = listing.widget.said
        await until(pilot, lambda: listing.widget.said != before)
        listing.widget.show_found(Found([1]), Arrangement(query="x"))
        await until(pilot, lambda: "Looking" not in read(listing))


async def test_of_a_hundred_thousand_that_were_found_those_in_sight_are_read() -> None:
    listing = listing_of(100_000)
    async with listing.run_test(size=(80, 24)) as pilot:
        widget = listing.widget
        widget.show_found(Found(range(1, 100_001)), Arrangement(BY_PAGES))
        await pilot.press("end", "up", "up")
        await pilot.pause()
        assert listing.rows[-3] == "> document-99998.docx"
        fetched = listing.fetched
        listing.change(*(task(number, Status.FAILED) for number in range(1, 1001)), task(100_001))
        await pilot.press("up", "down", "s")
        assert listing.fetched == fetched, "what is not in sight is not read"
