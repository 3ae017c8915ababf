"""One option of the form: its name, what is typed or chosen, and its help, or what is wrong."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import HorizontalGroup
from textual.widget import Widget
from textual.widgets import Label

from imm_tui import options
from imm_tui.errors import BadInput
from imm_tui.i18n import _
from imm_tui.options import Kind, Option
from imm_tui.tui.widgets.field import Choice, LineInput, Note


class OptionField(Widget):
    """The field itself has the id `option-NAME`, with IMM's name for the option; its note `option-NAME-note`."""

    def __init__(self, option: Option, text: str) -> None:
        """`text` is what was typed for it before."""
        super().__init__()
        self.option = option
        self._field = _field(option, text)

    def compose(self) -> ComposeResult:
        with HorizontalGroup(classes="field"):
            yield Label(_(self.option.label), markup=False)
            yield self._field
        advice = _(self.option.help)
        if self.option.kind is Kind.SEVERAL:
            advice = f"{advice} {', '.join(self.option.choices)}"
        yield Note(advice, id=f"option-{self.option.name}-note")

    @property
    def text(self) -> str:
        """What is typed or chosen."""
        return self._field.value

    @property
    def counts(self) -> bool:
        """Whether it has an effect on what is asked for now."""
        return bool(self.display) and not self.disabled

    def check(self) -> None:
        """Raises BadInput where what was typed cannot be sent."""
        if not self.counts:
            return
        try:
            options.check(self.option, self.text)
        except BadInput as wrong:
            # The field stands beside it, with what was typed in it: the reason is all that need be said.
            raise BadInput(wrong.why or wrong.what, field=wrong.field) from None


def _field(option: Option, text: str) -> Choice | LineInput:
    name = f"option-{option.name}"
    match option.kind:
        case Kind.FLAG:
            return Choice({"": _("default"), "true": _("on"), "false": _("off")}, text, id=name)
        case Kind.CHOICE:
            return Choice({"": _("default"), **{choice: choice for choice in option.choices}}, text, id=name)
        case _:
            return LineInput(text, compact=True, id=name)
