"""The end at any phase: the prompt is back soon, the terminal as it was, the history whole, and what came is stored.

STOPS=200 adds as many stops at random moments, repeatable by their number, and prints how long they took.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from imm_tui.history import History
from tests.cloud.servers import Act, Request, Service, answer, hang, mute, raw, then_close
from tests.conftest import RunningEmulator
from tests.control import Control
from tests.mailbox import Mailbox, notification
from tests.program import Program, until
from tests.terminal import Terminal

SOON = 8.0
"""Seconds: four times what is promised, for a machine with other work. The figures are printed."""

RANDOM_STOPS = int(os.environ.get("STOPS", "0"))

SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGHUP": signal.SIGHUP}

COMMANDS = {
    "dashboard": [],
    "demo": ["demo"],
    "watch": ["watch"],
    "watch --json": ["watch", "--json"],
    "submit --wait": ["submit", "oss://demo/产品手册.pdf", "--to", "txt", "--wait"],
    "submit": ["submit", *(f"oss://demo/{number}.pdf" for number in range(200)), "--to", "txt"],
}
SCREENS = ("dashboard", "demo")
LISTENERS = ("dashboard", "watch", "watch --json", "submit --wait")


def reply(*bodies: str) -> bytes:
    """What MNS answers to a batch receive."""
    messages = "".join(
        f"<Message><MessageId>m-{number}</MessageId><ReceiptHandle>h-{number}</ReceiptHandle>"
        f"<MessageBody>{escape(body)}</MessageBody><DequeueCount>1</DequeueCount></Message>"
        for number, body in enumerate(bodies)
    )
    content = f'<Messages xmlns="http://mns.aliyuncs.com/doc/v1/">{messages}</Messages>'.encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content)


BATCH = reply(*(notification(f"t-{number}") for number in range(16)))


class Messages(Service):
    """Its acts are answers about messages; a question how many there are is never answered, and does not count."""

    def _act(self, request: Request) -> Act:
        return super()._act(request) if "/messages" in request.target else hang


@dataclass
class Stage:
    """A run that is to be stopped, and what a phase needs to come about."""

    program: Program
    mailbox: Mailbox
    emulator: RunningEmulator
    command: str
    cleanup: ExitStack = field(default_factory=ExitStack)
    reached: Callable[[Terminal], None] = lambda terminal: None

    @property
    def history(self) -> Path:
        return self.program.data / "history.db"

    def until(self, condition: Callable[[], bool]) -> None:
        """The phase is reached when this holds."""
        self.reached = lambda terminal: terminal.until(condition)

    def mns(self, *acts: Act) -> Service:
        service = self.cleanup.enter_context(Messages(*acts))
        self.program.environment["IMM_TUI_MNS_ENDPOINT"] = service.url
        return service


# The phases: each arranges that the run gets into it, and says when it has


def importing(stage: Stage) -> None:
    """From our first instruction to wherever it is then. Before that, Python answers SIGINT with its own traceback."""

    def reached(terminal: Terminal) -> None:
        status = Path(f"/proc/{terminal.process.pid}/status")

        def caught() -> set[signal.Signals]:
            bits = int(status.read_text().split("SigCgt:")[1].split()[0], 16)
            return {number for number in (signal.SIGINT, signal.SIGTERM) if bits & 1 << (number - 1)}

        until(lambda: bool(caught()))  # by Python
        until(lambda: caught() != {signal.SIGINT})  # by nobody; or, where that was too short to be seen, by us

    stage.reached = reached


def connecting(stage: Stage) -> None:
    port, heard = stage.cleanup.enter_context(mute())
    stage.program.environment["IMM_TUI_MNS_ENDPOINT"] = f"https://127.0.0.1:{port}"
    stage.until(heard.is_set)


def waiting_for_an_answer(stage: Stage) -> None:
    service = stage.mns(hang)
    stage.until(lambda: len(service.requests) > 0)


def in_a_long_poll(stage: Stage) -> None:
    quiet = Mailbox(stage.emulator)
    stage.program.environment["IMM_TUI_QUEUE"] = quiet.name
    if stage.command == "dashboard":
        stage.reached = lambda terminal: terminal.until_read("● listening")
        return
    quiet.publish(notification("first"))
    stage.until(lambda: quiet.left == (0, 0) and stored(stage.history) > 0)


def in_half_an_answer(stage: Stage) -> None:
    service = stage.mns(raw(BATCH[: len(BATCH) // 2]))
    stage.until(lambda: len(service.requests) > 0)


def storing(stage: Stage) -> None:
    """Another process has locked the history when the messages come."""
    service = stage.mns(raw(BATCH), answer(204))
    History(stage.history).close()
    lock = stage.cleanup.enter_context(closing(sqlite3.connect(stage.history, isolation_level=None)))
    lock.execute("BEGIN IMMEDIATE")
    stage.until(lambda: len(service.requests) > 0)


def deleting(stage: Stage) -> None:
    service = stage.mns(raw(BATCH), hang)
    stage.until(lambda: any(request.method == "DELETE" for request in service.requests))


def backing_off(stage: Stage) -> None:
    service = stage.mns(then_close())
    stage.until(lambda: len(service.requests) >= 2)


def stopped(stage: Stage) -> None:
    stage.program.environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "wrong"
    stage.reached = lambda terminal: terminal.until_read("stopped")


def with_the_form_open(stage: Stage) -> None:
    def reached(terminal: Terminal) -> None:
        terminal.until_read("● listening")
        terminal.press("n")
        terminal.until_read("Submit a conversion")

    stage.reached = reached


def submitting(stage: Stage) -> None:
    service = stage.cleanup.enter_context(Service(hang))
    stage.program.environment["IMM_TUI_IMM_ENDPOINT"] = service.url
    if stage.command != "dashboard":
        stage.until(service.arrived.is_set)
        return

    def reached(terminal: Terminal) -> None:
        terminal.until_read("● listening")
        terminal.press("n")
        terminal.until_read("Submit a conversion")
        terminal.press("oss://demo/a.pdf")
        terminal.until_read("oss://demo/a.pdf")
        terminal.press("\x13")
        terminal.until(service.arrived.is_set)

    stage.reached = reached


def showing(stage: Stage) -> None:
    stage.reached = lambda terminal: terminal.until_read("5页Word.docx")


Phase = Callable[[Stage], None]

PHASES: dict[Phase, tuple[str, ...]] = {
    importing: tuple(COMMANDS),
    connecting: LISTENERS,
    waiting_for_an_answer: LISTENERS,
    in_a_long_poll: ("dashboard", "watch", "watch --json"),
    in_half_an_answer: LISTENERS,
    storing: ("dashboard", "watch", "watch --json"),
    deleting: LISTENERS,
    backing_off: LISTENERS,
    stopped: ("dashboard",),
    with_the_form_open: ("dashboard",),
    submitting: ("dashboard", "submit", "submit --wait"),
    showing: ("demo",),
}


# The ways to end it


@dataclass(frozen=True)
class Way:
    """A way to end a run, and the exit code that a shell shows then."""

    name: str
    code: int
    do: Callable[[Terminal], None]


def sends(number: signal.Signals, times: int = 1) -> Callable[[Terminal], None]:
    def send(terminal: Terminal) -> None:
        for _ in range(times):
            terminal.process.send_signal(number)

    return send


def presses(keys: str) -> Callable[[Terminal], None]:
    return lambda terminal: terminal.press(keys)


ANYWHERE = [Way(name, 128 + number, sends(number)) for name, number in SIGNALS.items()] + [
    Way("SIGINT twice", 130, sends(signal.SIGINT, 2)),
    Way("SIGTERM three times", 143, sends(signal.SIGTERM, 3)),
    Way("hang-up", 129, Terminal.hang_up),
]
KEYS = [Way("q", 0, presses("q")), Way("ctrl+q", 0, presses("\x11"))]
INTERRUPTS = [Way("Ctrl-C", 130, presses("\x03")), Way("Ctrl-C twice", 130, presses("\x03\x03"))]


def ways(command: str, phase: Phase) -> list[Way]:
    if command not in SCREENS:
        return ANYWHERE + INTERRUPTS
    if phase is importing:
        return ANYWHERE  # before there is a screen, a key is the shell's
    return ANYWHERE + (KEYS[1:] if phase in (with_the_form_open, submitting) else KEYS)


# What holds after each


def assert_whole(history: Path) -> None:
    """It may not have been begun yet."""
    if history.exists():
        with closing(sqlite3.connect(history)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def stored(history: Path) -> int:
    """How many messages are in the history."""
    if not history.exists():
        return 0
    with closing(sqlite3.connect(history)) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        return int(db.execute("SELECT count(*) FROM messages").fetchone()[0]) if "messages" in tables else 0


STORED = {in_half_an_answer: 0, storing: 0, deleting: 16}
"""Messages, of one batch, in the history after a stop at these phases."""

took: dict[str, list[float]] = {}


def assert_it_ends(stage: Stage, phase: Phase, way: Way, delay: float = 0.0) -> None:
    with stage.cleanup:
        phase(stage)
        with Terminal(stage.program, *COMMANDS[stage.command]) as terminal:
            stage.reached(terminal)
            time.sleep(delay)
            if terminal.process.poll() is not None:
                assert terminal.ended() == 0, terminal.text  # it was over before
                return
            began = time.monotonic()
            way.do(terminal)
            code = terminal.ended()
            seconds = time.monotonic() - began
            took.setdefault(f"{stage.command}, {phase.__name__}, {way.name}", []).append(seconds)
            assert seconds < SOON
            assert (128 - code if code < 0 else code) == way.code, terminal.text
            assert b"Traceback" not in terminal.written
            assert b"Exception ignored" not in terminal.written
            if way.do is not Terminal.hang_up:
                assert terminal.modes == terminal.modes_before
                if stage.command in SCREENS and b"\x1b[?1049h" in terminal.written:
                    terminal.assert_left_as_it_was()
                elif stage.command in SCREENS:
                    assert b"\x1b" not in terminal.written
    assert_whole(stage.history)
    if phase in STORED:
        assert stored(stage.history) == STORED[phase]


@pytest.fixture(scope="module", autouse=True)
def figures(pytestconfig: pytest.Config) -> Iterator[None]:
    yield
    capture = pytestconfig.pluginmanager.get_plugin("capturemanager")
    if RANDOM_STOPS and capture is not None:
        with capture.global_and_fixture_disabled():
            for name, seconds in sorted(took.items(), key=lambda item: max(item[1])):
                print(f"\n{max(seconds):6.3f} s at most of {len(seconds)}: {name}", end="")


@pytest.fixture
def stage(program: Program, mailbox: Mailbox, emulator: RunningEmulator) -> Stage:
    program.environment["IMM_TUI_API_VERSION"] = "2017-09-06"
    return Stage(program, mailbox, emulator, "")


Case = tuple[str, Phase, Way]

EVERY: list[Case] = [
    (command, phase, way) for phase, commands in PHASES.items() for command in commands for way in ways(command, phase)
]

TYPICAL = [
    ("dashboard", importing, "SIGINT"),
    ("demo", importing, "SIGTERM"),
    ("watch", importing, "Ctrl-C"),
    ("dashboard", in_half_an_answer, "SIGHUP"),
    ("dashboard", storing, "SIGTERM"),
    ("dashboard", deleting, "hang-up"),
    ("dashboard", backing_off, "q"),
    ("dashboard", with_the_form_open, "ctrl+q"),
    ("dashboard", submitting, "SIGINT"),
    ("watch --json", storing, "Ctrl-C twice"),
    ("submit --wait", waiting_for_an_answer, "SIGTERM"),
    ("submit", submitting, "SIGINT twice"),
]


def name_of(value: str | Phase | Way) -> str:
    return value if isinstance(value, str) else value.name if isinstance(value, Way) else value.__name__


def cases() -> list[Case]:
    return EVERY if RANDOM_STOPS else [case for case in EVERY if (*case[:2], case[2].name) in TYPICAL]


@pytest.mark.parametrize(("command", "phase", "way"), cases(), ids=name_of)
def test_it_ends_soon_and_leaves_everything_in_order(stage: Stage, command: str, phase: Phase, way: Way) -> None:
    stage.command = command
    assert_it_ends(stage, phase, way)


@pytest.mark.parametrize("number", range(RANDOM_STOPS))
def test_any_stop_at_any_moment(stage: Stage, number: int) -> None:
    chance = random.Random(number)
    stage.command, phase, way = chance.choice(EVERY)
    assert_it_ends(stage, phase, way, chance.uniform(0, 0.4))


def test_a_reader_that_does_not_read_holds_nothing_up(program: Program, mailbox: Mailbox) -> None:
    long = "x" * 5000  # sixteen of these are more than a pipe holds
    mailbox.publish(*(notification(f"{number}-{long}") for number in range(20)))
    watch = program.start("watch", "--json")
    until(lambda: sum(mailbox.left) == 4)  # what was received ahead is hidden for a while
    watch.terminate()
    assert watch.wait(SOON) == 143
    assert stored(program.data / "history.db") in (16, 20)


DEAF = """
import asyncio, signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
asyncio.SelectorEventLoop.add_signal_handler = lambda *_: None
from imm_tui import cli
cli.run()
"""


def test_a_window_that_is_closed_ends_it_also_where_no_signal_says_so(program: Program) -> None:
    """Whoever writes to a terminal that is gone fails, and nobody may wait for that one for ever."""
    program.command = (sys.executable, "-c", DEAF)
    with Terminal(program) as terminal:
        terminal.until_read("imm-tui")
        terminal.hang_up()
        assert terminal.process.wait(SOON) == 129


def test_a_screen_that_was_stopped_and_continued_leaves_the_terminal_as_it_was(program: Program) -> None:
    with Terminal(program) as terminal:
        terminal.until_read("imm-tui")
        terminal.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED | os.WNOWAIT)
        written = len(terminal.written)
        terminal.process.send_signal(signal.SIGCONT)
        terminal.until(lambda: len(terminal.written) > written)
        terminal.process.terminate()  # a key that comes in this moment is lost to Textual
        assert terminal.ended() == 143
        terminal.assert_left_as_it_was()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_received_and_not_stored_comes_again_after_one_visibility_period(
    fresh_emulator: RunningEmulator, program: Program, number: signal.Signals
) -> None:
    mailbox, control, history = Mailbox(fresh_emulator), Control(fresh_emulator.endpoint), program.data / "history.db"
    program.environment |= {**fresh_emulator.env, "IMM_TUI_QUEUE": mailbox.name}
    mailbox.publish(*(notification(f"t-{task}") for task in range(16)))
    History(history).close()
    with closing(sqlite3.connect(history, isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        watch = program.start("watch")
        until(lambda: mailbox.left == (0, 16))
        watch.send_signal(number)
        assert watch.wait(SOON) in (143, -signal.SIGKILL)
    assert_whole(history)
    assert stored(history) == 0
    assert not [entry for entry in control.ledger(queue=mailbox.name) if entry["action"] == "delete"]
    control.clock(advance=30)  # the queue's visibility timeout
    assert len(program("watch", "--json", "--count", "16").lines) == 16
    assert (stored(history), mailbox.left) == (16, (0, 0))


# Mistakes of our own

SABOTAGE = """\
import sys
sys.argv = ["imm-tui", *sys.argv[1:]]
from imm_tui import cli
def broken(*_, **__): raise KeyError("a-secret")
import imm_tui.{module}
imm_tui.{module}.{name} = broken
cli.run()
"""


@pytest.mark.parametrize(
    ("module", "name", "code"),
    [
        ("tui.app", "ImmApp.on_mount", 1),
        ("tui.screens.dashboard", "Dashboard.compose", 1),
        ("tui.widgets.task_list", "TaskList.render_line", 1),
        ("tui.app", "ImmApp.on_unmount", 70),
    ],
)
def test_a_mistake_of_the_screen_is_one_sentence_on_a_terminal_that_is_as_it_was(
    program: Program, module: str, name: str, code: int
) -> None:
    program.command = (sys.executable, "-c", SABOTAGE.format(module=module, name=name))
    with Terminal(program) as terminal:
        if name.endswith("unmount"):
            terminal.until_read("● listening")
            terminal.press("q")
        assert terminal.ended() == code
        assert "KeyError" in terminal.text
        assert "a-secret" not in terminal.text
        assert "Traceback" not in terminal.text
        assert terminal.modes == terminal.modes_before
        screen_on, screen_off, told = (
            terminal.written.rfind(it) for it in (b"\x1b[?1049h", b"\x1b[?1049l", b"KeyError")
        )
        assert screen_on <= screen_off < told
        assert terminal.written.rfind(b"\x1b[?25l") <= terminal.written.rfind(b"\x1b[?25h")


def test_a_mistake_of_the_listener_is_told_and_the_screen_goes_on(program: Program, mailbox: Mailbox) -> None:
    mailbox.publish("anything")
    program.command = (sys.executable, "-c", SABOTAGE.format(module="notifications", name="parse"))
    with Terminal(program) as terminal:
        terminal.until_read("stopped", "a mistake of its own")
        terminal.press("q")
        assert terminal.ended() == 0
        terminal.assert_left_as_it_was()
