"""Hooks: programs of a person's own, started when a task or a batch has ended, with the news as JSON on stdin.

No shell takes part, and no key of ours is in their environment. They are started by threads that look at the history
with a connection of their own: however long a program takes, the listener never waits for one.
"""

from __future__ import annotations

import json
import os
import queue
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from imm_tui.errors import HistoryUnusable, Trouble
from imm_tui.history import History
from imm_tui.i18n import _
from imm_tui.tasks import Status, Task, task_key
from imm_tui.text import line

LIMIT = 30.0
"""Seconds that a program may take."""

AT_ONCE = 4
"""Programs that run at the same time."""

WAITING = 1_000
"""Ended tasks that may wait for a program; of more than that the person is told."""

_LOOK = 0.5
"""Seconds between two looks whether another process has written to the history, and two tries to be elected."""

_BEFORE_ITS_ANSWER = 5.0
"""Seconds for which an untracked task is not told while a submission waits for IMM's answer: it may be that task."""

_BEGIN = 0.5
"""Seconds that `start` waits at most until it is known where the history stands."""

_PULSE = 0.05
"""Seconds between two looks at a program that writes nothing."""

_GRACE, _LEAVE = 2.0, 0.2
"""Seconds between SIGTERM and SIGKILL: for a program that takes too long, and when imm-tui itself ends."""

_SAID_AGAIN = 60.0
"""Seconds for which the same trouble with a hook is not told again."""

_TAIL = 2_000
"""Bytes at the end of what a program writes to stderr that are kept."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One program to be started: for which hook, and what it is told."""

    hook: str
    news: Mapping[str, Any]
    task_id: str = ""


