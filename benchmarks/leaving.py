"""How soon the program has ended after q, in the midst of a long poll and while it does not poll."""

from __future__ import annotations

from benchmarks.measuring import Figure, Row, in_turn, main, more
from benchmarks.stage import Screen, cloud, has


def measure(rounds: int = 7) -> list[Row]:
    with cloud() as stage:
        mailbox = stage.queue()

        def leave(paused: bool) -> float:
            with Screen(stage.environment("home", mailbox), "-m", "imm_tui") as screen:
                screen.await_(has("listening"))
                if paused:
                    screen.await_(has("paused"), lambda: screen.press("p"))
                return screen.leave("q") * 1000

        polling, paused = in_turn(rounds, lambda: leave(False), lambda: leave(True))
    return [
        Row(
            what="q during a long poll of 30 s → end",
            ours=Figure(polling, "ms"),
            against="the same without a poll",
            other=Figure(paused, "ms"),
            goal=more(100),
        )
    ]


if __name__ == "__main__":
    main(measure)
