"""The history: what goes in comes out, whatever the order, and stays."""

from __future__ import annotations

import math
import random
import sqlite3
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imm_tui.arrivals import Arrival
from imm_tui.errors import HistoryUnusable
from imm_tui.history import NAME, History, Order, Plan, Tally
from imm_tui.tasks import Conversion, Event, Status, Task
from tests.mailbox import all_quarantined

FINISHED = Event(
    task_id="723f6489-2e91-4475-93a2-41bbedf76d1f",
    name="FormatConvertJob:JobFinished",
    status=Status.SUCCEEDED,
    percent=100,
    page_count=5,
    code="NoError",
    time="2018-11-14T09:51:20.342Z",
)
RUNNING = replace(FINISHED, name="FormatConvertJob:Progress", status=Status.RUNNING, percent=40, page_count=None)
CONVERSION = Conversion(
    source_uri="oss://demo/5页Word.docx",
    target_uri="oss://demo/out/",
    target_type="png",
    pages="1-2",
    password="geheim",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.db"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    with History(path) as opened:
        yield opened


def arrival(*events: Event, message_id: str = "1", body: bytes = b"{}") -> Arrival:
    return Arrival(message_id=message_id, body=body, events=events)


def intent(history: History) -> int:
    return history.record_intent(CONVERSION, project="p", api_version="2017-09-06", token="t", at=1_000)


def facts(task: Task) -> Task:
    """A task without what depends on when and as which row it was first heard of."""
    return replace(task, id=0, seen_at=0)


def test_a_submission_is_recorded_before_it_is_sent_without_its_password(history: History, path: Path) -> None:
    task = history.task(intent(history))
    assert task is not None
    assert (task.status, task.source_uri, task.target_type) == (Status.SUBMITTING, CONVERSION.source_uri, "png")
    assert (task.task_id, task.submitted_at, task.untracked) == (None, 1_000, False)
    history.close()
    assert b"geheim" not in b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_an_event_finishes_the_task_that_was_submitted(history: History) -> None:
    task = intent(history)
    history.record_accepted(task, FINISHED.task_id, "R-1")
    [delivery] = history.store([arrival(FINISHED, body="正文".encode())], 2_000)
    assert (delivery.event, delivery.duplicate) == (FINISHED, False)
    [known] = history.tasks()
    assert (known.id, known.status, known.percent, known.page_count, known.code) == (
        task,
        Status.SUCCEEDED,
        100,
        5,
        "NoError",
    )
    assert (known.request_id, known.events, known.finished_at) == ("R-1", 1, 1542189080342)
    assert [message.body for message in history.messages_of(task)] == ["正文".encode()]


def test_an_event_may_come_before_the_answer_to_its_own_submission(history: History) -> None:
    task = intent(history)
    history.store([arrival(FINISHED)], 2_000)
    seen = history.changes(0)
    assert [known.untracked for known in seen.tasks] == [False, True]
    history.record_accepted(task, f"formatconvert-{FINISHED.task_id}", "R-1")
    changes = history.changes(seen.revision)
    assert [(known.id, known.status, known.events) for known in changes.tasks] == [(task, Status.SUCCEEDED, 1)]
    assert changes.removed == [seen.tasks[1].id]
    assert len(history.messages_of(task)) == 1


def test_an_event_without_a_submission_is_an_untracked_task(history: History) -> None:
    history.store([arrival(FINISHED)], 2_000)
    [task] = history.tasks()
    assert task.untracked
    assert (task.task_id, task.status, task.name) == (FINISHED.task_id, Status.SUCCEEDED, FINISHED.task_id)


def test_a_duplicate_counts_once_under_any_message_id(history: History) -> None:
    history.store([arrival(FINISHED)], 1)
    reports = history.store([arrival(FINISHED), arrival(FINISHED, message_id="2", body=b"[]")], 2)
    assert [report.duplicate for report in reports] == [True, True]
    [task] = history.tasks()
    assert task.events == 1
    assert [report.duplicate for report in history.deliveries(0)] == [False, True, True]


def test_a_message_without_an_event_is_kept_with_its_reason_and_reported_once(history: History, path: Path) -> None:
    poison = Arrival(message_id="9", body=b"\xff\x00 not ours", reason="neither JSON nor XML")
    assert [report.reason for report in history.store([poison], 1)] == ["neither JSON nor XML"]
    assert history.store([poison._replace(dequeue_count=2)], 2) == []
    assert [(report.message_id, report.event) for report in history.deliveries(0)] == [("9", None)]
    assert history.tasks() == []
    with closing(sqlite3.connect(path)) as file:
        rows = file.execute("SELECT body, reason, dequeue_count FROM messages").fetchall()
    assert rows == [(poison.body, poison.reason, 2)]


def test_a_damaged_copy_leaves_the_quarantine_when_the_whole_message_comes(history: History) -> None:
    damaged = Arrival(message_id="9", body=b"[", reason="It arrived damaged.")
    other, nameless = damaged._replace(message_id="8"), damaged._replace(message_id="")
    history.store([damaged, other, nameless], 1)
    history.store([arrival(FINISHED, message_id="9"), arrival(FINISHED, message_id="")], 2)
    assert [message.message_id for message in all_quarantined(history)] == ["", "8"]
    history.store([damaged._replace(dequeue_count=3)], 3)  # the whole one could not be deleted, and is damaged again
    assert [message.message_id for message in all_quarantined(history)] == ["", "8", "9"]


def test_a_row_of_the_quarantines_list_comes_without_its_body(history: History) -> None:
    history.store([Arrival(message_id="9", body=b"[" * 65_536, reason="It is no JSON.")], 1)
    (message,) = history.quarantine_ids()
    whole, row = history.in_quarantine(message), history.in_quarantine_bodiless(message)
    assert whole is not None
    assert row == replace(whole, body=b"")
    assert history.quarantine_size() == 1
    history.record_deleted(message, 2)
    assert (history.in_quarantine_bodiless(message), history.quarantine_size()) == (None, 0)


def test_a_refused_submission_says_why(history: History) -> None:
    task = intent(history)
    history.record_refused(task, code="ResourceNotFound", message="No such project.", request_id="R-2", at=5_000)
    known = history.task(task)
    assert known is not None
    assert (known.status, known.code, known.message, known.request_id, known.finished_at) == (
        Status.FAILED,
        "ResourceNotFound",
        "No such project.",
        "R-2",
        5_000,
    )


def test_two_submissions_never_share_a_task(history: History) -> None:
    first, second = intent(history), intent(history)
    history.record_accepted(first, "T", "R-1")
    history.record_accepted(second, "T", "R-2")
    assert [task.status for task in history.tasks()] == [Status.UNKNOWN, Status.RUNNING]


def test_changes_are_told_once_to_each_who_asks(history: History, path: Path) -> None:
    with History(path) as screen:
        version = screen.data_version()
        task = intent(history)
        assert screen.data_version() != version
        first = screen.changes(0)
        assert [changed.id for changed in first.tasks] == [task]
        assert screen.changes(first.revision).tasks == []
        history.record_unknown(task, message="cut", request_id=None)
        assert [changed.status for changed in screen.changes(first.revision).tasks] == [Status.UNKNOWN]


def test_the_turns_of_tasks_are_their_changes_in_few_words(history: History) -> None:
    task = intent(history)
    _, _, before = history.turns(0)
    other = intent(history)
    history.store([arrival(FINISHED)], 2_000)
    history.record_unknown(other, message="cut", request_id=None)
    untracked = other + 1
    assert history.turns(before)[:2] == ({other: Status.UNKNOWN, untracked: Status.SUCCEEDED}, [])
    history.record_accepted(task, FINISHED.task_id, "R-1")
    statuses, removed, revision = history.turns(before)
    assert (statuses, removed) == ({task: Status.SUCCEEDED, other: Status.UNKNOWN}, [untracked])
    assert revision == history.changes(before).revision
    assert history.turns(revision) == ({}, [], revision)


def test_those_tasks_are_read_that_there_are(history: History) -> None:
    first, _, third = intent(history), intent(history), intent(history)
    assert [task.id for task in history.tasks_of([third, 99, first])] == [first, third]
    assert history.tasks_of([]) == []


def test_the_outline_has_every_task_by_age(history: History) -> None:
    first, second = intent(history), intent(history)
    history.record_unknown(first, message="cut", request_id=None)
    numbers, statuses, revision = history.outline()
    assert list(numbers) == [first, second]
    assert [tuple(Status)[place] for place in statuses] == [Status.UNKNOWN, Status.SUBMITTING]
    assert revision == history.changes(0).revision


@given(st.sets(st.integers(1, 12)), st.sets(st.integers(1, 12)))
def test_the_outline_is_right_whichever_tasks_are_no_more(
    tmp_path_factory: pytest.TempPathFactory, merged: set[int], deleted: set[int]
) -> None:
    with History(tmp_path_factory.mktemp("outline") / "history.db") as history:
        tasks = [intent(history) for _ in range(12)]
        for task in merged | deleted:
            history._db.execute("DELETE FROM tasks WHERE id = ?", (task,))
        for task in merged:
            history._db.execute("INSERT INTO removals (task, revision) VALUES (?, 1)", (task,))
        numbers, statuses, _revision = history.outline()
        assert list(numbers) == [task for task in tasks if task not in merged | deleted]
        assert len(statuses) == len(numbers)


PLANNED = [f"oss://b/{number}.pdf" for number in range(5)]


def of_plan(history: History, name: str | None, batch: int) -> int:
    return history.record_intent(CONVERSION, **OURS, token="t", at=1, batch=batch, batch_size=5, plan=name)


def test_of_a_plan_is_left_what_its_batch_has_not_recorded(history: History) -> None:
    history.record_plan("one", {"target_type": "png"}, PLANNED)
    history.record_plan("another", None, PLANNED)
    assert history.plan("one") == Plan({"target_type": "png"}, PLANNED)
    batch = of_plan(history, "one", 0)
    of_plan(history, "one", batch)
    of_plan(history, None, 0)
    assert history.plan("one") == Plan({"target_type": "png"}, PLANNED[2:])
    assert history.plan("another") == Plan(None, PLANNED)
    assert history.plans() == ["one", "another"]


def test_the_batch_of_a_plan_that_is_over_is_of_the_tasks_that_it_has(history: History) -> None:
    history.record_plan("one", {}, PLANNED)
    history.record_plan("another", {}, PLANNED)
    batch = of_plan(history, "one", 0)
    assert history.left_of(batch) == 5
    history.record_plan_over("one")
    history.record_plan_over("another")
    assert history.left_of(batch) == 1
    assert history.plans() == []
    assert history.plan("one") is None


def test_text_that_is_no_utf8_is_kept_as_it_came(history: History) -> None:
    strange = replace(FINISHED, task_id="\ud800[/]\x00\x1b[31m", code="\udfff")
    unreadable = Arrival(message_id="\udfff", body=b"", reason="\ud800")
    history.store([arrival(strange, message_id="\ud800"), unreadable], 1)
    [task] = history.tasks()
    assert (task.task_id, task.code) == (strange.task_id, strange.code)
    whole, unread = history.deliveries(0)
    assert history.arrived(0) == ({1: 1}, [unread], unread.id)
    assert history.arrived(whole.id) == ({}, [unread], unread.id)
    assert history.arrived(unread.id) == ({}, [], unread.id)
    assert (whole.message_id, whole.event) == ("\ud800", strange)
    assert (unread.message_id, unread.reason) == ("\udfff", "\ud800")
    [quarantined] = all_quarantined(history)
    assert (quarantined.message_id, quarantined.reason) == ("\udfff", "\ud800")


def test_the_file_is_for_its_owner_only(history: History, path: Path) -> None:
    intent(history)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_it_commits_to_the_disk_before_it_returns(history: History) -> None:
    full = 2
    assert history._db.execute("PRAGMA synchronous").fetchone() == (full,)
    assert not history._db.in_transaction


def test_a_newer_history_is_refused_and_left_untouched(path: Path) -> None:
    path.parent.mkdir()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    before = path.read_bytes()
    with pytest.raises(HistoryUnusable, match="newer"):
        History(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"this is no database at all, and long enough to be read as one" * 40])
