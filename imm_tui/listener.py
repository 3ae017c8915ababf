"""The listener: receive → parse → commit → delete, for ever, in a thread of its own.

It tells nobody but the history what it received; whoever shows it reads the history. Of several imm-tui on one history
one is elected to listen, the others watch the history until it ends. Under a read-only profile it only peeks at the
queue, and stores what it sees.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from imm_tui.arrivals import Delivery
from imm_tui.backoff import Backoff
from imm_tui.config import Settings
from imm_tui.credentials import Credentials, Keys
from imm_tui.errors import Barred, HistoryTorn, HistoryUnusable, NoCredentials, Trouble, Unreachable
from imm_tui.history import History
from imm_tui.i18n import _, sentences
from imm_tui.tasks import now

if TYPE_CHECKING:
    from imm_tui.drain import Drain

LONG_POLL = 30
"""Seconds, the most that MNS waits (MNS API 2015-06-06, BatchReceiveMessage)."""

_EARLY = 5.0
"""Seconds. A long poll that ends empty before it: the service caps them, and answers the ones beyond at once."""

_DENIED = 3
"""Denials in a row by something that is not the service, a proxy or a portal, after which a person has to look."""

_PEEKS = 2.0
"""Seconds between two peeks while there are new messages; up to 15 when there are none."""

_ELECTION = 1.0
"""Seconds between two tries to become the one that listens."""

_ANOTHER_KEY = 2.0
"""Seconds between two looks at whether another key has taken the place of one that was refused."""

_KEY_ASKED = 8.0, 120.0
"""Seconds, the first and the last bound of the delay after which a place that is asked for keys is asked again."""

_FINISH, _LEAVE = 1.0, 0.3
"""Seconds that the batch in hand, and after it the thread, has when the listener is stopped."""


class Phase(StrEnum):
    """What the listener is doing."""

    STARTING = "starting"
    LISTENING = "listening"
    PEEKING = "peeking"
    """It receives nothing: it looks again and again at what is on the queue, at most 16 messages at a time, and at none
    that somebody else has received and hidden."""
    RECONNECTING = "reconnecting"
    """It tries again by itself at `ListenerState.retry_at`."""
    STOPPED = "stopped"
    """Trying again would not help: a person has to mend something, then `Listener.resume`. Where the key was refused,
    it goes on by itself when there is another."""
    PAUSED = "paused"
    """A person wants it so, until `Listener.resume`. Events wait on the queue; nobody else takes over."""
    WATCHING = "watching"
    """Another imm-tui listens for this history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerState:
    """What the listener is doing, since when, and why. Times are epoch milliseconds."""

    phase: Phase
    since: int
    trouble: Trouble | None = None
    retry_at: int | None = None
    awaits_key: bool = False
    """It is STOPPED until there is another key."""
    empty_for: float = 0.0
    """For how many seconds on end the service has answered that the queue is empty, or a peek has shown nothing new."""


class Election:
    """Won by the one that receives for a history, until its process ends, however it ends: it holds a file's lock."""

    def __init__(self, history_path: Path) -> None:
        self._file = Path(f"{history_path}.lock")
        self._lock = FileLock(self._file, blocking=False, mode=0o600)

    def acquire(self) -> None:
        """Raises filelock.Timeout where another has won, and HistoryUnusable where the file cannot be used."""
        try:
            self._lock.acquire()
        except Timeout:
            raise
        except OSError as error:
            raise HistoryUnusable(
                _("The lock {path} cannot be used.").format(path=self._file),
                f"{error.strerror or error}.",
                _("Mend its permissions, or delete it while no imm-tui runs."),
            ) from None

    def release(self) -> None:
        """However often it was acquired."""
        self._lock.release(force=True)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_error: object) -> None:
        self.release()

    @property
    def is_anothers(self) -> bool:
        """Whether another has won. Where nobody ever has, no file is made. Raises HistoryUnusable."""
        if not self._file.exists():
            return False
        try:
            with self:
                return False
        except Timeout:
            return True


