"""kill -9 at any instant: what was published is in the history in the end, once."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from imm_tui.history import History
from tests.cloud.servers import free_port
from tests.conftest import CHECKOUT, RunningEmulator
from tests.crash.campaign import campaign, consumers
from tests.crash.consumer import FAILPOINTS, OPENING, RANDOM, TOLD, Death

KILLS = 120


def test_a_consumer_that_is_killed_again_and_again_loses_nothing_and_counts_nothing_twice(
    fresh_emulator: RunningEmulator, tmp_path: Path
) -> None:
    report = campaign(fresh_emulator, tmp_path / "data", KILLS, seed=1)
    assert report.kills.total() == KILLS
    assert report.kills.keys() == {*FAILPOINTS, TOLD, RANDOM}, "each instant had its turn"
    assert report.duplicates > report.events, "every event came three times at least"
    assert report.faults.total() > 0
    assert report.lost == 0


def test_making_a_history_may_be_cut_short_at_any_statement(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    environment = {"HOME": str(tmp_path), "IMM_TUI_DATA_DIR": str(tmp_path), "PYTHONPATH": str(CHECKOUT)}
    environment |= {"ALIBABA_CLOUD_ACCESS_KEY_ID": "id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret"}
    environment |= {"IMM_TUI_MNS_ENDPOINT": f"http://127.0.0.1:{free_port()}", "IMM_TUI_QUEUE": "q"}
    deaths = 0
    with consumers(environment) as warm:
        while not made(path):
            deaths += 1
            assert warm.die(Death(point=OPENING, passing=deaths)) == signal.SIGKILL
    assert deaths > 10
    with History(path) as history:
        assert history.tasks() == []


def made(path: Path) -> bool:
    if not path.exists():
        return False
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return bool(database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