def test_a_file_that_is_no_history_is_refused(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(HistoryUnusable, match="not a database"):
        History(path)
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HistoryUnusable, match="cannot be used"):
        History(tmp_path / "file" / "history.db")


EVENTS = st.builds(
    Event,
    task_id=st.sampled_from(["A", "formatconvert-a", "B"]),
    name=st.sampled_from(["Job:JobFinished", "Job:Progress"]),
    status=st.sampled_from([Status.RUNNING, Status.SUCCEEDED, Status.FAILED]),
    percent=st.none() | st.integers(0, 100),
    code=st.none() | st.just("OpenFileError"),
    time=st.none() | st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"]),
)


@settings(max_examples=60)
@given(
    events=st.lists(EVENTS, min_size=1, max_size=8),
    shuffle=st.randoms(use_true_random=False),
    copies=st.integers(1, 3),
    answered_after=st.integers(0, 8),
)
def test_any_order_any_duplicates_any_batches_end_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    events: list[Event],
    shuffle: random.Random,
    copies: int,
    answered_after: int,
) -> None:
    def end(sequence: list[Event], answered_after: int) -> dict[str | None, Task]:
        with History(tmp_path_factory.mktemp("history") / "history.db") as history:
            task = history.record_intent(CONVERSION, project="p", api_version="2017-09-06", token="t", at=0)
            for number, event in enumerate([*sequence, None]):
                if number == min(answered_after, len(sequence)):
                    history.record_accepted(task, "A", "R")
                if event is not None:
                    history.store([arrival(event, message_id=str(number))], 1_000)
            tasks = history.tasks()
        return {known.task_id and known.task_id.lower(): replace(facts(known), task_id=None) for known in tasks}

    shuffled = events * copies
    shuffle.shuffle(shuffled)
    assert end(shuffled, answered_after) == end(events, 0)


