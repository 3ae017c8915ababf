"""A patient: an emulated cloud, the environment, the key and the history of one person, and the doctor that looks."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imm_tui import config
from imm_tui.credentials import Chain
from imm_tui.doctor.asking import examine
from imm_tui.doctor.check import Check, Verdict
from imm_tui.doctor.verdicts import CHECKS
from tests.conftest import RunningEmulator, running_emulator
from tests.control import Control
from tests.emulator.raw import RawMns

_ASSIGNMENT = re.compile(r"Set (\w+)=(\S+?)\.(?= |$)")
_LINE = re.compile(r'Write (\w+) = "([^"]+)"')
_COMMAND = re.compile(r"Run `([^`]+)`")
_SETUP = re.compile(r"`imm-tui (setup[^`]*)`")
_UNSET = re.compile(r"Then unset (\w+)")
_DELETE = re.compile(r"Delete the subscription (\S+) in the MNS console")
_ATTRIBUTE = re.compile(r"set its (\w+) to (\d+)")


class Patient:
    """`environ` is the whole environment; everything else is at the emulator, or in `home`."""

    def __init__(self, emulator: RunningEmulator, home: Path) -> None:
        self.emulator = emulator
        self.home = home
        own = {"HOME": home, "IMM_TUI_CONFIG": home / "config.toml", "IMM_TUI_DATA_DIR": home / "data"}
        self.environ = emulator.env | {name: str(path) for name, path in own.items()}
        self.control = Control(emulator.endpoint)
        self.mns = RawMns(emulator)

    @property
    def settings(self) -> config.Settings:
        return config.load({}, self.environ)

    @property
    def keys(self) -> Chain:
        return Chain(self.settings.aliyun_profile, self.environ)

    @property
    def history(self) -> Path:
        return config.history_path(self.settings, self.environ)

    def examined(self) -> dict[str, Check]:
        """Every check, by its name; each came exactly once."""
        checks = list(examine(self.settings, self.keys, self.history))
        assert sorted(check.name for check in checks) == sorted(CHECKS)
        for check in checks:
            assert check.cause
            assert bool(check.fix) is (check.status in (Verdict.WARN, Verdict.FAIL)), check
        return {check.name: check for check in checks}

    def named(self) -> dict[str, Check]:
        """What the doctor finds fault with."""
        return {name: check for name, check in self.examined().items() if check.status in (Verdict.WARN, Verdict.FAIL)}

    def put(self, path: str, xml: str = "") -> None:
        """Makes or changes something of MNS's."""
        answer = self.mns("PUT", path, xml.encode())
        assert answer.status in (201, 204), answer.body

    def subscribe(self, topic: str, queue: str, more: str = "") -> None:
        account = self.emulator.account_id
        endpoint = f"acs:mns:{self.emulator.region}:{account}:queues/{queue}"
        self.put(
            f"/topics/{topic}/subscriptions/{queue}",
            f"<Subscription><Endpoint>{endpoint}</Endpoint>{more}</Subscription>",
        )

    def follow(self, fix: str) -> None:
        """Does what the doctor says, as far as it is something that can be typed."""
        if found := _ASSIGNMENT.search(fix):
            self.environ[found[1]] = found[2]
        elif lines := _LINE.findall(fix):
            written = "".join(f'{name} = "{value}"\n' for name, value in lines)
            (self.home / "config.toml").write_text(f"[profiles.{self.settings.profile}]\n{written}")
        elif found := _COMMAND.search(fix):
            subprocess.run(found[1], shell=True, check=True)
        elif found := _ATTRIBUTE.search(fix):
            queue = self.settings.queue
            attributes = "".join(f"<{name}>{value}</{name}>" for name, value in _ATTRIBUTE.findall(fix))
            self.put(f"/queues/{queue}?metaoverride=true", f"<Queue>{attributes}</Queue>")
        elif found := _SETUP.search(fix):
            if deleted := _DELETE.search(fix):
                assert self.mns("DELETE", f"/topics/{self.settings.topic}/subscriptions/{deleted[1]}").status == 204
            command = [sys.executable, "-m", "imm_tui", *shlex.split(found[1]), "--yes"]
            subprocess.run(command, env=self.environ, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if unset := _UNSET.search(fix):
                del self.environ[unset[1]]
        else:
            raise AssertionError(f"nothing can be typed of: {fix}")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """An emulator that these tests alone reset."""
    with running_emulator(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture
def patient(cloud: RunningEmulator, tmp_path: Path) -> Iterator[Patient]:
    found = Patient(cloud, tmp_path)
    found.control.reset()
    yield found
    found.control.reset()
    found.mns.close()
