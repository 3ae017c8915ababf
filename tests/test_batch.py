"""Batches: everything is sent once or stays unsent, also when IMM has too many, and the guess at the end is learned."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from imm_tui import submission
from imm_tui.batch import Batch, Progress, eta
from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.errors import BadInput, Barred, HistoryUnusable, OutcomeUnknown, Refused, Unreachable
from imm_tui.history import History
from imm_tui.submission import AT_ONCE
from imm_tui.tasks import API_VERSIONS, ApiVersion, Status, Task
from tests.cloud.conftest import parameters
from tests.cloud.servers import Act, Service, answer, then_close
from tests.mailbox import Mailbox
from tests.program import HANG

KEYS = Credentials("id", "secret")


def accepted(connection: socket.socket, over: threading.Event) -> None:
    answer(200, json.dumps({"TaskId": f"OfficeConversion-{uuid.uuid4()}", "RequestId": "R"}))(connection, over)


def refused(code: str, status: int = 400, **headers: str) -> Act:
    return answer(status, json.dumps({"Code": code, "Message": "No.", "RequestId": "R"}), **headers)


class Stage:
    """A batch on a service of the test's own, and whatever it changes."""

    def __init__(self, history_path: Path, settings: Settings, credentials: Credentials, count: int) -> None:
        self._news = threading.Condition()
        sources = [f"oss://b/{number}.pdf" for number in range(count)]
        self.conversions = submission.plan(sources, submission.Wanted(target_type="png"), settings)
        self._history_path = history_path
        self.batch = Batch(settings, credentials, history_path, self.conversions, on_change=self._tell)

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()

    def until(self, holds: Callable[[Progress], bool]) -> Progress:
        with self._news:
            assert self._news.wait_for(lambda: holds(self.batch.progress), HANG), self.batch.progress
        return self.batch.progress

    @property
    def planned(self) -> list[str]:
        """What another session would find that it had not sent."""
        with History(self._history_path) as history:
            [plan] = [history.plan(name) for name in history.plans()]
        assert plan is not None
        return plan.unsent

    def sources(self, part: slice) -> list[str]:
        return [conversion.source_uri for conversion in self.conversions[part]]

    def ended(self) -> Progress:
        assert self.batch.join(HANG)
        return self.batch.progress


@contextmanager
def staged(tmp_path: Path, *acts: Act, count: int = 20) -> Iterator[tuple[Stage, Service]]:
    with Service(*acts) as service:
        settings = Settings(region="cn-beijing", project="p", imm_endpoint=service.url)
        stage = Stage(tmp_path / "history.db", settings, KEYS, count)
        stage.batch.start()
        try:
            yield stage, service
        finally:
            stage.batch.cancel()


def tokens(service: Service) -> Counter[str]:
    return Counter(parameters(request)["UserData"] for request in service.requests)


def recorded(tmp_path: Path) -> list[Task]:
    with History(tmp_path / "history.db") as history:
        return history.tasks(limit=1000)


def held(gate: threading.Event) -> Act:
    def act(connection: socket.socket, over: threading.Event) -> None:
        gate.wait(HANG)
        accepted(connection, over)

    return act


@pytest.mark.parametrize("version", API_VERSIONS)
def test_every_conversion_is_sent_once_as_a_task_of_the_batch(
    tmp_path: Path, mailbox: Mailbox, version: ApiVersion
) -> None:
    settings = replace(mailbox.settings, api_version=version)
    stage = Stage(tmp_path / "history.db", settings, mailbox.credentials, 30)
    stage.batch.start()
    assert stage.ended() == Progress(total=30, accepted=30, ended=True)
    assert stage.batch.number is not None
    with History(tmp_path / "history.db") as history:
        tasks = history.batch(stage.batch.number)
    assert tasks[0].id == stage.batch.number
    assert [task.source_uri for task in tasks] == [conversion.source_uri for conversion in stage.conversions]
    assert len({task.task_id for task in tasks}) == 30
    assert stage.planned == []


