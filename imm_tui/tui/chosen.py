"""What a person has chosen, as it stands now; kept for the next session as far as that is possible."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from imm_tui import preferences
from imm_tui.errors import HistoryUnusable


class Chosen:
    """The choices kept at `path`. `on_unkept` is told why one counts for this session only."""

    def __init__(self, path: Path, on_unkept: Callable[[HistoryUnusable], None]) -> None:
        self._path = path
        self._on_unkept = on_unkept
        self.damaged: Path | None = None
        """Where the file is now that could not all be read."""
        with suppress(HistoryUnusable):  # said at the first choice that cannot be kept
            self.damaged = preferences.mend(path)
        self.now = preferences.load(path)

    def change(self, **changes: Any) -> None:
        """Takes up choices, by the names of Preferences, and keeps them."""
        try:
            self.now = preferences.change(self._path, self.now, **changes)
        except HistoryUnusable as trouble:
            self.now = replace(self.now, **changes)
            self._on_unkept(trouble)
