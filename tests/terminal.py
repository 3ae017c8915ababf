"""A real terminal: `imm-tui` on a pseudo-terminal, its screen decoded by pyte."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import pyte
from rich.cells import cell_len

from tests.program import HANG, Program

F5 = "\x1b[15~"

_ESCAPE_SEQUENCE = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|[78=>])")
_STYLE = re.compile(rb"\x1b\[[\d;:]*m")
_CUT_SHORT = re.compile(rb"\x1b(\[[\d;:]*)?\Z")


class Terminal:
    """Runs the program with this as its controlling terminal. Whatever is left at the end is killed."""

    def __init__(
        self, program: Program, *arguments: str, columns: int = 120, lines: int = 36, kind: str = "xterm-256color"
    ) -> None:
        """`kind` is what it says of itself in TERM."""
        self.written = b""
        """All that the program has sent."""
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._held_back = b""
        self._master, self._slave = pty.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.modes_before = self.modes
        self.process = subprocess.Popen(
            [*program.command, *arguments],
            env={**program.environment, "TERM": kind},
            cwd=program.home,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(f"The screen at that time:\n{self.text}")
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.hang_up()
        os.close(self._slave)

    @property
    def text(self) -> str:
        """What stands on the screen."""
        # Not pyte's `display`: it fails where half of a wide character was drawn over.
        rows = (self._screen.buffer[y] for y in range(self._screen.lines))
        return "\n".join("".join(row[x].data for x in range(self._screen.columns)) for row in rows)

    def colours_of(self, words: str) -> tuple[str, str]:
        """Those of the text and of what is behind it, as pyte names them, where `words` are first seen."""
        y, row = next((y, row) for y, row in enumerate(self.text.splitlines()) if words in row)
        coloured = pyte.Screen(self._screen.columns, self._screen.lines)
        pyte.ByteStream(coloured).feed(self.written)
        cell = coloured.buffer[y][cell_len(row[: row.index(words)])]
        return cell.fg, cell.bg

    @property
    def modes(self) -> list[object]:
        """The line discipline, echo and all that."""
        return termios.tcgetattr(self._slave)

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def until(self, condition: Callable[[], bool]) -> None:
        """Shows what the program writes until `condition` holds."""
        deadline = time.monotonic() + HANG
        while not condition():
            assert time.monotonic() < deadline, "what was awaited never came"
            self._show(0.05)

    def reads(self, words: str) -> bool:
        """Whether they stand on the screen; a line may end amid them, as paths are of any length."""
        text = self.text
        return words in text or words in " ".join(text.split())

    def until_read(self, *texts: str) -> None:
        self.until(lambda: all(self.reads(words) for words in texts))

    def until_still(self) -> None:
        """Shows what the program writes until a picture is whole: places on half of one are not yet theirs."""
        while self._show(0.1):
            pass

    def ended(self) -> int:
        """Waits for the program to end, and shows the rest of what it wrote; its exit code."""
        self.until(lambda: self.process.poll() is not None)
        while self._show(0):
            pass
        return self.process.returncode

    def hang_up(self) -> None:
        """What closing a terminal's window does."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def assert_left_as_it_was(self) -> None:
        """The modes are those of before, what was switched on is off again, and not a word is left at the prompt."""
        assert self.modes == self.modes_before
        for switch in (b"1049", b"1000", b"1003", b"1006", b"1015", b"2004"):
            on, off = self.written.rfind(b"\x1b[?%sh" % switch), self.written.rfind(b"\x1b[?%sl" % switch)
            assert on < off or on == off == -1, switch
        assert self.written.rfind(b"\x1b[?25l") < self.written.rfind(b"\x1b[?25h")
        rest = self.written.rpartition(b"\x1b[?1049l")[2]
        assert _ESCAPE_SEQUENCE.sub(b"", rest).strip() == b""

    def _show(self, seconds: float) -> bool:
        """Reads what comes within `seconds`, and all that comes with it; whether anything came."""
        if self._master < 0:
            time.sleep(seconds)
            return False
        came = False
        while select.select([self._master], [], [], 0 if came else seconds)[0]:
            try:
                data = os.read(self._master, 65536)
            except OSError:  # the other side is closed
                break
            came = True
            self.written += data
            # Most of it is colours, which pyte takes its time over and the text is not made of.
            data = _STYLE.sub(b"", self._held_back + data)
            cut = _CUT_SHORT.search(data)
            self._held_back = cut[0] if cut else b""
            self._stream.feed(data.removesuffix(self._held_back))
        return came
