"""The parts of a form: text that is safe to show as it is typed, a choice of a few words, a note under a field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea
from textual.widgets.text_area import Edit, EditResult

from imm_tui import text
from imm_tui.errors import Trouble
from imm_tui.i18n import N_


class LineInput(Input):
    """One line of text. A control character that is pasted becomes visible: a terminal would obey it."""

    def validate_value(self, value: str) -> str:
        return text.line(value, limit=None)


class LinesInput(TextArea):
    """A few lines of text, one thing a line; known things are offered as a line's completion.

    Enter ends the input, as in a field of one line; ctrl+j starts another line.
    """

    BINDING_GROUP_TITLE = N_("Text")
    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the text area takes it for a line break.
        Binding(
            "enter", "submit", N_("Submit"), id="lines.submit", tooltip=N_("Submit the form"), show=False, priority=True
        ),
        Binding(
            "ctrl+j,shift+enter",
            "newline",
            N_("New line"),
            id="lines.newline",
            tooltip=N_("One more line"),
            show=False,
            priority=True,
        ),
    ]

    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self, value: str, *, placeholder: str, known: Sequence[str], id: str) -> None:  # noqa: A002
        """`value` and `known` hold nothing that a terminal would obey."""
        super().__init__(
            value,
            placeholder=Content(placeholder),
            compact=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
            id=id,
        )
        self._known = known

    @property
    def lines(self) -> list[str]:
        """What stands in the lines that are not blank."""
        return [line.strip() for line in self.text.splitlines() if line.strip()]

    def edit(self, edit: Edit) -> EditResult:
        # Terminals send what is pasted with CR for a line's end.
        edit.text = text.block(edit.text.replace("\r\n", "\n").replace("\r", "\n"), limit=None)
        return super().edit(edit)

    def update_suggestion(self) -> None:
        row, column = self.cursor_location
        typed = self.document.get_line(row)
        if not typed or column < len(typed):
            self.suggestion = ""
        else:
            self.suggestion = next((known[column:] for known in self._known if known.startswith(typed)), "")

    def action_submit(self) -> None:
        self.post_message(self.Submitted())

    def action_newline(self) -> None:
        # Keys that came in one go wait in this widget's queue already: the line ends behind them, not in front.
        self.call_later(self.insert, "\n")


class Choice(Widget, can_focus=True):
    """One of a few words, side by side: arrows, a click or the first letter choose."""

    BINDING_GROUP_TITLE = N_("Choice")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left", "move(-1)", N_("Previous"), id="choice.previous", tooltip=N_("The choice to the left"), show=False
        ),
        Binding(
            "right,space", "move(1)", N_("Next"), id="choice.next", tooltip=N_("The choice to the right"), show=False
        ),
        Binding("enter", "submit", N_("Submit"), id="choice.submit", tooltip=N_("Submit the form"), show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--chosen"}
    ALLOW_SELECT = False

    value: reactive[str] = reactive("")

    class Changed(Message):
        """Another word was chosen."""

    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self, words: Mapping[str, str], value: str, *, id: str) -> None:  # noqa: A002
        """`words` gives each value the word that is shown for it."""
        super().__init__(id=id)
        self._words = words
        self._values = list(words)
        self.set_reactive(Choice.value, value if value in words else self._values[0])

    def render(self) -> RenderResult:
        chosen = self.get_visual_style("choice--chosen")
        shown = ((f" {word} ", chosen if value == self.value else "") for value, word in self._words.items())
        return Content.assemble(*shown)

    def watch_value(self) -> None:
        self.post_message(self.Changed())

    def action_move(self, step: int) -> None:
        self.value = self._values[(self._values.index(self.value) + step) % len(self._values)]

    def action_submit(self) -> None:
        self.post_message(self.Submitted())

    def on_click(self, event: events.Click) -> None:
        end = 0
        offset = event.get_content_offset(self)
        for value, word in self._words.items():
            end += cell_len(word) + 2
            if offset is not None and offset.x < end:
                self.value = value
                return

    def on_key(self, event: events.Key) -> None:
        following = self._values[self._values.index(self.value) + 1 :]
        for value in (*following, *self._values):
            if event.character and self._words[value].startswith(event.character):
                event.stop()
                self.value = value
                return


class Note(Static):
    """What is under a field: a word of advice or, when that is needed, what is wrong and how to mend it."""

    def __init__(self, advice: str, *, id: str) -> None:  # noqa: A002
        super().__init__(advice, markup=False, id=id)
        self._advice = advice
        self._trouble: Trouble | None = None

    @property
    def wrong(self) -> bool:
        return self._trouble is not None

    def advise(self, advice: str) -> None:
        self._advice = advice
        self._show()

    def tell(self, trouble: Trouble | None) -> None:
        self._trouble = trouble
        self._show()

    def _show(self) -> None:
        self.set_class(self.wrong, "wrong")
        self.update(f"✘ {text.line(self._trouble)}" if self._trouble else self._advice)
