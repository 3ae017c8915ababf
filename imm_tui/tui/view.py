"""How a task reads on the screen: shapes, figures, times, ids. Pure: no widget, no clock, no file.

Whatever came from outside leaves this room cleaned (text.py), and as plain text: nothing here is markup. Times are
epoch milliseconds, durations milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.cells import cell_len, get_character_cell_size, set_cell_size

from imm_tui.config import Settings
from imm_tui.errors import Trouble
from imm_tui.history import Quarantined
from imm_tui.i18n import N_, _, ngettext, sentences
from imm_tui.listener import ListenerState, Phase
from imm_tui.tasks import Status, Task
from imm_tui.text import block, line

NOTHING = "–"
"""Stands where there is no figure."""

_ID, _ID_END = 27, 13
"""Cells of a long id in a list, and of its end with the ellipsis."""

UNTRACKED, ASKED = "·", "*"
"""Beside the shape of a task's status: not submitted from here; no event told it, but IMM when it was asked."""

_CONTROLS = {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))} - set("\t\n\r")

_STATUS_WORDS = {
    Status.SUBMITTING: N_("Submitting"),
    Status.RUNNING: N_("Running"),
    Status.SUCCEEDED: N_("Succeeded"),
    Status.FAILED: N_("Failed"),
    Status.UNKNOWN: N_("Unknown"),
}

PHASE_SHAPES = {
    Phase.STARTING: "◌",
    Phase.LISTENING: "●",
    Phase.PEEKING: "◉",
    Phase.RECONNECTING: "◌",
    Phase.STOPPED: "✕",
    Phase.PAUSED: "ǁ",  # a letter: the bars that mean a pause are not as wide in every terminal
    Phase.WATCHING: "◉",
}


# Times


def duration(span: int) -> str:
    """A length of time with its unit, `2.1 s`, `12 s`, `3 m`; a negative one (two clocks disagree) is none."""
    tenths = max(span, 0) // 100
    return f"{tenths / 10:.1f} s" if tenths < 100 else elapsed(span)


def elapsed(span: int) -> str:
    """A length of time that is still growing: in whole seconds, so that it need not be redrawn more often."""
    seconds = max(span, 0) // 1000
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def moment(time: int | None) -> str:
    """An exact time where the person is, with its zone."""
    local = _local(time)
    return NOTHING if local is None else local.isoformat(" ", "milliseconds")


def clock(time: int, now: int) -> str:
    """`14:02`, with the date where it was not today."""
    local, today = _local(time), _local(now)
    if local is None or today is None:
        return NOTHING
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%m-%d %H:%M}"


def second(time: int | None, now: int) -> str:
    """`14:02:31`, with the date where it was not today."""
    local, today = _local(time), _local(now)
    if local is None or today is None:
        return NOTHING
    return f"{local:%H:%M:%S}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M:%S}"


def _local(time: int | None) -> datetime | None:
    try:
        return None if time is None else datetime.fromtimestamp(time / 1000).astimezone()
    except (OverflowError, OSError, ValueError):
        return None  # a service may say anything


# A task


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


def can_be_asked(task: Task) -> bool:
    """Whether IMM may have something to say of a task that no event has said."""
    return task.asked or task.status in (Status.RUNNING, Status.UNKNOWN)


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


# Raw events


def is_text(body: bytes) -> bool:
    """Whether a body is text as people write it: UTF-8 without control characters but for its layout."""
    try:
        return not _CONTROLS & set(body.decode())
    except UnicodeDecodeError:
        return False


def hexadecimal(body: bytes) -> str:
    """Every byte of a body, eight to a line: where it stands, what it is, and its ASCII character if it has one."""
    lines = []
    for at in range(0, len(body), 8):
        part = body[at : at + 8]
        characters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
        lines.append(f"{at:05x}  {part.hex(' '):23}  {characters}")
    return "\n".join(lines)


def fold(text: str, width: int) -> Iterator[tuple[int, int]]:
    """Where `text` is cut so that it fits `width` cells: the start and end of each line. A wide glyph is not halved."""
    start = 0
    for source_line in text.split("\n"):
        end = start + len(source_line)
        if source_line.isascii():
            for cut in range(start, max(end, start + 1), width):
                yield cut, min(cut + width, end)
        else:
            yield from _fold_wide(source_line, start, width)
        start = end + 1


def _fold_wide(source_line: str, offset: int, width: int) -> Iterator[tuple[int, int]]:
    start, cells = 0, 0
    for at, character in enumerate(source_line):
        size = get_character_cell_size(character)
        if cells + size > width and at > start:
            yield offset + start, offset + at
            start, cells = at, 0
        cells += size
    yield offset + start, offset + len(source_line)


def fit(text: str, cells: int) -> str:
    """`text` in exactly `cells` cells: filled up with blanks, or cut with an ellipsis."""
    if cell_len(text) <= cells:
        return set_cell_size(text, cells)
    return f"{set_cell_size(text, cells - 1)}…" if cells > 0 else ""


