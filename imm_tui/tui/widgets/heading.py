"""The words at the top left, what is looked at: program, profile, region, project, API version, queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.widget import Widget

from imm_tui import text
from imm_tui.config import Settings
from imm_tui.errors import Trouble
from imm_tui.i18n import _, sentences
from imm_tui.tui import trouble_words
from imm_tui.tui.cells import NOTHING
from imm_tui.tui.theme import QUIET

if TYPE_CHECKING:
    from imm_tui.queue_depth import Depth

_BRAND = "imm-tui"

_LEAST_NEEDED = ("version", "scenario", "region", "queue", "program", "queue", "profile")
"""What is shortened, or goes, where there is too little room, in this order."""


class Heading(Widget):
    """One line; where it is too narrow, what is least needed goes first, and the project stays. That nothing can
    be changed, and what is not encrypted, is said in any case."""

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self, settings: Settings, *, demo: bool, scenario: str = "") -> None:
        super().__init__()
        self._settings = settings
        self._demo = demo
        self._scenario = text.line(scenario)
        self._depth: Depth | None = None
        self._asked = False

    def show_depth(self, depth: Depth | None, trouble: Trouble | None = None) -> None:
        """How many messages are on the queue; None where that is not known, for the reason that `trouble` gives."""
        self._depth, self._asked = depth, True
        self.tooltip = None if trouble is None else Content(sentences(*trouble_words.parts(trouble)))
        self.refresh()

    def _queue(self) -> list[str]:
        """How much is on the queue, from all of it to nothing."""
        if not self._asked:
            return [""]
        if (depth := self._depth) is None:
            return 2 * [_("queue {count}").format(count=NOTHING)] + [""]
        waiting = _("queue {count}").format(count=f"{depth.active:,}")
        parts = [waiting]
        if depth.inactive:
            parts.append(_("{count} hidden").format(count=f"{depth.inactive:,}"))
        if depth.delayed:
            parts.append(_("{count} delayed").format(count=f"{depth.delayed:,}"))
        return [" · ".join(parts), waiting, ""]

    def render(self) -> Content:
        settings = self._settings
        wordings = {
            "program": [f"{_BRAND} {_('demo')}", _("demo")] if self._demo else [_BRAND, ""],
            "scenario": [self._scenario, ""],
            "profile": ["" if settings.profile == "default" else text.line(settings.profile), ""],
            "region": [text.line(settings.region), ""],
            "project": [text.line(settings.project)],
            "version": [text.line(settings.api_version), ""],
            "queue": self._queue(),
        }
        drawn = self._drawn(wordings)
        for part in _LEAST_NEEDED:
            if drawn.cell_length <= self.size.width:
                break
            wordings[part] = wordings[part][1:] or wordings[part]
            drawn = self._drawn(wordings)
        return drawn

    def _drawn(self, wordings: dict[str, list[str]]) -> Content:
        words = {part: wording[0] for part, wording in wordings.items()}
        badges = [
            (_("read-only") if self._settings.read_only else "", "success"),
            (_("http: not encrypted") if self._settings.unencrypted else "", "warning"),
        ]
        groups = [
            (("program", "scenario"), "bold $text-accent"),
            (("profile", "region", "project", "version", "queue"), QUIET),
        ]
        program, places = (
            Content.styled(" · ".join(words[part] for part in parts if words[part]), style) for parts, style in groups
        )
        told = (Content.styled(f" {badge} ", f"bold $text-{hue} on ${hue} 18%") for badge, hue in badges if badge)
        return Content("  ").join(group for group in (program, *told, places) if group)
