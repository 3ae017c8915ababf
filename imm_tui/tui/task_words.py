"""How a task reads: its name, figures and status, cleaned and as plain text. Pure: no widget, no clock, no file."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from imm_tui.i18n import N_, _, ngettext, sentences
from imm_tui.tasks import Status, Task
from imm_tui.text import line
from imm_tui.tui.cells import NOTHING, fit, fit_end
from imm_tui.tui.times import duration, elapsed, second

_ID, _ID_END = 27, 13
"""Cells of a long id in a list, and of its end with the ellipsis."""

UNTRACKED, ASKED = "·", "*"
"""Beside the shape of a task's status: not submitted from here; no event told it, but IMM when it was asked."""

_STATUS_WORDS = {
    Status.SUBMITTING: N_("Submitting"),
    Status.RUNNING: N_("Running"),
    Status.SUCCEEDED: N_("Succeeded"),
    Status.FAILED: N_("Failed"),
    Status.UNKNOWN: N_("Unknown"),
}


def name(task: Task, cells: int) -> str:
    """What the list calls a task, in exactly `cells` cells: its document's file name, else its id, shortened."""
    return fit(line(task.name), cells) if task.source_uri else _id(line(task.name), cells)


def _id(task_id: str, cells: int) -> str:
    """Both ends of a long id: the beginning says its kind, the end tells it from its neighbours, and comes first where
    there is no room for both."""
    room = min(cells, _ID)
    if cell_len(task_id) <= room:
        return fit(task_id, cells)
    beginning = set_cell_size(task_id, max(room - _ID_END, 0))
    return fit(beginning + fit_end(task_id, room - cell_len(beginning)), cells)


def pages(task: Task) -> str:
    count = task.page_count
    if count is None or not _counted(task):
        return NOTHING
    figure = f"{count:,}" if count < 10_000 else f"{count // 1000}k" if count < 1_000_000 else f"{count // 1_000_000}M"
    return _("{count} p").format(count=figure)


def percent(task: Task, now: int) -> str:
    """The service's figure. While a task runs and the service reports nothing: a dot that wanders, once a second."""
    if reports_nothing(task):
        return ("·  ", " · ", "  ·")[now // 1000 % 3] if task.status is Status.RUNNING else NOTHING
    return NOTHING if task.percent is None else f"{task.percent} %"


def reports_nothing(task: Task) -> bool:
    """Whether the service has not said how far an unfinished task has come; 2017-09-06 says 0 until it has ended."""
    return not task.status.finished and not task.percent


def _counted(task: Task) -> bool:
    # Until a task has succeeded 2017-09-06 says 0 pages, which is no count.
    return task.status is Status.SUCCEEDED or bool(task.page_count)


def age(task: Task, now: int) -> str:
    """How long a task took, or has been under way."""
    began = task.submitted_at if task.submitted_at is not None else task.seen_at
    if task.status.under_way:
        return elapsed(now - began)
    if task.submitted_at is None or task.finished_at is None:
        return NOTHING
    return duration(task.finished_at - task.submitted_at)


def mark(task: Task) -> str:
    """What stands beside the shape of its status."""
    return ASKED if task.asked else UNTRACKED if task.untracked else " "


def status(status: Status) -> str:
    return _(_STATUS_WORDS[status])


def asked(task: Task, now: int) -> str:
    """What asking IMM has to do with what a task is; "" where that is nothing."""
    at = second(task.asked_at, now)
    match task.status:
        case Status.SUCCEEDED | Status.FAILED if task.asked:
            if task.events:
                return _("No event of its end came; asked IMM at {time}.").format(time=at)
            return _("No event came; asked IMM at {time}.").format(time=at)
        case Status.RUNNING if task.asks:
            once = _("Its event is overdue. Asked IMM at {time}: it still runs.")
            twice = _("Its event is overdue. Asked IMM twice, the last time at {time}: it still runs.")
            often = _("Its event is overdue. Asked IMM {count} times, the last time at {time}: it still runs.")
            return (once, twice, often)[min(task.asks, 3) - 1].format(count=task.asks, time=at)
        case Status.UNKNOWN if task.task_id is None:
            if task.api_version == "2020-09-30":
                how = _("IMM's tasks are searched for it by its token.")
            else:
                how = _("IMM's tasks are searched for it by its source, target and time.")
            none = _("Not looked for yet.")
            once = _("Looked for it at {time}, and did not find it.")
            twice = _("Looked for it twice, the last time at {time}, and did not find it.")
            often = _("Looked for it {count} times, the last time at {time}, and did not find it.")
            looked = (none, once, twice, often)[min(task.asks, 3)].format(count=task.asks, time=at)
            return sentences(how, looked, _("It is not sent again by itself."))
    return ""


def figures(task: Task, now: int) -> str:
    """`5 pages · png · took 2.1 s`: what there is of it."""
    parts = []
    if task.page_count is not None and _counted(task):
        parts.append(ngettext("{count:,} page", "{count:,} pages", task.page_count).format(count=task.page_count))
    if task.target_type:
        parts.append(line(task.target_type))
    span = age(task, now)
    if span != NOTHING:
        parts.append((_("took {span}") if task.status.finished else _("for {span}")).format(span=span))
    return " · ".join(parts)
