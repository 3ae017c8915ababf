"""The dashboard: all tasks, one of them in full, and what the listener is doing. It is drawn from the history alone."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widgets import Footer

from imm_tui.errors import HistoryUnusable, Trouble
from imm_tui.history import Delivery, History
from imm_tui.i18n import N_
from imm_tui.listener import ListenerState, Phase
from imm_tui.session import Profile
from imm_tui.tasks import Task, now
from imm_tui.text import line
from imm_tui.tui import view
from imm_tui.tui.localized import Localized
from imm_tui.tui.task_index import TaskIndex
from imm_tui.tui.widgets.heading import Heading
from imm_tui.tui.widgets.listener_status import ListenerStatus
from imm_tui.tui.widgets.row_list import RowList
from imm_tui.tui.widgets.task_detail import TaskDetail
from imm_tui.tui.widgets.task_list import TaskList
from imm_tui.tui.widgets.trouble_banner import TroubleBanner

if TYPE_CHECKING:
    from imm_tui.tui.app import ImmApp

_SETTLE = 0.05
"""Seconds for which a selection lasts before its detail is read: a held key does not read every task it passes."""

_OTHERS = 0.5
"""Seconds between two looks whether another process has written to the history."""

_FIRST = 200
"""Tasks and deliveries that are handed over at first: enough for what is in sight, and for when the last event came."""

_RECENT, _LATE = 3_600_000, 10_000
"""Milliseconds: for how long a task whose event never came counts, and how late an event may be that does come."""

_TOASTS = 3
"""Quarantined messages that are told one by one; more of them at a time are told together."""

_TOAST_LASTS = 20.0


class Dashboard(Localized[None], inherit_bindings=False):
    """The screen that everything else is laid over."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - no ClassVar in the class above

    # The footer's order is the order here; Textual's own would come before it.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "app.new_submission", "new", id="new", tooltip="Submit documents for conversion"),
        Binding("enter,right", "open_detail", "detail", id="detail", tooltip="Go to the selected task's detail"),
        Binding("escape,left", "leave_detail", "list", id="list", tooltip="Go back to the list of tasks"),
        Binding("f", "switch_view", "format", id="format", tooltip="Show events as they came, or formatted"),
        Binding("r", "app.reconnect", "reconnect", id="reconnect", tooltip="Try again now to reach the queue"),
        Binding("r", "ask", "ask IMM", id="ask", tooltip="Ask IMM now what has become of the selected task"),
        Binding("u", "quarantine", "quarantine", id="quarantine", tooltip="Show the messages that could not be read"),
        Binding("P", "app.profile", N_("profile"), id="profile", tooltip=N_("Switch to another profile"), show=False),
        Binding("L", "app.language", N_("language"), id="language", tooltip=N_("Speak English or Chinese"), show=False),
        Binding("question_mark", "app.help", "help", id="help", key_display="?", tooltip="Show what every key does"),
        Binding("q", "app.quit", "quit", id="quit", tooltip="Leave; what is on the queue waits there"),
        Binding(
            "tab", "app.focus_next", "Switch", show=False, id="switch", tooltip="From the list to the detail and back"
        ),
        Binding(
            "shift+tab", "app.focus_previous", "Back", show=False, id="switch-back", tooltip="Go back the way of tab"
        ),
        Binding(
            "ctrl+c",
            "screen.copy_text",
            "Copy",
            show=False,
            id="copy",
            tooltip="Copy what the mouse selected; if nothing is, leave at the second time",
        ),
    ]

    def __init__(self, profile: Profile, listener: ListenerState, *, demo: bool = False, scenario: str = "") -> None:
        super().__init__()
        self._profile = profile
        self._settings = profile.settings
        self._history_path = profile.history_path
        self._demo = demo
        self._scenario = scenario
        self.listener = listener
        self._history: History | None = None
        self._history_trouble: Trouble | None = None
        self._version = 0
        self._revision = 0
        self._last_delivery = 0
        self._last_event: int | None = None
        self._settling: Timer | None = None
        self._asked: tuple[Task, Trouble | None] | None = None
        """The task that a person wanted IMM to be asked about, and the trouble with asking, both as they were then."""
        self._asking_trouble: Trouble | None = None
        self._can_ask = False
        self._untold: list[Delivery] = []
        """Quarantined messages that came while another screen was in front."""
        self._unheard: Trouble | None = None
        self._counted = 0
        """The version of the history of which the quarantined messages were counted."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="header"):
            yield Heading(self._settings, demo=self._demo, scenario=self._scenario)
            yield ListenerStatus(self.listener)
        yield TroubleBanner()
        with Horizontal(id="regions"):
            yield TaskList(self._fetch)
            yield TaskDetail()
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(TaskList).focus()
        self.show_listener(self.listener)
        self.set_interval(1, self._tick)
        self.set_interval(_OTHERS, self._look)
        self.call_after_refresh(self.start_reading)

    def on_unmount(self) -> None:
        if self._history is not None:
            self._history.close()

    # From the history to the screen

    def start_reading(self) -> None:
        """Reads all there is in a thread of its own: a history of years must not hold up the first paint."""
        self.query_one(TaskList).say("Reading the history")
        threading.Thread(target=self._read_all, name="first reading", daemon=True).start()

    def _read_all(self) -> None:
        try:
            with History(self._history_path) as history:
                last_delivery = history.last_delivery()
                newest = history.deliveries(last_delivery - _FIRST)
                outline, revision = history.outline()
                tasks = history.tasks(limit=_FIRST)
        except HistoryUnusable as trouble:
            self.call_later(self.reading_failed, trouble)
            return
        index = TaskIndex(outline)
        last_event = max((delivery.received_at for delivery in newest if delivery.event is not None), default=None)
        self.call_later(self._show_all, index, tasks, revision, last_delivery, last_event)

    def reading_failed(self, trouble: Trouble) -> None:
        """The first reading has ended without a result: there is no list to be shown."""
        self.query_one(TaskList).say("The history could not be read")
        self._show_history_trouble(trouble)

    def _show_all(
        self, index: TaskIndex, newest: list[Task], revision: int, last_delivery: int, last_event: int | None
    ) -> None:
        self._revision, self._last_delivery, self._last_event = revision, last_delivery, last_event
        try:
            self._history = History(self._history_path)
        except HistoryUnusable as trouble:
            self.reading_failed(trouble)
            return
        self.query_one(TaskList).load(index, newest)
        self.show_listener(self.listener)
        self.read()

    def read(self) -> None:
        """Takes up what has changed in the history since it was last read."""
        if self._history is None:
            return
        try:
            # Asked first: what is committed while this reads is read the next time.
            self._version = self._history.data_version()
            changes = self._history.changes(self._revision)
            deliveries = self._history.deliveries(self._last_delivery)
        except HistoryUnusable as trouble:
            self._show_history_trouble(trouble)
            return
        self._show_history_trouble(None)
        tasks = self.query_one(TaskList)
        if changes.tasks or changes.removed:
            self._revision = changes.revision
            tasks.apply(changes)
            if any(task.id == tasks.selected for task in changes.tasks):
                self._show_detail_soon()
        if deliveries:
            self._last_delivery = deliveries[-1].id
            events = [delivery for delivery in deliveries if delivery.event is not None]
            if events:
                self._last_event = events[-1].received_at
                self.show_listener(self.listener)
            self._tell_quarantined([delivery for delivery in deliveries if delivery.event is None])

    def _look(self) -> None:
        if self._history is None:
            return
        try:
            changed = self._history.data_version() != self._version
        except HistoryUnusable as trouble:
            self._show_history_trouble(trouble)
            return
        if changed or self._history_trouble is not None:
            self.read()

    def _fetch(self, task: int) -> Task | None:
        try:
            return self._history.task(task) if self._history is not None else None
        except HistoryUnusable:
            return None  # the next look at the history says so

    def _tell_quarantined(self, messages: list[Delivery]) -> None:
        if not self.is_active:
            self._untold += messages
            return
        if len(messages) > _TOASTS:
            kept = "They were kept, and left on the queue. u shows them."
            self._warn(f"{len(messages)} messages could not be read. {kept}")
            return
        for message in messages:
            kept = "It was kept, and left on the queue for its owner. u shows it."
            self._warn(f"{line(message.reason)}\n{kept}\nMessageId {line(message.message_id)}")

    def on_screen_resume(self) -> None:
        untold, self._untold = self._untold, []
        self._tell_quarantined(untold)

    def _warn(self, words: str) -> None:
        self.notify(words, title="Not read", severity="warning", timeout=_TOAST_LASTS, markup=False)

    # What the listener does

    def show_listener(self, state: ListenerState) -> None:
        if state.phase is not self.listener.phase:
            self.refresh_bindings()
            if self.listener.phase is Phase.STOPPED and self._history is None:
                self.start_reading()  # what stopped the listener was the history, and a person has mended it
        self.listener = state
        self.query_one(ListenerStatus).show(state, self._last_event)
        self._show_trouble()

    def _show_history_trouble(self, trouble: Trouble | None) -> None:
        if trouble is not self._history_trouble:
            self._history_trouble = trouble
            self._show_trouble()

    def _show_trouble(self) -> None:
        banner = self.query_one(TroubleBanner)
        trouble = self._history_trouble or self.listener.trouble or self._unheard
        stopped = self.listener.phase is Phase.STOPPED
        banner.show(trouble, stopped=stopped, hint="r tries again." if stopped and self._can_reconnect() else "")

    @property
    def _imm_app(self) -> ImmApp:
        return cast("ImmApp", self.app)

    def _can_reconnect(self) -> bool:
        return bool(self.app.check_action("reconnect", ()))

    # Selection and detail

    def select(self, task: int) -> None:
        """Selects a task that was just submitted."""
        self.read()
        self.query_one(TaskList).select(task)

    def on_row_list_selected(self, event: RowList.Selected) -> None:
        if (event.row is None) != (event.before is None):
            self.refresh_bindings()  # whether there is a detail to go to; the footer is too dear for every row
        self._show_detail_soon()

    def on_row_list_opened(self) -> None:
        self.action_open_detail()

    def _show_detail_soon(self) -> None:
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(_SETTLE, self._show_detail)

    def _show_detail(self) -> None:
        detail = self.query_one(TaskDetail)
        selected = self.query_one(TaskList).selected
        if selected is None or self._history is None:
            detail.show(None, ())
            return
        try:
            task, messages = self._history.task(selected), self._history.messages_of(selected)
        except HistoryUnusable as trouble:
            self._show_history_trouble(trouble)
        else:
            detail.show(task, messages, self._asking(task) if task is not None else "")
            can_ask = task is not None and view.can_be_asked(task) and self._profile.can_ask
            if can_ask != self._can_ask:
                self._can_ask = can_ask
                self.refresh_bindings()

    def _asking(self, task: Task) -> Trouble | str:
        """What is to be told of asking IMM about a task, beside what came of it: why it failed, or that it goes on."""
        if self._asked is not None and self._asked[0].id == task.id:
            before, trouble = self._asked
            if task.asks != before.asks:
                self._asked = None
            elif self._asking_trouble is trouble or self._asking_trouble is None:
                return "Asking IMM …"
            else:
                return self._asking_trouble
        overdue = view.can_be_asked(task) and not task.asked and task.asked_at is not None
        return self._asking_trouble if overdue and self._asking_trouble is not None else ""

    def asking_failed(self, trouble: Trouble | None) -> None:
        """Why IMM cannot be asked about overdue tasks; None where it can."""
        if trouble is not self._asking_trouble:
            self._asking_trouble = trouble
            self._show_detail_soon()

    def _tick(self) -> None:
        self.query_one(ListenerStatus).tick()
        self.query_one(TaskList).tick()
        self.query_one(TaskDetail).tick()
        if self._history is not None:
            try:
                self._count(self._history)
            except HistoryUnusable as trouble:
                self._show_history_trouble(trouble)

    def _count(self, history: History) -> None:
        """Once a second, however often the history changes: who waits for a person, and whose event never came."""
        if self._counted != self._version:
            self._counted = self._version
            waiting = history.quarantine_size()
            words = f"{waiting:,} not read: u shows {'it' if waiting == 1 else 'them'}" if waiting else ""
            self.query_one(TaskList).border_subtitle = words
        at = now()
        unheard = history.unheard(at - _RECENT, at - _LATE)
        trouble = view.unheard(unheard, self._settings) if unheard > 1 else None
        if str(trouble) != str(self._unheard):
            self._unheard = trouble
            self._show_trouble()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("open_detail", "leave_detail"):
            on_detail = self.query_one(TaskDetail).has_focus
            some = self.query_one(TaskList).selected is not None
            return on_detail if action == "leave_detail" else some and not on_detail
        if action == "ask":
            return self._can_ask
        return super().check_action(action, parameters)

    def action_open_detail(self) -> None:
        self.query_one(TaskDetail).focus()

    def action_leave_detail(self) -> None:
        self.query_one(TaskList).focus()

    def action_switch_view(self) -> None:
        self.query_one(TaskDetail).action_switch_view()

    def action_quarantine(self) -> None:
        from imm_tui.tui.screens.quarantine import QuarantineScreen

        def closed(_: None) -> None:
            self._untold.clear()  # they were seen there

        self.app.clear_notifications()  # what they say can be seen in full
        self.app.push_screen(QuarantineScreen(), closed)

    def action_ask(self) -> None:
        selected = self.query_one(TaskList).selected
        task = self._fetch(selected) if selected is not None else None
        if task is None:
            return
        if self._imm_app.ask(task):
            self._asked = task, self._asking_trouble
            self._show_detail()
        else:
            words = f"It is of {line(task.project)} · {line(task.api_version)}."
            self.notify(words, title="Not asked", severity="warning", markup=False)
