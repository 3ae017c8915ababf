"""What was made here, taken away again, and nothing else with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from imm_tui import ram
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.setup.parts import Kind, Part, account_at, if_there
from imm_tui.setup.record import Made, keep, made_here

_ACTIONS = {
    Kind.TOPIC: ("mns:ListSubscriptionByTopic", "mns:GetSubscriptionAttributes", "mns:DeleteTopic"),
    Kind.QUEUE: ("mns:GetQueueAttributes", "mns:DeleteQueue"),
    Kind.SUBSCRIPTION: ("mns:Unsubscribe",),
}
"""The permissions that it takes to look and to take away."""

_ORDER = (Kind.SUBSCRIPTION, Kind.QUEUE, Kind.TOPIC)


@dataclass(frozen=True, slots=True)
class Removal:
    """What would be taken away, in this order; `kept` is of our making too, but others use it by now."""

    gone: tuple[Made, ...]
    kept: tuple[Made, ...]
    messages: int
    """On the queues, which go with them."""


def look(settings: Settings, keys: Keys, record: Path) -> Removal | None:
    """What would be taken away; None where nothing was made here. Raises Refused, Unreachable, HistoryUnusable."""
    made = made_here(record)
    if not made:
        return None
    messages, kept = 0, []
    own = {(it.mns_endpoint, it.part.topic, it.part.name) for it in made if it.part.kind is Kind.SUBSCRIPTION}
    for it in made:
        name = it.part.name
        with account_at(it.settings(settings), keys) as account:
            if it.part.kind is Kind.QUEUE and (queue := if_there(partial(account.queue, name))):
                messages += queue.active + queue.inactive + queue.delayed
            elif it.part.kind is Kind.TOPIC:
                subscribers = if_there(partial(account.subscriptions, name)) or []
                if any((it.mns_endpoint, name, each.name) not in own for each in subscribers):
                    kept.append(it)
    gone = sorted((it for it in made if it not in kept), key=lambda it: _ORDER.index(it.part.kind))
    return Removal(tuple(gone), tuple(kept), messages)


def remove(removal: Removal, settings: Settings, keys: Keys, record: Path) -> Iterator[Part]:
    """Takes it away, and yields each when it is gone. Raises as `make` does."""
    left = list(made_here(record))
    for it in removal.gone:
        with account_at(it.settings(settings), keys) as account:
            match it.part.kind:
                case Kind.TOPIC:
                    account.delete_topic(it.part.name)
                case Kind.QUEUE:
                    account.delete_queue(it.part.name)
                case Kind.SUBSCRIPTION:
                    account.unsubscribe(it.part.topic, it.part.name)
        left.remove(it)
        keep(record, left)
        yield it.part


def policy(record: Path, settings: Settings) -> str:
    """The RAM policy that an administrator can paste: all that it takes to take away what is left."""
    allowed: dict[str, list[str]] = {}
    for it in made_here(record):
        for action in _ACTIONS[it.part.kind]:
            allowed.setdefault(ram.resource(action, it.settings(settings)), []).append(action)
    return ram.document(allowed)
