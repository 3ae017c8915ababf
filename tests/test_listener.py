"""The listener against the emulator: what is not stored is not deleted, and nothing stops it for good."""

from __future__ import annotations

import hashlib
import random
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from imm_tui.arrivals import Delivery
from imm_tui.config import Settings
from imm_tui.credentials import Credentials, Keys
from imm_tui.history import History
from imm_tui.listener import Listener, ListenerState, Phase
from imm_tui.tasks import Status
from tests.cloud.servers import Service, answer, hang
from tests.conftest import RunningEmulator
from tests.control import Control
from tests.mailbox import Mailbox, notification

PATIENCE = 30


class Watcher:
    """What a listener told, and a way to wait for it."""

    def __init__(self) -> None:
        self._told = threading.Condition()
        self.deliveries: list[Delivery] = []
        self.states: list[ListenerState] = []

    def batch(self, deliveries: list[Delivery]) -> None:
        with self._told:
            self.deliveries += deliveries
            self._told.notify_all()

    def state(self, state: ListenerState) -> None:
        with self._told:
            self.states.append(state)
            self._told.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        with self._told:
            assert self._told.wait_for(condition, PATIENCE), [state.phase for state in self.states]

    def until_phase(self, phase: Phase) -> ListenerState:
        self.until(lambda: bool(self.states) and self.states[-1].phase is phase)
        return self.states[-1]

    def until_delivered(self, count: int) -> list[Delivery]:
        self.until(lambda: len(self.deliveries) >= count)
        return self.deliveries


