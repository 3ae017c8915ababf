"""How times and durations read: both in milliseconds, times since the epoch. Pure: no clock."""

from __future__ import annotations

from datetime import datetime

from imm_tui.tui.cells import NOTHING


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
