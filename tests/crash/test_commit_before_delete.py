"""A delete never comes before its commit is on disk: the queue looks into the history whenever one arrives."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.history import History
from imm_tui.listener import Listener
from tests.mailbox import notification

PATIENCE = 30
BATCHES, BATCH = 5, 16
HANDLE = re.compile(r"<ReceiptHandle>([^<]+)</ReceiptHandle>")


class Suspicious(ThreadingHTTPServer):
    """An MNS that gives out batches of messages, and says nothing of a delete but what the history holds then.

    A message, its handle and the task that it tells of have one name.
    """

    daemon_threads = True

    def __init__(self, history: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.history = history
        self.batches = [[f"{batch}-{number}" for number in range(BATCH)] for batch in range(BATCHES)]
        self.deleted: list[str] = []
        self.premature: list[str] = []
        """Deleted while a process that started just then would not have found them."""
        self.over = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Suspicious

    def do_GET(self) -> None:
        if self.server.batches:
            told = "".join(
                f"<Message><MessageId>{name}</MessageId><ReceiptHandle>{name}</ReceiptHandle>"
                f"<MessageBody>{notification(name)}</MessageBody></Message>"
                for name in self.server.batches.pop(0)
            )
            self._answer(200, f"<Messages>{told}</Messages>")
        else:
            self.server.over.wait(PATIENCE)
            self.close_connection = True

    def do_DELETE(self) -> None:
        names = HANDLE.findall(self.rfile.read(int(self.headers["Content-Length"])).decode())
        with History(self.server.history) as history:
            tasks = {task.task_id for task in history.tasks()}
        self.server.premature += [name for name in names if name not in tasks]
        self.server.deleted += names
        self._answer(204)

    def _answer(self, status: int, body: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def mns(path: Path) -> Iterator[Suspicious]:
    with Suspicious(path) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield server
        server.over.set()
        server.shutdown()
        serving.join()


def test_what_is_deleted_is_committed_to_the_disk(mns: Suspicious, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    levels: list[tuple[int, str]] = []

    class Attentive(sqlite3.Connection):
        """Notes how durable each commit of the listener is going to be."""

        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql == "COMMIT" and threading.current_thread().name == "listener":
                (synchronous,), (journal,) = (
                    super(Attentive, self).execute(f"PRAGMA {name}").fetchone()
                    for name in ("synchronous", "journal_mode")
                )
                levels.append((synchronous, journal))
            return super().execute(sql, *parameters)

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Attentive))
    told = threading.Semaphore(0)
    settings = Settings(queue="q", mns_endpoint=f"http://127.0.0.1:{mns.server_port}")
    listener = Listener(settings, Credentials("id", "secret"), path, on_batch=lambda batch: told.release(len(batch)))
    expected = sorted(name for batch in mns.batches for name in batch)
    listener.start()
    try:
        for _ in expected:
            assert told.acquire(timeout=PATIENCE)
    finally:
        listener.stop()
    assert mns.premature == []
    assert sorted(mns.deleted) == expected
    assert levels
    assert set(levels) == {(2, "wal")}, "synchronous = FULL, so that a commit waits for the disk"
