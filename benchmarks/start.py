"""A cold start: until something stands on the screen, and until all of the dashboard does, beside the least app that
Textual can run; and until `--help` has been printed, beside the import of argparse."""

from __future__ import annotations

from benchmarks.measuring import Figure, Row, in_turn, main, times
from benchmarks.stage import Cloud, Screen, cloud, has, run

IMM_TUI = ("-m", "imm_tui")

_BARE = """\
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("something")
Bare().run()
"""


def first_paint(stage: Cloud, home: str, *command: str, listens: bool = True) -> tuple[float, float]:
    """The milliseconds from exec to the first frame with any text in it, and those that a processor worked for it."""
    environment = stage.environment(home, stage.queue() if listens else None)
    with Screen(environment, *command) as screen:
        return screen.painted() * 1000, screen.kill() * 1000


def standing(stage: Cloud, home: str) -> float:
    """The milliseconds from exec until the list, which is empty, and the last line are drawn."""
    with Screen(stage.environment(home, stage.queue()), *IMM_TUI) as screen:
        return (screen.await_(lambda seen: has("No tasks yet")(seen) and has("palette")(seen)) - screen.began) * 1000


def measure(rounds: int = 9) -> list[Row]:
    with cloud() as stage:
        used: dict[bool, list[float]] = {True: [], False: []}

        def paint(of_ours: bool) -> float:
            command = IMM_TUI if of_ours else ("-c", _BARE)
            milliseconds, worked = first_paint(stage, "home", *command, listens=of_ours)
            used[of_ours].append(worked)
            return milliseconds

        def program(*command: str) -> float:
            return run(stage.environment("home"), *command) * 1000

        for of_ours in used:
            paint(of_ours)  # compiles what was not compiled yet
            used[of_ours].clear()
        mine, bare, whole = in_turn(rounds, lambda: paint(True), lambda: paint(False), lambda: standing(stage, "home"))
        program(*IMM_TUI, "--help")
        help_, argparse = in_turn(
            2 * rounds, lambda: program(*IMM_TUI, "--help"), lambda: program("-c", "import argparse")
        )
    app = "a Textual App with one Static"
    return [
        Row(
            what="first paint, cold",
            ours=Figure(mine, "ms"),
            against=app,
            other=Figure(bare, "ms"),
            goal=times(1.3),
        ),
        Row(
            what="until the dashboard stands",
            ours=Figure(whole, "ms"),
            against=app,
            other=Figure(bare, "ms"),
        ),
        Row(
            what="processor time until the first paint",
            ours=Figure(tuple(used[True]), "ms"),
            against=app,
            other=Figure(tuple(used[False]), "ms"),
        ),
        Row(
            what="imm-tui --help, cold",
            ours=Figure(help_, "ms"),
            against="python -c 'import argparse'",
            other=Figure(argparse, "ms"),
            goal=times(1.5),
        ),
    ]


if __name__ == "__main__":
    main(measure)