@given(event=EVENTS, older=EVENTS)
def test_a_running_event_never_outranks_a_finished_one(event: Event, older: Event) -> None:
    finished = replace(event, status=Status.FAILED)
    running = replace(older, status=Status.RUNNING)
    assert finished.rank > running.rank


def test_any_number_may_make_one_history_at_the_same_time(tmp_path: Path) -> None:
    at_once = 4
    barrier = threading.Barrier(at_once)

    def make(path: Path) -> None:
        barrier.wait()
        History(path).close()

    with ThreadPoolExecutor(at_once) as pool:
        for turn in range(100):
            for made in [pool.submit(make, tmp_path / f"{turn}.db") for _ in range(at_once)]:
                made.result()


def test_other_processes_see_what_one_of_several_connections_of_this_one_writes(path: Path) -> None:
    """A process that opens the file twice must keep its locks: without them another one takes the file for unused."""
    count = (
        "from pathlib import Path; from imm_tui.history import History\n"
        f"with History(Path({str(path)!r})) as history: print(len(history.tasks()))"
    )

    def seen_by_another() -> str:
        return subprocess.run([sys.executable, "-c", count], capture_output=True, text=True, check=True).stdout

    with History(path) as first, History(path):
        for expected in ("1\n", "2\n", "3\n"):
            intent(first)
            assert seen_by_another() == expected


