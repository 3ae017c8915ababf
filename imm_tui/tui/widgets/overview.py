"""What a task is known to be: its figures, what is said of it, and the facts."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult

from imm_tui import glossary
from imm_tui.errors import Trouble
from imm_tui.i18n import _, sentences
from imm_tui.tasks import Task, now
from imm_tui.text import block, line
from imm_tui.tui import task_words, trouble_words
from imm_tui.tui.times import moment
from imm_tui.tui.widgets.detail import Page
from imm_tui.tui.widgets.facts import Facts
from imm_tui.tui.widgets.words import Words

_WORDS = 2_000
"""Characters of a task's message that are shown: what is known beside it stays in sight."""


class Overview(Page):
    """The words of IMM first, then the facts."""

    def __init__(self) -> None:
        super().__init__(id="overview")
        self._shown: Task | None = None
        self._asking: Trouble | str = ""
        self._batch: tuple[int, int] | None = None
        self._figures = Words("figures")
        self._told = Words("told")
        self._known = Facts()

    def compose(self) -> ComposeResult:
        yield from (self._figures, self._told, self._known)

    def show(self, task: Task, asking: Trouble | str, batch: tuple[int, int] | None) -> None:
        """`batch` is its place among those that it was submitted with, and how many they are."""
        self._shown, self._asking, self._batch = task, asking, batch
        self.tick()
        self._told.say("\n".join(self._words(task)))
        self._known.show(list(self._facts(task)))

    def tick(self) -> None:
        """A second has passed: a task that is under way has been so for longer."""
        self._figures.say(task_words.figures(self._shown, now()) if self._shown is not None else "")

    def text(self) -> str:
        """All of it, as text."""
        if self._shown is None:
            return ""
        said = [
            task_words.status(self._shown.status),
            task_words.figures(self._shown, now()),
            *self._words(self._shown),
        ]
        facts = [f"{label}: {value}" for label, value in self._facts(self._shown)]
        return "\n".join(part for part in [*said, *facts] if part)

    def _words(self, task: Task) -> Iterator[str]:
        if task.message:
            yield block(_(task.message), _WORDS)
        if task.code and not task.status.under_way and (advice := glossary.told(task.code)):
            yield advice
        if task.untracked:
            yield _("Untracked: an event came for this task, but it was not submitted from here.")
        if learned := task_words.asked(task, now()):
            yield learned
        if isinstance(self._asking, Trouble):
            yield sentences(_("IMM could not be asked about it."), *trouble_words.parts(self._asking))
        elif self._asking:
            yield self._asking

    def _facts(self, task: Task) -> Iterator[tuple[str, str]]:
        if task.source_uri:
            yield _("source"), line(task.source_uri)
        if task.target_uri:
            yield _("target"), line(task.target_uri)
        if task.untracked:
            yield _("seen"), moment(task.seen_at)
        else:
            yield _("submitted"), moment(task.submitted_at)
        if task.finished_at is not None:
            yield _("finished"), moment(task.finished_at)
        if task.task_id:
            yield _("task"), line(task.task_id)
        if task.request_id:
            yield _("request"), line(task.request_id)
        if project := " · ".join(line(part) for part in (task.project, task.api_version) if part):
            yield _("project"), project
        yield _("events"), f"{task.events:,}"
        if self._batch is not None:
            place, size = self._batch
            yield _("batch"), _("{place:,} of {size:,} submitted together").format(place=place, size=size)
        if task.resubmits is not None:
            yield _("resubmits"), _("the request of task #{number}, once more").format(number=task.resubmits)
