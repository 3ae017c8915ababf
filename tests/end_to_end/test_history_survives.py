"""The history survives full disks, closed folders, torn files, locks and other versions. Nothing is lost by them."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from imm_tui.history import History
from tests.conftest import RunningEmulator
from tests.control import Control
from tests.mailbox import Mailbox, all_quarantined, notification
from tests.program import Finished, Program, until
from tests.terminal import Terminal

OLDER = {version: Path(__file__).parents[1] / f"history_version_{version}.sql" for version in (1, 3)}
"""What imm-tui made in those versions: tasks of every status, an untracked one, a duplicate, a quarantined message."""

every_older = pytest.mark.parametrize("version", OLDER)

COMMANDS = {
    "tasks": ("tasks", "--json"),
    "watch": ("watch", "--json", "--count", "1"),
    "submit": ("submit", "oss://demo/产品手册.pdf", "--to", "txt", "--json"),
}
every_command = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())

# Runs it under a condition. Root may write anywhere, so root's privilege to do so is given up.
UNDER = """\
import sys
sys.argv = ["imm-tui", *sys.argv[1:]]
sys.dont_write_bytecode = True
{condition}
from imm_tui import cli
cli.run()
"""
NO_PRIVILEGE = """\
import ctypes
header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0] * 6)
assert ctypes.CDLL(None).capset(header, data) == 0
"""
IMPATIENT = "from imm_tui import history; history._BUSY = 0.3"


def full_at(size: int) -> str:
    """No file grows beyond `size` bytes, as if the disk were full."""
    return f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, resource.RLIM_INFINITY))"


def under(program: Program, condition: str) -> None:
    program.command = (sys.executable, "-c", UNDER.format(condition=condition))


def normally(program: Program) -> None:
    program.command = (sys.executable, "-m", "imm_tui")


@pytest.fixture
def history(program: Program) -> Path:
    """Where the history is; nothing is there yet."""
    program.environment["IMM_TUI_API_VERSION"] = "2017-09-06"
    program.data.mkdir(0o700)
    return program.data / "history.db"


def assert_whole(history: Path) -> None:
    with closing(sqlite3.connect(history)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def stored(history: Path) -> set[str]:
    """The MessageIds in the history."""
    with closing(sqlite3.connect(history)) as db:
        return {row[0] for row in db.execute("SELECT message_id FROM messages")}


def deleted(emulator: RunningEmulator, mailbox: Mailbox) -> set[str]:
    """The MessageIds that were deleted from the queue."""
    entries = Control(emulator.endpoint).ledger(queue=mailbox.name)
    return {entry["message_id"] for entry in entries if entry["action"] == "delete"}


def assert_told(run: Finished, *words: str) -> None:
    assert (run.code, run.out) == (2, "")
    assert len(run.err.splitlines()) == 1, run.err
    assert [word for word in words if word not in run.err] == [], run.err


def contents(folder: Path) -> dict[str, bytes]:
    """The history's files; what is only an index of the log of changes and a lock is made anew all the time."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix not in (".db-shm", ".lock")}


def filled(history: Path) -> None:
    """A history of version 2 with something in it, and all of it in the one file."""
    with closing(sqlite3.connect(history)) as db:
        db.executescript(OLDER[1].read_text())
    History(history).close()
    history.chmod(0o600)


# A disk that is full


def make_room(process: subprocess.Popen[bytes]) -> None:
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@every_command
def test_a_disk_that_is_full_from_the_start_is_told(program: Program, history: Path, command: tuple[str, ...]) -> None:
    history.touch(0o600)
    under(program, full_at(4096))
    assert_told(program(*command), str(history), "Make room")
    normally(program)
    assert program("tasks").code == 0
    assert_whole(history)


def test_on_a_full_disk_watch_pauses_and_goes_on_when_there_is_room(
    program: Program, mailbox: Mailbox, emulator: RunningEmulator, history: Path
) -> None:
    mailbox.publish(*(notification(f"{number}-{'x' * 20_000}") for number in range(20)))
    under(program, full_at(200_000))
    watch = program.start("watch", "--json", "--count", "4")
    assert watch.stderr is not None
    assert b"Make room" in watch.stderr.readline()
    assert deleted(emulator, mailbox) == stored(history) == set()
    make_room(watch)
    assert program.finish(watch).code == 0
    assert len(deleted(emulator, mailbox)) == 4
    assert mailbox.left == (0, 16)  # what could not be stored comes again when it is visible again
    assert_whole(history)


def test_on_a_full_disk_nothing_is_submitted_that_is_not_recorded(
    program: Program, emulator: RunningEmulator, history: Path
) -> None:
    filled(history)
    control = Control(emulator.endpoint)
    before = control.ledger()[-1]["id"]
    under(program, full_at(4096))
    assert_told(program(*COMMANDS["submit"]), "Make room")
    assert [entry for entry in control.ledger(before) if entry["action"] == "submit"] == []


