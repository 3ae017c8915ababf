"""The history: its file, and what it remembers that bears on the other checks."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from imm_tui.config import Settings
from imm_tui.doctor.check import Check, Verdict
from imm_tui.doctor.evidence import Evidence, HistoryFound, known
from imm_tui.doctor.reasons import failed
from imm_tui.errors import HistoryUnusable, Trouble
from imm_tui.history import History
from imm_tui.i18n import _
from imm_tui.listener import Election
from imm_tui.tasks import now

_LITTLE_ROOM, _NO_ROOM = 200 * 2**20, 10 * 2**20
"""Bytes left on its disk."""

_RECENT = 200
"""Tasks that are looked through for those that have ended."""


def look(path: Path, settings: Settings) -> HistoryFound:
    """Looks at the history at `path`; it is not made where it does not exist. Never raises."""
    try:
        exists = path.exists()
        free = shutil.disk_usage(_standing(path)).free
        if not exists:
            return HistoryFound(path=path, exists=False, free=free, trouble=_not_makeable(path))
        if path.is_dir():
            return HistoryFound(path=path, exists=True, free=free, trouble=_not_a_file(path))
        found = HistoryFound(
            path=path,
            exists=True,
            free=free,
            exposed=tuple(_exposed(path)),
            of_another=hasattr(os, "geteuid") and path.stat().st_uid != os.geteuid(),
        )
    except OSError as error:
        return HistoryFound(path=path, exists=False, trouble=_unusable(path, error))
    try:
        with History(path) as history:
            history.probe()
            found = _remembered(found, history, settings)
        return replace(found, attended=Election(path).is_anothers)
    except HistoryUnusable as trouble:
        return replace(found, trouble=trouble)


def history(e: Evidence) -> Check:
    name, found = "history", known(e.history)
    if found.trouble is not None:
        return failed(name, found.trouble)
    place = str(found.path)
    if found.of_another:
        cause = _("{path} belongs to another user.").format(path=place)
        return Check(
            name,
            Verdict.WARN,
            cause,
            _("Name a folder of your own with {variable}.").format(variable="IMM_TUI_DATA_DIR"),
        )
    if found.free is not None and found.free < _LITTLE_ROOM:
        cause = _("There are only {size} MB left on the disk of {path}.").format(size=found.free // 2**20, path=place)
        verdict = Verdict.FAIL if found.free < _NO_ROOM else Verdict.WARN
        other = _("Make room, or name a folder on another disk with {variable}.").format(variable="IMM_TUI_DATA_DIR")
        return Check(name, verdict, cause, other)
    if found.exposed:
        path, mode = found.exposed[0]
        cause = _("Others may read or write {path}: its mode is {mode}.").format(path=path, mode=f"{mode:04o}")
        words = "; ".join(
            f"chmod {'700' if it.is_dir() else '600'} {shlex.quote(str(it))}" for it, _mode in found.exposed
        )
        return Check(name, Verdict.WARN, cause, _("Run {command}.").format(command=f"`{words}`"))
    if not found.exists:
        return Check(name, Verdict.OK, _("{path} will be made when it is needed.").format(path=place))
    return Check(name, Verdict.OK, _("{path} can be written, and only by you.").format(path=place))


def _standing(path: Path) -> Path:
    """The nearest folder above that exists; its drive where none does."""
    parents = path.absolute().parents
    return next((folder for folder in parents if folder.exists()), parents[-1])


def _not_makeable(path: Path) -> Trouble | None:
    folder = _standing(path)
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return None
    return HistoryUnusable(
        _("The history {path} cannot be made.").format(path=path),
        _("Nothing can be written to {folder}.").format(folder=folder),
        _("Mend its permissions, or name another folder with {variable}.").format(variable="IMM_TUI_DATA_DIR"),
    )


def _not_a_file(path: Path) -> Trouble:
    return HistoryUnusable(
        _("The history {path} cannot be used.").format(path=path),
        _("It is a folder."),
        _("Move it away, or name another folder with {variable}.").format(variable="IMM_TUI_DATA_DIR"),
    )


def _unusable(path: Path, error: OSError) -> Trouble:
    return HistoryUnusable(
        _("The history {path} cannot be used.").format(path=path),
        f"{error.strerror or type(error).__name__}.",
        _("Mend its permissions, or name another folder with {variable}.").format(variable="IMM_TUI_DATA_DIR"),
    )


def _exposed(path: Path) -> list[tuple[Path, int]]:
    """The folder and the files of a history that others than their owner may read or write, with their modes."""
    if sys.platform == "win32":  # has no such modes
        return []
    paths = [path.parent, path, *(path.with_name(f"{path.name}{suffix}") for suffix in ("-wal", "-shm"))]
    modes = []
    for it in paths:
        with suppress(FileNotFoundError):
            modes.append((it, stat.S_IMODE(it.stat().st_mode)))
    return [(it, mode) for it, mode in modes if mode & 0o077]


def _remembered(found: HistoryFound, history: History, settings: Settings) -> HistoryFound:
    """With what the history knows of the queue and the project."""
    quarantine = [history.in_quarantine_bodiless(number) for number in history.quarantine_ids()]
    ended = [
        task
        for task in history.tasks(limit=_RECENT)
        if task.status.finished and (task.project, task.api_version) == (settings.project, settings.api_version)
    ]
    return replace(
        found,
        looked_at=now(),
        hidden=sum(1 for it in quarantine if it is not None and (it.hidden_until or 0) > now()),
        quarantined=frozenset(it.message_id for it in quarantine if it is not None),
        ended=tuple(sorted(ended, key=lambda task: task.finished_at or 0, reverse=True)),
    )
