"""What the two services know and have done: all that a reset makes as it was at the start."""

from __future__ import annotations

from pathlib import Path

from imm_tui.emulator.account import PROJECT, QUEUE, SUBSCRIPTION, TOPIC, Account
from imm_tui.emulator.clock import Clock
from imm_tui.emulator.faults import Faults
from imm_tui.emulator.imm.service import Imm
from imm_tui.emulator.ledger import Ledger
from imm_tui.emulator.mns.queues import Mns, QueueAttributes, SubscriptionAttributes, TopicAttributes


class World:
    """The two services of one account, with the project, the topic, the queue and the subscription that are ready."""

    def __init__(self, account: Account, data_dir: Path, *, pace: float, notify_format: str, seed: int) -> None:
        self.clock = Clock()
        self.ledger = Ledger()
        self.faults = Faults(seed)
        self.mns = Mns(account, self.clock, self.ledger, self.faults)
        self.imm = Imm(account, self._publish, data_dir, self.clock, self.ledger, pace)
        self._notify_format = notify_format
        self._begin()

    def _begin(self) -> None:
        self.mns.create_queue(QUEUE, QueueAttributes())
        endpoint = self.mns.queue_arn(QUEUE)
        subscription = SubscriptionAttributes(endpoint, notify_content_format=self._notify_format)
        self.mns.subscribe(self.mns.create_topic(TOPIC, TopicAttributes()), SUBSCRIPTION, subscription)
        self.imm.put_project(PROJECT)

    async def reset(self) -> None:
        """As freshly started. The objects in the buckets stay, and so do the keys."""
        await self.imm.clear()
        self.mns.clear()
        self.ledger.clear()
        self.faults.reset()
        self.clock.reset()
        self._begin()

    async def close(self) -> None:
        """Conversions are given up. No process is left."""
        await self.imm.close()

    def _publish(self, topic: str, body: str) -> None:
        """IMM's side of a notification: a topic that does not exist means no message, and no error."""
        if topic in self.mns.topics:
            self.mns.publish(self.mns.topics[topic], body, services=("imm", "mns"))
