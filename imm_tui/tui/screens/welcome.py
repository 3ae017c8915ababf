"""The first thing to see where nothing can be done yet: what is missing, where it was looked for, and what to do."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Footer, Static
from textual.widgets.option_list import Option

from imm_tui import text
from imm_tui.config import KEYS, Settings
from imm_tui.errors import BadInput, NoCredentials, Trouble
from imm_tui.i18n import N_, _, ngettext
from imm_tui.tui.localized import Localized
from imm_tui.tui.theme import QUIET
from imm_tui.tui.widgets.choices import Choices
from imm_tui.tui.widgets.overflow import Overflow

_MEANINGS = {
    "region": N_("such as cn-beijing"),
    "project": N_("the IMM project"),
    "topic": N_("the MNS topic for IMM's events"),
    "queue": N_("the MNS queue subscribed to it"),
    "account_id": N_("the number of the main account"),
}


class WelcomeScreen(Localized[None], inherit_bindings=False):
    """Offers the demo, the history as it is, and the way out; it lies over the dashboard."""

    AUTO_FOCUS = "Choices"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]  # noqa: RUF012 - no ClassVar in the class above
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "d", "demo", N_("demo"), id="welcome.demo", tooltip=N_("Try it on an emulator: no account, nothing is kept")
        ),
        Binding(
            "h,escape", "history", N_("history"), id="welcome.history", tooltip=N_("See the tasks of earlier sessions")
        ),
        Binding(
            "s", "app.setup", N_("set up"), id="welcome.setup", tooltip=N_("Find or make what is missing, and write it")
        ),
        Binding(
            "D",
            "app.doctor",
            N_("doctor"),
            id="welcome.doctor",
            tooltip=N_("Find out what does not work, and what to do"),
        ),
        Binding("L", "app.language", N_("language"), id="welcome.language", tooltip=N_("Speak English or Chinese")),
        Binding(
            "question_mark",
            "app.help",
            N_("help"),
            id="welcome.help",
            key_display="?",
            tooltip=N_("What every key does"),
        ),
        Binding("q", "app.quit", N_("quit"), id="welcome.quit", tooltip=N_("Leave imm-tui")),
        Binding(
            "tab", "app.focus_next", N_("Next"), id="welcome.next", tooltip=N_("Between text and choices"), show=False
        ),
        Binding(
            "ctrl+c",
            "screen.copy_text",
            N_("Copy"),
            id="welcome.copy",
            tooltip=N_("Copy what the mouse selected"),
            show=False,
        ),
    ]

    def __init__(self, settings: Settings, problem: Trouble) -> None:
        super().__init__()
        self._settings = settings
        self._problem = problem

    def compose(self) -> ComposeResult:
        with Vertical(id="welcome"):
            yield Static(
                Content.assemble(("imm-tui", "bold $text-accent"), ("  " + _("tasks of Alibaba Cloud IMM"), QUIET)),
                id="title",
            )
            with Overflow(id="missing"):
                yield Static(self._told(), id="told")
            demo = Option(_("Try the demo: no account needed"), id="demo")
            set_up = Option(_("Set up this profile"), id="app.setup")
            yield Choices(
                *((demo, set_up) if isinstance(self._problem, NoCredentials) else (set_up, demo)),
                Option(_("Ask the doctor what is missing"), id="app.doctor"),
                Option(_("Look at the history"), id="history"),
                Option(_("Quit"), id="app.quit"),
                id="choices",
                markup=False,
                compact=True,
            )
        yield Footer(show_command_palette=False)

    def _told(self) -> Content:
        """What is there, what is missing, and each step that is left."""
        problem, settings = self._problem, self._settings
        missing = self._missing()
        parts = []
        if isinstance(problem, BadInput) and problem.field in missing:  # the list below says all of that, and more
            words = ngettext("One setting is missing.", "{count} settings are missing.", len(missing))
            parts.append(Content.styled(words.format(count=len(missing)), "bold"))
        else:
            parts.append(Content.styled(text.line(problem.what), "bold"))
            parts += [Content(text.block(part)) for part in (problem.why, problem.fix) if part]
        parts.append(Content(""))
        if given := ", ".join(f"{name} {text.line(value)}" for name in _MEANINGS if (value := getattr(settings, name))):
            parts.append(Content(_("Set already: {settings}.").format(settings=given)))
        if missing:
            place = text.line(settings.place)
            told = _("Missing settings: write them under {place}, or set the variables.").format(place=place)
            parts.append(Content(told))
        for name in missing:
            row = (f"  {name:<12}", f"IMM_TUI_{name.upper():<14}", (_(_MEANINGS.get(name, "")), QUIET))
            parts.append(Content.assemble(*row))
        if isinstance(problem, NoCredentials):
            then = _("Then start imm-tui again.")
        else:
            then = _("s finds or makes them and writes them down; or write them yourself, and start imm-tui again.")
        parts += [Content(""), Content(then)]
        return Content("\n").join(parts)

    def _missing(self) -> list[str]:
        """The settings that are not there, in the order of the file."""
        settings = self._settings
        needed = {*settings.missing_to_listen(), *settings.missing_to_submit()}
        if needed and not settings.topic:
            needed.add("topic")  # nobody demands it, but without it IMM tells nobody
        return [name for name in KEYS if name in needed]

    # Choices

    async def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        await self.run_action(event.option_id or "")

    def action_demo(self) -> None:
        self.app.exit("demo")

    def action_history(self) -> None:
        self.dismiss()