def test_on_a_full_disk_the_dashboard_pauses_and_r_goes_on_when_there_is_room(
    program: Program, mailbox: Mailbox, emulator: RunningEmulator, history: Path
) -> None:
    under(program, full_at(200_000))
    with Terminal(program) as terminal:
        terminal.until_read("● listening")
        mailbox.publish(*(notification(f"{number}-{'x' * 20_000}") for number in range(20)))
        terminal.until_read("reconnecting", "Make room")
        assert deleted(emulator, mailbox) <= stored(history)
        make_room(terminal.process)
        terminal.press("r")
        terminal.until_read("● listening")
        mailbox.publish(notification("afterwards"))
        terminal.until_read("afterwards")
        terminal.press("q")
        assert terminal.ended() == 0
        terminal.assert_left_as_it_was()
    assert_whole(history)


def test_a_dashboard_that_began_on_a_full_disk_goes_on_when_there_is_room(
    program: Program, mailbox: Mailbox, history: Path
) -> None:
    under(program, full_at(4096))
    with Terminal(program) as terminal:
        terminal.until_read("stopped", "Make room")
        make_room(terminal.process)
        mailbox.publish(notification("afterwards"))
        terminal.press("r")
        terminal.until_read("● listening", "afterwards")
        assert "Make room" not in terminal.text
        terminal.press("q")
        assert terminal.ended() == 0


def mount(*arguments: str | Path) -> bool:
    """Whether it worked: it takes root, and a system that lets root do it."""
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode == 0


@pytest.fixture
def small_disk(program: Program) -> Iterator[Path]:
    """The history's folder is a disk of 400 KB."""
    program.data.mkdir(0o700)
    program.environment["IMM_TUI_API_VERSION"] = "2017-09-06"
    if not shutil.which("mount") or not mount("-t", "tmpfs", "-o", "size=400k,mode=700", "tmpfs", program.data):
        pytest.skip("No disk can be mounted here.")
    yield program.data
    subprocess.run(["umount", "--lazy", program.data], check=True)


def test_a_real_disk_that_fills_up_is_told_and_enlarged_it_goes_on(
    program: Program, mailbox: Mailbox, emulator: RunningEmulator, small_disk: Path
) -> None:
    mailbox.publish(*(notification(f"{number}-{'x' * 30_000}") for number in range(20)))
    watch = program.start("watch", "--json", "--count", "4")
    assert watch.stderr is not None
    assert b"Make room on its disk" in watch.stderr.readline()
    assert deleted(emulator, mailbox) == stored(small_disk / "history.db") == set()
    assert mount("-o", "remount,size=20m", small_disk)
    assert program.finish(watch).code == 0
    assert len(deleted(emulator, mailbox)) == 4
    assert_whole(small_disk / "history.db")


# A folder that cannot be used


@every_command
def test_a_read_only_folder_is_told(program: Program, history: Path, command: tuple[str, ...]) -> None:
    filled(history)
    program.data.chmod(0o500)
    under(program, NO_PRIVILEGE)
    assert_told(program(*command), str(history), "permissions")
    program.data.chmod(0o700)
    assert_whole(history)


@every_command
def test_a_file_in_the_folders_place_is_told(program: Program, command: tuple[str, ...]) -> None:
    program.data.write_bytes(b"")
    program.data.chmod(0o600)
    run = program(*command)
    if command[0] != "tasks":
        assert_told(run, str(program.data))


# A file that is torn


def truncated(share: float) -> Callable[[bytes], bytes]:
    return lambda whole: whole[: int(len(whole) * share)]


def zeroed(page: int) -> Callable[[bytes], bytes]:
    return lambda whole: whole[: (page - 1) * 4096] + bytes(4096) + whole[page * 4096 :]


TEARS: dict[str, Callable[[bytes], bytes]] = {
    "truncated to 100 bytes": truncated(0.001),
    "truncated to a half": truncated(0.5),
    "its last page missing": lambda whole: whole[:-4096],
    "its first page zeroed": zeroed(1),
    "its tasks zeroed": zeroed(9),
    "garbage": lambda whole: b"this is no database, " * 100,
}


@pytest.mark.parametrize(
    ("command", "tear"),
    [("tasks", tear) for tear in TEARS] + [("watch", "its tasks zeroed"), ("submit", "its last page missing")],
)
def test_a_torn_file_is_told_and_never_overwritten(
    program: Program,
    mailbox: Mailbox,
    emulator: RunningEmulator,
    history: Path,
    command: str,
    tear: str,
) -> None:
    filled(history)
    history.write_bytes(TEARS[tear](history.read_bytes()))
    before = history.read_bytes()
    mailbox.publish(notification("t-1"))
    assert_told(program(*COMMANDS[command]), str(history), "damaged", "Move it away")
    assert history.read_bytes() == before
    assert deleted(emulator, mailbox) == set()
    program.data.rename(program.home / "away")
    assert program(*COMMANDS["submit"]).code == 0


