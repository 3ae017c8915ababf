"""From a key to a working profile: what there is already, what has to be made, and its making and taking away.

MNS gives each message of a queue to one consumer, but each message of a topic to every queue that is subscribed to it.
So every viewer gets a queue of its own on the project's topic: several people watch one project, and each of them sees
every event.

What is made is written down beside the histories before it is made, so that it can be taken away again, and nothing
else with it, however a run ended.
"""

from __future__ import annotations

REGIONS = (
    *("cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-shenzhen", "cn-zhangjiakou", "cn-qingdao", "cn-wulanchabu"),
    *("cn-guangzhou", "cn-chengdu", "cn-hongkong", "ap-southeast-1", "ap-southeast-5", "eu-central-1", "eu-west-1"),
    *("us-east-1", "us-west-1"),
)
"""Where IMM is (its documentation, January 2026); 2017-09-06 is in the first five only."""
