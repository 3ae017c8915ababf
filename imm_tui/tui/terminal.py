"""The terminal itself, for what Textual has no word for."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from textual.app import App


def send(app: App[Any], sequence: str) -> None:
    """Sends a control sequence of ours, between two of Textual's; nothing where the app has no terminal yet."""
    if app._driver is not None:
        app._driver.write(sequence)


def use_mouse(app: App[Any], wanted: bool) -> None:
    """Takes the mouse, or leaves it to the terminal; where it cannot be changed, it counts from the next start on."""
    driver: Any = app._driver
    if hasattr(driver, "_enable_mouse_support"):
        driver._mouse = True  # else it would not even be switched off
        (driver._enable_mouse_support if wanted else driver._disable_mouse_support)()
        driver._mouse = wanted  # for when the terminal is taken again


def suspend(app: App[Any]) -> bool:
    """Hands the terminal to the shell, and returns when that has continued the program; False where nobody could."""
    if not hasattr(signal, "SIGTSTP") or app._driver is None or not app._driver.can_suspend:
        return False
    continued = False

    def note(*_: object) -> None:
        nonlocal continued
        continued = True

    with app.suspend():
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL), signal.signal(signal.SIGCONT, note)
        # As the terminal would: the whole group, which a launcher such as `uv run` belongs to. The system passes over
        # a group that no shell waits for: that would stand still for ever.
        os.killpg(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, before[0])
        signal.signal(signal.SIGCONT, before[1])
    return continued


@contextmanager
def modes_kept() -> Iterator[None]:
    """The terminal's modes are afterwards as they were before.

    Textual takes the modes that it finds after a SIGCONT for those of before, and these may be its own.
    """
    try:
        import termios
    except ImportError:  # not a POSIX system
        yield
        return
    try:
        modes = termios.tcgetattr(sys.stdin)
    except (OSError, ValueError, termios.error):  # no terminal
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError, ValueError, termios.error):
            if os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp():  # else they are another's to set
                termios.tcsetattr(sys.stdin, termios.TCSANOW, modes)