@contextmanager
def listening(settings: Settings, credentials: Keys, path: Path, wait: int = 30) -> Iterator[tuple[Listener, Watcher]]:
    watcher = Watcher()
    listener = Listener(settings, credentials, path, wait=wait, on_batch=watcher.batch, on_state=watcher.state)
    listener.start()
    try:
        yield listener, watcher
    finally:
        listener.stop()
        assert listener.join(PATIENCE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.mark.parametrize("notify_format", ["XML", "JSON", "SIMPLIFIED"])
def test_what_is_published_is_stored_and_then_deleted(
    emulator: RunningEmulator, path: Path, notify_format: str
) -> None:
    mailbox = Mailbox(emulator, notify_format)
    mailbox.publish(*(notification(f"task-{number}") for number in range(40)))
    with listening(mailbox.settings, mailbox.credentials, path) as (_, watcher):
        deliveries = watcher.until_delivered(40)
    assert mailbox.left == (0, 0)
    with History(path) as history:
        assert {task.task_id for task in history.tasks()} == {f"task-{number}" for number in range(40)}
        assert {(task.status, task.page_count, task.percent) for task in history.tasks()} == {
            (Status.SUCCEEDED, 5, 100)
        }
        assert history.deliveries(0) == deliveries


def test_a_message_that_cannot_be_read_is_kept_and_left_while_its_neighbours_arrive(
    mailbox: Mailbox, path: Path
) -> None:
    mailbox.publish("not ours", notification("a"), '{"order": 7}', notification("b"))
    with listening(mailbox.settings, mailbox.credentials, path) as (_, watcher):
        watcher.until_delivered(4)
        assert mailbox.left == (0, 2)
    with History(path) as history:
        assert {task.task_id for task in history.tasks()} == {"a", "b"}
        quarantined = [delivery for delivery in history.deliveries(0) if delivery.event is None]
        assert len(quarantined) == 2
        assert all(delivery.reason for delivery in quarantined)


@pytest.mark.parametrize(
    ("status", "code"), [(400, "ReceiptHandleError"), (404, "MessageNotExist"), (403, "AccessDenied")]
)
def test_a_message_that_cannot_be_hidden_stops_nothing_and_costs_no_neighbour_its_hiding(
    path: Path, status: int, code: str
) -> None:
    message = "<Message><ReceiptHandle>{}</ReceiptHandle><MessageBody>?</MessageBody></Message>"
    with Service(
        answer(200, f"<Messages>{message.format(1)}{message.format(2)}</Messages>"),
        answer(status, f"<Error><Code>{code}</Code></Error>"),
        answer(200, "<ChangeVisibility><ReceiptHandle>3</ReceiptHandle></ChangeVisibility>"),
        hang,
    ) as mns:
        settings = Settings(queue="q", mns_endpoint=mns.url)
        with listening(settings, Credentials("id", "secret"), path) as (_, watcher):
            watcher.until_phase(Phase.LISTENING)
        assert [request.method for request in mns.requests][:3] == ["GET", "PUT", "PUT"]
        assert Phase.RECONNECTING not in {state.phase for state in watcher.states}


def test_a_receipt_handle_that_is_none_costs_no_neighbour_its_hiding(path: Path) -> None:
    message = "<Message><ReceiptHandle>{}</ReceiptHandle><MessageBody>?</MessageBody></Message>"
    hidden = answer(200, "<ChangeVisibility><ReceiptHandle>3</ReceiptHandle></ChangeVisibility>")
    with Service(answer(200, f"<Messages>{message.format('ü 1')}{message.format(2)}</Messages>"), hidden, hang) as mns:
        settings = Settings(queue="q", mns_endpoint=mns.url)
        with listening(settings, Credentials("id", "secret"), path) as (_, watcher):
            watcher.until_phase(Phase.LISTENING)
        assert [request.method for request in mns.requests][:2] == ["GET", "PUT"]
        assert "ReceiptHandle=2" in mns.requests[1].target


def digested(body: str, digest_of: str, delivery: int = 1) -> str:
    digest = hashlib.md5(digest_of.encode(), usedforsecurity=False).hexdigest()
    return (
        f"<Messages><Message><MessageId>{digest}</MessageId><ReceiptHandle>{delivery}</ReceiptHandle>"
        f"<DequeueCount>{delivery}</DequeueCount><MessageBodyMD5>{digest}</MessageBodyMD5>"
        f"<MessageBody>{escape(body)}</MessageBody></Message></Messages>"
    )


def test_a_message_that_arrived_damaged_is_read_when_it_comes_whole(path: Path) -> None:
    first, second, damaged = notification("t-1"), notification("t-2"), notification("t-3")
    replies = (digested(first, first), digested(damaged, second), digested(second, second, delivery=2))
    deleted = answer(204)
    with Service(
        answer(200, replies[0]), deleted, answer(200, replies[1]), answer(200, replies[2]), deleted, hang
    ) as mns:
        settings = Settings(queue="q", mns_endpoint=mns.url)
        with listening(settings, Credentials("id", "secret"), path) as (_, watcher):
            watcher.until_delivered(3)
            watcher.until(lambda: len(mns.requests) >= 5)
        assert [request.method for request in mns.requests][:5] == ["GET", "DELETE", "GET", "GET", "DELETE"]
    with History(path) as history:
        assert {task.task_id for task in history.tasks()} == {"t-1", "t-2"}
        assert history.quarantine_size() == 0


def test_a_service_whose_digests_are_never_right_is_believed_without_them(path: Path) -> None:
    """What exactly MNS hashes is not documented: it must not cost anybody all their events."""
    body = notification("t-1")
    with Service(answer(200, digested(body, "something else")), answer(204), hang) as mns:
        settings = Settings(queue="q", mns_endpoint=mns.url)
        with listening(settings, Credentials("id", "secret"), path) as (_, watcher):
            (delivery,) = watcher.until_delivered(1)
        assert delivery.event is not None


def test_it_is_said_when_messages_may_never_be_hidden(path: Path) -> None:
    message = "<Message><ReceiptHandle>1</ReceiptHandle><MessageBody>?</MessageBody></Message>"
    denied = answer(403, "<Error><Code>AccessDenied</Code><Message>m</Message><RequestId>R</RequestId></Error>")
    with Service(answer(200, f"<Messages>{message}</Messages>"), denied, hang) as mns:
        settings = Settings(queue="q", mns_endpoint=mns.url)
        with listening(settings, Credentials("id", "secret"), path) as (_, watcher):
            trouble = watcher.until_phase(Phase.LISTENING).trouble
        assert trouble is not None
        assert "mns:ChangeMessageVisibility" in trouble.why
        assert trouble.request_id == "R"


def test_a_message_that_could_not_be_stored_is_not_deleted(mailbox: Mailbox, path: Path) -> None:
    History(path).close()
    broken = sqlite3.connect(path)
    broken.execute("ALTER TABLE events RENAME TO elsewhere")
    mailbox.publish(notification("a"))
    with listening(mailbox.settings, mailbox.credentials, path) as (_, watcher):
        state = watcher.until_phase(Phase.RECONNECTING)
        assert state.trouble is not None
        assert "history" in state.trouble.what
        assert sum(mailbox.left) == 1
    broken.close()


def test_it_stops_when_trying_again_would_not_help_and_resumes_when_told(mailbox: Mailbox, path: Path) -> None:
    wrong = Credentials(mailbox.credentials.access_key_id, "wrong")
    with listening(mailbox.settings, wrong, path) as (listener, watcher):
        state = watcher.until_phase(Phase.STOPPED)
        assert state.trouble is not None
        assert state.trouble.code == "SignatureDoesNotMatch"
        assert state.trouble.request_id
        count = len(watcher.states)
        listener.resume()
        watcher.until(lambda: len(watcher.states) >= count + 2)
        assert watcher.states[count].phase is Phase.STARTING
        assert watcher.states[count + 1].phase is Phase.STOPPED


def test_a_queue_that_does_not_exist_stops_it(mailbox: Mailbox, path: Path) -> None:
    settings = replace(mailbox.settings, queue="nowhere")
    with listening(settings, mailbox.credentials, path) as (_, watcher):
        state = watcher.until_phase(Phase.STOPPED)
        assert state.trouble is not None
        assert state.trouble.code == "QueueNotExist"


@pytest.mark.parametrize(
    ("status", "code", "calls"),
    [
        (403, "SignatureDoesNotMatch", 1),
        (403, "InvalidAccessKeyId", 1),
        (403, "AccessDenied", 1),
        (403, "SomethingNewIsForbidden", 1),
        (401, "Unauthorized", 1),
        (408, "TimeExpired", 1),
        (400, "InvalidSecurityToken.Expired", 1),
        (404, "QueueNotExist", 1),
        (403, "", 3),
        (401, "", 3),
    ],
)
def test_a_denial_is_not_repeated_for_ever(path: Path, status: int, code: str, calls: int) -> None:
    body = (
        f"<Error><Code>{code}</Code><Message>m</Message><RequestId>R</RequestId></Error>"
        if code
        else "<html>No.</html>"
    )
    with Service(answer(status, body)) as mns:
        settings = Settings(queue="q", mns_endpoint=mns.url)
        with listening(settings, Credentials("id", "secret"), path) as (listener, watcher):
            state = watcher.until_phase(Phase.STOPPED)
            assert state.trouble is not None
            assert state.trouble.what
            assert state.trouble.fix
            assert len(mns.requests) == calls
            listener.resume()
            watcher.until(lambda: len(mns.requests) == 2 * calls and watcher.states[-1].phase is Phase.STOPPED)


def test_a_single_denial_by_something_on_the_way_stops_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda _least, _most: 0.0)  # by chance it never has to wait
    empty = answer(404, "<Error><Code>MessageNotExist</Code><Message>m</Message><RequestId>R</RequestId></Error>")
    page = answer(403, "<html>Please sign in.</html>")
    with Service(page, page, empty, page, page, empty, hang) as mns:
        settings = Settings(queue="q", mns_endpoint=mns.url)
        with listening(settings, Credentials("id", "secret"), path) as (_, watcher):
            watcher.until(lambda: len(watcher.states) >= 6)
    twice_in_vain = [Phase.RECONNECTING, Phase.RECONNECTING, Phase.LISTENING]
    assert [state.phase for state in watcher.states] == 2 * twice_in_vain