# Asking IMM

ANSWERED = replace(FINISHED, name="GetTask", user_data=None, asked=True)
OURS: dict[str, Any] = {"project": "p", "api_version": "2017-09-06"}


def running(history: History, at: int = 0, task_id: str = FINISHED.task_id) -> int:
    task = history.record_intent(CONVERSION, token="t", at=at, **OURS)
    history.record_accepted(task, task_id, "R")
    return task


def unknown(history: History, token: str = "t", at: int = 0) -> int:
    task = history.record_intent(CONVERSION, token=token, at=at, **OURS)
    history.record_unknown(task, message="cut", request_id="R")
    return task


def standing(history: History, number: int) -> Task:
    task = history.task(number)
    assert task is not None
    return task


def test_what_imm_says_when_it_is_asked_holds_until_the_event_comes(history: History) -> None:
    task = running(history)
    history.record_answer(task, ANSWERED, b"{}", "R-9", at=5_000)
    known = standing(history, task)
    assert (known.status, known.asked, known.events, known.asks, known.asked_at) == (
        Status.SUCCEEDED,
        True,
        0,
        1,
        5_000,
    )
    [said] = history.messages_of(task)
    assert (said.message_id, said.body, said.asked) == ("R-9", b"{}", True)
    history.store([arrival(replace(FINISHED, code="Late"))], 9_000)
    known = standing(history, task)
    assert (known.status, known.asked, known.events, known.code) == (Status.SUCCEEDED, False, 1, "Late")
    assert [message.asked for message in history.messages_of(task)] == [False, True]


