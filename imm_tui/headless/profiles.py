"""`imm-tui profiles`: what there is to switch between, as it would be used now."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from imm_tui import config
from imm_tui.config import Settings
from imm_tui.errors import BadInput, HistoryUnusable
from imm_tui.exits import Exit
from imm_tui.headless.output import put
from imm_tui.history import History
from imm_tui.i18n import ngettext
from imm_tui.text import line

_SHOWN = ("region", "api_version", "project", "topic", "queue", "account_id", "target_uri", "aliyun_profile")
"""The settings that tell one profile from another."""


@dataclass(frozen=True, slots=True)
class _Profile:
    name: str
    settings: Settings | None
    """None where the file says something of it that cannot be used. `problem` tells what, or what of its history."""
    history: Path | None = None
    tasks: int | None = None
    """None where there is no history yet, or none that can be read."""
    problem: str = ""


def list_profiles(current: Settings, config_flag: str | None, *, as_json: bool = False) -> Exit:
    """Prints the profiles of the configuration file, `current` marked; opens no connection and needs no credentials.

    Raises BadInput where the file cannot be read.
    """
    names = config.profile_names(config.config_path(config_flag, os.environ))
    # The one at hand may be the `aliyun` command's.
    for name in dict.fromkeys([*names, current.profile]):
        put(_line(_look_at(name, config_flag, os.environ), name == current.profile, as_json=as_json))
    return Exit.SUCCEEDED


def _look_at(name: str, config_flag: str | None, environ: Mapping[str, str]) -> _Profile:
    try:
        settings = config.load({"config": config_flag, "profile": name}, environ)
        path = config.history_path(settings, environ)
        if not path.exists():
            return _Profile(name, settings, path)
    except BadInput as bad:
        return _Profile(name, None, problem=str(bad))
    try:
        with History(path) as history:
            return _Profile(name, settings, path, history.size())
    except HistoryUnusable as trouble:
        return _Profile(name, settings, path, problem=str(trouble))


def _line(profile: _Profile, current: bool, *, as_json: bool) -> str:
    given = {key: getattr(profile.settings, key, "") or None for key in _SHOWN}
    if as_json:
        history = str(profile.history) if profile.history else None
        told = {"profile": profile.name, "current": current, **given, "history": history, "tasks": profile.tasks}
        return json.dumps({**told, "problem": profile.problem or None})
    mark = "●" if current else " "
    if profile.problem:
        return "  ".join((f"{mark} {line(profile.name):<16}", f"✘ {line(profile.problem)}"))
    tasks = profile.tasks or 0
    count = ngettext("{count:,} task", "{count:,} tasks", tasks).format(count=tasks)
    cells = (given["region"], given["api_version"], given["project"], given["queue"])
    words = "  ".join(f"{line(cell or '–'):<12}" for cell in cells)
    return f"{mark} {line(profile.name):<16}  {words}  {count}".rstrip()