class Hooks:
    """Starts the `commands` (argument lists by the names of config.HOOKS) for whatever ends between `start` and `stop`.

    Each task is told once, and each batch when the last of its tasks has ended. Of several that follow one history one
    is elected to start programs; the next one takes over, when it ends, with what ends from then on. `on_trouble` is
    called in a thread of this room with what went wrong, the same at most once a minute.
    """

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        history_path: Path,
        *,
        on_trouble: Callable[[Trouble], None] = lambda trouble: None,
        limit: float = LIMIT,
    ) -> None:
        self._commands = commands
        self._history_path = history_path
        self._on_trouble = on_trouble
        self._limit = limit
        self._woken = threading.Event()
        self._begun = threading.Event()
        self._finishing = threading.Event()
        self._stopping = threading.Event()
        self._waiting: queue.Queue[_Call | None] = queue.Queue(WAITING)
        """None is behind the last one."""
        self._said: dict[tuple[str, str], float] = {}
        self._telling = threading.Lock()
        self._follower = threading.Thread(target=self._follow, name="hooks", daemon=True)
        self._runners = [
            threading.Thread(target=self._work, name=f"hook {number}", daemon=True) for number in range(AT_ONCE)
        ]

    def start(self) -> None:
        """From here on what ends is told, here or by the one that is elected; nothing is done without commands."""
        if not self._commands:
            return
        if os.name != "posix":
            self._tell("", "platform", Trouble(_("Hooks are not started."), _("They need a POSIX system.")))
            return
        for thread in (self._follower, *self._runners):
            thread.start()
        self._begun.wait(_BEGIN)

    def __enter__(self) -> Hooks:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def wake(self) -> None:
        """The history has changed: from any thread, as often as it likes."""
        self._woken.set()

    def finish(self) -> None:
        """Waits until everything that has ended was told, and every program has ended; a command does so at its end."""
        self._finishing.set()
        self._woken.set()
        self._join(self._follower)
        if any(runner.is_alive() for runner in self._runners):
            self._waiting.put(None)
        self._join(*self._runners)

    def stop(self) -> None:
        """Ends the programs that run, with all that they have started; within half a second."""
        self._stopping.set()
        self._woken.set()
        with suppress(queue.Empty):
            while True:
                self._waiting.get_nowait()
        with suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._join(self._follower, *self._runners, within=2 * _LEAVE)

    def _join(self, *threads: threading.Thread, within: float | None = None) -> None:
        deadline = None if within is None else time.monotonic() + within
        for thread in threads:
            if thread.is_alive():  # it may never have been started
                thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))

    # What has ended

    def _follow(self) -> None:
        while not self._stopping.is_set():
            # Another one is elected; or whoever shows the history says what is wrong with it.
            with suppress(Timeout, HistoryUnusable, OSError):
                self._history_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with self._elected(), History(self._history_path) as history:
                    follower = _Follower(history)
                    self._begun.set()
                    self._look(follower)
                    return
            self._begun.set()
            if self._finishing.is_set():
                return
            self._woken.wait(_LOOK)
            self._woken.clear()

    def _elected(self) -> FileLock:
        """Held by the one that starts programs. Not the listener's: one that cannot listen may well ask IMM."""
        return FileLock(f"{self._history_path}.hooks.lock", blocking=False, mode=0o600)

    def _look(self, follower: _Follower) -> None:
        while not self._stopping.is_set():
            last = self._finishing.is_set()
            with suppress(HistoryUnusable):
                for call in follower.news(at_last=last):
                    self._put(call)
            if last:
                return
            self._woken.wait(_LOOK)
            self._woken.clear()

    def _put(self, call: _Call) -> None:
        if call.hook not in self._commands:
            return
        try:
            self._waiting.put_nowait(call)
        except queue.Full:
            trouble = Trouble(
                _("Hooks are left out: more tasks end than programs can be started for."),
                _("{count} wait for one already.").format(count=f"{WAITING:,}"),
                _("Let the programs under [hooks] take less time, or use on_batch_done."),
            )
            self._tell(call.hook, "full", trouble)

    # The programs

    def _work(self) -> None:
        while (call := self._waiting.get()) is not None and not self._stopping.is_set():
            self._run(call)
        self._waiting.put(None)  # for the next of them

    def _run(self, call: _Call) -> None:
        program, *arguments = self._commands[call.hook]
        try:
            process = subprocess.Popen(
                [os.path.expanduser(program), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=_environment(call),
                start_new_session=True,  # a group of its own: it can be ended with all that it started
            )
        except (OSError, ValueError) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or str(error)
            self._failed(call, "start", f"{program}: {why}.")
            return
        said = _Attended(process, json.dumps(call.news).encode() + b"\n").until_ended(self._stopping, self._limit)
        if self._stopping.is_set():
            return
        if said is None:
            why = _("{program} had not ended after {seconds} s, and was ended.")
            self._failed(call, "limit", why.format(program=program, seconds=f"{self._limit:g}"))
            return
        words = f" {_('It said: {words}').format(words=line(said, 200))}" if said else ""
        if process.returncode < 0:
            why = _("{program} was ended by {signal}.").format(program=program, signal=_signal(-process.returncode))
            self._failed(call, f"signal {process.returncode}", why + words)
        elif process.returncode:
            why = _("{program} ended with the exit code {code}.").format(program=program, code=process.returncode)
            self._failed(call, f"code {process.returncode}", why + words)

    def _failed(self, call: _Call, cause: str, why: str) -> None:
        what = _("The hook {hook} failed.").format(hook=call.hook)
        fix = _("Mend it under [hooks] in config.toml.")
        self._tell(call.hook, cause, Trouble(what, why, fix))

    def _tell(self, hook: str, cause: str, trouble: Trouble) -> None:
        at = time.monotonic()
        with self._telling:
            if at - self._said.get((hook, cause), -_SAID_AGAIN) < _SAID_AGAIN:
                return
            self._said[hook, cause] = at
        self._on_trouble(trouble)


class _Follower:
    """Finds in the history, from its making on, each task that has ended and each batch that is complete."""

    def __init__(self, history: History) -> None:
        self._history = history
        version = None
        while version != (version := history.data_version()):  # until nobody wrote in between
            self._revision = history.changes(sys.maxsize).revision
            newest = history.tasks(limit=1)
            unfinished = history.unfinished()
        self._version = -1
        self._newest = newest[0].id if newest else 0
        self._unfinished = set(unfinished)
        self._untracked: dict[int, tuple[Task, float]] = {}
        """Untracked tasks that have ended, and since when each is kept back."""
        self._told_untracked: set[str] = set()
        self._batches: set[int] = set()
        """Batches in which a task has ended, and that are not complete."""

    def news(self, *, at_last: bool) -> Iterator[_Call]:
        """What has ended since the last look; `at_last` nothing is kept back for later."""
        if (version := self._history.data_version()) != self._version:
            yield from map(_told, self._ended())
            yield from self._complete()
            self._version = version
        yield from self._untracked_ones(at_last)

    def _ended(self) -> list[Task]:
        """The tasks that have ended, but for untracked ones: these may yet turn out to be a submission of ours."""
        changes = self._history.changes(self._revision)
        self._revision = changes.revision
        for gone in changes.removed:
            self._unfinished.discard(gone)
            self._untracked.pop(gone, None)
        ended = []
        for task in changes.tasks:
            if task.id > self._newest:
                self._newest = task.id
                self._unfinished.add(task.id)
            if not task.status.finished or task.id not in self._unfinished:
                continue
            self._unfinished.discard(task.id)
            if task.batch is not None:
                self._batches.add(task.batch)
            key = task_key(task.task_id or "")
            if task.untracked:
                self._untracked[task.id] = task, time.monotonic()
            elif key in self._told_untracked:
                self._told_untracked.discard(key)
            else:
                ended.append(task)
        return ended

    def _untracked_ones(self, at_last: bool) -> Iterator[_Call]:
        if not self._untracked:
            return
        wait = _BEFORE_ITS_ANSWER if not at_last and self._history.submitting() else 0.0
        for number, (task, since) in list(self._untracked.items()):
            if time.monotonic() - since >= wait:
                del self._untracked[number]
                self._told_untracked.add(task_key(task.task_id or ""))
                yield _told(task)

    def _complete(self) -> Iterator[_Call]:
        for batch in list(self._batches):
            if not self._history.left_of(batch):
                tasks = self._history.batch(batch)
                # What has ended since this look began is for the next one: then the batch is told, once.
                if all(task.id <= self._newest and task.id not in self._unfinished for task in tasks):
                    self._batches.discard(batch)
                    yield _batch_told(batch, tasks)


class _Attended:
    """A program that runs: it is given its news, and the end of what it writes to stderr is kept."""

    def __init__(self, process: subprocess.Popen[bytes], news: bytes) -> None:
        self._process = process
        self._news = memoryview(news)
        self._said = b""

    def until_ended(self, stopping: threading.Event, limit: float) -> str | None:
        """The last line of its stderr; None where it was ended, at the limit or because imm-tui ends."""
        process = self._process
        assert process.stdin is not None
        assert process.stderr is not None
        deadline = time.monotonic() + limit
        with process.stdin, process.stderr, selectors.DefaultSelector() as selector:
            for pipe, direction in ((process.stdin, selectors.EVENT_WRITE), (process.stderr, selectors.EVENT_READ)):
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, direction)
            while process.poll() is None:
                if stopping.is_set() or time.monotonic() >= deadline:
                    _end(process, stopping)
                    return None
                for key, _events in selector.select(_PULSE):
                    open_still = self._write() if key.fileobj is process.stdin else self._read()
                    if not open_still:
                        selector.unregister(key.fileobj)
                        process.stdin.close() if key.fileobj is process.stdin else process.stderr.close()
            if not process.stderr.closed:  # what it wrote last; others that it started may write for ever
                for _attempt in range(16):
                    if not self._read():
                        break
        lines = self._said.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _write(self) -> bool:
        assert self._process.stdin is not None
        try:
            self._news = self._news[os.write(self._process.stdin.fileno(), self._news[:65_536]) :]
        except BlockingIOError:
            return True
        except OSError:  # it does not want to know
            return False
        return len(self._news) > 0

    def _read(self) -> bool:
        assert self._process.stderr is not None
        try:
            part = os.read(self._process.stderr.fileno(), 65_536)
        except OSError:
            return False
        self._said = (self._said + part)[-_TAIL:]
        return bool(part)