class Listener:
    """Listens to the queue of `settings` for the history at `history_path`, from `start` to `stop`; or peeks at it,
    where they are read-only.

    `on_batch` is called in the listener's thread with what one batch brought, when it is stored and deleted; `on_state`
    in the same thread whenever `state` has changed. `ahead` is whether, while there are many messages, the next ones
    may be received before these were told; one batch is all that was received in the meantime, then. `give_way` is
    called before anything that keeps other threads of Python's waiting, and may wait itself.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Keys,
        history_path: Path,
        *,
        wait: int = LONG_POLL,
        ahead: bool = True,
        on_batch: Callable[[list[Delivery]], None] = lambda batch: None,
        on_state: Callable[[ListenerState], None] = lambda state: None,
        give_way: Callable[[], object] = lambda: None,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._history_path = history_path
        self._wait = wait
        self._ahead = ahead
        self._on_batch = on_batch
        self._on_state = on_state
        self._give_way = give_way
        self._stopping = threading.Event()
        self._paused = threading.Event()
        self._woken = threading.Event()
        """Ends whatever it waits for, but for the service."""
        self._drain: Drain | None = None
        self._unhidden: Trouble | None = None
        self._refused_key: Credentials | None = None
        """What the service did not accept when it stopped."""
        self._key_asked = Backoff(*_KEY_ASKED)
        # A daemon: the exit of the program never waits for a long poll.
        self.thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self.state = ListenerState(phase=Phase.STARTING, since=now())

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """Ends the long poll at once; a batch in hand, or an answer on its way, may be finished within a second."""
        self._stopping.set()
        self._woken.set()
        if threading.current_thread() is self.thread:
            return  # from on_batch or on_state: it ends before it receives again
        self._end_the_poll()
        if self.thread.is_alive():
            self.thread.join(_FINISH)
        if (drain := self._drain) is not None:
            drain.kill()
            self.thread.join(_LEAVE)

    def pause(self) -> None:
        """Receives no more until `resume`: ends the long poll at once, and finishes an answer that has begun to come.

        While it starts, listens or waits to reconnect, it goes to PAUSED and stays the one that is elected. While it is
        STOPPED it stays that, and while it is WATCHING too: it goes to PAUSED when it is elected. From any thread.
        """
        self._paused.set()
        self._woken.set()
        self._end_the_poll()

    def resume(self) -> None:
        """Receives again now: after PAUSED or STOPPED, or while it waits to reconnect. From any thread."""
        self._paused.clear()
        self._woken.set()

    def _end_the_poll(self) -> None:
        if (drain := self._drain) is not None:
            drain.interrupt()

    def join(self, timeout: float | None = None) -> bool:
        """Waits for the thread to end; false when it has not after `timeout` seconds."""
        self.thread.join(timeout)
        return not self.thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._history_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                # Who only peeks takes nothing away from others, and keeps nobody from listening.
                elected = nullcontext() if self._settings.read_only else Election(self._history_path)
                with elected, History(self._history_path) as history:
                    while not self._stopping.is_set():
                        self._stay_paused()
                        self._listen(history)
            except Timeout:
                self._tell(Phase.WATCHING)
                self._stopping.wait(_ELECTION)
            except Trouble as trouble:
                self._stop_until_resumed(trouble)
            except OSError as error:
                closed = HistoryUnusable(
                    _("The folder of {path} cannot be used.").format(path=self._history_path),
                    f"{error.strerror or error}.",
                    _("Mend its permissions, or name another folder with IMM_TUI_DATA_DIR."),
                )
                self._stop_until_resumed(closed)

    def _stop_until_resumed(self, trouble: Trouble) -> None:
        refused, self._refused_key = self._refused_key, None
        if isinstance(trouble, NoCredentials) or (refused is not None and refused.replaceable):
            self._tell(Phase.STOPPED, _until_another_key(trouble), awaits_key=True)
            self._rest_until_another_key(refused)
        else:
            self._tell(Phase.STOPPED, trouble)
            self._rest(None)
        self._rest_while_paused()  # it was a pause that woke it: that mends nothing
        if not self._stopping.is_set():
            self._tell(Phase.STARTING)

    def _rest_until_another_key(self, refused: Credentials | None) -> None:
        """Until another key is there than `refused` (None: until there is any), or until it is woken.

        What a file holds is seen soon. A place that is asked for a key, which may be far away, is asked ever more
        seldom, also when each that it gives is refused.
        """
        ask_at = time.monotonic() + self._key_asked.delay()
        while not self._rest(_ANOTHER_KEY):
            ask = time.monotonic() >= ask_at
            if self._has_another(refused, ask=ask):
                return
            if ask:
                ask_at = time.monotonic() + self._key_asked.delay()

    def _has_another(self, refused: Credentials | None, *, ask: bool) -> bool:
        keys = self._credentials
        try:
            if refused is None:
                return ask and bool(keys.current())
            return not keys.current().is_same_key(refused) or (ask and keys.renew(refused))
        except NoCredentials:
            return False

    def _stay_paused(self) -> None:
        if self._paused.is_set():
            self._tell(Phase.PAUSED, self._unhidden)
            self._rest_while_paused()
            if not self._stopping.is_set():
                self._tell(Phase.STARTING)

    def _rest_while_paused(self) -> None:
        while self._paused.is_set() and not self._stopping.is_set():
            self._rest(None)

    def _listen(self, history: History) -> None:
        """Cycles until it is stopped or paused. Raises Trouble when trying again would not help."""
        # With the SDK, which takes its time, and in the listener's thread: the first paint does not wait for it.
        from imm_tui.cloud.mns import Cancelled
        from imm_tui.drain import Drain

        peeking = self._settings.read_only
        phase = Phase.PEEKING if peeking else Phase.LISTENING
        drain = self._drain = Drain(self._settings, self._credentials, history, self._on_batch, self._give_way)
        drain.unhidden = self._unhidden
        backoff, early = Backoff(), Backoff(last=15.0)
        denied, unstorable = 0, False
        empty_since = None
        wait = 0  # the first answer, and the first after a trouble, tells at once whether all is well
        try:
            while drain.is_ahead or not self._over:
                asked = time.monotonic()
                try:
                    if unstorable:
                        history.probe()  # what cannot be stored is not received either
                    found = drain.peek() if peeking else drain.cycle(wait, lambda: self._ahead and not self._over)
                except Cancelled:
                    return
                except Barred:
                    self._refused_key = drain.refused_key
                    raise
                except HistoryTorn:
                    raise
                except Trouble as trouble:
                    if self._over:
                        return
                    denied = denied + 1 if isinstance(trouble, Unreachable) and trouble.denied else 0
                    if denied == _DENIED:
                        raise
                    unstorable = isinstance(trouble, HistoryUnusable)
                    empty_since = None
                    delay = backoff.delay(trouble.retry_after)
                    self._tell(Phase.RECONNECTING, trouble, delay)
                    self._rest(delay)
                    wait = 0
                    continue
                backoff.reset()
                self._key_asked.reset()
                denied, unstorable = 0, False
                if found:
                    empty_since = None
                    early.reset()
                    self._tell(phase, drain.unhidden)
                    if peeking:
                        self._rest(min(_PEEKS, self._wait))
                else:
                    empty_since = asked if empty_since is None else empty_since
                    self._tell(phase, drain.unhidden, empty_for=time.monotonic() - empty_since)
                    if time.monotonic() - asked < min(_EARLY, wait / 2):
                        self._rest(min(early.delay(), self._wait))
                    else:
                        early.reset()
                # While batches come back full there is more: no need to wait for it. Else one long poll a queue.
                wait = 0 if drain.more else self._wait
        finally:
            drain.close()
            self._unhidden, self._drain = drain.unhidden, None

    @property
    def _over(self) -> bool:
        return self._stopping.is_set() or self._paused.is_set()

    def _rest(self, seconds: float | None) -> bool:
        """Until the time is over (None: for ever), or until it is stopped, paused or resumed: whether that was why."""
        woken = self._woken.wait(seconds)
        if not self._stopping.is_set():
            self._woken.clear()
        return woken

    def _tell(
        self,
        phase: Phase,
        trouble: Trouble | None = None,
        delay: float | None = None,
        *,
        awaits_key: bool = False,
        empty_for: float = 0.0,
    ) -> None:
        moment = now()
        self.state = ListenerState(
            phase=phase,
            since=self.state.since if self.state.phase is phase else moment,
            trouble=trouble,
            retry_at=None if delay is None else moment + round(delay * 1000),
            awaits_key=awaits_key,
            empty_for=empty_for,
        )
        self._on_state(self.state)


def _until_another_key(trouble: Trouble) -> Trouble:
    """What is told of it, with what happens next."""
    trouble.fix = sentences(trouble.fix, _("As soon as another key is there imm-tui goes on by itself."))
    return trouble
