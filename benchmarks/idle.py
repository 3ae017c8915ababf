"""What it costs to have it open all day: the processor's share while nothing happens but a long poll and a clock."""

from __future__ import annotations

import time

from benchmarks.measuring import Figure, Row, main, ours
from benchmarks.stage import Screen, cloud, cpu_seconds, fill_history, has, name_of


def measure(seconds: int = 10) -> list[Row]:
    with cloud() as stage:
        fill_history(stage.folder / "home" / "data", 100)
        with Screen(stage.environment("home", stage.queue()), "-m", "imm_tui") as screen:
            screen.await_(has(name_of(99)))
            time.sleep(2)  # what is done once after a start is done
            used, began = cpu_seconds(screen.pid), time.perf_counter()
            time.sleep(seconds)
            share = (cpu_seconds(screen.pid) - used) / (time.perf_counter() - began)
    return [
        Row(
            what="idle with a long poll and a clock, of a core",
            ours=Figure((share * 100,), "%"),
            goal=ours(0.5),
        )
    ]


if __name__ == "__main__":
    main(measure)
