"""The way in: the console script `imm-tui`, and `python -m imm_tui`."""

from __future__ import annotations

import os

try:
    import signal

    # Python's own answer to Ctrl-C is a traceback, also while all the rest is being imported. There is nothing to
    # finish yet: the system's answer, the end without a word, is the right one.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
except KeyboardInterrupt:
    os._exit(130)

from imm_tui.cli import run

if __name__ == "__main__":
    run()
