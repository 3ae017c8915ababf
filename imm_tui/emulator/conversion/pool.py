"""The worker processes that conversions run in: two, started when first needed, replaced when one crashes or hangs."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import asdict, dataclass
from pathlib import Path

from imm_tui.emulator.conversion.request import OPEN_ERROR, TIMEOUT, Conversion, Outcome

_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class _Worker:
    process: Process
    scratch: Path

    @classmethod
    async def start(cls, data_dir: Path) -> _Worker:
        scratch = Path(tempfile.mkdtemp(prefix="imm-tui-worker-"))
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "imm_tui.emulator.conversion.worker", str(data_dir), str(scratch)),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                # Found where this process found it: from an archive of the sources as well.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)},
                # Ctrl-C is the emulator's business; a worker ends when its stdin does.
                start_new_session=True,
            )
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        return cls(process, scratch)

    async def convert(self, conversion: Conversion) -> Outcome | None:
        """The outcome; None when the process has died."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(asdict(conversion)).encode() + b"\n")
            await self.process.stdin.drain()
            line = await self.process.stdout.readline()
        except ConnectionError:
            return None
        return Outcome(*json.loads(line)) if line else None

    async def stop(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self.process.communicate(b"")  # closes stdin
        except TimeoutError:
            self.process.kill()
            await self.process.communicate()
        shutil.rmtree(self.scratch, ignore_errors=True)


class Pool:
    """At most `size` conversions at a time, each cut off after `limit` seconds."""

    def __init__(self, data_dir: Path, *, size: int = 2, limit: float = 300.0) -> None:
        self._data_dir = data_dir
        self._limit = limit
        self._slots = asyncio.Semaphore(size)
        self._idle: list[_Worker] = []

    async def convert(self, conversion: Conversion) -> Outcome:
        """Waits for a worker, then for the outcome. Cancelling it ends the conversion at once."""
        async with self._slots:
            while self._idle:
                outcome = await self._convert_in(self._idle.pop(), conversion)
                if outcome:
                    return outcome
                # It may have died of an earlier document, or of nothing to do with any: a fresh one decides.
            outcome = await self._convert_in(await self._start(), conversion)
            return outcome or Outcome(OPEN_ERROR, "The document made the converter crash.", 0)

    async def _convert_in(self, worker: _Worker, conversion: Conversion) -> Outcome | None:
        """The outcome; None when the worker has died. A worker that is still of use is idle afterwards."""
        outcome = None
        try:
            async with asyncio.timeout(self._limit):
                outcome = await worker.convert(conversion)
        except TimeoutError:
            return Outcome(TIMEOUT, f"The conversion took longer than {self._limit:g} s.", 0)
        finally:
            if outcome:
                self._idle.append(worker)
            else:
                await worker.stop()
        return outcome

    async def _start(self) -> _Worker:
        starting = asyncio.create_task(_Worker.start(self._data_dir))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # asyncio loses a process whose start is cancelled half-way.
            await (await starting).stop()
            raise

    async def close(self) -> None:
        """Ends the idle workers; those at work end with their `convert`, which is cancelled first."""
        await asyncio.gather(*(worker.stop() for worker in self._idle))
        self._idle.clear()
