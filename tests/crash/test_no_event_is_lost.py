"""kill -9 at any instant: what was published is in the history in the end, once."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from imm_tui.history import History
from imm_tui.tasks import Status
from tests.cloud.servers import free_port
from tests.conftest import CHECKOUT, RunningEmulator
from tests.crash.campaign import campaign, consumers
from tests.crash.consumer import FAILPOINTS, OPENING, RANDOM, TOLD, Death

KILLS = 120


@pytest.mark.timeout(300)
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
    assert cut_short_until_new(path, {0}) > 10
    with History(path) as history:
        assert history.tasks() == []


def test_bringing_an_older_history_up_to_date_may_be_cut_short_at_any_statement(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript((Path(__file__).parent / "version-1.sql").read_text())
    assert cut_short_until_new(path, {1}) > 10
    with History(path) as history:
        told = {(task.name, task.status, task.page_count, task.events, task.untracked) for task in history.tasks()}
        assert told == {
            ("done.docx", Status.SUCCEEDED, 5, 1, False),
            ("running.docx", Status.RUNNING, None, 0, False),
            ("submitting.docx", Status.SUBMITTING, None, 0, False),
            ("unknown.docx", Status.UNKNOWN, None, 0, False),
            ("untracked", Status.FAILED, None, 1, True),
        }
        assert [message.body for message in history.quarantined()] == [b"not of IMM"]
        assert len(history.deliveries(0)) == 4


def cut_short_until_new(path: Path, unfinished: set[int]) -> int:
    """Opens a history again and again, and is killed one statement later each time, until its version is a new one;
    how often that was."""
    environment = {"HOME": str(path.parent), "IMM_TUI_DATA_DIR": str(path.parent), "PYTHONPATH": str(CHECKOUT)}
    environment |= {"ALIBABA_CLOUD_ACCESS_KEY_ID": "id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret"}
    environment |= {"IMM_TUI_MNS_ENDPOINT": f"http://127.0.0.1:{free_port()}", "IMM_TUI_QUEUE": "q"}
    deaths = 0
    with consumers(environment) as warm:
        while not path.exists() or version(path) in unfinished:
            deaths += 1
            assert deaths < 100, "it never came to an end"
            assert warm.die(Death(point=OPENING, passing=deaths)) == signal.SIGKILL
    return deaths


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(database.execute("PRAGMA user_version").fetchone()[0])
