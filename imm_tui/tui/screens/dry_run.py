"""What a submission would do, before its first call: each document with its place, and what speaks against it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalGroup
from textual.content import Content
from textual.widgets import Button, Footer, Static

from imm_tui.dry_run import Note, Preview
from imm_tui.i18n import N_, _, ngettext
from imm_tui.text import line
from imm_tui.tui.localized import Localized
from imm_tui.tui.theme import QUIET
from imm_tui.tui.widgets.preview_list import LOOKS, SHAPES, PreviewList

_COLOURS = {"wrong": "$text-error", "warned": "$text-warning"}


class DryRunScreen(Localized[bool], inherit_bindings=False):
    """It ends with true when it is to be sent."""

    AUTO_FOCUS = "PreviewList"
    BINDING_GROUP_TITLE = N_("The dry run")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,ctrl+s", "answer(True)", N_("submit"), id="dry-run.submit", tooltip=N_("Send them to IMM")),
        Binding(
            "escape,q", "answer(False)", N_("back"), id="dry-run.back", tooltip=N_("Back to the form: send nothing")
        ),
        Binding("n", "noted(1)", N_("next note"), id="dry-run.next", tooltip=N_("To the next line with a note")),
        Binding(
            "N",
            "noted(-1)",
            N_("Note before"),
            id="dry-run.before",
            tooltip=N_("To the line with a note before"),
            show=False,
        ),
        Binding("o", "only", N_("only noted"), id="dry-run.only", tooltip=N_("Leave out the lines without a note")),
        Binding(
            "f1,question_mark", "app.help", N_("help"), id="dry-run.help", key_display="?", tooltip=N_("What keys do")
        ),
        Binding("tab", "app.focus_next", N_("Next"), id="dry-run.switch", tooltip=N_("To the next part"), show=False),
        Binding(
            "shift+tab",
            "app.focus_previous",
            N_("Back"),
            id="dry-run.switch-back",
            tooltip=N_("The part before"),
            show=False,
        ),
    ]

    def __init__(self, preview: Preview, place: str) -> None:
        """`place` says where to, cleaned."""
        super().__init__()
        self._preview = preview
        self._place = place
        self._only = False

    def compose(self) -> ComposeResult:
        count = len(self._preview.conversions)
        with HorizontalGroup(id="header"):
            yield Static(Content.assemble((_("Dry run"), "bold $text-accent"), f"  {self._place}"), id="where")
        yield Static(self._counts(), id="counts")
        yield PreviewList(self._preview.rows)
        yield Static(id="row", markup=False)
        with HorizontalGroup(id="buttons"):
            words = ngettext("Submit {count} document", "Submit {count} documents", count).format(count=f"{count:,}")
            yield Button(words, variant="primary", compact=True, id="submit", disabled=not count)
            yield Button(_("Back"), compact=True, id="back")
        yield Footer(show_command_palette=False)

    def _counts(self) -> Content:
        """`37 to submit · 2 duplicates, sent once · 1 wrong: it stays in the form · 3 collisions`."""
        counts, count = self._preview.counts, len(self._preview.conversions)
        shown = ngettext("{count} document to submit", "{count} documents to submit", count)
        parts = [Content.styled(shown.format(count=f"{count:,}"), "bold")]
        phrases = {
            Note.WRONG: ngettext(
                "{count} wrong line stays in the form", "{count} wrong lines stay in the form", counts[Note.WRONG]
            ),
            Note.COLLISION: ngettext(
                "{count} collides with another", "{count} collide with one another", counts[Note.COLLISION]
            ),
            Note.OVERWRITES: ngettext(
                "{count} overwrites an earlier result", "{count} overwrite earlier results", counts[Note.OVERWRITES]
            ),
            Note.DUPLICATE: ngettext(
                "{count} duplicate is left out", "{count} duplicates are left out", counts[Note.DUPLICATE]
            ),
        }
        for note, phrase in phrases.items():
            if counts[note]:
                colour = _COLOURS[LOOKS[note]] if note in LOOKS else QUIET
                parts.append(Content.styled(f"{SHAPES[note]} {phrase.format(count=f'{counts[note]:,}')}", colour))
        return Content("   ").join(parts)

    def on_row_list_selected(self) -> None:
        row = self.query_one(PreviewList).row
        told = [Content(line(row.source)), Content.styled(line(row.target), QUIET)] if row is not None else []
        if row is not None and row.why:
            colour = _COLOURS[LOOKS[row.note]] if row.note in LOOKS else QUIET
            told.append(Content.styled(f"{SHAPES[row.note]} {line(row.why)}", colour))
        self.query_one("#row", Static).update(Content("\n").join(part for part in told if part.plain))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("noted", "only"):
            return self._preview.objections
        if action == "answer" and parameters == (True,):
            return bool(self._preview.conversions)
        return super().check_action(action, parameters)

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)

    def action_noted(self, step: int) -> None:
        self.query_one(PreviewList).to_noted(step)

    def action_only(self) -> None:
        self._only = not self._only
        self.query_one(PreviewList).show_noted(self._only)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "submit")
