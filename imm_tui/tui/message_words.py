"""How a quarantined message reads: what is known of it, what was decided, and its bytes. Cleaned, as plain text."""

from __future__ import annotations

from collections.abc import Iterator

from imm_tui.history import Quarantined
from imm_tui.i18n import _, ngettext
from imm_tui.text import line
from imm_tui.tui.cells import NOTHING
from imm_tui.tui.times import elapsed, moment, second

_CONTROLS = {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))} - set("\t\n\r")


def hidden(message: Quarantined, now: int) -> str:
    """For how long it is still hidden from every consumer of its queue."""
    left = (message.hidden_until or 0) - now
    return elapsed(left) if left > 0 else NOTHING


def wish(message: Quarantined) -> str:
    """What a person has decided about it, in front of the reason."""
    word = _("to be deleted") if message.delete_wanted else _("released") if message.released is not None else ""
    return f"{word} · " if word else ""


def facts(message: Quarantined, now: int) -> Iterator[tuple[str, str]]:
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
