"""The form that submits conversions.

It checks each field as it is left, and keeps what was typed until IMM has accepted it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalGroup, Vertical, VerticalGroup, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button, Footer, Input, Label, Static

from imm_tui import sources, submission, text
from imm_tui.config import Settings
from imm_tui.dry_run import Note as Objection
from imm_tui.dry_run import Preview, dry_run
from imm_tui.errors import BadInput, HistoryUnusable, Trouble, mistake
from imm_tui.history import History
from imm_tui.i18n import N_, _, ngettext
from imm_tui.options import IMAGES, options
from imm_tui.profiles import Profile
from imm_tui.submission import Outcome, Wanted
from imm_tui.tasks import Conversion
from imm_tui.tui import answer
from imm_tui.tui.draft import Draft
from imm_tui.tui.localized import Localized
from imm_tui.tui.screens.dry_run import DryRunScreen
from imm_tui.tui.screens.sources import SourcesScreen
from imm_tui.tui.submissions import Submissions
from imm_tui.tui.theme import QUIET
from imm_tui.tui.trouble_words import in_full
from imm_tui.tui.widgets.field import Choice, LineInput, LinesInput, Note
from imm_tui.tui.widgets.option_field import OptionField
from imm_tui.tui.widgets.overflow import Overflow

_RECENT = 200
"""Tasks whose sources are offered as completions."""

_EXAMPLE = "oss://bucket/folder/document.docx"

_BEATS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"

_MANY = 200
"""Lines that are read with every key; of more there is only their number until nothing is typed for a moment."""

_MOMENT = 0.3

_FEW = 20
"""Documents that are sent without a dry run, and waited for in the form."""

_TO_LOOK_AT = (Objection.WRONG, Objection.COLLISION, Objection.OVERWRITES)
"""What a person sees in the dry run before anything is sent."""


class SubmitScreen(Localized[None], ModalScreen[None], inherit_bindings=False):
    """Asks for conversions, submits them, and closes when they are accepted.

    Closing it does not stop a submission that is under way. What was typed is there again when it is next opened.
    """

    AUTO_FOCUS = "#sources"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (27, "-middle"), (36, "-tall")]  # noqa: RUF012 - no ClassVar in the class above
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (64, "-wide")]  # noqa: RUF012
    BINDING_GROUP_TITLE = N_("The form")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", N_("submit"), id="form.submit", tooltip=N_("Send the conversions to IMM")),
        Binding(
            "f5,alt+enter",
            "preview",
            N_("dry run"),
            id="form.preview",
            tooltip=N_("Show what would be sent where, and send nothing"),
        ),
        Binding("f2", "file", N_("file"), id="form.file", tooltip=N_("Add the sources that a file lists")),
        Binding(
            "f4", "more", N_("options"), id="form.more", tooltip=N_("Show or hide the options that are rarely used")
        ),
        Binding("tab", "app.focus_next", N_("next field"), id="form.next", tooltip=N_("Check this field and go on")),
        Binding("escape", "close", N_("close"), id="form.close", tooltip=N_("Leave the form; what was typed is kept")),
        Binding("f1", "app.help", N_("help"), id="form.help", tooltip=N_("Show what every key does")),
        Binding(
            "shift+tab", "app.focus_previous", N_("Back"), id="form.back", tooltip=N_("The field before"), show=False
        ),
        Binding(
            "ctrl+c",
            "screen.copy_text",
            N_("Copy"),
            id="form.copy",
            tooltip=N_("Copy what the mouse selected"),
            show=False,
        ),
    ]

    def __init__(self, profile: Profile, submissions: Submissions, lister: sources.Lister | None = None) -> None:
        super().__init__()
        self._profile = profile
        self._submissions = submissions
        self._lister = lister
        self._settings = profile.settings
        self._options = options(self._settings.api_version)
        self._draft = Draft()
        """What the form was opened with."""
        self._since: float | None = None
        """When the submission that is under way began, by the monotonic clock."""
        self._pulse: Timer | None = None
        self._counting: Timer | None = None
        self._tally: sources.Tally | None = None
        """What the lines come to; None while there are many and that is not known yet."""
        self._lines_left = False
        """The field of the lines was left: a person is to be told what is wrong with them."""
        self._first = ""
        """The first source, for all that is known."""
        self._sent = Draft()
        self._left: Widget | None = None
        """What had the focus when the submission began."""
        self._conversions: list[Conversion] = []
        self._looking = False
        self._accepted = False
        self._abandoned = False

    # What is on it

    def compose(self) -> ComposeResult:
        settings, draft = self._settings, self._submissions.draft(self._profile)
        self._draft = draft
        types = submission.target_types(settings.api_version)
        with Vertical(id="form") as form:
            form.border_title = _("Submit a conversion")
            form.border_subtitle = Content(_place(settings))
            with VerticalScroll(id="body", can_focus=False), VerticalGroup(id="fields"):
                with HorizontalGroup(classes="field"):
                    yield Label(_("Source"))
                    yield LinesInput(draft.sources, placeholder=_EXAMPLE, known=self._recent(), id="sources")
                yield Note("", id="sources-note")
                with HorizontalGroup(classes="field"):
                    yield Label(_("Convert to"))
                    yield Choice({name: name for name in types}, draft.target_type, id="target-type")
                    yield Label("DPI", classes="second")
                    yield LineInput(draft.dpi, placeholder="96", compact=True, id="dpi")
                yield Note("", id="dpi-note")
                with HorizontalGroup(classes="field"):
                    yield Label(_("Target"))
                    yield LineInput(draft.target_uri, compact=True, id="target-uri")
                yield Note("", id="target-uri-note")
                with HorizontalGroup(classes="field"):
                    yield Label(_("Pages"))
                    yield LineInput(draft.pages, placeholder=_("all"), compact=True, id="pages")
                    yield Label(_("Password"), classes="second")
                    placeholder = _("of a protected document")
                    yield Input(placeholder=placeholder, password=True, compact=True, id="password")
                yield Note(_("Pages such as {example}.").format(example="1,2-4,7"), id="pages-note")
                for option in self._options:
                    if option.common:
                        yield OptionField(option, draft.options.get(option.name, ""))
                yield Button(_more(False), compact=True, id="more")
                yield VerticalGroup(id="rare")
            with Overflow(id="answer"):
                yield Static(markup=False, id="answer-text")
            with HorizontalGroup(id="buttons"):
                yield Button(_("Submit"), variant="primary", compact=True, id="submit")
                yield Button(_("Dry run"), compact=True, id="preview")
                yield Button(_("Close"), compact=True, id="close")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self._unfold(any(self._draft.options.get(option.name) for option in self._options if not option.common))
        self._count()
        self._restyle()
        self._explain()

    def _recent(self) -> list[str]:
        """The sources of the newest tasks, those that can be shown as they are."""
        try:
            with History(self._profile.history_path) as history:
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
        names = ", ".join(missing)
        variables = ", ".join(f"IMM_TUI_{name.upper()}" for name in missing)
        what = ngettext(
            "Nothing can be submitted yet: {names} is not set.",
            "Nothing can be submitted yet: {names} are not set.",
            len(missing),
        )
        why = _("Neither {place} nor {variables} gives a value.")
        trouble = Trouble(
            what.format(names=names),
            why.format(place=settings.place, variables=variables),
            _("Set what is missing in either place and start imm-tui again."),
        )
        self.query_one("#submit").disabled = True
        self.query_one("#preview").disabled = True
        self._tell(in_full(trouble, "!", "$text-warning"))

    # More options

    def _unfold(self, unfolded: bool) -> None:
        """Shows the options that are rarely used, or hides them; they are made when they are first shown."""
        rare = self.query_one("#rare", VerticalGroup)
        rare.display = unfolded
        hidden = [option for option in self._options if not option.common]
        if unfolded and not rare.children:
            rare.mount_all(OptionField(option, self._draft.options.get(option.name, "")) for option in hidden)
            self.call_after_refresh(self._restyle)
        self.query_one("#more", Button).label = _more(unfolded)

    @on(Button.Pressed, "#more")
    def action_more(self) -> None:
        rare = self.query_one("#rare")
        self._unfold(not rare.display)
        self.call_after_refresh(self.query_one("#more").scroll_visible, animate=False, top=bool(rare.display))

    @property
    def _option_fields(self) -> list[OptionField]:
        return list(self.query(OptionField))

    @property
    def _typed_options(self) -> dict[str, str]:
        """What was typed for each option, also for those that have no effect now."""
        typed = {**self._draft.options, **{field.option.name: field.text for field in self._option_fields}}
        known = {option.name for option in self._options}
        return {name: value for name, value in typed.items() if value.strip() and name in known}

    @property
    def _options_that_count(self) -> dict[str, str]:
        counting = {field.option.name for field in self._option_fields if field.counts}
        return {name: value for name, value in self._typed_options.items() if name in counting}

    # What is typed

    @property
    def _sources(self) -> list[str]:
        """What stands for documents: no blank line, no comment."""
        return [source for _number, source in sources.numbered(self.query_one("#sources", LinesInput).lines)]

    def action_file(self) -> None:
        """Adds `@FILE`: the file is read when it is submitted."""

        def add(path: str | None) -> None:
            if path is not None:
                field = self.query_one("#sources", LinesInput)
                field.text = "\n".join([*field.lines, f"@{path}"])
                field.move_cursor(field.document.end)

        self.app.push_screen(SourcesScreen(), add)

    @property
    def _target_type(self) -> str:
        return self.query_one("#target-type", Choice).value

    @property
    def _dpi(self) -> str:
        return "" if self.query_one("#dpi").disabled else self._typed("dpi")

    @property
    def _wanted(self) -> Wanted:
        """What was typed, without what has no effect."""
        return Wanted(
            target_type=self._target_type,
            target_uri=self._typed("target-uri"),
            pages=self._typed("pages"),
            dpi=self._dpi,
            password=self._typed("password"),
            options=self._options_that_count,
        )

    def _typed(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value

    @property
    def _checks(self) -> Mapping[str, Callable[[], object]]:
        """The check of each field that can be wrong, in the order of the form; each raises BadInput."""
        return {
            "sources": self._check_sources,
            "dpi": lambda: submission.check_dpi(self._dpi),
            "target-uri": lambda: submission.check_target_uri(
                sources.as_typed(self._typed("target-uri"), "target_uri"), self._settings.api_version
            ),
            "pages": lambda: submission.check_pages(self._typed("pages")),
            **{f"option-{field.option.name}": field.check for field in self._option_fields},
        }

    def _check_sources(self) -> None:
        sources.check_all(self._sources)

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
        if not self.app.app_focus or field not in self._checks:
            return
        if field == "sources" and self._line_count > _MANY:
            self._lines_left = True
            if self._tally is not None:
                self._show_tally(self._tally)
        else:
            self._check(field)

    @on(Input.Changed)
    def _mended(self, event: Input.Changed) -> None:
        field = event.control.id or ""
        if field in self._checks and self.query_one(f"#{field}-note", Note).wrong:
            self._check(field)
        self._retarget()

    @property
    def _line_count(self) -> int:
        return self.query_one("#sources", LinesInput).document.line_count

    @on(LinesInput.Changed)
    def _count(self) -> None:
        """Counts the sources, and checks again what was wrong: many in a thread, when nothing more is typed."""
        if self._counting is not None:
            self._counting.stop()
        self._lines_left = False
        if self._line_count <= _MANY:
            self._show_tally(sources.tally(self.query_one("#sources", LinesInput).lines))
            return
        self._tally = None
        count = self._line_count
        words = ngettext("{count} source", "{count} sources", count).format(count=f"{count:,}")
        self.query_one("#sources-note", Note).advise(words)
        self._retarget()
        self._counting = self.set_timer(_MOMENT, self._count_aside)

    def _count_aside(self) -> None:
        counting, typed = self._counting, self.query_one("#sources", LinesInput).text

        def count() -> None:
            tally = sources.tally(typed.splitlines())
            with suppress(RuntimeError):  # the app has ended meanwhile
                self.app.call_later(show, tally)

        def show(tally: sources.Tally) -> None:
            if self.is_open and self._counting is counting:  # else something was typed meanwhile
                self._show_tally(tally)

        threading.Thread(target=count, name="counting", daemon=True).start()

    def _show_tally(self, tally: sources.Tally) -> None:
        self._tally, self._first = tally, tally.first
        note = self.query_one("#sources-note", Note)
        advice = _("The document to convert. Several: one a line (ctrl+j); F2 adds a file.")
        if self._lister is not None:
            advice = _("A document, or a pattern such as {pattern}. Several: one a line (ctrl+j); F2 adds a file.")
            advice = advice.format(pattern="oss://bucket/**.docx")
        note.advise(tally.told if tally.count > 1 else advice)
        if note.wrong or self._lines_left:
            note.tell(tally.wrong)
        self._lines_left = False
        self._retarget()

    @on(Choice.Changed)
    def _restyle(self) -> None:
        """Only images have a resolution; and other options have an effect on some types only, or with another."""
        target_type = self._target_type
        dpi = self.query_one("#dpi", Input)
        dpi.disabled = target_type not in IMAGES
        low, high = submission.DPI.start, submission.DPI.stop - 1
        note = self.query_one("#dpi-note", Note)
        note.advise(
            _("Only images have a resolution: {types}.").format(types=", ".join(IMAGES))
            if dpi.disabled
            else _("DPI is the images' resolution, {low} to {high}.").format(low=low, high=high)
        )
        if dpi.disabled or note.wrong:
            self._check("dpi")
        typed = self._typed_options
        for field in self._option_fields:
            needs = field.option.needs
            field.display = field.option.suits(target_type)
            field.disabled = bool(needs) and typed.get(needs) != "true"
            if not field.counts:
                field.query_one(Note).tell(None)

    def _retarget(self) -> None:
        """Says where the results go when the target is left empty."""
        for source in filter(None, (self._first, _EXAMPLE)):
            with suppress(BadInput):
                [planned] = submission.plan([sources.example(source)], Wanted(target_type="png"), self._settings)
                self.query_one("#target-uri", Input).placeholder = text.line(planned.target_uri)
                break
        count = self._tally.count if self._tally is not None else self._line_count
        if count > 1:
            advice = ngettext(
                "{count} document, into a folder of its own.",
                "{count} documents, each into a folder of its own.",
                count,
            ).format(count=f"{count:,}")
        elif sources.is_pattern(self._first):
            advice = _("Each document that fits goes into a folder of its own.")
        else:
            advice = _("The folder for the results; empty for the one shown.")
        self.query_one("#target-uri-note", Note).advise(advice)

    # What is sent

    @on(LinesInput.Submitted)
    @on(Choice.Submitted)
    @on(Input.Submitted)
    @on(Button.Pressed, "#submit")
    def action_submit(self) -> None:
        self._look(asked=False)

    @on(Button.Pressed, "#preview")
    def action_preview(self) -> None:
        self._look(asked=True)

    def _look(self, *, asked: bool) -> None:
        """The dry run, which is shown only where a person asked for it or should see it."""
        if self._looking or self._since is not None or self.query_one("#submit").disabled:
            return
        typed = self._sources
        # What is wrong with one of many lines is best seen there.
        unchecked = {"sources"} if typed and (asked or len(typed) > _FEW) else set()
        wrong = [field for field in self._checks if field not in unchecked and not self._check(field)]
        if wrong:
            self._go_to(wrong[0])
            return
        self._looking = True
        self._sent = self._typed_draft()
        self.set_timer(_MOMENT, self._still_looking)
        history, lister, settings = self._profile.history_path, self._lister, self._settings
        lines, wanted = self._sent.sources.splitlines(), self._wanted

        def look() -> Preview:
            with History(history) as known:
                return dry_run(
                    sources.with_files(lines), wanted, settings, typed=frozenset(lines), history=known, lister=lister
                )

        threading.Thread(target=self._looked_at, args=(look, asked), name="dry run", daemon=True).start()

    def _still_looking(self) -> None:
        if self._looking:
            self._tell(Content.styled(_("Looking at the sources …"), QUIET))

    def _looked_at(self, look: Callable[[], Preview], asked: bool) -> None:
        result: Preview | Trouble
        try:
            result = look()
        except Trouble as trouble:
            result = trouble
        except Exception as error:  # a form that waits for ever would be worse than any sentence
            result = mistake(error, _("The dry run"), _("Nothing was sent."))
        with suppress(RuntimeError):  # the app has ended meanwhile
            self.app.call_later(self._looked, result, asked)

    def _looked(self, result: Preview | Trouble, asked: bool) -> None:
        self._looking = False
        self.remove_class("answered")
        if self._abandoned or not self.is_open:
            return
        if isinstance(result, BadInput):
            self._tell_wrong(result)
        elif isinstance(result, Trouble):
            self._tell(in_full(result))
        elif asked or len(result.rows) > _FEW or any(result.counts[note] for note in _TO_LOOK_AT):
            self.app.push_screen(
                DryRunScreen(result, _place(self._settings)), lambda agreed: self._send(result) if agreed else None
            )
        else:
            self._send(result)

    def _send(self, preview: Preview) -> None:
        """A few are waited for; many are sent in the background. Lines that are wrong stay in the form."""
        self._sent = replace(
            self._sent, sources="\n".join(row.source for row in preview.rows if row.note is Objection.WRONG)
        )
        self._conversions = preview.conversions
        if len(preview.conversions) <= _FEW:
            self._begin(len(preview.conversions))
            self._submissions.send(self._profile, preview.conversions, self._done)
        else:
            try:
                self._submissions.batches.start(self._profile, preview.conversions, self._sent)
            except HistoryUnusable as trouble:
                self._tell(in_full(trouble))
                return
            self._keep_rest()
            self._accepted = True
            self._leave()

    def _tell_wrong(self, wrong: BadInput) -> None:
        """What is wrong with two options together stands beside one; what no field holds (the profile's target)
        below all of them."""
        note = self.query_one_optional(f"#option-{wrong.field}-note", Note) if wrong.field else None
        if wrong.field == "source_uri":
            self.query_one("#sources-note", Note).tell(wrong)
            self._go_to("sources")
        elif note is None:
            self._tell(in_full(wrong))
        else:
            note.tell(BadInput(wrong.why or wrong.what))
            self._go_to(f"option-{wrong.field}")

    def _go_to(self, field: str) -> None:
        widget = self.query_one(f"#{field}")
        if not self.query_one("#rare").display and widget in self.query("#rare *"):
            self._unfold(True)
        widget.focus()

    def _begin(self, count: int) -> None:
        self._left = self.focused
        self._since = time.monotonic()
        self._busy(True)
        self._beat(count)
        self._pulse = self.set_interval(1 / 8, lambda: self._beat(count))

    def _busy(self, busy: bool) -> None:
        self.query_one("#fields").disabled = busy
        self.query_one("#submit").disabled = busy
        self.query_one("#preview").disabled = busy

    def _beat(self, count: int) -> None:
        """A sign of life."""
        assert self._since is not None
        passed = time.monotonic() - self._since
        beat = _BEATS[int(passed * 8) % len(_BEATS)]
        what = ngettext("Submitting…", "Submitting {count} documents…", count).format(count=count)
        then = _("Escape closes the form. The submission goes on; the list shows how it ends.")
        self._tell(Content.assemble((f"{beat} {what}", "bold"), f"  {passed:.0f} s\n\n", (then, QUIET)))

    def _done(self, result: list[Outcome] | Trouble) -> None:
        """Tells what became of the submission: in the form, or in a toast if it was closed meanwhile."""
        assert self._pulse is not None
        self._pulse.stop()
        self._since = None
        again = answer.kept([conversion.source_uri for conversion in self._conversions], result)
        kept = [*self._sent.sources.splitlines(), *again]
        told = answer.answer(result, len(again))
        torn_away = self._abandoned or not self.is_open
        if not again:
            self.app.notify(told.plain, title=_("Submitted"), timeout=3, markup=False)
            self._accepted = True
            self._leave()
        elif not torn_away:
            self._busy(False)
            self.query_one("#sources", LinesInput).text = "\n".join(kept)
            (self._left or self.query_one("#sources")).focus(scroll_visible=False)
            self._tell(told)
        else:
            if not self._submissions.draft(self._profile).sources:
                self._submissions.keep(self._profile, replace(self._sent, sources="\n".join(kept)))
            self.app.notify(told.plain, title=_("Not submitted"), severity="error", timeout=15, markup=False)

    def _tell(self, what: Content) -> None:
        """Above the buttons, where it stays in sight."""
        self.add_class("answered")
        self.query_one("#answer-text", Static).update(what)
        self.query_one("#answer", Overflow).scroll_home(animate=False)

    # Leaving

    def keep_draft(self) -> None:
        """The next form of this profile begins with what is typed here."""
        draft = self._typed_draft()
        # What is under way is the list's now: the same documents a second time would be a mistake.
        under_way = self._since is not None
        self._submissions.keep(self._profile, replace(draft.next, sources=self._sent.sources) if under_way else draft)

    def action_close(self) -> None:
        self.keep_draft()
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
            self._keep_rest()
            self.dismiss()

    def _keep_rest(self) -> None:
        """What was sent is not in the next form."""
        self._submissions.keep(self._profile, replace(self._sent.next, sources=self._sent.sources))

    def _typed_draft(self) -> Draft:
        return Draft(
            sources="\n".join(self._sources),
            target_type=self._target_type,
            target_uri=self._typed("target-uri"),
            pages=self._typed("pages"),
            dpi=self._typed("dpi"),
            options=self._typed_options,
        )


def _place(settings: Settings) -> str:
    """Where submissions go, as far as it is set."""
    return " · ".join(text.line(part) for part in (settings.region, settings.project, settings.api_version) if part)


def _more(unfolded: bool) -> Content:
    return Content("▾ " + _("Fewer options") if unfolded else "▸ " + _("More options"))
