"""The batches of this session: how far each is, and what a person may do with it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Static
from textual.widgets.option_list import Option

from imm_tui.i18n import N_, _, ngettext
from imm_tui.tasks import now
from imm_tui.tui.batches import Batches, BatchState
from imm_tui.tui.localized import Localized
from imm_tui.tui.screens.confirm import ConfirmScreen
from imm_tui.tui.times import second
from imm_tui.tui.trouble_words import in_full
from imm_tui.tui.widgets.batch_strip import bar, words
from imm_tui.tui.widgets.choices import Choices

_FRAME = 0.2
"""Seconds between two pictures."""

_BAR = 60
"""Cells of a bar, where there is room for it."""


class BatchScreen(Localized[int | None], ModalScreen[int | None], inherit_bindings=False):
    """Those of one history. It ends with the number of the batch whose tasks are to be listed, or None."""

    AUTO_FOCUS = "Choices"
    BINDING_GROUP_TITLE = N_("The batches")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", N_("pause or go on"), id="batch.pause", tooltip=N_("Send nothing for now, or go on")),
        Binding("x", "cancel", N_("cancel"), id="batch.cancel", tooltip=N_("Do not send what is not yet sent")),
        Binding("escape,b,q", "dismiss(None)", N_("close"), id="batch.close", tooltip=N_("Back to the tasks")),
        Binding(
            "f1,question_mark", "app.help", N_("help"), id="batch.help", key_display="?", tooltip=N_("What keys do")
        ),
    ]

    def __init__(self, batches: Batches, history_path: Path) -> None:
        super().__init__()
        self._batches = batches
        self._history_path = history_path
        self._states: dict[str, BatchState] = {}

    def compose(self) -> ComposeResult:
        with Vertical(id="batches") as region:
            region.border_title = _("Batches")
            yield Choices(markup=False, compact=True)
            nothing = _("No batch in this session. A submission of more than 20 documents is one.")
            yield Static(nothing, id="nothing", markup=False)
            yield Static(id="trouble")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self._show()
        self.set_interval(_FRAME, self._show)

    def on_unmount(self) -> None:
        self._batches.seen(self._history_path)

    def on_resize(self) -> None:
        self._states = {}
        self._show()

    def _show(self) -> None:
        """Draws what has changed."""
        before, states = self._states, self._batches.states(self._history_path)
        self._states = {str(state.key): state for state in states}
        choices = self.query_one(Choices)
        if before.keys() != self._states.keys():
            marked = choices.highlighted_option
            choices.clear_options()
            choices.add_options([Option(self._told(state), id=key) for key, state in self._states.items()])
            if states:
                choices.highlighted = list(self._states).index(marked.id or "") if marked is not None else 0
        else:
            for key, state in self._states.items():
                if state != before[key]:
                    choices.replace_option_prompt(key, self._told(state))
        if before != self._states:
            choices.display = bool(states)
            self.query_one("#nothing").display = not states
            self._show_trouble()
            self.refresh_bindings()

    def _told(self, state: BatchState) -> Content:
        began = second(state.began_at, now())
        cells = max(min(_BAR, self.size.width - 8), 0)
        return Content.assemble((began, "bold"), words(state), "\n", bar(state, cells))

    def _show_trouble(self) -> None:
        """In full, for as long as the batch has it."""
        trouble = self._marked.progress.trouble if self._marked else None
        told = self.query_one("#trouble", Static)
        told.display = trouble is not None
        told.update(in_full(trouble) if trouble else "")

    @property
    def _marked(self) -> BatchState | None:
        option = self.query_one(Choices).highlighted_option
        return self._states.get(option.id or "") if option is not None else None

    def on_option_list_option_highlighted(self) -> None:
        self._show_trouble()
        self.refresh_bindings()

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        number = self._states[event.option_id or ""].number
        if number is not None:
            self.dismiss(number)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("pause", "cancel"):
            return self._marked is not None and not self._marked.progress.ended
        return super().check_action(action, parameters)

    def action_pause(self) -> None:
        if self._marked is not None:
            self._batches.pause(self._marked.key)

    def action_cancel(self) -> None:
        if (state := self._marked) is None:
            return

        def cancel(wanted: bool | None) -> None:
            if wanted:
                self._batches.cancel(state.key)

        unsent = state.progress.unsent
        text = ngettext(
            "{count} document is not sent yet. What is on its way is finished. Documents that came from the form are "
            "in it again when it is next opened.",
            "{count} documents are not sent yet. What is on its way is finished. Documents that came from the form are "
            "in it again when it is next opened.",
            unsent,
        ).format(count=f"{unsent:,}")
        question = _("Cancel what is not yet sent?")
        self.app.push_screen(ConfirmScreen(question, text, _("Cancel it"), _("Go on sending")), cancel)
