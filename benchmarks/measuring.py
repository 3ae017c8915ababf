"""What every benchmark shares: figures with their spread, two sides measured in turn, rows with a goal, the table."""

from __future__ import annotations

import argparse
import inspect
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from rich.cells import cell_len, set_cell_size


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity, measured several times."""

    values: tuple[float, ...]
    unit: str

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """How far the middle half of the values reaches to either side, as a share of the median."""
        if len(self.values) < 2 or not self.median:
            return 0.0
        low, _, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return (high - low) / 2 / self.median

    def __str__(self) -> str:
        spread = f" ±{self.spread:.0%}" if len(self.values) > 1 else ""
        return f"{digits(self.median)} {self.unit}{spread}"


def digits(number: float) -> str:
    """Three figures that count, and no more decimals than they need."""
    size = abs(number)
    return f"{number:,.{0 if size >= 100 else 1 if size >= 10 else 2}f}"


class Compared(StrEnum):
    """What of a row its goal is about."""

    RATIO = "×"
    """Ours to the other, pair by pair as they were measured: what slows the machine down slows both of a pair down."""
    MORE = "more"
    """How much more than the other, in its unit."""
    OURS = "ours"


@dataclass(frozen=True, slots=True)
class Goal:
    """At most `limit`, or at least."""

    compared: Compared
    limit: float
    at_least: bool = False

    def met_by(self, reached: float) -> bool:
        return reached >= self.limit if self.at_least else reached <= self.limit


def times(limit: float, *, at_least: bool = False) -> Goal:
    return Goal(Compared.RATIO, limit, at_least)


def more(limit: float) -> Goal:
    return Goal(Compared.MORE, limit)


def ours(limit: float, *, at_least: bool = False) -> Goal:
    return Goal(Compared.OURS, limit, at_least)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was measured, against what, and what it was to be. Without a goal it only informs."""

    what: str
    ours: Figure
    against: str = ""
    other: Figure | None = None
    goal: Goal | None = None
    note: str = ""

    @property
    def compared(self) -> Compared:
        if self.goal is not None:
            return self.goal.compared
        return Compared.OURS if self.other is None else Compared.RATIO

    @property
    def reached(self) -> float:
        """What the goal is about, in this run."""
        if self.other is None or self.compared is Compared.OURS:
            return self.ours.median
        pairs = zip(self.ours.values, self.other.values, strict=True)
        if self.compared is Compared.MORE:
            return statistics.median(mine - theirs for mine, theirs in pairs)
        return statistics.median(mine / theirs for mine, theirs in pairs)

    @property
    def missed(self) -> bool:
        return self.goal is not None and not self.goal.met_by(self.reached)

    def cells(self) -> tuple[str, ...]:
        limit = ""
        if self.goal is not None:
            limit = f"{'≥' if self.goal.at_least else '≤'} {self._measured(self.goal.limit)}"
        verdict = "" if self.goal is None else "MISSED" if self.missed else "met"
        ratio = "" if self.other is None else self._measured(self.reached)
        other = f"{self.other}  {self.against}" if self.other is not None else self.against
        return self.what, str(self.ours), other, ratio, limit, verdict

    def _measured(self, number: float) -> str:
        match self.compared:
            case Compared.RATIO:
                return f"{number:.2f} ×"
            case Compared.MORE:
                return f"{digits(number)} {self.ours.unit} more"
            case _:
                return f"{digits(number)} {self.ours.unit}"


_TITLES = ("", "ours", "the other", "ratio", "goal", "")


def table(rows: Iterable[Row]) -> str:
    """The rows, each with its note below it."""
    rows = list(rows)
    lines = [_TITLES, *(row.cells() for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    drawn = ["  ".join(map(set_cell_size, cells, widths)).rstrip() for cells in lines]
    notes = ("", *(row.note for row in rows))
    return "\n".join(text if not note else f"{text}\n    {note}" for text, note in zip(drawn, notes, strict=True))


def setting() -> str:
    """When and on what this was measured; the load is the minute's, of which the benchmarks themselves are a part."""
    load, cores = os.getloadavg()[0], os.cpu_count()
    return f"{date.today()}, Python {platform.python_version()}, {platform.system()}, {cores} cores, load {load:.1f}"


def in_turn(rounds: int, *sides: Callable[[], float]) -> list[tuple[float, ...]]:
    """The values of each side. Every round measures each of them once, the next one in the opposite order."""
    values: list[list[float]] = [[] for _ in sides]
    order = list(range(len(sides)))
    for _ in range(rounds):
        for side in order:
            values[side].append(sides[side]())
        order.reverse()
    return [tuple(side) for side in values]


def p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def main(measure: Callable[..., list[Row]]) -> None:
    """One benchmark as a program: its sizes, which have defaults, are flags. Ends with 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=sys.modules[measure.__module__].__doc__)
    for name, size in inspect.signature(measure).parameters.items():
        parser.add_argument(f"--{name}", type=int, default=size.default, help=f"(default: {size.default:,})")
    sys.exit(report(measure(**vars(parser.parse_args()))))


def report(rows: list[Row]) -> int:
    """Prints them; the exit code."""
    missed = [row for row in rows if row.missed]
    print(f"{table(rows)}\n\n{setting()}")
    if missed:
        print(f"{len(missed)} of {sum(row.goal is not None for row in rows)} goals missed")
    return int(bool(missed))