def test_a_pause_finishes_what_is_under_way_and_sends_no_more_until_it_is_over(tmp_path: Path) -> None:
    gate = threading.Event()
    with staged(tmp_path, held(gate)) as (stage, service):
        assert service.arrived.wait(HANG)
        stage.batch.pause()
        gate.set()
        progress = stage.until(lambda progress: progress.sent == AT_ONCE)
        assert progress == Progress(total=20, accepted=AT_ONCE, unsent=20 - AT_ONCE, paused=True)
        assert stage.planned == stage.sources(slice(AT_ONCE, None))
        assert len(service.requests) == AT_ONCE
        stage.batch.resume()
        assert stage.ended() == Progress(total=20, accepted=20, ended=True)
    assert set(tokens(service).values()) == {1}


@pytest.mark.parametrize("paused", [True, False])
def test_what_is_cancelled_before_it_is_sent_is_never_sent(tmp_path: Path, paused: bool) -> None:
    gate = threading.Event()
    with staged(tmp_path, held(gate)) as (stage, service):
        assert service.arrived.wait(HANG)
        if paused:
            stage.batch.pause()
        stage.batch.cancel()
        gate.set()
        progress = stage.ended()
        assert progress.ended
        assert not progress.paused
        assert 0 < progress.accepted == len(service.requests) <= AT_ONCE
        assert stage.planned == stage.sources(slice(progress.accepted, None))
        assert progress.unsent == len(stage.planned)
    assert len(recorded(tmp_path)) == progress.accepted
    assert stage.batch.number is not None
    with History(tmp_path / "history.db") as history:
        assert history.left_of(stage.batch.number) == progress.accepted, "nobody waits for what is never sent"


def test_what_imm_did_not_take_because_there_were_too_many_is_offered_again(tmp_path: Path) -> None:
    with staged(tmp_path, *[refused("Throttling.User")] * 3, accepted) as (stage, service):
        assert stage.ended() == Progress(total=20, accepted=20, ended=True)
    assert len(service.requests) == 23
    assert len(tokens(service)) == 20, "a submission keeps its token"
    assert {task.status for task in recorded(tmp_path)} == {Status.RUNNING}


def test_but_not_for_ever_and_a_batch_that_has_to_wait_can_be_cancelled(tmp_path: Path) -> None:
    with staged(tmp_path, refused("Throttling.User", retry_after="120")) as (stage, service):
        stage.until(lambda progress: progress.refused > 0)
        stage.batch.cancel()
        progress = stage.ended()
    assert progress.refused + progress.unsent == 20
    assert len(service.requests) == progress.refused <= AT_ONCE
    assert {(task.status, task.code) for task in recorded(tmp_path)} == {(Status.FAILED, "Throttling.User")}


def test_a_refusal_of_one_is_no_reason_to_stop(tmp_path: Path) -> None:
    with staged(tmp_path, refused("InvalidSourceURI"), accepted) as (stage, _service):
        progress = stage.ended()
    assert (progress.accepted, progress.refused, progress.unsent) == (19, 1, 0)
    assert isinstance(progress.trouble, Refused)


@pytest.mark.parametrize("act", [then_close(), answer(200, "<html>")], ids=["cut", "portal"])
def test_where_no_answer_can_be_read_it_pauses_and_what_may_have_arrived_is_not_sent_again(
    tmp_path: Path, act: Act
) -> None:
    with staged(tmp_path, *[act] * AT_ONCE, accepted) as (stage, service):
        progress = stage.until(lambda progress: progress.paused)
        assert isinstance(progress.trouble, OutcomeUnknown)
        assert (progress.unknown, progress.unsent) == (AT_ONCE, 20 - AT_ONCE)
        stage.batch.resume()
        progress = stage.ended()
        assert (progress.accepted, progress.unsent, progress.trouble) == (20 - AT_ONCE, 0, None)
    assert set(tokens(service).values()) == {1}


@pytest.mark.parametrize("before", [0, AT_ONCE])
def test_a_refusal_that_all_would_meet_pauses_it_and_the_rest_goes_on_when_it_is_mended(
    tmp_path: Path, before: int
) -> None:
    with staged(tmp_path, *[accepted] * before, refused("NoPermission", 403)) as (stage, service):
        progress = stage.until(lambda progress: progress.paused)
        assert isinstance(progress.trouble, Barred)
        assert 0 < progress.refused == len(service.requests) - before <= AT_ONCE
        assert progress.unsent == 20 - before - progress.refused, "what was not sent is not recorded as failed"
        service.acts = [accepted]
        stage.batch.resume()
        after = stage.ended()
        assert (after.accepted, after.unsent, after.trouble) == (before + progress.unsent, 0, None)
    assert len(recorded(tmp_path)) == 20


