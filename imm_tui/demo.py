"""`imm-tui demo`: the dashboard on an emulator of its own, where documents submit themselves. It leaves nothing behind.

The emulator is a child process. Its folder holds all that the demo writes; both of them remove it, so that it goes
even when one of the two is killed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from imm_tui import config, credentials, submission
from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.errors import Trouble
from imm_tui.history import History
from imm_tui.i18n import _
from imm_tui.sources import folder_lister
from imm_tui.text import say

if TYPE_CHECKING:
    from imm_tui.tui.app import ImmApp

_BUCKET = "demo"

_SLOW = 1.5
"""Seconds after which a start is worth a word."""

_BEFORE_THE_FIRST = 1.0
"""Seconds that the screen has for itself before the first document is submitted."""

_BETWEEN = 1.5
"""Seconds from one document to the next."""

_LATE = 10.0
"""Seconds after a conversion's own time from which its event counts as overdue: sooner than for real, to be watched."""

_PATIENCE = 3.0
"""Seconds that the emulator has to end by itself."""


def run(*, api_version: str, pace: float, scenario: str) -> int:
    """Shows the dashboard until it is left. Returns the exit code. See `staged`."""
    with staged(api_version=api_version, pace=pace, scenario=scenario) as app:
        app.run()
    return app.return_code or 0


@contextmanager
def staged(*, api_version: str, pace: float, scenario: str = "calm", presenting: bool = True) -> Iterator[ImmApp]:
    """The dashboard, ready to run, on an emulator where, if `presenting`, documents submit themselves meanwhile.

    `pace` is the seconds that a conversion takes, `scenario` the name of what goes wrong in the emulator. Raises
    Trouble when that does not start.
    """
    with _folder() as root, _emulator(root, pace, scenario) as answer:
        from imm_tui.tui.app import ImmApp  # while the emulator starts

        environment = answer()
        # An empty file in place of the user's: their account stays out of it.
        flags = {"config": os.devnull, "api_version": api_version, "target_uri": f"oss://{_BUCKET}/converted/"}
        settings = config.load(flags, environment)
        keys = credentials.find(environ=environment)
        history_path = root / "history.db"
        app = ImmApp(
            settings,
            history_path,
            keys,
            demo=True,
            overdue_after=pace + _LATE,
            scenario="" if scenario == "calm" else scenario,
        )
        objects = root / "objects"
        app.lister = folder_lister(objects)
        app.sample = f"oss://{_BUCKET}/5页Word.docx"
        with _presenting(settings, keys, history_path, objects / _BUCKET, app.wake) if presenting else nullcontext():
            yield app


@contextmanager
def _folder() -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="imm-tui-demo-"))
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def _emulator(root: Path, pace: float, scenario: str) -> Iterator[Callable[[], dict[str, str]]]:
    """Starts the emulator and gives the function that waits for its environment; ends it afterwards."""
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            # -P and the path: it finds what this process has found, and nothing that lies in the current folder.
            [
                *(sys.executable, "-P", "-W", "ignore", "-m", "imm_tui.emulator", str(root)),
                *("--pace", str(pace), "--scenario", scenario),
            ],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # the terminal's Ctrl-C and hang-up are for this process
        )
        assert child.stdin is not None
        assert child.stdout is not None
        output = child.stdout

        def environment() -> dict[str, str]:
            slow = threading.Timer(_SLOW, say, [_("Starting the emulator …")])
            slow.daemon = True
            slow.start()
            lines = output.read().decode()
            slow.cancel()
            if not lines:
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip().rpartition("\n")[2]
                raise Trouble(_("The emulator of the demo did not start."), said)
            return dict(word.split("=", 1) for word in shlex.split(lines) if word != "export")

        try:
            yield environment
        finally:
            # It ends when its standard input does, also if this process is killed.
            with suppress(BrokenPipeError):
                child.stdin.close()
            output.close()
            try:
                child.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@contextmanager
def _presenting(
    settings: Settings, keys: Credentials, history_path: Path, bucket: Path, wake: Callable[[], None]
) -> Iterator[None]:
    """Submits every document of the bucket meanwhile, one after the other, so that there is something to watch."""
    over = threading.Event()
    names = sorted(path.name for path in bucket.iterdir() if path.is_file())

    def submit() -> None:
        if over.wait(_BEFORE_THE_FIRST):
            return
        with (
            suppress(Trouble),  # the screen says it when the emulator is gone
            closing(submission.connect(settings, keys)) as imm,
            History(history_path) as history,
        ):
            sources = [f"oss://{_BUCKET}/{name}" for name in names]
            for conversion in submission.plan(sources, submission.Wanted(target_type="png"), settings):
                for _outcome in submission.submit(history, imm, settings, [conversion]):
                    wake()
                if over.wait(_BETWEEN):
                    return

    presenter = threading.Thread(target=submit, name="presenter", daemon=True)
    presenter.start()
    try:
        yield
    finally:
        over.set()
        presenter.join(_PATIENCE)
