"""The reconciler against the emulator: no task runs for ever for want of an event, and none is submitted twice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imm_tui import reconciler, submission
from imm_tui.arrivals import Arrival
from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.errors import Barred, OutcomeUnknown, Trouble
from imm_tui.history import History
from imm_tui.reconciler import Reconciler
from imm_tui.tasks import API_VERSIONS, ApiVersion, Conversion, Event, Status, Task, now
from tests.cloud.servers import Act, Service, answer, hang
from tests.conftest import RunningEmulator
from tests.control import Control
from tests.mailbox import Mailbox
from tests.program import until
from tests.relay import Relay, Spoil
from tests.test_listener import listening
from tests.test_submission import begun_elsewhere

PDF = "oss://demo/产品手册.pdf"
SOON = 0.2
"""Seconds, where the program has thirty."""

both_versions = pytest.mark.parametrize("version", API_VERSIONS)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "history.db") as opened:
        yield opened


@pytest.fixture
def alone(fresh_emulator: RunningEmulator) -> Mailbox:
    """A mailbox on an emulator that nobody else submits to."""
    return Mailbox(fresh_emulator)


@contextmanager
def reconciling(history: History, settings: Settings, credentials: Credentials) -> Iterator[Reconciler]:
    running = Reconciler(settings, credentials, history.path, overdue_after=SOON)
    running.start()
    try:
        yield running
    finally:
        running.stop()
        assert running.join(30)


def submitted(
    history: History, settings: Settings, credentials: Credentials, *sources: str
) -> list[tuple[Task, Trouble | None]]:
    conversions = submission.plan(sources or [PDF], submission.Wanted(target_type="txt"), settings)
    with closing(submission.connect(settings, credentials)) as imm:
        return [(it.task, it.trouble) for it in submission.submit(history, imm, settings, conversions)]


def the_only(history: History) -> Task:
    (task,) = history.tasks()
    return task


def statuses(history: History) -> list[Status]:
    return sorted(task.status for task in history.tasks())


# An event that does not come


@both_versions
def test_a_task_whose_event_is_late_ends_by_asking_and_the_event_has_the_last_word(
    alone: Mailbox, control: Control, history: History, version: ApiVersion
) -> None:
    settings = replace(alone.settings, api_version=version)
    control.fault("delay", seconds=600)
    submitted(history, settings, alone.credentials)
    with reconciling(history, settings, alone.credentials):
        until(lambda: the_only(history).status is Status.SUCCEEDED)
    task = the_only(history)
    assert (task.asked, task.events, task.percent) == (True, 0, 100)
    assert task.asks >= 1
    (said, *_) = history.messages_of(task.id)
    assert said.asked
    assert (task.task_id or "?").encode() in said.body
    assert history.unheard(0, now()) == 1

    control.clock(advance=601)
    with listening(settings, alone.credentials, history.path):
        until(lambda: the_only(history).events == 1)
    task = the_only(history)
    assert (task.status, task.asked) == (Status.SUCCEEDED, False)
    assert history.unheard(0, now()) == 0


@both_versions
def test_one_that_imm_has_forgotten_is_unknown_with_a_sentence(
    alone: Mailbox, control: Control, history: History, version: ApiVersion
) -> None:
    settings = replace(alone.settings, api_version=version)
    submitted(history, settings, alone.credentials)
    control.reset()
    with reconciling(history, settings, alone.credentials) as running:
        until(lambda: the_only(history).status is Status.UNKNOWN)
        assert "seven days" in (the_only(history).message or "")
        assert running.trouble is None


def test_one_that_cannot_be_asked_about_costs_no_other_its_turn(
    alone: Mailbox, control: Control, history: History
) -> None:
    """An id that IMM never gave: whoever may publish to the topic can send it."""
    odd = Event(task_id="\ud800[/]\x00" * 300, name="Job:Progress", status=Status.RUNNING)
    history.store([Arrival(message_id="1", body=b"?", events=(odd,))], now() - 60_000)
    control.fault("drop")
    settings = replace(alone.settings, api_version="2020-09-30")
    submitted(history, settings, alone.credentials)
    control.fault("error", operation="GetTask", count=1, status=400, code="InvalidParameter")
    with reconciling(history, settings, alone.credentials) as running:
        until(lambda: statuses(history) == [Status.RUNNING, Status.SUCCEEDED])
        until(lambda: running.trouble is None)


def test_a_person_can_ask_about_a_task_at_once_but_not_about_another_projects(
    mailbox: Mailbox, history: History
) -> None:
    [(task, _)] = submitted(history, mailbox.settings, mailbox.credentials)
    running = Reconciler(mailbox.settings, mailbox.credentials, history.path, overdue_after=600)
    running.start()
    try:
        assert not running.ask(replace(task, project="another"))
        assert not running.ask(replace(task, api_version="2020-09-30"))
        assert running.ask(task)
        until(lambda: the_only(history).asks == 1)
    finally:
        running.stop()
        assert running.join(30)


# A submission whose outcome is unknown

UNREADABLE: dict[str, Spoil] = {
    "cut": lambda body: None,
    "empty": lambda body: b"",
    "truncated": lambda body: body[: len(body) // 2],
    "portal": lambda body: b"<html>Sign in</html>",
    "another's": lambda body: b'{"RequestId": "R"}',
}


@both_versions
@pytest.mark.parametrize("spoil", UNREADABLE.values(), ids=UNREADABLE)
def test_one_that_arrived_is_found_and_goes_on_like_any_other(
    emulator: RunningEmulator, mailbox: Mailbox, history: History, version: ApiVersion, spoil: Spoil
) -> None:
    source = f"oss://demo/{mailbox.name}.pdf"
    with Relay(emulator.endpoint, spoil) as relay:
        settings = replace(mailbox.settings, api_version=version, imm_endpoint=relay.url)
        [(task, trouble)] = submitted(history, settings, mailbox.credentials, source)
        assert isinstance(trouble, OutcomeUnknown)
        assert (task.status, task.task_id) == (Status.UNKNOWN, None)
        with reconciling(history, settings, mailbox.credentials):
            until(lambda: the_only(history).status.finished)
        assert relay.operations["CreateOfficeConversionTask"] == 1
    [entry] = [it for it in Control(emulator.endpoint).ledger() if it.get("source") == source]
    task = the_only(history)
    assert (task.task_id, task.token) == (entry["task_id"], entry["token"])
    assert task.message is None or "whether" not in task.message


@both_versions
def test_an_answer_that_takes_too_long_is_such_a_case(
    alone: Mailbox, control: Control, history: History, version: ApiVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imm_tui.cloud.rpc.READ_SECONDS", 0.3)
    control.fault("hang", operation="CreateOfficeConversionTask")
    settings = replace(alone.settings, api_version=version)
    [(task, _)] = submitted(history, settings, alone.credentials)
    assert task.status is Status.UNKNOWN
    monkeypatch.undo()
    with reconciling(history, settings, alone.credentials):
        until(lambda: the_only(history).status is Status.SUCCEEDED)
    assert [entry["action"] for entry in control.ledger()].count("submit") == 1


@both_versions
def test_one_that_never_arrived_stays_unknown_and_is_looked_for_more_and_more_seldom(
    alone: Mailbox, control: Control, history: History, version: ApiVersion
) -> None:
    control.fault("cut-before", operation="CreateOfficeConversionTask")
    settings = replace(alone.settings, api_version=version)
    submitted(history, settings, alone.credentials)
    with reconciling(history, settings, alone.credentials) as running:
        until(lambda: the_only(history).asks == 2)
        assert running.trouble is None
    assert the_only(history).status is Status.UNKNOWN
    assert not [entry for entry in control.ledger() if entry["action"] == "submit"]


def test_an_event_with_its_user_data_settles_it_without_any_asking(
    emulator: RunningEmulator, mailbox: Mailbox, history: History
) -> None:
    with Relay(emulator.endpoint, UNREADABLE["cut"]) as relay:
        settings = replace(mailbox.settings, api_version="2020-09-30", imm_endpoint=relay.url)
        submitted(history, settings, mailbox.credentials)
    with listening(settings, mailbox.credentials, history.path):
        until(lambda: the_only(history).status is Status.SUCCEEDED)
    task = the_only(history)
    assert (task.source_uri, task.events, task.asks) == (PDF, 1, 0)
    assert task.task_id


@both_versions
def test_several_of_one_document_are_told_apart_and_one_that_never_arrived_is_not_made_up(
    alone: Mailbox, control: Control, history: History, version: ApiVersion
) -> None:
    control.fault("cut-after", operation="CreateOfficeConversionTask", count=2)
    control.fault("cut-before", operation="CreateOfficeConversionTask", skip=2)
    settings = replace(alone.settings, api_version=version)
    for _ in range(3):
        submitted(history, settings, alone.credentials)
    assert statuses(history) == [Status.UNKNOWN] * 3
    with reconciling(history, settings, alone.credentials):
        until(lambda: statuses(history) == [Status.SUCCEEDED, Status.SUCCEEDED, Status.UNKNOWN])
        until(lambda: all(task.asks for task in history.tasks()))
    arrived = {entry["task_id"] for entry in control.ledger() if entry["action"] == "submit"}
    assert {task.task_id for task in history.tasks()} == {*arrived, None}


def unknown(history: History, settings: Settings, ago: float, target_uri: str = "") -> int:
    """A submission of PDF as text, some seconds ago, that was not sent at all."""
    [conversion] = submission.plan([PDF], submission.Wanted(target_type="txt", target_uri=target_uri), settings)
    task = history.record_intent(
        conversion,
        project=settings.project,
        api_version=settings.api_version,
        token=f"token {ago}",
        at=now() - round(ago * 1000),
    )
    history.record_unknown(task, message="cut", request_id=None)
    return task


def found(history: History, settings: Settings, credentials: Credentials) -> list[int]:
    lost = [task for task in history.tasks() if task.status is Status.UNKNOWN]
    with closing(submission.connect(settings, credentials)) as imm:
        return [task.id for task in reconciler.find(history, imm, lost)]


@pytest.fixture
def somebody_elses(alone: Mailbox) -> Settings:
    """The settings of a project in which somebody else has just submitted PDF as text."""
    settings = replace(alone.settings, api_version="2017-09-06")
    [conversion] = submission.plan([PDF], submission.Wanted(target_type="txt"), settings)
    with closing(submission.connect(settings, alone.credentials)) as imm:
        imm.create_conversion(conversion, "somebody else's")
    return settings


def test_what_somebody_else_submitted_at_another_time_or_elsewhere_is_not_taken_for_ours(
    alone: Mailbox, history: History, somebody_elses: Settings
) -> None:
    unknown(history, somebody_elses, ago=3600)
    unknown(history, somebody_elses, ago=1, target_uri="oss://demo/another/")
    unknown(history, replace(somebody_elses, api_version="2017-09-06", project="p"), ago=7200)
    assert found(history, somebody_elses, alone.credentials) == []
    assert statuses(history) == [Status.UNKNOWN] * 3


def test_of_several_that_it_could_be_it_is_the_nearest_in_time(
    alone: Mailbox, history: History, somebody_elses: Settings
) -> None:
    unknown(history, somebody_elses, ago=600)
    nearest = unknown(history, somebody_elses, ago=2)
    unknown(history, somebody_elses, ago=300)
    assert found(history, somebody_elses, alone.credentials) == [nearest]


def test_a_task_is_not_given_away_while_a_submission_of_the_same_document_waits_for_its_answer(
    alone: Mailbox, history: History, somebody_elses: Settings
) -> None:
    [conversion] = submission.plan([PDF], submission.Wanted(target_type="txt"), somebody_elses)
    lost = unknown(history, somebody_elses, ago=60)
    names: dict[str, Any] = {"project": somebody_elses.project, "api_version": somebody_elses.api_version}
    waiting = history.record_intent(conversion, token="t", at=now(), **names)
    assert found(history, somebody_elses, alone.credentials) == []
    history.record_refused(waiting, code="C", message="no", request_id=None, at=now())
    assert found(history, somebody_elses, alone.credentials) == [lost]


# An IMM that does not answer

THROTTLED = answer(503, '{"Code": "Throttling.User", "Message": "", "RequestId": "R"}', retry_after="300")
DENIED = answer(403, '{"Code": "NoPermission", "Message": "", "RequestId": "R"}')


@pytest.mark.parametrize(("act", "barred"), [(THROTTLED, False), (DENIED, True)], ids=["throttled", "denied"])
def test_it_is_left_alone_for_as_long_as_it_wishes(
    mailbox: Mailbox, history: History, act: Act, barred: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciler, "_LOOK", 0.01)
    with Service(act) as imm:
        settings = replace(mailbox.settings, imm_endpoint=imm.url)
        task = unknown(history, settings, ago=60)
        with reconciling(history, settings, mailbox.credentials) as running:
            until(lambda: running.trouble is not None)
            assert isinstance(running.trouble, Barred) is barred
            for _ in range(5):  # each of them shows that it has looked again, and would have had a reason to ask
                abandoned = begun_elsewhere(history, settings)
                until(lambda number=abandoned: standing(history, number).status is Status.UNKNOWN)  # type: ignore[misc]
            assert len(imm.requests) == 1
            assert running.ask(standing(history, task)), "a person need not wait"
            until(lambda: len(imm.requests) == 2)


def standing(history: History, number: int) -> Task:
    task = history.task(number)
    assert task is not None
    return task


LIST_FAILS: dict[str, dict[str, Any]] = {
    "denied": {"effect": "error", "status": 403, "code": "NoPermission"},
    "at fault": {"effect": "error", "status": 500, "code": "InternalError"},
    "cut": {"effect": "cut-before"},
}


@pytest.mark.parametrize("fault", LIST_FAILS.values(), ids=LIST_FAILS)
def test_a_list_that_fails_does_not_keep_it_from_asking(
    alone: Mailbox, control: Control, history: History, fault: dict[str, Any]
) -> None:
    settings = replace(alone.settings, api_version="2020-09-30")
    control.fault("drop")
    control.fault(operation="ListTasks", **fault)
    [(task, _)] = submitted(history, settings, alone.credentials)
    unknown(history, settings, ago=60)
    with reconciling(history, settings, alone.credentials) as running:
        until(lambda: standing(history, task.id).status is Status.SUCCEEDED)
        until(lambda: running.trouble is not None)


ODD = {"a page": "<html>", "empty": "{}", "another's": '{"TaskId": "another", "Status": "Running", "RequestId": "R"}'}


def accepted(history: History, settings: Settings, ago: float) -> int:
    """A submission that became a task some seconds ago."""
    [conversion] = submission.plan([PDF], submission.Wanted(target_type="txt"), settings)
    names: dict[str, Any] = {"project": settings.project, "api_version": settings.api_version}
    task = history.record_intent(conversion, token=f"{ago}", at=now() - round(ago * 1000), **names)
    history.record_accepted(task, f"task-{task}", "R")
    return task


def test_while_the_oldest_only_takes_long_the_others_are_not_asked_about_at_once(
    mailbox: Mailbox, history: History
) -> None:
    settings = replace(mailbox.settings, api_version="2020-09-30")
    numbers = [accepted(history, settings, ago) for ago in (50, 40, 30, 20, 10)]
    oldest, *_others, youngest = numbers
    running = [
        answer(200, f'{{"TaskId": "task-{number}", "Status": "Running", "RequestId": "R"}}')
        for number in (oldest, youngest)
    ]
    with Service(*running, hang) as imm:
        settings = replace(settings, imm_endpoint=imm.url)

        wanted = standing(history, youngest)

        def ask_for_it() -> None:
            """When the first has its answer: what is wanted comes before whatever is next."""
            if len(imm.requests) == 1:
                asking.ask(wanted)

        asking = Reconciler(settings, mailbox.credentials, history.path, overdue_after=SOON, on_change=ask_for_it)
        asking.start()
        try:
            until(lambda: standing(history, youngest).asks == 1)
        finally:
            asking.stop()
    assert standing(history, oldest).asks == 1


@pytest.mark.parametrize("said", ODD.values(), ids=ODD)
def test_an_odd_answer_counts_for_its_task_and_only_several_in_a_row_make_it_rest(
    mailbox: Mailbox, history: History, said: str
) -> None:
    with Service(answer(200, said)) as imm:
        settings = replace(mailbox.settings, imm_endpoint=imm.url)
        tasks = [accepted(history, settings, ago) for ago in (50, 40, 30, 20, 10)]
        calls: list[int] = []

        def note_the_first_trouble() -> None:
            if running.trouble is not None and not calls:
                calls.append(len(imm.requests))

        running = Reconciler(
            settings, mailbox.credentials, history.path, overdue_after=SOON, on_change=note_the_first_trouble
        )
        running.start()
        try:
            until(lambda: bool(calls))
        finally:
            running.stop()
            assert running.join(30)
    assert calls == [3]
    assert [standing(history, task).asks for task in tasks[:3]] == [1, 1, 1]


def test_where_nothing_listens_neither_is_tried_and_no_task_is_to_blame(mailbox: Mailbox, history: History) -> None:
    settings = replace(mailbox.settings, imm_endpoint="http://127.0.0.1:9")
    task = accepted(history, settings, ago=60)
    lost = unknown(history, settings, ago=60)
    with reconciling(history, settings, mailbox.credentials) as running:
        until(lambda: running.trouble is not None)
        assert standing(history, task).asked_at is None
    assert (standing(history, task).asks, standing(history, lost).asks) == (0, 0)


# What it costs


def test_one_list_serves_all_that_are_lost_however_far_apart_they_were_submitted(
    mailbox: Mailbox, history: History
) -> None:
    settings = mailbox.settings
    names: dict[str, Any] = {"project": settings.project, "api_version": settings.api_version}
    lost = {unknown(history, settings, ago) for ago in (0, 1, 2, 3, 4)}
    begun = now()
    lists = []
    for second in range(600):
        if looked_for := history.unfound(begun + second * 1000, first=5_000, **names):
            history.record_no_answer([task.id for task in looked_for], begun + second * 1000)
            lists.append({task.id for task in looked_for})
    assert lists[-1] == lost, "they keep step"
    alone = math.ceil(math.log2(600 / 5))
    assert len(lists) <= alone + 1


def test_asking_costs_a_tenth_of_polling_or_less(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    """By the clock of a model: conversions of two seconds to an hour, of which some in a hundred lose their events."""
    conversion = Conversion(source_uri=PDF, target_uri="oss://demo/t/", target_type="txt")
    durations = [round(2_000 * 1800 ** (number / 199)) for number in range(200)]
    polls = sum(math.ceil(duration / 2_000) for duration in durations)

    def asked(lost_in_a_hundred: int, project: str) -> int:
        names: dict[str, Any] = {"project": project, "api_version": "2017-09-06"}
        ends: dict[int, int] = {}
        for duration in durations:
            task = history.record_intent(conversion, token="t", at=0, **names)
            history.record_accepted(task, f"task-{task}", None)
            ends[task] = duration
        calls, at = 0, 0
        while history.tasks(status=Status.RUNNING, limit=1):
            at += 10_000
            for number, end in ends.items():
                if at - 10_000 < end <= at and number * 37 % 100 >= lost_in_a_hundred:
                    event = Event(task_id=f"task-{number}", name="JobFinished", status=Status.SUCCEEDED)
                    history.store([Arrival(message_id=f"{number}", body=b"", events=(event,))], at)
            for overdue in history.overdue(at, first=30_000, limit=10, **names):
                calls += 1
                status = Status.SUCCEEDED if ends[overdue.id] <= at else Status.RUNNING
                said = Event(task_id=f"task-{overdue.id}", name="GetTask", status=status, asked=True)
                history.record_answer(overdue.id, said, b"{}", f"{calls}", at)
        return calls

    usual, worst = asked(2, "usual"), asked(100, "worst")
    with capsys.disabled():
        print(f"\nIMM is asked {usual} times where polling asks {polls} times (1/{polls / usual:.0f}), and", end=" ")
        print(f"{worst} times (1/{polls / worst:.0f}) where no event comes at all.")
    assert usual <= polls / 10
    assert worst <= polls / 10
