"""What the codes of the services mean: a list that narrows as one types, and the entry that is chosen in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from imm_tui import glossary
from imm_tui.i18n import N_, _
from imm_tui.text import line
from imm_tui.tui.localized import Localized
from imm_tui.tui.theme import QUIET
from imm_tui.tui.widgets.field import LineInput

_LIST_KEYS = (
    ("up", "cursor_up", N_("before"), N_("The code above")),
    ("down", "cursor_down", N_("next"), N_("The code below")),
    ("pageup", "page_up", N_("Page up"), N_("One page up")),
    ("pagedown", "page_down", N_("Page down"), N_("One page down")),
)
"""Keys of the list that work while one types: a field has its own meaning for them, which is none in one line."""


class GlossaryScreen(Localized[None], ModalScreen[None], inherit_bindings=False):
    """Opens at the entry of `code`, which may be any text that a service gave."""

    AUTO_FOCUS = "#sought"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (76, "-wide")]  # noqa: RUF012 - no ClassVar in the class above
    BINDING_GROUP_TITLE = N_("The glossary")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1", "dismiss", N_("close"), id="glossary.close", tooltip=N_("Back to where you were")),
        *(
            Binding(
                key,
                f"list('{action}')",
                words,
                show=key in ("up", "down"),
                id=f"glossary.{key}",
                tooltip=tip,
                priority=True,
            )
            for key, action, words, tip in _LIST_KEYS
        ),
    ]

    def __init__(self, code: str = "") -> None:
        super().__init__()
        self._code = code
        self._entries = {entry.code: entry for entry in glossary.entries()}

    def compose(self) -> ComposeResult:
        with Vertical(id="glossary") as region:
            region.border_title = Content(_("Codes of IMM, MNS and OSS"))
            yield LineInput(placeholder=_("a code, or a word of what it means"), compact=True, id="sought")
            with Container(id="halves"):
                codes = OptionList(id="codes", markup=False, compact=True)
                codes.can_focus = False  # the keys are those of the screen, so that one can go on typing
                yield codes
                with VerticalScroll(id="entry", can_focus=False):
                    yield Static(id="words", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self._narrow("")
        found = glossary.explain(self._code)
        if found is not None:
            self._codes.highlighted = list(self._entries).index(found.code)
        elif self._code:
            self._codes.highlighted = None
            self._say(_("Nothing is known of {code}.").format(code=line(self._code, 100)))

    def on_resize(self) -> None:
        self.call_after_refresh(self._codes.scroll_to_highlight)  # the list has another height then

    @property
    def _codes(self) -> OptionList:
        return self.query_one("#codes", OptionList)

    def _say(self, words: Content | str) -> None:
        self.query_one("#words", Static).update(Content(words) if isinstance(words, str) else words)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._narrow(event.value)

    def _narrow(self, text: str) -> None:
        """Lists the codes in whose entries all these words are; those that have them in their names first."""
        words = text.casefold().split()
        found = [entry for entry in self._entries.values() if all(word in _everything(entry) for word in words)]
        found.sort(key=lambda entry: not all(word in entry.code.casefold() for word in words))
        self._codes.set_options(Option(Content(entry.code), id=entry.code) for entry in found)
        if found:
            self._codes.highlighted = 0
        else:
            self._say(_("No code and no explanation has this in it."))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_id is not None and event.option_index == self._codes.highlighted:
            self._say(Content("\n").join(_told(self._entries[event.option_id])))
            self.query_one("#entry").scroll_home(animate=False)

    async def action_list(self, action: str) -> None:
        """An action of the list, which has no focus of its own."""
        await self.app.run_action(action, self._codes)


def _everything(entry: glossary.Entry) -> str:
    return " ".join((entry.code, entry.meaning, entry.cause, entry.cure)).casefold()


def _told(entry: glossary.Entry) -> Iterator[Content]:
    yield Content.styled(entry.code, "bold")
    yield Content(entry.meaning)
    for title, words in ((_("Likely cause"), entry.cause), (_("What to do"), entry.cure)):
        if words:
            yield Content("")
            yield Content.styled(title, QUIET)
            yield Content(words)
