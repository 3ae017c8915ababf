"""How the end of tasks is told beside the list: in a few words, many ends together, and never one upon another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from imm_tui.i18n import _
from imm_tui.tasks import Status, Task
from imm_tui.text import line

_NAMED = 3
"""Failed tasks whose names are told; of more only how many there are."""

_NAME = 40
"""Characters of a name."""

_LASTS, _FAILED_LASTS = 4.0, 8.0
"""Seconds for which it can be read."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told of tasks that have ended, cleaned, and for how many seconds."""

    words: str
    failed: bool
    lasts: float


def telling(ended: Mapping[int, Status], read: Callable[[int], Task | None]) -> Telling:
    """The words for at least one task that has ended, by their numbers: what failed is named."""
    failed = [number for number, status in ended.items() if status is Status.FAILED]
    succeeded = len(ended) - len(failed)
    if len(ended) == 1:
        ((number, status),) = ended.items()
        words = _one(_name(number, task := read(number)), status, task.code if task is not None else None)
    elif not failed:
        words = _("{count} succeeded").format(count=f"{succeeded:,}")
    else:
        names = [_name(number, read(number)) for number in failed[:_NAMED]] + (["…"] if len(failed) > _NAMED else [])
        pattern = _("{succeeded} succeeded, {failed} failed: {names}") if succeeded else _("{failed} failed: {names}")
        words = pattern.format(succeeded=f"{succeeded:,}", failed=f"{len(failed):,}", names=", ".join(names))
    return Telling(words, bool(failed), _FAILED_LASTS if failed else _LASTS)


def _name(number: int, task: Task | None) -> str:
    return line(task.name, _NAME) if task is not None else f"#{number}"


def _one(name: str, status: Status, code: str | None) -> str:
    if status is Status.SUCCEEDED:
        return _("{name} succeeded").format(name=name)
    if code:
        return _("{name} failed: {code}").format(name=name, code=line(code, _NAME))
    return _("{name} failed").format(name=name)


class Completion:
    """Gathers what has ended until the last telling has been read: never are two of them on the screen."""

    def __init__(self) -> None:
        self._ended: dict[int, Status] = {}
        self._told_until = 0.0

    def add(self, ended: Mapping[int, Status]) -> None:
        """These have ended just now, by their numbers."""
        self._ended |= ended

    def take(self, at: float, read: Callable[[int], Task | None]) -> Telling | None:
        """What is to be told at this time, in seconds by a clock that is never set; None: nothing, or not yet.

        `read` gives the few tasks that are named.
        """
        if not self._ended or at < self._told_until:
            return None
        ended, self._ended = self._ended, {}
        told = telling(ended, read)
        self._told_until = at + told.lasts
        return told
