"""The dashboard: all tasks, one of them in full, and what the listener is doing. It is drawn from the history alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer

from imm_tui.arrivals import Delivery
from imm_tui.completion import Completion
from imm_tui.errors import HistoryUnusable, Trouble
from imm_tui.history import Column, Order
from imm_tui.i18n import N_, _, ngettext
from imm_tui.listener import ListenerState, Phase
from imm_tui.preferences import Preferences
from imm_tui.session import Session
from imm_tui.tasks import Status, Task, now
from imm_tui.text import line
from imm_tui.tui import listener_words, read_only
from imm_tui.tui.asking import Asking, can_be_asked
from imm_tui.tui.chosen import Chosen
from imm_tui.tui.finder import Finder
from imm_tui.tui.localized import Localized
from imm_tui.tui.pace import Pace
from imm_tui.tui.reading import Outline, Reading, outline
from imm_tui.tui.right_of_way import RightOfWay
from imm_tui.tui.screens.opening import BREAKPOINTS
from imm_tui.tui.submissions import Submissions
from imm_tui.tui.task_index import Arrangement, Found
from imm_tui.tui.widgets.batch_strip import BatchStrip
from imm_tui.tui.widgets.detail import Detail
from imm_tui.tui.widgets.event_chart import CHARTED, STEP, EventChart
from imm_tui.tui.widgets.filter_bar import FilterBar
from imm_tui.tui.widgets.footer import Footer
from imm_tui.tui.widgets.heading import Heading
from imm_tui.tui.widgets.listener_status import ListenerStatus
from imm_tui.tui.widgets.row_list import RowList
from imm_tui.tui.widgets.status_counts import StatusCounts
from imm_tui.tui.widgets.task_detail import TaskDetail
from imm_tui.tui.widgets.task_list import TaskList
from imm_tui.tui.widgets.trouble_banner import TroubleBanner

if TYPE_CHECKING:
    from imm_tui.queue_depth import Depth
    from imm_tui.tui.batches import BatchState

_SETTLE = 0.05
"""Seconds for which a selection lasts before its detail is read: a held key does not read every task it passes."""

_JUST_READ = 0.5
"""Seconds after a reading of the history for which nobody looks whether another process has written to it."""

_RECENT, _LATE = 3_600_000, 10_000
"""Milliseconds: for how long a task whose event never came counts, and how late an event may be that does come."""

_ASKED_AT_ONCE = 100
"""Tasks that IMM is asked about at one key."""

_TOAST_LASTS = 20.0
"""Seconds; what comes while a toast says that a message was not read is told together after it."""


def _arrangement_of(chosen: Preferences) -> Arrangement:
    """How a person last wanted the list; without a filter, which would hide what is new."""
    column = Column(chosen.sort) if chosen.sort in set(Column) else Column.SUBMITTED
    order = Order(column, chosen.descending, chosen.failures_first)
    return Arrangement(order, folded=chosen.folded)


def _has_ended(status: Status | None) -> bool:
    return status is not None and status.finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Where a person is: what another dashboard of the same profile takes up."""

    query: str
    selected: int | None
    marked: Sequence[int]
    follow: bool
    tab: int
    """Of the detail."""
    in_detail: bool


