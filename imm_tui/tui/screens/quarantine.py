"""The quarantine: the messages in which no event could be read, and what a person may do with each."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Footer, Static

from imm_tui import places, quarantine
from imm_tui.errors import HistoryUnusable, Trouble, mistake
from imm_tui.history import History, Quarantined
from imm_tui.i18n import N_, _, ngettext, sentences
from imm_tui.profiles import Profile
from imm_tui.text import line
from imm_tui.tui import read_only, trouble_words
from imm_tui.tui.localized import Localized
from imm_tui.tui.screens.confirm import ConfirmScreen
from imm_tui.tui.screens.folder import FolderScreen
from imm_tui.tui.widgets.message_detail import MessageDetail
from imm_tui.tui.widgets.message_list import MessageList
from imm_tui.tui.widgets.trouble_banner import TroubleBanner

_SETTLE = 0.05
"""Seconds for which a selection lasts before its message is read."""

_NEWS = 0.5
"""Seconds between two looks whether the history has changed."""

_TOLD_FOR = 12.0

# What was done, and that it could not be.
_RETRY = N_("Retry"), N_("Retry failed")
_EXPORT = N_("Export"), N_("Export failed")
_DELETE = N_("Delete"), N_("Delete failed")
_RELEASE = N_("Release"), N_("Release failed")


class QuarantineScreen(Localized[None], inherit_bindings=False):
    """It follows the history while it is open. Whatever may call the cloud is done in a thread of its own."""

    AUTO_FOCUS = "MessageList"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - no ClassVar in the class above
    BINDING_GROUP_TITLE = N_("The quarantine")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "retry", N_("retry"), id="quarantine.retry", tooltip=N_("Try again to read the selected message")),
        Binding(
            "R", "retry_all", N_("retry all"), id="quarantine.retry-all", tooltip=N_("Try again to read all of them")
        ),
        Binding("e", "export", N_("export"), id="quarantine.export", tooltip=N_("Write the message's bytes to a file")),
        Binding("d", "delete", N_("delete"), id="quarantine.delete", tooltip=N_("Delete the message from the queue")),
        Binding(
            "l", "release", N_("release"), id="quarantine.release", tooltip=N_("Give the message back to its owner")
        ),
        Binding(
            "f", "switch_view", N_("format"), id="quarantine.format", tooltip=N_("Show it as it came, or formatted")
        ),
        Binding("escape,u,q", "dismiss", N_("close"), id="quarantine.close", tooltip=N_("Back to the tasks")),
        Binding(
            "question_mark", "app.help", N_("help"), id="quarantine.help", key_display="?", tooltip=N_("What keys do")
        ),
        Binding(
            "tab,shift+tab",
            "app.focus_next",
            N_("Switch"),
            id="quarantine.switch",
            tooltip=N_("List or bytes"),
            show=False,
        ),
        Binding(
            "ctrl+c",
            "screen.copy_text",
            N_("Copy"),
            id="quarantine.copy",
            tooltip=N_("Copy what is selected"),
            show=False,
        ),
    ]

    def __init__(self, profile: Profile) -> None:
        super().__init__()
        self._profile = profile
        self._history: History | None = None
        self._version = 0
        self._settling: Timer | None = None
        self._folder = ""
        """Where the last export went."""

    def compose(self) -> ComposeResult:
        queue = line(self._profile.settings.queue)
        words = _("No event could be read in these. They wait on the queue for your decision.")
        with Horizontal(id="header"):
            yield Static(Content.assemble((_("Quarantine"), "bold $text-accent"), f"  {queue}"), id="where")
        yield Static(words, markup=False, id="why")
        yield TroubleBanner()
        with Horizontal(id="regions"):
            yield MessageList(self._fetch_row)
            yield MessageDetail()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        try:
            self._history = History(self._profile.history_path)
        except HistoryUnusable as trouble:
            self.query_one(TroubleBanner).show(trouble, stopped=True)
            return
        self._read()
        self.set_interval(_NEWS, self._look)
        self.set_interval(1, self._tick)

    def on_unmount(self) -> None:
        if self._history is not None:
            self._history.close()

    # From the history to the screen

    def _look(self) -> None:
        assert self._history is not None
        try:
            changed = self._history.data_version() != self._version
        except HistoryUnusable:
            changed = True
        if changed:
            self._read()

    def _read(self) -> None:
        assert self._history is not None
        banner = self.query_one(TroubleBanner)
        try:
            self._version = self._history.data_version()
            numbers = self._history.quarantine_ids()
        except HistoryUnusable as trouble:
            banner.show(trouble, stopped=True)
            return
        banner.show(None)
        self.query_one(MessageList).show(numbers)
        self._show_detail()

    def _fetch_row(self, number: int) -> Quarantined | None:
        try:
            return self._history.in_quarantine_bodiless(number) if self._history is not None else None
        except HistoryUnusable:
            return None  # the next look at the history says so

    @property
    def _selected(self) -> Quarantined | None:
        number = self.query_one(MessageList).selected
        try:
            return self._history.in_quarantine(number) if self._history is not None and number is not None else None
        except HistoryUnusable:
            return None  # the next look at the history says so

    def on_row_list_selected(self, event: MessageList.Selected) -> None:
        if (event.row is None) != (event.before is None):
            self.refresh_bindings()
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(_SETTLE, self._show_detail)

    def on_row_list_opened(self) -> None:
        self.query_one(MessageDetail).focus()

    def _show_detail(self) -> None:
        self.query_one(MessageDetail).show(self._selected)

    def _tick(self) -> None:
        self.query_one(MessageList).tick()
        self.query_one(MessageDetail).tick()

    # What a person decides

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("retry", "retry_all", "export", "switch_view", "delete", "release"):
            some = self.query_one(MessageList).selected is not None
            return some and (self._profile.can_listen or action not in ("delete", "release"))
        return super().check_action(action, parameters)

    def action_switch_view(self) -> None:
        self.query_one(MessageDetail).switch_view()

    def action_retry(self) -> None:
        if (message := self._selected) is not None:
            self._do(_RETRY, lambda history: _retried(quarantine.retry(history, message)))

    def action_retry_all(self) -> None:
        self._do(_RETRY, _retry_all)

    def action_export(self) -> None:
        if (message := self._selected) is None:
            return

        def export(folder: str | None) -> None:
            if folder is not None:
                self._folder = folder
                self._do(_EXPORT, lambda _history: _exported(message, folder))

        self.app.push_screen(FolderScreen(self._folder or _here()), export)

    def action_delete(self) -> None:
        if (message := self._selected) is None or read_only.refuses(self.app, self._profile.settings):
            return

        def delete(wanted: bool | None) -> None:
            if wanted:
                self._do(_DELETE, lambda history: self._deleted(history, message))

        then = _("Nobody can receive it any more then, whoever it was meant for. Its bytes stay in the history.")
        words = f"{line(_(message.reason))}\nMessageId {line(message.message_id)}\n\n{then}"
        asking = ConfirmScreen(_("Delete this message from the queue?"), words, _("Delete"), _("Keep"))
        self.app.push_screen(asking, delete)

    def _deleted(self, history: History, message: Quarantined) -> str:
        assert self._profile.credentials is not None
        if quarantine.delete(history, self._profile.settings, self._profile.credentials, message):
            return _("It is deleted from the queue. Its bytes stay in the history.")
        return _("It is not at hand now: it will be deleted when it comes the next time.")

    def action_release(self) -> None:
        if (message := self._selected) is not None and not read_only.refuses(self.app, self._profile.settings):
            self._do(_RELEASE, lambda history: self._released(history, message))

    def _released(self, history: History, message: Quarantined) -> str:
        assert self._profile.credentials is not None
        if quarantine.release(history, self._profile.settings, self._profile.credentials, message):
            return _("It can be received again a second from now. Here it is hidden only briefly from then on.")
        return _("It can be received already. Here it is hidden only briefly from now on.")

    def _do(self, titles: tuple[str, str], work: Callable[[History], str]) -> None:
        """Does it in a thread of its own, then tells in words what came of it."""
        threading.Thread(target=self._work, args=(titles, work), name="quarantine", daemon=True).start()

    def _work(self, titles: tuple[str, str], work: Callable[[History], str]) -> None:
        result: str | Trouble
        try:
            with History(self._profile.history_path) as history:
                result = work(history)
        except Trouble as trouble:
            result = trouble
        except Exception as error:  # a person who has decided something is told what became of it
            result = mistake(error, _(titles[0]))
        with suppress(RuntimeError):  # the app has ended meanwhile; the history knows what was decided
            self.app.call_later(self._tell, titles, result)

    def _tell(self, titles: tuple[str, str], result: str | Trouble) -> None:
        done, failed = titles
        if isinstance(result, Trouble):
            words = sentences(*trouble_words.parts(result))
            self.app.notify(words, title=_(failed), severity="error", timeout=_TOLD_FOR, markup=False)
        else:
            self.app.notify(result, title=_(done), timeout=_TOLD_FOR, markup=False)
        if self.is_open and self._history is not None:
            self._read()


def _retry_all(history: History) -> str:
    reasons = []
    for number in history.quarantine_ids():
        if (message := history.in_quarantine(number)) is not None:
            reasons.append(quarantine.retry(history, message))
    read = reasons.count("")
    if len(reasons) == 1:
        return _retried(reasons[0])
    if not read:
        return _("None of {total} can be read.").format(total=f"{len(reasons):,}")
    told = ngettext("{count} of {total} could be read.", "{count} of {total} could be read.", read)
    return told.format(count=f"{read:,}", total=f"{len(reasons):,}")


def _retried(reason: str) -> str:
    if reason:
        return sentences(_("It still cannot be read."), line(_(reason)))
    return _("It could be read: its task is in the list. It is deleted from the queue when it comes the next time.")


def _exported(message: Quarantined, typed: str) -> str:
    folder = places.whole(typed)
    new = places.missing(folder)
    told = _("Written to {path}").format(path=line(quarantine.export(message, folder)))
    return told if new is None else "\n".join((told, _("New folder: {folder}").format(folder=line(new))))


def _here() -> str:
    """The folder that the program was started in, where that can be shown as it is."""
    try:
        here = os.getcwd()
    except OSError:  # it is gone
        return "~"
    return here if line(here) == here else "~"
