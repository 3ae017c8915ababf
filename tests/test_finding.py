"""What the history finds: tasks by a condition in an order, what was submitted together, and when things happened."""

from __future__ import annotations

import threading
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imm_tui import query
from imm_tui.arrivals import Arrival
from imm_tui.errors import HistoryUnusable
from imm_tui.history import Column, History, Left, Order
from imm_tui.tasks import Conversion, Event, Status, Task

CONVERSION = Conversion(source_uri="oss://b/in/a.docx", target_uri="oss://b/out/", target_type="png")
FINISHED = Event(task_id="T", name="TaskFinished", status=Status.SUCCEEDED, percent=100, page_count=5)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "history.db") as opened:
        yield opened


def submitted(history: History, source: str = "a.docx", at: int = 0, **more: int | dict[str, str] | None) -> int:
    conversion = replace(CONVERSION, source_uri=f"oss://b/in/{source}")
    return history.record_intent(conversion, project="p", api_version="2020-09-30", token=str(at), at=at, **more)  # type: ignore[arg-type]


def ended(history: History, task: int, task_id: str, at: int, **more: object) -> None:
    history.record_accepted(task, task_id, "R", at=at)
    event = Event(task_id=task_id, name="E", **({"status": Status.SUCCEEDED, "percent": 100} | more))  # type: ignore[arg-type]
    history.store([Arrival(message_id=task_id, body=b"{}", events=(event,))], at)


def everything(history: History, order: Order, at: int = 10_000) -> list[int]:
    return list(history.find("1", (), order, at))


def test_every_column_sorts_both_ways_and_what_has_no_figure_stands_last(history: History) -> None:
    first, second, third = (submitted(history, name, at) for at, name in enumerate(["c.pdf", "页.docx", "b.xls"]))
    ended(history, first, "1", 1_000, page_count=30)
    ended(history, second, "2", 501, page_count=4)
    assert everything(history, Order()) == [third, second, first]
    assert everything(history, Order(Column.SUBMITTED, descending=False)) == [first, second, third]
    assert everything(history, Order(Column.PAGES)) == [first, second, third]
    assert everything(history, Order(Column.PAGES, descending=False)) == [second, first, third]
    assert everything(history, Order(Column.DOCUMENT, descending=False)) == [third, first, second]
    assert everything(history, Order(Column.TIME)) == [third, first, second], "it has been under way for ten seconds"
    assert everything(history, Order(Column.TIME), at=100) == [first, second, third]
    assert everything(history, Order(Column.STATUS, descending=False)) == [third, second, first]
    for column in Column:
        for descending in (True, False):
            assert sorted(everything(history, Order(column, descending))) == [first, second, third]


def test_failures_stand_on_top_of_any_order(history: History) -> None:
    tasks = [submitted(history, f"{number}.pdf", number) for number in range(4)]
    history.record_refused(tasks[1], code="NoSuchKey", message="", request_id=None, at=9)
    history.record_unknown(tasks[2], message="", request_id=None)
    found = everything(history, Order(Column.DOCUMENT, descending=False, failures_first=True))
    assert found == [tasks[1], tasks[2], tasks[0], tasks[3]]


@given(
    st.lists(st.tuples(st.sampled_from("aAb页/"), st.none() | st.integers(0, 3)), max_size=12), st.sampled_from(Column)
)
def test_an_order_is_the_same_whenever_it_is_asked_for(
    tmp_path_factory: pytest.TempPathFactory, tasks: list[tuple[str, int | None]], column: Column
) -> None:
    with History(tmp_path_factory.mktemp("found") / "history.db") as history:
        for number, (name, pages) in enumerate(tasks):
            task = submitted(history, name, number)
            if pages is not None:
                ended(history, task, str(number), number, page_count=pages)
        up, down = (everything(history, Order(column, descending)) for descending in (False, True))
        assert sorted(up) == sorted(down) == list(range(1, len(tasks) + 1))
        assert everything(history, Order(column, False)) == up


def test_only_what_the_condition_holds_for_is_found(history: History) -> None:
    submitted(history, "a.pdf")
    wanted = submitted(history, "b.pdf")
    assert list(history.find("source_uri LIKE ?", ("%b.pdf",), Order(Column.TIME), 0)) == [wanted]
    assert list(history.find("0", (), Order(), 0)) == []


def test_what_was_submitted_together_is_a_batch_named_by_its_first_task(history: History) -> None:
    alone = submitted(history)
    first = submitted(history, batch=0)
    second = submitted(history, batch=first)
    assert [task.id for task in history.batch(first)] == [first, second]
    found = history.task(alone)
    assert found is not None
    assert found.batch is None


def test_a_request_is_kept_as_it_was_sent_and_what_it_sends_once_more(history: History) -> None:
    request = {"action": "CreateOfficeConversionTask", "source": "页 \ud800"}
    first = submitted(history, request=request)
    again = submitted(history, request=request, resubmits=first)
    assert history.request_of(again) == request
    assert history.request_of(submitted(history)) is None
    assert task_of(history, again).resubmits == first


def task_of(history: History, number: int) -> Task:
    task = history.task(number)
    assert task is not None
    return task