def test_an_answer_that_is_behind_does_not_unfinish_a_task(history: History) -> None:
    task = running(history)
    history.store([arrival(FINISHED)], 1)
    history.record_answer(task, replace(ANSWERED, status=Status.RUNNING, percent=10), b"{}", "R-9", at=2)
    assert (standing(history, task).status, standing(history, task).asked) == (Status.SUCCEEDED, False)


@pytest.mark.parametrize("heard", [True, False], ids=["by its event", "by asking"])
def test_what_imm_has_forgotten_is_still_what_it_was_when_it_had_ended(history: History, heard: bool) -> None:
    task = running(history)
    if heard:
        history.store([arrival(FINISHED)], 1)
    else:
        history.record_answer(task, ANSWERED, b"{}", "R-9", at=2)
    history.record_not_known(task, "forgotten", at=3)
    assert (standing(history, task).status, standing(history, task).message) == (Status.SUCCEEDED, None)


def test_what_imm_has_forgotten_before_it_had_ended_is_unknown_until_an_event_comes(history: History) -> None:
    task = running(history)
    history.store([arrival(RUNNING)], 1)
    history.record_not_known(task, "forgotten", at=3)
    assert (standing(history, task).status, standing(history, task).message) == (Status.UNKNOWN, "forgotten")
    history.store([arrival(FINISHED)], 4)
    assert (standing(history, task).status, standing(history, task).message) == (Status.SUCCEEDED, None)


def test_somebody_elses_task_that_imm_does_not_know_is_left_as_it_is(history: History) -> None:
    history.store([arrival(RUNNING)], 1)
    [task] = history.tasks()
    history.record_not_known(task.id, "forgotten", at=3)
    assert (standing(history, task.id).status, standing(history, task.id).asks) == (Status.RUNNING, 1)


def test_only_what_imm_was_asked_about_in_vain_for_its_event_counts_as_unheard(history: History) -> None:
    for number, at in enumerate((1_000, 2_000, 3_000)):
        task = running(history, task_id=f"T{number}")
        history.record_answer(task, replace(ANSWERED, task_id=f"T{number}"), b"{}", f"R{number}", at=at)
    still_running = running(history, task_id="T9")
    history.record_answer(still_running, replace(RUNNING, task_id="T9", asked=True), b"{}", "R9", at=2_000)
    assert [history.unheard(*span) for span in ((0, 9_000), (1_000, 2_000), (2_001, 2_999))] == [3, 2, 0]
    history.store([arrival(replace(FINISHED, task_id="T1"))], 4_000)
    assert history.unheard(0, 9_000) == 2


