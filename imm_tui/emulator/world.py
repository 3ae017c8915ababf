"""What the two services know and have done: all that a reset makes as it was at the start."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

from imm_tui.emulator.account import PROJECT, QUEUE, SUBSCRIPTION, TOPIC, Account
from imm_tui.emulator.clock import Clock
from imm_tui.emulator.faults import Faults
from imm_tui.emulator.imm.service import Imm
from imm_tui.emulator.keys import Keyring
from imm_tui.emulator.ledger import Ledger
from imm_tui.emulator.mns.queues import Mns, QueueAttributes, SubscriptionAttributes, TopicAttributes
from imm_tui.emulator.scenarios import JUNK, JUNK_EVERY, SCENARIOS


class World:
    """The two services of one account, with the project, the topic, the queue and the subscription that are ready.

    `scenario` is the name of one: what goes wrong from the start. `seed` makes its choices, and those of later rules,
    repeat.
    """

    def __init__(
        self, account: Account, data_dir: Path, *, pace: float, notify_format: str, scenario: str, seed: int
    ) -> None:
        self.clock = Clock()
        self.ledger = Ledger()
        self.faults = Faults(seed)
        self.keys = Keyring(account, self.clock)
        self.mns = Mns(account, self.clock, self.ledger, self.faults)
        self.imm = Imm(account, self._publish, data_dir, self.clock, self.ledger, pace)
        self._notify_format = notify_format
        self.scenario_name = scenario
        self._scenario = SCENARIOS[scenario]
        self._littering: asyncio.Task[None] | None = None
        self._begin()

    def _begin(self) -> None:
        for rule in self._scenario.rules:
            self.faults.add(rule)
        queue = self.mns.create_queue(QUEUE, QueueAttributes(visibility_timeout=self._scenario.visibility_timeout))
        for body in JUNK if self._scenario.junk else ():
            queue.send(body)
        endpoint = self.mns.queue_arn(QUEUE)
        subscription = SubscriptionAttributes(endpoint, notify_content_format=self._notify_format)
        self.mns.subscribe(self.mns.create_topic(TOPIC, TopicAttributes()), SUBSCRIPTION, subscription)
        self.imm.put_project(PROJECT)

    def start(self) -> None:
        """What the scenario does by itself begins, on the running event loop."""
        if self._scenario.junk:
            self._littering = asyncio.get_running_loop().create_task(self._litter())

    async def _litter(self) -> None:
        for body in itertools.cycle(JUNK):
            await asyncio.sleep(JUNK_EVERY)
            if QUEUE in self.mns.queues:
                self.mns.queues[QUEUE].send(body)

    async def reset(self) -> None:
        """As freshly started. The objects in the buckets stay, and so does the account's own key."""
        await self.imm.clear()
        self.mns.clear()
        self.ledger.clear()
        self.faults.reset()
        self.clock.reset()
        self.keys.reset()
        self._begin()

    async def close(self) -> None:
        """Conversions are given up. No process is left."""
        if self._littering is not None:
            self._littering.cancel()
        await self.imm.close()

    def _publish(self, topic: str, body: str) -> None:
        """IMM's side of a notification: a topic that does not exist means no message, and no error."""
        if topic in self.mns.topics:
            self.mns.publish(self.mns.topics[topic], body, services=("imm", "mns"))
