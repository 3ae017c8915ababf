"""What of a set-up is there already."""

from __future__ import annotations

from dataclasses import replace

from imm_tui.cloud.mns_account import Subscription
from imm_tui.config import Settings
from imm_tui.setup.making import pushing_to_queue

SETTINGS = Settings(region="cn-beijing", account_id="12", queue="mine")
OURS = Subscription(
    topic="events",
    name="by-hand",
    endpoint="acs:mns:cn-beijing:12:queues/mine",
    content_format="JSON",
    filter_tag="",
    strategy="BACKOFF_RETRY",
    owner="12",
)


def test_a_subscription_to_the_queue_is_known_in_either_spelling_and_no_other() -> None:
    slash = replace(OURS, endpoint="acs:mns:cn-beijing:12:/queues/mine")
    others = [
        replace(OURS, endpoint=endpoint)
        for endpoint in ("acs:mns:cn-beijing:13:queues/mine", "acs:mns:cn-beijing:12:queues/mine-2", "https://mine")
    ]
    assert pushing_to_queue([OURS, *others, slash], SETTINGS) == [OURS, slash]
