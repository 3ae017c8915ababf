"""What a way from a topic to a viewer is made of, and the account that it is in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import Refused
from imm_tui.i18n import N_, _

if TYPE_CHECKING:
    from imm_tui.cloud.mns_account import MnsAccount

Told = TypeVar("Told")


class Kind(StrEnum):
    """What a way from a topic to a viewer is made of."""

    TOPIC = "topic"
    QUEUE = "queue"
    SUBSCRIPTION = "subscription"


_KINDS = {
    Kind.TOPIC: N_("topic {name}"),
    Kind.QUEUE: N_("queue {name}"),
    Kind.SUBSCRIPTION: N_("subscription {name} of the topic {topic}"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One of them. `topic` is a subscription's."""

    kind: Kind
    name: str
    topic: str = ""

    def __str__(self) -> str:
        """As a person is told of it."""
        return _(_KINDS[self.kind]).format(name=self.name, topic=self.topic)


def if_there(ask: Callable[[], Told]) -> Told | None:
    """What `ask` returns, or None where the service has no such thing."""
    from imm_tui.cloud.refusals import is_missing

    try:
        return ask()
    except Refused as refusal:
        if is_missing(refusal.code):
            return None
        raise


def account_at(settings: Settings, keys: Keys) -> closing[MnsAccount]:
    from imm_tui.cloud.mns_account import MnsAccount

    return closing(MnsAccount(settings.mns_endpoint, keys, read_only=settings.read_only))
