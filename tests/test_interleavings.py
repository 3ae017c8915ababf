"""Whatever comes, in whatever order and however often: the tasks end as if each thing had come once, in its order."""

from __future__ import annotations

import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imm_tui.arrivals import Arrival
from imm_tui.history import History
from imm_tui.notifications import parse
from imm_tui.tasks import API_VERSIONS, Conversion, Event, Status, Task, rfc3339

CONVERSION = Conversion(source_uri="oss://b/a.docx", target_uri="oss://b/out/", target_type="png")
BEGAN = 1_767_225_600_000
FORMATS = ("XML", "JSON", "SIMPLIFIED")


@dataclass(frozen=True)
class Moment:
    """What IMM has to say of a task at a time of its own: seconds since it began, as many percent."""

    second: int
    status: Status

    @property
    def at(self) -> int:
        return BEGAN + self.second * 1000

    @property
    def code(self) -> str:
        return "OpenFileError" if self.status is Status.FAILED else "NoError"


@dataclass(frozen=True)
class Life:
    """A task as IMM knows it: what it publishes of it, and what it answers when it is asked.

    `submission` says how this history fared when it submitted it: it was answered, or the outcome was unknown; an
    untracked task is somebody else's.
    """

    new: bool
    """Of 2020-09-30, whose events bring the submission's UserData back."""
    submission: str
    published: tuple[Moment, ...]
    answered: tuple[Moment, ...]

    @property
    def accepted(self) -> bool:
        """The history gets to know the task's id without an event: IMM answers, or lists the task when it is asked."""
        return self.submission == "answered" or (self.submission == "unknown" and not self.new)


MOMENTS = st.builds(
    Moment,
    second=st.integers(1, 99),
    status=st.sampled_from([Status.RUNNING, Status.RUNNING, Status.SUCCEEDED, Status.FAILED]),
)


def moments(least: int, most: int) -> st.SearchStrategy[tuple[Moment, ...]]:
    return st.lists(MOMENTS, min_size=least, max_size=most, unique_by=lambda moment: moment.second).map(tuple)


LIVES = st.builds(
    Life,
    new=st.booleans(),
    submission=st.sampled_from(["answered", "unknown", "untracked"]),
    published=moments(0, 4),
    answered=moments(0, 3),
).filter(lambda life: life.published or life.accepted)


def published(life: Life, task_id: str, token: str, moment: Moment) -> str:
    """The message that tells of one moment of a life, as its version of IMM writes it."""
    if life.new:
        content: dict[str, object] = {"ProjectName": "p", "RequestId": "R", "TaskType": "OfficeConversion"}
        content |= {"TaskId": task_id, "Status": moment.status, "Progress": moment.second}
        content |= {"Code": "OpenFileError", "Message": "It broke."} if moment.status is Status.FAILED else {"Code": ""}
        content |= {"UserData": token} if life.submission != "untracked" else {}
        wrapped = {"source": "acs.imm", "type": "imm:Task:OfficeConversion", "time": str(moment.at)}
        return json.dumps(wrapped | {"content": json.dumps(content)})
    figures = {"pageCount": "5"} if moment.status is Status.SUCCEEDED else {}
    event = {
        "eventName": "FormatConvertJob:" + ("JobFinished" if moment.status.finished else "JobRunning"),
        "eventSource": "acs:imm",
        "eventTime": rfc3339(moment.at),
        "imm": {"taskId": task_id, "code": moment.code, "percent": str(moment.second), **figures},
    }
    return json.dumps({"events": [event]})


@dataclass(frozen=True)
class Copy:
    """One of the messages that bring one and the same event."""

    message_id: int
    """The queue's."""
    envelope_id: int
    """The topic's."""
    notify_format: str
    content: str

    @property
    def body(self) -> bytes:
        if self.notify_format == "SIMPLIFIED":
            return self.content.encode()
        if self.notify_format == "JSON":
            return json.dumps({"TopicName": "t", "MessageId": f"{self.envelope_id}", "Message": self.content}).encode()
        told = f"<TopicName>t</TopicName><MessageId>{self.envelope_id}</MessageId>"
        return f"<Notification>{told}<Message>{escape(self.content)}</Message></Notification>".encode()


