"""The batches of this session: what each has sent and what has become of it, for whoever shows them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from imm_tui import plans
from imm_tui.batch import Batch, Progress, eta
from imm_tui.errors import HistoryUnusable
from imm_tui.history import History
from imm_tui.profiles import Profile
from imm_tui.tasks import Conversion, Status, now
from imm_tui.tui.draft import Draft

_LOOK = 0.5
"""Seconds between two looks at the history; ten times as long as a look takes, where that is longer."""

_LAST_ANSWERS = 1.0
"""Seconds that the answers under way have when the program ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchState:
    """A batch as it stands."""

    key: int
    """Its number in this session, from 1."""
    number: int | None
    """The history's for it, once there is one."""
    began_at: int
    """Epoch milliseconds."""
    progress: Progress
    succeeded: int = 0
    failed: int = 0
    """Those that IMM did not take as well."""
    unknown: int = 0
    left: int | None = None
    """Milliseconds until it is likely to have ended; None where nothing is known."""

    @property
    def over(self) -> bool:
        """All that was sent has ended, as far as anything will be heard of it, and no more is sent."""
        return self.progress.ended and self.succeeded + self.failed + self.unknown >= self.progress.sent


@dataclass(slots=True)
class _Entry:
    batch: Batch
    profile: Profile
    state: BatchState
    seen: bool = False
    given_back: bool = False
    """What it never sent was given back."""


def left(profile: Profile) -> Iterator[Draft]:
    """What batches of its history never sent that are no more, as forms; each is to be kept before the next is asked
    for.

    Tasks that were to be resubmitted are none of it: they are in the list as they were.
    """
    with suppress(HistoryUnusable), History(profile.history_path) as history:  # else it is there the next time
        for plan in plans.left(history):
            if plan.form is not None and plan.unsent:
                yield Draft.of({**plan.form, "sources": "\n".join(plan.unsent)})


class Batches:
    """Of all profiles; a batch is one of the history that it is recorded in.

    `on_change` is called from any thread whenever a state has changed.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._entries: list[_Entry] = []
        self._changed = threading.Condition()
        self._over = False
        threading.Thread(target=self._look, name="batches", daemon=True).start()

    def start(
        self, profile: Profile, conversions: Sequence[Conversion], draft: Draft | None, resubmits: Sequence[int] = ()
    ) -> None:
        """Sends these in the background. `draft` is the form that they came from, for those that are never sent.

        Raises HistoryUnusable, with nothing sent, where those could not be kept.
        """
        assert profile.credentials is not None
        batch = Batch(
            profile.settings,
            profile.credentials,
            profile.history_path,
            conversions,
            on_change=self._on_change,
            resubmits=resubmits,
            form=draft.kept if draft is not None else None,
        )
        state = BatchState(key=len(self._entries) + 1, number=None, began_at=batch.began_at, progress=batch.progress)
        batch.start()
        with self._changed:
            self._entries.append(_Entry(batch, profile, state))
            self._changed.notify_all()

    def states(self, history_path: Path) -> list[BatchState]:
        """Those of this history, the newest first."""
        return [self._state(entry) for entry in self._of(history_path)]

    def current(self, history_path: Path) -> BatchState | None:
        """The newest of this history that goes on; else the newest that is over, until a person has seen that."""
        states = [(self._state(entry), entry.seen) for entry in self._of(history_path)]
        going = next((state for state, _seen in states if not state.over), None)
        return going or next((state for state, seen in states if not seen), None)

    @staticmethod
    def _state(entry: _Entry) -> BatchState:
        return replace(entry.state, number=entry.batch.number, progress=entry.batch.progress)

    def _of(self, history_path: Path) -> list[_Entry]:
        return [entry for entry in reversed(self._entries) if entry.profile.history_path == history_path]

    def seen(self, history_path: Path) -> None:
        """A person looks at all of this history."""
        news = [entry for entry in self._of(history_path) if not entry.seen and self._state(entry).over]
        for entry in news:
            entry.seen = True
        if news:
            self._on_change()

    # What a person decides

    def pause(self, key: int) -> None:
        """Pauses it, or lets it go on where it is paused."""
        batch = self._entries[key - 1].batch
        if batch.progress.paused:
            batch.resume()
        else:
            batch.pause()
        self._on_change()

    def cancel(self, key: int) -> None:
        """Sends no more of it; `give_back` has the rest as soon as it has ended."""
        self._entries[key - 1].batch.cancel()
        self._on_change()

    # What is not sent

    @property
    def unsent(self) -> int:
        """How many documents are still to be submitted, of all batches."""
        going = (entry.batch.progress for entry in self._entries)
        return sum(progress.unsent for progress in going if not progress.ended)

    def give_back(self) -> Iterator[tuple[Profile, Draft]]:
        """What batches that have ended never sent, as forms of their profiles; each is given once, and is to be kept
        before the next is asked for."""
        for entry in self._entries:
            if entry.batch.progress.ended and not entry.given_back:
                entry.given_back = True
                yield from ((entry.profile, draft) for draft in left(entry.profile))

    def stop(self) -> Iterator[tuple[Profile, Draft]]:
        """Sends no more, waits a moment for the answers under way, and gives back what was not sent; the next session
        has the rest."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        going = [entry for entry in self._entries if not entry.batch.progress.ended]
        for entry in going:
            entry.batch.cancel()
        deadline = time.monotonic() + _LAST_ANSWERS
        for entry in going:
            entry.batch.join(max(0.0, deadline - time.monotonic()))
        return self.give_back()

    # What has become of what was sent

    def _look(self) -> None:
        took = 0.0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._over or self._going)
                if self._changed.wait_for(lambda: self._over, max(_LOOK, took * 10)):
                    return
            began = time.monotonic()
            for entry in self._going:
                with suppress(HistoryUnusable):  # the dashboard says so
                    self._read(entry)
            took = time.monotonic() - began
            self._on_change()

    @property
    def _going(self) -> list[_Entry]:
        return [entry for entry in self._entries if not self._state(entry).over]

    def _read(self, entry: _Entry) -> None:
        progress, number = entry.batch.progress, entry.batch.number
        if number is None:
            return
        with History(entry.profile.history_path) as history:
            tasks = history.batch(number)
            durations = history.durations(tasks[0].target_type or "") if tasks else []
        counts = Counter(task.status for task in tasks)
        entry.state = replace(
            entry.state,
            succeeded=counts[Status.SUCCEEDED],
            failed=counts[Status.FAILED],
            unknown=counts[Status.UNKNOWN],
            left=eta(tasks, durations, now(), 0 if progress.cut_short else progress.unsent, entry.batch.idle),
        )