def test_one_answer_that_is_lost_among_many_does_not(tmp_path: Path) -> None:
    with staged(tmp_path, then_close(), accepted) as (stage, _service):
        progress = stage.ended()
    assert (progress.accepted, progress.unknown) == (19, 1)


def test_where_nobody_is_the_rest_stays_unsent(tmp_path: Path) -> None:
    settings = Settings(region="cn-beijing", project="p", imm_endpoint="http://127.0.0.1:9")
    stage = Stage(tmp_path / "history.db", settings, KEYS, 20)
    stage.batch.start()
    progress = stage.until(lambda progress: progress.paused)
    assert isinstance(progress.trouble, Unreachable)
    stage.batch.cancel()
    assert stage.ended().unsent == 20 - AT_ONCE


def test_settings_that_do_not_do_end_it_with_the_reason(tmp_path: Path) -> None:
    settings = Settings(region="cn-beijing", project="", imm_endpoint="http://127.0.0.1:9")
    stage = Stage(tmp_path / "history.db", settings, KEYS, 2)
    stage.batch.start()
    progress = stage.ended()
    assert isinstance(progress.trouble, BadInput)
    assert (progress.ended, progress.unsent) == (True, 2)
    assert stage.planned == stage.sources(slice(None))


def test_where_the_history_cannot_keep_what_is_to_be_sent_nothing_is_sent(tmp_path: Path) -> None:
    with Service(accepted) as service:
        settings = Settings(region="cn-beijing", project="p", imm_endpoint=service.url)
        History(tmp_path / "history.db").close()
        with closing(sqlite3.connect(tmp_path / "history.db")) as database:
            database.execute("CREATE TRIGGER spoilt BEFORE INSERT ON plans BEGIN SELECT RAISE(ABORT, 'spoilt'); END")
        with pytest.raises(HistoryUnusable):
            Stage(tmp_path / "history.db", settings, KEYS, 20).batch.start()
        assert service.requests == []
    assert recorded(tmp_path) == []
    assert list(tmp_path.glob("*.lock")) == []


@pytest.mark.parametrize("event", ["INSERT", "UPDATE"])
def test_while_the_history_cannot_be_written_it_pauses_and_what_is_unsent_is_sent_later(
    tmp_path: Path, event: str
) -> None:
    gate = threading.Event()
    with staged(tmp_path, held(gate)) as (stage, service):
        assert service.arrived.wait(HANG)
        with closing(sqlite3.connect(tmp_path / "history.db")) as database:
            database.execute(f"CREATE TRIGGER spoilt BEFORE {event} ON tasks BEGIN SELECT RAISE(ABORT, 'spoilt'); END")
        gate.set()
        progress = stage.until(lambda progress: progress.paused)
        assert isinstance(progress.trouble, HistoryUnusable)
        assert progress.sent + progress.unsent == 20, "nothing is on its way any more"
        assert stage.planned == stage.sources(slice(progress.sent, None))
        with closing(sqlite3.connect(tmp_path / "history.db")) as database:
            database.execute("DROP TRIGGER spoilt")
        stage.batch.resume()
        assert stage.ended().unsent == 0
    assert len(recorded(tmp_path)) == len(tokens(service)) == 20
    assert set(tokens(service).values()) == {1}


def test_a_conversion_is_once_more_the_task_that_it_is_named_with(tmp_path: Path) -> None:
    with Service(accepted) as service:
        settings = Settings(region="cn-beijing", project="p", imm_endpoint=service.url)
        conversions = submission.plan(
            [f"oss://b/{number}.pdf" for number in range(20)], submission.Wanted(target_type="png"), settings
        )
        path = tmp_path / "history.db"
        batch = Batch(settings, KEYS, path, conversions, resubmits=range(100, 120))
        batch.start()
        assert batch.join(HANG)
    tasks = recorded(tmp_path)
    assert [task.resubmits for task in reversed(tasks)] == list(range(100, 120))


