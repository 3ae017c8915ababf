"""What it takes to work with a profile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imm_tui import config
from imm_tui.config import Settings
from imm_tui.errors import NoCredentials
from imm_tui.profiles import ready
from tests.cloud.servers import Service, hang


@contextmanager
def looked() -> Iterator[None]:
    """Waits in the end for a look that goes on after it was waited for."""
    yield
    for thread in threading.enumerate():
        if thread.name == "first key":
            thread.join(30)


LISTENS = Settings(queue="q", mns_endpoint="https://1.mns.cn-beijing.aliyuncs.com")


def test_a_key_that_does_not_come_at_once_keeps_no_screen_waiting(tmp_path: Path) -> None:
    with looked(), Service(hang) as far:
        environ = {"HOME": str(tmp_path), "ALIBABA_CLOUD_CREDENTIALS_URI": f"{far.url}/key"}
        profile = ready(LISTENS, environ, 0)
        assert profile.problem is None
        assert profile.can_listen
        assert far.arrived.wait(30)


def test_without_a_key_the_history_can_be_looked_at_and_it_is_said_why_nothing_else(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "IMM_TUI_DATA_DIR": str(tmp_path)}
    profile = ready(LISTENS, environ)
    assert isinstance(profile.problem, NoCredentials)
    assert not profile.can_listen
    assert profile.history_path == tmp_path / "history.db"


def test_no_test_finds_or_leaves_anything_in_the_files_of_whoever_runs_it(home: Path) -> None:
    assert config.config_path(None, {}).is_relative_to(home)
    assert config.data_dir({}).is_relative_to(home)
