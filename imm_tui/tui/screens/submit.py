"""The form that submits conversions.

It checks each field as it is left, and keeps what was typed until IMM has accepted it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalGroup, Vertical, VerticalGroup, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button, Footer, Input, Label, Static

from imm_tui import submission, text
from imm_tui.config import Settings
from imm_tui.errors import BadInput, HistoryUnusable, OutcomeUnknown, Trouble
from imm_tui.history import History
from imm_tui.submission import Outcome
from imm_tui.tui.localized import Localized
from imm_tui.tui.theme import QUIET
from imm_tui.tui.widgets.field import Choice, LineInput, LinesInput, Note
from imm_tui.tui.widgets.overflow import Overflow

if TYPE_CHECKING:
    from imm_tui.tui.app import ImmApp

_IMAGES = ("png", "jpg")
"""The target types that have a resolution."""

_RECENT = 200
"""Tasks whose sources are offered as completions."""

_EXAMPLE = "oss://bucket/folder/document.docx"

_BEATS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed; the password is not kept."""

    sources: str = ""
    target_type: str = ""
    target_uri: str = ""
    pages: str = ""
    dpi: str = ""

    @property
    def next(self) -> Draft:
        """What a form for other documents starts with."""
        return Draft(target_type=self.target_type, target_uri=self.target_uri, dpi=self.dpi)


