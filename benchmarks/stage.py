"""What is measured on: the emulator as a child process, queues and histories that are full, and a terminal that tells
when something was drawn on it. Reads /proc: Linux only."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import resource
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from xml.sax.saxutils import escape

from imm_tui.arrivals import Arrival
from imm_tui.history import History
from imm_tui.tasks import Event, Status, now
from tests.conftest import CHECKOUT, RunningEmulator, running_emulator
from tests.emulator.raw import RawMns
from tests.mailbox import Mailbox, notification

BATCH = 16

_PATIENCE = 60.0
"""Seconds after which what was awaited counts as never drawn."""

_ESCAPE_SEQUENCE = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|P[^\x1b]*\x1b\\|[ -/]*[0-~])")


class Cloud:
    """A running emulator, and a folder for all that is measured on it."""

    def __init__(self, emulator: RunningEmulator, folder: Path) -> None:
        self.emulator = emulator
        self.folder = folder

    def queue(self) -> Mailbox:
        """A new one, that nobody has used."""
        return Mailbox(self.emulator)

    def fill(self, mailbox: Mailbox, count: int) -> None:
        """Puts `count` messages on its queue, as IMM's topic would deliver them in the format JSON."""
        with closing(RawMns(self.emulator)) as mns:
            for start in range(0, count, BATCH):
                bodies = (body(mailbox, number) for number in range(start, min(start + BATCH, count)))
                messages = "".join(f"<Message><MessageBody>{escape(it)}</MessageBody></Message>" for it in bodies)
                answer = mns("POST", f"/queues/{mailbox.name}/messages", f"<Messages>{messages}</Messages>".encode())
                assert answer.status == 201, answer

    def environment(self, home: str, mailbox: Mailbox | None = None) -> dict[str, str]:
        """That of imm-tui with a home of this name, where nothing of the machine's is; with `mailbox` it listens."""
        folder = self.folder / home
        folder.mkdir(exist_ok=True)
        listens = {**self.emulator.env, "IMM_TUI_TOPIC": mailbox.name, "IMM_TUI_QUEUE": mailbox.name} if mailbox else {}
        return {
            "HOME": str(folder),
            "IMM_TUI_DATA_DIR": str(folder / "data"),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(CHECKOUT),
            "LANG": "C.UTF-8",
            **listens,
        }

    @property
    def cpu_seconds(self) -> float:
        """What the emulator has used of a processor until now."""
        return cpu_seconds(self.emulator.process.pid)


@contextmanager
def cloud(*options: str) -> Iterator[Cloud]:
    """`options` are those of `python -m imm_tui.emulator`."""
    with tempfile.TemporaryDirectory(prefix="imm-tui-bench-") as name:
        folder = Path(name)
        with running_emulator(folder / "emulator", *options) as emulator:
            yield Cloud(emulator, folder)


def name_of(number: int) -> str:
    """The id of a task, and what the list calls it."""
    return f"task-{number:07d}"


def body(mailbox: Mailbox, number: int) -> str:
    """A message that tells the end of the task `number`."""
    envelope = {
        "TopicOwner": mailbox.emulator.account_id,
        "Message": notification(name_of(number)),
        "Subscriber": mailbox.emulator.account_id,
        "PublishTime": "1542189080663",
        "SubscriptionName": mailbox.name,
        "MessageMD5": "FF48C799CEF8997625D00B364D7471D1",
        "TopicName": mailbox.name,
        "MessageId": f"1AF8A292DE807634-1-16711A1E057-{number:X}",
    }
    return json.dumps(envelope)


_ODD = 42
"""The number of the only task that has seven pages; all others have five."""


def fill_history(folder: Path, tasks: int, first: int = 0) -> None:
    """So many tasks that have succeeded, numbered from `first` on, the newest of them with the highest number."""
    with History(folder / "history.db") as history:
        for start in range(first, first + tasks, 1000):
            history.store([_arrival(number) for number in range(start, min(start + 1000, first + tasks))], now())


def _arrival(number: int) -> Arrival:
    task = name_of(number)
    event = Event(
        task_id=task,
        name="FormatConvertJob:JobFinished",
        status=Status.SUCCEEDED,
        percent=100,
        page_count=7 if number == _ODD else 5,
        code="NoError",
    )
    return Arrival(message_id=f"message-{number}", body=notification(task).encode(), events=(event,))


def run(environment: Mapping[str, str], *command: str) -> float:
    """The seconds that a program of Python takes from its start to its end."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *command], env=environment, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    return time.perf_counter() - began


def cpu_seconds(pid: int) -> float:
    """Of all its threads that there are; the counters of the whole process only know ticks of a hundredth."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def megabytes(pid: int) -> float:
    """Of memory that is resident now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def has(words: str) -> Callable[[bytes], bool]:
    """Whether they were drawn, in one colour."""
    return lambda seen: words.encode() in seen


def has_text(seen: bytes) -> bool:
    """Whether anything was drawn that can be seen."""
    return bool(_ESCAPE_SEQUENCE.sub(b"", seen).strip())


class Screen:
    """A program, Python unless another is named, on a terminal of its own, read at all times; killed at the end."""

    def __init__(self, environment: Mapping[str, str], *arguments: str, program: str = sys.executable) -> None:
        self._seen = b""
        self._awaited: Callable[[bytes], bool] | None = None
        self._came_at = 0.0
        self._came = threading.Event()
        self._guard = threading.Lock()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            [program, *arguments],
            env={**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.kill()
        self._reader.join()
        os.close(self._master)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def seen(self) -> bytes:
        """What was drawn since it was last waited for something."""
        with self._guard:
            return self._seen

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:  # the program has ended
                return
            at = time.perf_counter()
            with self._guard:
                self._seen += data
                if self._awaited is not None and self._awaited(self._seen):
                    self._awaited, self._came_at = None, at
                    self._came.set()

    def painted(self) -> float:
        """The seconds from exec to the first frame with any text in it."""
        return self.await_(has_text) - self.began

    def await_(self, condition: Callable[[bytes], bool], act: Callable[[], object] = lambda: None) -> float:
        """Does `act`, and waits until what is drawn from then on fulfils `condition`; when it did, by perf_counter."""
        with self._guard:
            self._seen, self._awaited = b"", condition
            self._came.clear()
        act()
        assert self._came.wait(_PATIENCE), f"it was never drawn; this was: {self._seen[-500:]!r}"
        return self._came_at

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def time(self, keys: str, condition: Callable[[bytes], bool]) -> float:
        """The seconds from the keys to what they draw."""
        began = time.perf_counter()
        return self.await_(condition, lambda: self.press(keys)) - began

    def leave(self, keys: str) -> float:
        """The seconds from the keys to the end of the program."""
        began = time.perf_counter()
        self.press(keys)
        self._process.wait()  # with a limit it would look every 50 ms only
        return time.perf_counter() - began

    def kill(self) -> float:
        """Ends it; the seconds of a processor that it has used."""
        self._process.kill()
        _pid, status, usage = os.wait4(self.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_utime + usage.ru_stime
