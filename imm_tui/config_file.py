"""Writes a profile into config.toml, and leaves everything else there as a person has it: comments, order, blanks.

Never a key: no setting is one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from imm_tui.errors import BadInput
from imm_tui.i18n import _


def with_profile(text: str, name: str, values: Mapping[str, str]) -> str:
    """`text`, valid TOML as config.py reads it, with `values` in [profiles.NAME]; an empty one takes its line away.

    The file's first profile becomes the one that is used without --profile, where it is not called `default` and no
    other was chosen.
    """
    import tomlkit

    document = tomlkit.parse(text)
    if not document.get("profiles"):
        if "profile" not in document and name != "default":
            document["profile"] = name
        document.setdefault("profiles", tomlkit.table(is_super_table=True))
    section = document["profiles"].setdefault(name, tomlkit.table())
    for key, value in values.items():
        if value:
            section[key] = value
        else:
            section.pop(key, None)
    return tomlkit.dumps(document)


def read(path: Path) -> str:
    """The file's text, "" where there is none yet. Raises BadInput where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, error) from None


def write(path: Path, text: str) -> None:
    """Keeps `text` at `path` (0600 where it is new, its folder 0700), whole or not at all; where that is a link, in the
    file that it leads to. Raises BadInput where it cannot.
    """
    try:
        path = path.resolve()
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
                file.write(text)
            fresh.replace(path)
        except OSError:
            with suppress(OSError):
                fresh.unlink()
            raise
    except OSError as error:
        raise _unusable(path, error) from None


def _unusable(path: Path, error: OSError | UnicodeDecodeError) -> BadInput:
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return BadInput(
        _("The configuration file {path} cannot be used.").format(path=path),
        f"{why}.",
        _("Mend its permissions, or name another file with --config."),
        field="config",
    )