@dataclass
class Told:
    """What the history has been told of a life so far; `task` is its number, where it was submitted."""

    task: int | None = None
    events: set[Moment] = field(default_factory=set)
    answers: set[Moment] = field(default_factory=set)
    asks: int = 0

    def outcome(self) -> tuple[Moment | None, bool]:
        """What the task is now, None where nothing was told, and whether it was learned by asking.

        A finished task stays finished; what was published counts more than what was answered; the last word counts.
        """
        for finished in (True, False):
            for asked, told in ((False, self.events), (True, self.answers)):
                if of_this_kind := [moment for moment in told if moment.status.finished is finished]:
                    return max(of_this_kind, key=lambda moment: moment.second), asked
        return None, False


class Trial:
    """One interleaving. The tasks are `0`, `1`, … at IMM, and their tokens have a t in front."""

    def __init__(self, path: Path, lives: list[Life], seed: int) -> None:
        self._path = path
        self._choices = random.Random(seed)
        self._numbers = count(1)
        self._history = History(path)
        self._revision = 0
        self._batch: list[tuple[str, Moment, Arrival]] = []
        self._finished: set[str] = set()
        self._counted = 0
        self._lives = {str(number): life for number, life in enumerate(lives)}
        self._told = {task_id: Told() for task_id in self._lives}

    def run(self) -> None:
        """Tells everything in some order, and looks after each thing that no task has come back to life."""
        for task_id, life in self._lives.items():
            if life.submission != "untracked":
                self._told[task_id].task = self._history.record_intent(
                    CONVERSION, project="p", api_version=API_VERSIONS[life.new], token=f"t{task_id}", at=BEGAN
                )
        for step in self._steps():
            step()
            if self._choices.random() < 0.3:
                self._store()
                self._look()
            if self._choices.random() < 0.1:
                self._restart()
        self._store()
        self._look()
        self._compare()

    def close(self) -> None:
        self._history.close()

    def _steps(self) -> list[Callable[[], None]]:
        steps: list[Callable[[], None]] = []
        for task_id, life in self._lives.items():
            for moment in life.published:
                content = published(life, task_id, f"t{task_id}", moment)
                steps += [partial(self._receive, task_id, moment, copy) for copy in self._copies(content)]
            steps += [partial(self._ask, task_id, moment) for moment in life.answered]
        self._choices.shuffle(steps)
        for task_id, life in self._lives.items():
            # In their own order, at any places.
            outcome = self._outcome(life)
            places = sorted(self._choices.choices(range(len(steps) + 1), k=len(outcome)), reverse=True)
            for place, tell in zip(places, reversed(outcome), strict=True):
                steps.insert(place, partial(tell, task_id))
        return steps

    def _outcome(self, life: Life) -> list[Callable[[str], None]]:
        outcome = [self._lose] if life.submission == "unknown" else []
        return [*outcome, self._accept] if life.accepted else [*outcome]

    def _copies(self, content: str) -> list[Copy]:
        """One to five messages that bring one event: the queue's duplicates, the topic's, and the publisher's."""
        copies = [Copy(next(self._numbers), next(self._numbers), self._choices.choice(FORMATS), content)]
        for _ in range(self._choices.randint(0, 4)):
            copy = self._choices.choice(copies)
            match self._choices.choice(["delivered", "pushed", "published", "subscribed"]):
                case "pushed":
                    copy = replace(copy, message_id=next(self._numbers))
                case "published":
                    copy = replace(copy, message_id=next(self._numbers), envelope_id=next(self._numbers))
                case "subscribed":
                    others = [name for name in FORMATS if name != copy.notify_format]
                    copy = replace(copy, message_id=next(self._numbers), notify_format=self._choices.choice(others))
            copies.append(copy)
        return copies

    def _receive(self, task_id: str, moment: Moment, copy: Copy) -> None:
        events = parse(copy.body).events
        self._batch.append((task_id, moment, Arrival(message_id=str(copy.message_id), body=copy.body, events=events)))

    def _store(self) -> None:
        reports = self._history.store([arrival for _, _, arrival in self._batch], BEGAN)
        assert len(reports) == len(self._batch)
        self._counted += sum(not report.duplicate for report in reports)
        for task_id, moment, _ in self._batch:
            self._told[task_id].events.add(moment)
        self._batch.clear()

    def _accept(self, task_id: str) -> None:
        task = self._told[task_id].task
        assert task is not None
        self._history.record_accepted(task, task_id, "R")

    def _lose(self, task_id: str) -> None:
        task = self._told[task_id].task
        assert task is not None
        self._history.record_unknown(task, message="The connection was cut.", request_id=None)

    def _ask(self, task_id: str, moment: Moment) -> None:
        """As the reconciler does, of a task that the history knows by its id at IMM."""
        if (task := self._known().get(task_id)) is None:
            return
        answer = Event(
            task_id=task_id,
            name="GetTask",
            status=moment.status,
            percent=moment.second,
            code=moment.code,
            # GetTask gives a running task no time but that of its creation.
            time=str(moment.at if moment.status.finished else BEGAN),
            asked=True,
        )
        self._history.record_answer(task.id, answer, repr(answer).encode(), f"R{next(self._numbers)}", BEGAN)
        self._told[task_id].answers.add(moment)
        self._told[task_id].asks += 1

    def _known(self) -> dict[str | None, Task]:
        return {task.task_id: task for task in self._history.tasks()}

    def _look(self) -> None:
        changes = self._history.changes(self._revision)
        self._revision = changes.revision
        for task in changes.tasks:
            if task.task_id is not None:
                assert task.status.finished or task.task_id not in self._finished
                if task.status.finished:
                    self._finished.add(task.task_id)

    def _restart(self) -> None:
        """What was received and not stored is lost, as far as this process goes; the queue delivers it again."""
        self._history.close()
        self._history = History(self._path)

    def _compare(self) -> None:
        tasks = self._history.tasks()
        assert {task.task_id for task in tasks} == set(self._lives)
        assert len(tasks) == len(self._lives)
        assert self._counted == sum(len(life.published) for life in self._lives.values())
        for task in tasks:
            assert task.task_id is not None
            life, told = self._lives[task.task_id], self._told[task.task_id]
            moment, asked = told.outcome()
            assert task.events == len(life.published)
            assert task.asks == told.asks
            assert task.asked is asked
            assert task.untracked is (life.submission == "untracked")
            if moment is None:
                assert task.status is Status.RUNNING
                continue
            succeeded, failed = moment.status is Status.SUCCEEDED, moment.status is Status.FAILED
            assert task.status is moment.status
            assert task.percent == (100 if succeeded else moment.second)
            assert task.page_count == (5 if succeeded and not life.new and not asked else None)
            assert task.finished_at == (moment.at if moment.status.finished else None)
            assert task.message == ("It broke." if failed and life.new and not asked else None)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """In memory, where there is such a place: a commit that waits for a disk would cost most of the time."""
    memory = "/dev/shm"
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


@pytest.mark.timeout(300)
@settings(max_examples=2000)
@given(lives=st.lists(LIVES, min_size=1, max_size=3), seed=st.integers(0, 2**32))
def test_any_order_any_duplicates_any_answers_end_the_same(folder: Path, lives: list[Life], seed: int) -> None:
    with (
        tempfile.TemporaryDirectory(dir=folder) as place,
        closing(Trial(Path(place) / "history.db", lives, seed)) as trial,
    ):
        trial.run()
