"""Where the stylesheets are: `styles/` in a checkout or a zip of one, `imm_tui/styles` in a wheel."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import cast


def stylesheet() -> str:
    """All stylesheets as one text, the theme first: the others use its variables."""
    package = cast("Path", resources.files("imm_tui"))  # in a zip a zipfile.Path, which has a parent as well
    folder = package / "styles"
    if not folder.is_dir():
        folder = package.parent / "styles"
    sheets = {sheet.name: sheet.read_text(encoding="utf-8") for sheet in folder.iterdir()}
    names = sorted((name for name in sheets if name.endswith(".tcss")), key=lambda name: (name != "theme.tcss", name))
    return "\n".join(sheets[name] for name in names)
