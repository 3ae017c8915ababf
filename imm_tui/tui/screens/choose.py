"""One of a few: a profile, a language, a theme."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer
from textual.widgets.option_list import Option

from imm_tui.i18n import N_
from imm_tui.text import line
from imm_tui.tui.localized import Localized
from imm_tui.tui.widgets.choices import Choices


class ChooseScreen(Localized[str | None], ModalScreen[str | None], inherit_bindings=False):
    """Shows `options`, each a label by its id, with `current` marked. Gives the id that was chosen, or None."""

    AUTO_FOCUS = "Choices"
    BINDING_GROUP_TITLE = N_("The choice")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", N_("close"), id="choose.close", tooltip=N_("Leave it as it is")),
    ]

    def __init__(self, title: str, options: Mapping[str, str], current: str) -> None:
        super().__init__()
        self._title = title
        self._options = options
        self._current = current

    def compose(self) -> ComposeResult:
        with Vertical(id="choose") as region:
            region.border_title = Content(self._title)
            yield Choices(
                *(
                    Option(Content(f"{'●' if option == self._current else ' '} {line(label)}"), id=option)
                    for option, label in self._options.items()
                ),
                markup=False,
                compact=True,
            )
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        if self._current in self._options:
            self.query_one(Choices).highlighted = list(self._options).index(self._current)

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        self.dismiss(event.option_id)
