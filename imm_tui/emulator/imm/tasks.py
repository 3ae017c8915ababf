"""The tasks of one API version's projects, from their creation to their end."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from imm_tui.emulator.clock import Clock
from imm_tui.emulator.conversion.pool import Pool
from imm_tui.emulator.conversion.request import Conversion, Outcome


@dataclass(slots=True)
class Task:
    task_id: str
    project: str
    request: Mapping[str, str]
    started: datetime
    ended: datetime | None = None
    outcome: Outcome | None = None
    """None while the task runs."""


class Tasks:
    """Runs conversions. Each takes `pace` real seconds or more; they overlap as far as the pool lets them."""

    def __init__(self, pool: Pool, pace: float, clock: Clock) -> None:
        self._pool = pool
        self._pace = pace
        self._clock = clock
        self._by_project: dict[str, dict[str, Task]] = {}
        self._running: set[asyncio.Task[None]] = set()

    def start(
        self,
        prefix: str,
        project: str,
        request: Mapping[str, str],
        conversion: Conversion,
        announce: Callable[[Task], None],
    ) -> Task:
        """A new task on its way. `announce` is called once, after its outcome is there to be asked for."""
        task = Task(f"{prefix}-{uuid.uuid4()}", project, request, self._clock.date())
        self._by_project.setdefault(project, {})[task.task_id] = task
        running = asyncio.get_running_loop().create_task(self._run(task, conversion, announce))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return task

    async def _run(self, task: Task, conversion: Conversion, announce: Callable[[Task], None]) -> None:
        async with asyncio.TaskGroup() as group:  # unlike gather, it ends only when both have ended
            converting = group.create_task(self._pool.convert(conversion))
            group.create_task(asyncio.sleep(self._pace))
        task.outcome, task.ended = converting.result(), self._clock.date()
        announce(task)

    def get(self, project: str, task_id: str) -> Task | None:
        return self._by_project.get(project, {}).get(task_id)

    def of(self, project: str) -> list[Task]:
        return list(self._by_project.get(project, {}).values())

    def forget(self, project: str, task_id: str) -> bool:
        """Whether there was such a task. One that runs is converted and announced all the same."""
        return self._by_project.get(project, {}).pop(task_id, None) is not None

    async def close(self) -> None:
        """Ends the running tasks without an outcome and without a word."""
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
