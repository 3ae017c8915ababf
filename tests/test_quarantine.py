"""The quarantine: a person's word about a message is kept, and carried out whenever its queue lets it be."""

from __future__ import annotations

import re
import resource
import signal
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imm_tui import notifications, quarantine
from imm_tui.arrivals import Arrival
from imm_tui.cloud.mns import Queue
from imm_tui.cloud.mns_reply import Received
from imm_tui.credentials import Credentials
from imm_tui.errors import BadInput, Barred, Unreachable
from imm_tui.history import History, Quarantined
from imm_tui.tasks import Status, now
from tests.cloud.servers import Service, answer
from tests.conftest import RunningEmulator
from tests.control import Control
from tests.mailbox import Mailbox, all_quarantined, notification
from tests.program import until
from tests.test_listener import listening

ORDER = '{"order": 7}'

NO_SUCH_MESSAGE = "<Code>MessageNotExist</Code><Message>m</Message>"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.db"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    with History(path) as opened:
        yield opened


@pytest.fixture
def movable(fresh_emulator: RunningEmulator) -> Mailbox:
    """A mailbox whose emulator's clock is nobody else's."""
    return Mailbox(fresh_emulator)


def queue_of(mailbox: Mailbox) -> closing[Queue]:
    return closing(Queue(mailbox.settings.mns_endpoint, mailbox.name, mailbox.credentials))


def received(mailbox: Mailbox) -> Received:
    """The only message, as its owner receives it."""
    with queue_of(mailbox) as queue:
        (message,) = queue.receive(wait=5)
    return message


def quarantined(mailbox: Mailbox, history: History, body: str = ORDER) -> Quarantined:
    """A message that the listener has received and cannot read."""
    mailbox.publish(body)
    with listening(mailbox.settings, mailbox.credentials, history.path):
        until(lambda: any(message.hidden_until for message in all_quarantined(history)))
    (message,) = all_quarantined(history)
    return message


def in_quarantine(history: History, body: bytes = b"?", message_id: str = "1") -> Quarantined:
    """A message that no queue knows."""
    history.store([Arrival(message_id=message_id, body=body, reason="not ours")], 1_000)
    return all_quarantined(history)[0]


def test_what_a_person_decides_about_is_the_message_as_it_was_delivered(mailbox: Mailbox, history: History) -> None:
    message = quarantined(mailbox, history)
    assert (message.body, message.dequeue_count, message.delete_wanted) == (ORDER.encode(), 1, False)
    assert message.reason
    assert 50_000 < (message.hidden_until or 0) - now() <= 60_000


def test_it_is_deleted_at_once_while_its_handle_is_good(mailbox: Mailbox, history: History) -> None:
    message = quarantined(mailbox, history)
    assert quarantine.delete(history, mailbox.settings, mailbox.credentials, message)
    assert mailbox.left == (0, 0)
    assert all_quarantined(history) == []


def test_one_whose_time_is_over_is_deleted_when_it_comes_again(
    movable: Mailbox, control: Control, history: History
) -> None:
    message = quarantined(movable, history)
    control.clock(advance=61)
    assert not quarantine.delete(history, movable.settings, movable.credentials, message)
    assert movable.left == (1, 0), "no handle, no delete: it may be somebody else's turn"
    assert [kept.delete_wanted for kept in all_quarantined(history)] == [True]
    with listening(movable.settings, movable.credentials, history.path):
        until(lambda: all_quarantined(history) == [])
    assert movable.left == (0, 0)


def test_without_a_good_handle_nothing_is_sent(history: History, mailbox: Mailbox) -> None:
    nowhere = replace(mailbox.settings, mns_endpoint="http://127.0.0.1:9")
    message = in_quarantine(history)
    assert not quarantine.delete(history, nowhere, mailbox.credentials, message)
    history.record_hidden(message.id, "handle", now() + 1_000)
    assert not quarantine.delete(history, nowhere, mailbox.credentials, message)
    assert not quarantine.release(history, nowhere, mailbox.credentials, message)


def test_a_view_that_is_out_of_date_does_not_stand_in_the_way(mailbox: Mailbox, history: History) -> None:
    message = quarantined(mailbox, history)
    assert message.receipt_handle is not None
    with queue_of(mailbox) as queue:
        newer = queue.change_visibility(message.receipt_handle, 60)
    history.record_hidden(message.id, newer, now() + 60_000)
    assert quarantine.delete(history, mailbox.settings, mailbox.credentials, message)
    assert mailbox.left == (0, 0)


@pytest.mark.parametrize("decide", [quarantine.delete, quarantine.release])
def test_one_that_somebody_else_has_deleted_leaves_the_quarantine(
    mailbox: Mailbox, history: History, decide: object
) -> None:
    message = quarantined(mailbox, history)
    assert message.receipt_handle is not None
    with queue_of(mailbox) as queue:
        queue.delete([message.receipt_handle])
    deleted = decide(history, mailbox.settings, mailbox.credentials, message)  # type: ignore[operator]
    assert deleted is (decide is quarantine.delete)
    assert all_quarantined(history) == []