def asked_at(history: History, at: int, limit: int = 10) -> list[int]:
    return [task.id for task in history.overdue(at, first=30_000, limit=limit, **OURS)]


def test_a_task_is_overdue_at_doubling_intervals_up_to_an_hour_for_as_long_as_imm_knows_it(history: History) -> None:
    task = running(history)
    second, hour, day = 1_000, 3_600_000, 86_400_000
    asked = []
    for at in (*range(0, hour, 10 * second), *range(hour, 9 * day, 600 * second)):
        if asked_at(history, at):
            asked.append(at)
            history.record_answer(task, replace(ANSWERED, status=Status.RUNNING), b"{}", "R", at)
    assert asked[:5] == [30 * second, 90 * second, 210 * second, 450 * second, 930 * second]
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert gaps == sorted(gaps)
    assert gaps[-1] == hour
    assert 7 * day < asked[-1] < 8 * day


@settings(max_examples=30)
@given(steps=st.lists(st.integers(1, 300_000), max_size=60), tasks=st.integers(1, 5), limit=st.integers(1, 5))
def test_of_two_processes_only_one_asks_about_a_task_and_seldom(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], tasks: int, limit: int
) -> None:
    path = tmp_path_factory.mktemp("history") / "history.db"
    with History(path) as one, History(path) as other:
        for number in range(tasks):
            running(one, task_id=f"T{number}")
        asks: Counter[int] = Counter()
        at = 0
        for step in steps:
            at += step
            first = asked_at(one, at, limit)
            second = asked_at(other, at, limit)
            assert not set(first) & set(second)
            for number in (*first, *second):
                asks[number] += 1
                one.record_no_answer([number], at)
        assert all(count <= 1 + math.log2(1 + at / 30_000) for count in asks.values())


def test_processes_that_ask_at_the_very_same_time_share_the_tasks_out(path: Path) -> None:
    with History(path) as history:
        tasks = {running(history, task_id=f"T{number}") for number in range(40)}
    barrier = threading.Barrier(4)

    def asked(_: int) -> list[int]:
        with History(path) as history:
            barrier.wait()
            return [number for _ in range(10) for number in asked_at(history, 60_000, 1)]

    with ThreadPoolExecutor(4) as pool:
        shares = [number for share in pool.map(asked, range(4)) for number in share]
    assert sorted(shares) == sorted(tasks)


def test_a_question_that_was_not_answered_is_asked_again_before_long(history: History) -> None:
    task = running(history)
    assert asked_at(history, 30_000) == [task]
    assert asked_at(history, 59_999) == []
    assert asked_at(history, 60_000) == [task]


def test_nothing_is_unfinished_once_all_have_ended_or_imm_knows_them_no_more(history: History) -> None:
    day = 86_400_000
    assert not history.has_unfinished(0)
    submitting = history.record_intent(CONVERSION, token="1", at=0, **OURS)
    assert history.has_unfinished(0)
    history.record_unknown(submitting, message="no answer", request_id=None)
    assert history.has_unfinished(7 * day)
    assert not history.has_unfinished(8 * day)
    history.store([arrival(replace(RUNNING, task_id="T2"))], 9 * day)
    assert history.has_unfinished(9 * day), "an untracked task as well"
    history.store([arrival(replace(FINISHED, task_id="T2"))], 9 * day)
    assert not history.has_unfinished(9 * day)


def test_another_projects_tasks_are_not_asked_about(history: History) -> None:
    running(history)
    for other in ({"project": "another"}, {"api_version": "2020-09-30"}):
        assert history.overdue(60_000, first=0, limit=9, **{**OURS, **other}) == []


# A submission whose outcome is unknown