def test_an_empty_file_is_a_history_that_has_just_begun(program: Program, history: Path) -> None:
    history.touch(0o600)
    assert program(*COMMANDS["submit"]).code == 0


def crashed(program: Program, mailbox: Mailbox, history: Path) -> None:
    """A history whose last process was killed: what it wrote last is in the log of changes."""
    filled(history)
    watch = program.start("watch", "--json")
    for number in range(8):
        mailbox.publish(notification(f"t-{number}"))
    until(lambda: mailbox.left == (0, 0))
    watch.kill()
    watch.communicate()
    assert history.with_name("history.db-wal").stat().st_size


@pytest.mark.parametrize(
    "tear",
    [truncated(0.5), lambda log: log[:-100] + bytes(100), None],
    ids=["half", "zeros", "missing"],
)
def test_a_torn_log_of_changes_costs_no_more_than_its_end(
    program: Program, mailbox: Mailbox, history: Path, tear: Callable[[bytes], bytes] | None
) -> None:
    crashed(program, mailbox, history)
    log = history.with_name("history.db-wal")
    if tear is None:
        log.unlink()
    else:
        log.write_bytes(tear(log.read_bytes()))
    assert {"t-succeeded", "t-failed", "t-running"} <= {task["task_id"] for task in program("tasks", "--json").objects}
    mailbox.publish(notification("afterwards"))
    assert program(*COMMANDS["watch"]).object["task_id"] == "afterwards"
    assert_whole(history)


def with_a_file_for_a_folder(folder: Path) -> Callable[[], None]:
    folder.write_bytes(b"")
    folder.chmod(0o600)
    return folder.unlink


def with_a_folder_that_is_read_only(folder: Path) -> Callable[[], None]:
    folder.mkdir(0o500)
    return lambda: folder.chmod(0o700)


def with_a_torn_file(folder: Path) -> Callable[[], None]:
    folder.mkdir(0o700)
    filled(folder / "history.db")
    (folder / "history.db").write_bytes(truncated(0.5)((folder / "history.db").read_bytes()))
    return lambda: shutil.rmtree(folder)


@pytest.mark.parametrize(
    "broken", [with_a_file_for_a_folder, with_a_folder_that_is_read_only, with_a_torn_file], ids=lambda it: it.__name__
)
def test_the_dashboard_tells_it_and_goes_on_by_r_when_it_is_mended(
    program: Program, mailbox: Mailbox, emulator: RunningEmulator, broken: Callable[[Path], Callable[[], None]]
) -> None:
    mend = broken(program.data)
    mailbox.publish(notification("t-1"))
    under(program, NO_PRIVILEGE)
    with Terminal(program) as terminal:
        terminal.until_read("stopped", "The history", "r tries again")
        assert mailbox.left == (1, 0)
        mend()
        terminal.press("r")
        terminal.until_read("● listening", "t-1")
        assert not terminal.reads("r tries again")
        terminal.press("q")
        assert terminal.ended() == 0
        terminal.assert_left_as_it_was()
    assert_whole(program.data / "history.db")


# Others on the same history


def test_a_locked_history_is_told_and_nothing_is_deleted(
    program: Program, mailbox: Mailbox, emulator: RunningEmulator, history: Path
) -> None:
    filled(history)
    under(program, IMPATIENT)
    with closing(sqlite3.connect(history, isolation_level=None)) as other, Terminal(program) as terminal:
        terminal.until_read("● listening")
        other.execute("BEGIN IMMEDIATE")
        mailbox.publish(notification("while-it-was-locked"))
        terminal.until_read("reconnecting", "locked")
        assert deleted(emulator, mailbox) == set()
        other.execute("ROLLBACK")
        mailbox.publish(notification("afterwards"))
        terminal.press("r")
        terminal.until_read("● listening", "afterwards")
        terminal.press("q")
        assert terminal.ended() == 0
    assert_whole(history)


def test_a_dashboard_takes_over_when_the_process_that_listens_is_killed(
    program: Program, mailbox: Mailbox, history: Path
) -> None:
    watch = program.start("watch", "--json")
    mailbox.publish(notification("first"))
    assert watch.stdout is not None
    assert watch.stdout.readline()
    with Terminal(program) as terminal:
        terminal.until_read("another imm-tui is listening", "first")
        watch.kill()
        watch.communicate()
        mailbox.publish(notification("second"))
        terminal.until_read("● listening", "second")
        terminal.press("q")
        assert terminal.ended() == 0
    assert_whole(history)


