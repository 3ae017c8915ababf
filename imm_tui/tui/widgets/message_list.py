"""The quarantined messages, newest first: when each came, how often, what was decided, and why it could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from imm_tui.history import Quarantined
from imm_tui.i18n import N_, _
from imm_tui.tasks import now
from imm_tui.text import line
from imm_tui.tui import message_words
from imm_tui.tui.cells import fit, fit_right
from imm_tui.tui.task_index import Found
from imm_tui.tui.times import elapsed
from imm_tui.tui.widgets.row_list import RowList

_KEPT = 500
"""Messages that are kept in memory; the history has all."""

_FIGURES = ((N_("came"), 5), (N_("times"), 5), (N_("hidden"), 6))
"""The titles in front of the reason, with the least cells of their columns."""


class MessageList(RowList):
    """It knows the numbers of all and reads the ones in sight, without their bodies, with `fetch`."""

    def __init__(self, fetch: Callable[[int], Quarantined | None]) -> None:
        super().__init__()
        self._fetch = fetch
        self._messages: dict[int, Quarantined] = {}
        self.border_title = _("Quarantine")

    def show(self, numbers: Sequence[int]) -> None:
        """Shows these, the newest first, as they are now."""
        self._messages.clear()
        self.border_title = _("Quarantine {count}").format(count=f"{len(numbers):,}")
        self.show_rows(Found(numbers), self.place())

    def empty(self) -> Sequence[str]:
        return _("Nothing is waiting for you"), _("Every message that came could be read")

    def tick(self) -> None:
        """A second has passed, since each came and until it can be received again."""
        if self._messages:
            self.refresh()

    def draw_titles(self, width: int) -> Strip:
        style = self.style("titles")
        words = self._figures([_(title) for title, _cells in _FIGURES]) + _("reason")
        return Strip([Segment(words, style)]).crop_extend(0, width, style)

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
        texts = elapsed(moment - message.received_at), str(message.dequeue_count), message_words.hidden(message, moment)
        figures = self._figures(texts) + message_words.wish(message)
        segments = [
            Segment(figures, base + Style(color=self.style("quiet").color)),
            Segment(fit(line(_(message.reason)), max(width - cell_len(figures), 0)), base),
        ]
        return Strip(segments).crop_extend(0, width, base)

    def _figures(self, texts: Iterable[str]) -> str:
        """They stand under their titles, which are as wide as the language makes them."""
        cells = [max(least, cell_len(_(title))) for title, least in _FIGURES]
        return "".join(f" {fit_right(text, width)}" for text, width in zip(texts, cells, strict=True)) + "  "
