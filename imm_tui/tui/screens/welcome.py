"""The first thing to see where nothing can be done yet: what is missing, where it was looked for, and what to do."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from imm_tui import text
from imm_tui.config import KEYS, Settings
from imm_tui.errors import Trouble
from imm_tui.tui.localized import Localized
from imm_tui.tui.theme import QUIET
from imm_tui.tui.widgets.overflow import Overflow

_MEANINGS = {
    "region": "such as cn-beijing",
    "project": "the IMM project",
    "topic": "the MNS topic for IMM's events",
    "queue": "the MNS queue subscribed to it",
    "account_id": "the number of the main account",
}


class Choices(OptionList, inherit_bindings=False):
    """What can be done without any set-up; one of them is always marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "choose", id="choices.choose", tooltip="Take the choice that is marked"),
        Binding("up,k", "cursor_up", "Up", id="choices.up", tooltip="The choice above", show=False),
        Binding("down,j", "cursor_down", "Down", id="choices.down", tooltip="The choice below", show=False),
    ]


class WelcomeScreen(Localized[None], inherit_bindings=False):
    """Offers the demo, the history as it is, and the way out; it lies over the dashboard."""

    AUTO_FOCUS = "Choices"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]  # noqa: RUF012 - no ClassVar in the class above
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "demo", "demo", id="welcome.demo", tooltip="Try it on an emulator: no account, nothing is kept"),
        Binding("h,escape", "history", "history", id="welcome.history", tooltip="See the tasks of earlier sessions"),
        Binding("question_mark", "app.help", "help", id="welcome.help", key_display="?", tooltip="What every key does"),
        Binding("q", "app.quit", "quit", id="welcome.quit", tooltip="Leave imm-tui"),
        Binding("tab", "app.focus_next", "Next", id="welcome.next", tooltip="Between text and choices", show=False),
        Binding(
            "ctrl+c", "screen.copy_text", "Copy", id="welcome.copy", tooltip="Copy what the mouse selected", show=False
        ),
    ]

    def __init__(self, settings: Settings, problem: Trouble) -> None:
        super().__init__()
        self._settings = settings
        self._problem = problem

    def compose(self) -> ComposeResult:
        with Vertical(id="welcome"):
            yield Static(
                Content.assemble(("imm-tui", "bold $text-accent"), ("  tasks of Alibaba Cloud IMM", QUIET)), id="title"
            )
            with Overflow(id="missing"):
                yield Static(self._told(), id="told")
            yield Choices(
                Option("Try the demo: no account needed", id="demo"),
                Option("Look at the history", id="history"),
                Option("Quit", id="app.quit"),
                id="choices",
                markup=False,
                compact=True,
            )
        yield Footer(show_command_palette=False)

    def _told(self) -> Content:
        """What is missing, and each step that is left."""
        problem, settings = self._problem, self._settings
        parts = [Content.styled(text.line(problem.what), "bold")]
        parts += [Content(text.block(part)) for part in (problem.why, problem.fix) if part]
        needed = {*settings.missing_to_listen(), *settings.missing_to_submit()}
        if needed and not settings.topic:
            needed.add("topic")  # nobody demands it, but without it IMM tells nobody
        if needed:
            place = text.line(settings.place)
            parts += [
                Content(""),
                Content.assemble(("Missing settings", "bold"), f": write them under {place}, or set the variables."),
            ]
        for name in (name for name in KEYS if name in needed):
            row = (f"  {name:<12}", f"IMM_TUI_{name.upper():<14}", (_MEANINGS.get(name, ""), QUIET))
            parts.append(Content.assemble(*row))
        parts += [Content(""), Content("Then start imm-tui again.")]
        return Content("\n").join(parts)

    # Choices

    async def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        await self.run_action(event.option_id or "")

    def action_demo(self) -> None:
        self.app.exit("demo")

    def action_history(self) -> None:
        self.dismiss()
