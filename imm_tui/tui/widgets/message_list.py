"""The quarantined messages, newest first: when each came, how often, what was decided, and why it could not be read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from imm_tui.history import Quarantined
from imm_tui.tasks import now
from imm_tui.text import line
from imm_tui.tui import view
from imm_tui.tui.widgets.row_list import RowList

_KEPT = 500
"""Messages that are kept in memory; the history has all."""


class _Numbers:
    """Numbers in the order of the list: the highest first."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def id_at(self, row: int) -> int:
        return self._numbers[row]

    def row_of(self, number: int) -> int | None:
        row = bisect_left(self._numbers, -number, key=lambda it: -it)
        return row if row < len(self._numbers) and self._numbers[row] == number else None


class MessageList(RowList):
    """It knows the numbers of all and reads the ones in sight, without their bodies, with `fetch`."""

    TITLES = f" {'came':>5} {'times':>5} {'hidden':>6}  reason"
    EMPTY = ("Nothing is waiting for you", "Every message that came could be read")

    def __init__(self, fetch: Callable[[int], Quarantined | None]) -> None:
        super().__init__()
        self._fetch = fetch
        self._messages: dict[int, Quarantined] = {}
        self.border_title = "Quarantine"

    def show(self, numbers: Sequence[int]) -> None:
        """Shows these, the newest first, as they are now."""
        self._messages.clear()
        self.border_title = f"Quarantine {len(numbers):,}"
        self.show_rows(_Numbers(numbers), self.place())

    def tick(self) -> None:
        """A second has passed, since each came and until it can be received again."""
        if self._messages:
            self.refresh()

    def draw_row(self, number: int, look: str, width: int) -> Strip | None:
        message = self._messages.get(number)
        if message is None:
            if (message := self._fetch(number)) is None:
                return None
            if len(self._messages) >= _KEPT:
                self._messages.clear()
            self._messages[number] = message
        moment = now()
        base = self.style(look)
        figures = (
            f" {view.elapsed(moment - message.received_at):>5} {message.dequeue_count:>5}"
            f" {view.hidden(message, moment):>6}  {view.wish(message)}"
        )
        segments = [
            Segment(figures, base + Style(color=self.style("quiet").color)),
            Segment(view.fit(line(message.reason), max(width - cell_len(figures), 0)), base),
        ]
        return Strip(segments).crop_extend(0, width, base)
