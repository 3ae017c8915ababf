"""IMM: the RPC calls of both API versions over one pool of converters.

The versions share nothing but the pool: a project made in one cannot be seen in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from imm_tui.emulator.account import Account
from imm_tui.emulator.clock import Clock
from imm_tui.emulator.conversion.pool import Pool
from imm_tui.emulator.imm import api_2017, api_2020
from imm_tui.emulator.imm.api_2017 import Imm2017
from imm_tui.emulator.imm.api_2020 import Imm2020
from imm_tui.emulator.imm.parameters import ImmError, Parameters
from imm_tui.emulator.imm.tasks import Tasks
from imm_tui.emulator.ledger import Ledger


class Imm:
    """The service, on the running event loop.

    `publish` takes a topic's name and the JSON text of an event; `pace` is the least time of a task, in seconds.
    """

    def __init__(
        self,
        account: Account,
        publish: Callable[[str, str], None],
        data_dir: Path,
        clock: Clock,
        ledger: Ledger,
        pace: float = 0.0,
    ) -> None:
        self._account = account
        self._publish = publish
        self._clock = clock
        self._ledger = ledger
        self._pace = pace
        self._pool = Pool(data_dir)
        self._begin()

    def _begin(self) -> None:
        self._tasks = [Tasks(self._pool, self._pace, self._clock) for _ in range(2)]
        self._versions: dict[str, Imm2017 | Imm2020] = {
            api_2017.VERSION: Imm2017(self._account, self._tasks[0], self._publish, self._clock, self._ledger),
            api_2020.VERSION: Imm2020(self._account, self._tasks[1], self._publish, self._clock, self._ledger),
        }

    async def clear(self) -> None:
        """All tasks and projects are gone; what was converting is given up, and no word is said of it."""
        old = self._tasks
        self._begin()
        for tasks in old:
            await tasks.close()

    async def call(self, parameters: Mapping[str, str]) -> dict[str, object]:
        """The JSON of a successful answer, without its RequestId. Raises ImmError."""
        for name in ("Version", "Action"):
            if not parameters.get(name):
                raise ImmError(400, f"Missing{name}", f"{name} is mandatory for this action.")
        version = self._versions.get(parameters["Version"])
        if version is None:
            raise ImmError(400, "InvalidVersion", "Specified parameter Version is not valid.")
        action = version.actions.get(parameters["Action"])
        if action is None:
            raise ImmError(
                404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."
            )
        return action(Parameters(parameters))

    def put_project(self, name: str) -> None:
        """Makes a project in both versions."""
        self._versions[api_2017.VERSION].actions["PutProject"](Parameters({"Project": name}))
        self._versions[api_2020.VERSION].actions["CreateProject"](Parameters({"ProjectName": name}))

    async def close(self) -> None:
        """Ends conversions at once. No process is left."""
        for tasks in self._tasks:
            await tasks.close()
        await self._pool.close()
