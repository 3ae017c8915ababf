"""A queue that is full is drained in stages that overlap: nothing is lost, cut or left behind wherever that ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from imm_tui.arrivals import Delivery
from imm_tui.cloud.mns import AT_ONCE, BATCH, Cancelled
from imm_tui.drain import Drain
from imm_tui.errors import HistoryUnusable, Refused, Trouble
from imm_tui.history import History
from tests.conftest import RunningEmulator
from tests.control import Control
from tests.mailbox import Mailbox, all_quarantined, notification

MANY = 6 * BATCH + 5


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "history.db") as history:
        yield history


@pytest.fixture
def told() -> list[Delivery]:
    """What the drain has told, in its order."""
    return []


@pytest.fixture
def drain(mailbox: Mailbox, history: History, told: list[Delivery]) -> Iterator[Drain]:
    drain = Drain(mailbox.settings, mailbox.credentials, history, told.extend)
    yield drain
    drain.close()


@pytest.fixture
def control(emulator: RunningEmulator) -> Iterator[Control]:
    control = Control(emulator.endpoint)
    yield control
    control.clear()


def names(count: int) -> list[str]:
    return [f"task-{number}" for number in range(count)]


def tasks(deliveries: list[Delivery]) -> list[str]:
    return [delivery.event.task_id for delivery in deliveries if delivery.event is not None]


def always() -> bool:
    return True


def never() -> bool:
    return False


def empty(drain: Drain) -> None:
    """Cycles until nothing comes any more."""
    while drain.cycle(0, always) or drain.is_ahead:
        pass


def test_each_event_is_told_once_and_in_the_order_of_the_history(
    drain: Drain, mailbox: Mailbox, history: History, told: list[Delivery]
) -> None:
    mailbox.publish(*map(notification, names(MANY)))
    empty(drain)
    assert sorted(tasks(told)) == sorted(names(MANY))
    assert told == history.deliveries(0)
    assert mailbox.left == (0, 0)
    assert {message.deleted_at is not None for it in history.tasks() for message in history.messages_of(it.id)} == {
        True
    }


def test_what_cannot_be_read_is_hidden_and_quarantined_in_the_midst_of_a_flood(
    drain: Drain, mailbox: Mailbox, history: History
) -> None:
    for number, name in enumerate(names(MANY)):
        mailbox.publish("not ours" if number % 20 == 7 else notification(name))
    empty(drain)
    odd = len(range(7, MANY, 20))
    assert mailbox.left == (0, odd)
    kept = all_quarantined(history)
    assert len(kept) == odd
    assert all(message.receipt_handle and message.hidden_until for message in kept)


def test_what_was_received_ahead_is_finished_before_it_ends(
    drain: Drain, mailbox: Mailbox, told: list[Delivery]
) -> None:
    mailbox.publish(*map(notification, names(MANY)))
    drain.cycle(0, always)
    drain.interrupt()  # as a pause does
    while drain.is_ahead:
        try:
            drain.cycle(0, never)
        except Cancelled:  # it had not begun to come
            break
    drain.close()
    active, hidden = mailbox.left
    assert (len(told) + active, hidden) == (MANY, 0)


def test_more_and_more_is_received_at_once_while_batches_come_back_full_but_not_ever_more(
    drain: Drain, mailbox: Mailbox, told: list[Delivery]
) -> None:
    batches = [1, 2, 4, AT_ONCE, AT_ONCE, AT_ONCE]
    mailbox.publish(*map(notification, names(sum(batches) * BATCH)))
    assert [drain.cycle(0, always) for _each in batches] == [number * BATCH for number in batches]
    assert drain.cycle(0, always) == 0
    assert not drain.more
    assert not drain.is_ahead
    assert len(told) == sum(batches) * BATCH
    assert mailbox.left == (0, 0)


def test_one_receive_of_several_that_fails_costs_none_of_the_others(
    drain: Drain, mailbox: Mailbox, control: Control, told: list[Delivery]
) -> None:
    mailbox.publish(*map(notification, names(MANY)))
    assert drain.cycle(0, always) == BATCH
    control.fault("error", operation="BatchReceiveMessage", skip=1, count=1, status=500, code="InternalError")
    assert drain.cycle(0, always) == 2 * BATCH
    troubles = 0
    while len(told) < MANY:
        try:
            drain.cycle(0, always)
        except Trouble:
            troubles += 1
    assert troubles == 1
    assert mailbox.left == (0, 0)


def test_a_batch_in_hand_is_finished_though_no_more_can_be_received_ahead(
    drain: Drain, mailbox: Mailbox, told: list[Delivery]
) -> None:
    def interrupted_now() -> bool:
        drain.interrupt()
        return True

    mailbox.publish(*map(notification, names(MANY)))
    assert drain.cycle(0, interrupted_now) == BATCH
    with pytest.raises(Cancelled):
        drain.cycle(0, always)
    assert len(told) == BATCH
    assert mailbox.left == (MANY - BATCH, 0)


def test_without_going_on_no_more_than_one_batch_is_received(
    drain: Drain, mailbox: Mailbox, told: list[Delivery]
) -> None:
    mailbox.publish(*map(notification, names(MANY)))
    assert drain.cycle(0, never) == BATCH
    assert drain.more
    assert len(told) == BATCH
    assert mailbox.left == (MANY - BATCH, 0)


def test_what_is_stored_is_told_though_its_delete_is_refused_and_comes_again_as_a_duplicate(
    drain: Drain, mailbox: Mailbox, history: History, control: Control, told: list[Delivery]
) -> None:
    mailbox.publish(*map(notification, names(MANY)))
    control.fault("error", operation="BatchDeleteMessage", count=1, status=400, code="MessageNotDeletable")
    with pytest.raises(Refused):
        empty(drain)
    assert len(told) == history.last_delivery() > 0, "nothing that is stored waits to be told"
    empty(drain)
    assert sorted(tasks(told)) == sorted(names(MANY))
    active, hidden = mailbox.left
    assert (active, hidden) == (0, BATCH), "they come again when they are visible again"


def test_what_was_received_ahead_is_not_lost_where_the_history_could_not_be_written_meanwhile(
    drain: Drain, mailbox: Mailbox, history: History, told: list[Delivery]
) -> None:
    mailbox.publish(*map(notification, names(20 * BATCH)))
    drain.cycle(0, always)
    with closing(sqlite3.connect(history.path)) as other:
        other.execute("ALTER TABLE events RENAME TO elsewhere")
        with pytest.raises(HistoryUnusable):
            drain.cycle(0, always)
        other.execute("ALTER TABLE elsewhere RENAME TO events")
    assert drain.is_ahead
    empty(drain)
    active, hidden = mailbox.left
    assert active == 0
    assert len(told) + hidden == 20 * BATCH, "what was to be stored then comes again, and nothing else"
