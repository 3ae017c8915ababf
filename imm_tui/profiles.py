"""The profiles of the configuration file, each with what it takes to work with it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imm_tui import config
from imm_tui.config import Settings
from imm_tui.credentials import Chain, Keys
from imm_tui.errors import BadInput, NoCredentials, Trouble
from imm_tui.i18n import _, ngettext, sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What it takes to work with one profile. Where `problem` says what is missing, its history can be looked at."""

    settings: Settings
    history_path: Path
    credentials: Keys | None = None
    problem: Trouble | None = None

    @property
    def can_listen(self) -> bool:
        """Whether there is what it takes to call the queue."""
        return self.credentials is not None and self.problem is None and not self.settings.missing_to_listen()

    @property
    def can_ask(self) -> bool:
        """Whether there is what it takes to ask IMM about a task."""
        return self.credentials is not None and self.problem is None and not self.settings.missing_to_submit()


class Profiles:
    """Those of one file. `flags` are those of `config.load`, given for the profile `first`: for the others only
    `config` and `read_only` count."""

    def __init__(self, flags: Mapping[str, str | None], environ: Mapping[str, str], first: str) -> None:
        self._flags = flags
        self._environ = environ
        self._first = first

    def names(self) -> list[str]:
        """As they stand in the file now. Raises BadInput where it cannot be read."""
        names = config.profile_names(config.config_path(self._flags.get("config"), self._environ))
        return names if self._first in names else [*names, self._first]

    def open(self, name: str) -> Profile:
        """One of them, as it is now. Raises BadInput where the file, or what it says of this one, cannot be used."""
        return ready(config.load(self._given(name), self._environ), self._environ)

    def answered(self, name: str, answers: Mapping[str, str]) -> Settings:
        """The settings of one of them, there or yet to be written, with `answers` above them. Raises BadInput."""
        return config.load({**self._given(name), **answers}, self._environ, to_write=True)

    def _given(self, name: str) -> dict[str, str | None]:
        given = self._flags if name == self._first else {key: self._flags.get(key) for key in ("config", "read_only")}
        return {**given, "profile": name}


def ready(settings: Settings, environ: Mapping[str, str], patience: float | None = None) -> Profile:
    """The profile with these settings: its history, and the key if there is one. Raises BadInput for a wrong name.

    A key that comes over a network may take its time: after `patience` seconds there is taken to be one. Where there is
    none, the first call that needs it says so.
    """
    history_path = config.history_path(settings, environ)
    keys = Chain(settings.aliyun_profile, environ)
    if (trouble := _without(keys, patience)) is not None:
        return Profile(settings=settings, history_path=history_path, problem=trouble)
    missing = settings.missing_to_listen()
    problem = lacking(settings, missing) if missing else None
    return Profile(settings=settings, history_path=history_path, credentials=keys, problem=problem)


def _without(keys: Chain, patience: float | None) -> NoCredentials | None:
    """Why there is no key; None where there is one, and where that is not known in time."""
    told: list[NoCredentials] = []

    def look() -> None:
        try:
            keys.current()
        except NoCredentials as trouble:
            told.append(trouble)

    looking = threading.Thread(target=look, name="first key", daemon=True)
    looking.start()
    looking.join(patience)
    return told[0] if told else None


def lacking(settings: Settings, missing: Sequence[str]) -> BadInput:
    """What a person is told of settings without which it does not go on."""
    names = list(dict.fromkeys(missing))
    return BadInput(
        ngettext("The setting {names} is missing.", "The settings {names} are missing.", len(names)).format(
            names=", ".join(names)
        ),
        _("Neither a flag nor an environment variable nor {place} gives a value.").format(place=settings.place),
        sentences(
            _("Write what is missing there, or give {flags}.").format(
                flags=", ".join(f"--{name.replace('_', '-')}" for name in names)
            ),
            settings.first_line,
        ),
        field=names[0],
    )