# Other versions


def assert_taken_over(history: Path) -> None:
    with History(history) as taken:
        statuses = {task.task_id or task.source_uri: str(task.status) for task in taken.tasks()}
        bodies = [message.body for message in all_quarantined(taken)]
        (untracked,) = [task for task in taken.tasks() if task.task_id == "t-untracked"]
        duplicates = [delivery.duplicate for delivery in taken.deliveries(0)]
    assert statuses == {
        "t-succeeded": "Succeeded",
        "t-failed": "Failed",
        "t-running": "Running",
        "oss://demo/4.pdf": "Unknown",
        "oss://demo/5.pdf": "Submitting",
        "oss://demo/6.pdf": "Failed",
        "t-untracked": "Succeeded",
    }
    assert bodies == [b"not IMM's \x00\xff"]
    assert untracked.page_count == 7
    assert duplicates == [False, False, False, False, True]
    assert_whole(history)


@every_older
def test_an_older_history_is_taken_over_with_all_that_is_in_it(
    program: Program, mailbox: Mailbox, history: Path, version: int
) -> None:
    with closing(sqlite3.connect(history)) as db:
        db.executescript(OLDER[version].read_text())
    history.chmod(0o600)
    assert_taken_over(history)
    mailbox.publish(notification("t-succeeded"), notification("t-running"))
    first, second = program("watch", "--json", "--count", "2").objects
    assert (first["duplicate"], second["duplicate"]) == (True, False)
    tasks = {task["task_id"]: task for task in program("tasks", "--json").objects}
    assert (tasks["t-succeeded"]["events"], tasks["t-running"]["status"]) == (1, "Succeeded")


def test_a_batch_of_version_3_is_taken_over_as_it_was(tmp_path: Path) -> None:
    history = tmp_path / "history.db"
    with closing(sqlite3.connect(history)) as db:
        db.executescript(OLDER[3].read_text())
    with History(history) as taken:
        first, second, _third = taken.batch(1)
        assert taken.place_in_batch(second) == (2, 9)
        request = taken.request_of(first.id)
        assert request is not None
        assert request["parameters"]["SourceURI"] == "oss://demo/1.pdf"
        assert taken.plans() == []


@every_older
def test_killed_at_any_statement_of_the_migration_it_begins_again(tmp_path: Path, version: int) -> None:
    history = tmp_path / "history.db"
    script = (
        "import os, signal, sqlite3, sys\n"
        "from pathlib import Path\n"
        "left = int(sys.argv[2])\n"
        "class Dying(sqlite3.Connection):\n"
        "    def execute(self, *what):\n"
        "        global left\n"
        "        left -= 1\n"
        "        if left < 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return super().execute(*what)\n"
        "connect = sqlite3.connect\n"
        "sqlite3.connect = lambda *a, **k: connect(*a, factory=Dying, **k)\n"
        "from imm_tui.history import History\n"
        "History(Path(sys.argv[1]))\n"
    )
    made = tmp_path / "made.db"
    with closing(sqlite3.connect(made)) as db:
        db.executescript(OLDER[version].read_text())
    died = 0
    for statements in range(0, 100, 3):
        for path in tmp_path.glob("history.db*"):
            path.unlink()
        shutil.copy(made, history)
        child = subprocess.run([sys.executable, "-c", script, str(history), str(statements)], check=False)
        assert_taken_over(history)
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL
        died += 1
    assert died > 3


@pytest.mark.parametrize("command", [*COMMANDS.values(), ()], ids=[*COMMANDS, "dashboard"])
def test_a_newer_history_is_refused_and_left_as_it_is(
    program: Program, mailbox: Mailbox, emulator: RunningEmulator, history: Path, command: tuple[str, ...]
) -> None:
    made = program.home / "newer.db"
    filled(made)
    with closing(sqlite3.connect(made)) as newer:  # killed while it wrote: something is still in the log of changes
        newer.execute("CREATE TABLE of_the_future (x)")
        newer.execute("PRAGMA user_version = 99")
        newer.execute("INSERT INTO of_the_future VALUES (1)")
        newer.commit()
        for suffix in ("", "-wal"):
            shutil.copy(f"{made}{suffix}", f"{history}{suffix}")
            os.chmod(f"{history}{suffix}", 0o600)
    before = contents(program.data)
    assert before["history.db-wal"]
    mailbox.publish(notification("t-1"))
    if command:
        assert_told(program(*command), "newer imm-tui", "version 99", "Update imm-tui")
    else:
        with Terminal(program) as terminal:
            terminal.until_read("stopped", "version 99", "Update imm-tui")
            terminal.press("q")
            assert terminal.ended() == 0
    assert contents(program.data) == before
    assert deleted(emulator, mailbox) == set()
