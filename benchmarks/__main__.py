"""`python -m benchmarks [--full]`: every benchmark, one after the other, in one table; `make bench`."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Mapping

from benchmarks import (
    calls,
    drain,
    emulating,
    flood,
    idle,
    latency,
    leaving,
    long_list,
    opening,
    scaling,
    start,
    submitting,
)
from benchmarks.measuring import Row, report

_ALL: dict[Callable[..., list[Row]], Mapping[str, int]] = {
    drain.measure: {},
    latency.measure: {},
    start.measure: {},
    leaving.measure: {},
    long_list.measure: {},
    calls.measure: {},
    scaling.measure: {"events": 1_000_000, "behind": 1_260_000},
    flood.measure: {},
    idle.measure: {"seconds": 60},
    opening.measure: {"tasks": 1_000_000},
    submitting.measure: {},
    emulating.measure: {"messages": 100_000},
}
"""The benchmarks, and the sizes that are for those who have the time; the first six are the table of goals."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="a million events and tasks, a gigabyte: a quarter of an hour"
    )
    full = parser.parse_args().full
    rows, failed = [], []
    for measure, sizes in _ALL.items():
        print(measure.__module__, "…", file=sys.stderr)
        try:
            rows += measure(**sizes if full else {})
        except Exception:  # the others are worth their time all the same
            traceback.print_exc()
            failed.append(measure.__module__)
    code = report(rows)
    if failed:
        print(f"not measured: {', '.join(failed)}")
    return code or len(failed)


if __name__ == "__main__":
    sys.exit(main())
