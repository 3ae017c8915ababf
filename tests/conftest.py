"""What every test may use: a running emulator in a child process, a mailbox on it, and its control plane."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

from tests.control import Control
from tests.mailbox import Mailbox

CHECKOUT = Path(__file__).parents[1]

# How long an example takes says something of the machine only.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

# A shell starts what it runs in the background with Ctrl-C ignored, nohup does it with a hang-up, and a child inherits
# that. What has a handler here is back at its default in a child, as in a terminal.
signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where everything is that a test does not name: what whoever runs it has at home is neither read nor written."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        for name in ("HOME", "USERPROFILE"):
            patch.setenv(name, str(home))
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "IMM_TUI_CONFIG", "IMM_TUI_DATA_DIR"):
            patch.delenv(name, raising=False)
        yield home


@dataclass(frozen=True, slots=True)
class RunningEmulator:
    """An emulator that listens. `env` holds exactly the variables that it printed."""

    env: dict[str, str]
    data_dir: Path
    process: subprocess.Popen[str]

    @property
    def endpoint(self) -> str:
        return self.env["IMM_TUI_MNS_ENDPOINT"]

    @property
    def access_key_id(self) -> str:
        return self.env["ALIBABA_CLOUD_ACCESS_KEY_ID"]

    @property
    def access_key_secret(self) -> str:
        return self.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]

    @property
    def account_id(self) -> str:
        return self.env["IMM_TUI_ACCOUNT_ID"]

    @property
    def region(self) -> str:
        return self.env["IMM_TUI_REGION"]

    @property
    def project(self) -> str:
        return self.env["IMM_TUI_PROJECT"]

    @property
    def topic(self) -> str:
        return self.env["IMM_TUI_TOPIC"]

    @property
    def queue(self) -> str:
        return self.env["IMM_TUI_QUEUE"]


@contextmanager
def running_emulator(root: Path, *options: str) -> Iterator[RunningEmulator]:
    """Start `python -m imm_tui.emulator ROOT`; at the end its standard input is closed and it is waited for."""
    process = subprocess.Popen(
        [sys.executable, "-m", "imm_tui.emulator", str(root), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        lines = shlex.split(process.stdout.read())
        assert lines, "the emulator printed no environment; its standard error says why"
        env = dict(word.split("=", 1) for word in lines if word != "export")
        yield RunningEmulator(env, root / "objects", process)
        process.stdin.close()
        process.wait(timeout=10)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """One emulator for the whole run. Keep apart by names: make a queue or a topic of your own."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def mailbox(emulator: RunningEmulator) -> Mailbox:
    return Mailbox(emulator)


@pytest.fixture
def fresh_emulator(tmp_path: Path) -> Iterator[RunningEmulator]:
    """An emulator that nobody else has touched."""
    with running_emulator(tmp_path / "emulator") as running:
        yield running


@pytest.fixture
def control(fresh_emulator: RunningEmulator) -> Control:
    """The control plane of `fresh_emulator`."""
    return Control(fresh_emulator.endpoint)
