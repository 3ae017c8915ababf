"""`imm-tui` as a child process, as a user has it; all that it writes is looked through after each run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import CHECKOUT

HANG = 25.0
"""Seconds after which a run is taken to hang: fewer than a long poll has, so that waiting for its end is a hang too."""

_CONTROL = re.compile(r"[^\n -~\u00a0-\U0010ffff]")
_NEVER = ("Traceback", "Warning", "Signature=", "aliyunsdk", "mns.mns_")


def until(condition: Callable[[], bool]) -> None:
    """Asks again and again, and fails when `condition` has not come to hold after a long time."""
    deadline = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < deadline, "what was awaited never came"
        time.sleep(0.005)  # the processor is for those who are waited for


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that is over."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The JSON Lines that it printed."""
        assert self.out.isascii()
        return [json.loads(line) for line in self.lines]

    @property
    def object(self) -> dict[str, Any]:
        """The only one of them."""
        (only,) = self.objects
        return only


class Program:
    """`imm-tui` in an environment of its own, with nothing of the machine's in it."""

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str] | None = None,
        command: tuple[str, ...] = (sys.executable, "-m", "imm_tui"),
    ) -> None:
        self.command = command
        self.home = home
        self.data = home / "data"
        self._started: list[subprocess.Popen[bytes]] = []
        home.mkdir()
        self.environment = {
            "HOME": str(home),
            "IMM_TUI_DATA_DIR": str(self.data),
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(CHECKOUT),
            "LANG": "C.UTF-8",
            **(environment or {}),
        }

    def __call__(
        self, *arguments: str, typed: bytes = b"", python: tuple[str, ...] = (), **environment: str | None
    ) -> Finished:
        """Runs it to its end, with `typed` on stdin; an environment variable that is None is not there."""
        return self.finish(self.start(*arguments, python=python, **environment), typed)

    def start(
        self, *arguments: str, python: tuple[str, ...] = (), **environment: str | None
    ) -> subprocess.Popen[bytes]:
        given = {**self.environment, **environment}
        process = subprocess.Popen(
            [self.command[0], *python, *self.command[1:], *arguments],
            env={name: value for name, value in given.items() if value is not None},
            cwd=self.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._started.append(process)
        return process

    def finish(self, process: subprocess.Popen[bytes], typed: bytes = b"") -> Finished:
        """Waits for its end, and looks through what it wrote."""
        out, err = (stream.decode() for stream in process.communicate(typed, timeout=HANG))
        for text in (out, err):
            assert not _CONTROL.search(text), f"a control character reached the terminal: {text!r}"
            assert not [word for word in (*_NEVER, *self._secrets) if word in text], text
        return Finished(process.returncode, out, err)

    def close(self) -> None:
        """Ends what a failed test left running, and looks through the files: no secret, none that others may read."""
        for process in self._started:
            process.kill()
            for stream in (process.stdin, process.stdout, process.stderr):
                assert stream is not None
                stream.close()
            process.wait()
        for path in self.data.rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, path
            assert path.is_dir() or not [s for s in self._secrets if s.encode() in path.read_bytes()], path

    @property
    def _secrets(self) -> list[str]:
        names = ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN")
        return [value for name in names if (value := self.environment.get(name))]
