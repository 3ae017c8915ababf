"""One task in full: how far it is, and what is known of it in four tabs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from imm_tui.errors import Trouble
from imm_tui.history import Message, Tally
from imm_tui.i18n import N_, _, ngettext
from imm_tui.tasks import SHAPES, Status, Task
from imm_tui.text import line
from imm_tui.tui import task_words
from imm_tui.tui.theme import QUIET, STATUS_COLOURS
from imm_tui.tui.times import moment
from imm_tui.tui.widgets.choice_line import ChoiceLine
from imm_tui.tui.widgets.detail import Detail, Page
from imm_tui.tui.widgets.json_view import Body, JsonView
from imm_tui.tui.widgets.overview import Overview
from imm_tui.tui.widgets.percent_bar import PercentBar
from imm_tui.tui.widgets.request_view import RequestView
from imm_tui.tui.widgets.timeline import Timeline
from imm_tui.tui.widgets.words import Words

_CODE = 100
"""Characters of a task's code that are shown."""

_NO_MESSAGES = Tally()

_ROOMY = 16
"""Lines from which on some of them may stay blank."""

_EVENTS = 1
"""The place of their tab."""


class TaskDetail(Detail):
    """How far it is stays in sight above the tabs; the chosen tab, at first that in the place `tab`, stays when another
    task is shown."""

    BINDING_GROUP_TITLE = N_("Detail")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "show_tab(0)", N_("Overview"), show=False, id="detail.overview", tooltip=N_("What it is")),
        Binding("2", "show_tab(1)", N_("Raw event"), show=False, id="detail.event", tooltip=N_("What IMM has sent")),
        Binding("3", "show_tab(2)", N_("Timeline"), show=False, id="detail.timeline", tooltip=N_("What happened when")),
        Binding("4", "show_tab(3)", N_("Request"), show=False, id="detail.request", tooltip=N_("What IMM was sent")),
        Binding(
            "left_square_bracket",
            "step_tab(-1)",
            N_("Tab before"),
            show=False,
            id="detail.previous-tab",
            key_display="[",
            tooltip=N_("The tab to the left"),
        ),
        Binding(
            "right_square_bracket",
            "step_tab(1)",
            N_("Next tab"),
            show=False,
            id="detail.next-tab",
            key_display="]",
            tooltip=N_("The tab to the right"),
        ),
        Binding(
            "f", "switch_view", N_("format"), id="detail.format", tooltip=N_("The events as they came, or formatted")
        ),
        Binding("y", "copy", N_("copy"), id="detail.copy", tooltip=N_("Copy what is shown here")),
    ]

    def __init__(self, tab: int = 0) -> None:
        super().__init__(classes="empty")
        self.tab = tab
        """The place of the chosen one, from 0."""
        self.border_title = Content(_("Detail"))
        self._shown: Task | None = None
        self._messages: Sequence[Message] = ()
        self._tally = _NO_MESSAGES
        self._asking: Trouble | str = ""
        self._request: Mapping[str, Any] | None = None
        self._batch: tuple[int, int] | None = None
        self._formatted = True
        self._pages: Sequence[Page | JsonView] = ()
        """Of its tabs; none before it has been filled."""
        self._focus_wanted = False

    def focus(self, scroll_visible: bool = True) -> Self:
        self._focus_wanted = self.inside is None  # a person may be faster than the first drawing
        return super().focus(scroll_visible)

    def compose(self) -> ComposeResult:
        yield Static(_("Select a task to see what is known of it."), id="nothing", markup=False)

    def on_mount(self) -> None:
        # Dozens of widgets, and at first there is nothing to be shown in them: the first paint does not wait.
        self.call_after_refresh(self._fill)

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height >= _ROOMY, "roomy")

    async def _fill(self) -> None:
        if not self.is_attached:
            return  # the app has ended meanwhile
        self._status = Words("status")
        self._bar = PercentBar()
        self._tabs = ChoiceLine([_("Overview"), _("Raw event"), _("Timeline"), _("Request")], id="tabs")
        self._tabs.set_reactive(ChoiceLine.chosen, self.tab)
        pages = Overview(), JsonView(), Timeline(), RequestView()
        await self.mount(Horizontal(self._status, self._bar, id="progress"), self._tabs, *pages)
        if self.is_attached:
            self._pages = pages
            self._draw()

    def show(
        self,
        task: Task | None,
        messages: Sequence[Message],
        asking: Trouble | str = "",
        *,
        tally: Tally = _NO_MESSAGES,
        request: Mapping[str, Any] | None = None,
        batch: tuple[int, int] | None = None,
    ) -> None:
        """Shows a task with its messages, as History.messages_of gives them; None where no task is selected.

        `asking` says that IMM is being asked about it, or why it cannot be. `tally` is History.tally_of's, `request`
        request_of's. `batch` is its place among those that it was submitted with, from 1, and how many they are.
        """
        other = task is None or self._shown is None or task.id != self._shown.id
        self._shown, self._messages, self._asking = task, messages, asking
        self._tally, self._request, self._batch = tally, request, batch
        if other:
            for page in self._pages:
                if isinstance(page, Page):
                    page.scroll_home(animate=False)
        self._draw()

    def tick(self) -> None:
        """A second has passed: a task that is under way has been so for longer."""
        if isinstance(self.inside, Overview):
            self.inside.tick()

    def copyable(self) -> tuple[str, str]:
        """What there is to be copied in the chosen tab, as it is, and what that is; "" where there is nothing."""
        match self.inside:
            case Overview() as overview:
                return overview.text(), _("what is known of the task")
            case Timeline() as timeline:
                return timeline.text(), _("the timeline")
            case RequestView() as request:
                return request.text()
            case JsonView() if self._messages:
                return self._messages[0].body.decode("utf-8", "surrogateescape"), _("the raw event")
        return "", ""

    @property
    def inside(self) -> Widget | None:
        return self._pages[self.tab] if self._pages and self._shown is not None else None

    # Keys

    def action_show_tab(self, tab: int) -> None:
        """Shows that tab, from 0."""
        if self._pages:
            self._tabs.chosen = tab

    def action_step_tab(self, by: int) -> None:
        if self._pages:
            self._tabs.step(by)

    def action_switch_view(self) -> None:
        """The events as they came, or formatted."""
        self._formatted = not self._formatted
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "switch_view":
            return isinstance(self.inside, JsonView)
        return super().check_action(action, parameters)

    def action_copy(self) -> None:
        text, what = self.copyable()
        if text:
            self.post_message(self.Copied(text, what))

    def on_choice_line_switched(self) -> None:
        focused = self.has_focus_within
        self.tab = self._tabs.chosen
        self._draw()
        self.refresh_bindings()
        if focused:
            self.focus()

    def on_choice_line_repeated(self) -> None:
        if isinstance(self.inside, JsonView):
            self.action_switch_view()

    # Drawing

    def _draw(self) -> None:
        if not self._pages:
            return
        task = self._shown
        self.set_class(task is None, "empty")
        self.border_title = Content(line(task.name, 200) if task is not None else _("Detail"))
        for page in self._pages:
            page.display = page is self.inside
        if task is None:
            self._bar.rest()
            return
        with self.app.batch_update():
            self._show_progress(task)
            match self.inside:
                case Overview() as overview:
                    overview.show(task, self._asking, self._batch)
                case JsonView() as bodies:
                    bodies.show(list(self._bodies(task)))
                case Timeline() as timeline:
                    timeline.show(task, self._messages, self._tally)
                case RequestView() as request:
                    request.show(self._request, self._unknown(task))
        if self._focus_wanted:
            self.focus()

    def _show_progress(self, task: Task) -> None:
        colour = STATUS_COLOURS[task.status]
        status = Content.styled(f"{SHAPES[task.status]} {task_words.status(task.status)}", f"bold {colour}")
        if task.code:
            failed = task.status is Status.FAILED
            status += Content.styled(f" · {line(task.code, _CODE)}", f"bold {colour}" if failed else QUIET)
        self._status.say(status)
        bar = self._bar
        bar.display = task.status in (Status.RUNNING, Status.SUCCEEDED)
        if bar.display:
            bar.set_class(task.status is Status.SUCCEEDED, "succeeded")
            bar.show(None if task_words.reports_nothing(task) else task.percent)
        else:
            bar.rest()

    def _bodies(self, task: Task) -> Iterator[Body]:
        if not self._messages:
            yield Body(_("No event has come.") if task.status.finished else _("No event has come yet."))
        for message in self._messages:
            body = message.body.decode("utf-8", "replace")
            yield Body(self._caption(message), body, formatted=self._formatted)
        if (older := self._tally.messages - len(self._messages)) > 0:
            words = ngettext(
                "{count:,} older message is in the history.", "{count:,} older messages are in the history.", older
            )
            yield Body(words.format(count=older))

    def _caption(self, message: Message) -> str:
        what = _("IMM's answer when asked: RequestId {id}") if message.asked else _("message {id}")
        parts = [_("received {time}").format(time=moment(message.received_at))]
        if message.times > 1:
            parts.append(
                ngettext("delivered {count:,} time", "delivered {count:,} times", message.times).format(
                    count=message.times
                )
            )
        return f"{what.format(id=line(message.message_id))}\n{' · '.join(parts)}"

    @staticmethod
    def _unknown(task: Task) -> str:
        if task.untracked:
            return _("It was not submitted from here: what was sent is not known.")
        return _("It was submitted by an older imm-tui, which did not keep what it sent.")
