"""The dashboard on a real terminal: it comes up, it leaves at once, and the terminal is as it was."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.mailbox import Mailbox, notification
from tests.program import Program
from tests.terminal import Terminal


@pytest.fixture(autouse=True)
def old_version(program: Program) -> None:
    program.environment["IMM_TUI_API_VERSION"] = "2017-09-06"


def listening(program: Program) -> Terminal:
    terminal = Terminal(program)
    terminal.until_read("● listening")
    return terminal


def test_it_listens_and_leaves_during_a_long_poll(program: Program) -> None:
    with listening(program) as terminal:
        assert program.environment["IMM_TUI_PROJECT"] in terminal.text
        terminal.press("q")
        assert terminal.ended() == 0
        terminal.assert_left_as_it_was()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_the_terminal_as_it_was(program: Program, number: signal.Signals, code: int) -> None:
    with listening(program) as terminal:
        os.kill(terminal.process.pid, number)
        assert terminal.ended() == code
        terminal.assert_left_as_it_was()


def test_ctrl_c_twice_leaves_and_once_says_so(program: Program) -> None:
    with listening(program) as terminal:
        terminal.press("\x03")
        terminal.until_read("Once more Ctrl-C ends imm-tui")
        terminal.press("\x03")
        assert terminal.ended() == 130
        terminal.assert_left_as_it_was()


def test_it_ends_when_its_terminal_is_gone(program: Program) -> None:
    with listening(program) as terminal:
        terminal.hang_up()
        assert terminal.ended() == 129


def test_what_another_process_submits_finishes_on_the_screen(program: Program) -> None:
    with listening(program) as terminal:
        program("submit", "oss://demo/产品手册.pdf", "--to", "png")
        terminal.until_read("产品手册.pdf", "Succeeded", "100 %")
        terminal.press("q")
        assert terminal.ended() == 0
    assert program.environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"].encode() not in terminal.written


def test_no_control_byte_of_a_message_reaches_the_terminal(program: Program, mailbox: Mailbox) -> None:
    hostile = "t-\x1b]0;pwned\x07\x9b2J\u202e-end"
    with listening(program) as terminal:
        mailbox.publish(notification(hostile))
        terminal.until_read("␛]0;pwned␇")
        terminal.press("q")
        terminal.ended()
    for bad in (b"\x1b]0;pwned", "\x9b".encode(), "\u202e".encode()):
        assert bad not in terminal.written


def test_nothing_configured_says_so_and_offers_the_demo(tmp_path: Path) -> None:
    bare = Program(tmp_path / "bare")
    with Terminal(bare) as terminal:
        terminal.until_read("ALIBABA_CLOUD_ACCESS_KEY_ID", "demo")
        terminal.press("q")
        assert terminal.ended() == 0
        terminal.assert_left_as_it_was()


def test_lines_that_come_in_one_go_stay_in_order(program: Program) -> None:
    with listening(program) as terminal:
        terminal.press("n")
        terminal.until_read("Submit a conversion")
        for number in range(20):
            terminal.press(f"{'' if number == 0 else chr(10)}oss://demo/产品手册{number}.pdf")
        terminal.until_read("20 documents, each into a folder of its own.")
        terminal.press("\x1b")
        terminal.until(lambda: "Submit a conversion" not in terminal.text)
        terminal.press("q")
        assert terminal.ended() == 0


def test_an_escape_character_in_a_paste_presses_no_key(program: Program) -> None:
    with listening(program) as terminal:
        terminal.press("\x1b[200~x \x1b[z q \x1b" + "q" * 40 + "\x1b[201~")
        terminal.press("n")
        terminal.until_read("Submit a conversion")
        terminal.press("\x1b[200~oss://demo/a\x1b[z q \x1b" + "q" * 40 + "\x1b[201~")
        terminal.until_read("oss://demo/a␛[z q ␛qqq")
        terminal.press("\x1b")
        terminal.until(lambda: "Submit a conversion" not in terminal.text)
        terminal.press("q")
        assert terminal.ended() == 0


def test_a_filter_that_is_typed_in_one_go_is_kept_whole(program: Program) -> None:
    with listening(program) as terminal:
        terminal.press("/q页")
        terminal.until_read("/ q页")
        terminal.press("\x1b")
        terminal.until(lambda: "/ q页" not in terminal.text)
        terminal.press("q")
        assert terminal.ended() == 0
