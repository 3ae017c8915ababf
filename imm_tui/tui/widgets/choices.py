"""A few things to choose from, one below the other; one of them is always marked."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import OptionList

from imm_tui.i18n import N_


class Choices(OptionList, inherit_bindings=False):
    """Textual's OptionList with the keys of our lists."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", N_("choose"), id="choices.choose", tooltip=N_("Take the choice that is marked")),
        Binding("up,k", "cursor_up", "Up", id="choices.up", tooltip=N_("The choice above"), show=False),
        Binding("down,j", "cursor_down", "Down", id="choices.down", tooltip=N_("The choice below"), show=False),
        Binding("home", "first", "First", id="choices.first", tooltip=N_("The first choice"), show=False),
        Binding("end", "last", "Last", id="choices.last", tooltip=N_("The last choice"), show=False),
    ]