def test_an_event_with_its_user_data_names_a_submission_whatever_is_known_of_it(history: History) -> None:
    submitting = history.record_intent(CONVERSION, token="1", at=0, **OURS)
    lost = unknown(history, token="2")
    refused = history.record_intent(CONVERSION, token="3", at=0, **OURS)
    history.record_refused(refused, code="InternalError", message="a fault", request_id=None, at=1)
    for number in "123":
        history.store([arrival(replace(FINISHED, task_id=number, user_data=number), message_id=number)], 2)
    assert [(task.id, task.task_id, task.status) for task in reversed(history.tasks())] == [
        (submitting, "1", Status.SUCCEEDED),
        (lost, "2", Status.SUCCEEDED),
        (refused, "3", Status.SUCCEEDED),
    ]


def test_the_answer_that_comes_after_the_event_changes_nothing_but_the_request_id(history: History) -> None:
    tasks = [history.record_intent(CONVERSION, token=f"{n}", at=0, **OURS) for n in range(3)]
    for n in range(3):
        history.store([arrival(replace(FINISHED, task_id=f"T{n}", user_data=f"{n}"), message_id=f"{n}")], 2)
    history.record_accepted(tasks[0], "T0", "R-0")
    history.record_unknown(tasks[1], message="cut", request_id="R-1")
    history.record_refused(tasks[2], code="InternalError", message="a fault", request_id="R-2", at=3)
    assert {task.status for task in history.tasks()} == {Status.SUCCEEDED}
    assert standing(history, tasks[0]).request_id == "R-0"


def test_one_that_is_found_has_what_its_event_said(history: History) -> None:
    task = unknown(history)
    history.store([arrival(FINISHED)], 2)
    assert history.record_found(task, f"formatconvert-{FINISHED.task_id}")
    [known] = history.tasks()
    assert (known.id, known.status, known.events, known.message) == (task, Status.SUCCEEDED, 1, None)


def test_about_one_that_was_looked_for_long_the_questions_begin_anew_when_it_is_found(history: History) -> None:
    task = unknown(history)
    for at in range(9):
        history.record_no_answer([task], at)
    assert history.record_found(task, "T")
    assert asked_at(history, 8 + 30_000) == [task]


def test_one_task_is_found_for_one_submission_only(history: History) -> None:
    first, second = unknown(history), unknown(history)
    assert history.record_found(first, "T")
    assert not history.record_found(second, "T")
    assert not history.record_found(first, "another")
    assert [(task.status, task.task_id) for task in history.tasks()] == [(Status.UNKNOWN, None), (Status.RUNNING, "T")]


def test_an_answer_that_comes_after_all_is_taken(history: History) -> None:
    task = unknown(history)
    history.record_accepted(task, "T", "R-1")
    assert (standing(history, task).status, standing(history, task).task_id) == (Status.RUNNING, "T")
    assert standing(history, task).message is None


def test_one_that_is_looked_for_is_left_to_one_process_and_then_for_longer(history: History) -> None:
    task = unknown(history)

    def sought(at: int) -> list[int]:
        return [it.id for it in history.unfound(at, first=5_000, **OURS)]

    assert [sought(at) for at in (4_999, 5_000, 5_000)] == [[], [task], []]
    history.record_no_answer([task], 5_000)
    assert [sought(at) for at in (14_999, 15_000)] == [[], [task]]


