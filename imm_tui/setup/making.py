"""What there is of what settings need, what has to be made, and its making."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imm_tui import ram
from imm_tui.config import Settings
from imm_tui.credentials import Keys
from imm_tui.errors import BadInput, Denied, ReadOnly, Trouble, Unreachable
from imm_tui.i18n import _
from imm_tui.setup.parts import Kind, Part, account_at, if_there
from imm_tui.setup.record import Made, keep, made_here

if TYPE_CHECKING:
    from imm_tui.cloud.mns_account import MnsAccount, Subscription

CONTENT_FORMAT = "JSON"
"""NotifyContentFormat of what is subscribed here: unlike SIMPLIFIED it says when the topic got the message."""

VISIBILITY_TIMEOUT, POLLING_WAIT, RETENTION = 60, 30, 345_600
"""Seconds: to store a batch on a slow disk there are many; a long poll's most; and the service's own four days."""

_CREATIONS = {
    Kind.TOPIC: "mns:CreateTopic",
    Kind.QUEUE: "mns:CreateQueue",
    Kind.SUBSCRIPTION: "mns:Subscribe",
}

_ACTIONS = (
    *("imm:ListProjects", "imm:GetProject", "mns:ListTopic"),
    *("mns:GetTopicAttributes", "mns:GetQueueAttributes"),
    *("mns:ListSubscriptionByTopic", "mns:GetSubscriptionAttributes", *_CREATIONS.values()),
)
"""The permissions that it takes to find, to look and to make."""


def policy(denied: Denied, settings: Settings) -> str:
    """The RAM policy that an administrator can paste: what was denied, and all that a set-up and then the work take."""
    return ram.policy((*_ACTIONS, denied.action, *ram.needed(settings)), settings)


@dataclass(frozen=True, slots=True)
class Plan:
    """What these settings need: `there` is, `missing` has to be made, in this order."""

    settings: Settings
    there: tuple[Part, ...]
    missing: tuple[Part, ...]
    remarks: tuple[str, ...] = ()
    """What a person should know of what is there, a sentence each."""


def look(settings: Settings, keys: Keys) -> Plan:
    """What of it is there. `settings` name a topic and a queue, and have an account and an endpoint.

    Changes nothing. Raises Refused, Unreachable, and BadInput where another subscription stands in the way.
    """
    topic, queue = Part(Kind.TOPIC, settings.topic), Part(Kind.QUEUE, settings.queue)
    remarks = []
    with account_at(settings, keys) as account:
        has_topic = if_there(lambda: account.topic(settings.topic)) is not None
        has_queue = if_there(lambda: account.queue(settings.queue)) is not None
        subscriptions = account.subscriptions(settings.topic) if has_topic else []
    pushing = pushing_to_queue(subscriptions, settings)
    whole = next((each for each in pushing if not each.filter_tag), None)
    if whole is None and (other := next((each for each in subscriptions if each.name == settings.queue), None)):
        raise BadInput(
            _("The topic {topic} has a subscription {name} already, which is another one.").format(
                topic=settings.topic, name=other.name
            ),
            _("It pushes to {endpoint}{tag}.").format(
                endpoint=other.endpoint,
                tag=_(", and only what has the tag {tag}").format(tag=other.filter_tag) if other.filter_tag else "",
            ),
            _("Name another queue with {flag}, or take that subscription away.").format(flag="--queue"),
            field="queue",
        )
    for each in pushing:
        if each.filter_tag:
            remark = _("The subscription {name} pushes only what has the tag {tag}: IMM's messages have none.")
            remarks.append(remark.format(name=each.name, tag=each.filter_tag))
    subscription = Part(Kind.SUBSCRIPTION, whole.name if whole else settings.queue, settings.topic)
    known = ((topic, has_topic), (queue, has_queue), (subscription, whole is not None))
    return Plan(
        settings,
        there=tuple(part for part, is_there in known if is_there),
        missing=tuple(part for part, is_there in known if not is_there),
        remarks=tuple(remarks),
    )


def forbidden(plan: Plan) -> ReadOnly | None:
    """What a person is told of a plan that a read-only profile keeps from being carried out."""
    from imm_tui.cloud import read_only

    if not (plan.settings.read_only and plan.missing):
        return None
    return read_only.forbidden(_CREATIONS[plan.missing[0].kind])


def pushing_to_queue(subscriptions: Sequence[Subscription], settings: Settings) -> list[Subscription]:
    """Those that push to the queue of `settings`, however they spell its ARN."""
    queue = (settings.region, settings.account_id, settings.queue)
    return [each for each in subscriptions if each.queue == queue]


def make(plan: Plan, keys: Keys, record: Path) -> Iterator[Part]:
    """Makes what is missing, and yields each when it is there. Safe to be run again, however the last run ended.

    What was refused is not written down as made here: whoever makes it later, it is theirs. What may have been made
    although no answer came is. Raises Refused, ReadOnly, Unreachable, NoCredentials, and HistoryUnusable where `record`
    cannot be written: then nothing more is made.
    """
    settings = plan.settings
    with account_at(settings, keys) as account:
        for part in plan.missing:
            mine = Made(part, settings.region, settings.account_id, settings.mns_endpoint)
            others = [it for it in made_here(record) if it != mine]
            keep(record, [*others, mine])
            try:
                created = _create(account, part, settings)
            except Trouble as trouble:
                if not (isinstance(trouble, Unreachable) and trouble.opened):
                    keep(record, others)
                raise
            if not created:  # somebody else was quicker
                keep(record, others)
            yield part


def _create(account: MnsAccount, part: Part, settings: Settings) -> bool:
    match part.kind:
        case Kind.TOPIC:
            return account.create_topic(part.name)
        case Kind.QUEUE:
            return account.create_queue(
                part.name, visibility_timeout=VISIBILITY_TIMEOUT, retention=RETENTION, polling_wait=POLLING_WAIT
            )
        case Kind.SUBSCRIPTION:
            return account.subscribe(
                part.topic,
                part.name,
                settings.queue,
                region=settings.region,
                account_id=settings.account_id,
                content_format=CONTENT_FORMAT,
            )
