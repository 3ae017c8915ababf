"""Several tasks for one action: marked by key and by mouse, and whatever happens to the list the marks stay on them."""

from __future__ import annotations

from array import array

from hypothesis import given, settings
from hypothesis import strategies as st

from imm_tui.history import Column, Order
from imm_tui.tui.marks import Marks
from imm_tui.tui.task_index import Arrangement, Found
from imm_tui.tui.widgets.task_list import TaskList
from tests.tui.conftest import lines
from tests.tui.stage import read, until
from tests.tui.test_task_list import Listing, task

numbers = st.integers(1, 8)


async def test_space_marks_and_goes_on_and_the_title_counts() -> None:
    listing = Listing(task(number) for number in range(1, 6))
    async with listing.run_test(size=(60, 13)) as pilot:
        await pilot.press("space", "space", "down", "space")
        assert listing.widget.marked == [5, 4, 2]
        assert listing.widget.selected == 1
        assert [strip.text[0] for strip in lines(listing.widget)[1:6]] == ["▐", "▐", " ", "▐", " "]
        assert listing.told == [1, 2, 3]
        assert "Tasks 5 · 3 marked" in read(listing)
        await pilot.press("up", "space")
        assert listing.widget.marked == [5, 4]


async def test_without_marks_the_selected_task_is_chosen() -> None:
    listing = Listing(task(number) for number in range(1, 4))
    async with listing.run_test() as pilot:
        await pilot.press("down")
        assert (listing.widget.marked, listing.widget.chosen) == ([], [2])
        await pilot.press("end", "space")
        assert listing.widget.chosen == [1]
        assert listing.widget.unmark()
        assert not listing.widget.unmark()
        assert listing.widget.marked == []


async def test_a_range_grows_and_shrinks_and_leaves_earlier_marks() -> None:
    listing = Listing(task(number) for number in range(1, 10))
    async with listing.run_test() as pilot:
        await pilot.press("down", "down", "down", "space", "home")  # 6
        await pilot.press("shift+down", "shift+down", "shift+down", "shift+down")
        assert listing.widget.marked == [9, 8, 7, 6, 5]
        await pilot.press("shift+up", "shift+up", "shift+up")
        assert listing.widget.marked == [9, 8, 6]
        await pilot.press("shift+up", "shift+up")
        assert listing.widget.marked == [9, 6]
        await pilot.press("end", "J", "K")
        assert listing.widget.marked == [9, 6, 2, 1]


async def test_all_that_are_listed_are_marked_and_none_at_the_second_time() -> None:
    listing = Listing(task(number) for number in range(1, 5))
    async with listing.run_test(size=(100, 13)) as pilot:
        listing.widget.show_found(Found([1, 3]), Arrangement(query="x"))
        await pilot.press("a")
        assert listing.widget.marked == [1, 3]
        listing.widget.show_found(Found([4, 3]), Arrangement(query="y"))
        await pilot.pause()
        assert "Tasks 2 of 4 · 2 marked · 1 of them not listed" in read(listing)
        await pilot.press("a")
        assert listing.widget.marked == [4, 3, 1]
        await pilot.press("a")
        assert listing.widget.marked == []


async def test_the_mouse_marks_one_with_ctrl_and_a_range_with_shift() -> None:
    listing = Listing(task(number) for number in range(1, 10))
    async with listing.run_test(size=(60, 13)) as pilot:
        await pilot.click(TaskList, offset=(12, 3), control=True)
        assert listing.widget.marked == [8] == [listing.widget.selected]
        await pilot.click(TaskList, offset=(12, 6), shift=True)
        assert listing.widget.marked == [8, 7, 6, 5]
        await pilot.click(TaskList, offset=(12, 4), shift=True)
        assert listing.widget.marked == [8, 7]
        await pilot.click(TaskList, offset=(12, 3), control=True)
        assert listing.widget.marked == [7]
        await pilot.click(TaskList, offset=(12, 9))
        assert listing.widget.marked == [7], "a click selects, and leaves the marks"