class SubmitScreen(Localized[None], ModalScreen[None], inherit_bindings=False):
    """Asks for conversions, submits them, and closes when they are accepted.

    Closing it does not stop a submission that is under way. What was typed is there again when it is next opened.
    """

    AUTO_FOCUS = "#sources"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (27, "-tall")]  # noqa: RUF012 - no ClassVar in the class above
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (64, "-wide")]  # noqa: RUF012
    BINDING_GROUP_TITLE = "The form"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "submit", id="form.submit", tooltip="Send the conversions to IMM"),
        Binding("tab", "app.focus_next", "next field", id="form.next", tooltip="Check this field and go on"),
        Binding("escape", "close", "close", id="form.close", tooltip="Leave the form; what was typed is kept"),
        Binding("f1", "app.help", "help", id="form.help", tooltip="Show what every key does"),
        Binding("shift+tab", "app.focus_previous", "Back", id="form.back", tooltip="The field before", show=False),
        Binding(
            "ctrl+c", "screen.copy_text", "Copy", id="form.copy", tooltip="Copy what the mouse selected", show=False
        ),
    ]

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._since: float | None = None
        """When the submission that is under way began, by the monotonic clock."""
        self._pulse: Timer | None = None
        self._sent = Draft()
        self._left: Widget | None = None
        """What had the focus when the submission began."""
        self._accepted = False
        self._abandoned = False

    # What is on it

    def compose(self) -> ComposeResult:
        settings, draft = self._settings, self._imm_app.draft or Draft()
        types = submission.target_types(settings.api_version)
        target_type = draft.target_type if draft.target_type in types else types[0]
        with Vertical(id="form") as form:
            form.border_title = "Submit a conversion"
            form.border_subtitle = Content(_place(settings))
            with VerticalScroll(id="body", can_focus=False):
                with VerticalGroup(id="fields"):
                    with HorizontalGroup(classes="field"):
                        yield Label("Source")
                        yield LinesInput(draft.sources, placeholder=_EXAMPLE, known=self._recent(), id="sources")
                    yield Note("The document to convert. Several: one a line (ctrl+j).", id="sources-note")
                    with HorizontalGroup(classes="field"):
                        yield Label("Convert to")
                        yield Choice(types, target_type, id="target-type")
                        yield Label("DPI", classes="second")
                        yield LineInput(draft.dpi, placeholder="96", compact=True, id="dpi")
                    yield Note("", id="dpi-note")
                    with HorizontalGroup(classes="field"):
                        yield Label("Target")
                        yield LineInput(draft.target_uri, compact=True, id="target-uri")
                    yield Note("", id="target-uri-note")
                    with HorizontalGroup(classes="field"):
                        yield Label("Pages")
                        yield LineInput(draft.pages, placeholder="all", compact=True, id="pages")
                        yield Label("Password", classes="second")
                        yield Input(placeholder="of a protected document", password=True, compact=True, id="password")
                    yield Note("Pages such as 1,2-4,7.", id="pages-note")
                with Overflow(id="answer"):
                    yield Static(markup=False, id="answer-text")
            with HorizontalGroup(id="buttons"):
                yield Button("Submit", variant="primary", compact=True, id="submit")
                yield Button("Close", compact=True, id="close")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self._retarget()
        self._restyle()
        self._explain()

    def _recent(self) -> list[str]:
        """The sources of the newest tasks, those that can be shown as they are."""
        try:
            with History(self._imm_app.history_path) as history:
                sources = [task.source_uri for task in history.tasks(limit=_RECENT)]
        except HistoryUnusable:
            return []  # the form does without; the dashboard tells of it
        return list(dict.fromkeys(uri for uri in sources if uri and text.line(uri) == uri))

    def _explain(self) -> None:
        """Says what stands in the way of any submission, if anything does."""
        settings = self._settings
        missing = settings.missing_to_submit()
        if not missing:
            return
        variables = ", ".join(f"IMM_TUI_{name.upper()}" for name in missing)
        trouble = Trouble(
            f"Nothing can be submitted yet: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set.",
            f"Neither {settings.place} nor {variables} gives a value.",
            "Set what is missing in either place and start imm-tui again.",
        )
        self.query_one("#submit").disabled = True
        self._tell(_told(trouble, "!", "$text-warning"))

    @property
    def _imm_app(self) -> ImmApp:
        return cast("ImmApp", self.app)

    # What is typed

    @property
    def _sources(self) -> list[str]:
        return self.query_one("#sources", LinesInput).lines

    @property
    def _dpi(self) -> str:
        return "" if self.query_one("#dpi").disabled else self._typed("dpi")

    def _typed(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value

    @property
    def _checks(self) -> Mapping[str, Callable[[], object]]:
        """The check of each field that can be wrong, in the order of the form; each raises BadInput."""
        return {
            "sources": self._check_sources,
            "dpi": lambda: submission.check_dpi(self._dpi),
            "target-uri": lambda: submission.check_target_uri(
                _as_typed(self._typed("target-uri"), "target_uri"), self._settings.api_version
            ),
            "pages": lambda: submission.check_pages(self._typed("pages")),
        }

    def _check_sources(self) -> None:
        sources = self._sources or [""]
        for number, source in enumerate(sources, 1):
            try:
                submission.check_source_uri(_as_typed(source, "source_uri"))
            except BadInput as wrong:
                if len(sources) > 1:
                    raise BadInput(f"Line {number}: {wrong.what}", wrong.why, wrong.fix, field=wrong.field) from None
                raise

    def _check(self, field: str) -> bool:
        """Checks one field and says beside it what is wrong, if anything is."""
        wrong: Trouble | None = None
        try:
            self._checks[field]()
        except BadInput as trouble:
            wrong = trouble
        self.query_one(f"#{field}-note", Note).tell(wrong)
        return wrong is None

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        # Somebody who looks something up in another window has not left the field.
        field = event.widget.id or ""
        if self.app.app_focus and field in self._checks:
            self._check(field)

    @on(Input.Changed)
    @on(LinesInput.Changed)
    def _mended(self, event: Input.Changed | LinesInput.Changed) -> None:
        field = event.control.id or ""
        if field in self._checks and self.query_one(f"#{field}-note", Note).wrong:
            self._check(field)
        self._retarget()

    @on(Choice.Changed)
    def _restyle(self) -> None:
        """Only images have a resolution."""
        target_type = self.query_one("#target-type", Choice).value
        dpi = self.query_one("#dpi", Input)
        dpi.disabled = target_type not in _IMAGES
        lowest, highest = submission.DPI.start, submission.DPI.stop - 1
        note = self.query_one("#dpi-note", Note)
        note.advise(
            f"DPI is the images' resolution, {lowest} to {highest}."
            if not dpi.disabled
            else f"DPI is for {' and '.join(_IMAGES)} only."
        )
        if dpi.disabled or note.wrong:
            self._check("dpi")

    def _retarget(self) -> None:
        """Says where the results go when the target is left empty."""
        sources = self._sources
        for source in (*sources[:1], _EXAMPLE):
            with suppress(BadInput):
                [planned] = submission.plan([source], "png", self._settings)
                self.query_one("#target-uri", Input).placeholder = text.line(planned.target_uri)
                break
        self.query_one("#target-uri-note", Note).advise(
            "The folder for the results; empty for the one shown."
            if len(sources) < 2
            else f"{len(sources)} documents, each into a folder of its own."
        )

    # What is sent

    @on(LinesInput.Submitted)
    @on(Choice.Submitted)
    @on(Input.Submitted)
    @on(Button.Pressed, "#submit")
    def action_submit(self) -> None:
        if self._since is not None or self.query_one("#submit").disabled:
            return
        wrong = [field for field in self._checks if not self._check(field)]
        if wrong:
            self.query_one(f"#{wrong[0]}").focus()
            return
        try:
            conversions = submission.plan(
                self._sources,
                self.query_one("#target-type", Choice).value,
                self._settings,
                target_uri=self._typed("target-uri"),
                pages=self._typed("pages"),
                dpi=self._dpi,
                password=self._typed("password"),
            )
        except BadInput as trouble:  # of the profile's target, say: no field of this form is wrong
            self._tell(_told(trouble))
            return
        self._begin(len(conversions))
        self._imm_app.submit(conversions, self._done)

    def _begin(self, count: int) -> None:
        self._sent = self._typed_draft()
        self._left = self.focused
        self._since = time.monotonic()
        self._busy(True)
        self._beat(count)
        self._pulse = self.set_interval(1 / 8, lambda: self._beat(count))

    def _busy(self, busy: bool) -> None:
        self.query_one("#fields").disabled = busy
        self.query_one("#submit").disabled = busy

    def _beat(self, count: int) -> None:
        """A sign of life."""
        assert self._since is not None
        passed = time.monotonic() - self._since
        beat = _BEATS[int(passed * 8) % len(_BEATS)]
        what = "Submitting…" if count == 1 else f"Submitting {count} documents…"
        self._tell(
            Content.assemble(
                (f"{beat} {what}", "bold"),
                f"  {passed:.0f} s\n\n",
                ("Escape closes the form. The submission goes on; the list shows how it ends.", QUIET),
            )
        )

    def _done(self, result: list[Outcome] | Trouble) -> None:
        """Tells what became of the submission: in the form, or in a toast if it was closed meanwhile."""
        assert self._pulse is not None
        self._pulse.stop()
        self._since = None
        kept = _kept(self._sent.sources.splitlines(), result)
        told = _answer(result, len(kept))
        if not kept:
            self._imm_app.notify(told.plain, title="Submitted", timeout=3, markup=False)
            self._accepted = True
            self._leave()
        elif not self._abandoned:
            self._busy(False)
            self.query_one("#sources", LinesInput).text = "\n".join(kept)
            (self._left or self.query_one("#sources")).focus(scroll_visible=False)
            self.add_class("answered")
            self._tell(told)
        else:
            if self._imm_app.draft is None or not self._imm_app.draft.sources:
                self._imm_app.draft = replace(self._sent, sources="\n".join(kept))
            self._imm_app.notify(told.plain, title="Not submitted", severity="error", timeout=15, markup=False)

    def _tell(self, what: Content) -> None:
        self.query_one("#answer-text", Static).update(what)
        answer = self.query_one("#answer", Overflow)
        answer.scroll_home(animate=False)
        self.call_after_refresh(answer.scroll_visible, animate=False)

    # Leaving

    def action_close(self) -> None:
        draft = self._typed_draft()
        # What is under way is the list's now: the same documents a second time would be a mistake.
        self._imm_app.draft = draft if self._since is None else draft.next
        self._abandoned = True
        self.dismiss()

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.action_close()

    def on_screen_resume(self) -> None:
        self._leave()

    def _leave(self) -> None:
        """Closes the form once its conversions are accepted, as soon as nothing stands before it."""
        if self._accepted and self.is_active:
            self._accepted = False
            self._imm_app.draft = self._sent.next
            self.dismiss()

    def _typed_draft(self) -> Draft:
        return Draft(
            sources="\n".join(self._sources),
            target_type=self.query_one("#target-type", Choice).value,
            target_uri=self._typed("target-uri"),
            pages=self._typed("pages"),
            dpi=self._typed("dpi"),
        )


def _place(settings: Settings) -> str:
    """Where submissions go, as far as it is set."""
    return " · ".join(text.line(part) for part in (settings.region, settings.project, settings.api_version) if part)


_STAND_IN = re.compile("[\u2400-\u2421\ufffd]")


def _as_typed(typed: str, field: str) -> str:
    """`typed`, unless a stand-in took the place of a character in it. Raises BadInput."""
    if _STAND_IN.search(typed):
        fix = "Take it out, or submit such a name with “imm-tui submit --from FILE”."
        raise BadInput("It held a character that cannot be shown.", fix=fix, field=field)
    return typed


def _kept(sources: list[str], result: list[Outcome] | Trouble) -> list[str]:
    """The sources that may be submitted again: those refused; where none was, those of unknown outcome."""
    if isinstance(result, Trouble):
        return sources
    unknown = {outcome.task.source_uri for outcome in result if isinstance(outcome.trouble, OutcomeUnknown)}
    refused = {outcome.task.source_uri for outcome in result if outcome.trouble} - unknown
    return [source for source in sources if source in (refused or unknown)]


def _answer(result: list[Outcome] | Trouble, kept: int) -> Content:
    """What became of a submission, each trouble once; `kept` sources stay in the form."""
    if isinstance(result, Trouble):
        return _told(result)
    names: dict[str, list[str]] = {}
    troubles: dict[str, Trouble] = {}
    for outcome in result:
        if outcome.trouble is not None:
            kind = f"{outcome.trouble.code} {outcome.trouble.what} {outcome.trouble.why}"
            troubles.setdefault(kind, outcome.trouble)
            names.setdefault(kind, []).append(outcome.task.name)
    if not troubles:
        return Content(_named([outcome.task.name for outcome in result]))
    if len(result) == 1:
        return _told(next(iter(troubles.values())))
    failed = sum(map(len, names.values()))
    parts = [
        Content(f"{failed} of {len(result)} documents were not accepted. The form keeps {kept}, the list shows all.")
    ]
    for kind, trouble in troubles.items():
        parts += [Content.styled(_named(names[kind]), "bold"), _told(trouble)]
    return Content("\n").join(parts)


def _named(names: list[str], most: int = 3) -> str:
    shown = ", ".join(text.line(name, 100) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _told(trouble: Trouble, shape: str = "✘", style: str = "$text-error") -> Content:
    """A trouble in full."""
    if isinstance(trouble, OutcomeUnknown):
        shape, style = "?", "$text-warning"
    parts = [Content.styled(f"{shape} {text.line(trouble.what)}", f"bold {style}")]
    parts += [Content(text.line(part)) for part in (trouble.why, trouble.fix) if part]
    if isinstance(trouble, OutcomeUnknown):
        parts.append(Content("The list shows it as Unknown until then."))
    words = [f"Code {text.line(trouble.code)}"] if trouble.code else []
    words += [f"RequestId {text.line(trouble.request_id)}"] if trouble.request_id else []
    if words:
        parts.append(Content.styled(" · ".join(words), QUIET))
    return Content("\n").join(parts)
