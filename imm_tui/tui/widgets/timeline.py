"""The way of a task, drawn: each step with its time, the gap before it, and a bar as long as that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from imm_tui import timeline
from imm_tui.history import Message, Tally
from imm_tui.i18n import N_, _, ngettext
from imm_tui.tasks import Task
from imm_tui.text import line
from imm_tui.timeline import Stage, Step
from imm_tui.tui.cells import NOTHING, fit, fit_right
from imm_tui.tui.theme import QUIET
from imm_tui.tui.times import duration, moment
from imm_tui.tui.widgets.detail import Page
from imm_tui.tui.widgets.facts import Facts

_STAGES = {
    Stage.SUBMITTED: N_("submitted"),
    Stage.ACCEPTED: N_("accepted"),
    Stage.REFUSED: N_("refused"),
    Stage.REPORTED: N_("reported"),
    Stage.FINISHED: N_("finished"),
    Stage.PUBLISHED: N_("published"),
    Stage.RECEIVED: N_("received"),
    Stage.STORED: N_("stored"),
    Stage.DELETED: N_("deleted"),
    Stage.ASKED: N_("asked IMM"),
}

_TIME = len("00:00:00.000")
_LONGEST_BAR = 40
_SHORTEST_BAR = 4
"""Cells that a bar needs to say anything; where there are fewer, the longest gap is marked by its colour alone."""


class Timeline(Page):
    """The steps, then what is to be known of them."""

    def __init__(self) -> None:
        super().__init__(id="timeline")
        self._facts: list[tuple[str, str]] = []
        self._chart = Chart()
        self._known = Facts()

    def compose(self) -> ComposeResult:
        yield from (self._chart, self._known)

    def show(self, task: Task, messages: Sequence[Message], tally: Tally) -> None:
        """Draws these messages; `tally` is of all that there are."""
        steps = timeline.steps(task, messages)
        self._facts = list(_facts(task, steps, tally, tally.messages - len(messages)))
        self._chart.show(steps)
        self._known.show(self._facts)

    def text(self) -> str:
        """All of it, as text."""
        return "\n".join([self._chart.text(), *(f"{label}: {value}" for label, value in self._facts)])


def _facts(task: Task, steps: Sequence[Step], tally: Tally, older: int) -> Iterator[tuple[str, str]]:
    if times := tally.delivered:
        yield _("delivered"), ngettext("{count:,} time", "{count:,} times", times).format(count=times)
    if tally.duplicates:
        yield _("duplicates"), f"{tally.duplicates:,}"
    if task.asks:
        asks = ngettext("{count:,} answer of IMM's", "{count:,} answers of IMM's", task.asks).format(count=task.asks)
        yield _("asked"), asks
    if task.asked:
        yield _("learned"), _("by asking IMM: no event has come of its end")
    if older > 0:
        words = ngettext("{count:,} message is not drawn", "{count:,} messages are not drawn", older)
        yield _("older"), words.format(count=older)
    if any(step.gap < 0 for step in steps):
        words = _("this machine's, IMM's and the queue's clocks differ: a gap between two of them cannot be trusted")
        yield _("clocks"), words


class Chart(Widget):
    """One line a step. The date stands before the first step of a day, and where there are several events the name of
    one before its first step."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: Sequence[Step] = ()

    def show(self, steps: Sequence[Step]) -> None:
        if steps != self._steps:
            self._steps = steps
            self.refresh(layout=len(list(self._lines(self.size.width))) != self.size.height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(list(self._lines(width)))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def text(self) -> str:
        return "\n".join(row.plain.rstrip() for row in self._lines(120))

    def _lines(self, width: int) -> Iterator[Content]:
        steps = self._steps
        stages = [_(_STAGES[step.stage]) for step in steps]
        gaps = [_gap(step) for step in steps]
        causes = [_cause(step, above) for step, above in zip(steps, [None, *steps], strict=False)]
        first, third, last = (max(map(cell_len, column), default=0) for column in (stages, gaps, causes))
        room = min(width - first - _TIME - third - last - 7, _LONGEST_BAR)
        slowest = timeline.longest(steps)
        several = len({step.event for step in steps if step.event}) > 1
        day, event = "", ""
        for step, stage, gap, cause in zip(steps, stages, gaps, causes, strict=True):
            date, time = _local(step.at)
            if date != day:
                day = date
                yield Content.styled(date, QUIET)
            if several and step.event != event:
                event = step.event
                yield Content.styled(fit(line(event), width).rstrip(), QUIET)
            yield Content.assemble(
                fit(stage, first + 2),
                (fit(time, _TIME + 2), QUIET),
                (fit_right(gap, third), "bold $text-accent" if step is slowest else ""),
                "  ",
                _bar(step, slowest, room),
                " ",
                (cause, "$text-warning" if step.gap < 0 else QUIET),
            )


def _cause(step: Step, above: Step | None) -> str:
    """What a gap is measured from, where that is not the step above; or why it says little."""
    if step.gap < 0:
        return _("clocks differ")
    if step.since is None or (above is not None and above.stage is step.since):
        return ""
    return _("since “{stage}”").format(stage=_(_STAGES[step.since]))


def _bar(step: Step, slowest: Step | None, room: int) -> Content:
    if slowest is None or step.gap <= 0 or room < _SHORTEST_BAR:
        return Content()
    cells = max(round(room * step.gap / slowest.gap), 1)
    return Content.styled("━" * cells, "$text-accent" if step is slowest else "$foreground 35%")


def _gap(step: Step) -> str:
    if step.since is None:
        return ""
    length = abs(step.gap)
    return f"{'-' if step.gap < 0 else ''}{f'{length} ms' if length < 1_000 else duration(length)}"


def _local(time: int) -> tuple[str, str]:
    """A date with its zone, and a time of day, where the person is."""
    whole = moment(time)
    if whole == NOTHING:
        return "", whole
    date, _space, clock = whole.partition(" ")
    return f"{date} {clock[_TIME:]}", clock[:_TIME]
