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
    """One line; where it is too narrow, the project stays. What is not encrypted is said before it."""

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self, settings: Settings, *, demo: bool, scenario: str = "") -> None:
        super().__init__()
        self._program = " · ".join(filter(None, ["imm-tui demo" if demo else "imm-tui", text.line(scenario)]))
        self._badge = " http: not encrypted " if settings.unencrypted else ""
        self._project = text.line(settings.project)
        self._places = [text.line(settings.region), self._project, text.line(settings.api_version)]

    def render(self) -> Content:
        places = " · ".join(filter(None, self._places))
        before = f"{self._program}  {self._badge}  " if self._badge else f"{self._program}  "
        if cell_len(before + places) > self.size.width:
            places = self._project
        badge = (self._badge, "bold $text-warning on $warning 18%")
        return Content.assemble(
            (self._program, "bold $text-accent"), "  ", badge, "  " if self._badge else "", (places, QUIET)
        )
