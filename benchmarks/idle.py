"""What it costs to have it open all day: the processor's share while nothing happens but a long poll and a clock."""

from __future__ import annotations

import time

from benchmarks.measuring import Figure, Row, main, ours
from benchmarks.stage import Screen, cloud, cpu_seconds, fill_history, has, name_of

_CLOCK = """\
import time
from textual.app import App
from textual.widgets import Static
class Clock(App):
    def compose(self):
        yield Static("00:00:00")
    def on_mount(self):
        self.set_interval(1, lambda: self.query_one(Static).update(time.strftime("%H:%M:%S")))
Clock().run()
"""


def share(screen: Screen, seconds: int) -> float:
    """The percent of a core that a program uses while nothing happens."""
    time.sleep(2)  # what is done once after a start is done
    used, began = cpu_seconds(screen.pid), time.perf_counter()
    time.sleep(seconds)
    return (cpu_seconds(screen.pid) - used) / (time.perf_counter() - began) * 100


def measure(seconds: int = 10) -> list[Row]:
    with cloud() as stage:
        fill_history(stage.folder / "home" / "data", 100)
        with Screen(stage.environment("home", stage.queue()), "-m", "imm_tui") as screen:
            screen.await_(has(name_of(99)))
            mine = share(screen, seconds)
        with Screen(stage.environment("home"), "-c", _CLOCK) as screen:
            screen.await_(has(":"))
            clock = share(screen, seconds)
    return [
        Row(
            what="idle with a long poll and a clock, of a core",
            ours=Figure((mine,), "%"),
            against="a Textual App with a clock",
            other=Figure((clock,), "%"),
            goal=ours(0.5),
        )
    ]


if __name__ == "__main__":
    main(measure)
