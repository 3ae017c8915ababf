"""`python -m tests.crash [KILLS] [--seed SEED]`: a campaign of any length, and what it came to."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.conftest import running_emulator
from tests.crash.campaign import campaign


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("kills", metavar="KILLS", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="repeats the same choices")
    arguments = parser.parse_args()
    print(f"{arguments.kills} kills, seed {arguments.seed}")
    done = 0

    def after_each() -> None:
        nonlocal done
        done += 1
        if sys.stdout.isatty():
            print(f"\r{done}", end="", flush=True)

    with tempfile.TemporaryDirectory() as folder, running_emulator(Path(folder) / "emulator") as emulator:
        report = campaign(emulator, Path(folder), arguments.kills, arguments.seed, after_each)
    for heading, counts in (("killed at", report.kills), ("faults of the service", report.faults)):
        print(f"\r{heading}")
        for name, number in sorted(counts.items()):
            print(f"  {number:6d}  {name}")
    print(
        f"{report.events} events in {report.messages} messages; delivered {report.deliveries} times, of which"
        f" {report.duplicates} were duplicates; {report.quarantined} messages quarantined"
    )
    print(f"lost {report.lost}, in {report.seconds:.0f} s")


main()
