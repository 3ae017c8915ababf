"""What every key does on the screen below, read from the bindings that are active there, and what the shapes mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Grid, VerticalGroup, VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Static

from imm_tui.i18n import N_, _
from imm_tui.listener import Phase
from imm_tui.tasks import SHAPES, Status
from imm_tui.tui import listener_words, task_words
from imm_tui.tui.keymap import title_of
from imm_tui.tui.localized import Localized
from imm_tui.tui.theme import QUIET, STATUS_COLOURS

_STATUSES = {
    Status.SUBMITTING: N_("on its way to IMM"),
    Status.RUNNING: N_("IMM works on it"),
    Status.SUCCEEDED: N_("the results are at the target"),
    Status.FAILED: N_("not converted: the code says why"),
    Status.UNKNOWN: N_("it may have reached IMM, or not"),
}
_PHASES = {
    Phase.STARTING: (N_("starting"), N_("about to listen to the queue")),
    Phase.LISTENING: (N_("listening"), N_("events appear as they come")),
    Phase.PEEKING: (N_("peeking"), N_("read-only: sees the first 16 messages of the queue, and leaves them there")),
    Phase.RECONNECTING: (N_("reconnecting"), N_("it tries again by itself")),
    Phase.STOPPED: (N_("stopped"), N_("it needs a person")),
    Phase.PAUSED: (N_("paused"), N_("events wait on the queue until you resume")),
    Phase.WATCHING: (N_("watching"), N_("another imm-tui listens")),
}


class HelpScreen(Localized[None], ModalScreen[None], inherit_bindings=False):
    """Laid over the screen that it explains, `below`. `wanted` are the keys that `file` gives in place of ours."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (114, "-wide")]  # noqa: RUF012 - no ClassVar in the class above
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "keys", N_("change keys"), id="help.keys", tooltip=N_("The ids by which keys can be changed")),
        Binding(
            "escape,q,question_mark,f1",
            "dismiss",
            N_("close"),
            id="help.close",
            tooltip=N_("Back to where you were"),
        ),
    ]

    def __init__(self, below: Screen[object], wanted: Mapping[str, str], file: str) -> None:
        super().__init__()
        self._below = below
        self._wanted = wanted
        self._file = file

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as region:
            region.border_title = _("Keys and shapes")
            with VerticalGroup(id="keys"):
                yield from self._keys(self._below)  # not by its place on the stack: this one may be closed already
            with VerticalGroup(id="shapes"):
                yield from _shapes()
        yield Footer(show_command_palette=False)

    def _keys(self, below: Screen[object]) -> ComposeResult:
        """The active bindings: those of the screen, then those of what has the focus, then those of the app."""
        groups: dict[DOMNode, list[ActiveBinding]] = {}
        for active in below.active_bindings.values():
            groups.setdefault(active.node, []).append(active)
        for node in sorted(groups, key=lambda node: (node is self.app, node is not below)):
            if node is self.app:
                title = _("Everywhere")
            elif node is below:
                title = _("This screen")
            else:
                title = _(title_of(type(node)))
            yield from _explained(_(node.BINDING_GROUP_TITLE or "") or title, self._rows(groups[node]))

    def action_keys(self) -> None:
        """The ids of all keys, in place of the help."""
        from imm_tui.tui.screens.keys import KeysScreen

        self.app.switch_screen(KeysScreen(self._wanted, self._file))

    def _rows(self, bindings: Iterable[ActiveBinding]) -> Iterable[tuple[Content, str]]:
        """The keys of each action, and what they do."""
        actions: dict[str, list[Binding]] = {}
        for active in bindings:
            actions.setdefault(active.binding.action, []).append(active.binding)
        for action, same in actions.items():
            keys = " ".join(dict.fromkeys(map(self.app.get_key_display, same)))
            yield Content.styled(keys, "$text-accent"), same[0].tooltip or same[0].description or action


def _shapes() -> ComposeResult:
    statuses = [
        (Content.assemble(f"{task_words.status(status)} ", (SHAPES[status], STATUS_COLOURS[status])), _(words))
        for status, words in _STATUSES.items()
    ]
    marks = [
        (Content.assemble(f"{_('Untracked')} ", (task_words.UNTRACKED, QUIET)), _("not submitted from here")),
        (Content.assemble(f"{_('Asked')} ", (task_words.ASKED, QUIET)), _("no event came, IMM was asked")),
    ]
    phases = [
        (Content(f"{_(name)} {listener_words.SHAPES[phase]}"), _(words)) for phase, (name, words) in _PHASES.items()
    ]
    yield from _explained(_("Tasks"), [*statuses, *marks])
    yield from _explained(_("The listener"), phases)


def _explained(title: str, rows: Iterable[tuple[Content, str]]) -> ComposeResult:
    yield Static(title, classes="title", markup=False)
    with Grid():
        for mark, words in rows:
            yield Static(mark, classes="mark")
            yield Static(words, markup=False)
