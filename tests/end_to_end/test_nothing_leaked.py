"""No key, token or signature leaves by any door but the one to the service, whatever goes wrong at the other end.

Between the program and the emulator stands a wire-tap that keeps what was sent: every signature in it is a canary, and
so are the secret and a token. The emulator quotes them back where a service could.
"""

from __future__ import annotations

import base64
import contextlib
import re
import select
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, unquote

import pytest

from imm_tui.tasks import API_VERSIONS
from tests.conftest import RunningEmulator, running_emulator
from tests.control import Control
from tests.injection import click_behind, paste, quit_, screen
from tests.mailbox import Mailbox, notification
from tests.program import HANG, Program
from tests.terminal import Terminal

TOKEN = "CAIS-canary+of/a=token-that-opens-nothing"
_SIGNATURES = re.compile(rb"[?&]Signature=([^&\s]+)|Authorization: MNS [^:\s]+:(\S+)", re.IGNORECASE)


class WireTap:
    """Hands everything on to the emulator, and keeps what the program sent."""

    def __init__(self, emulator: RunningEmulator) -> None:
        self.sent = b""
        self._emulator = emulator
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in (self._listener, *self._sockets):
            each.close()

    def _accept(self) -> None:
        host, port = self._emulator.endpoint.removeprefix("http://").split(":")
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection((host, int(port)))
            self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                thread = threading.Thread(target=self._pump, args=(source, sink, source is near))
                self._threads.append(thread)
                thread.start()

    def _pump(self, source: socket.socket, sink: socket.socket, keep: bool) -> None:
        try:
            while data := source.recv(65536):
                if keep:
                    self.sent += data
                sink.sendall(data)
        except OSError:
            pass
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    @property
    def signatures(self) -> set[str]:
        return {unquote((rpc or mns).decode()) for rpc, mns in _SIGNATURES.findall(self.sent)}


class Watched:
    """A program with canaries, and everything it has written."""

    def __init__(self, program: Program, emulator: RunningEmulator, tap: WireTap, control: Control) -> None:
        self.program, self.emulator, self.tap, self.control = program, emulator, tap, control
        self.written: list[bytes] = []

    def assert_silent(self, least: int, *more: str) -> None:
        """`least` signatures at least went over the wire, and none of them, nor a key, nor `more`, anywhere else."""
        signatures = self.tap.signatures
        assert len(signatures) >= least, "the canaries did not fly"
        secrets = {self.emulator.access_key_secret, TOKEN, *signatures, *more}
        forms = {form for it in secrets for form in (it, quote(it, safe=""), base64.b64encode(it.encode()).decode())}
        files = {path: path.read_bytes() for path in self.program.home.rglob("*") if path.is_file()}
        assert files
        for name, text in [("what it wrote", text) for text in self.written] + list(files.items()):
            plain = re.sub(rb"\x1b\[[0-?]*[ -/]*[@-~]|\s", b"", text)
            assert not [form for form in forms if form.encode() in text or form.encode() in plain], name


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with running_emulator(tmp_path / "emulator") as emulator, WireTap(emulator) as tap:
        home = {**emulator.env, "IMM_TUI_MNS_ENDPOINT": tap.url, "IMM_TUI_IMM_ENDPOINT": tap.url}
        # What makes the SDKs and Python talk.
        program = Program(
            tmp_path / "home", {**home, "DEBUG": "sdk", "PYTHONWARNINGS": "default", "PYTHONDEVMODE": "1"}
        )
        yield Watched(program, emulator, tap, Control(emulator.endpoint))
        program.close()


def faults(watched: Watched) -> list[dict[str, Any]]:
    """One of every kind, those first after which a program goes on."""
    quoted = f"The signature {watched.emulator.access_key_secret} and the token {TOKEN} do not fit."
    return [
        {"effect": "error", "status": 500, "code": "InternalError", "message": quoted},
        {"effect": "error", "status": 400, "code": "SomethingNew", "message": quoted},
        {"effect": "throttle", "retry_after": 1},
        {"effect": "html", "status": 502},
        {"effect": "html", "status": 200},
        {"effect": "redirect", "location": "http://127.0.0.1:9/?Signature=elsewhere"},
        {"effect": "cut-before"},
        {"effect": "cut-after"},
        {"effect": "malformed"},
        {"effect": "truncate"},
        {"effect": "latency", "seconds": 0.1},
        {"effect": "error", "status": 403, "code": "AccessDenied", "message": quoted},
        {"effect": "error", "status": 403, "code": "SignatureDoesNotMatch", "message": quoted},
        {"effect": "skew", "seconds": 7200},
    ]


def test_no_fault_of_mns_makes_a_watch_say_a_secret(watched: Watched) -> None:
    mailbox = Mailbox(watched.emulator)
    rules = faults(watched)
    for rule in rules:
        watched.control.clear()
        mailbox.publish(notification(f"task-of-{rule['effect']}"))
        watched.control.fault(**rule, service="mns", operation="BatchReceiveMessage", count=1)
        process = watched.program.start("watch", "--json", IMM_TUI_QUEUE=mailbox.name)
        streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]
        assert select.select(streams, [], [], HANG)[0], "it says nothing at all"
        process.send_signal(signal.SIGTERM)
        run = watched.program.finish(process)
        watched.written += [run.out.encode(), run.err.encode()]
        assert watched.control.faults()[0]["injected"] == 1
    watched.assert_silent(least=1)  # those of one second and one kind are the same