async def test_a_mark_goes_with_its_task() -> None:
    listing = Listing(task(number) for number in range(1, 4))
    async with listing.run_test() as pilot:
        await pilot.press("space", "space")
        listing.widget.show_found(Found([2, 3]), Arrangement(query="x"))
        listing.change(removed=[3])
        await until(pilot, lambda: listing.told == [1, 2, 1])
        assert listing.widget.marked == [2]


async def test_a_hundred_thousand_are_marked_and_only_those_in_sight_are_read() -> None:
    listing = Listing(task(number) for number in range(1, 100_001))
    async with listing.run_test(size=(80, 24)) as pilot:
        await pilot.press("a", "end", "space", "up", "up")
        assert len(listing.widget.marked) == 99_999
        assert "99,999 marked" in read(listing)
        assert listing.fetched < 200


@given(st.lists(st.tuples(st.sampled_from(["toggle", "extend", "end", "all", "forget"]), numbers, numbers)))
def test_marks_are_those_of_a_plain_set(steps: list[tuple[str, int, int]]) -> None:
    marks, rows = Marks(), Found(range(8, 0, -1))
    marked: set[int] = set()
    anchor: int | None = None
    before: frozenset[int] = frozenset()
    for step, one, other in steps:
        match step:
            case "toggle":
                marks.toggle(one)
                marked ^= {one}
                anchor, before = one, frozenset(marked)
            case "extend":
                marks.extend(rows, one, other)
                if anchor is None:
                    anchor, before = one, frozenset(marked)
                marked = set(before) | set(range(min(anchor, other), max(anchor, other) + 1))
            case "end":
                marks.end_range()
                anchor = None
            case "all":
                marks.mark_all(rows)
                marked = set() if len(marked) == 8 else set(range(1, 9))
                anchor = None
            case "forget":
                marks.forget([one])
                marked -= {one}
                before = before - {one}
        assert marks.in_order(rows) == sorted(marked, reverse=True)
        assert len(marks) == len(marked)


changes = st.one_of(
    st.tuples(st.just("add"), numbers),
    st.tuples(st.just("remove"), numbers),
    st.tuples(st.just("key"), st.sampled_from(["up", "down", "space", "space", "home"])),
    st.tuples(st.just("find"), st.lists(numbers, unique=True)),
    st.tuples(st.just("sort"), st.sampled_from(Column)),
    st.tuples(st.just("all"), st.none()),
)


@settings(max_examples=25)
@given(st.lists(changes, max_size=12))
async def test_the_selection_and_the_marks_stay_on_their_tasks(steps: list[tuple[str, object]]) -> None:
    listing = Listing(task(number) for number in (2, 4, 6))
    known = {2, 4, 6}
    async with listing.run_test(size=(60, 8)) as pilot:
        widget = listing.widget
        for step, value in steps:
            selected, marked = widget.selected, set(widget.marked)
            again = widget.arrangement
            match step:
                case "add":
                    assert isinstance(value, int)
                    listing.change(task(value))
                    known.add(value)
                case "remove":
                    assert isinstance(value, int)
                    listing.change(removed=[value])
                    known.discard(value)
                    marked.discard(value)
                case "find" | "sort":
                    found = value if isinstance(value, list) else sorted(known)
                    order = Order(value) if isinstance(value, Column) else again.order
                    query = "x" if isinstance(value, list) else ""
                    widget.show_found(Found(array("q", found)), Arrangement(order, query))
                case "all":
                    widget.show_all()
                case "key":
                    await pilot.press(str(value))
                    if value == "space" and selected is not None:
                        marked ^= {selected}
            await pilot.pause()
            assert set(widget.marked) == marked
            listed = [widget.row_of(number) for number in range(1, 9)]
            assert (widget.selected is None) == (listed == [None] * 8)
            if widget.selected is not None:
                assert widget.row_of(widget.selected) is not None
            reordered = widget.arrangement.order != again.order
            if step != "key" and not reordered and selected is not None and widget.row_of(selected) is not None:
                assert widget.selected == selected
