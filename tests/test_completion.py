"""How the end of tasks is told: the words, when, and the sequences that go to a terminal."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

import pytest

from imm_tui import i18n, sequences
from imm_tui.completion import Completion, Telling, telling
from imm_tui.tasks import Status, Task

_numbers = count(1)

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]")


def ended(name: str, status: Status = Status.SUCCEEDED, **values: Any) -> Task:
    return Task(id=next(_numbers), task_id="t", status=status, source_uri=f"oss://b/{name}", seen_at=0, **values)


def failed(name: str, code: str | None = None) -> Task:
    return ended(name, Status.FAILED, code=code)


def by_number(*tasks: Task) -> dict[int, Status]:
    return {task.id: task.status for task in tasks}


def told_of(*tasks: Task) -> Telling:
    return telling(by_number(*tasks), {task.id: task for task in tasks}.get)


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ([ended("5页Word.docx")], "5页Word.docx succeeded"),
        ([failed("broken.xls", "InvalidFile")], "broken.xls failed: InvalidFile"),
        ([failed("broken.xls")], "broken.xls failed"),
        ([ended("a"), ended("b"), ended("c")], "3 succeeded"),
        ([ended("a"), failed("b", "X"), ended("c"), ended("d")], "3 succeeded, 1 failed: b"),
        ([failed(name) for name in "abcd"], "4 failed: a, b, c, …"),
        ([ended("a") for _each in range(1200)], "1,200 succeeded"),
    ],
)
def test_many_ends_are_told_in_a_few_words_that_name_what_failed(tasks: list[Task], words: str) -> None:
    assert told_of(*tasks).words == words


def test_only_what_is_named_is_read() -> None:
    read: list[int] = []

    def gone(number: int) -> None:
        read.append(number)

    ended = {number: Status.FAILED if number > 90 else Status.SUCCEEDED for number in range(100)}
    assert telling(ended, gone).words == "91 succeeded, 9 failed: #91, #92, #93, …"
    assert read == [91, 92, 93]
    assert telling({7: Status.FAILED}, gone).words == "#7 failed"


def test_a_failure_can_be_read_for_longer() -> None:
    good, bad = told_of(ended("a")), told_of(ended("a"), failed("b"))
    assert (good.failed, bad.failed) == (False, True)
    assert bad.lasts > good.lasts


def test_the_words_are_in_the_language_of_the_moment() -> None:
    english = told_of(ended("a"), ended("b")).words
    try:
        i18n.use("zh_CN")
        assert told_of(ended("a"), ended("b")).words.strip()
    finally:
        i18n.use("en")
    assert told_of(ended("a"), ended("b")).words == english


def unread(number: int) -> None:
    """What is told here is not looked at by its name."""


def test_successes_are_told_together_when_the_last_telling_has_gone() -> None:
    completion = Completion()
    assert completion.take(100.0, unread) is None
    completion.add(by_number(ended("a")))
    told = completion.take(100.0, unread)
    assert told is not None
    again = ended("b")
    completion.add(by_number(again, again))
    completion.add(by_number(ended("c")))
    assert completion.take(99.9 + told.lasts, unread) is None
    told = completion.take(100.0 + told.lasts, unread)
    assert told is not None
    assert told.words == "2 succeeded"
    assert completion.take(200.0, unread) is None


def test_a_failure_waits_as_well_so_that_never_two_are_on_the_screen() -> None:
    completion = Completion()
    completion.add(by_number(failed("a")))
    told = completion.take(100.0, unread)
    assert told is not None
    assert told.failed
    completion.add(by_number(ended("b"), failed("c")))
    assert completion.take(99.9 + told.lasts, unread) is None
    later = completion.take(100.0 + told.lasts, unread)
    assert later is not None
    assert later.failed


def test_a_notification_goes_through_tmux_and_screen() -> None:
    assert sequences.notification("4;1", {}) == "\x1b]9;imm-tui: 4;1\x07", "9;4 would be a progress bar"
    assert sequences.notification("x", {"TMUX": "1"}) == "\x1bPtmux;\x1b\x1b]9;imm-tui: x\x07\x1b\\"
    assert sequences.notification("x", {"STY": "1"}) == "\x1bP\x1b]9;imm-tui: x\x07\x1b\\"


def test_what_screen_would_drop_as_too_long_reaches_it_in_parts() -> None:
    sequence = f"\x1b]52;c;{'A' * 5_000}\x07"
    parts = re.findall("\x1bP(.*?)\x1b\\\\", sequences.passed_through(sequence, {"STY": "1"}))
    assert "".join(parts) == sequence
    assert max(map(len, parts)) < 768