def fit_end(text: str, cells: int) -> str:
    """`text` in exactly `cells` cells; of a longer one the end."""
    over = cell_len(text) - cells
    if over <= 0 or cells < 1:
        return fit(text, cells)
    cut = 0
    while over >= 0:  # room for the ellipsis as well
        over -= cell_len(text[cut])
        cut += 1
    return fit(f"…{text[cut:]}", cells)


def fit_right(text: str, cells: int) -> str:
    """Like `fit`, with the blanks in front of it: a figure under the other figures."""
    return fit(" " * (cells - cell_len(text)) + text, cells)


# A quarantined message


def hidden(message: Quarantined, now: int) -> str:
    """For how long it is still hidden from every consumer of its queue."""
    left = (message.hidden_until or 0) - now
    return elapsed(left) if left > 0 else NOTHING


def wish(message: Quarantined) -> str:
    """What a person has decided about it, in front of the reason."""
    word = _("to be deleted") if message.delete_wanted else _("released") if message.released is not None else ""
    return f"{word} · " if word else ""


def message_facts(message: Quarantined, now: int) -> Iterator[tuple[str, str]]:
    """What is known of it, each fact with its label."""
    yield _("message"), line(message.message_id)
    yield _("came"), moment(message.received_at)
    count, size = message.dequeue_count, len(message.body)
    times = _("once") if count == 1 else ngettext("{count:,} time", "{count:,} times", count).format(count=count)
    yield _("delivered"), f"{times} · {ngettext('{count:,} byte', '{count:,} bytes', size).format(count=size)}"
    left = hidden(message, now)
    if left == NOTHING:
        yield _("hidden"), _("no: any consumer may receive it")
    else:
        until = second(message.hidden_until, now)
        yield _("hidden"), _("until {time}, for {span}").format(time=until, span=left)
    if message.delete_wanted:
        yield _("decided"), _("to be deleted: done as soon as it comes again")
    elif message.released is not None:
        yield _("decided"), _("released: hidden only briefly since, so that its owner gets it")


# The listener

_PEEKED = 16
"""Messages of a queue that can be seen without receiving any (MNS API 2015-06-06, BatchPeekMessage)."""


def listener_words(state: ListenerState, last_event: int | None, now: int) -> tuple[str, list[str]]:
    """What the listener is doing, and the details of it, from the fullest to the shortest wording."""
    match state.phase:
        case Phase.LISTENING:
            since = _("since {time}").format(time=clock(state.since, now))
            if last_event is None:
                return _("listening"), [f"{since} · {_('no event yet')}", _("no event yet")]
            age = elapsed(now - last_event)
            seen = _("last event {age} ago").format(age=age)
            return _("listening"), [f"{since} · {seen}", seen, _("{age} ago").format(age=age)]
        case Phase.PEEKING:
            limit = _("sees the first {count} messages").format(count=_PEEKED)
            seen = _("no event yet")
            if last_event is not None:
                seen = _("last event {age} ago").format(age=elapsed(now - last_event))
            return _("peeking"), [f"{limit} · {seen}", limit, _("the first {count}").format(count=_PEEKED)]
        case Phase.RECONNECTING:
            wait = -((now - (state.retry_at or now)) // 1000)
            if wait <= 0:
                return _("reconnecting now"), []
            return ngettext("reconnecting in {count} s", "reconnecting in {count} s", wait).format(count=wait), []
        case Phase.STOPPED:
            return _("stopped"), []
        case Phase.PAUSED:
            return _("paused"), [_("events wait on the queue")]
        case Phase.WATCHING:
            return _("another imm-tui is listening"), [_("watching its history")]
        case Phase.STARTING:
            return _("starting"), []


def unheard(number: int, settings: Settings) -> Trouble:
    """What it means that so many tasks ended and no event said so."""
    queue, topic = line(settings.queue), line(settings.topic)
    what = ngettext(
        "{count} task of the last hour has ended at IMM, and no event came for it.",
        "{count} tasks of the last hour have ended at IMM, and no event came for them.",
        number,
    )
    why = (
        _(
            "Somebody else may be taking from the queue {queue}, its subscription to the topic {topic} may be missing, "
            "or the project's service role may not publish."
        )
        if topic
        else _(
            "Somebody else may be taking from the queue {queue}, its subscription to IMM's topic may be missing, "
            "or the project's service role may not publish."
        )
    )
    fix = _("Give every viewer a queue of its own, subscribed to the topic.")
    return Trouble(what.format(count=f"{number:,}"), why.format(queue=queue, topic=topic), fix)


def told(trouble: Trouble) -> tuple[str, str]:
    """A trouble as a person reads it: what happened, and the rest of it."""
    request = f"RequestId {trouble.request_id}." if trouble.request_id else ""
    return line(trouble.what), block(sentences(trouble.why, trouble.fix, request))
