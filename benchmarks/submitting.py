"""A thousand submissions: IMM takes fifty a second, and nobody but IMM is to set the pace; the connections are kept."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.measuring import Figure, Row, main, ours
from benchmarks.stage import cloud

_ALLOWED = 50.0
"""Submissions that IMM takes in a second."""


def _connections(port: int) -> set[str]:
    """Our ends of all connections to this port of this machine, also of those that were closed in the last minute."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    ends = [(fields[1], fields[2]) for fields in map(str.split, lines)]
    # One that the server closed first is remembered at its end only.
    here = f"{port:04X}"
    return {mine for mine, theirs in ends if theirs.endswith(here)} | {
        theirs for mine, theirs in ends if mine.endswith(here) and not theirs.endswith(":0000")
    }


def measure(tasks: int = 1000) -> list[Row]:
    with cloud() as stage:
        environment = stage.environment("home", stage.queue())
        sources = stage.folder / "sources"
        sources.write_text("".join(f"oss://demo/absent-{number}.docx\n" for number in range(tasks)))
        port = urlsplit(stage.emulator.endpoint).port
        assert port is not None
        before = _connections(port)
        began, worked_before = time.perf_counter(), os.times().children_user + os.times().children_system
        command = [
            "-m",
            "imm_tui",
            "submit",
            "--to",
            "png",
            "--target-uri",
            "oss://demo/results/",
            "--from",
            str(sources),
        ]
        subprocess.run([sys.executable, *command], env=environment, check=True, capture_output=True)
        seconds = time.perf_counter() - began
        worked = os.times().children_user + os.times().children_system - worked_before
        connections = len(_connections(port) - before)
    return [
        Row(
            what=f"{tasks:,} submissions, of which IMM takes {_ALLOWED:.0f} a second",
            ours=Figure((tasks / seconds,), "/s"),
            goal=ours(0.9 * _ALLOWED, at_least=True),
            note=f"a processor worked {worked / tasks * 1000:.1f} ms for each: {tasks / worked:,.0f} a second at most",
        ),
        Row(what="connections for them", ours=Figure((connections,), "in all"), goal=ours(10)),
    ]


if __name__ == "__main__":
    main(measure)
