"""What colours reach the terminal: those of our theme, and in a terminal of 16 colours the right ones of these."""

from __future__ import annotations

from imm_tui.tui.theme import DARK
from tests.program import Program
from tests.terminal import Terminal


def test_a_terminal_of_all_colours_gets_those_of_our_theme(program: Program) -> None:
    program.environment["COLORTERM"] = "truecolor"
    with Terminal(program) as terminal:
        terminal.until_read("● listening")
        assert DARK.background is not None
        assert terminal.colours_of("listening")[1] == DARK.background.removeprefix("#").lower()


def test_16_colours_tell_the_states_the_focus_and_the_fields(program: Program) -> None:
    program("submit", "oss://demo/产品手册.pdf", "--to", "png", "--wait")
    with Terminal(program, kind="xterm-16color") as terminal:
        terminal.until_read("● listening", "✔ Succeeded")
        plain = terminal.colours_of("document")[1]
        for sign in ("●", "✔"):
            assert terminal.colours_of(sign)[0] == "brightgreen"
        focused = terminal.colours_of("png")
        terminal.press("\r")
        terminal.until(lambda: terminal.colours_of("png") != focused)
        assert len({plain, focused[1], terminal.colours_of("png")[1]}) == 3
        terminal.press("n")
        terminal.until_read("of a protected document", "Dry run")
        terminal.until_still()
        text, field = terminal.colours_of("of a protected document")
        assert len({text, field, terminal.colours_of("Convert to")[1]}) == 3
