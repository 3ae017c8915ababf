"""The profile of the configuration file, as it is and as it is to be."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from imm_tui import config, config_file, endpoints
from imm_tui.config import Settings
from imm_tui.i18n import _
from imm_tui.setup.making import Plan
from imm_tui.setup.questions import at_account
from imm_tui.setup.removal import Removal


@dataclass(frozen=True, slots=True)
class Change:
    """What config.toml is and what it is to be."""

    path: Path
    before: str
    after: str

    @property
    def lines(self) -> list[str]:
        """The lines that go, with a `-` in front, and those that come, with a `+`."""
        lines = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), lineterm="", n=0)
        return [line for line in list(lines)[2:] if not line.startswith("@@")]

    def try_out(self) -> None:
        """Raises the BadInput that `write` would."""
        if self.before != self.after:
            config_file.try_out(self.path)

    def write(self) -> None:
        """Raises BadInput where the file cannot be written."""
        if self.before != self.after:
            config_file.write(self.path, self.after)


def profile_of(plan: Plan) -> Change:
    """The profile with what the plan comes to. Raises BadInput where the file cannot be read."""
    return _changed(plan.settings, profile_values(plan.settings))


def profile_without(removal: Removal, settings: Settings) -> Change:
    """The profile without what is taken away. Raises BadInput where the file cannot be read."""
    gone = {(str(it.part.kind), it.part.name) for it in removal.gone if it.mns_endpoint == settings.mns_endpoint}
    return _changed(settings, {key: "" for key in ("queue", "topic") if (key, getattr(settings, key)) in gone})


def overruled(before: Settings, after: Settings) -> list[str]:
    """What a person should know of `after`, a sentence each: where something of `before` wins over what is written."""
    told = _("{source} says {value}, which wins over what is written here: take it away.")
    return [
        told.format(source=source, value=value)
        for key in config.KEYS
        if (source := before.sources.get(key, "")).startswith(("--", "IMM_TUI_"))
        and (value := getattr(before, key)) != getattr(after, key)
    ]


def _changed(settings: Settings, values: Mapping[str, str]) -> Change:
    path = settings.config_file
    assert path is not None, "load() says which file it is"
    before = config_file.read(path)
    return Change(path, before, config_file.with_profile(before, settings.profile, values))


def profile_values(settings: Settings) -> dict[str, str]:
    """What config.toml has to say of these settings; an empty value is for a line that says what follows from the rest.

    What is not set is left alone: the file may say it for where the environment does not.
    """
    values = {key: str(value) for key in config.KEYS if (value := getattr(settings, key))}
    derived = at_account(replace(settings, mns_endpoint=""), settings.account_id)
    if settings.mns_endpoint == derived.mns_endpoint:
        values["mns_endpoint"] = ""
    for key, follows in (("imm_endpoint", endpoints.imm), ("sts_endpoint", endpoints.sts)):
        if values.get(key) == follows(settings.region):
            values[key] = ""
    return values
