"""The doctor: a line a check, filled as each is decided, and of the marked one what was found and what to do."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.doctor.check import LONGEST, SHAPES, Check, Verdict
from imm_tui.errors import Trouble, mistake
from imm_tui.i18n import N_, _, ngettext
from imm_tui.text import line
from imm_tui.tui.clipboard import copy
from imm_tui.tui.localized import Localized
from imm_tui.tui.theme import QUIET
from imm_tui.tui.trouble_words import in_full
from imm_tui.tui.widgets.overflow import Overflow

_COLOURS = {
    Verdict.OK: "$text-success",
    Verdict.WARN: "$text-warning",
    Verdict.FAIL: "$text-error",
    Verdict.SKIPPED: QUIET,
}


class _Checks(OptionList, inherit_bindings=False):
    """The lines; one of them is always marked."""

    BINDING_GROUP_TITLE = N_("The checks")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", N_("Up"), id="doctor.up", tooltip=N_("The check above"), show=False),
        Binding("down,j", "cursor_down", N_("Down"), id="doctor.down", tooltip=N_("The check below"), show=False),
        Binding("home", "first", N_("First"), id="doctor.first", tooltip=N_("The first check"), show=False),
        Binding("end", "last", N_("Last"), id="doctor.last", tooltip=N_("The last check"), show=False),
    ]


class DoctorScreen(Localized[None], inherit_bindings=False):
    """Examines the profile of these settings and keys. Nothing is changed, nothing taken off the queue."""

    AUTO_FOCUS = "_Checks"
    BINDING_GROUP_TITLE = N_("The doctor")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", N_("copy"), id="doctor.copy", tooltip=N_("Copy what was found and what to do")),
        Binding("r", "again", N_("run again"), id="doctor.again", tooltip=N_("Ask everything once more")),
        Binding("escape,q", "dismiss", N_("close"), id="doctor.close", tooltip=N_("Back to where you were")),
        Binding(
            "question_mark,f1", "app.help", N_("help"), id="doctor.help", key_display="?", tooltip=N_("What keys do")
        ),
        Binding(
            "tab,shift+tab", "app.focus_next", N_("Switch"), id="doctor.switch", tooltip=N_("List or text"), show=False
        ),
        Binding(
            "ctrl+c",
            "screen.copy_text",
            N_("Copy"),
            id="doctor.copy-text",
            tooltip=N_("Copy what is selected"),
            show=False,
        ),
    ]

    def __init__(self, settings: Settings, keys: Keys, history_path: Path) -> None:
        super().__init__()
        self._settings = settings
        self._keys = keys
        self._history_path = history_path
        self._run = 0
        """Which examination is listened to: one that was left has nothing to say any more."""
        self._names: list[str] = []
        self._decided: dict[str, Check] = {}
        self._mistake: Trouble | None = None
        """What has ended the examination before its end."""

    def compose(self) -> ComposeResult:
        where = " · ".join(filter(None, (self._settings.profile, self._settings.region, self._settings.project)))
        with Horizontal(id="header"):
            yield Static(Content.assemble((_("Doctor"), "bold $text-accent"), f"  {line(where)}"), id="where")
            yield Static(id="summary", markup=False)
        yield _Checks(id="checks", markup=False, compact=True)
        with Overflow(id="found"):
            yield Static(id="told", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.action_again()

    def on_unmount(self) -> None:
        self._run += 1

    def action_again(self) -> None:
        """Examines in a thread of its own, which calls the services; not while another does."""
        from imm_tui.doctor.verdicts import CHECKS

        self._run += 1
        self._names, self._decided, self._mistake = list(CHECKS), {}, None
        self.query_one(_Checks).set_options(Option(self._line(name), id=name) for name in self._names)
        self.query_one(_Checks).highlighted = 0
        self._show()
        threading.Thread(target=self._examine, args=(self._run,), name="doctor", daemon=True).start()

    def _examine(self, run: int) -> None:
        from imm_tui.doctor.asking import examine

        try:
            for check in examine(self._settings, self._keys, self._history_path):
                with suppress(RuntimeError):  # the app has ended meanwhile
                    self.app.call_later(self._arrived, run, check)
        except Exception as error:  # a mistake of ours is told here too, and all else goes on
            with suppress(RuntimeError):
                self.app.call_later(self._ended, run, mistake(error, _("The doctor")))

    def _ended(self, run: int, trouble: Trouble) -> None:
        if run != self._run:
            return
        self._mistake = trouble
        checks = self.query_one(_Checks)
        for name in self._names:
            checks.replace_option_prompt(name, self._line(name))
        checks.highlighted = next(row for row, name in enumerate(self._names) if name not in self._decided)
        self._show()
        self.refresh_bindings()

    def _arrived(self, run: int, check: Check) -> None:
        if run != self._run:
            return
        checks = self.query_one(_Checks)
        untouched = checks.highlighted == self._first_fault()
        self._decided[check.name] = check
        checks.replace_option_prompt(check.name, self._line(check.name))
        if untouched:
            checks.highlighted = self._first_fault()
        self._show()

    def _first_fault(self) -> int:
        """The row of the worst that was found so far, the first of these; where nothing is wrong, the first of all."""
        for verdict in (Verdict.FAIL, Verdict.WARN):
            for row, name in enumerate(self._names):
                if name in self._decided and self._decided[name].status is verdict:
                    return row
        return 0

    # What is seen

    def _line(self, name: str) -> Content:
        width = max(map(len, self._names))
        check = self._decided.get(name)
        if check is None:
            shape, told = ("-", _("not known")) if self._mistake else ("…", _("asking"))
            return Content.styled(f"{shape} {name:<{width}}  {told}", QUIET)
        quiet = QUIET if check.status in (Verdict.OK, Verdict.SKIPPED) else ""
        return Content.assemble(
            (f"{SHAPES[check.status]} ", _COLOURS[check.status]), f"{name:<{width}}  ", (line(check.cause), quiet)
        )

    def _show(self) -> None:
        self.query_one("#summary", Static).update(self._summary())
        self.query_one("#told", Static).update(self._told())

    def _summary(self) -> Content:
        if self._mistake:
            return Content.styled(_("ended early"), "$text-error")
        left = len(self._names) - len(self._decided)
        if left:
            return Content.styled(ngettext("{count} to go", "{count} to go", left).format(count=left), QUIET)
        found = [check.status for check in self._decided.values()]
        broken, warned = found.count(Verdict.FAIL), found.count(Verdict.WARN)
        if broken:
            return Content.styled(
                ngettext("{count} broken", "{count} broken", broken).format(count=broken), "$text-error"
            )
        if warned:
            told = ngettext("works, {count} to look at", "works, {count} to look at", warned)
            return Content.styled(told.format(count=warned), "$text-warning")
        return Content.styled(_("all is well"), "$text-success")

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._show()
        self.query_one(Overflow).scroll_home(animate=False)
        self.refresh_bindings()

    @property
    def _marked(self) -> Check | None:
        row = self.query_one(_Checks).highlighted
        return self._decided.get(self._names[row]) if row is not None else None

    def _told(self) -> Content:
        check = self._marked
        if check is None:
            return in_full(self._mistake) if self._mistake else Content("")
        parts = [Content.assemble((f"{SHAPES[check.status]} ", _COLOURS[check.status]), (check.name, "bold"))]
        parts.append(Content(line(check.cause, LONGEST)))
        if check.fix:
            parts += [Content(""), Content.styled(_("What to do"), QUIET), Content(line(check.fix, LONGEST))]
        return Content("\n").join(parts)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "again":
            return len(self._decided) == len(self._names) or self._mistake is not None
        if action == "copy":
            return self._marked is not None
        return super().check_action(action, parameters)

    def action_copy(self) -> None:
        if (check := self._marked) is not None:
            told = "\n".join(filter(None, (f"{check.name}: {check.status}", check.cause, check.fix)))
            copy(self.app, told, check.name, self._history_path.with_name("copied.txt"))
