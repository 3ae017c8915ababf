"""The batch that goes on, in one line: what is sent, what has ended, and how long it is likely to take."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from imm_tui.i18n import _
from imm_tui.tasks import SHAPES, Status, now
from imm_tui.text import line
from imm_tui.tui.theme import QUIET
from imm_tui.tui.times import clock, elapsed

if TYPE_CHECKING:
    from imm_tui.tui.batches import BatchState

_BAR = 16
"""Cells of the bar, where five times as many are there."""


class BatchStrip(Widget):
    """Hidden while there is nothing to be told. A click on it asks for all batches."""

    ALLOW_SELECT: ClassVar[bool] = False

    class Opened(Message):
        """It was clicked."""

    def __init__(self) -> None:
        super().__init__()
        self._state: BatchState | None = None
        self.display = False

    def show(self, state: BatchState | None) -> None:
        """`Batches.current`."""
        if state != self._state:
            self._state = state
            self.display = state is not None
            self.refresh()

    def on_click(self) -> None:
        self.post_message(self.Opened())

    def render(self) -> Content:
        state = self._state
        if state is None:
            return Content()
        name = _("Batch {time}").format(time=clock(state.began_at, now()))
        hint = "  " + _("b shows the batches")
        drawn = (bar(state, _BAR), "  ") if self.size.width >= 5 * _BAR else ()
        return Content.assemble(*drawn, (name, "bold"), words(state, why=True), (hint, QUIET))


def words(state: BatchState, *, why: bool = False) -> Content:
    """` · 37/120 sent · 30 done · 1 failed · about 2 m left`; with `why` also the reason for a pause."""
    progress = state.progress
    sent, total = f"{progress.sent:,}", f"{progress.total:,}"
    parts = [Content(_("{sent}/{total} sent").format(sent=sent, total=total))]
    if state.succeeded:
        parts.append(Content(_("{count} done").format(count=f"{state.succeeded:,}")))
    if state.failed:
        failed = _("{count} failed").format(count=f"{state.failed:,}")
        parts.append(Content.styled(f"{SHAPES[Status.FAILED]} {failed}", "$text-error"))
    if state.unknown:
        unknown = _("{count} unknown").format(count=f"{state.unknown:,}")
        parts.append(Content.styled(f"{SHAPES[Status.UNKNOWN]} {unknown}", "$text-warning"))
    if progress.paused:
        told = _("paused: {why}").format(why=line(progress.trouble.what)) if progress.trouble and why else _("paused")
        parts.append(Content.styled(told, "$text-warning"))
    elif progress.cut_short:
        parts.append(Content.styled(_("{count} not sent").format(count=f"{progress.unsent:,}"), "$text-warning"))
    if state.over:
        parts.append(Content(_("ended")))
    elif not (progress.paused or progress.cut_short) and state.left is not None:
        parts.append(Content(_("about {time} left").format(time=elapsed(state.left))))
    return Content.assemble(*(piece for part in parts for piece in (" · ", part)))


def bar(state: BatchState, cells: int) -> Content:
    """What has ended, what is on its way, and what is not yet sent."""
    total = max(state.progress.total, 1)
    ended = round(cells * (state.succeeded + state.failed + state.unknown) / total)
    sent = max(round(cells * state.progress.sent / total), ended)
    failed = min(ended, max(round(cells * state.failed / total), 1)) if state.failed else 0
    return Content.assemble(
        ("━" * (ended - failed), "$success"),
        ("━" * failed, "$error"),
        ("━" * (sent - ended), "$warning"),
        ("━" * (cells - sent), "$foreground 15%"),
    )
