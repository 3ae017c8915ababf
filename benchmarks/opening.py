"""Opening a long history: the first paint beside that of an empty one, how soon the list is there, and a filter."""

from __future__ import annotations

from benchmarks.measuring import Figure, Row, in_turn, main, ours, times
from benchmarks.stage import Screen, cloud, fill_history, has, name_of
from benchmarks.start import IMM_TUI

_PASTED = "\x1b[200~{}\x1b[201~"
_ESCAPE = "\x1b"


def measure(tasks: int = 100_000, rounds: int = 5) -> list[Row]:
    filled: list[float] = []
    with cloud() as stage:
        mailbox = stage.queue()
        fill_history(stage.folder / "long" / "data", tasks)
        long, empty = stage.environment("long", mailbox), stage.environment("empty", mailbox)
        newest = name_of(tasks - 1)

        def open_long() -> float:
            with Screen(long, *IMM_TUI) as screen:
                painted = screen.painted()
                filled.append((screen.await_(has(newest)) - screen.began - painted) * 1000)
                return painted * 1000

        def open_empty() -> float:
            with Screen(empty, *IMM_TUI) as screen:
                return screen.painted() * 1000

        open_empty()
        paint, bare = in_turn(rounds, open_long, open_empty)
        whole: list[float] = []
        first: list[float] = []
        filters = (("pages:7", 1, whole), (newest[:-2], 100, first))  # the oldest of all, and the newest
        with Screen(long, *IMM_TUI) as screen:
            screen.await_(has(newest))
            for _ in range(rounds):
                for text, number, found in filters:
                    screen.time("/", has("is:untracked"))  # the field is there, with its examples
                    found.append(screen.time(_PASTED.format(text), has(f"Tasks {number} of {tasks:,}")) * 1000)
                    screen.time(_ESCAPE, has(f"Tasks {tasks:,} "))
    return [
        Row(
            what=f"first paint, {tasks:,} tasks in the history",
            ours=Figure(paint, "ms"),
            against="none",
            other=Figure(bare, "ms"),
            goal=times(1.1),
        ),
        Row(what="from there until the list is filled", ours=Figure(tuple(filled), "ms"), goal=ours(500)),
        Row(what=f"a filter over {tasks:,} tasks → what it finds", ours=Figure(tuple(whole), "ms"), goal=ours(100)),
        Row(what="a word → what it finds of the newest", ours=Figure(tuple(first), "ms"), goal=ours(100)),
    ]


if __name__ == "__main__":
    main(measure)
