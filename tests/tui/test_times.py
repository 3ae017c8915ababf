"""Times and durations, as they are written on the screen."""

from __future__ import annotations

import time

import pytest

from imm_tui import i18n
from imm_tui.tui.cells import NOTHING
from imm_tui.tui.times import clock, duration, moment

NOON = 1_795_435_200_000
"""2026-11-23T12:00:00Z."""


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (0, "0.0 s"),
        (-500, "0.0 s"),
        (2_149, "2.1 s"),
        (9_999, "9.9 s"),
        (10_000, "10 s"),
        (61_000, "1 m"),
        (3_600_000, "1 h"),
        (5 * 86_400_000, "5 d"),
    ],
)
def test_a_duration_has_its_unit(span: int, words: str) -> None:
    assert duration(span) == words


def test_in_chinese_a_minute_is_no_metre() -> None:
    i18n.use("zh_CN")
    try:
        assert [duration(span) for span in (61_000, 3_600_000, 5 * 86_400_000)] == ["1 分", "1 小时", "5 天"]
    finally:
        i18n.use("en")


def test_an_exact_time_is_local_and_names_its_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        assert moment(NOON + 42) == "2026-11-23 20:00:00.042+08:00"
        assert clock(NOON, NOON + 60_000) == "20:00"
        assert clock(NOON, NOON + 86_400_000) == "11-23 20:00"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_time_beyond_the_calendar_is_no_time() -> None:
    assert moment(10**18) == NOTHING
    assert clock(10**18, NOON) == NOTHING
