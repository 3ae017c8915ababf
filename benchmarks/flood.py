"""The screen while a queue is drained flat out: how soon a key is answered, and what the list's drawing costs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.measuring import Figure, Row, main, ours, p95
from benchmarks.stage import Screen, cloud, has, name_of

_END, _PAGE_UP = "\x1b[F", "\x1b[5~"
_NUMBER = re.compile(rb"task-(\d{7})")

_APART = 0.03
"""Seconds between two keys: faster than a key repeats."""

_TIMED = """\
import sys, time
from imm_tui.tui.widgets.task_list import TaskList
from imm_tui.cli import main
spent, draw = [], TaskList.render_lines
def timed(self, crop):
    began = time.thread_time()
    try:
        return draw(self, crop)
    finally:
        spent.append((time.perf_counter(), time.thread_time() - began))
TaskList.render_lines = timed
(path,) = sys.argv[1:]
try:
    main([])
finally:
    open(path, "w").write("".join(f"{at} {seconds}\\n" for at, seconds in spent))
"""
"""imm-tui, which writes to a file when its list has drawn, by a clock that all processes share, and how many seconds of
a processor it took."""


def _beyond(number: int) -> Callable[[bytes], bool]:
    """Whether a newer task was drawn than this one."""
    return lambda seen: any(int(drawn) > number for drawn in _NUMBER.findall(seen))


def measure(events: int = 20_000, keys: int = 20, rounds: int = 3) -> list[Row]:
    answered, drawing = [], []
    with cloud() as stage:
        for number in range(rounds):
            mailbox = stage.queue()
            stage.fill(mailbox, events)
            told = Path(stage.folder / f"drawing {number}")
            environment = stage.environment(f"home {number}", mailbox)
            with Screen(environment, "-c", _TIMED, str(told)) as screen:
                screen.await_(has("task-"))
                # It has opened, and from then on no page up comes near the newest.
                while events - sum(mailbox.left) < max(events // 4, keys * 40):
                    time.sleep(_APART)
                began = time.perf_counter()
                screen.time(_END, has(name_of(0)))
                screen.await_(bool)  # what was drawn before that key is forgotten; here nothing moves
                taken, newest = [], 0
                for _ in range(keys):
                    time.sleep(_APART)
                    newest = max([newest, *map(int, _NUMBER.findall(screen.seen))])
                    taken.append(screen.time(_PAGE_UP, _beyond(newest)) * 1000)
                ended = time.perf_counter()
                assert mailbox.left != (0, 0), "the queue was drained before the last key"
                screen.leave("q")
            answered.append(p95(taken))
            drawn = (map(float, line.split()) for line in told.read_text().splitlines())
            spent = sum(seconds for at, seconds in drawn if began < at < ended)
            drawing.append(spent / (ended - began) * 100)
    return [
        Row(
            what="key → repaint while draining flat out, p95",
            ours=Figure(tuple(answered), "ms"),
            goal=ours(16),
        ),
        Row(
            what="the list's drawing meanwhile, of a core",
            ours=Figure(tuple(drawing), "%"),
            goal=ours(10),
        ),
    ]


if __name__ == "__main__":
    main(measure)
