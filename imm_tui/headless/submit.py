"""`imm-tui submit`: submissions without a screen, and the wait for their tasks to end."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, nullcontext
from pathlib import Path

from imm_tui import sources as source_room
from imm_tui import submission
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.dry_run import Note, Row, dry_run
from imm_tui.errors import BadInput, Barred, OutcomeUnknown, Trouble
from imm_tui.exits import Exit, code_of, worst
from imm_tui.headless.output import Narrator, put, task_line, told
from imm_tui.history import History
from imm_tui.hooks import Hooks
from imm_tui.i18n import _, ngettext
from imm_tui.listener import Listener, Phase
from imm_tui.reconciler import OVERDUE_AFTER, Reconciler
from imm_tui.submission import Outcome, Wanted
from imm_tui.tasks import Conversion, Status, Task
from imm_tui.text import line, say

_LOOK = 0.1
"""Seconds between two looks at whether another process has written to the history."""

_NARRATE = 5.0
"""Seconds between two lines of progress."""

_LEAST = 1.0
"""Seconds after which IMM is asked about a task at the earliest, however short the wait."""

_SEARCHES = 3
"""How often IMM's tasks are searched in vain for a submission, 5, 15 and 35 s old, before the wait for it is over."""


def read_sources(arguments: Sequence[str], file: str | None) -> list[str]:
    """The sources named on the command line, then those of `file`: UTF-8, one URI a line, blank lines and comments (#)
    skipped; `-` is stdin. Raises BadInput, which names the argument or the line that is no source URI.
    """
    named = [(f"“{argument}”", argument) for argument in arguments]
    if file is not None:
        shown = source_room.shown(file)
        for number, text in source_room.numbered(source_room.read_lines(file)):
            named.append((_("Line {number} of {file}").format(number=f"{number:,}", file=shown), text))
    sources = []
    for name, text in named:
        try:
            if source_room.is_pattern(text):
                why = _("A bucket cannot be listed from here.")
                raise BadInput(_("This is a pattern."), why, _("Name each document."), field="source_uri")
            sources.append(submission.check_source_uri(text))
        except BadInput as bad:
            what = _("{name}: {problem}").format(name=name, problem=bad.what)
            raise BadInput(what, bad.why, bad.fix, field=bad.field) from None
    return sources


def read_password(file: str) -> str:
    """The first line of `file`; `-` is stdin. Raises BadInput where there is none."""
    try:
        first = source_room.read(file).removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0]
        password = first.removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        raise BadInput(_("The password is not text in UTF-8."), field="password") from None
    if not password:
        why = _("The first line of {file} is empty.").format(file=source_room.shown(file))
        raise BadInput(_("There is no password."), why, field="password")
    return password


def read_options(pairs: Sequence[str]) -> dict[str, str]:
    """Options by name, from `NAME=VALUE` each. Raises BadInput."""
    options = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            what = _("“{pair}” is no option.").format(pair=pair)
            raise BadInput(what, fix=_("Write it as {form}.").format(form="NAME=VALUE"), field="option")
        options[name.strip()] = value
    return options


def preview(
    settings: Settings,
    history_path: Path,
    arguments: Sequence[str],
    file: str | None,
    wanted: Wanted,
    *,
    as_json: bool = False,
) -> Exit:
    """Prints what would be submitted, one line a source, and sends nothing. Exit.USAGE where a line is wrong.

    Needs no credentials, and makes no history where there is none. Raises BadInput for any other field.
    """
    lines = [*arguments, *(source_room.read_lines(file) if file is not None else ())]
    with History(history_path) if history_path.exists() else nullcontext() as history:
        seen = dry_run(lines, wanted, settings, history=history)
    for row in seen.rows:
        put(_preview_line(row, as_json=as_json))
    count = len(seen.conversions)
    told = [ngettext("{count} document would be submitted", "{count} documents would be submitted", count)]
    told[0] = told[0].format(count=f"{count:,}")
    told += [f"{_(note)}: {seen.counts[note]:,}" for note in Note if note and seen.counts[note]]
    say(f"{', '.join(told)}.")
    return Exit.USAGE if seen.counts[Note.WRONG] else Exit.SUCCEEDED


def _preview_line(row: Row, *, as_json: bool) -> str:
    if as_json:
        told = {"source_uri": row.source, "target_uri": row.target or None, "note": row.note.value or None}
        return json.dumps(told)
    where = f"{row.source} → {row.target}" if row.target else row.source
    return "  ".join(line(cell) for cell in (f"{row.line:>6,}", where, row.why)).rstrip()


def submit(
    settings: Settings,
    credentials: Keys,
    history_path: Path,
    conversions: Sequence[Conversion],
    *,
    wait: bool = False,
    timeout: float = 600.0,
    as_json: bool = False,
) -> Exit:
    """Submits `conversions` and prints each: when it was accepted or refused, or, with `wait`, when its task has ended.

    The wait ends `timeout` seconds after the last submission, or when nothing can be received any more; what has not
    ended is printed as it stands then. In the meantime IMM is asked about tasks whose event does not come, and
    searched for submissions whose outcome is unknown.
    """
    with closing(submission.connect(settings, credentials)) as imm, History(history_path) as history:
        submission.settle_abandoned(history)
        report = _Report(len(conversions), as_json)
        batch = 0 if len(conversions) > 1 else None
        with closing(submission.submit(history, imm, settings, conversions, batch=batch)) as outcomes:
            if wait:
                _Wait(history, report).until_all_ended(outcomes, settings, credentials, timeout)
            else:
                for outcome in outcomes:
                    report.answered(outcome)
                    report.put(outcome.task)
        return report.exit


