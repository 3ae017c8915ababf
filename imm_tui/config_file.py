"""Writes a profile into config.toml, and leaves everything else there as a person has it: comments, order, blanks.

Never a key: no setting is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imm_tui import private_file
from imm_tui.errors import BadInput
from imm_tui.i18n import _

_BOM = "\ufeff"


def with_profile(text: str, name: str, values: Mapping[str, str]) -> str:
    """`text`, valid TOML as config.py reads it, with `values` in [profiles.NAME]; an empty one takes its line away.

    The file's first profile becomes the one that is used without --profile, where it is not called `default` and no
    other was chosen. Raises BadInput where that cannot be written into the file as it stands.
    """
    import tomllib

    import tomlkit
    from tomlkit.exceptions import TOMLKitError
    from tomlkit.items import InlineTable, Table

    plain = text.removeprefix(_BOM)
    given = {key: value for key, value in values.items() if value}
    wanted = _profile(tomllib.loads(plain), name)
    wanted = {key: value for key, value in wanted.items() if key not in values} | given
    try:
        document = tomlkit.parse(plain)
        if given and not document.get("profiles"):
            if "profile" not in document and name != "default":
                document["profile"] = name
            document.setdefault("profiles", tomlkit.table(is_super_table=True))
        profiles: Any = document.get("profiles", {})
        if given and name not in profiles:
            profiles[name] = tomlkit.inline_table() if isinstance(profiles, InlineTable) else tomlkit.table()
        section = profiles.get(name, {})
        for key in values.keys() - given.keys():
            section.pop(key, None)
        tail = _cut_tail(section) if isinstance(section, Table) else []
        for key, value in given.items():
            section[key] = value
        if tail:
            section.value.body.extend(tail)
        after = tomlkit.dumps(document)
        if "\r\n" in plain and not re.search(r"(?<!\r)\n", plain):
            after = re.sub(r"(?<!\r)\n", "\r\n", after)
        if _profile(tomllib.loads(after), name) == wanted:
            return _BOM + after if text.startswith(_BOM) else after
    except (TOMLKitError, ValueError):
        pass
    raise BadInput(
        _("The profile {name} cannot be written into the configuration file as it stands.").format(name=name),
        _("Its tables are written in a way that cannot be changed without changing more."),
        _("Write it as {table} with a line for each setting, and try again.").format(table=f"[profiles.{name}]"),
        field="config",
    )


def _profile(document: dict[str, Any], name: str) -> dict[str, Any]:
    profile: dict[str, Any] = document.get("profiles", {}).get(name, {})
    return profile


def _cut_tail(section: Any) -> list[Any]:
    """The blank lines and comments at a table's end, taken off: they are about what follows it."""
    body: list[Any] = section.value.body
    count = next((number for number, (key, _item) in enumerate(reversed(body)) if key is not None), 0)
    tail = body[len(body) - count :]
    del body[len(body) - count :]
    return tail


def read(path: Path) -> str:
    """The file's text as it is, "" where there is none yet. Raises BadInput where it cannot be read."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, error) from None


def try_out(path: Path) -> None:
    """Raises the BadInput that `write` would; changes nothing."""
    try:
        private_file.try_out(path.resolve())
    except OSError as error:
        raise _unusable(path, error) from None


def write(path: Path, text: str) -> None:
    """Keeps `text` at `path` (0600 where it is new, its folder 0700), whole or not at all; where that is a link, in the
    file that it leads to. Raises BadInput where it cannot.
    """
    try:
        path = path.resolve()
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        private_file.write(path, text.encode(), mode)
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
