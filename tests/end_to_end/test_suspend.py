"""Ctrl-Z on a real terminal, with a shell that has job control: away, and back with `fg`."""

from __future__ import annotations

import shlex
import sys

import pytest

from tests.mailbox import Mailbox, notification
from tests.program import Program
from tests.terminal import Terminal

PROMPT = "shell>"
CTRL_Z = "\x1a"


def start(program: Program, *arguments: str) -> Terminal:
    """A shell that has started the program."""
    command = shlex.join([*program.command, *arguments])
    program.command = ("/bin/bash", "--norc", "--noprofile", "-i")
    program.environment |= {"PS1": f"{PROMPT} ", "BASH_SILENCE_DEPRECATION_WARNING": "1"}
    terminal = Terminal(program)
    terminal.until_read(PROMPT)
    terminal.press(f"{command}\n")
    return terminal


def suspend(terminal: Terminal) -> None:
    terminal.press(CTRL_Z)
    terminal.until_read("Stopped", PROMPT)
    assert terminal.written.rfind(b"\x1b[?1049h") < terminal.written.rfind(b"\x1b[?1049l")


def resume(terminal: Terminal) -> None:
    """What is read afterwards was drawn afterwards."""
    before = len(terminal.written)
    terminal.press("clear; fg\n")
    terminal.until(lambda: b"\x1b[?1049h" in terminal.written[before:])


def leave(terminal: Terminal) -> None:
    terminal.press("q")
    terminal.until(lambda: PROMPT in terminal.text)
    terminal.press("exit 7\n")
    assert terminal.ended() == 7


def test_what_comes_meanwhile_is_there_with_the_whole_screen(program: Program, mailbox: Mailbox) -> None:
    program.environment["IMM_TUI_API_VERSION"] = "2017-09-06"
    with start(program) as terminal:
        terminal.until_read("● listening", "q quit")
        for count, name in ((1, "t-first"), (2, "t-second")):
            suspend(terminal)
            mailbox.publish(notification(name))
            resume(terminal)
            whole = ("imm-tui", program.environment["IMM_TUI_PROJECT"], "● listening", "q quit")
            terminal.until_read(*whole, f"✔ {count} succeeded", name)
        leave(terminal)


def test_in_the_background_it_waits_for_fg(program: Program) -> None:
    with start(program) as terminal:
        terminal.until_read("● listening")
        suspend(terminal)
        terminal.press("bg; until jobs -s | grep -q .; do sleep 0.1; done; echo $((40 + 2))\n")
        terminal.until_read("42")
        resume(terminal)
        terminal.until_read("● listening", "q quit")
        leave(terminal)


def test_what_is_laid_over_the_dashboard_is_there_again_and_so_is_the_choice_to_leave_the_mouse(
    program: Program,
) -> None:
    with start(program) as terminal:
        terminal.until_read("● listening")
        terminal.press("\x10")
        terminal.until_read("Search for commands")
        terminal.press("mouse\r")
        terminal.until_read("The mouse is the terminal's.")
        terminal.press("c")
        terminal.until_read("Codes of IMM")
        suspend(terminal)
        written = len(terminal.written)
        resume(terminal)
        terminal.until_read("Codes of IMM")
        assert b"\x1b[?1000h" not in terminal.written[written:]
        terminal.press("\x1b")
        terminal.until_read("q quit")
        leave(terminal)


def test_the_demo_goes_on_with_its_emulator(program: Program) -> None:
    with start(program, "demo", "--pace", "0") as terminal:
        terminal.until_read("✔ 1")
        suspend(terminal)
        resume(terminal)
        terminal.until_read("✔ 3", "● listening")
        leave(terminal)


@pytest.mark.parametrize("launched", ["directly", "by a launcher"])
def test_where_nobody_could_bring_it_back_it_says_so(program: Program, launched: str) -> None:
    if launched == "by a launcher":
        code = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"
        program.command = (sys.executable, "-c", code, *program.command)
    with Terminal(program) as terminal:
        terminal.until_read("● listening")
        terminal.press(CTRL_Z)
        terminal.until_read("Not suspended", "● listening")
        terminal.press("q")
        assert terminal.ended() == 0
        terminal.assert_left_as_it_was()
