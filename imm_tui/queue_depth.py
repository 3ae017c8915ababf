"""How many messages wait on the queue: asked calmly, in a thread of its own, also while the listener is paused.

It is for people to look at. Where the service does not tell, the depth is not known, and nothing else suffers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from imm_tui.backoff import Backoff
from imm_tui.cloud.mns_reply import Depth
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import Barred, Trouble

if TYPE_CHECKING:
    from imm_tui.cloud.mns import Queue

__all__ = ["Depth", "QueueDepth"]

_EVERY, _SOONEST = 15.0, 5.0
"""Seconds between two questions: when nothing happens, and whatever happens."""

_BARRED_FOR = 300.0
"""Seconds before a service is asked again that does not allow it: only a person can mend that."""


class QueueDepth:
    """Asks for the depth of the queue of `settings`, from `start` to `stop`.

    `on_change` is called in its thread whenever `depth` or `trouble` has changed.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Keys,
        *,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._on_change = on_change
        self._stopping = threading.Event()
        self._nudged = threading.Event()
        self._queue: Queue | None = None
        self._thread = threading.Thread(target=self._run, name="queue depth", daemon=True)
        self.depth: Depth | None = None
        """None where it is not known: not yet, or for the reason that `trouble` gives."""
        self.trouble: Trouble | None = None

    def start(self) -> None:
        self._thread.start()

    def ask_soon(self) -> None:
        """Something has happened to the queue. May be called as often as it happens, from any thread."""
        self._nudged.set()

    def stop(self) -> None:
        """It asks no more. A question under way is ended and not waited for: it changes nothing."""
        self._stopping.set()
        self._nudged.set()
        if (queue := self._queue) is not None:
            queue.kill()

    def join(self, timeout: float | None = None) -> bool:
        """Waits for the thread to end; false when it has not after `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        # The SDK is imported here: the first paint does not wait for it.
        from imm_tui.cloud.mns import Cancelled, Queue

        settings = self._settings
        try:
            queue = self._queue = Queue(
                settings.mns_endpoint, settings.queue, self._credentials, read_only=settings.read_only
            )
        except Trouble as trouble:  # the settings or the keys do not do: the listener says so in full
            self._tell(None, trouble)
            return
        backoff = Backoff(_EVERY, 16 * _EVERY)
        try:
            while not self._stopping.is_set():
                try:
                    self._tell(queue.depth(), None)
                except Trouble as trouble:
                    self._tell(None, trouble)
                    longer = _BARRED_FOR if isinstance(trouble, Barred) else backoff.delay(trouble.retry_after)
                    self._stopping.wait(max(_EVERY, longer))
                else:
                    backoff.reset()
                    self._wait()
        except Cancelled:
            pass
        finally:
            queue.close()

    def _wait(self) -> None:
        """Until it is time to ask again, or something has happened to the queue."""
        asked = time.monotonic()
        self._nudged.wait(_EVERY)
        self._stopping.wait(max(0.0, asked + _SOONEST - time.monotonic()))
        self._nudged.clear()

    def _tell(self, depth: Depth | None, trouble: Trouble | None) -> None:
        same_trouble = trouble is not None and self.trouble is not None and trouble.what == self.trouble.what
        if not same_trouble and (depth, trouble) != (self.depth, self.trouble):
            self.depth, self.trouble = depth, trouble
            self._on_change()
