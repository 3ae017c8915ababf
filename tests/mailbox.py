"""A queue of a test's own on the running emulator, filled and looked at with the vendor's SDK."""

from __future__ import annotations

import contextlib
import io
import json
import uuid
from typing import TYPE_CHECKING, Any

from mns.account import Account
from mns.queue import QueueMeta
from mns.subscription import SubscriptionMeta
from mns.topic import TopicMessage, TopicMeta

from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.history import History, Quarantined

if TYPE_CHECKING:
    from tests.conftest import RunningEmulator


def notification(task_id: str, code: str = "NoError", pages: int = 5) -> str:
    """What IMM 2017-09-06 publishes when a task ends."""
    figures = {"pageCount": str(pages), "percent": "100"} if code == "NoError" else {"percent": "0"}
    event = {
        "eventName": "FormatConvertJob:JobFinished",
        "eventSource": "acs:imm",
        "eventTime": "2018-11-14T09:51:20.342Z",
        "eventVersion": "1.0",
        "imm": {"code": code, "taskId": task_id, **figures},
    }
    return json.dumps({"events": [event]})


def all_quarantined(history: History) -> list[Quarantined]:
    """The messages that a person has to decide about, whole, the newest first."""
    return [message for number in history.quarantine_ids() if (message := history.in_quarantine(number)) is not None]


class Mailbox:
    """A topic, a queue and their subscription."""

    def __init__(self, emulator: RunningEmulator, notify_format: str = "SIMPLIFIED") -> None:
        self.emulator = emulator
        self.name = f"test-{uuid.uuid4().hex[:12]}"
        self._account = Account(emulator.endpoint, emulator.access_key_id, emulator.access_key_secret)
        self._queue = self._quietly(self._account.get_queue, self.name)
        self._topic = self._quietly(self._account.get_topic, self.name)
        self._quietly(self._queue.create, QueueMeta(vis_timeout=30, max_msg_size=65536, msg_ttl=86400))
        self._quietly(self._topic.create, TopicMeta(maximum_message_size=65536))
        endpoint = f"acs:mns:{emulator.region}:{emulator.account_id}:queues/{self.name}"
        meta = SubscriptionMeta(endpoint, notify_content_format=notify_format)
        self._quietly(self._topic.get_subscription(self.name).subscribe, meta)

    def publish(self, *bodies: str) -> None:
        for body in bodies:
            self._quietly(self._topic.publish_message, TopicMessage(body))

    @property
    def left(self) -> tuple[int, int]:
        """How many messages wait on the queue, and how many of them are hidden for now."""
        meta = self._quietly(self._queue.get_attributes)
        return meta.active_messages, meta.inactive_messages

    @property
    def settings(self) -> Settings:
        """What listens to this queue and submits with notifications to this topic."""
        return Settings(
            region=self.emulator.region,
            api_version="2017-09-06",
            project=self.emulator.project,
            topic=self.name,
            queue=self.name,
            account_id=self.emulator.account_id,
            mns_endpoint=self.emulator.endpoint,
            imm_endpoint=self.emulator.endpoint,
        )

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.emulator.access_key_id, self.emulator.access_key_secret)

    def _quietly(self, call: Any, *arguments: Any) -> Any:
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # the SDK prints the secret at every request
                return call(*arguments)
        finally:
            self._account.get_client().close_connection()
