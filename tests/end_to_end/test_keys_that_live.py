"""Keys that expire and are revoked under a program at work: nothing is lost, nothing comes twice, nobody is needed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from imm_tui import listener, submission
from imm_tui.credentials import Chain, Credentials
from imm_tui.errors import Barred
from imm_tui.history import History
from imm_tui.listener import Phase
from imm_tui.tasks import Conversion
from tests.conftest import RunningEmulator
from tests.control import Control
from tests.mailbox import Mailbox, notification
from tests.program import Program
from tests.test_listener import listening

SECRET, TOKEN = "a-secret-for-a-while", "a-token-for-a-while"


class Vending(ThreadingHTTPServer):
    """A credentials URI: each request makes another temporary key of the account, good for `lives` seconds."""

    daemon_threads = True

    def __init__(self, emulator: RunningEmulator) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.control = Control(emulator.endpoint)
        self.lives = 3600.0
        self.is_down = False
        self.given: list[str] = []
        self.uri = f"http://127.0.0.1:{self.server_port}/key"

    def vend(self) -> dict[str, Any]:
        key = f"STS.{self.server_port}-{len(self.given) + 1}"
        ends = self.control.add_key(key, SECRET, TOKEN, self.lives)
        assert ends is not None
        self.given.append(key)
        when = datetime.fromtimestamp(ends // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        given = {"AccessKeyId": key, "AccessKeySecret": SECRET, "SecurityToken": TOKEN, "Expiration": when}
        return {"Code": "Success", **given}


class _Handler(BaseHTTPRequestHandler):
    server: Vending

    def do_GET(self) -> None:
        if self.server.is_down:
            self.send_error(404)
            return
        body = json.dumps(self.server.vend()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def vending(emulator: RunningEmulator) -> Iterator[Vending]:
    with Vending(emulator) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Refusals(Chain):
    """Keys that count how often a service refused one."""

    refusals = 0

    def renew(self, refused: Credentials) -> bool:
        self.refusals += 1
        return super().renew(refused)


@pytest.fixture
def chain(vending: Vending, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refusals:
    for proxy in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(proxy, raising=False)
    return Refusals(environ={"HOME": str(tmp_path), "ALIBABA_CLOUD_CREDENTIALS_URI": vending.uri})


def test_a_key_that_is_revoked_during_a_long_poll_is_replaced_and_nothing_is_lost_or_doubled(
    mailbox: Mailbox, vending: Vending, chain: Chain, tmp_path: Path
) -> None:
    with listening(mailbox.settings, chain, tmp_path / "history.db") as (_, watcher):
        watcher.until_phase(Phase.LISTENING)
        for number in range(1, 4):
            vending.control.revoke(vending.given[-1])  # its long poll goes on; nothing after that
            mailbox.publish(notification(f"task-{number}"))
            watcher.until_delivered(number)
        watcher.until(lambda: mailbox.left == (0, 0))
    assert [delivery.duplicate for delivery in watcher.deliveries] == [False] * 3
    assert {state.phase for state in watcher.states} <= {Phase.STARTING, Phase.LISTENING}
    assert len(vending.given) == 4


class Kept:
    """Keys of the account in a file of `aliyun configure`, of which one takes the place of another."""

    def __init__(self, emulator: RunningEmulator, home: Path) -> None:
        self._control = Control(emulator.endpoint)
        self._file = home / ".aliyun" / "config.json"
        self._file.parent.mkdir()
        self.key = ""

    def rotate(self, key: str) -> None:
        self._control.add_key(key, SECRET)
        self.key = key
        kept = {"name": "default", "mode": "AK", "access_key_id": key, "access_key_secret": SECRET}
        written = self._file.with_suffix(".new")
        written.write_text(json.dumps({"current": "default", "profiles": [kept]}))
        written.replace(self._file)

    def revoke(self) -> None:
        self._control.revoke(self.key)


def test_a_key_that_is_revoked_before_its_file_is_changed_stops_the_listener_only_until_then(
    fresh_emulator: RunningEmulator, control: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "_ANOTHER_KEY", 0.05)
    mailbox, kept = Mailbox(fresh_emulator), Kept(fresh_emulator, tmp_path)
    kept.rotate("LTAI-listener-1")
    chain = Chain(environ={"HOME": str(tmp_path)})
    with listening(mailbox.settings, chain, tmp_path / "history.db") as (_, watcher):
        watcher.until_phase(Phase.LISTENING)
        for number in range(1, 3):
            kept.revoke()
            mailbox.publish(notification(f"task-{number}"))
            stopped = watcher.until_phase(Phase.STOPPED)
            assert stopped.awaits_key
            assert stopped.trouble is not None
            assert "by itself" in stopped.trouble.fix
            kept.rotate(f"LTAI-listener-{number + 1}")
            watcher.until_phase(Phase.LISTENING)
        watcher.until_delivered(2)
        control.clock(advance=30)  # what was stored and could not be deleted comes again
        watcher.until(lambda: mailbox.left == (0, 0))


def test_watch_waits_for_the_key_that_takes_a_refused_ones_place(
    program: Program, emulator: RunningEmulator, mailbox: Mailbox
) -> None:
    kept = Kept(emulator, program.home)
    kept.rotate("LTAI-watch-1")
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):
        program.environment.pop(name, None)
    kept.revoke()
    process = program.start("watch", "--json", "--count", "1")
    assert process.stderr is not None
    assert any(b"Waiting up to 30 s" in line for line in process.stderr)
    kept.rotate("LTAI-watch-2")
    mailbox.publish(notification("late"))
    assert process.wait(30) == 0
    assert mailbox.left == (0, 0)


def test_a_key_is_renewed_before_it_expires_without_one_refusal(
    mailbox: Mailbox, vending: Vending, chain: Refusals, tmp_path: Path
) -> None:
    vending.lives = 6
    with listening(mailbox.settings, chain, tmp_path / "history.db", wait=1) as (_, watcher):
        watcher.until(lambda: len(vending.given) >= 2)
        mailbox.publish(notification("late"))
        watcher.until_delivered(1)
    assert chain.refusals == 0


def test_a_token_that_expires_while_no_other_is_given_costs_no_event(
    mailbox: Mailbox, vending: Vending, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "_ANOTHER_KEY", 0.05)
    monkeypatch.setattr(listener, "_KEY_ASKED", (0.2, 0.4))
    vending.lives = 3
    with listening(mailbox.settings, chain, tmp_path / "history.db", wait=1) as (_, watcher):
        watcher.until_phase(Phase.LISTENING)
        vending.is_down = True
        stopped = watcher.until_phase(Phase.STOPPED)
        assert stopped.trouble is not None
        assert "token" in (stopped.trouble.code or "").lower()
        mailbox.publish(notification("meanwhile"))
        vending.lives, vending.is_down = 3600.0, False
        watcher.until_delivered(1)
        watcher.until(lambda: mailbox.left == (0, 0))
    assert [delivery.duplicate for delivery in watcher.deliveries] == [False]


def test_a_submission_goes_through_with_another_key_when_the_first_was_revoked(
    mailbox: Mailbox, vending: Vending, chain: Chain, tmp_path: Path
) -> None:
    settings = mailbox.settings
    with closing(submission.connect(settings, chain)) as imm, History(tmp_path / "history.db") as history:
        vending.control.revoke(chain.current().access_key_id)
        conversion = Conversion(source_uri="oss://demo/a.docx", target_uri="oss://demo/out/", target_type="png")
        (outcome,) = submission.submit(history, imm, settings, [conversion])
        assert len(history.tasks()) == 1
    assert not isinstance(outcome.trouble, Barred)
    assert len(vending.given) == 2


def test_a_command_uses_the_credentials_uri_and_survives_its_key(
    program: Program, mailbox: Mailbox, vending: Vending
) -> None:
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):
        program.environment.pop(name, None)
    program.environment["ALIBABA_CLOUD_CREDENTIALS_URI"] = vending.uri
    process = program.start("watch", "--json", "--count", "2")
    assert process.stdout is not None
    mailbox.publish(notification("one"))
    assert json.loads(process.stdout.readline())["task_id"] == "one"
    vending.control.revoke(vending.given[-1])
    mailbox.publish(notification("two"))
    assert json.loads(process.stdout.readline())["task_id"] == "two"
    assert process.wait(20) == 0
    assert mailbox.left == (0, 0)
