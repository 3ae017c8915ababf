"""How a command ends: its exit code, which code stands where several apply, and an end that nothing holds up."""

from __future__ import annotations

import _thread
import os
import signal
import time
from collections.abc import Iterable
from enum import IntEnum

from imm_tui.errors import NoCredentials, OutcomeUnknown, Refused, Trouble, Unreachable


class Exit(IntEnum):
    """The codes that a script may rely on."""

    SUCCEEDED = 0
    FAILED = 1
    """Some task failed."""
    USAGE = 2
    """An argument, a setting or a local file cannot be used."""
    TIMED_OUT = 3
    """Some task still runs."""
    NO_CREDENTIALS = 4
    REFUSED = 5
    """The service said no, or cannot be reached."""
    UNKNOWN = 6
    """A submission may or may not have arrived."""
    INTERNAL = 70
    """A mistake of this program; sysexits.h calls it EX_SOFTWARE."""
    HUNG_UP = 129
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    """Whoever read the output has gone: what a shell shows for a program that SIGPIPE ended."""
    TERMINATED = 143


END_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
"""What asks a program to end; the last of them where its terminal is gone."""

_WORST_FIRST = (Exit.USAGE, Exit.NO_CREDENTIALS, Exit.UNKNOWN, Exit.REFUSED, Exit.TIMED_OUT, Exit.FAILED)


def worst(codes: Iterable[Exit]) -> Exit:
    """The one that stands for all of them; SUCCEEDED where there is none."""
    given = set(codes)
    return next((code for code in _WORST_FIRST if code in given), Exit.SUCCEEDED)


def code_of(trouble: Trouble) -> Exit:
    """The code of a command that this trouble ended."""
    match trouble:
        case NoCredentials():
            return Exit.NO_CREDENTIALS
        case OutcomeUnknown():
            return Exit.UNKNOWN
        case Refused() | Unreachable():
            return Exit.REFUSED
        case _:
            return Exit.USAGE


_ENDING = 1.7
"""Seconds that a command has to finish what is under way when a signal asks it to end."""


def end_at_last(code: int) -> None:
    """Ends the process a little later, whatever holds it up: a reader that does not read, a history that is locked."""

    def end() -> None:
        time.sleep(_ENDING)
        os._exit(code)

    _thread.start_new_thread(end, ())
