"""The profiles of the configuration file, each with what it takes to work with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imm_tui import config, credentials
from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.errors import BadInput, NoCredentials, Trouble
from imm_tui.i18n import _, ngettext


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What it takes to work with one profile. Where `problem` says what is missing, its history can be looked at."""

    settings: Settings
    history_path: Path
    credentials: Credentials | None = None
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
    """Those of one file: the one that a flag names, or where it is by default. A flag `--read-only` is for each."""

    def __init__(self, config_flag: str | None, environ: Mapping[str, str], read_only_flag: str | None = None) -> None:
        self._flag = config_flag
        self._environ = environ
        self._read_only = read_only_flag

    def names(self) -> list[str]:
        """As they stand in the file now. Raises BadInput where it cannot be read."""
        return config.profile_names(config.config_path(self._flag, self._environ))

    def open(self, name: str) -> Profile:
        """One of them. Raises BadInput where the file, or what it says of this one, cannot be used."""
        flags = {"config": self._flag, "profile": name, "read_only": self._read_only}
        return ready(config.load(flags, self._environ), self._environ)


def ready(settings: Settings, environ: Mapping[str, str]) -> Profile:
    """The profile with these settings: its history, and the key if there is one. Raises BadInput for a wrong name."""
    history_path = config.history_path(settings, environ)
    try:
        found = credentials.find(settings.aliyun_profile, environ)
    except NoCredentials as trouble:
        return Profile(settings=settings, history_path=history_path, problem=trouble)
    missing = settings.missing_to_listen()
    problem = lacking(settings, missing) if missing else None
    return Profile(settings=settings, history_path=history_path, credentials=found, problem=problem)


def lacking(settings: Settings, missing: Sequence[str]) -> BadInput:
    """What a person is told of settings without which it does not go on."""
    names = list(dict.fromkeys(missing))
    return BadInput(
        ngettext("The setting {names} is missing.", "The settings {names} are missing.", len(names)).format(
            names=", ".join(names)
        ),
        _("Neither a flag nor an environment variable nor {place} gives a value.").format(place=settings.place),
        _("Write what is missing there, or give {flags}.").format(
            flags=", ".join(f"--{name.replace('_', '-')}" for name in names)
        ),
        field=names[0],
    )
