"""What the names of Alibaba Cloud's own endpoints tell, which no emulator has: judged on evidence made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imm_tui.cloud.imm import Listed, Project
from imm_tui.cloud.mns_reply import QueueAttributes, Subscription, TopicAttributes
from imm_tui.cloud.sts import Caller
from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.doctor.check import Check, Verdict
from imm_tui.doctor.evidence import Answer, Evidence, HistoryFound, ProjectFound, QueueFound, TopicFound
from imm_tui.doctor.verdicts import CHECKS, judge
from imm_tui.endpoints import place_of
from imm_tui.errors import Barred, Denied, Refused, Unreachable
from imm_tui.tasks import Status

SETTINGS = Settings(
    region="cn-beijing",
    project="p",
    topic="t",
    queue="q",
    account_id="111",
    mns_endpoint="https://111.mns.cn-beijing.aliyuncs.com",
    imm_endpoint="https://imm.cn-beijing.aliyuncs.com",
    sts_endpoint="https://sts.cn-beijing.aliyuncs.com",
)
QUEUE = QueueAttributes(
    name="q",
    visibility_timeout=60,
    retention=345600,
    polling_wait=30,
    maximum_size=65536,
    delay=0,
    active=0,
    inactive=0,
    delayed=0,
    created_at=None,
)
TOPIC = TopicAttributes(name="t", maximum_size=65536, retention=86400, message_count=0, created_at=None)
WIRE = Subscription(
    topic="t",
    name="s",
    endpoint="acs:mns:cn-beijing:111:queues/q",
    content_format="JSON",
    filter_tag="",
    strategy="BACKOFF_RETRY",
    owner="111",
)
HEALTHY = Evidence(
    settings=SETTINGS,
    keys=Answer(value=Credentials("LTAI5tSomebodysKey9Kd", "a-secret", source="the environment")),
    caller=Answer(value=Caller("111", "acs:ram::111:user/somebody", "RAMUser")),
    project=Answer(value=ProjectFound(Project("p", "AliyunIMMDefaultRole", None, "")), offset=0.2),
    task=Answer(value=True),
    tasks=Answer(value=()),
    topic=Answer(value=TopicFound(TOPIC)),
    queue=Answer(value=QueueFound(QUEUE, peeked=())),
    subscriptions=Answer(value=(WIRE,)),
    history=HistoryFound(path=Path("history.db"), exists=True),
)


def judged(evidence: Evidence) -> dict[str, Check]:
    checks = {name: check for name in CHECKS if (check := judge(evidence, name)) is not None}
    assert all(bool(it.fix) is (it.status in (Verdict.WARN, Verdict.FAIL)) for it in checks.values())
    return checks


def named(evidence: Evidence) -> dict[str, Verdict]:
    checks = judged(evidence).items()
    return {name: check.status for name, check in checks if check.status in (Verdict.WARN, Verdict.FAIL)}


def with_settings(evidence: Evidence, **changes: Any) -> Evidence:
    return replace(evidence, settings=replace(SETTINGS, **changes))


def mns_denies(evidence: Evidence) -> Evidence:
    def denied(action: str) -> Answer[Any]:
        return Answer(trouble=Denied("MNS denies access.", action=f"mns:{action}", code="AccessDenied"))

    return replace(
        evidence,
        topic=denied("GetTopicAttributes"),
        queue=denied("GetQueueAttributes"),
        subscriptions=denied("ListSubscriptionByTopic"),
    )


def test_all_is_well() -> None:
    assert {check.status for check in judged(HEALTHY).values()} == {Verdict.OK}


def test_a_key_is_shown_by_its_ends_and_with_whose_it_is() -> None:
    cause = judged(HEALTHY)["credentials"].cause
    assert "LTAI5t…9Kd" in cause
    assert "111" in cause
    assert "Somebodys" not in cause


def test_an_endpoint_that_alone_does_not_accept_the_key() -> None:
    unknown: Answer[Any] = Answer(trouble=Barred("MNS does not know the key.", code="InvalidAccessKeyId"))
    sick = replace(HEALTHY, topic=unknown, queue=unknown, subscriptions=unknown)
    assert named(sick) == {"mns_endpoint": Verdict.FAIL}


def test_a_service_that_refuses_for_a_reason_nobody_knows() -> None:
    odd: Answer[Any] = Answer(trouble=Refused("IMM refuses the request: Odd.", code="Odd", request_id="R-1"))
    check = judged(replace(HEALTHY, project=odd))["project"]
    assert (check.status, check.cause) == (Verdict.FAIL, "IMM refuses the request: Odd. RequestId R-1.")


def test_somebody_elses_conversion_tells_of_the_bucket_too() -> None:
    def listed(task_id: str, at: int, status: Status, code: str) -> Listed:
        return Listed(task_id, None, "oss://a-bucket/a.docx", None, None, at, status, code)

    failed = listed("a", 1_000, Status.FAILED, "WriteTgtUriFailed")
    later = listed("b", 2_000, Status.SUCCEEDED, "NoError")
    assert named(replace(HEALTHY, tasks=Answer(value=(failed,)))) == {"permissions": Verdict.WARN}
    assert named(replace(HEALTHY, tasks=Answer(value=(failed, later)))) == {}


def test_the_mns_of_another_account() -> None:
    others = with_settings(HEALTHY, account_id="222", mns_endpoint="https://222.mns.cn-beijing.aliyuncs.com")
    sick = mns_denies(others)
    assert named(sick) == {"mns_endpoint": Verdict.FAIL}
    assert 'account_id = "111"' in judged(sick)["mns_endpoint"].fix
    assert named(others) == {"mns_endpoint": Verdict.WARN}  # which has let the key in


def test_a_key_of_another_account() -> None:
    others = replace(
        HEALTHY,
        caller=Answer(value=Caller("222", "acs:ram::222:user/nobody", "RAMUser")),
        project=Answer(value=ProjectFound(None)),
        task=Answer(needs="project"),
        tasks=Answer(needs="project"),
    )
    assert named(mns_denies(others)) == {"credentials": Verdict.FAIL}


@pytest.mark.parametrize(
    "changes",
    [
        {"mns_endpoint": "https://111.mns.cn-hangzhou.aliyuncs.com"},
        {"imm_endpoint": "https://imm.cn-hangzhou.aliyuncs.com"},
        {"region": "cn-hangzhou"},
    ],
    ids=repr,
)
def test_endpoints_of_two_regions(changes: dict[str, str]) -> None:
    nothing_there = replace(
        HEALTHY,
        topic=Answer(value=TopicFound(None)),
        queue=Answer(value=QueueFound(None)),
        subscriptions=Answer(needs="topic"),
    )
    assert named(with_settings(nothing_there, **changes)) == {"region": Verdict.FAIL}


def test_a_mistyped_region_explains_that_nothing_answers() -> None:
    def silent() -> Answer[Any]:
        return Answer(trouble=Unreachable("It cannot be reached.", "The name cannot be looked up.", "Check it."))

    nowhere = with_settings(
        HEALTHY,
        region="cn-bejing",
        mns_endpoint="https://111.mns.cn-bejing.aliyuncs.com",
        imm_endpoint="https://imm.cn-bejing.aliyuncs.com",
    )
    questions = ("caller", "project", "task", "tasks", "topic", "queue", "subscriptions")
    mute: dict[str, Any] = {question: silent() for question in questions}
    sick = replace(nowhere, **mute)
    assert named(sick) == {"region": Verdict.FAIL}
    assert 'region = "cn-beijing"' in judged(sick)["region"].fix
    offline = replace(HEALTHY, **mute)
    assert named(offline) == {"imm_endpoint": Verdict.FAIL, "mns_endpoint": Verdict.FAIL}


def test_an_account_that_is_not_set_is_found_out() -> None:
    lacking: Answer[Any] = Answer(needs="mns_endpoint")
    without = replace(
        with_settings(HEALTHY, account_id="", mns_endpoint=""), topic=lacking, queue=lacking, subscriptions=lacking
    )
    assert named(without) == {"mns_endpoint": Verdict.FAIL}
    assert 'account_id = "111"' in judged(without)["mns_endpoint"].fix


@pytest.mark.parametrize("arn", ["acs:mns:cn-hangzhou:111:queues/q", "acs:mns:cn-beijing:222:queues/q"])
def test_a_subscription_to_a_queue_of_that_name_elsewhere(arn: str) -> None:
    sick = replace(HEALTHY, subscriptions=Answer(value=(replace(WIRE, endpoint=arn),)))
    assert named(sick) == {"subscription": Verdict.FAIL}


def test_a_role_of_ones_own_is_tried_before_it_is_trusted() -> None:
    own = replace(HEALTHY, project=Answer(value=ProjectFound(Project("p", "our-own-role", None, ""))))
    assert named(own) == {"permissions": Verdict.WARN}
    assert "our-own-role" in judged(own)["permissions"].fix


def test_services_without_a_date_accept_the_time_all_the_same() -> None:
    dateless = replace(HEALTHY, project=replace(HEALTHY.project or Answer(), offset=None))
    assert judged(dateless)["clock"].status is Verdict.OK


def test_too_little_is_known_for_a_verdict() -> None:
    assert list(judged(Evidence(settings=SETTINGS))) == ["region"]  # the endpoints' names are enough
    assert list(judged(Evidence(settings=SETTINGS, history=HEALTHY.history))) == ["region", "history"]


@pytest.mark.parametrize(("free", "verdict"), [(2**30, None), (100 * 2**20, Verdict.WARN), (2**20, Verdict.FAIL)])
def test_a_disk_that_fills_up(free: int, verdict: Verdict | None) -> None:
    full = replace(HEALTHY, history=HistoryFound(path=Path("history.db"), exists=True, free=free))
    assert named(full).get("history") == verdict


@pytest.mark.parametrize(
    ("endpoint", "region", "account"),
    [
        ("https://111.mns.cn-beijing.aliyuncs.com", "cn-beijing", "111"),
        ("https://111.mns.cn-beijing-internal.aliyuncs.com", "cn-beijing", "111"),
        ("https://111.mns.cn-beijing-internal-vpc.aliyuncs.com", "cn-beijing", "111"),
        ("https://imm.ap-southeast-1.aliyuncs.com", "ap-southeast-1", ""),
        ("https://imm-vpc.cn-beijing.aliyuncs.com", "cn-beijing", ""),
        ("http://127.0.0.1:8080", "", ""),
        ("https://mns.example.com", "", ""),
    ],
)
def test_what_an_endpoint_is_named_for(endpoint: str, region: str, account: str) -> None:
    place = place_of(endpoint)
    assert (place.region, place.account_id) == (region, account)