# When it will have ended


def task(status: Status, submitted_at: int = 0, finished_at: int | None = None, page_count: int | None = None) -> Task:
    return Task(
        id=1,
        task_id="T",
        status=status,
        seen_at=0,
        submitted_at=submitted_at,
        finished_at=finished_at,
        page_count=page_count,
    )


RUNNING, ENDED = task(Status.RUNNING), task(Status.SUCCEEDED, finished_at=1_000)


def test_of_what_is_unknown_nothing_is_guessed() -> None:
    assert eta([RUNNING], [], 500) is None
    assert eta([ENDED, ENDED, RUNNING], [], 2_000) is None
    assert eta([], [], 0, unsent=5) is None


def test_what_has_ended_needs_no_more_time() -> None:
    assert eta([ENDED, task(Status.UNKNOWN)], [], 2_000) == 0


def test_the_history_says_how_long_one_takes() -> None:
    durations: list[tuple[int, int | None]] = [(3_000, None), (1_000, None), (2_000, None)]
    assert eta([RUNNING], durations, 500) == 1_500
    assert eta([RUNNING, task(Status.RUNNING, submitted_at=400)], durations, 500) == 1_900
    assert eta([RUNNING], durations, 60_000) == 0, "it is late: any moment now"
    assert eta([RUNNING], durations, 500, unsent=5) == 2_100, "some time to send them, and the last one's own"


def test_and_how_long_a_page_takes_where_the_pages_are_known() -> None:
    durations: list[tuple[int, int | None]] = [(1_000, 10), (200, 2), (9_000, None)]
    assert eta([task(Status.RUNNING, page_count=30)], durations, 0) == 3_000


def test_its_own_pace_counts_once_some_of_it_has_ended() -> None:
    assert eta([ENDED] * 3 + [RUNNING] * 2, [(60_000, 1)], 3_000, unsent=4) == 4_000, "they ended within two seconds"


def test_of_many_nothing_is_guessed_until_a_tenth_of_them_has_ended() -> None:
    durations: list[tuple[int, int | None]] = [(300_000, None)] * 9
    for ended in range(10):
        assert eta([ENDED] * ended + [RUNNING] * (100 - ended), durations, 2_000) is None
    assert eta([ENDED] * 10 + [RUNNING] * 90, durations, 2_000) == 9_000


def test_how_long_the_first_took_does_not_make_the_others_slower() -> None:
    left = []
    for at in range(1_200, 2_000, 100):  # a hundred that take a second each, one more of them every ten milliseconds
        ended = [task(Status.SUCCEEDED, 10 * it, 1_000 + 10 * it) for it in range(100) if 1_000 + 10 * it <= at]
        going = [task(Status.RUNNING, 10 * it) for it in range(100 - len(ended))]
        found = eta([*ended, *going], [(300_000, None)], at)
        assert found is not None
        left.append(at + found)
    assert all(1_900 <= end <= 2_100 for end in left), left


def test_a_pause_says_nothing_of_the_pace() -> None:
    assert eta([ENDED] * 3 + [RUNNING] * 2, [], 63_000, unsent=4, idle=60_000) == 4_000


def test_it_is_idle_for_as_long_as_it_is_paused_and_no_longer(tmp_path: Path) -> None:
    settings = Settings(region="cn-beijing", project="p", imm_endpoint="http://127.0.0.1:9")
    batch = Stage(tmp_path / "history.db", settings, KEYS, 1).batch
    assert batch.idle == 0
    batch.pause()
    while (before := batch.idle) == 0:
        pass
    batch.pause()
    assert batch.idle >= before, "the same pause goes on"
    batch.resume()
    after = batch.idle
    assert after >= before
    assert {batch.idle for _moment in range(20_000)} == {after}


def test_a_refused_submission_says_nothing_of_the_pace() -> None:
    refusal = replace(task(Status.FAILED, finished_at=10), task_id=None)
    assert eta([refusal] * 9 + [RUNNING], [], 100) is None
