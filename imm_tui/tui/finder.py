"""Finds the tasks for a list in a thread of its own: a long history must not hold up a key."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from imm_tui import query
from imm_tui.errors import HistoryUnusable, Trouble
from imm_tui.history import History, Order
from imm_tui.tasks import Status, now
from imm_tui.tui.task_index import Arrangement, Found

_SHARE = 4
"""The same arrangement is found again after this many times as long as it took: a fifth of a core at most."""

_LONGEST = 2.0
"""Seconds until it is found again, at most."""


class Finder:
    """Answers the newest of the questions that it is asked; `answer` is called in its thread.

    What is found of the newest tasks first is answered at once, and the whole when all were looked through.
    The thread lives from the first question to `stop`.
    """

    def __init__(self, history_path: Path, answer: Callable[[Arrangement, Found | Trouble], None]) -> None:
        self._history_path = history_path
        self._answer = answer
        self._changed = threading.Condition()
        self._question: Arrangement | None = None
        self._at_work: tuple[Arrangement, History] | None = None
        self._stopping = False
        self._thread: threading.Thread | None = None

    def ask(self, arrangement: Arrangement) -> None:
        """Returns at once. The same arrangement again means that the history has changed; another, that nobody waits
        for the one before."""
        with self._changed:
            self._question = arrangement
            self._give_up_unless(arrangement)
            self._changed.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="finding", daemon=True)
            self._thread.start()

    def drop(self) -> None:
        """What was asked last need not be answered any more."""
        with self._changed:
            self._question = None
            self._give_up_unless(None)

    def stop(self) -> None:
        """Returns at once; a question in hand is not answered any more."""
        with self._changed:
            self._stopping = True
            self._give_up_unless(None)
            self._changed.notify()

    def _give_up_unless(self, wanted: Arrangement | None) -> None:
        if self._at_work is not None and self._at_work[0] != wanted:
            self._at_work[1].interrupt()
            self._at_work = None

    def _run(self) -> None:
        last, rested_at = None, 0.0
        while (arrangement := self._next(last, rested_at)) is not None:
            began = time.monotonic()
            found = self._find(arrangement)
            if found is not None and not self._stopping:
                self._answer(arrangement, found)
            ended = time.monotonic()
            last, rested_at = arrangement, ended + min(_SHARE * (ended - began), _LONGEST)

    def _next(self, last: Arrangement | None, rested_at: float) -> Arrangement | None:
        """Waits for a question, for the one before again until `rested_at`; None when it is stopped."""
        with self._changed:
            while not self._stopping:
                rest = rested_at - time.monotonic() if self._question == last else 0.0
                if self._question is not None and rest <= 0:
                    question, self._question = self._question, None
                    return question
                self._changed.wait(None if self._question is None else rest)
        return None

    def _find(self, arrangement: Arrangement) -> Found | Trouble | None:
        """None where nobody waits for it any more."""
        at = now()
        wanted = query.parse(arrangement.query, at, unfinished=True)
        wanted = wanted.without(Status.SUCCEEDED) if arrangement.folded else wanted
        given_up = False
        try:
            with History(self._history_path) as history:
                with self._changed:
                    self._at_work = arrangement, history
                try:
                    if arrangement.order == Order():
                        found = self._find_newest(history, arrangement, wanted)
                    else:
                        found = Found(history.find(wanted.where, wanted.values, arrangement.order, at))
                finally:
                    with self._changed:
                        given_up, self._at_work = self._at_work is None, None
                return None if given_up else found
        except HistoryUnusable as trouble:
            return None if given_up else trouble

    def _find_newest(self, history: History, arrangement: Arrangement, wanted: query.Filter) -> Found:
        """Answers with every part that brings something; returns the whole, or whatever there is when given up."""
        shown = 0
        for numbers, whole in history.find_newest(wanted.where, wanted.values):
            found = Found(numbers, newest_first=True, whole=whole)
            if whole or self._at_work is None:
                break
            if len(found) > shown:
                shown = len(found)
                self._answer(arrangement, found)
        return found