def taken_for_gone(mailbox: Mailbox, history: History, decide: object) -> Quarantined:
    """A message whose queue says, when it is decided about, that there is no such one; and it comes again."""
    message = quarantined(mailbox, history)
    visibility = answer(404, f"<Error>{NO_SUCH_MESSAGE}</Error>")
    handle = f"<ReceiptHandle>{message.receipt_handle}</ReceiptHandle>"
    deletion = answer(404, f"<Errors><Error>{NO_SUCH_MESSAGE.replace('Code', 'ErrorCode')}{handle}</Error></Errors>")
    with Service(*[deletion] if decide is quarantine.delete else [], visibility) as service:
        settings = replace(mailbox.settings, mns_endpoint=service.url)
        decide(history, settings, mailbox.credentials, message)  # type: ignore[operator]
    assert all_quarantined(history) == []
    return message


def test_one_that_was_given_back_and_taken_for_gone_is_in_quarantine_when_it_comes_again(
    movable: Mailbox, control: Control, history: History
) -> None:
    message = taken_for_gone(movable, history, quarantine.release)
    control.clock(advance=61)
    with listening(movable.settings, movable.credentials, history.path):
        until(lambda: [kept.id for kept in all_quarantined(history)] == [message.id])
    assert sum(movable.left) == 1, "nobody has asked for its deletion"


