"""Every key that can be changed: the id by which config.toml names it, the keys it has now, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalGroup, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from imm_tui.i18n import N_, _
from imm_tui.text import line
from imm_tui.tui import keymap
from imm_tui.tui.cells import fit
from imm_tui.tui.localized import Localized

_KEYS = 14
"""Cells for the keys of a binding; more of them are cut, and stand in the help."""


class KeysScreen(Localized[None], ModalScreen[None], inherit_bindings=False):
    """`wanted` is what config.toml asks for, and `place` that file."""

    AUTO_FOCUS = "#all-keys"
    BINDING_GROUP_TITLE = N_("The list of keys")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", N_("close"), id="keys.close", tooltip=N_("Back to where you were")),
    ]

    def __init__(self, wanted: Mapping[str, str], place: str) -> None:
        super().__init__()
        self._wanted = wanted
        self._place = place

    def compose(self) -> ComposeResult:
        chosen, troubles = keymap.resolve(self._wanted, type(self.app))
        places = keymap.places(type(self.app))
        wide = max(cell_len(name) for place in places for name in place.keys)
        with VerticalScroll(id="all-keys") as region:
            region.border_title = _("Keys and their ids")
            how = _("Write what you want into {path} under [keys], such as {line}. It holds when imm-tui starts again.")
            yield Static(how.format(path=line(self._place), line='"new" = "ctrl+n,f2"'), markup=False)
            for trouble in troubles:
                yield Static(f"✘ {line(trouble)}", classes="wrong", markup=False)
            seen: set[str] = set()
            for place in places:
                if names := [name for name in place.keys if name not in seen]:
                    seen.update(names)
                    yield Static(_(place.title), classes="title", markup=False)
                    for name in names:
                        with HorizontalGroup():
                            yield Static(self._key(place, name, chosen, wide), classes="key")
                            yield Static(_(place.words[name]), classes="words", markup=False)
        yield Footer(show_command_palette=False)

    def _key(self, place: keymap.Place, name: str, chosen: Mapping[str, str], wide: int) -> Content:
        keys = chosen[name].split(",") if name in chosen else place.keys[name]
        shown = " ".join(self.app.get_key_display(Binding(key, "")) for key in keys)
        gap = " " * max(_KEYS - cell_len(shown), 0)
        changed = "bold" if name in self._wanted and name in chosen else ""
        return Content.assemble(
            gap,
            (f"{fit(shown, _KEYS).rstrip()}  ", "$text-accent"),
            (f"{fit(name, wide)}  ", changed),
        )
