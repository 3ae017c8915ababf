"""The first paint of imm-tui beside that of other programs on Textual, each in an environment that is thrown away.

Wants the network: pip installs them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import Figure, Row, in_turn, main
from benchmarks.stage import Cloud, Screen, cloud
from benchmarks.start import IMM_TUI


@dataclass(frozen=True, slots=True)
class _Peer:
    requirements: tuple[str, ...]
    command: tuple[str, ...]


_PEERS = (
    _Peer(("toolong==1.5.0",), ("tl", "a.log")),
    _Peer(("kaskade==5.1.0",), ("kaskade", "admin", "-b", "127.0.0.1:1")),
    _Peer(("harlequin==2.17.0",), ("harlequin",)),
    # Beside a newer tree-sitter it ends with a segmentation fault.
    _Peer(("posting==2.11.1", "tree-sitter==0.25.2"), ("posting",)),
)


def measure(rounds: int = 7) -> list[Row]:
    with cloud() as stage, tempfile.TemporaryDirectory() as folder:
        return [row for peer in _PEERS for row in _rows_of(stage, peer, Path(folder), rounds)]


def _rows_of(stage: Cloud, peer: _Peer, folder: Path, rounds: int) -> Iterator[Row]:
    home = folder / peer.command[0]
    print(peer.requirements[0], "…", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    install = [str(home / "bin" / "python"), "-m", "pip", "install", "-qq", *peer.requirements]
    subprocess.run(install, check=True)
    (stage.folder / "theirs").mkdir(exist_ok=True)
    (stage.folder / "theirs" / "a.log").write_text("a line\n" * 100)
    environment = stage.environment("theirs")
    del environment["PYTHONPATH"]
    program, *arguments = peer.command
    arguments = [argument if argument != "a.log" else str(stage.folder / "theirs" / argument) for argument in arguments]

    def theirs() -> float:
        with Screen(environment, *arguments, program=str(home / "bin" / program)) as screen:
            return screen.painted() * 1000

    def ours() -> float:
        with Screen(stage.environment("ours", stage.queue()), *IMM_TUI) as screen:
            return screen.painted() * 1000

    theirs()
    ours()
    mine, other = in_turn(rounds, ours, theirs)
    yield Row(
        what="first paint, cold",
        ours=Figure(mine, "ms"),
        against=" ".join(peer.requirements),
        other=Figure(other, "ms"),
    )


if __name__ == "__main__":
    main(measure)
