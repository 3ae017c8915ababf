"""The filter of the list: a line to type it in, and afterwards a chip that says what is filtered by."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalGroup, VerticalGroup
from textual.message import Message
from textual.suggester import Suggester
from textual.timer import Timer
from textual.widgets import Input, Static

from imm_tui.errors import BadInput
from imm_tui.i18n import N_, _, ngettext
from imm_tui.query import Filter, completions, parse, settled
from imm_tui.tasks import now
from imm_tui.text import line
from imm_tui.tui.widgets.field import LineInput

_SETTLE = 0.002
"""Seconds without a key after which the list is filtered by what was typed: keys that come in one go are one change,
and the search begins before what was typed is drawn."""

_PAUSE = 0.8
"""Seconds without a key after which a mistake is told: nobody wants to hear of one in the midst of a word."""

_EXAMPLES = ("status:failed since:1d", "pages>10 -type:pdf", '"two words" or is:untracked')


class _Completing(Suggester):
    """Continues the last word."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        return next(iter(completions(value).values()), None)


class _Field(LineInput):
    """Its enter is shown: it does more than to submit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", N_("keep"), id="filter.keep", tooltip=N_("Go to the list, filtered like this")),
    ]


class FilterBar(VerticalGroup):
    """Takes no room until it is opened or filters.

    Whoever owns it moves the focus to the list at Done and at Cleared, and tells it how many tasks are found.
    """

    BINDING_GROUP_TITLE = N_("The filter")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "keep", N_("list"), id="filter.list", tooltip=N_("The same as enter"), show=False),
        Binding("tab", "complete", N_("complete"), id="filter.complete", tooltip=N_("Take the word that is offered")),
        Binding("escape", "clear", N_("clear"), id="filter.clear", tooltip=N_("List all tasks again")),
    ]

    class Changed(Message):
        """Another filter holds from now on; while one types, it stands for what is complete so far: a word that may
        become the name of a field is looked for only when a blank or enter has ended it."""

        def __init__(self, filter: Filter) -> None:  # noqa: A002
            super().__init__()
            self.filter = filter

    class Done(Message):
        """The filter is kept, and nothing more is typed."""

    class Cleared(Message):
        """There is no filter any more; a Changed went before."""

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self._told = ""
        """The text of the filter that holds."""
        self._found: int | None = None
        self._settling: Timer | None = None
        self._pausing: Timer | None = None

    def compose(self) -> ComposeResult:
        with HorizontalGroup():
            yield Static("/", markup=False, id="filter-prompt")
            yield _Field(
                compact=True, suggester=_Completing(), select_on_focus=False, id="filter-input", placeholder=_("filter")
            )
            yield Static(markup=False, id="filter-chip")
            yield Static(markup=False, id="filter-found")
        yield Static(markup=False, id="filter-note")

    # For whoever owns it

    @property
    def filter(self) -> Filter:
        """What is filtered by, as of this moment."""
        return parse(settled(self._text) if self.editing else self._text, now(), unfinished=True)

    @property
    def editing(self) -> bool:
        return self.has_class("editing")

    def open(self) -> None:
        """Lets a person type, from where the filter is now."""
        self.add_class("editing")
        field = self._field
        self.screen.set_focus(field)  # at once: what is typed in one go with the key that opened it is for the field
        field.cursor_position = len(field.value)
        self._show()

    def use(self, text: str) -> None:
        """Filters by `text` from now on, without any typing."""
        self._field.value = text
        self._text = self._field.value
        self._close()
        self._announce()

    def clear(self) -> None:
        """Filters no more."""
        self.use("")
        self.post_message(self.Cleared())

    def show_found(self, number: int) -> None:
        """How many tasks the filter lets through."""
        self._found = number
        self._show_found()

    # What a person does

    @property
    def _field(self) -> LineInput:
        return self.query_one(LineInput)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value == self._text:
            return
        self._text = event.value
        self._stop_timers()
        self._settling = self.set_timer(_SETTLE, self._announce_if_new)
        self._pausing = self.set_timer(_PAUSE, self._check)
        self._show()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_keep()

    def action_keep(self) -> None:
        if self._check():
            self._close()
            self._announce_if_new()
            self.post_message(self.Done())

    def action_complete(self) -> None:
        self._field.action_end()
        self._field.action_cursor_right()

    def action_clear(self) -> None:
        self.clear()

    def on_click(self) -> None:
        if not self.editing:
            self.open()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        # A click elsewhere has moved the focus; not where the whole terminal has lost it.
        if self.editing and self.app.app_focus:
            self.call_after_refresh(self._close_unless_focused)

    def _close_unless_focused(self) -> None:
        if not self._field.has_focus and self.screen.is_current:
            self._close()
            self._announce_if_new()

    # What follows

    def _announce_if_new(self) -> None:
        if self.filter.text.strip() != self._told:
            self._announce()

    def _announce(self) -> None:
        holds = self.filter
        self._told = holds.text.strip()
        self._show_found()
        self.post_message(self.Changed(holds))

    def _check(self) -> bool:
        """Whether the filter can be read to its end; if not, says why."""
        try:
            parse(self._text, now())
        except BadInput as trouble:
            self._note(f"✘ {line(trouble.why)} {line(trouble.fix)}", wrong=True)
            return False
        return True

    def _close(self) -> None:
        self._stop_timers()
        self.remove_class("editing")
        self._show()

    def _stop_timers(self) -> None:
        for timer in (self._settling, self._pausing):
            if timer is not None:
                timer.stop()
        self._settling = self._pausing = None

    def _show(self) -> None:
        self.set_class(bool(self._text.strip()), "active")
        self.query_one("#filter-chip", Static).update(line(self._text.strip()))
        words = completions(self._text) if self._text else _EXAMPLES
        self._note("   ".join(words))
        self._show_found()

    def _note(self, words: str, *, wrong: bool = False) -> None:
        note = self.query_one("#filter-note", Static)
        note.set_class(wrong, "wrong")
        note.update(words)

    def _show_found(self) -> None:
        words = ""
        if self._found is not None and self._told:
            words = ngettext("{count} task", "{count} tasks", self._found).format(count=f"{self._found:,}")
            if not self.editing:
                words = _("{tasks} · Esc clears").format(tasks=words)
        self.query_one("#filter-found", Static).update(words)
