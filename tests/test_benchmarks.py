"""The benchmarks run, each by itself and in small, and print what they measured; how fast it was is not for a test."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.measuring import Figure, Row, in_turn, more, ours, table, times
from tests.conftest import CHECKOUT


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("drain --events 40 --rounds 1", ["events drained", "the tutorial's loop", "SDK's batches"]),
        ("latency --messages 2 --rounds 1", ["row repainted, p95"]),
        ("start --rounds 1", ["first paint, cold", "until the dashboard stands", "--help, cold"]),
        ("leaving --rounds 1", ["q during a long poll"]),
        ("long_list --tasks 300 --keys 3 --rounds 1", ["with 300 tasks, p95", "memory with 300 tasks"]),
        ("calls --tasks 2 --lasting 1", ["calls for each of 2 tasks of 1 s"]),
        ("scaling --events 1000 --behind 100 --rounds 1", ["of history behind it"]),
        ("flood --events 12000 --keys 2 --rounds 1", ["while draining flat out", "the list's drawing"]),
        ("idle --seconds 1", ["idle with a long poll"]),
        ("opening --tasks 200 --rounds 1", ["first paint, 200 tasks", "until the list is filled", "a filter over 200"]),
        ("submitting --tasks 3", ["3 submissions", "connections for them"]),
        ("emulating --messages 40 --rounds 1", ["the emulator delivers"]),
    ],
)
def test_a_benchmark_prints_its_rows(command: str, printed: list[str]) -> None:
    name, *sizes = command.split()
    run = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *sizes], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert run.stderr == ""
    assert all(words in run.stdout for words in printed)
    assert run.returncode == ("MISSED" in run.stdout)


def test_both_sides_are_measured_in_each_round_and_neither_is_always_the_first() -> None:
    measured: list[str] = []

    def side(name: str) -> float:
        measured.append(name)
        return len(measured)

    values = in_turn(2, lambda: side("a"), lambda: side("b"))
    assert measured == ["a", "b", "b", "a"]
    assert values == [(1, 4), (2, 3)]


def row(**changes: object) -> Row:
    parts: dict[str, object] = {"what": "it", "ours": Figure((10, 30, 20), "ms")}
    return Row(**{**parts, **changes})  # type: ignore[arg-type]


def test_a_ratio_is_taken_pair_by_pair() -> None:
    # Whatever slowed the second pair down: ours took twice as long as the other in each of the three.
    assert row(other=Figure((5, 15, 10), "ms"), goal=times(2)).reached == 2


@pytest.mark.parametrize(
    ("goal", "missed"),
    [
        (times(2), False),
        (times(1.9), True),
        (times(2, at_least=True), False),
        (times(2.1, at_least=True), True),
        (more(10), False),
        (more(9), True),
        (ours(20), False),
        (ours(19), True),
        (None, False),
    ],
)
def test_a_row_knows_whether_it_missed_its_goal(goal: object, missed: bool) -> None:
    assert row(other=Figure((5, 15, 10), "ms"), goal=goal).missed is missed


def test_the_table_says_what_was_measured_and_that_a_goal_was_missed() -> None:
    drawn = table([row(against="theirs", other=Figure((5, 15, 10), "ms"), goal=times(1.5), note="why")])
    _titles, figures, note = drawn.splitlines()
    assert " ".join(figures.split()) == "it 20.0 ms ±25% 10.0 ms ±25% theirs 2.00 × ≤ 1.50 × MISSED"
    assert note.strip() == "why"
