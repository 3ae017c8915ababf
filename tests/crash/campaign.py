"""Many deaths of one consumer of one queue, and what has to hold after each of them and in the end.

The queue is subscribed to its topic three times, once in each notification format, so that every event comes three
times in three envelopes. Messages that a dead consumer had received come back with the next turn of the clock.
"""

from __future__ import annotations

import base64
import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from imm_tui.arrivals import Delivery
from imm_tui.history import History
from imm_tui.tasks import Status
from tests.conftest import CHECKOUT, RunningEmulator
from tests.control import Control
from tests.crash.consumer import FAILPOINTS, RANDOM, TOLD, Death
from tests.emulator.raw import RawMns

NAME = "crash"
FORMATS = ("XML", "JSON", "SIMPLIFIED")

FAULTS = {
    ("duplicate", "Publish"): 0.05,
    ("reorder", "Publish"): 0.05,
    ("duplicate", "BatchReceiveMessage"): 0.04,
    ("cut-after", "BatchReceiveMessage"): 0.04,
    ("cut-after", "BatchDeleteMessage"): 0.04,
    ("expire-handle", "BatchDeleteMessage"): 0.04,
}
"""What goes wrong at the service meanwhile, and how often."""

PUBLISHED = 12
"""Publications before each death: through three subscriptions, more messages than two batches hold."""

LIFE = 0.05
"""Seconds in which a consumer starts, and is through with what was published."""

