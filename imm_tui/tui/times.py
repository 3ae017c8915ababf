"""How times and durations read: both in milliseconds, times since the epoch. Pure: no clock."""

from __future__ import annotations

from datetime import datetime

from imm_tui.i18n import N_, _
from imm_tui.tui.cells import NOTHING

_UNITS = ((86_400, N_("{count} d")), (3_600, N_("{count} h")), (60, N_("{count} m")))
"""In seconds; what is shorter reads the same in every language."""


def duration(span: int) -> str:
    """A length of time with its unit, `2.1 s`, `12 s`, `3 m`; a negative one (two clocks disagree) is none."""
    tenths = max(span, 0) // 100
    return f"{tenths / 10:.1f} s" if tenths < 100 else elapsed(span)


def elapsed(span: int) -> str:
    """A length of time that is still growing: in whole seconds, so that it need not be redrawn more often."""
    seconds = max(span, 0) // 1000
    for size, words in _UNITS:
        if seconds >= size:
            return _(words).format(count=seconds // size)
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
