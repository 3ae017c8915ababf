"""Named sets of fault rules: what a day can be like, at rates at which everything still comes to its end.

What each is called for people stands in the command line's help.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from imm_tui.emulator.faults import Rule

JUNK = (
    # Somebody else's, on a queue that is shared.
    json.dumps({"service": "billing", "level": "info", "message": "Invoice 4711 is paid."}),
    # OSS, whose events look much like IMM's.
    json.dumps(
        {
            "events": [
                {
                    "eventName": "ObjectCreated:PutObject",
                    "eventSource": "acs:oss",
                    "eventTime": "2026-01-01T00:00:00.000Z",
                    "eventVersion": "1.0",
                    "oss": {"bucket": {"name": "demo"}, "object": {"key": "产品手册.pdf", "size": 4096}},
                }
            ]
        },
        ensure_ascii=False,
    ),
    # Cut off on the way.
    '<Notification xmlns="http://mns.aliyuncs.com/doc/v1/"><TopicName>imm-tui-topic</TopicName><Message>{"events"',
    '{"events": [{"eventName": "FormatConvertJob:JobFinished", "imm": {"taskId": "formatconv',
    # No text at all: characters that XML forbids, and among them what a terminal would obey.
    "PK\x03\x04\x14\x00\x08\x1b]0;pwned\x07\x1b[31m\x7f\ufffd",
    # Far deeper than anybody needs.
    "[" * 20_000 + "]" * 20_000,
    # A name that is shown backwards (U+202E), and markup.
    json.dumps({"object": "invoice-\u202efdp.exe", "note": "[blink red]click[/] &amp; win"}, ensure_ascii=False),
)

JUNK_EVERY = 6.0
"""Seconds from one more piece of junk to the next."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Rules in force from the start; the visibility timeout of the ready-made queue; whether there is junk on it."""

    rules: tuple[Rule, ...] = ()
    visibility_timeout: int = 30
    junk: bool = False


SCENARIOS: Mapping[str, Scenario] = {
    "calm": Scenario(),
    "flaky-network": Scenario(
        (
            Rule("latency", "imm", "CreateOfficeConversionTask", probability=0.5, seconds=0.8),
            Rule("latency", "mns", "BatchReceiveMessage", probability=0.3, seconds=0.3),
            Rule("cut-after", "imm", "CreateOfficeConversionTask", skip=2, count=1),
            Rule("cut-before", "mns", "BatchReceiveMessage", probability=0.2),
            Rule("html", "mns", "BatchReceiveMessage", probability=0.2),
            Rule("truncate", "mns", "BatchReceiveMessage", probability=0.15),
            Rule("malformed", "mns", "BatchReceiveMessage", probability=0.15),
            Rule("cut-after", "mns", "BatchDeleteMessage", probability=0.3),
            Rule("error", "mns", "BatchDeleteMessage", probability=0.2),
        ),
        visibility_timeout=6,
    ),
    "at-least-twice": Scenario(
        (
            Rule("duplicate", operation="Publish"),
            Rule("reorder", operation="Publish", probability=0.5),
            Rule("duplicate", "mns", "BatchReceiveMessage", probability=0.3),
            Rule("expire-handle", "mns", "BatchDeleteMessage", probability=0.3),
        ),
        visibility_timeout=6,
    ),
    "lost-events": Scenario(
        (
            Rule("drop", operation="Publish", skip=1, count=1),
            Rule("drop", operation="Publish", skip=2, probability=0.4),
        )
    ),
    "poison": Scenario(junk=True),
    "throttled": Scenario(
        (
            Rule("throttle", "imm", "CreateOfficeConversionTask", skip=2, count=1, retry_after=2),
            Rule("throttle", "mns", "BatchReceiveMessage", probability=0.6, retry_after=2),
            Rule("throttle", "mns", "BatchDeleteMessage", probability=0.3, retry_after=1),
        ),
        visibility_timeout=6,
    ),
}