_ROUND = [*FAILPOINTS, TOLD, *[RANDOM] * (len(FAILPOINTS) // 2)]

_PASSINGS = {"mid_transaction": 120, "before_hide": 3, "hide_sent": 3, "hide_answered": 3, "after_hide": 3}
"""How often a consumer comes by a failpoint for certain, if not twice: three messages in each life are of no use."""


@dataclass(slots=True)
class Report:
    """What a campaign came to. Messages are what was on the queue, deliveries what the history was told of them."""

    kills: Counter[str] = field(default_factory=Counter)
    events: int = 0
    messages: int = 0
    deliveries: int = 0
    duplicates: int = 0
    quarantined: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    seconds: float = 0.0


class Publisher:
    """Publishes what IMM would, in both versions' ways, some of it again, and things that nobody can read."""

    def __init__(self, emulator: RunningEmulator, choices: random.Random) -> None:
        self._mns = RawMns(emulator)
        self._choices = choices
        self._bodies: list[str] = []
        self.events: Counter[str] = Counter()
        """How many different events there are of each task."""
        arn = f"acs:mns:{emulator.region}:{emulator.account_id}:queues/{NAME}"
        self._make(f"/queues/{NAME}", "<Queue><VisibilityTimeout>1</VisibilityTimeout></Queue>")
        self._make(f"/topics/{NAME}", "<Topic/>")
        for notify_format in FORMATS:
            self._make(
                f"/topics/{NAME}/subscriptions/{notify_format}",
                f"<Subscription><Endpoint>{arn}</Endpoint>"
                f"<NotifyContentFormat>{notify_format}</NotifyContentFormat></Subscription>",
            )

    def _make(self, path: str, body: str) -> None:
        answer = self._mns("PUT", path, body.encode())
        assert answer.status == 201, answer

    def publish(self, count: int) -> None:
        """One that nobody can read, and `count` - 1 others."""
        for body in (f"not of IMM, {len(self._bodies)}", *(self._body() for _ in range(count - 1))):
            message = f"<Message><MessageBody>{escape(body)}</MessageBody></Message>"
            assert self._mns("POST", f"/topics/{NAME}/messages", message.encode()).status == 201
            self._bodies.append(body)

    def _body(self) -> str:
        task = f"task-{self.events.total()}"
        kind = self._choices.choice(["old", "old", "two in one", "new", "bare", "base64", "again"])
        if kind == "again" and self._bodies:
            return self._choices.choice(self._bodies)
        self.events[task] += 1
        if kind in ("new", "bare"):
            content = {"ProjectName": "p", "RequestId": "R", "TaskType": "OfficeConversion", "TaskId": task}
            content |= {"Status": "Succeeded", "EndTime": "2026-01-01T00:00:01.25Z"}
            wrapped = {"source": "acs.imm", "type": "imm:Task:OfficeConversion", "content": json.dumps(content)}
            return json.dumps(wrapped if kind == "new" else content)
        told = [_old_event(task, "JobFinished", 100)]
        if kind == "two in one":
            self.events[task] += 1
            told.append(_old_event(task, "JobRunning", 40))
        body = json.dumps({"events": told})
        return base64.b64encode(body.encode()).decode() if kind == "base64" else body

    @property
    def left(self) -> tuple[int, int]:
        """How many messages can be received from the queue, and how many are hidden for now."""
        attributes = self._mns("GET", f"/queues/{NAME}")
        return int(attributes.text("ActiveMessages")), int(attributes.text("InactiveMessages"))

    def close(self) -> None:
        self._mns.close()


def _old_event(task: str, name: str, percent: int) -> dict[str, object]:
    return {
        "eventName": f"FormatConvertJob:{name}",
        "eventSource": "acs:imm",
        "eventTime": "2018-11-14T09:51:20.342Z",
        "imm": {"code": "NoError", "taskId": task, "percent": str(percent), "pageCount": "5"},
    }


class Witness:
    """What the emulator's ledger and the history have said so far of the queue's messages, by their MessageIds."""

    def __init__(self, control: Control, path: Path) -> None:
        self._control = control
        self._path = path
        self._entry = 0
        self.sent: set[str] = set()
        self.deleted: set[str] = set()
        self.deliveries: list[Delivery] = []
        self.read: set[str] = set()
        self.quarantined: set[str] = set()

    def look(self) -> None:
        """Raises AssertionError where the history is damaged, or has not what was deleted."""
        for entry in self._control.ledger(after=self._entry, queue=NAME):
            self._entry = entry["id"]
            if entry["action"] == "send":
                self.sent.add(entry["message_id"])
            elif entry["action"] == "delete":
                self.deleted.add(entry["message_id"])
        if self._path.exists():
            with History(self._path) as history:
                told = history.deliveries(self.deliveries[-1].id if self.deliveries else 0)
            with closing(sqlite3.connect(self._path)) as database:
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            self.deliveries += told
            self.read |= {delivery.message_id for delivery in told if delivery.event}
            self.quarantined |= {delivery.message_id for delivery in told if not delivery.event}
        assert self.deleted <= self.read, "a message was deleted before its event was in the history"


class Consumers:
    """The process that forks them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def die(self, death: Death) -> int:
        """A consumer from its start to its death; the number of the signal that ended it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(asdict(death)), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())


@contextmanager
def consumers(environment: dict[str, str]) -> Iterator[Consumers]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.consumer"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Consumers(process)
        assert process.stdin is not None
        process.stdin.close()


def _deaths(choices: random.Random) -> Iterator[Death]:
    """For ever, each failpoint as often as any other, and an instant at random for every two of them."""
    while True:
        for point in choices.sample(_ROUND, len(_ROUND)):
            yield Death(
                point=point, passing=choices.randint(1, _PASSINGS.get(point, 2)), delay=choices.uniform(0, LIFE)
            )


def campaign(
    emulator: RunningEmulator, folder: Path, kills: int, seed: int, after_each: Callable[[], None] = lambda: None
) -> Report:
    """Kills a consumer `kills` times while it is at work, then lets one live until the queue is empty, and compares.

    Raises AssertionError where anything was lost, counted twice, or deleted before it was in the history.
    """
    began = time.monotonic()
    report = Report()
    choices = random.Random(seed)
    path = folder / "history.db"
    environment = {**emulator.env, "IMM_TUI_QUEUE": NAME, "IMM_TUI_DATA_DIR": str(folder), "HOME": str(folder)}
    environment["PYTHONPATH"] = str(CHECKOUT)
    control = Control(emulator.endpoint)
    witness = Witness(control, path)
    publisher = Publisher(emulator, choices)
    deaths = _deaths(choices)
    for (effect, operation), probability in FAULTS.items():
        control.fault(effect, service="mns", operation=operation, probability=probability, seed=seed)
    with closing(publisher):
        with consumers(environment) as warm:
            for _ in range(kills):
                publisher.publish(PUBLISHED)
                death = next(deaths)
                assert warm.die(death) == signal.SIGKILL, f"the consumer never came by {death}"
                report.kills[death.point] += 1
                witness.look()
                control.clock(advance=2)
                after_each()
        report.faults = Counter(
            {f"{rule['effect']} {rule['operation']}": rule["injected"] for rule in control.faults()}
        )
        control.clear()
        publisher.publish(PUBLISHED)  # what a fault has held up goes after it
        subprocess.run(
            [sys.executable, "-m", "imm_tui", "watch", "--json", "--idle-exit", "2"],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        witness.look()
        # Hidden, but for those whose time is over just now.
        assert sum(publisher.left) == len(witness.quarantined), "what nobody can read is left, and nothing else"
    assert witness.sent == witness.read | witness.quarantined, "a message never reached the history"
    assert witness.deleted == witness.read, "a message was read and not deleted, or deleted and not read"
    with History(path) as history:
        tasks = {task.task_id: task for task in history.tasks(limit=sys.maxsize)}
    report.events = publisher.events.total()
    report.messages = len(witness.sent)
    report.deliveries = len(witness.deliveries)
    report.duplicates = sum(delivery.duplicate for delivery in witness.deliveries)
    report.quarantined = len(witness.quarantined)
    report.lost = report.events - sum(task.events for task in tasks.values())
    report.seconds = time.monotonic() - began
    counted = {task_id: task.events for task_id, task in tasks.items()}
    assert counted == publisher.events, "an event was lost, or counted twice"
    assert {task.status for task in tasks.values()} == {Status.SUCCEEDED}, "a task went back"
    return report
