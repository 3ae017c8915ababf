"""A message that nobody can read: its neighbours arrive, and it is left in peace ever longer."""

from __future__ import annotations

import threading
from pathlib import Path

from imm_tui.arrivals import Delivery
from imm_tui.history import History
from imm_tui.listener import Listener
from tests.conftest import RunningEmulator
from tests.control import Control
from tests.mailbox import Mailbox, all_quarantined, notification

PATIENCE = 30
MINUTE = 60
POISON = ("not of IMM", '{"order": 7}', "<Notification><Message>", "[" * 60_000, "bm90IG9mIElNTQ==")


class Arrived:
    """The tasks whose event the listener has brought."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._tasks: set[str] = set()

    def batch(self, deliveries: list[Delivery]) -> None:
        with self._news:
            self._tasks |= {delivery.event.task_id for delivery in deliveries if delivery.event}
            self._news.notify_all()

    def wait_for(self, *tasks: str) -> None:
        with self._news:
            assert self._news.wait_for(lambda: self._tasks.issuperset(tasks), PATIENCE), self._tasks


def test_a_poison_message_costs_no_neighbour_and_is_fetched_ever_more_seldom(
    fresh_emulator: RunningEmulator, tmp_path: Path
) -> None:
    mailbox = Mailbox(fresh_emulator)
    control = Control(fresh_emulator.endpoint)
    start = control.clock(frozen=True)["now"]
    neighbours = [f"neighbour-{number}" for number in range(len(POISON))]
    for body, neighbour in zip(POISON, neighbours, strict=True):
        mailbox.publish(body, notification(neighbour))
    arrived = Arrived()
    listener = Listener(mailbox.settings, mailbox.credentials, tmp_path / "history.db", on_batch=arrived.batch)
    listener.start()
    try:
        arrived.wait_for(*neighbours)
        # An event that is published behind a message that has come back arrives with it or after it.
        for minute in range(1, 130):
            control.clock(advance=MINUTE - 1)
            mailbox.publish(notification(f"just before {minute}"))
            arrived.wait_for(f"just before {minute}")
            control.clock(advance=1)
            mailbox.publish(notification(f"at {minute}"))
            arrived.wait_for(f"at {minute}")
    finally:
        listener.stop()
    received: dict[str, list[int]] = {}
    deleted = set()
    for entry in control.ledger(queue=mailbox.name):
        if entry["action"] == "receive":
            received.setdefault(entry["message_id"], []).append((entry["at"] - start) // 1000)
        elif entry["action"] == "delete":
            deleted.add(entry["message_id"])
    poison = {message_id: times for message_id, times in received.items() if message_id not in deleted}
    assert len(poison) == len(POISON)
    for times in poison.values():
        assert [second / MINUTE for second in times] == [0, 1, 3, 7, 15, 31, 63, 123]
    assert all(len(received[message_id]) == 1 for message_id in deleted), "a neighbour comes once"
    with History(tmp_path / "history.db") as history:
        assert {message.message_id for message in all_quarantined(history)} == poison.keys()
        assert {message.body.decode() for message in all_quarantined(history)} == set(POISON)
        assert all(message.reason for message in all_quarantined(history))
