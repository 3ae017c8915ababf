"""The words at the top left: which program, and which project of which region it looks at."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from imm_tui import text
from imm_tui.config import Settings
from imm_tui.tui.theme import QUIET


class Heading(Widget):
    """One line; where it is too narrow, the project stays."""

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self, settings: Settings, *, demo: bool) -> None:
        super().__init__()
        self._program = "imm-tui demo" if demo else "imm-tui"
        self._project = text.line(settings.project)
        self._places = [text.line(settings.region), self._project, text.line(settings.api_version)]

    def render(self) -> Content:
        places = " · ".join(filter(None, self._places))
        if cell_len(f"{self._program}  {places}") > self.size.width:
            places = self._project
        return Content.assemble((self._program, "bold $text-accent"), "  ", (places, QUIET))