class Dashboard(Localized[None], inherit_bindings=False):
    """The screen that everything else is laid over. It begins at `whereabouts`, where there are any."""

    AUTO_FOCUS = "TaskList"
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS

    # The footer's order is the order here; Textual's own would come before it.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "app.new_submission", N_("new"), id="new", tooltip=N_("Submit documents for conversion")),
        Binding("slash", "filter", N_("filter"), id="filter", key_display="/", tooltip=N_("List only some tasks")),
        Binding("s", "sort", N_("sort"), id="sort", tooltip=N_("Sort the list by the next column")),
        Binding("enter,right", "open_detail", N_("detail"), id="detail", tooltip=N_("Go to the task's detail")),
        Binding("escape,left", "back", N_("back"), id="back", tooltip=N_("Back to the list; unmark; clear the filter")),
        Binding("r", "app.reconnect", N_("reconnect"), id="reconnect", tooltip=N_("Try now to reach the queue")),
        Binding("r", "ask", N_("ask IMM"), id="ask", tooltip=N_("Ask IMM now what has become of the task")),
        Binding("y", "copy", N_("copy"), id="copy", tooltip=N_("Copy the task, or a part of it")),
        Binding("p", "app.pause", N_("pause"), id="pause", tooltip=N_("Take no events from the queue for now")),
        Binding("p", "app.resume", N_("resume"), id="resume", tooltip=N_("Take events from the queue again")),
        Binding("question_mark", "app.help", N_("help"), id="help", key_display="?", tooltip=N_("What every key does")),
        Binding("q", "app.leave", N_("quit"), id="quit", tooltip=N_("Leave; what is on the queue waits there")),
        *(
            Binding(key, action, name, id=id_, tooltip=tooltip, show=False)
            for key, action, name, id_, tooltip in (
                ("R", "resubmit", N_("resubmit"), "resubmit", N_("Submit once more, with the same request")),
                ("e", "export", N_("export"), "export", N_("Write the tasks that are listed to a file")),
                ("v", "views", N_("views"), "views", N_("Filters that have a name")),
                ("z", "fold", N_("fold"), "fold", N_("Hide the tasks that have succeeded, or show them")),
                ("F", "failures_first", N_("failed first"), "failures-first", N_("Failed tasks on top, or in place")),
                ("g", "follow", N_("follow"), "follow", N_("Keep the newest task selected, until you move")),
                ("b", "batches", N_("batches"), "batches", N_("How far what was sent together is; pause or cancel it")),
                ("u", "quarantine", N_("quarantine"), "quarantine", N_("The messages that could not be read")),
                ("c", "glossary", N_("codes"), "glossary", N_("What IMM's codes mean, and what to do")),
                ("t", "app.smoke", N_("smoke test"), "smoke", N_("Send one conversion through everything")),
                ("U", "app.setup", N_("set-up"), "setup", N_("Make what this profile needs, and write it")),
                ("D", "app.doctor", N_("doctor"), "doctor", N_("Find out what does not work, and what to do")),
                ("P", "app.profile", N_("profile"), "profile", N_("Switch to another profile")),
                ("L", "app.language", N_("language"), "language", N_("Speak English or Chinese")),
                ("tab", "app.focus_next", N_("next"), "switch", N_("From the list to the detail and back")),
                ("shift+tab", "app.focus_previous", N_("before"), "switch-back", N_("Go back the way of tab")),
                (
                    "ctrl+c",
                    "screen.copy_text",
                    N_("copy text"),
                    "copy-text",
                    N_("Copy what the mouse selected; if nothing is, leave at the second time"),
                ),
            )
        ),
    ]

    class Settled(Message):
        """Much has been made that stays."""

    def __init__(
        self,
        session: Session,
        submissions: Submissions,
        chosen: Chosen,
        right_of_way: RightOfWay,
        *,
        demo: bool = False,
        scenario: str = "",
        whereabouts: Whereabouts | None = None,
    ) -> None:
        super().__init__()
        self._session = session
        self._submissions = submissions
        self._chosen = chosen
        self._right_of_way = right_of_way
        self._profile = session.profile
        self._settings = session.profile.settings
        self._history_path = session.profile.history_path
        self._demo = demo
        self._scenario = scenario
        self.listener = session.listening
        self._reading: Reading | None = None
        """The history, once it was read for the first time."""
        self._read_at = 0.0
        self._history_trouble: Trouble | None = None
        self._last_event: int | None = None
        self._settling: Timer | None = None
        self._asking = Asking()
        self._can_ask = False
        self._untold: list[Delivery] = []
        """Quarantined messages that came while another screen was in front, or those before them are still told."""
        self._told_until = 0.0
        self._unheard: Trouble | None = None
        self._unheard_now, self._unheard_read = 0, 1
        """Events that are missing, and how many of them a person has read of; a single one is nothing to be told of."""
        self._completion = Completion()
        self._depth: tuple[Depth | None, Trouble | None] | None = None
        self._wanted = _arrangement_of(chosen.now)
        self._before = whereabouts
        """Until the list that it is about is there."""
        self._finder = Finder(self._history_path, self._answered)
        self._leaving = False
        """The selected task's event may leave its queue yet: that changes no task, but its timeline."""
        self._ended_batch: int | None = None
        """The newest batch, if it has ended."""
        self._count_soon = Pace(self, self._show_counts)
        self._counted = 0
        """The version of the history of which the quarantined messages were counted."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="header"):
            yield Heading(self._settings, demo=self._demo, scenario=self._scenario)
            yield ListenerStatus(self.listener)
        with Horizontal(id="counts"):
            yield StatusCounts()
            yield EventChart()
        yield TroubleBanner()
        yield BatchStrip()
        yield FilterBar()
        with Horizontal(id="regions"):
            yield TaskList(self._fetch_all)
            yield TaskDetail(self._before.tab if self._before is not None else 0)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(TaskList).focus()
        if self._before is not None:
            self._wanted = replace(self._wanted, query=self._before.query)
            self.query_one(FilterBar).use(self._before.query)
        self.show_listener(self.listener)
        self.set_interval(1, self._tick)
        self.call_after_refresh(self.start_reading)

    def _on_timer_update(self) -> None:
        with self._right_of_way.taken():
            super()._on_timer_update()  # where Textual draws

    def on_unmount(self) -> None:
        self._finder.stop()
        if self._reading is not None:
            self._reading.close()

    @property
    def profile(self) -> str:
        """The name of the one that is shown."""
        return self._settings.profile

    @property
    def whereabouts(self) -> Whereabouts:
        tasks = self.query_one(TaskList)
        return self._before or Whereabouts(
            query=self._wanted.query,
            selected=tasks.selected,
            marked=tasks.marked,
            follow=tasks.follow,
            tab=self.query_one(TaskDetail).tab,
            in_detail=self._on_detail,
        )

    def _go_back(self) -> None:
        """To where the person was on the dashboard before."""
        before, self._before = self._before, None
        if before is None:
            return
        tasks = self.query_one(TaskList)
        tasks.mark(before.marked)
        if before.selected is not None:
            tasks.select(before.selected)
        tasks.follow = before.follow
        if before.in_detail:
            self.action_open_detail()

    def show_news(self) -> None:
        """Takes up what has changed: what works for the profile, what is submitted, and the history."""
        self.show_listener(self._session.listening)
        self.asking_failed(self._session.asking_trouble)
        self._show_depth(self._session.depth)
        self._show_batch(self._submissions.batch(self._history_path))
        self.read()

    # From the history to the screen

    def start_reading(self) -> None:
        """Reads all there is in a thread of its own: a history of years must not hold up the first paint."""
        self.query_one(TaskList).say(_("Reading the history"))
        threading.Thread(target=self._read_all, name="first reading", daemon=True).start()

    def _read_all(self) -> None:
        try:
            found = outline(self._history_path, now() - CHARTED, STEP)
        except HistoryUnusable as trouble:
            self.call_later(self.reading_failed, trouble)
        else:
            self.call_later(self._show_all, found)

    def reading_failed(self, trouble: Trouble) -> None:
        """The first reading has ended without a result: there is no list to be shown."""
        self.query_one(TaskList).say(_("The history could not be read"))
        self._show_history_trouble(trouble)

    def _show_all(self, found: Outline) -> None:
        self._last_event = found.last_event
        self.query_one(EventChart).add_counted(found.received)
        try:
            self._reading = Reading(self._history_path, found)
        except HistoryUnusable as trouble:
            self.reading_failed(trouble)
            return
        self.query_one(TaskList).load(found.index, found.newest)
        self._show_counts()
        self._arrange(self._wanted)
        self.show_listener(self.listener)
        self.post_message(self.Settled())
        self.read()

    def read(self) -> None:
        """Takes up what has changed in the history since it was last read."""
        if self._reading is None:
            return
        self._read_at = time.monotonic()
        try:
            news = self._reading.news()
        except HistoryUnusable as trouble:
            self._show_history_trouble(trouble)
            return
        self._show_history_trouble(None)
        tasks = self.query_one(TaskList)
        if news.statuses or news.removed:
            self._completion.add(
                {
                    task: status
                    for task, status in news.statuses.items()
                    if status.finished and not _has_ended(tasks.status_of(task))
                }
            )
            self._tell_ended()
            tasks.apply(news.statuses, news.removed)
            self._count_soon()
            if not self._wanted.plain:
                self._finder.ask(self._wanted)
            if tasks.selected in news.statuses:
                self._leaving = True
                self._show_detail_soon()
        if news.received:
            self._last_event = max(news.received)
            self.query_one(EventChart).add(news.received.elements())
            self.show_listener(self.listener)
        self._tell_quarantined(news.quarantined)

    def _look(self) -> None:
        if self._reading is None:
            return
        try:
            changed = self._reading.outdated
        except HistoryUnusable as trouble:
            self._show_history_trouble(trouble)
            return
        if changed and self._leaving:
            self._leaving = False
            self._show_detail_soon()
        if self._history_trouble is not None or (changed and time.monotonic() - self._read_at > _JUST_READ):
            self.read()  # whoever writes in this process wakes the screen by himself

    # Which tasks are listed, and how

    def _arrange(self, arrangement: Arrangement) -> None:
        """Lists the tasks in this way from now on; what the history has to find for it appears when it is found."""
        if bool(arrangement.query) != bool(self._wanted.query):
            self.refresh_bindings()
        self._wanted = arrangement
        self._show_counts()
        tasks = self.query_one(TaskList)
        if arrangement.plain:
            self._finder.drop()
            tasks.show_all()
            if self._reading is not None:
                self._go_back()
        else:
            tasks.order = arrangement.order
            tasks.say(_("Finding tasks"), busy=True)
            self._finder.ask(arrangement)

    def _answered(self, arrangement: Arrangement, found: Found | Trouble) -> None:
        with suppress(RuntimeError):  # the app has ended meanwhile
            self.call_later(self._show_found, arrangement, found)

    def _show_found(self, arrangement: Arrangement, found: Found | Trouble) -> None:
        if arrangement != self._wanted or not self.is_attached:
            return
        if isinstance(found, Trouble):
            self.query_one(TaskList).say("")
            self._show_history_trouble(found)
            return
        self.query_one(TaskList).show_found(found, arrangement)
        if found.whole:
            if self._reading is not None:
                self._go_back()
            self.query_one(FilterBar).show_found(len(found))

    def _keep_arranged(self, arrangement: Arrangement) -> None:
        """The same as a choice of the person's, for the next session as well."""
        order = arrangement.order
        self._chosen.change(
            sort=str(order.column),
            descending=order.descending,
            failures_first=order.failures_first,
            folded=arrangement.folded,
        )
        self._arrange(arrangement)

    def on_task_list_sorted(self, event: TaskList.Sorted) -> None:
        self._keep_arranged(replace(self._wanted, order=event.order))

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    def on_filter_bar_changed(self, event: FilterBar.Changed) -> None:
        self._arrange(replace(self._wanted, query=event.filter.text.strip()))

    def on_filter_bar_done(self) -> None:
        self.query_one(TaskList).focus()

    def on_filter_bar_cleared(self) -> None:
        self.query_one(TaskList).focus()

    def on_status_counts_chosen(self, event: StatusCounts.Chosen) -> None:
        self.query_one(FilterBar).use(event.query)

    def _show_counts(self) -> None:
        self.query_one(StatusCounts).show(self.query_one(TaskList).counts, self._wanted.query)

    def action_views(self) -> None:
        from imm_tui.tui.screens.views import ViewsScreen

        def keep(views: Mapping[str, str]) -> Mapping[str, str]:
            self._chosen.change(views=views)
            return self._chosen.now.views

        def left(chosen: str | None) -> None:
            if chosen is not None:
                self.query_one(FilterBar).use(chosen)

        self.app.push_screen(ViewsScreen(self._chosen.now.views, self._wanted.query, keep), left)

    def action_clear_filter(self) -> None:
        if self._wanted.query:
            self.query_one(FilterBar).clear()

    def action_sort(self) -> None:
        self.query_one(TaskList).action_sort()

    def action_fold(self) -> None:
        self._keep_arranged(replace(self._wanted, folded=not self._wanted.folded))

    def action_failures_first(self) -> None:
        order = self._wanted.order
        self._keep_arranged(replace(self._wanted, order=replace(order, failures_first=not order.failures_first)))

    def action_follow(self) -> None:
        tasks = self.query_one(TaskList)
        tasks.follow = not tasks.follow

    def _fetch(self, task: int) -> Task | None:
        return next(iter(self._fetch_all([task])), None)

    def _fetch_all(self, tasks: Iterable[int]) -> list[Task]:
        try:
            return self._reading.history.tasks_of(tasks) if self._reading is not None else []
        except HistoryUnusable:
            return []  # the next look at the history says so

    def _tell_quarantined(self, messages: list[Delivery]) -> None:
        self._untold += messages
        at = time.monotonic()
        if not self._untold or not self.is_active or at < self._told_until:
            return
        untold, self._untold, self._told_until = self._untold, [], at + _TOAST_LASTS
        if len(untold) > 1:
            words = _("{count} messages could not be read. They were kept, and left on the queue. u shows them.")
            words = words.format(count=f"{len(untold):,}")
        else:
            kept = _("It was kept, and left on the queue for its owner. u shows it.")
            words = f"{line(_(untold[0].reason))}\n{kept}\nMessageId {line(untold[0].message_id)}"
        self.notify(words, title=_("Not read"), severity="warning", timeout=_TOAST_LASTS, markup=False)

    def _tell_ended(self) -> None:
        telling = self._completion.take(time.monotonic(), self._fetch)
        if telling is not None:
            from imm_tui.tui.telling import tell

            tell(self.app, telling, self._chosen.now.telling)

    def on_screen_resume(self) -> None:
        self._tell_quarantined([])

    # What the listener does

    def show_listener(self, state: ListenerState) -> None:
        if state.phase is not self.listener.phase:
            self.refresh_bindings()
            if state.phase in (Phase.LISTENING, Phase.PEEKING):
                self.post_message(self.Settled())  # the SDKs are there as well
            if self.listener.phase is Phase.STOPPED and self._reading is None:
                self.start_reading()  # what stopped the listener was the history, and a person has mended it
        self.listener = state
        self.query_one(ListenerStatus).show(state, self._last_event)
        self._show_trouble()

    def _show_batch(self, state: BatchState | None) -> None:
        """How far the batch of the moment is; None where there is none to be told of."""
        self.query_one(BatchStrip).show(state)
        ended = state.key if state is not None and state.progress.ended else None
        if ended != self._ended_batch:
            self._ended_batch = ended
            self._show_detail_soon()  # it may be of fewer tasks than there were to be

    def _show_depth(self, known: tuple[Depth | None, Trouble | None] | None) -> None:
        """How many messages are on the queue, or why that is not known."""
        if known is not None and known != self._depth:
            self._depth = known
            self.query_one(Heading).show_depth(*known)

    def _show_history_trouble(self, trouble: Trouble | None) -> None:
        if trouble is not self._history_trouble:
            self._history_trouble = trouble
            self._show_trouble()

    def _show_trouble(self) -> None:
        banner = self.query_one(TroubleBanner)
        trouble = self._history_trouble or self.listener.trouble or self._unheard
        stopped = self.listener.phase is Phase.STOPPED
        hint = _("r tries again.") if stopped and self._can_reconnect() else ""
        banner.show(trouble, stopped=stopped, hint=_("Esc takes this away.") if self._can_be_read else hint)

    @property
    def _can_be_read(self) -> bool:
        """What the banner says is no state that lasts: who has read it can take it away."""
        return self._unheard is not None and not (self._history_trouble or self.listener.trouble)

    def _can_reconnect(self) -> bool:
        return bool(self.app.check_action("reconnect", ()))

    def on_task_list_marked(self) -> None:
        self.refresh_bindings()

    # Selection and detail

    def select(self, task: int) -> None:
        """Selects a task that was just submitted."""
        self.read()
        self.query_one(TaskList).select(task)

    def on_row_list_selected(self, event: RowList.Selected) -> None:
        if (event.row is None) != (event.before is None):
            self.refresh_bindings()  # whether there is a detail to go to; the footer is too dear for every row
        self._show_detail_soon()

    def on_descendant_focus(self) -> None:
        if self._on_detail:
            self.query_one(TaskList).hold()

    def on_row_list_opened(self) -> None:
        self.action_open_detail()

    def _show_detail_soon(self) -> None:
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(_SETTLE, self._show_detail)

    def _show_detail(self) -> None:
        detail = self.query_one(TaskDetail)
        selected = self.query_one(TaskList).selected
        if selected is None or self._reading is None:
            detail.show(None, ())
            return
        history = self._reading.history
        try:
            task, messages = history.task(selected), history.messages_of(selected)
            tally = history.tally_of(selected)
            request = history.request_of(selected)
            batch = history.place_in_batch(task) if task is not None else None
        except HistoryUnusable as trouble:
            self._show_history_trouble(trouble)
        else:
            asking = self._asking.told(task) if task is not None else ""
            detail.show(task, messages, asking, tally=tally, request=request, batch=batch)
            can_ask = task is not None and can_be_asked(task) and self._profile.can_ask
            if can_ask != self._can_ask:
                self._can_ask = can_ask
                self.refresh_bindings()

    def asking_failed(self, trouble: Trouble | None) -> None:
        """Why IMM cannot be asked about overdue tasks; None where it can."""
        if trouble is not self._asking.trouble:
            self._asking.trouble = trouble
            self._show_detail_soon()

    def _tick(self) -> None:
        # Whatever goes by time does so at once: each timer more would wake the program more often.
        self._look()
        self.query_one(ListenerStatus).tick()
        self.query_one(TaskList).tick()
        self.query_one(TaskDetail).tick()
        self.query_one(EventChart).tick()
        self._tell_ended()
        self._tell_quarantined([])
        if self._wanted.query and self.query_one(FilterBar).filter.takes_time:
            self._finder.ask(self._wanted)
        if self._reading is not None:
            try:
                self._count(self._reading)
            except HistoryUnusable as trouble:
                self._show_history_trouble(trouble)

    def _count(self, reading: Reading) -> None:
        """Once a second, however often the history changes: who waits for a person, and whose event never came."""
        if self._counted != reading.version:
            self._counted = reading.version
            waiting = reading.history.quarantine_size()
            words = ngettext("{count} not read: u shows it", "{count} not read: u shows them", waiting)
            self.query_one(TaskList).border_subtitle = words.format(count=f"{waiting:,}") if waiting else ""
        at = now()
        unheard = reading.history.unheard(at - _RECENT, at - _LATE)
        self._unheard_read = max(1, min(self._unheard_read, unheard))
        trouble = listener_words.unheard(unheard, self._settings) if unheard > self._unheard_read else None
        self._unheard_now = unheard
        if str(trouble) != str(self._unheard):
            self._unheard = trouble
            self._show_trouble()
            self.refresh_bindings()  # escape has something to take away, or has not

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("open_detail", "copy", "resubmit"):
            some = self.query_one(TaskList).selected is not None
            return some and not (action == "open_detail" and self._on_detail)
        if action == "back":
            tasks = self.query_one(TaskList)
            return self._can_be_read or not tasks.has_focus or tasks.has_marks or bool(self._wanted.query)
        if action == "filter":
            return not self.query_one(FilterBar).editing
        if action == "sort":
            return self.query_one(TaskList).has_focus
        if action == "ask":
            return self._can_ask
        return super().check_action(action, parameters)

    @property
    def _on_detail(self) -> bool:
        return self.query_one(TaskDetail).has_focus_within

    def action_open_detail(self) -> None:
        self.query_one(TaskDetail).focus()

    def action_back(self) -> None:
        """One step: without the banner; then from the detail to the list; then without marks; then without a filter."""
        tasks = self.query_one(TaskList)
        if self._can_be_read:
            self._unheard, self._unheard_read = None, self._unheard_now
            self._show_trouble()
            self.refresh_bindings()
        elif not tasks.has_focus:
            tasks.focus()
        elif not tasks.unmark():
            self.action_clear_filter()

    def action_quarantine(self) -> None:
        from imm_tui.tui.screens.quarantine import QuarantineScreen

        def closed(_: None) -> None:
            self._untold.clear()  # they were seen there

        self.app.clear_notifications()  # what they say can be seen in full
        self.app.push_screen(QuarantineScreen(self._profile), closed)

    def action_copy(self) -> None:
        """A part of the marked tasks, or of the selected one."""
        from imm_tui.tui.screens.copy import CopyScreen

        self.app.push_screen(CopyScreen(self._history_path, self.query_one(TaskList).chosen))

    def on_detail_copied(self, event: Detail.Copied) -> None:
        from imm_tui.tui.clipboard import copy

        copy(self.app, event.text, event.what, self._history_path.with_name("copied.txt"))

    def action_export(self) -> None:
        """The marked tasks, or all that are listed."""
        from imm_tui.tui.screens.export import ExportScreen

        tasks = self.query_one(TaskList)
        self.app.push_screen(ExportScreen(self._history_path, tasks.marked or tasks.listed))

    async def action_resubmit(self) -> None:
        """The marked tasks, or the selected one."""
        from imm_tui.tui.resubmit import resubmit

        if not self._profile.can_ask:
            await self.run_action("app.new_submission")  # says what is missing
        elif read_only.refuses(self.app, self._settings):
            return
        elif chosen := self.query_one(TaskList).chosen:
            # What is sent is unmarked: else the next time it would be asked for again.
            resubmit(self, self._profile, self._submissions, chosen, self.query_one(TaskList).forget_marks)

    def action_batches(self) -> None:
        from imm_tui.tui.screens.batch import BatchScreen

        def closed(batch: int | None) -> None:
            if batch is not None:
                self.query_one(FilterBar).use(f"batch:{batch}")
                self.query_one(TaskList).focus()

        self.app.push_screen(BatchScreen(self._submissions.batches, self._history_path), closed)

    def on_batch_strip_opened(self) -> None:
        self.action_batches()

    def action_glossary(self) -> None:
        """Opened at the selected task's code."""
        from imm_tui.tui.screens.glossary import GlossaryScreen

        selected = self.query_one(TaskList).selected
        task = self._fetch(selected) if selected is not None else None
        self.app.push_screen(GlossaryScreen(line(task.code) if task is not None and task.code else ""))

    def action_ask(self) -> None:
        """About the marked tasks, or the selected one: not about more than can be fetched within a frame."""
        numbers = self.query_one(TaskList).chosen[:_ASKED_AT_ONCE]
        chosen = [task for number in numbers if (task := self._fetch(number)) is not None]
        others = [task for task in chosen if can_be_asked(task) and not self._session.ask(task)]
        selected = next((task for task in chosen if task.id == self.query_one(TaskList).selected), None)
        if selected is not None and selected not in others:
            self._asking.want(selected)
            self._show_detail()
        if others:
            place = f"{line(others[0].project)} · {line(others[0].api_version)}"
            words = _("Of another project or API version: {place}.").format(place=place)
            self.notify(words, title=_("Not asked"), severity="warning", markup=False)
