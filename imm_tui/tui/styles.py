"""Where the stylesheets are: `styles/` in a checkout or a zip of one, `imm_tui/styles` in a wheel."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import cast

_FRAME = "frame.tcss"


def stylesheet() -> str:
    """All stylesheets as one text."""
    return f"{frame()}\n{rest()}"


def frame() -> str:
    """That of the first frame, which needs no other."""
    return (_folder() / _FRAME).read_text(encoding="utf-8")


def rest() -> str:
    """All but that of the first frame as one text, the theme first: the others use its variables."""
    sheets = {sheet.name: sheet for sheet in _folder().iterdir() if sheet.name.endswith(".tcss")}
    del sheets[_FRAME]
    names = sorted(sheets, key=lambda name: (name != "theme.tcss", name))
    return "\n".join(sheets[name].read_text(encoding="utf-8") for name in names)


def _folder() -> Path:
    package = cast("Path", resources.files("imm_tui"))  # in a zip a zipfile.Path, which has a parent as well
    folder = package / "styles"
    return folder if folder.is_dir() else package.parent / "styles"
