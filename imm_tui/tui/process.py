"""The process, for as long as the app has it to itself: what ends it, who gets the processor, what is no garbage."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from textual.app import App

from imm_tui.exits import END_SIGNALS, end_at_last
from imm_tui.tui.terminal import modes_kept

_NEVER = 2**31 - 1

_GENERATIONS = 20
"""How often what is young is looked through for garbage until all is: half as often as Python would by itself."""


@contextmanager
def taken(failed: Callable[[threading.ExceptHookArgs], None]) -> Iterator[None]:
    """Everything is as it was before when this is left. `failed` is told of each thread that ends by a mistake."""
    signals = {number: signal.getsignal(number) for number in END_SIGNALS}
    hook, threading.excepthook = threading.excepthook, failed
    turn, thresholds = sys.getswitchinterval(), gc.get_threshold()
    try:
        with modes_kept():
            yield
    finally:
        threading.excepthook = hook
        for number, handler in signals.items():
            signal.signal(number, handler)
        sys.setswitchinterval(turn)
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        gc.enable()


def end_by_signal(app: App[Any]) -> None:
    """What asks a program to end ends the app from now on, with 128 and the signal's number. Call it in its loop."""
    loop = asyncio.get_running_loop()

    def end(number: int, _frame: object) -> None:
        # Called by Python, not by the loop, which may be waiting for a terminal that nobody reads.
        end_at_last(128 + number)
        loop.call_soon_threadsafe(partial(app.exit, return_code=128 + number))

    for number in END_SIGNALS:
        signal.signal(number, end)


def spare_what_is_there() -> None:
    """What is there by now stays: to look through all of it for garbage, again and again, takes several frames. What
    comes from now on is looked through, also where nothing was until now, but all of it only by `look_for_garbage`."""
    gc.freeze()
    young, middle, _old = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)
    gc.enable()


def look_for_garbage() -> None:
    """Call it when nobody waits for anything: where it is time for it, it takes a frame."""
    if gc.get_count()[-1] >= _GENERATIONS:
        gc.collect()