def test_one_that_was_to_be_deleted_and_taken_for_gone_is_deleted_when_it_comes_again(
    movable: Mailbox, control: Control, history: History
) -> None:
    taken_for_gone(movable, history, quarantine.delete)
    control.clock(advance=61)
    with listening(movable.settings, movable.credentials, history.path):
        until(lambda: movable.left == (0, 0))
    assert all_quarantined(history) == []


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_kill_around_the_deletion_leaves_nothing_to_wait_for(
    movable: Mailbox, control: Control, history: History, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    message = quarantined(movable, history)
    delete = Queue.delete

    def killed(queue: Queue, handles: list[str]) -> None:
        if done:
            delete(queue, handles)
        raise KeyboardInterrupt

    monkeypatch.setattr(Queue, "delete", killed)
    with pytest.raises(KeyboardInterrupt):
        quarantine.delete(history, movable.settings, movable.credentials, message)
    monkeypatch.undo()
    assert all_quarantined(history) == []
    control.clock(advance=61)
    with listening(movable.settings, movable.credentials, history.path):
        until(lambda: movable.left == (0, 0))
    assert all_quarantined(history) == []


def test_one_that_the_listener_is_to_delete_is_not_waited_for_when_it_is_killed_first(history: History) -> None:
    message = in_quarantine(history)
    history.record_delete_wanted(message.id)
    assert [kept.delete_wanted for kept in all_quarantined(history)] == [True]
    arrival = Arrival(message_id=message.message_id, body=message.body, reason=message.reason)
    for at in (2_000, 3_000):  # the first deletion was not carried out
        history.store([arrival], at)
        assert all_quarantined(history) == []
        assert [known.delete_wanted for known in [history.quarantine_of(arrival)] if known] == [True]


def test_a_wish_outlives_a_service_that_cannot_be_reached_or_refuses(mailbox: Mailbox, history: History) -> None:
    message = quarantined(mailbox, history)
    nowhere = replace(mailbox.settings, mns_endpoint="http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        quarantine.delete(history, nowhere, mailbox.credentials, message)
    with pytest.raises(Barred):
        quarantine.delete(history, mailbox.settings, Credentials("nobody", "wrong"), message)
    assert [kept.delete_wanted for kept in all_quarantined(history)] == [True]
    with pytest.raises(Unreachable):
        quarantine.release(history, nowhere, mailbox.credentials, message)
    kept = history.in_quarantine(message.id)
    assert kept is not None
    assert (kept.delete_wanted, kept.released) == (False, 1), "the last word counts"
    assert all_quarantined(history) == [], "what was given back is nothing to decide about, unless it comes again"
    assert mailbox.left == (0, 1)


def test_a_released_message_is_soon_at_hand_for_its_owner(movable: Mailbox, control: Control, history: History) -> None:
    message = quarantined(movable, history)
    assert quarantine.release(history, movable.settings, movable.credentials, message)
    control.clock(advance=1)
    assert received(movable).body == ORDER.encode()


def test_the_listener_leaves_a_released_message_to_its_owner_for_longer_and_longer(
    movable: Mailbox, control: Control, history: History
) -> None:
    message = quarantined(movable, history)
    control.clock(frozen=True)
    begun = control.ledger()[-1]["id"]

    def done(action: str) -> list[dict[str, Any]]:
        return [entry for entry in control.ledger(begun, movable.name) if entry["action"] == action]

    assert quarantine.release(history, movable.settings, movable.credentials, message)
    hidden = [1]
    with listening(movable.settings, movable.credentials, history.path):
        for seconds in (1, 2, 4, 8, 16):
            control.clock(advance=hidden[-1])
            hidden.append(seconds)
            until(lambda: len(done("visibility")) == len(hidden))
    assert [entry["seconds"] for entry in done("visibility")] == hidden
    assert len(done("receive")) == len(hidden) - 1


def test_bytes_that_can_be_read_after_all_become_an_event_and_the_message_is_deleted_when_it_comes(
    movable: Mailbox, control: Control, history: History
) -> None:
    movable.publish(notification("T"))
    unread = received(movable)
    arrival = Arrival(
        message_id=unread.message_id, body=unread.body, reason="an imm-tui of last year could not read it"
    )
    history.store([arrival], 1_000)
    (message,) = all_quarantined(history)

    assert quarantine.retry(history, message) == ""
    assert all_quarantined(history) == []
    (task,) = history.tasks()
    assert (task.task_id, task.status, task.events) == ("T", Status.SUCCEEDED, 1)
    assert [report.duplicate for report in history.deliveries(0)] == [False, False], "the quarantine, then the event"

    control.clock(advance=31)
    with listening(movable.settings, movable.credentials, history.path):
        until(lambda: movable.left == (0, 0))
    assert [task.events for task in history.tasks()] == [1]


def test_a_message_that_is_readable_when_it_comes_again_leaves_the_quarantine(history: History) -> None:
    """As it does for an imm-tui that is newer than the one that put it there."""
    body = notification("T").encode()
    history.store([Arrival(message_id="1", body=body, reason="not readable yet")], 1_000)
    history.store([Arrival(message_id="1", body=body, events=notifications.parse(body).events)], 2_000)
    assert all_quarantined(history) == []


def test_bytes_that_were_changed_on_the_way_are_not_read_however_well_they_could_be(history: History) -> None:
    body = notification("T").encode()
    history.store([Arrival(message_id="1", body=body, reason=quarantine.CHANGED)], 1_000)
    (message,) = all_quarantined(history)
    assert quarantine.retry(history, message) == quarantine.CHANGED
    assert [kept.id for kept in all_quarantined(history)] == [message.id]
    assert history.tasks() == []


def test_bytes_that_still_cannot_be_read_say_why_and_stay(history: History) -> None:
    message = in_quarantine(history, ORDER.encode())
    assert quarantine.retry(history, message)
    assert [kept.id for kept in all_quarantined(history)] == [message.id]
    assert history.tasks() == []


# Export


@given(message_id=st.text(), body=st.binary())
@example(message_id="../../etc/passwd", body=b"")
@example(message_id="/etc/passwd", body=b"")
@example(message_id="x" * 10_000, body=b"")
@example(message_id="\x00", body=b"\x00")
@example(message_id="..", body=b"")
@example(message_id="-rf", body=b"")
@example(message_id="\ud800", body=b"")
@example(message_id="文\x1b[31m", body=b"")
@settings(max_examples=50)
def test_an_export_is_the_exact_bytes_in_the_folder_that_was_named_whatever_the_message_is_called(
    tmp_path_factory: pytest.TempPathFactory, message_id: str, body: bytes
) -> None:
    around = tmp_path_factory.mktemp("around")
    folder = around / "exports"
    with History(around / "history.db") as history:
        message = in_quarantine(history, body, message_id)
    exported = [quarantine.export(message, folder) for _ in range(2)]
    assert sorted(folder.iterdir()) == sorted(set(exported))
    assert [path.read_bytes() for path in exported] == [body, body]
    assert all(re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._-]*\.bin", path.name) for path in exported)
    assert {stat.S_IMODE(path.stat().st_mode) for path in exported} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_export_follows_no_link_and_replaces_nothing(history: History, tmp_path: Path) -> None:
    message = in_quarantine(history, b"new", "id")
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "id.bin").symlink_to(tmp_path / "target")
    assert quarantine.export(message, tmp_path).name == "id-1.bin"
    assert (tmp_path / "target").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["file/below", "nul\x00", "\ud800"])
def test_an_export_that_cannot_be_says_why(history: History, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="Name another place"):
        quarantine.export(in_quarantine(history), tmp_path / name)


def test_an_export_that_does_not_fit_leaves_no_half_of_itself(history: History, tmp_path: Path) -> None:
    message = in_quarantine(history, b"x" * 10_000)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
        with pytest.raises(BadInput):
            quarantine.export(message, tmp_path / "exports")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert list((tmp_path / "exports").iterdir()) == []