def test_it_waits_as_long_as_the_service_asks(path: Path) -> None:
    throttled = "<Error><Code>QpsLimitExceeded</Code><Message>m</Message><RequestId>R</RequestId></Error>"
    with Service(answer(403, throttled, retry_after="42"), hang) as mns:
        settings = Settings(queue="q", mns_endpoint=mns.url)
        with listening(settings, Credentials("id", "secret"), path) as (_, watcher):
            state = watcher.until_phase(Phase.RECONNECTING)
        assert state.retry_at is not None
        assert 41_000 < state.retry_at - state.since < 44_000


def test_it_reconnects_by_itself(path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings = Settings(queue="q", mns_endpoint=f"http://127.0.0.1:{port}")
    with listening(settings, Credentials("id", "secret"), path) as (listener, watcher):
        state = watcher.until_phase(Phase.RECONNECTING)
        assert state.trouble is not None
        assert state.retry_at is not None
        with answering("MessageNotExist", 404, port):
            listener.resume()
            watcher.until_phase(Phase.LISTENING)


def test_of_two_on_one_history_one_listens_and_the_other_takes_over(mailbox: Mailbox, path: Path) -> None:
    with listening(mailbox.settings, mailbox.credentials, path) as (first, told_first):
        told_first.until_phase(Phase.LISTENING)
        with listening(mailbox.settings, mailbox.credentials, path) as (_, told_second):
            told_second.until_phase(Phase.WATCHING)
            mailbox.publish(notification("a"))
            told_first.until_delivered(1)
            assert not told_second.deliveries
            first.stop()
            told_second.until_phase(Phase.LISTENING)
            mailbox.publish(notification("b"))
            told_second.until_delivered(1)


def test_stop_ends_a_long_poll_at_once(mailbox: Mailbox, path: Path) -> None:
    with listening(mailbox.settings, mailbox.credentials, path) as (listener, watcher):
        watcher.until_phase(Phase.LISTENING)
        listener.stop()
        assert listener.join(10), "a long poll takes 30 seconds"


def test_while_it_is_paused_nothing_is_received_and_a_resume_receives_at_once(mailbox: Mailbox, path: Path) -> None:
    ledger = Control(mailbox.emulator.endpoint).ledger
    with listening(mailbox.settings, mailbox.credentials, path) as (listener, watcher):
        watcher.until_phase(Phase.LISTENING)
        listener.pause()
        watcher.until_phase(Phase.PAUSED)
        mailbox.publish(*(notification(f"task-{number}") for number in range(3)))
        assert mailbox.left == (3, 0), "a long poll that went on would have taken them"
        assert not [entry for entry in ledger(queue=mailbox.name) if entry["action"] == "receive"]
        listener.resume()
        watcher.until_delivered(3)
        watcher.until_phase(Phase.LISTENING)
    assert mailbox.left == (0, 0)
    assert [entry["dequeue_count"] for entry in ledger(queue=mailbox.name) if entry["action"] == "receive"] == [1] * 3


def test_an_answer_that_has_begun_to_come_is_finished_before_it_pauses(path: Path) -> None:
    body = escape(notification("t-1"))
    message = f"<Message><MessageId>m</MessageId><ReceiptHandle>1</ReceiptHandle><MessageBody>{body}</MessageBody>"
    reply = f"<Messages>{message}</Message></Messages>".encode()

    def pausing(connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(reply))
        listener.pause()
        connection.sendall(reply)

    with Service(pausing, answer(204), hang) as mns:
        settings = Settings(queue="q", mns_endpoint=mns.url)
        with listening(settings, Credentials("id", "secret"), path) as (listener, watcher):
            watcher.until_phase(Phase.PAUSED)
            assert [request.method for request in mns.requests] == ["GET", "DELETE"]
            assert [delivery.message_id for delivery in watcher.deliveries] == ["m"]


def test_a_pause_ends_the_wait_to_reconnect(path: Path) -> None:
    busy = "<Error><Code>QpsLimitExceeded</Code><Message>m</Message><RequestId>R</RequestId></Error>"
    empty = "<Error><Code>MessageNotExist</Code><Message>m</Message><RequestId>R</RequestId></Error>"
    with Service(answer(503, busy, retry_after="200"), answer(404, empty), hang) as mns:
        settings = Settings(queue="q", mns_endpoint=mns.url)
        with listening(settings, Credentials("id", "secret"), path) as (listener, watcher):
            watcher.until_phase(Phase.RECONNECTING)
            listener.pause()
            watcher.until_phase(Phase.PAUSED)
            listener.resume()
            watcher.until_phase(Phase.LISTENING)


def test_a_pause_does_not_wait_until_the_history_can_be_written(
    mailbox: Mailbox, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imm_tui.history._BUSY", 0.05)
    with listening(mailbox.settings, mailbox.credentials, path) as (listener, watcher):
        watcher.until_phase(Phase.LISTENING)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            mailbox.publish(notification("a"))
            watcher.until_phase(Phase.RECONNECTING)
            listener.pause()
            watcher.until_phase(Phase.PAUSED)
        listener.resume()
        watcher.until_phase(Phase.LISTENING)


def test_who_is_paused_before_the_start_calls_nobody(path: Path) -> None:
    with Service(hang) as mns:
        watcher = Watcher()
        settings = Settings(queue="q", mns_endpoint=mns.url)
        listener = Listener(settings, Credentials("id", "secret"), path, on_state=watcher.state)
        listener.pause()
        listener.start()
        watcher.until_phase(Phase.PAUSED)
        listener.stop()
        assert listener.join(PATIENCE)
        assert mns.requests == []


def test_a_pause_does_not_hide_what_has_stopped_it(mailbox: Mailbox, path: Path) -> None:
    wrong = Credentials(mailbox.credentials.access_key_id, "wrong")
    with listening(mailbox.settings, wrong, path) as (listener, watcher):
        watcher.until_phase(Phase.STOPPED)
        count = len(watcher.states)
        listener.pause()
        mailbox.publish(notification("a"))
        assert mailbox.left == (1, 0)
        listener.resume()
        watcher.until(lambda: len(watcher.states) >= count + 2)
        phases = [state.phase for state in watcher.states[count:]]
        assert phases == [Phase.STARTING, Phase.STOPPED]


def test_nobody_takes_over_from_who_is_paused(mailbox: Mailbox, path: Path) -> None:
    with listening(mailbox.settings, mailbox.credentials, path) as (first, told_first):
        first.pause()
        told_first.until_phase(Phase.PAUSED)
        with listening(mailbox.settings, mailbox.credentials, path) as (second, told_second):
            told_second.until_phase(Phase.WATCHING)
            second.pause()
            mailbox.publish(notification("a"))
            first.stop()
            told_second.until_phase(Phase.PAUSED)
            assert mailbox.left == (1, 0)
            second.resume()
            told_second.until_delivered(1)
    assert not told_first.deliveries


def test_an_early_empty_answer_is_no_reason_to_hurry(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds: list[float] = []

    def chance(_least: float, most: float) -> float:
        """No pause at all but for the sixth, which would be an hour."""
        bounds.append(most)
        return 0.0 if len(bounds) < 6 else 3600.0

    monkeypatch.setattr(random, "uniform", chance)
    with answering("MessageNotExist", 404) as (port, requests):
        settings = Settings(queue="q", mns_endpoint=f"http://127.0.0.1:{port}")
        with listening(settings, Credentials("id", "secret"), path) as (_, watcher):
            watcher.until(lambda: len(watcher.states) >= 7)
    assert bounds == [1, 2, 4, 8, 15, 15], "before each long poll that follows an early answer"
    assert len(requests) == 7, "nor is anything asked during a pause"


def test_an_empty_queue_is_counted_from_the_first_empty_answer(mailbox: Mailbox, path: Path) -> None:
    with listening(mailbox.settings, mailbox.credentials, path, wait=1) as (_, watcher):
        watcher.until(lambda: any(state.empty_for >= 1 for state in watcher.states))
        mailbox.publish(notification("a"))
        watcher.until_delivered(1)
        watcher.until(lambda: watcher.states[-1].empty_for == 0)


@contextmanager
def answering(code: str, status: int, port: int = 0) -> Iterator[tuple[int, list[str]]]:
    """A server that gives one and the same error to every request; yields its port and the requests it got."""
    requests: list[str] = []
    parts = f"<Code>{code}</Code><Message>m</Message><RequestId>R</RequestId><HostId>h</HostId>"
    body = f'<Error xmlns="http://mns.aliyuncs.com/doc/v1/">{parts}</Error>'

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, requests
    finally:
        server.shutdown()
        server.server_close()


# A read-only profile


CHANGES = {"receive", "delete", "visibility", "void", "redeliver"}


def changes(emulator: RunningEmulator, queue: str) -> list[str]:
    """What was done to a queue that others would notice."""
    return [entry["action"] for entry in Control(emulator.endpoint).ledger(queue=queue) if entry["action"] in CHANGES]


def test_a_read_only_listener_sees_each_event_once_and_leaves_the_queue_as_it_is(mailbox: Mailbox, path: Path) -> None:
    mailbox.publish(notification("a"), "not ours", notification("b"))
    read_only = replace(mailbox.settings, read_only=True)
    with listening(read_only, mailbox.credentials, path, wait=1) as (_, watcher):
        watcher.until_delivered(3)
        mailbox.publish(notification("c"))
        watcher.until_delivered(4)
        watcher.until(lambda: watcher.states[-1].empty_for > 0)
        assert watcher.states[-1].phase is Phase.PEEKING
    assert mailbox.left == (4, 0)
    with listening(read_only, mailbox.credentials, path, wait=1) as (_, watcher):
        watcher.until(lambda: bool(watcher.states) and watcher.states[-1].empty_for > 0)
        assert watcher.deliveries == []
    assert changes(mailbox.emulator, mailbox.name) == []
    with listening(mailbox.settings, mailbox.credentials, path) as (_, watcher):
        assert [delivery.duplicate for delivery in watcher.until_delivered(3)] == [False] * 3
    assert "receive" in changes(mailbox.emulator, mailbox.name)
    with History(path) as history:
        assert {task.task_id: task.events for task in history.tasks()} == {"a": 1, "b": 1, "c": 1}


def test_who_only_looks_keeps_nobody_from_listening(mailbox: Mailbox, path: Path) -> None:
    with listening(replace(mailbox.settings, read_only=True), mailbox.credentials, path) as (_, peeker):
        peeker.until_phase(Phase.PEEKING)
        with listening(mailbox.settings, mailbox.credentials, path) as (_, watcher):
            watcher.until_phase(Phase.LISTENING)
        peeker.until_phase(Phase.PEEKING)


def test_who_only_looks_can_be_paused_and_is_told_of_troubles(mailbox: Mailbox, path: Path) -> None:
    read_only = replace(mailbox.settings, read_only=True)
    with listening(read_only, mailbox.credentials, path) as (listener, watcher):
        watcher.until_phase(Phase.PEEKING)
        listener.pause()
        watcher.until_phase(Phase.PAUSED)
        mailbox.publish(notification("a"))
        listener.resume()
        watcher.until_delivered(1)
    with listening(replace(read_only, queue="nobodys"), mailbox.credentials, path) as (_, watcher):
        assert "does not exist" in str(watcher.until_phase(Phase.STOPPED).trouble)
