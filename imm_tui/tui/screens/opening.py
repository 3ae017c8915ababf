"""What is on the screen while the rest is still being imported: the dashboard's frame, and what is looked at."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from imm_tui.config import Settings
from imm_tui.i18n import _
from imm_tui.tui.localized import Localized
from imm_tui.tui.widgets.heading import Heading

BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
"""The dashboard's as well: columns of the screen, and the class that it has from there on."""


class Opening(Localized[None]):
    """Each of its lines is where the dashboard has the same, so that nothing jumps when that takes its place."""

    HORIZONTAL_BREAKPOINTS = BREAKPOINTS

    def __init__(self, settings: Settings, *, demo: bool, scenario: str) -> None:
        super().__init__()
        self._heading = Heading(settings, demo=demo, scenario=scenario)

    def compose(self) -> ComposeResult:
        with Horizontal(id="header"):
            yield self._heading
            yield Vertical(id="status")
        yield Vertical(id="counts")
        with Horizontal(id="regions"):
            yield _region(_("Tasks"), "focused")
            yield _region(_("Detail"))
        yield Vertical(id="footer")


def _region(title: str, *classes: str) -> Widget:
    region = Vertical(classes=" ".join(("region", *classes)))
    region.border_title = title
    return region
