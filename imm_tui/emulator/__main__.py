"""`python -m imm_tui.emulator ROOT`: the cloud of `imm-tui demo`, a child process that does not outlive its parent.

It prints its environment, closes its standard output, serves until its standard input ends (its parent closed it, or is
gone, also by kill -9) or a signal comes, and then removes ROOT and all that is in it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from imm_tui.emulator.account import Account
from imm_tui.emulator.server import Emulator, Unusable, exports, settle, until_signalled

PATIENCE = 3.0
"""Seconds that the server has to end by itself once the parent is gone."""


async def serve(emulator: Emulator, root: Path) -> None:
    """Serve until the parent or a signal says stop. ROOT is gone when this returns."""
    loop = asyncio.get_running_loop()
    end = until_signalled("SIGTERM", "SIGHUP")
    ended = threading.Event()

    def watch_parent() -> None:
        with suppress(OSError):
            while os.read(0, 1024):
                pass
        with suppress(RuntimeError):  # the loop is closed: a signal was first
            loop.call_soon_threadsafe(settle, end, 0)
        if not ended.wait(PATIENCE):
            shutil.rmtree(root, ignore_errors=True)
            os._exit(1)

    threading.Thread(target=watch_parent, daemon=True).start()
    try:
        await emulator.start(samples=True)
        with suppress(BrokenPipeError):
            print(exports(emulator.environment), end="", flush=True)
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        await end
    finally:
        await emulator.close()
        shutil.rmtree(root, ignore_errors=True)
        ended.set()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m imm_tui.emulator", description=__doc__.partition("\n")[0])
    parser.add_argument("root", metavar="ROOT", type=Path, help="a folder of its own, removed at the end")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds that a conversion is held up, to be watched")
    parser.add_argument("--scenario", default="calm", help="what goes wrong")
    parser.add_argument("--seed", type=int, default=0, help="another one, and it goes wrong at other times")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to understand
    try:
        emulator = Emulator(
            Account.made_up(),
            arguments.root / "objects",
            pace=arguments.pace,
            scenario=arguments.scenario,
            seed=arguments.seed,
        )
        asyncio.run(serve(emulator, arguments.root))
    except Unusable as error:
        print(f"imm-tui: the emulator did not start: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
