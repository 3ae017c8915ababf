"""Whatever a publisher puts into a message costs that message at most: no neighbour, no screen, no process."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from imm_tui import notifications
from imm_tui.arrivals import Arrival
from imm_tui.headless.output import delivery_line
from imm_tui.history import History
from imm_tui.tasks import Status
from imm_tui.text import BLOCK_LENGTH, block
from imm_tui.tui import json_tree
from tests.conftest import RunningEmulator
from tests.mailbox import Mailbox, notification
from tests.payloads import BODIES, Body
from tests.program import Program

STALLED = 20.0
"""Seconds after which a body is taken to stall what reads it; the slowest of them takes a fifth of one."""

MEMORY = 200 * 2**20
"""Bytes of its own that a process may have which reads all of the bodies."""

BATCH = 16
ROUND = 10
"""Bodies between two good events."""


@pytest.mark.timeout(STALLED)
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.name)
def test_a_body_is_stored_and_shown_and_costs_no_neighbour(body: Body, tmp_path: Path) -> None:
    batch = [arrival("before", notification("good-1").encode()), arrival("odd", body.data)]
    batch.append(arrival("behind", notification("good-2").encode()))
    with History(tmp_path / "history.db") as history:
        deliveries = history.store(batch, 1_700_000_000_000)
        tasks = {task.task_id: task for task in history.tasks(limit=20_000)}
        assert tasks["good-1"].status is tasks["good-2"].status is Status.SUCCEEDED
        assert {delivery.message_id for delivery in deliveries} == {"before", "odd", "behind"}
        odd = [task for task in tasks.values() if not (task.task_id or "").startswith("good-")]
        for task in odd[:5]:
            assert body.data in [message.body for message in history.messages_of(task.id)]
    for delivery in deliveries[:50]:
        assert json.loads(delivery_line(delivery, as_json=True))["message_id"] == delivery.message_id
        assert_shown(delivery_line(delivery, as_json=False))
    text = body.data.decode("utf-8", "replace")
    assert_shown(block(text))
    for number, node in enumerate(json_tree.parse(text) or ()):
        assert_shown(node.text(number))


def arrival(message_id: str, body: bytes) -> Arrival:
    found = notifications.parse(body)
    assert bool(found.events) != bool(found.reason)
    return Arrival(message_id=message_id, body=body, events=found.events, reason=found.reason)


def assert_shown(text: str) -> None:
    """A text that a screen can take: no surrogate, nothing but layout below a blank, and no more than is worth it."""
    text.encode()
    assert not [character for character in text if character < " " and character not in "\n\t"]
    assert len(text) <= BLOCK_LENGTH


def test_the_corpus_has_no_body_twice() -> None:
    assert len(BODIES) >= 100
    assert len({body.name for body in BODIES}) == len({body.data for body in BODIES}) == len(BODIES)


# Through a queue


@pytest.fixture
def watch(emulator: RunningEmulator, tmp_path: Path) -> Iterator[Program]:
    """The program with so much memory and no more."""
    script = (
        "import resource, imm_tui.cli\n"
        f"resource.setrlimit(resource.RLIMIT_DATA, ({MEMORY}, {MEMORY}))\n"
        "imm_tui.cli.run()\n"
    )
    program = Program(tmp_path / "home", emulator.env, (sys.executable, "-c", script))
    yield program
    program.close()


def with_good_ones(bodies: Sequence[Body]) -> tuple[list[bytes], set[str]]:
    """The bodies with a good event behind every few of them, and the ids of the good events' tasks."""
    mixed: list[bytes] = []
    good = set()
    for number, body in enumerate(bodies, 1):
        mixed.append(body.data)
        if number % ROUND == 0 or number == len(bodies):
            good.add(f"good-{number}")
            mixed.append(notification(f"good-{number}").encode())
    return mixed, good


def publishable(body: Body) -> bool:
    """Whether MNS takes it: text in the characters of XML, at most 64 KiB."""
    try:
        text = body.data.decode()
    except UnicodeDecodeError:
        return False
    return 0 < len(body.data) <= 65_536 and all(character >= " " or character in "\t\n" for character in text)


def test_good_events_arrive_among_bodies_that_the_queue_takes(watch: Program, mailbox: Mailbox) -> None:
    bodies, good = with_good_ones([body for body in BODIES if publishable(body)])
    assert len(bodies) > 80
    mailbox.publish(*(body.decode() for body in bodies))
    run = watch("watch", "--json", "--idle-exit", "1", IMM_TUI_QUEUE=mailbox.name)
    assert (run.code, run.err) == (0, "")
    assert good <= {line.get("task_id") for line in run.objects}
    assert len({line["message_id"] for line in run.objects}) == len(bodies)
    quarantined = sum("quarantined" in line for line in run.objects)
    assert mailbox.left == (0, quarantined)
    again = watch("watch", "--json", "--idle-exit", "0", IMM_TUI_QUEUE=mailbox.name)
    assert (again.code, again.out) == (0, "")


@pytest.mark.parametrize("form", [["--json"], []], ids=["json", "people"])
def test_good_events_arrive_among_bodies_of_a_service_that_sends_anything(watch: Program, form: list[str]) -> None:
    bodies, good = with_good_ones(BODIES)
    with AnyQueue(bodies) as queue:
        run = watch("watch", *form, "--idle-exit", "1", IMM_TUI_MNS_ENDPOINT=queue.url)
    assert (run.code, run.err) == (0, "")
    if form:
        assert good <= {line.get("task_id") for line in run.objects}
        assert {line["message_id"] for line in run.objects} == queue.sent
    else:
        assert good <= set(run.out.split())
    with History(watch.data / "history.db") as history:
        quarantined = {delivery.message_id for delivery in history.deliveries(0) if delivery.event is None}
    assert quarantined == queue.sent - queue.deleted


class AnyQueue:
    """A queue whose messages hold any bytes, also such as MNS would never take; each is delivered once."""

    def __init__(self, bodies: Sequence[bytes]) -> None:
        self.sent: set[str] = set()
        self.deleted: set[str] = set()
        messages = [(f"message-{number}", body) for number, body in zip(count(1), bodies)]
        batches = iter([messages[start : start + BATCH] for start in range(0, len(messages), BATCH)])
        lock = threading.Lock()
        queue = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet an answer

            def do_GET(self) -> None:
                with lock:
                    batch = next(batches, None)
                    queue.sent |= {message_id for message_id, _ in batch or ()}
                if batch is None:
                    self._answer(404, b"<Error><Code>MessageNotExist</Code><RequestId>R</RequestId></Error>")
                else:
                    self._answer(
                        200, b"<Messages>" + b"".join(_message(*message) for message in batch) + b"</Messages>"
                    )

            def do_DELETE(self) -> None:
                handles = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                queue.deleted |= {name for name in queue.sent if f">{name}<" in handles or self.path.endswith(name)}
                self._answer(204, b"")

            def do_PUT(self) -> None:
                self._answer(200, b"<ChangeVisibility><ReceiptHandle>r</ReceiptHandle></ChangeVisibility>")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()

            def log_request(self, code: object = None, size: object = None) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> AnyQueue:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _message(message_id: str, body: bytes) -> bytes:
    text = escape(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    return (
        (
            f"<Message><MessageId>{message_id}</MessageId><ReceiptHandle>{message_id}</ReceiptHandle>"
            "<DequeueCount>1</DequeueCount><MessageBody>"
        ).encode()
        + text
        + b"</MessageBody></Message>"
    )
