"""The order of the list, against a plain dictionary."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from imm_tui.tasks import Status
from imm_tui.tui.task_index import Found, TaskIndex

ids = st.integers(1, 12)
steps = st.lists(st.tuples(ids, st.sampled_from([*Status, None])))


@given(steps)
def test_it_keeps_every_task_once_newest_first_with_its_status(steps: list[tuple[int, Status | None]]) -> None:
    index = TaskIndex()
    known: dict[int, Status] = {}
    for number, status in steps:
        if status is None:
            assert index.remove(number) == (known.pop(number, None) is not None)
        else:
            assert index.put(number, status) == (number not in known)
            known[number] = status
    rows = sorted(known, reverse=True)
    assert [index.id_at(row) for row in range(len(index))] == rows == list(index)
    assert {number: index.row_of(number) for number in range(1, 13)} == {
        number: rows.index(number) if number in known else None for number in range(1, 13)
    }
    assert +index.counts == Counter(known.values())


@given(st.lists(st.integers(1, 20_000), unique=True))
def test_what_was_found_keeps_its_order_and_knows_the_row_of_each(numbers: list[int]) -> None:
    found = Found(numbers)
    assert list(found) == numbers == [found.id_at(row) for row in range(len(found))]
    assert [found.row_of(number) for number in numbers] == list(range(len(numbers)))
    assert all(found.row_of(number) is None for number in {0, 1, 20_000, 20_001}.difference(numbers))


@given(st.lists(st.integers(1, 20_000), unique=True).map(lambda numbers: sorted(numbers, reverse=True)))
def test_what_was_found_newest_first_knows_the_row_of_each_as_well(numbers: list[int]) -> None:
    found, plainly = Found(numbers, newest_first=True), Found(numbers)
    near = {number + step for number in numbers for step in (-1, 0, 1)} | {0, 20_001}
    assert {number: found.row_of(number) for number in near} == {number: plainly.row_of(number) for number in near}
