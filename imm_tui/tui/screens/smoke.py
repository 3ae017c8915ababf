"""The smoke test: which document, and then each leg of its way as it is over."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from imm_tui import smoke
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import Trouble, mistake
from imm_tui.i18n import N_, _
from imm_tui.smoke import LEGS, Leg, Progress, Verdict
from imm_tui.tasks import now
from imm_tui.text import line
from imm_tui.tui.localized import Localized
from imm_tui.tui.theme import QUIET
from imm_tui.tui.times import duration, elapsed
from imm_tui.tui.trouble_words import in_full
from imm_tui.tui.widgets.field import LineInput

_FRAME = 0.1
"""Seconds between two pictures while it is under way."""


class _Source(LineInput):
    """The document; Enter starts the test."""

    BINDING_GROUP_TITLE = N_("The document")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", N_("start"), id="smoke.start", tooltip=N_("Convert the document's first page")),
    ]


class SmokeScreen(Localized[None], ModalScreen[None], inherit_bindings=False):
    """Tries the profile with these settings and keys; `source` is the document that it offers to convert."""

    AUTO_FOCUS = "#source"
    BINDING_GROUP_TITLE = N_("The smoke test")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", N_("close"), id="smoke.close", tooltip=N_("Back; a test ends here")),
        Binding("f1", "app.help", N_("help"), id="smoke.help", tooltip=N_("What keys do")),
    ]

    def __init__(self, settings: Settings, keys: Keys, history_path: Path, source: str) -> None:
        super().__init__(classes="dialog")
        self._settings = settings
        self._keys = keys
        self._history_path = history_path
        self._source = source
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._progress = Progress()
        self._shown: Progress | None = None
        self._began = 0

    def compose(self) -> ComposeResult:
        with Vertical(id="smoke") as region:
            region.border_title = Content(_("Smoke test"))
            yield Static(_("One conversion through everything: IMM, topic, queue and history."), markup=False)
            yield _Source(line(self._source), placeholder="oss://bucket/small.docx", compact=True, id="source")
            yield Static(id="legs", markup=False)
            yield Static(id="verdict", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self._draw()
        self.set_interval(_FRAME, self._follow)

    def on_unmount(self) -> None:
        self._stop.set()

    @property
    def _under_way(self) -> bool:
        return self._thread is not None and self._progress.verdict is None

    def on_input_submitted(self, event: LineInput.Submitted) -> None:
        event.stop()
        if not self._under_way:
            self._begin(event.value)

    def _begin(self, source: str) -> None:
        """In a thread of its own, which calls the services."""
        self._progress, self._shown, self._began = Progress(), None, now()
        self._thread = threading.Thread(target=self._run, args=(source,), name="smoke test", daemon=True)
        self._thread.start()

    def _run(self, source: str) -> None:
        try:
            conversion = smoke.conversion_of(source, self._settings)
            smoke.run(
                self._settings,
                self._keys,
                self._history_path,
                conversion,
                stop=self._stop,
                on_progress=self._note,
            )
        except Trouble as trouble:
            self._note(replace(self._progress, verdict=Verdict.REFUSED, trouble=trouble))
        except Exception as error:  # a mistake of ours is told here too, and another test may follow
            self._note(replace(self._progress, verdict=Verdict.REFUSED, trouble=mistake(error, _("The smoke test"))))

    def _note(self, progress: Progress) -> None:
        self._progress = progress  # the timer draws it, in the thread of the screen

    def _follow(self) -> None:
        if self._under_way or self._progress is not self._shown:
            self._draw()

    def _draw(self) -> None:
        progress = self._progress
        ended = progress.verdict is not None and self._shown is not progress
        self._shown = progress
        self.query_one("#legs", Static).update(Content("\n").join(self._legs(progress)))
        verdict = self.query_one("#verdict", Static)
        verdict.display = progress.verdict is not None
        if ended:
            told = smoke.verdict_of(progress)
            if isinstance(told, Trouble):
                verdict.update(in_full(told))
            else:
                verdict.update(Content.styled(f"✔ {told}", "bold $text-success"))

    def _legs(self, progress: Progress) -> list[Content]:
        """A line a leg; the one that it is on shows how long the test has been under way."""
        lines, on_it = [], self._thread is not None and progress.verdict is None
        for leg in Leg:
            took = progress.took(leg)
            if took is not None:
                shape, time, style = "✔", f"{took} ms" if 0 <= took < 1000 else duration(took), "$text-success"
            elif on_it:
                shape, time, style, on_it = "◐", elapsed(now() - self._began), "$text-warning", False
            else:
                shape, time, style = "·", "", QUIET
            words = Content.styled(_(LEGS[leg]), "" if took is not None else QUIET)
            lines.append(Content.assemble((f"{shape} ", style), f"{time:>7}  ", words))
        return lines
