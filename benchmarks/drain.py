"""How fast a queue is drained: by ours into the history, by the tutorial's loop, by the SDK's batches, kept nowhere."""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import Figure, Row, in_turn, main, times
from benchmarks.stage import Cloud, cloud


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """How it went: what the consumer has told of itself, and what the emulator has used of a processor for it."""

    seconds: float
    megabytes: float
    served: float


def drain(stage: Cloud, way: str, count: int, home: str) -> Drained:
    """Fills a queue and has it emptied, in one of the consumer's ways."""
    mailbox = stage.queue()
    stage.fill(mailbox, count)
    used = stage.cpu_seconds
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.consumer", way, str(count)],
        env=stage.environment(home, mailbox),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    served = stage.cpu_seconds - used
    assert mailbox.left == (0, 0), "the queue is not empty"
    return Drained(**json.loads(process.stderr), served=served)


def sync_milliseconds(folder: Path) -> float:
    """What it takes to have a small page on the disk of this folder: every commit waits for that."""
    taken = []
    with (folder / "page").open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def measure(events: int = 16_000, rounds: int = 5) -> list[Row]:
    homes = map(str, itertools.count())
    with cloud() as stage:
        busy: list[float] = []

        def rate(way: str, count: int) -> float:
            drained = drain(stage, way, count, next(homes))
            if way == "ours":
                busy.append(drained.served / drained.seconds)
            return count / drained.seconds

        mine, tutorial, batches = in_turn(
            rounds,
            lambda: rate("ours", events),
            lambda: rate("tutorial", events // 8),
            lambda: rate("batches", events),
        )
        sync = sync_milliseconds(stage.folder)
    drained = "events drained: received, committed, deleted"
    return [
        Row(
            what=drained,
            ours=Figure(mine, "/s"),
            against="the tutorial's loop",
            other=Figure(tutorial, "/s"),
            goal=times(8, at_least=True),
        ),
        Row(
            what=drained,
            ours=Figure(mine, "/s"),
            against="SDK's batches, kept nowhere",
            other=Figure(batches, "/s"),
            goal=times(1.3, at_least=True),
            note=f"the emulator was busy for {statistics.median(busy):.0%} of our time; fsync takes {sync:.1f} ms here",
        ),
    ]


if __name__ == "__main__":
    main(measure)
