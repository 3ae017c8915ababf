"""One task in full: how far it is, what it says of itself, and the events it is known from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, ItemGrid
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from imm_tui.errors import Trouble
from imm_tui.history import Message
from imm_tui.tasks import SHAPES, Status, Task, now
from imm_tui.text import block, line
from imm_tui.tui import view
from imm_tui.tui.theme import QUIET, STATUS_COLOURS
from imm_tui.tui.widgets.detail import Detail
from imm_tui.tui.widgets.event_tabs import EventTabs
from imm_tui.tui.widgets.json_view import Body, JsonView
from imm_tui.tui.widgets.percent_bar import PercentBar

_FACTS = ("source", "target", "submitted", "seen", "finished", "task", "request", "project", "events")

_CODE = 100
_WORDS = 2_000
"""Characters of a task's code and message that are shown: what is known beside them stays in sight."""

_MESSAGES = 20
"""Messages of one task that are shown; a task has one or two as a rule."""


class TaskDetail(Detail):
    """The facts first, then the messages that they are known from."""

    def __init__(self) -> None:
        super().__init__(classes="empty")
        self.border_title = "Detail"
        self._shown: Task | None = None
        self._messages: Sequence[Message] = ()
        self._asking: Trouble | str = ""
        self._filled = False

    def compose(self) -> ComposeResult:
        yield Static("Select a task to see what is known of it.", id="nothing")

    def _parts(self) -> Iterator[Widget]:
        yield Horizontal(Static(id="status"), PercentBar(), id="progress")
        yield Static(id="figures")
        yield Static(id="told")
        pairs = ((Static(fact, classes=f"label {fact}"), Static(classes=f"value {fact}")) for fact in _FACTS)
        yield ItemGrid(*(part for pair in pairs for part in pair), id="facts")
        yield EventTabs()
        yield JsonView()

    def on_mount(self) -> None:
        # Thirty widgets, and at first there is nothing to be shown in them: the first paint does not wait.
        self.call_after_refresh(self._fill)

    async def _fill(self) -> None:
        await self.mount(*self._parts())
        self._filled = True
        self._draw()

    def show(self, task: Task | None, messages: Sequence[Message], asking: Trouble | str = "") -> None:
        """Shows a task with its messages, the deciding one first; None where no task is selected.

        `asking` says that IMM is being asked about it, or why it cannot be.
        """
        if task is None or self._shown is None or task.id != self._shown.id:
            self.scroll_home(animate=False)
        self._shown, self._messages, self._asking = task, messages, asking
        if self._filled:
            self._draw()

    def _draw(self) -> None:
        task = self._shown
        self.set_class(task is None, "empty")
        self.border_title = Content(line(task.name, 200) if task is not None else "Detail")
        if task is None:
            self.query_one(PercentBar).rest()
            return
        with self.app.batch_update():
            self._show_progress(task)
            self._show_words(task)
            self._show_facts(task)
            self._show_events()
            self.tick()

    def tick(self) -> None:
        """A second has passed: a task that is under way has been so for longer."""
        if self._shown is not None and self._filled:
            self.query_one("#figures", Static).update(Content(view.figures(self._shown, now())))

    def _show_progress(self, task: Task) -> None:
        colour = STATUS_COLOURS[task.status]
        status = Content.styled(f"{SHAPES[task.status]} {task.status}", f"bold {colour}")
        if task.code:
            failed = task.status is Status.FAILED
            status += Content.styled(f" · {line(task.code, _CODE)}", f"bold {colour}" if failed else QUIET)
        self.query_one("#status", Static).update(status)
        bar = self.query_one(PercentBar)
        bar.display = task.status in (Status.RUNNING, Status.SUCCEEDED)
        if bar.display:
            bar.set_class(task.status is Status.SUCCEEDED, "succeeded")
            bar.show(None if view.reports_nothing(task) else task.percent)
        else:
            bar.rest()

    def _show_words(self, task: Task) -> None:
        words = [block(task.message, _WORDS)] if task.message else []
        if task.untracked:
            words.append("Untracked: an event came for this task, but it was not submitted from here.")
        if learned := view.asked(task, now()):
            words.append(learned)
        if isinstance(self._asking, Trouble):
            words.append(" ".join(["IMM could not be asked about it.", *view.told(self._asking)]))
        elif self._asking:
            words.append(self._asking)
        told = self.query_one("#told", Static)
        told.display = bool(words)
        told.update(Content("\n".join(words)))

    def _show_facts(self, task: Task) -> None:
        known = {
            "source": line(task.source_uri or ""),
            "target": line(task.target_uri or ""),
            "submitted": view.moment(task.submitted_at) if not task.untracked else "",
            "seen": view.moment(task.seen_at) if task.untracked else "",
            "finished": view.moment(task.finished_at) if task.finished_at is not None else "",
            "task": line(task.task_id or ""),
            "request": line(task.request_id or ""),
            "project": " · ".join(line(part) for part in (task.project, task.api_version) if part),
            "events": str(task.events),
        }
        for label, value in zip(self.query(".label"), self.query(".value").results(Static), strict=True):
            text = known[next(fact for fact in _FACTS if value.has_class(fact))]
            label.display = value.display = bool(text)
            value.update(Content(text))

    def on_event_tabs_switched(self) -> None:
        self._show_events()

    def _show_events(self) -> None:
        if self._shown is not None:
            bodies = self._bodies(self._shown, formatted=self.query_one(EventTabs).formatted)
            self.query_one(JsonView).show(list(bodies))

    def _bodies(self, task: Task, *, formatted: bool) -> Iterator[Body]:
        if not self._messages:
            yield Body("No event has come." if task.status.finished else "No event has come yet.")
        for message in self._messages[:_MESSAGES]:
            what = "IMM's answer when asked: RequestId" if message.asked else "message"
            caption = f"{what} {line(message.message_id)}\nreceived {view.moment(message.received_at)}"
            if message.times > 1:
                caption += f" · delivered {message.times} times"
            pretty = view.formatted(message.body) if formatted else None
            if formatted and pretty is None:
                caption += " · no JSON: shown as it came"
            yield Body(caption, view.raw(message.body) if pretty is None else pretty)
        if len(self._messages) > _MESSAGES:
            yield Body(f"{len(self._messages) - _MESSAGES} older messages are in the history.")

    def action_switch_view(self) -> None:
        """The other way to look at the events."""
        for tabs in self.query(EventTabs):
            tabs.switch(not tabs.formatted)
