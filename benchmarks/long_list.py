"""What a long list costs: key → repaint and memory, with very many tasks and with few."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.measuring import Figure, Row, in_turn, main, more, ours, p95, times
from benchmarks.stage import Screen, cloud, fill_history, has, megabytes, name_of

_DOWN, _UP = "\x1b[B", "\x1b[A"
FEW = 100


def measure(tasks: int = 100_000, keys: int = 20, rounds: int = 5) -> list[Row]:
    with cloud() as stage, ExitStack() as stack:

        def opened(size: int) -> Screen:
            environment = stage.environment(f"of {size}", stage.queue())
            fill_history(stage.folder / f"of {size}" / "data", size)
            screen = stack.enter_context(Screen(environment, "-m", "imm_tui"))
            screen.await_(has(name_of(size - 1)))
            return screen

        def slowest(screen: Screen, size: int) -> Callable[[], float]:
            def p95_of_keys() -> float:
                # The row that the cursor comes to is drawn anew.
                down = [(_DOWN, size - 2 - key) for key in range(keys)]
                back = [(_UP, size - keys + key) for key in range(keys)]
                return p95([screen.time(key, has(name_of(number))) * 1000 for key, number in down + back])

            return p95_of_keys

        many, few = opened(tasks), opened(FEW)
        slow, quick = in_turn(rounds, slowest(many, tasks), slowest(few, FEW))
        memory, little = ((megabytes(screen.pid),) for screen in (many, few))
    key = f"key → repaint with {tasks:,} tasks, p95"
    return [
        Row(
            what=key,
            ours=Figure(slow, "ms"),
            against=f"with {FEW}",
            other=Figure(quick, "ms"),
            goal=times(1.2),
        ),
        Row(what=key, ours=Figure(slow, "ms"), goal=ours(16)),
        Row(
            what=f"memory with {tasks:,} tasks",
            ours=Figure(memory, "MB"),
            against=f"with {FEW}",
            other=Figure(little, "MB"),
            goal=more(40),
        ),
    ]


if __name__ == "__main__":
    main(measure)
