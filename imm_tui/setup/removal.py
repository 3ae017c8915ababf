"""What was made here, taken away again, and nothing else with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.setup.parts import Kind, Part, account_at, if_there
from imm_tui.setup.record import Made, keep, made_here

ACTIONS = (
    *("mns:GetQueueAttributes", "mns:ListSubscriptionByTopic", "mns:GetSubscriptionAttributes"),
    *("mns:Unsubscribe", "mns:DeleteQueue", "mns:DeleteTopic"),
)


@dataclass(frozen=True, slots=True)
class Removal:
    """What would be taken away, in this order; `kept` is of our making too, but others use it by now."""

    made: Made
    gone: tuple[Part, ...]
    kept: tuple[Part, ...]
    messages: int
    """On the queue, which go with it."""


def look(settings: Settings, keys: Keys, record: Path) -> Removal | None:
    """What would be taken away; None where nothing was made here. Raises Refused, Unreachable, HistoryUnusable."""
    made = made_here(record)
    if made is None or not made.parts:
        return None
    messages, kept = 0, []
    own = {part.name for part in made.parts if part.kind is Kind.SUBSCRIPTION}
    with account_at(replace(settings, mns_endpoint=made.mns_endpoint), keys) as account:
        for part in made.parts:
            if part.kind is Kind.QUEUE and (queue := if_there(partial(account.queue, part.name))):
                messages += queue.active + queue.inactive + queue.delayed
            elif part.kind is Kind.TOPIC:
                subscribers = if_there(partial(account.subscriptions, part.name)) or []
                if any(each.name not in own for each in subscribers):
                    kept.append(part)
    order = (Kind.SUBSCRIPTION, Kind.QUEUE, Kind.TOPIC)
    gone = sorted((part for part in made.parts if part not in kept), key=lambda part: order.index(part.kind))
    return Removal(made, tuple(gone), tuple(kept), messages)


def remove(removal: Removal, settings: Settings, keys: Keys, record: Path) -> Iterator[Part]:
    """Takes it away, and yields each when it is gone. Raises as `make` does."""
    left = list(removal.made.parts)
    with account_at(replace(settings, mns_endpoint=removal.made.mns_endpoint), keys) as account:
        for part in removal.gone:
            match part.kind:
                case Kind.TOPIC:
                    account.delete_topic(part.name)
                case Kind.QUEUE:
                    account.delete_queue(part.name)
                case Kind.SUBSCRIPTION:
                    account.unsubscribe(part.topic, part.name)
            left.remove(part)
            keep(record, Made(removal.made.mns_endpoint, tuple(left)))
            yield part
