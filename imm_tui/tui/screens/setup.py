"""Setting a profile up: one question after the other, then all that will be made and written, then that done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import takewhile
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Static
from textual.widgets.option_list import Option

from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import BadInput, Denied, ReadOnly, Trouble, mistake
from imm_tui.i18n import N_, _
from imm_tui.setup import making, questions
from imm_tui.setup.making import Plan
from imm_tui.setup.parts import Part
from imm_tui.setup.profile import Change, overruled, profile_of
from imm_tui.setup.questions import Load, Question
from imm_tui.setup.record import record_path
from imm_tui.text import line
from imm_tui.tui.localized import Localized
from imm_tui.tui.theme import QUIET
from imm_tui.tui.trouble_words import in_full
from imm_tui.tui.widgets.choices import Choices
from imm_tui.tui.widgets.field import LineInput

_FRAME = 0.2
"""Seconds between two pictures while something is waited for."""


class _Busy(Enum):
    """What is waited for."""

    ASKING = auto()
    MAKING = auto()
    """There is no way back while things are made."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Something that only a person can say."""

    question: Question
    rest: Generator[Question, str, Settings] | None
    """Goes on from the question, in a thread; None for one that was come back to."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """Everything is answered: what is there, and what will be made and written."""

    plan: Plan
    change: Change
    remarks: tuple[str, ...]
    forbidden: ReadOnly | None
    """Why it will not be."""

    @property
    def nothing(self) -> bool:
        return not self.plan.missing and self.change.before == self.change.after


@dataclass(frozen=True, slots=True)
class _Done:
    """All of it is made and written."""

    ready: _Ready


_Page = _Asked | _Ready | _Done | Trouble | _Busy
"""What is shown."""


class SetupScreen(Localized[bool], ModalScreen[bool], inherit_bindings=False):
    """Sets up the profile that `load` gives the settings of. It ends with true when the profile was written, or was
    found to be whole. Nothing is made or written before the last page says what and Enter is pressed."""

    AUTO_FOCUS = ""
    BINDING_GROUP_TITLE = N_("Set-up")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on", N_("go on"), id="setup.go-on", tooltip=N_("Answer; on the last page make all of it")),
        Binding("r", "again", N_("try again"), id="setup.again", tooltip=N_("Ask the services once more")),
        Binding("y", "copy", N_("copy policy"), id="setup.copy", tooltip=N_("Copy the RAM policy that is lacking")),
        Binding("escape", "back", N_("back"), id="setup.back", tooltip=N_("The question before; nothing is made")),
        Binding("f1", "app.help", N_("help"), id="setup.help", tooltip=N_("What keys do")),
    ]

    def __init__(self, load: Load, keys: Keys, environ: Mapping[str, str], copy: Callable[[str], None]) -> None:
        """`copy` takes a text to the clipboard."""
        super().__init__(classes="dialog")
        self._load = load
        self._keys = keys
        self._environ = environ
        self._copy = copy
        self._trail: list[tuple[Question, str]] = []
        """What was asked and answered on the way to this page."""
        self._page: _Page = _Busy.ASKING
        self._settings: Settings | None = None
        """What is known of them by now."""
        self._made: list[Part] = []
        self._asked = 0
        """Which of the threads is listened to: one that was left behind has nothing to say any more."""
        self._tick = 0

    def compose(self) -> ComposeResult:
        with Vertical(id="setup") as region:
            region.border_title = Content(_("Set-up"))
            yield Static(id="words", markup=False)
            yield Choices(id="options", markup=False, compact=True)
            yield LineInput(compact=True, id="text")
            with VerticalScroll(id="scroll"):
                yield Static(id="told", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.set_interval(_FRAME, self._show_waiting)
        self._find()

    def on_unmount(self) -> None:
        self._asked += 1

    # What calls the services, in threads

    def _find(self, standing: _Asked | None = None) -> None:
        """Goes as far as the answers reach, from the question that was just answered or from the beginning, and shows
        what comes next."""
        replies = {question.setting: reply for question, reply in self._trail}
        self._start(_Busy.ASKING, lambda: self._next_page(standing, replies), _("Nothing was changed."))

    def _start(self, busy: _Busy, work: Callable[[], _Page], held: str) -> None:
        """`held` is what holds after a mistake."""
        self._asked += 1
        self._show(busy)
        run, tell = self._asked, self._teller()

        def find() -> None:
            try:
                page: _Page = work()
            except Trouble as trouble:
                page = trouble
            except Exception as error:
                page = mistake(error, _("The set-up"), held)
            tell(self._arrived, run, page)

        threading.Thread(target=find, name="set-up", daemon=True).start()

    def _teller(self) -> Callable[..., None]:
        """Calls something in the screen's thread. What a thread does goes on to its end, though nobody looks any more:
        neither the screen nor the app need be there by then."""
        app = self.app

        def tell(callback: Callable[..., None], *arguments: object) -> None:
            with suppress(RuntimeError):
                app.call_later(callback, *arguments)

        return tell

    def _next_page(self, standing: _Asked | None, replies: Mapping[str, str]) -> _Page:
        if standing is not None and standing.rest is not None:
            question, rest = standing.question, standing.rest
        else:
            rest = questions.complete(self._noted, self._keys, self._environ, private=None)
            question = None
        try:
            question = question or next(rest)
            while (reply := replies.get(question.setting)) is not None and question.takes(reply):
                question = rest.send(reply)
        except StopIteration as end:
            settings: Settings = end.value
            plan = making.look(settings, self._keys)
            remarks = (*plan.remarks, *overruled(self._load({}), settings))
            return _Ready(plan, profile_of(plan), remarks, making.forbidden(plan))
        return _Asked(question, rest)

    def _noted(self, answers: Mapping[str, str]) -> Settings:
        self._settings = self._load(answers)
        return self._settings

    def _carry_out(self, ready: _Ready, run: int, tell: Callable[..., None]) -> _Page:
        ready.change.try_out()  # before anything is made that it could not be written of
        for part in making.make(ready.plan, self._keys, record_path(ready.plan.settings, self._environ)):
            tell(self._made_part, run, part)
        ready.change.write()
        return _Done(ready)

    def _arrived(self, run: int, page: _Page) -> None:
        if run == self._asked:
            if isinstance(page, _Asked):  # an answer of before may be none any more
                self._trail = list(takewhile(lambda it: it[0].setting != page.question.setting, self._trail))
            self._show(page)

    def _made_part(self, run: int, part: Part) -> None:
        if run == self._asked:
            self._made.append(part)
            self._show_waiting()

    # What is seen

    def _show(self, page: _Page) -> None:
        self._page = page
        options, text = self.query_one(Choices), self.query_one("#text", LineInput)
        chosen = isinstance(page, _Asked) and bool(page.question.options)
        options.display = chosen
        text.display = isinstance(page, _Asked) and not chosen
        self.query_one("#scroll").display = not isinstance(page, _Asked)
        words = self.query_one("#words", Static)
        match page:
            case _Asked(question):
                words.update(Content(question.words))
                options.clear_options()
                options.add_options([_option(option, is_new=option == question.new) for option in question.options])
                options.highlighted = question.options.index(question.usual) if question.usual and chosen else 0
                text.value = "" if chosen else question.usual
                (options if chosen else text).focus()
            case _Ready() if page.nothing:
                words.update(Content(_("Everything is there. Nothing is to be done.")))
            case _Ready(forbidden=ReadOnly() as trouble):
                words.update(in_full(trouble))
            case _Ready():
                words.update(Content(_("Enter creates and writes this. Nothing is changed before.")))
            case _Done():
                words.update(Content.styled(_("✔ The profile is set up."), "bold $text-success"))
            case Trouble():
                words.update(in_full(page))
        self.query_one("#told", Static).update(self._told(page))
        self._show_waiting()
        self.refresh_bindings()

    def _told(self, page: _Page) -> Content:
        match page:
            case _Ready():
                return Content("\n").join(_plan(page))
            case _Done():
                return Content("\n").join(_plan(page.ready, done=True))
            case Denied():
                return Content(self._policy(page))
        return Content("")

    def _show_waiting(self) -> None:
        if isinstance(self._page, _Busy):
            self._tick += 1
            told = _("Asking the account") if self._page is _Busy.ASKING else _("Creating and writing")
            words = [told + "." * (self._tick % 4)]
            if self._page is _Busy.MAKING:
                words += [_("✔ created  {part}").format(part=line(part)) for part in self._made]
            self.query_one("#words", Static).update(Content("\n".join(words)))

    def _policy(self, denied: Denied) -> str:
        """What an administrator can paste in the RAM console."""
        return making.policy(denied, self._settings or self._load({}))

    # What a person does

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "go_on":
                return isinstance(self._page, _Done) or (isinstance(self._page, _Ready) and not self._page.forbidden)
            case "back":
                return self._page is not _Busy.MAKING
            case "again":
                return isinstance(self._page, Trouble) and not isinstance(self._page, BadInput)
            case "copy":
                return isinstance(self._page, Denied)
        return super().check_action(action, parameters)

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        event.stop()
        if isinstance(self._page, _Asked):
            self._reply(self._page, self._page.question.options[event.option_index])

    def on_input_submitted(self, event: LineInput.Submitted) -> None:
        event.stop()
        if isinstance(self._page, _Asked) and event.value.strip():
            self._reply(self._page, event.value.strip())

    def _reply(self, asked: _Asked, reply: str) -> None:
        self._trail.append((asked.question, reply))
        self._find(asked)

    def action_go_on(self) -> None:
        match self._page:
            case _Ready() as ready if not ready.nothing:
                self._made.clear()
                run, tell = self._asked + 1, self._teller()
                held = _("What was made so far is written down. Run the set-up again: it goes on from there.")
                self._start(_Busy.MAKING, lambda: self._carry_out(ready, run, tell), held)
            case _Ready() | _Done():
                self.dismiss(True)

    def action_again(self) -> None:
        self._find()

    def action_copy(self) -> None:
        if isinstance(self._page, Denied):
            self._copy(self._policy(self._page))

    def action_back(self) -> None:
        if isinstance(self._page, _Done):
            self.dismiss(True)
        elif self._trail:
            question, reply = self._trail.pop()
            self._asked += 1  # what is being asked is not waited for any more
            self._show(_Asked(replace(question, usual=reply), None))
        else:
            self.dismiss(False)


def _option(name: str, *, is_new: bool) -> Option:
    return Option(Content.assemble(line(name), (f"  {_('new')}" if is_new else "", QUIET)))


def _plan(ready: _Ready, *, done: bool = False) -> list[Content]:
    """What is there, what comes, and what changes in the file."""
    lines = [Content.styled(f"  {_('there')}  {line(part)}", QUIET) for part in ready.plan.there]
    shape, style = ("✔", "$text-success") if done else ("+", "$text-accent")
    lines += [Content.assemble((f"{shape} ", style), line(part)) for part in ready.plan.missing]
    lines += [Content.styled(f"! {line(remark)}", "$text-warning") for remark in ready.remarks]
    if ready.change.lines:
        lines += [Content(""), Content.styled(line(ready.change.path), QUIET)]
        lines += [
            Content.styled(f"  {line(change)}", QUIET if change[0] == "-" else "") for change in ready.change.lines
        ]
    return lines
