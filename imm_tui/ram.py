"""RAM policies to paste: which permission on which resource, for whoever may grant it.

A permission of MNS is for one queue or topic, one of IMM for a project (2020-09-30) or for everything (2017-09-06).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from imm_tui.config import Settings

CHANGING = ("imm:CreateOfficeConversionTask", "mns:ReceiveMessage", "mns:DeleteMessage", "mns:ChangeMessageVisibility")
"""The permissions of imm-tui's work that cannot be tried without a change."""

_LOOKING = {
    "2017-09-06": ("imm:GetProject", "imm:GetOfficeConversionTask", "imm:ListOfficeConversionTask"),
    "2020-09-30": ("imm:GetProject", "imm:GetTask", "imm:ListTasks"),
}
_LOOKING_AT_MNS = (
    *("mns:GetTopicAttributes", "mns:ListSubscriptionByTopic", "mns:GetSubscriptionAttributes"),
    *("mns:GetQueueAttributes", "mns:PeekMessage"),
)


def needed(settings: Settings) -> tuple[str, ...]:
    """All the permissions that imm-tui needs for its daily work, set-up aside."""
    looking = (*_LOOKING[settings.api_version], *_LOOKING_AT_MNS)
    return looking if settings.read_only else (*looking, *CHANGING)


def policy(actions: Iterable[str], settings: Settings, account_id: str = "") -> str:
    """The policy, JSON in one line, that allows `actions` ("mns:ReceiveMessage", …) for what `settings` name.

    `account_id` is the main account's; where neither it nor the settings tell, `*` stands in its place.
    """
    by_resource: dict[str, list[str]] = {}
    for action in dict.fromkeys(actions):
        by_resource.setdefault(resource(action, settings, account_id), []).append(action)
    return document(by_resource)


def document(by_resource: dict[str, list[str]]) -> str:
    """A policy that allows actions, given by their resource."""
    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": [resource]} for resource, actions in by_resource.items()
    ]
    return json.dumps({"Version": "1", "Statement": statements})


def resource(action: str, settings: Settings, account_id: str = "") -> str:
    """The ARN of what `action` is done to."""
    service, _colon, operation = action.partition(":")
    place = f"acs:{service}:{settings.region or '*'}:{account_id or settings.account_id or '*'}:"
    queue, topic = settings.queue or "*", settings.topic or "*"
    if service == "imm":
        if settings.api_version == "2017-09-06":
            return "*"
        listing = operation in ("ListProjects", "CreateProject")
        return f"{place}project/{'*' if listing or not settings.project else settings.project}"
    if service != "mns":
        return "*"
    match operation:
        case "ListQueue":
            return f"{place}/queues"
        case "ListTopic":
            return f"{place}/topics"
        case "ListSubscriptionByTopic":
            return f"{place}/topics/{topic}/subscriptions"
        case "Subscribe" | "Unsubscribe" | "GetSubscriptionAttributes" | "SetSubscriptionAttributes":
            return f"{place}/topics/{topic}/subscriptions/*"
        case "PublishMessage":
            return f"{place}/topics/{topic}/messages"
        case _ if "Topic" in operation:
            return f"{place}/topics/{topic}"
        case _ if re.search("Message", operation):
            return f"{place}/queues/{queue}/messages"
    return f"{place}/queues/{queue}"


def service_role_policy(settings: Settings, buckets: Iterable[str] = (), account_id: str = "") -> str:
    """What the role that IMM assumes needs: to read and write the buckets, and to publish to the topic."""
    objects = [f"acs:oss:*:*:{bucket}/*" for bucket in buckets] or ["acs:oss:*:*:*"]
    allowed: dict[str, list[str]] = {arn: ["oss:GetObject", "oss:PutObject"] for arn in objects}
    if settings.topic:
        allowed[resource("mns:PublishMessage", settings, account_id)] = ["mns:PublishMessage"]
    return document(allowed)
