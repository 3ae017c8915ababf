"""How many messages wait on the queue: asked in the background, and never in anybody's way."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from imm_tui import queue_depth
from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.errors import Barred, NoCredentials
from imm_tui.queue_depth import Depth, QueueDepth
from tests.cloud.servers import Service, answer, hang
from tests.mailbox import Mailbox

PATIENCE = 20
KEYS = Credentials("id", "secret")
DENIED = "<Error><Code>AccessDenied</Code><Message>m</Message><RequestId>{}</RequestId></Error>"


def attributes(active: int) -> str:
    counts = "<InactiveMessages>0</InactiveMessages><DelayMessages>0</DelayMessages>"
    return f"<Queue><ActiveMessages>{active}</ActiveMessages>{counts}</Queue>"


class Asked:
    """A QueueDepth at work, each answer that it told, and a way to wait for one."""

    def __init__(self, settings: Settings, credentials: Credentials) -> None:
        self._told = threading.Condition()
        self.answers: list[Depth | None] = []
        self.queue = QueueDepth(settings, credentials, on_change=self._changed)

    def _changed(self) -> None:
        with self._told:
            self.answers.append(self.queue.depth)
            self._told.notify_all()

    def until(self, condition: Callable[[list[Depth | None]], bool]) -> None:
        with self._told:
            assert self._told.wait_for(lambda: condition(self.answers), PATIENCE), self.answers


@contextmanager
def asked(settings: Settings, credentials: Credentials = KEYS) -> Iterator[Asked]:
    it = Asked(settings, credentials)
    it.queue.start()
    try:
        yield it
    finally:
        it.queue.stop()
        assert it.queue.join(PATIENCE)


@pytest.fixture
def _in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_depth, "_EVERY", 0.01)
    monkeypatch.setattr(queue_depth, "_SOONEST", 0.0)
    monkeypatch.setattr(random, "uniform", lambda _least, _most: 0.0)


def test_it_knows_at_once_and_follows(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_depth, "_SOONEST", 0.0)
    with asked(mailbox.settings, mailbox.credentials) as it:
        it.until(lambda answers: answers == [Depth(0, 0, 0)])
        mailbox.publish("a", "b")
        it.queue.ask_soon()
        it.until(lambda answers: answers == [Depth(0, 0, 0), Depth(2, 0, 0)])


@pytest.mark.usefixtures("_in_no_time")
def test_it_asks_again_by_itself_and_tells_only_what_is_new() -> None:
    same, other = answer(200, attributes(7)), answer(200, attributes(8))
    with Service(same, same, same, other, hang) as mns, asked(Settings(queue="q", mns_endpoint=mns.url)) as it:
        it.until(lambda answers: answers == [Depth(7, 0, 0), Depth(8, 0, 0)])


@pytest.mark.usefixtures("_in_no_time")
def test_a_refusal_is_told_once_and_goes_when_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_depth, "_BARRED_FOR", 0.0)
    refusals = [answer(403, DENIED.format(number)) for number in range(3)]
    known = answer(200, attributes(7))
    with Service(known, *refusals, known, hang) as mns, asked(Settings(queue="q", mns_endpoint=mns.url)) as it:
        it.until(lambda answers: answers == [Depth(7, 0, 0), None, Depth(7, 0, 0)])
        assert it.queue.trouble is None


def test_a_refusal_says_which_permission_is_missing_and_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_depth, "_EVERY", 0.0)
    monkeypatch.setattr(queue_depth, "_SOONEST", 0.0)
    with Service(answer(403, DENIED.format(1))) as mns, asked(Settings(queue="q", mns_endpoint=mns.url)) as it:
        it.until(lambda answers: answers == [None])
        it.queue.ask_soon()
        assert isinstance(it.queue.trouble, Barred)
        assert "mns:GetQueueAttributes" in it.queue.trouble.fix + it.queue.trouble.why
        assert len(mns.requests) == 1


def test_however_much_happens_it_asks_calmly() -> None:
    with Service(answer(200, attributes(7)), hang) as mns, asked(Settings(queue="q", mns_endpoint=mns.url)) as it:
        it.until(bool)
        for _ in range(100):
            it.queue.ask_soon()
        assert not it.queue.join(0.1)
        assert len(mns.requests) == 1


def test_a_question_without_an_answer_does_not_hold_up_the_end() -> None:
    with Service(hang) as mns, asked(Settings(queue="q", mns_endpoint=mns.url)) as it:
        assert mns.arrived.wait(PATIENCE)
        it.queue.stop()
        assert it.queue.join(3), "the answer is waited for as long as PATIENCE_SECONDS of the queue"
        assert it.answers == []


def test_what_is_no_access_key_is_a_trouble_and_no_more(mailbox: Mailbox) -> None:
    with asked(mailbox.settings, Credentials("", "")) as it:
        it.until(lambda answers: answers == [None])
        assert isinstance(it.queue.trouble, NoCredentials)


def test_a_queue_that_does_not_exist_has_no_depth(mailbox: Mailbox) -> None:
    with asked(replace(mailbox.settings, queue="nowhere"), mailbox.credentials) as it:
        it.until(lambda answers: answers == [None])
        assert it.queue.trouble is not None
        assert it.queue.trouble.code == "QueueNotExist"
