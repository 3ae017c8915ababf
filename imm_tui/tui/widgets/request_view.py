"""A submission as it was sent: its parameters, and the same call for a shell and for Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from imm_tui import snippets
from imm_tui.i18n import N_, _
from imm_tui.text import block, line
from imm_tui.tui.widgets.choice_line import ChoiceLine
from imm_tui.tui.widgets.detail import Page
from imm_tui.tui.widgets.facts import Facts
from imm_tui.tui.widgets.words import Words

_PARAMETERS, _ALIYUN, _PYTHON = range(3)


class RequestView(Page):
    """One of the three forms; the chosen one stays when another request is shown."""

    BINDING_GROUP_TITLE = N_("Request")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "c",
            "switch_form",
            N_("form"),
            id="request.form",
            tooltip=N_("Show the parameters, an aliyun command, or a Python program"),
        ),
    ]

    def __init__(self) -> None:
        super().__init__(id="request")
        self._request: Mapping[str, Any] | None = None
        self._why = ""
        self._forms = ChoiceLine([_("Parameters"), "aliyun", "Python"], id="forms")
        self._said = Words("note")
        self._facts = Facts()
        self._code = Words("code")

    def compose(self) -> ComposeResult:
        yield from (self._forms, self._said, self._facts, self._code)

    def show(self, request: Mapping[str, Any] | None, why: str) -> None:
        """Shows a request in the history's form; None where it is not known, and then `why`."""
        self._request, self._why = request, why
        self._draw()

    def text(self) -> tuple[str, str]:
        """The request in the chosen form, to be copied as it is, and what that is."""
        if self._request is None:
            return "", ""
        form = self._forms.chosen
        if form == _ALIYUN:
            return snippets.aliyun(self._request), _("the aliyun command")
        if form == _PYTHON:
            return snippets.python(self._request), _("the Python program")
        return json.dumps(self._request, indent=2, ensure_ascii=False), _("the request")

    def action_switch_form(self) -> None:
        if self._request is not None:
            self._forms.step(1)

    def on_choice_line_switched(self, event: ChoiceLine.Switched) -> None:
        event.stop()
        self.scroll_home(animate=False)
        self._draw()

    def _draw(self) -> None:
        request, form = self._request, self._forms.chosen
        self._forms.display = request is not None
        self._said.say(self._note(form))
        self._facts.show(_parameters(request) if request is not None and form == _PARAMETERS else [])
        self._code.say(block(self.text()[0]) if form != _PARAMETERS else "")

    def _note(self, form: int) -> str:
        if self._request is None:
            return self._why
        notes = []
        if form == _ALIYUN and not snippets.is_described(self._request):
            notes.append(
                _(
                    "The aliyun CLI knows another version of imm, and takes this one only under a name that it does not"
                    " know. The name is not sent."
                )
            )
        if form != _PARAMETERS and snippets.needs_password(self._request):
            notes.append(
                _("The document's password is not kept: put it into the environment variable {name}.").format(
                    name=snippets.PASSWORD
                )
            )
        if form != _PARAMETERS and "IdempotentToken" in self._request["parameters"]:
            notes.append(_("IMM takes a second call with the same IdempotentToken for the first one: change it."))
        return "\n".join(notes)


def _parameters(request: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The call, then its parameters; their names are IMM's."""
    call = [("Action", request["action"]), ("Version", request["version"])]
    place = [("RegionId", request["region"]), (_("endpoint"), request["endpoint"])]
    return [
        (line(name), _("sent, and not kept") if value is None else line(value))
        for name, value in [*call, *place, *request["parameters"].items()]
    ]
