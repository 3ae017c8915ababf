"""What every key does on the screen below, read from the bindings that are active there, and what the shapes mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Grid, VerticalGroup, VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Static

from imm_tui.listener import Phase
from imm_tui.tasks import SHAPES, Status
from imm_tui.tui.localized import Localized
from imm_tui.tui.theme import QUIET, STATUS_COLOURS
from imm_tui.tui.view import ASKED, PHASE_SHAPES, UNTRACKED

_STATUSES = {
    Status.SUBMITTING: "on its way to IMM",
    Status.RUNNING: "IMM works on it",
    Status.SUCCEEDED: "the results are at the target",
    Status.FAILED: "not converted: the code says why",
    Status.UNKNOWN: "it may have reached IMM, or not",
}
_PHASES = {
    Phase.STARTING: "about to listen to the queue",
    Phase.LISTENING: "events appear as they come",
    Phase.RECONNECTING: "it tries again by itself",
    Phase.STOPPED: "it needs a person",
    Phase.PAUSED: "events wait on the queue until you resume",
    Phase.WATCHING: "another imm-tui listens",
}


class HelpScreen(Localized[None], ModalScreen[None], inherit_bindings=False):
    """Laid over the screen that it explains, `below`."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (114, "-wide")]  # noqa: RUF012 - no ClassVar in the class above
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "close", id="help.close", tooltip="Back to where you were"),
    ]

    def __init__(self, below: Screen[object]) -> None:
        super().__init__()
        self._below = below

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as region:
            region.border_title = "Keys and shapes"
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
                title = "Everywhere"
            elif node is below:
                title = "This screen"
            else:
                title = re.sub("(?<=.)[A-Z]", lambda at: f" {at[0].lower()}", type(node).__name__)
            yield from _explained(node.BINDING_GROUP_TITLE or title, self._rows(groups[node]))

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
        (Content.assemble(f"{status} ", (SHAPES[status], STATUS_COLOURS[status])), words)
        for status, words in _STATUSES.items()
    ]
    marks = [
        (Content.assemble("Untracked ", (UNTRACKED, QUIET)), "not submitted from here"),
        (Content.assemble("Asked ", (ASKED, QUIET)), "no event came, IMM was asked"),
    ]
    phases = [(Content(f"{phase.value} {PHASE_SHAPES[phase]}"), words) for phase, words in _PHASES.items()]
    yield from _explained("Tasks", [*statuses, *marks])
    yield from _explained("The listener", phases)


def _explained(title: str, rows: Iterable[tuple[Content, str]]) -> ComposeResult:
    yield Static(title, classes="title", markup=False)
    with Grid():
        for mark, words in rows:
            yield Static(mark, classes="mark")
            yield Static(words, markup=False)