@pytest.mark.parametrize("version", API_VERSIONS)
def test_no_fault_of_imm_makes_a_submission_say_a_secret(watched: Watched, version: str) -> None:
    rules = faults(watched)
    for rule in rules:
        watched.control.fault(**rule, service="imm", operation="CreateOfficeConversionTask", count=1)
    sources = [f"oss://demo/{number}.pdf" for number in range(len(rules))]
    for more in ((), ("--json", "--wait", "--timeout", "1")):
        # One that every call would meet ends a run: each of those has a run of its own.
        while _run(watched, "submit", *sources, "--to", "png", "--api-version", version, *more):
            pass
    run = watched.program("tasks", "--limit", "1000")
    watched.written += [run.out.encode(), run.err.encode()]
    watched.assert_silent(least=len(rules))


def _run(watched: Watched, *arguments: str) -> bool:
    """Whether there is a fault left for the next run."""
    run = watched.program(*arguments)
    watched.written += [run.out.encode(), run.err.encode()]
    return any(rule["injected"] == 0 for rule in watched.control.faults())


def test_a_token_that_is_refused_is_not_told(watched: Watched) -> None:
    for arguments in (("watch",), ("submit", "oss://demo/a.pdf", "--to", "png"), ("tasks",)):
        run = watched.program(*arguments, ALIBABA_CLOUD_SECURITY_TOKEN=TOKEN)
        watched.written += [run.out.encode(), run.err.encode()]
    assert TOKEN in unquote(watched.tap.sent.decode("latin-1"))
    watched.assert_silent(least=2)


def test_no_fault_brings_a_secret_to_the_terminal(watched: Watched) -> None:
    rules = faults(watched)
    mailbox = Mailbox(watched.emulator)
    watched.program.environment["IMM_TUI_QUEUE"] = mailbox.name
    for rule in rules:
        watched.control.fault(**rule, service="mns", operation="BatchReceiveMessage", count=1)
    with Terminal(watched.program) as terminal:
        terminal.until_read("imm-tui")

        def met(number: int) -> bool:
            if watched.control.faults()[number]["injected"]:
                return True
            mailbox.publish(notification("a task"))  # an answer is spoilt only where something took place
            terminal.press("r")  # now, not when the back-off is over
            return False

        for number in range(len(rules)):
            terminal.until(partial(met, number))
        terminal.until_read("MNS")
        terminal.press("q")
        assert terminal.ended() == 0
    watched.written.append(terminal.written)
    watched.assert_silent(least=1)


def test_what_is_shown_copied_exported_and_remembered_of_a_request_holds_no_secret(watched: Watched) -> None:
    password = "CanaryOfAPassword"
    program = watched.program
    with screen(program) as terminal:
        terminal.until_read("● listening")
        terminal.press("n")
        terminal.until_read("Submit a conversion")
        paste(terminal, "oss://demo/a.pdf")
        terminal.until_read("oss://demo/a.pdf")
        click_behind(terminal, "Password")
        paste(terminal, password)
        terminal.until_read("•" * len(password))
        terminal.press("\x13")
        terminal.until_read("─ a.pdf ─")
        for keys, words in (
            ("\r", "esc back"),
            ("4", "sent, and not kept"),
            ("c", "DOCUMENT_PASSWORD"),
            ("c", "import os"),
        ):
            terminal.press(keys)
            terminal.until_read(words)
            if keys != "\r":
                copies = terminal.written.count(b"\x1b]52;")
                terminal.press("y")
                terminal.until(lambda copies=copies: terminal.written.count(b"\x1b]52;") > copies)  # type: ignore[misc]
                watched.written.append((program.data / "copied.txt").read_bytes())
        terminal.press("\x1b")
        terminal.until(lambda: "esc back" not in terminal.text)
        for keys, suffix in (("\r", ".csv"), ("\t\x1b[C\r", ".jsonl")):
            terminal.press("e")
            terminal.until_read("─ Export 1 task ─")
            terminal.press(keys)
            terminal.until(lambda suffix=suffix: any(path.suffix == suffix for path in program.home.iterdir()))  # type: ignore[misc]
            terminal.until(lambda: "─ Export 1 task ─" not in terminal.text)
        terminal.press("n")
        terminal.until_read("─ Submit a conversion ─")  # again, with what it remembers
        terminal.press("\x1b")
        terminal.until(lambda: "─ Submit a conversion ─" not in terminal.text)
        quit_(terminal)
    assert (program.data / "preferences.json").exists()
    assert password.encode() in watched.tap.sent
    # What is copied goes to the terminal in base64.
    clipboard = b"".join(map(base64.b64decode, re.findall(rb"\x1b\]52;c;([^\x07]+)\x07", terminal.written)))
    watched.written += [terminal.written, clipboard]
    watched.assert_silent(2, password)


def test_a_mistake_with_secrets_at_hand_is_told_without_them(watched: Watched) -> None:
    """The frames of a traceback hold the credentials; whoever prints one prints them."""
    script = (
        "import sys\n"
        "from imm_tui import cli\n"
        "from imm_tui.tui.screens.dashboard import Dashboard\n"
        "def read(self):\n"
        "    key = self.app.credentials.access_key_secret\n"
        "    raise RuntimeError(key)\n"
        "Dashboard.read = read\n"
        "cli.run()\n"
    )
    watched.program.command = (sys.executable, "-c", script)
    with Terminal(watched.program) as terminal:
        assert terminal.ended() == 1
    assert b"mistake" in terminal.written
    watched.written.append(terminal.written)
    watched.assert_silent(least=0)
