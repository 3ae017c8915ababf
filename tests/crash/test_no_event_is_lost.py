"""kill -9 at any instant: what was published is in the history in the end, once."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from imm_tui.history import History
from imm_tui.tasks import Status
from tests.cloud.servers import free_port
from tests.conftest import CHECKOUT, RunningEmulator
from tests.crash.campaign import campaign, consumers
from tests.crash.consumer import FAILPOINTS, OPENING, RANDOM, TOLD, Death
from tests.mailbox import all_quarantined

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
    path = older_history(tmp_path)
    assert cut_short_until_new(path, {1}) > 10
    with History(path) as history:
        told = {(task.name, task.status, task.page_count, task.events, task.untracked) for task in history.tasks()}
        assert told == {
            ("1.pdf", Status.SUCCEEDED, 5, 1, False),
            ("2.pdf", Status.FAILED, None, 1, False),
            ("3.pdf", Status.RUNNING, None, 0, False),
            ("4.pdf", Status.UNKNOWN, None, 0, False),
            ("5.pdf", Status.SUBMITTING, None, 0, False),
            ("6.pdf", Status.FAILED, None, 0, False),
            ("t-untracked", Status.SUCCEEDED, 7, 1, True),
        }
        assert [message.body for message in all_quarantined(history)] == [b"not IMM's \x00\xff"]
        assert len(history.deliveries(0)) == 5


def older_history(folder: Path) -> Path:
    """One of version 1, with seven tasks."""
    path = folder / "history.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript((Path(__file__).parents[1] / "history_version_1.sql").read_text())
    return path


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
            if path.exists():
                assert_of_use(path)
    return deaths


def copied(path: Path, folder: Path) -> Path:
    """A copy, with what SQLite has left beside it: whoever looks at a history mends it, and the next is to find it as
    death has left it."""
    folder.mkdir(exist_ok=True)
    for file in path.parent.glob(f"{path.name}*"):
        shutil.copy(file, folder)
    return folder / path.name


def assert_of_use(path: Path) -> None:
    """Opened as imm-tui opens it, and by nobody before, it can be read, written and is whole."""
    with TemporaryDirectory() as folder:
        copy = copied(path, Path(folder))
        with History(copy) as history:
            history.tasks()
            history.probe()
        with closing(sqlite3.connect(copy)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def version(path: Path) -> int:
    with TemporaryDirectory() as folder, closing(sqlite3.connect(copied(path, Path(folder)))) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


# The system ends it at the first byte that would make any file longer than this: within a statement, as no kill is.
CUT_SHORT = """\
import resource, signal, sys
from pathlib import Path
from imm_tui.history import History
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
History(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("size", [0, 100, 600, 4096, 6000, 20_000, 40_000])
@pytest.mark.parametrize("older", [False, True])
def test_making_a_history_or_bringing_one_up_to_date_may_be_cut_short_in_the_midst_of_a_write(
    tmp_path: Path, size: int, older: bool
) -> None:
    path = older_history(tmp_path) if older else tmp_path / "history.db"
    run = subprocess.run([sys.executable, "-c", CUT_SHORT, str(path), str(size)], cwd=CHECKOUT)
    assert run.returncode == -signal.SIGXFSZ
    assert_of_use(path)
    with History(path) as history:
        assert len(history.tasks()) == (7 if older else 0)


SPILL = """\
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA cache_size = 1")
database.execute("BEGIN")
database.execute("CREATE TABLE unfinished (content)")
for _ in range(100):
    database.execute("INSERT INTO unfinished VALUES (randomblob(4000))")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("older", [False, True])
def test_a_journal_that_has_to_be_rolled_back_keeps_no_history_from_opening(tmp_path: Path, older: bool) -> None:
    path = older_history(tmp_path) if older else tmp_path / "history.db"
    assert subprocess.run([sys.executable, "-c", SPILL, str(path)]).returncode == -signal.SIGKILL
    assert path.stat().st_size > 100_000, "half of the transaction is in the file"
    assert path.with_name("history.db-journal").stat().st_size > 0
    with History(path) as history:
        assert len(history.tasks()) == (7 if older else 0)
        history.probe()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'unfinished'").fetchall()
