"""What the emulator can deliver: messages received in batches and deleted, for a second of a processor's work."""

from __future__ import annotations

from benchmarks.drain import drain
from benchmarks.measuring import Figure, Row, main, ours
from benchmarks.stage import cloud


def measure(messages: int = 10_000, rounds: int = 3) -> list[Row]:
    with cloud() as stage:
        rates = [messages / drain(stage, "batches", messages, "home").served for _ in range(rounds)]
    return [
        Row(
            what="messages that the emulator delivers on a core",
            ours=Figure(tuple(rates), "/s"),
            goal=ours(20_000, at_least=True),
        )
    ]


if __name__ == "__main__":
    main(measure)