def test_when_each_thing_happened_to_a_message(history: History) -> None:
    task = submitted(history, at=1_000)
    history.record_accepted(task, "T", "R", at=1_200)
    came = Arrival(message_id="M", body=b"{}", events=(FINISHED,), enqueued_at=1_500)
    history.store([came], 1_600)
    (message,) = history.messages_of(task)
    assert (message.stored_at, message.deleted_at) == (None, None), "not known yet"
    history.store([came._replace(message_id="other")], 1_700, [Left(("M",), 1_610, 1_620)])
    (message,) = history.messages_of(task)
    assert (message.enqueued_at, message.received_at) == (1_500, 1_600)
    assert (message.stored_at, message.deleted_at) == (1_610, 1_620)
    assert (message.times, message.duplicates, message.event_name) == (2, 1, "TaskFinished")
    assert task_of(history, task).accepted_at == 1_200


def test_a_message_that_comes_again_is_on_its_queue_until_it_has_left_it_again(history: History) -> None:
    came = Arrival(message_id="M", body=b"{}", events=(FINISHED,))
    history.store([came], 1_000)
    history.record_left([Left(("M",), 1_001, 1_002)])
    history.store([came], 2_000)
    (message,) = history.messages_of(1)
    assert message.deleted_at is None
    history.record_left([Left(("M",), 2_001, 2_002)])
    (message,) = history.messages_of(1)
    assert message.deleted_at == 2_002


def test_what_is_quarantined_has_not_left_with_the_others(history: History) -> None:
    history.store([Arrival(message_id="M", body=b"?", reason="no event")], 1_000)
    history.record_left([Left(("M",), 1_001, 1_002)])
    assert history.quarantine_size() == 1


def test_how_long_conversions_of_a_kind_took_the_newest_first(history: History) -> None:
    for number, took in enumerate([500, 900]):
        ended(history, submitted(history, at=1_000 * number), str(number), 1_000 * number + took, page_count=number)
    ended(history, submitted(history, at=9_000), "failed", 9_100, status=Status.FAILED, percent=0)
    assert history.durations("png") == [(900, 1), (500, 0)]
    assert history.durations("png", limit=1) == [(900, 1)]
    assert history.durations("pdf") == []


def test_what_has_changed_is_found_without_a_look_at_every_task(history: History) -> None:
    asked: list[str] = []
    history._db.set_trace_callback(asked.append)
    history.changes(0)
    history._db.set_trace_callback(None)
    query = next(statement for statement in asked if "revision >" in statement and "FROM tasks" in statement)
    plan = " ".join(row[3] for row in history._db.execute(f"EXPLAIN QUERY PLAN {query}"))
    assert "tasks_by_revision" in plan


def test_a_search_that_would_never_end_can_be_ended_from_another_thread(history: History) -> None:
    submitted(history)
    endless = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n)"
    over = threading.Event()

    def interrupt() -> None:
        while not over.wait(0.01):
            history.interrupt()

    other = threading.Thread(target=interrupt)
    other.start()
    try:
        with pytest.raises(HistoryUnusable):
            history.find(endless, (), Order(), 0)
    finally:
        over.set()
        other.join()
    assert everything(history, Order()) == [1]


@pytest.mark.parametrize("text", ["pages>10", "status:failed since:1d", "is:untracked or took>1m", "type:pdf -code:No"])
def test_what_names_no_long_text_is_found_without_reading_the_tasks(history: History, text: str) -> None:
    it = query.parse(text, 0)
    plan = history._db.execute(f"EXPLAIN QUERY PLAN SELECT id FROM tasks WHERE {it.where}", it.values).fetchall()
    assert "COVERING INDEX tasks_outline" in plan[0][3]


def test_the_newest_are_found_first_and_at_last_all_that_there_are(history: History) -> None:
    ended(history, submitted(history, "old.docx"), "1", 1)
    history._db.execute("UPDATE sqlite_sequence SET seq = 1000000 WHERE name = 'tasks'")  # many have come since
    newest = submitted(history, "new.docx")
    found = [(list(numbers), whole) for numbers, whole in history.find_newest("source_uri LIKE ?", ("%.docx",))]
    assert found[0] == ([newest], False)
    assert found[-1] == ([newest, 1], True)
    assert [whole for _numbers, whole in found].count(True) == 1
    assert len(found) < 10, "each step is as long as all before it"
    assert list(history.find_newest("0 OR 0", ()))[-1] == (array("q"), True)


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=30), st.integers(0, 45))
def test_how_many_events_came_in_each_step_of_time(
    tmp_path_factory: pytest.TempPathFactory, came: list[tuple[int, bool]], since: int
) -> None:
    came.sort(key=lambda it: it[0])
    with History(tmp_path_factory.mktemp("received") / "history.db") as history:
        for number, (at, readable) in enumerate(came):
            events = (FINISHED,) if readable else ()
            history.store(
                [Arrival(message_id=str(number), body=b"", events=events, reason="" if readable else "?")], at
            )
        counted = Counter(at // 10 for at, readable in came if readable and at >= since)
        assert +Counter(history.received_since(since, 10)) == counted
