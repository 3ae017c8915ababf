"""What a person has chosen inside the app, kept from one session to the next.

It is a file of the program's own beside the histories; what people write by hand is in config.toml.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from imm_tui import private_file
from imm_tui.errors import HistoryUnusable
from imm_tui.i18n import _, sentences

_BUSY = 2.0
"""Seconds to wait for another imm-tui that keeps something."""

TELLINGS = ("toast", "bell", "osc9", "none")
"""How the end of a task can be told, beside the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """All choices, each with what it is until somebody chooses."""

    language: str = ""
    """One of i18n.LANGUAGES, or "" for that of the environment."""
    theme: str = "imm-dark"
    mouse: bool = True
    telling: str = "toast"
    """One of TELLINGS."""
    sort: str = "submitted"
    """One of history.Column."""
    descending: bool = True
    failures_first: bool = False
    folded: bool = False
    """Tasks that have succeeded are not listed."""
    views: Mapping[str, str] = field(default_factory=dict)
    """Filters by the name that they were given."""
    forms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What the submission form last held, by the name of the profile, then by the name of the field."""


def load(path: Path) -> Preferences:
    """The choices kept at `path`. What is missing there, damaged, or of another kind is as if nobody had chosen it."""
    return Preferences(**_read(path)[0])


def mend(path: Path) -> Path | None:
    """Where the file at `path` is damaged, moves it aside and keeps what can be read of it in its place.

    Returns where the damaged one is now; None where nothing is damaged. Raises HistoryUnusable where it cannot be.
    """
    if not _read(path)[1]:
        return None
    aside = path.with_name(f"{path.name}.damaged")
    with _alone(path):
        readable, damaged = _read(path)
        if not damaged:
            return None  # another imm-tui has done it
        path.replace(aside)
        save(path, Preferences(**readable))
    return aside


def _read(path: Path) -> tuple[dict[str, Any], bool]:
    """What can be read of the file, and whether there is something in it that cannot."""
    try:
        content = path.read_bytes()
    except OSError:  # it is not there, as a rule
        return {}, False
    kept: object = None
    with suppress(ValueError, RecursionError):
        kept = json.loads(content)
    if not isinstance(kept, dict):
        return {}, True
    ours = {it.name: kept[it.name] for it in fields(Preferences) if it.name in kept}
    readable = {name: value for name, value in ours.items() if _fits(name, value)}
    return readable, len(readable) < len(ours)


def _fits(name: str, value: object) -> bool:
    match name:
        case "views":
            return _are_texts(value)
        case "telling":
            return value in TELLINGS
        case "forms":
            return isinstance(value, dict) and all(map(_are_texts, value.values()))
        case _:
            return type(value) is type(getattr(Preferences(), name))


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def change(path: Path, known: Preferences, **changes: Any) -> Preferences:
    """Keeps these choices at `path`, beside what another imm-tui has kept there meanwhile. Returns all that are kept.

    Of views and of forms only those are changed that are others than in `known`. It stands in for what cannot be read
    there. Raises HistoryUnusable where it cannot be written.
    """
    with _alone(path):
        there = _read(path)[0]
        for name in changes.keys() & there.keys() & {"views", "forms"}:
            changes[name] = _merged(changes[name], getattr(known, name), there[name])
        kept = replace(known, **{**there, **changes})
        save(path, kept)
    return kept


def _merged(wanted: Mapping[str, Any], known: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """`there`, with what makes `wanted` of `known`."""
    ours = {name: value for name, value in wanted.items() if value != known.get(name)}
    both = {name: ours.get(name, there.get(name)) for name in wanted if name in ours or name in there}
    return both | {name: value for name, value in there.items() if name not in wanted and name not in known}


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """No other imm-tui writes the file meanwhile."""
    from filelock import FileLock  # takes longer than the first paint has time for, which reads only

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=_BUSY, mode=0o600):
            yield
    except OSError as error:  # as is a lock that another keeps for too long
        raise _unkept(path, error) from None


def save(path: Path, preferences: Preferences) -> None:
    """Keeps them at `path` (0600, its folder 0700), whole or not at all. Raises HistoryUnusable where it cannot."""
    try:
        private_file.write(path, json.dumps(asdict(preferences), indent=1).encode())
    except OSError as error:
        raise _unkept(path, error) from None


def _unkept(path: Path, error: OSError) -> HistoryUnusable:
    return HistoryUnusable(
        _("What was chosen cannot be kept in {path}.").format(path=path),
        f"{error.strerror or error}.",
        sentences(_("Make room or mend its permissions."), _("Or name another folder with IMM_TUI_DATA_DIR.")),
    )
