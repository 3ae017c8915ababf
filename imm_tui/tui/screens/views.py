"""Filters that have a name: some of our own, and those that a person has saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalGroup, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from imm_tui.errors import BadInput
from imm_tui.i18n import N_, _
from imm_tui.query import parse
from imm_tui.tasks import now
from imm_tui.text import line
from imm_tui.tui.localized import Localized
from imm_tui.tui.screens.confirm import ConfirmScreen
from imm_tui.tui.theme import QUIET
from imm_tui.tui.widgets.choices import Choices
from imm_tui.tui.widgets.field import LineInput

_OWN = {
    N_("All"): "",
    N_("Running"): "status:submitting,running",
    N_("Failed and unknown"): "status:failed,unknown",
    N_("Last hour"): "since:1h",
    N_("Untracked"): "is:untracked",
}

_WIDEST = 28
"""Cells of a name that are shown."""


class ViewsScreen(Localized[str], ModalScreen[str], inherit_bindings=False):
    """`views` are the saved filters by their names, `current` is the filter of the moment. `keep` is called with all of
    them whenever one has changed, and returns what is kept then, another imm-tui's among it.

    Its result is the text of the filter that was chosen; None if none was.
    """

    AUTO_FOCUS = "Choices"
    BINDING_GROUP_TITLE = N_("Views")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "save", N_("save"), id="views.save", tooltip=N_("Give the filter of the moment a name")),
        Binding("e", "rename", N_("rename"), id="views.rename", tooltip=N_("Give a saved view another name")),
        Binding("d", "delete", N_("delete"), id="views.delete", tooltip=N_("Forget a saved view")),
        Binding("escape,q", "close", N_("close"), id="views.close", tooltip=N_("Leave the list as it is")),
    ]

    def __init__(
        self, views: Mapping[str, str], current: str, keep: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> None:
        super().__init__()
        self._views = views
        self._keep = keep
        self._current = current.strip()
        self._renamed: str | None = None
        """The view that is to have another name, while that is typed; else the filter of the moment gets one."""

    def compose(self) -> ComposeResult:
        with Vertical(id="views") as region:
            region.border_title = Content(_("Views"))
            yield Choices(markup=False, compact=True)
            with HorizontalGroup(id="naming"):
                yield Label(_("Name"))
                yield LineInput(compact=True, id="name")
            yield Static(markup=False, id="note")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self._list(next((name for name, text in self._views.items() if text == self._current), ""))

    @property
    def _texts(self) -> list[tuple[str, str]]:
        """Every view's name and filter, in the order of the list."""
        return [*((_(name), text) for name, text in _OWN.items()), *self._views.items()]

    def _list(self, marked: str = "") -> None:
        """Lists all views, with the one of this name `marked`."""
        texts = self._texts
        width = min(max(cell_len(line(name)) for name, _text in texts), _WIDEST)
        choices = self.query_one(Choices)
        choices.clear_options()
        for name, text in texts:
            mark = "●" if text == self._current else " "
            label = set_cell_size(line(name), width)
            choices.add_option(Option(Content.assemble(f"{mark} {label}  ", (line(text), QUIET))))
        names = [name for name, _text in texts]
        current = [text for _name, text in texts].index(self._current) if self._current in dict(texts).values() else 0
        choices.highlighted = names.index(marked) if marked in names else current
        self._naming(False)

    def _naming(self, naming: bool, name: str = "") -> None:
        self.set_class(naming, "naming")
        self.query_one(LineInput).value = name
        self.query_one(LineInput if naming else Choices).focus()
        self._note("")
        self.refresh_bindings()

    def _note(self, words: str) -> None:
        self.query_one("#note", Static).update(words)

    @property
    def _saved(self) -> str | None:
        """The name of the saved view that is marked."""
        marked = self.query_one(Choices).highlighted
        place = len(_OWN) if marked is None else marked - len(_OWN)
        return list(self._views)[place] if 0 <= place < len(self._views) else None

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("save", "rename", "delete") and self.is_mounted:
            naming = self.has_class("naming")
            return not naming and (bool(self._current) if action == "save" else self._saved is not None)
        return super().check_action(action, parameters)

    @on(OptionList.OptionHighlighted)
    def _marked(self) -> None:
        self.refresh_bindings()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._texts[event.option_index][1])

    def action_close(self) -> None:
        if self.has_class("naming"):
            self._naming(False)
        else:
            self.dismiss(None)

    def action_save(self) -> None:
        try:
            parse(self._current, now())
        except BadInput as trouble:
            self._note(f"✘ {line(trouble)}")
            return
        self._renamed = None
        self.query_one(LineInput).placeholder = _("a name for {filter}").format(filter=line(self._current))
        self._naming(True)

    def action_rename(self) -> None:
        self._renamed = self._saved
        self._naming(True, self._renamed or "")

    def action_delete(self) -> None:
        if (name := self._saved) is None:
            return

        def delete(wanted: bool | None) -> None:
            if wanted:
                self._change({it: text for it, text in self._views.items() if it != name})

        words = f"{line(name)}\n{line(self._views[name])}"
        self.app.push_screen(ConfirmScreen(_("Delete this view?"), words, _("Delete"), _("Keep")), delete)

    @on(Input.Submitted)
    def _named(self, event: Input.Submitted) -> None:
        name, renamed = event.value.strip(), self._renamed
        if not name or name == renamed:
            self._naming(False)
        elif name in (_(own) for own in _OWN):
            self._note(f"✘ {_('A view that is always there is called so. Give another name.')}")
        elif name in self._views and renamed is not None:
            self._note(f"✘ {_('Another view is called so. Give another name.')}")
        elif renamed is not None:
            self._change({name if it == renamed else it: text for it, text in self._views.items()}, name)
        elif name in self._views:
            self._ask_to_replace(name)
        else:
            self._save(name)

    def _save(self, name: str) -> None:
        self._change({**self._views, name: self._current}, name)

    def _change(self, views: Mapping[str, str], marked: str = "") -> None:
        self._views = self._keep(views)
        self._list(marked)

    def _ask_to_replace(self, name: str) -> None:
        def replace(wanted: bool | None) -> None:
            if wanted:
                self._save(name)

        words = _("{name} is this now:\n{filter}").format(name=line(name), filter=line(self._views[name]))
        self.app.push_screen(ConfirmScreen(_("Replace this view?"), words, _("Replace"), _("Keep")), replace)
