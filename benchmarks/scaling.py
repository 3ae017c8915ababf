"""Whether draining stays as fast and as small: many events in one run, and a long history behind them."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator

from benchmarks.drain import Drained, drain
from benchmarks.measuring import Figure, Row, in_turn, main, more, times
from benchmarks.stage import Cloud, cloud, fill_history

FEW = 1_000


def measure(events: int = 100_000, behind: int = 50_000, rounds: int = 3) -> list[Row]:
    """`events` in one run beside FEW, in steps of ten; and 10,000 with `behind` tasks in the history, and none."""
    homes = map(str, itertools.count())
    with cloud() as stage:
        rows = []
        sizes = itertools.takewhile(lambda size: size <= events, (FEW * 10**power for power in itertools.count(1)))
        for size in sizes:
            rows += _rows_of(stage, size, homes, rounds if size <= 10 * FEW else 1)
        fill_history(stage.folder / "long", behind, first=10 * FEW)  # other tasks than those that are drained
        file = stage.folder / "long" / "history.db"
        length = file.stat().st_size / 1e6

        def with_history(is_long: bool) -> float:
            home = next(homes)
            data = stage.folder / home / "data"
            data.mkdir(parents=True)
            if is_long:
                shutil.copy(file, data)
            return _microseconds(drain(stage, "ours", 10 * FEW, home), 10 * FEW)

        behind_it, alone = in_turn(rounds, lambda: with_history(True), lambda: with_history(False))
    rows.append(
        Row(
            what=f"time an event, {length:,.0f} MB of history behind it",
            ours=Figure(behind_it, "µs"),
            against="none",
            other=Figure(alone, "µs"),
            goal=times(1.2),
        )
    )
    return rows


def _rows_of(stage: Cloud, size: int, homes: Iterator[str], rounds: int) -> list[Row]:
    seen: dict[int, list[Drained]] = {size: [], FEW: []}

    def microseconds(count: int) -> float:
        seen[count].append(drain(stage, "ours", count, next(homes)))
        return _microseconds(seen[count][-1], count)

    many, few = in_turn(rounds, lambda: microseconds(size), lambda: microseconds(FEW))
    memory, little = (tuple(drained.megabytes for drained in seen[count]) for count in (size, FEW))
    return [
        Row(
            what=f"time an event, of {size:,}",
            ours=Figure(many, "µs"),
            against=f"of {FEW:,}",
            other=Figure(few, "µs"),
            goal=times(1.2),
        ),
        Row(
            what=f"memory after {size:,} events",
            ours=Figure(memory, "MB"),
            against=f"after {FEW:,}",
            other=Figure(little, "MB"),
            goal=more(10),
        ),
    ]


def _microseconds(drained: Drained, count: int) -> float:
    return drained.seconds / count * 1e6


if __name__ == "__main__":
    main(measure)
