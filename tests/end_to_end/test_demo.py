"""`imm-tui demo` on a real terminal: the first finished task without a key pressed, and nothing left behind."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest

from tests.program import Program
from tests.terminal import Terminal

DEAD_PORT = "http://127.0.0.1:9"

FIRST = "5页Word.docx"
SECOND = "annual-maintenance"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A user whose own account, proxy and configuration must not meet the demo."""
    own = Program(tmp_path / "home")
    own.home.joinpath("tmp").mkdir()
    own.home.joinpath("broken.toml").write_text("this is not TOML")
    own.environment |= {
        "TMPDIR": str(own.home / "tmp"),
        "IMM_TUI_CONFIG": str(own.home / "broken.toml"),
        "IMM_TUI_QUEUE": "their-own-queue",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "their-own-id",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "their-own-secret",
        "HTTP_PROXY": DEAD_PORT,
        "http_proxy": DEAD_PORT,
        "PYTHONWARNINGS": "error",
    }
    return own


def processes(program: Program) -> dict[int, str]:
    """The processes that work in the demo's temporary folders: the emulator and its workers."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if program.environment["TMPDIR"] in (line := entry.read_bytes().replace(b"\0", b" ").decode()):
                found[int(entry.parent.name)] = line
    return found


def is_gone(program: Program) -> bool:
    """Whether nothing is left behind: no process, no file, also not where the user's own history would be."""
    return not processes(program) and not list((program.home / "tmp").iterdir()) and not program.data.exists()


def shown(program: Program, *arguments: str) -> Terminal:
    """A demo whose first document is on the screen."""
    terminal = Terminal(program, "demo", *arguments)
    terminal.until_read(FIRST)
    assert processes(program)
    return terminal


@pytest.mark.parametrize("arguments", [[], ["--api-version", "2020-09-30"]], ids=["default", "2020-09-30"])
def test_a_task_finishes_before_the_eyes_with_no_key_pressed(program: Program, arguments: list[str]) -> None:
    with shown(program, *arguments) as terminal:
        assert (arguments[-1] if arguments else "2017-09-06") in terminal.text
        terminal.until_read("Succeeded", "100 %", FIRST)
        terminal.press("q")
        assert terminal.ended() == 0
        terminal.assert_left_as_it_was()
    assert is_gone(program)
    assert b"their-own" not in terminal.written


def test_at_its_pace_documents_follow_one_another_and_some_fail(program: Program) -> None:
    with shown(program, "--pace", "0") as terminal:
        terminal.until_read("✘")
        terminal.press("q")
        assert terminal.ended() == 0
    assert is_gone(program)


def test_on_a_flaky_network_it_reconnects_and_documents_are_finished(program: Program) -> None:
    with shown(program, "--scenario", "flaky-network", "--pace", "0") as terminal:
        terminal.until_read("reconnecting")
        terminal.until_read("Succeeded", "100 %", FIRST)
        terminal.press("q")
        assert terminal.ended() == 0
    assert is_gone(program)


def test_a_document_whose_event_is_lost_is_finished_all_the_same(program: Program) -> None:
    with shown(program, "--scenario", "lost-events", "--pace", "0") as terminal:
        # Of the scenario's events the second is lost for certain.
        terminal.until(lambda: any(SECOND in line and "100 %" in line for line in terminal.text.splitlines()))
        terminal.press("q")
        assert terminal.ended() == 0
    assert is_gone(program)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_nothing_behind(program: Program, number: signal.Signals, code: int) -> None:
    with shown(program) as terminal:
        os.kill(terminal.process.pid, number)
        assert terminal.ended() == code
        terminal.assert_left_as_it_was()
    assert is_gone(program)


def test_a_signal_before_the_screen_is_up_leaves_nothing_behind(program: Program) -> None:
    with Terminal(program, "demo") as terminal:
        terminal.until(lambda: bool(processes(program)))
        terminal.process.terminate()
        assert terminal.ended() == 143
    assert is_gone(program)


def test_a_closed_window_leaves_nothing_behind(program: Program) -> None:
    with shown(program) as terminal:
        terminal.hang_up()
        assert terminal.ended() == 129
    assert is_gone(program)


def test_killed_it_leaves_nothing_behind(program: Program) -> None:
    with shown(program) as terminal:
        terminal.process.kill()
        terminal.ended()
        terminal.until(lambda: is_gone(program))


def test_when_the_emulator_is_killed_it_says_so_and_leaves_nothing_behind(program: Program) -> None:
    with shown(program) as terminal:
        (emulator,) = [number for number, line in processes(program).items() if "-m imm_tui.emulator " in line]
        os.kill(emulator, signal.SIGKILL)
        terminal.until_read("reconnecting")
        terminal.press("q")
        assert terminal.ended() == 0
        terminal.assert_left_as_it_was()
        terminal.until(lambda: is_gone(program))  # its workers notice by themselves


def test_an_emulator_that_cannot_start_is_told_in_words(program: Program) -> None:
    broken = program.home / "broken"
    broken.mkdir()
    broken.joinpath("aiohttp.py").write_text("raise ImportError('half of it is missing')")
    program.environment["PYTHONPATH"] = os.pathsep.join([str(broken), program.environment["PYTHONPATH"]])
    with Terminal(program, "demo") as terminal:
        assert terminal.ended() == 2
        assert "half of it is missing" in terminal.text
        assert "Traceback" not in terminal.text
    assert is_gone(program)