def test_another_programs_file_is_refused_and_left_untouched(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE addresses (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(HistoryUnusable, match="not a history of imm-tui"):
        History(path)
    assert path.read_bytes() == before


def test_an_event_under_several_message_ids_was_delivered_as_often(history: History) -> None:
    for message_id in ("1", "2", "2"):
        history.store([arrival(FINISHED, message_id=message_id)], 5)
    (task,) = history.tasks()
    (message,) = history.messages_of(task.id)
    assert (message.message_id, message.times, task.events) == ("1", 3, 1)


@pytest.mark.parametrize(
    "source_uri",
    [
        "oss://b/季度 报告.docx",
        "oss://b/folder/",
        "oss://b//x//",
        "oss://b/%_[a]-z",
        "oss://",
        "x",
        "///",
        "",
        "a/\ud800",
    ],
)
def test_a_task_is_sorted_and_sought_by_the_name_that_is_shown(history: History, source_uri: str) -> None:
    history.record_intent(replace(CONVERSION, source_uri=source_uri), token="t", at=0, **OURS)
    (task,) = history.tasks()
    named = task.name.encode("utf-8", "surrogatepass")
    assert list(history.find(f"CAST({NAME} AS BLOB) = ?", [named], Order(), 0)) == [task.id]


def test_of_many_messages_the_deciding_and_the_newest_are_read_and_all_are_counted(history: History) -> None:
    history.store([arrival(FINISHED, message_id="decides")], 1)
    for number in range(30):
        event = replace(FINISHED, status=Status.RUNNING, percent=number)
        history.store([arrival(event, message_id=f"M-{number}")], number)
    history.store([arrival(FINISHED, message_id="decides")], 99)
    (task,) = history.tasks()
    assert [message.message_id for message in history.messages_of(task.id, limit=3)] == ["decides", "M-29", "M-28"]
    assert len(history.messages_of(task.id)) == 20
    assert history.tally_of(task.id) == Tally(messages=31, delivered=32, duplicates=1)


def test_an_event_with_the_token_stands_whatever_id_the_answer_names(history: History) -> None:
    task = history.record_intent(CONVERSION, project="p", api_version="2020-09-30", token="ours", at=1_000)
    history.store([arrival(replace(FINISHED, user_data="ours"))], 5_000)
    ended = history.task(task)
    history.record_accepted(task, "OfficeConversion-another", "REQUEST-ID")
    assert ended is not None
    assert history.task(task) == replace(ended, request_id="REQUEST-ID")


# What was only looked at


def peeked(history: History, *arrivals: Arrival) -> list[tuple[str, bool]]:
    return [(report.message_id, report.duplicate) for report in history.store_peeked(arrivals, 1_000)]


def test_a_message_is_reported_once_however_often_it_is_seen(history: History) -> None:
    first, second = arrival(RUNNING), arrival(FINISHED, message_id="2", body=b"[]")
    assert peeked(history, first) == [("1", False)]
    assert peeked(history, first, second) == [("2", False)]
    before = history.data_version(), history.changes(0).revision
    assert peeked(history, first, second) == []
    assert (history.data_version(), history.changes(0).revision) == before
    (task,) = history.tasks()
    assert (task.events, task.status) == (2, Status.SUCCEEDED)


def test_what_is_received_after_it_was_seen_was_delivered_once(history: History) -> None:
    seen = arrival(FINISHED)
    peeked(history, seen)
    before = history.last_delivery()
    assert [report.duplicate for report in history.store([seen], 2_000)] == [False]
    (message,) = history.messages_of(history.tasks()[0].id)
    assert (message.times, message.duplicates) == (1, 0)
    assert len(history.deliveries(before)) == 1
    assert [report.duplicate for report in history.store([seen], 3_000)] == [True]
    assert peeked(history, seen) == []


def test_the_same_event_in_another_message_that_is_only_seen_is_a_duplicate(history: History) -> None:
    history.store([arrival(FINISHED)], 1_000)
    again = arrival(FINISHED, message_id="2", body=b"[]")
    assert peeked(history, again) == [("2", True)]
    assert [report.duplicate for report in history.store([again], 2_000)] == [True]


def test_a_message_without_an_event_that_is_only_seen_is_reported_once(history: History) -> None:
    unreadable = arrival(body=b"?")._replace(reason="not ours")
    assert peeked(history, unreadable) == [("1", False)]
    assert peeked(history, unreadable) == []
    assert history.store([unreadable], 2_000) == []
    assert history.quarantine_size() == 1