def _end(process: subprocess.Popen[bytes], stopping: threading.Event) -> None:
    """Ends a program and all that it started: SIGTERM, and SIGKILL a little later."""
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    while process.poll() is None and time.monotonic() < deadline:
        if stopping.is_set():
            deadline = min(deadline, time.monotonic() + _LEAVE)
        time.sleep(_PULSE)
    with suppress(OSError):  # also where the first has ended: what it started may not have
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _environment(call: _Call) -> dict[str, str]:
    """Ours, without keys, and with what a short program wants to know without reading JSON."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALIBABA_CLOUD_")}
    told = {"IMM_TUI_EVENT": call.hook.removeprefix("on_"), "IMM_TUI_TASK_ID": line(call.task_id)}
    return {**kept, **told}


def _told(task: Task) -> _Call:
    hook = "on_succeeded" if task.status is Status.SUCCEEDED else "on_failed"
    return _Call(hook, task.as_object(), task.task_id or "")


def _batch_told(batch: int, tasks: Sequence[Task]) -> _Call:
    statuses = [task.status for task in tasks]
    news = {
        "batch": batch,
        "total": len(tasks),
        "succeeded": statuses.count(Status.SUCCEEDED),
        "failed": statuses.count(Status.FAILED),
        "tasks": [task.as_object() for task in tasks],
    }
    return _Call("on_batch_done", news)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