class _Report:
    """The lines of one run, and the exit code that they add up to."""

    def __init__(self, total: int, as_json: bool) -> None:
        self._total = total
        self._as_json = as_json
        self._codes: set[Exit] = set()
        self._said: set[tuple[str, ...]] = set()
        self._narrated = time.monotonic()
        self._answers = 0
        self._lines = 0

    @property
    def exit(self) -> Exit:
        return worst(self._codes)

    def add(self, code: Exit) -> None:
        self._codes.add(code)

    def answered(self, outcome: Outcome) -> None:
        """Says why a submission was not accepted, the first time that there is this reason."""
        self._answers += 1
        if (trouble := outcome.trouble) is not None:
            if not isinstance(trouble, OutcomeUnknown):  # that may yet be known
                self._codes.add(code_of(trouble))
            self.tell(trouble, f"{outcome.task.source_uri}: ")

    def tell(self, trouble: Trouble, subject: str = "") -> None:
        """Says a trouble the first time that it is there."""
        if told(trouble) not in self._said:
            self._said.add(told(trouble))
            say(f"{subject}{trouble}")

    def put(self, task: Task) -> None:
        put(task_line(task, as_json=self._as_json))
        self._lines += 1
        if task.status is Status.FAILED:
            self._codes.add(Exit.FAILED)
        elif task.status is Status.UNKNOWN:
            self._codes.add(Exit.UNKNOWN)

    def narrate(self) -> None:
        """Says now and then how far a run of many has come."""
        if self._total > 1 and time.monotonic() - self._narrated >= _NARRATE:
            self._narrated = time.monotonic()
            if self._answers < self._total:
                say(_("{count} of {total} submitted.").format(count=f"{self._answers:,}", total=f"{self._total:,}"))
            else:
                say(_("{count} of {total} ended.").format(count=f"{self._lines:,}", total=f"{self._total:,}"))


class _Wait:
    """Waits for the tasks of one run to end, by what the history says, whoever received the events or asked IMM."""

    def __init__(self, history: History, report: _Report) -> None:
        self._history = history
        self._report = report
        self._version = history.data_version()
        self._revision = history.changes(sys.maxsize).revision  # only what changes from here on
        self._awaited: dict[int, Status] = {}

    def until_all_ended(
        self, outcomes: Iterable[Outcome], settings: Settings, credentials: Keys, timeout: float
    ) -> None:
        news = threading.Event()
        listener = Listener(
            settings,
            credentials,
            self._history.path,
            on_batch=lambda batch: news.set(),
            on_state=lambda state: news.set(),
        )
        reconciler = Reconciler(
            settings,
            credentials,
            self._history.path,
            overdue_after=max(_LEAST, min(OVERDUE_AFTER, timeout / 2)),  # a short wait asks sooner
            on_change=news.set,
        )
        with Hooks(settings.hooks, self._history.path, on_trouble=say) as hooks:
            listener.start()  # before the first submission: its event may be here before the answer
            reconciler.start()
            try:
                for outcome in outcomes:
                    self._report.answered(outcome)
                    self._follow(outcome.task)
                    self._follow_changes()
                self._until(time.monotonic() + timeout, listener, reconciler, news)
            finally:
                listener.stop()
                reconciler.stop()
            for task in sorted(self._awaited):
                self._put(task)
            hooks.finish()

    def _until(self, deadline: float, listener: Listener, reconciler: Reconciler, news: threading.Event) -> None:
        narrator = Narrator()
        while True:
            state, trouble = listener.state, reconciler.trouble  # before the history: what they stored is there
            self._follow_changes()
            if trouble is not None and self._awaited:
                self._report.tell(trouble)
            if isinstance(trouble, Barred):  # then nothing is found any more
                for task in [task for task, status in self._awaited.items() if status is Status.UNKNOWN]:
                    self._put(task)
            if not self._awaited:
                return
            narrator.follow(state)
            left = deadline - time.monotonic()
            if (state.phase is Phase.STOPPED and not state.awaits_key) or left <= 0:
                self._report.add(Exit.TIMED_OUT)
                if state.trouble is not None:
                    self._report.add(code_of(state.trouble))
                return
            news.wait(min(left, _LOOK))
            news.clear()

    def _follow_changes(self) -> None:
        self._report.narrate()
        if (version := self._history.data_version()) == self._version:
            return
        self._version = version
        changes = self._history.changes(self._revision)
        self._revision = changes.revision
        for task in changes.tasks:
            if task.id in self._awaited:
                self._follow(task)

    def _follow(self, task: Task) -> None:
        """Takes note of how a task stands, and prints it where there is nothing more to wait for."""
        before = self._awaited.get(task.id)
        self._awaited[task.id] = task.status
        if before is Status.UNKNOWN and task.task_id is not None:
            say(_("{source}: IMM has it, as task {task}.").format(source=task.source_uri, task=task.task_id))
        if task.status.under_way:
            return
        if task.status is Status.UNKNOWN and task.task_id is None:
            if task.asks < _SEARCHES:
                if before is None and list(self._awaited.values()).count(Status.UNKNOWN) == 1:
                    say(_("Whether IMM has it is looked up in IMM's list of tasks."))
                return
            told = _("{source}: IMM does not list it, so most likely it never arrived. It is not sent again.")
            say(told.format(source=task.source_uri))
        self._put(task.id)

    def _put(self, number: int) -> None:
        del self._awaited[number]
        if (task := self._history.task(number)) is not None:
            self._report.put(task)
