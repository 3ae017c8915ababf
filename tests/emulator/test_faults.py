"""Each fault, as a client meets it: what it is told, and what really happened meanwhile."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import socket
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from mns.account import Account
from mns.mns_exception import MNSClientNetworkException, MNSServerException
from mns.topic import TopicMessage

from imm_tui.emulator.faults import AFTER, BEFORE, ON_DELIVERY, ON_HANDLES, OPERATIONS, Faults, Rule, read_rule
from imm_tui.emulator.mns import http as mns_http
from tests.conftest import RunningEmulator
from tests.control import Control, Refused
from tests.emulator.raw import RawMns

BODY = b"<Message><MessageBody>news</MessageBody></Message>"
CUT = (http.client.RemoteDisconnected, ConnectionResetError)


@pytest.fixture
def mns(fresh_emulator: RunningEmulator) -> Iterator[RawMns]:
    client = RawMns(fresh_emulator)
    client.connection.timeout = 15
    yield client
    client.close()


@pytest.fixture
def messages(fresh_emulator: RunningEmulator) -> str:
    return f"/queues/{fresh_emulator.queue}/messages"


@pytest.fixture
def topic(fresh_emulator: RunningEmulator) -> str:
    return f"/topics/{fresh_emulator.topic}/messages"


@pytest.fixture
def convert(fresh_emulator: RunningEmulator) -> Callable[[], dict[str, Any]]:
    """Asks IMM 2020-09-30 with the vendor's SDK for a conversion of a document that is not there."""
    client = AcsClient(
        fresh_emulator.access_key_id, fresh_emulator.access_key_secret, fresh_emulator.region, auto_retry=False
    )

    def call() -> dict[str, Any]:
        request = CommonRequest()
        request.set_domain(urlsplit(fresh_emulator.endpoint).netloc)
        request.set_protocol_type("http")
        request.set_version("2020-09-30")
        request.set_action_name("CreateOfficeConversionTask")
        for name, value in {
            "ProjectName": fresh_emulator.project,
            "SourceURI": "oss://demo/none.pdf",
            "TargetURIPrefix": "oss://demo/out/",
            "TargetType": "png",
            "Notification": json.dumps({"MNS": {"TopicName": fresh_emulator.topic}}),
            "UserData": str(uuid.uuid4()),
        }.items():
            request.add_query_param(name, value)
        reply: dict[str, Any] = json.loads(client.do_action_with_exception(request))
        return reply

    return call


def actions(control: Control) -> Counter[str]:
    return Counter(entry["action"] for entry in control.ledger())


def bodies(mns: RawMns, messages: str) -> list[str]:
    """The texts that were published, as far as they are on the queue, in its order."""
    return [json.loads(body)["Message"] for body in mns("GET", f"{messages}?numOfMessages=16").texts("MessageBody")]


# What the vendor's SDKs make of it


def test_an_error_comes_in_mnss_own_form(account: Any, fresh_emulator: RunningEmulator, control: Control) -> None:
    queue = account.get_queue(fresh_emulator.queue)
    control.fault("error", operation="ReceiveMessage", status=403, code="AccessDenied", message="Not yours.", count=1)
    assert told(queue.receive_message).type == "AccessDenied"
    assert told(queue.receive_message).type == "MessageNotExist", "once"
    control.fault("throttle", service="mns")
    assert told(queue.receive_message).type == "QpsLimitExceeded"


def test_an_error_comes_in_imms_own_form(convert: Callable[[], dict[str, Any]], control: Control) -> None:
    control.fault("error", service="imm", code="ServiceUnavailable", message="Later.", status=503, count=1)
    with pytest.raises(ServerException) as refusal:
        convert()
    assert (refusal.value.get_http_status(), refusal.value.get_error_code()) == (503, "ServiceUnavailable")
    control.fault("throttle", service="imm", operation="CreateOfficeConversionTask", count=1)
    with pytest.raises(ServerException) as refusal:
        convert()
    assert refusal.value.get_error_code() == "Throttling.User"
    assert actions(control) == {}
    assert convert()["TaskId"]


def test_a_proxys_page_is_no_answer_of_mns(account: Any, fresh_emulator: RunningEmulator, control: Control) -> None:
    queue = account.get_queue(fresh_emulator.queue)
    control.fault("html", count=1)
    with pytest.raises(MNSClientNetworkException, match="RespDataDamaged"), contextlib.redirect_stdout(io.StringIO()):
        queue.receive_message()


def test_a_notification_of_imms_own_can_be_lost(
    convert: Callable[[], dict[str, Any]], control: Control, mns: RawMns, messages: str
) -> None:
    control.fault("drop", service="imm", count=1)
    convert()
    convert()
    assert mns("GET", f"{messages}?waitseconds=20").status == 200
    assert actions(control) == {"submit": 2, "publish": 2, "drop": 1, "send": 1, "receive": 1}


@pytest.fixture
def account(fresh_emulator: RunningEmulator) -> Iterator[Any]:
    """The vendor's SDK of MNS."""
    account = Account(fresh_emulator.endpoint, fresh_emulator.access_key_id, fresh_emulator.access_key_secret)
    yield account
    account.get_client().close_connection()


def told(call: Callable[[], object]) -> MNSServerException:
    with pytest.raises(MNSServerException) as refusal, contextlib.redirect_stdout(io.StringIO()):
        call()
    return refusal.value


# Before the operation


def test_a_connection_cut_before_has_no_effect(mns: RawMns, messages: str, control: Control) -> None:
    control.fault("cut-before", operation="SendMessage", count=1)
    with pytest.raises(CUT):
        mns("POST", messages, BODY)
    assert actions(control) == {}
    assert mns("POST", messages, BODY).status == 201


def test_a_page_a_redirect_and_an_error_have_no_effect(mns: RawMns, messages: str, control: Control) -> None:
    control.fault("html", operation="SendMessage", count=1)
    page = mns("POST", messages, BODY)
    assert (page.status, page.headers["content-type"].split(";")[0]) == (502, "text/html")
    assert b"<html>" in page.body
    control.fault("redirect", operation="SendMessage", location="http://127.0.0.1:9/login", count=1)
    redirect = mns("POST", messages, BODY)
    assert (redirect.status, redirect.headers["location"]) == (302, "http://127.0.0.1:9/login")
    control.fault("error", operation="SendMessage", count=1)
    assert mns("POST", messages, BODY).refusal == (500, "InternalError")
    control.fault("throttle", operation="SendMessage", count=1, retry_after=7, status=429)
    throttled = mns("POST", messages, BODY)
    assert throttled.refusal == (429, "QpsLimitExceeded")
    assert throttled.headers["retry-after"] == "7"
    assert actions(control) == {}


def test_latency_comes_before_the_operation(mns: RawMns, messages: str, control: Control) -> None:
    control.fault("latency", operation="SendMessage", seconds=0.3)
    begun = time.time()
    assert mns("POST", messages, BODY).status == 201
    assert control.ledger()[0]["at"] >= (begun + 0.3) * 1000 - 1


def test_another_clock_refuses_what_was_signed_by_ours(mns: RawMns, messages: str, control: Control) -> None:
    control.fault("skew", seconds=3600, count=1)
    refused = mns("POST", messages, BODY)
    assert refused.refusal == (408, "TimeExpired")
    assert 3500 < parsedate_to_datetime(refused.headers["date"]).timestamp() - time.time() < 3700
    assert mns("POST", messages, BODY).status == 201


def test_a_skewed_gateway_refuses_too(convert: Callable[[], dict[str, Any]], control: Control) -> None:
    control.fault("skew", service="imm", seconds=-3600)
    with pytest.raises(ServerException) as refusal:
        convert()
    assert refusal.value.get_error_code() == "InvalidTimeStamp.Expired"


# After the operation


def test_a_connection_cut_after_has_its_effect(mns: RawMns, messages: str, control: Control) -> None:
    control.fault("cut-after", count=2)
    with pytest.raises(CUT):
        mns("POST", messages, BODY)
    with pytest.raises(CUT):
        mns("GET", messages)
    assert actions(control) == {"send": 1, "receive": 1}


def test_a_submission_cut_after_is_a_submission(convert: Callable[[], dict[str, Any]], control: Control) -> None:
    control.fault("cut-after", operation="CreateOfficeConversionTask")
    with pytest.raises(Exception, match=r"(?i)connection|remote"):
        convert()
    assert actions(control)["submit"] == 1


def test_what_is_after_waits_for_an_operation_that_took_place(mns: RawMns, messages: str, control: Control) -> None:
    control.fault("cut-after", operation="ReceiveMessage", count=1)
    assert mns("GET", messages).refusal == (404, "MessageNotExist")
    assert control.faults()[0]["injected"] == 0
    mns("POST", messages, BODY)
    with pytest.raises(CUT):
        mns("GET", messages)
    assert control.faults()[0]["injected"] == 1


def test_a_held_answer_is_one_whose_operation_is_over(mns: RawMns, messages: str, control: Control) -> None:
    control.fault("hang", operation="SendMessage", count=1)
    mns.connection.timeout = 0.5
    with pytest.raises(socket.timeout):
        mns("POST", messages, BODY)
    assert actions(control) == {"send": 1}
    mns.connection.close()
    mns.connection.timeout = 15
    control.fault("hang", operation="SendMessage", seconds=0.1, count=1)
    assert mns("POST", messages, BODY).status == 201


def test_a_truncated_answer_promises_more_than_comes(mns: RawMns, messages: str, control: Control) -> None:
    mns("POST", messages, BODY)
    control.fault("truncate", count=2)
    with pytest.raises(http.client.IncompleteRead) as cut:
        mns("GET", messages)
    assert cut.value.expected
    assert b"<Message " in cut.value.partial
    mns.connection.close()
    handle = f"{control.ledger()[0]['message_id']}-1"
    with pytest.raises(http.client.IncompleteRead):
        mns("DELETE", f"{messages}?ReceiptHandle={handle}")
    assert actions(control) == {"send": 1, "receive": 1, "delete": 1}


def test_a_malformed_answer_is_whole_and_cannot_be_parsed(mns: RawMns, messages: str, control: Control) -> None:
    mns("POST", messages, BODY)
    control.fault("malformed", count=2)
    spoilt = mns("GET", f"{messages}?numOfMessages=16")
    assert spoilt.status == 200
    assert b"<MessageBody>news</MessageBody>" in spoilt.body
    with pytest.raises(ElementTree.ParseError):
        _ = spoilt.xml
    handle = f"{control.ledger()[0]['message_id']}-1"
    deleted = mns("DELETE", f"{messages}?ReceiptHandle={handle}")
    assert deleted.status == 200, "an HTTP 204 could not be spoilt"
    with pytest.raises(ElementTree.ParseError):
        _ = deleted.xml
    assert actions(control) == {"send": 1, "receive": 1, "delete": 1}


def test_a_malformed_answer_of_imm_is_no_json(convert: Callable[[], dict[str, Any]], control: Control) -> None:
    control.fault("malformed", service="imm")
    with pytest.raises(ValueError, match=r"delimiter|Expecting"):
        convert()
    assert actions(control)["submit"] == 1


# Handles


def test_a_handle_can_be_void_at_once(mns: RawMns, messages: str, control: Control) -> None:
    mns("POST", messages, BODY)
    control.fault("expire-handle", operation="ReceiveMessage")
    handle = mns("GET", messages).text("ReceiptHandle")
    assert mns("DELETE", f"{messages}?ReceiptHandle={handle}").refusal == (400, "ReceiptHandleError")
    assert mns("GET", messages).refusal == (404, "MessageNotExist"), "it stays hidden"
    control.clock(advance=30)
    assert mns("GET", messages).text("DequeueCount") == "2"


def test_a_handle_can_be_void_when_it_is_used(mns: RawMns, messages: str, control: Control) -> None:
    mns("POST", messages, BODY)
    handle = mns("GET", messages).text("ReceiptHandle")
    control.fault("expire-handle", operation="BatchDeleteMessage", count=1)
    batch = f"<ReceiptHandles><ReceiptHandle>{handle}</ReceiptHandle></ReceiptHandles>".encode()
    refused = mns("DELETE", messages, batch)
    assert (refused.status, refused.text("ErrorCode")) == (404, "ReceiptHandleError")
    assert actions(control) == {"send": 1, "receive": 1, "void": 1}


def test_what_was_received_can_come_again_at_once(mns: RawMns, messages: str, control: Control) -> None:
    mns("POST", messages, BODY)
    control.fault("duplicate", operation="BatchReceiveMessage", count=1)
    first = mns("GET", f"{messages}?numOfMessages=16")
    second = mns("GET", f"{messages}?numOfMessages=16")
    assert first.text("MessageId") == second.text("MessageId")
    assert second.text("DequeueCount") == "2"


# Deliveries


def test_a_duplicate_has_the_same_envelope_under_new_ids(
    mns: RawMns, topic: str, messages: str, control: Control
) -> None:
    control.fault("duplicate", operation="Publish", times=3)
    mns("POST", topic, BODY)
    received = mns("GET", f"{messages}?numOfMessages=16")
    assert len(set(received.texts("MessageId"))) == 3
    assert len(set(received.texts("MessageBody"))) == 1


def test_neighbours_change_places_and_the_last_one_comes_all_the_same(
    mns: RawMns, topic: str, messages: str, control: Control
) -> None:
    control.fault("reorder", operation="Publish")
    for text in "abc":
        mns("POST", topic, f"<Message><MessageBody>{text}</MessageBody></Message>".encode())
    assert bodies(mns, messages) == ["b", "a"]
    late = mns("GET", f"{messages}?waitseconds=10")
    assert json.loads(late.text("MessageBody"))["Message"] == "c"


def test_what_is_dropped_is_accepted_and_never_comes(
    mns: RawMns, topic: str, messages: str, control: Control, fresh_emulator: RunningEmulator
) -> None:
    control.fault("drop", operation="Publish", skip=1, count=1)
    sent = [mns("POST", topic, f"<Message><MessageBody>{text}</MessageBody></Message>".encode()) for text in "abc"]
    assert [answer.status for answer in sent] == [201, 201, 201]
    assert bodies(mns, messages) == ["a", "c"]
    (drop,) = [entry for entry in control.ledger() if entry["action"] == "drop"]
    assert (drop["topic_message_id"], drop["queue"]) == (sent[1].text("MessageId"), fresh_emulator.queue)


def test_a_delayed_notification_comes_by_the_clock(mns: RawMns, topic: str, messages: str, control: Control) -> None:
    control.fault("delay", operation="Publish", seconds=3600)
    mns("POST", topic, BODY)
    assert mns("GET", messages).refusal == (404, "MessageNotExist")
    control.clock(advance=3600)
    assert bodies(mns, messages) == ["news"]


def test_the_vendors_publish_is_subject_to_it(account: Any, fresh_emulator: RunningEmulator, control: Control) -> None:
    control.fault("duplicate", service="mns", operation="Publish")
    topic = account.get_topic(fresh_emulator.topic)
    with contextlib.redirect_stdout(io.StringIO()):
        topic.publish_message(TopicMessage("news"))
    assert actions(control) == {"publish": 1, "send": 2}


# The rules


def test_rules_are_listed_with_how_often_they_struck_until_they_are_cleared(
    mns: RawMns, messages: str, control: Control
) -> None:
    assert control.fault("error", operation="SendMessage", skip=1, count=2) == 1
    assert control.fault("latency", seconds=0, service="mns") == 2
    assert [mns("POST", messages, BODY).status for _ in range(5)] == [201, 500, 500, 201, 201]
    first, second = control.faults()
    assert (first["id"], first["effect"], first["count"], first["injected"]) == (1, "error", 2, 2)
    assert second["injected"] == 3, "what was refused did not come as far"
    control.clear()
    assert control.faults() == []
    assert control.fault("error") == 3
    control.reset()
    assert control.faults() == []


def test_the_control_plane_is_never_disturbed(control: Control) -> None:
    control.fault("cut-before")
    assert control.health()["status"] == "ok"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({}, "effect must be one of"),
        ({"effect": "explode"}, "effect must be one of"),
        ({"effect": ["drop"]}, "effect must be one of"),
        ({"effect": "drop", "chance": 1}, "no chance for drop"),
        ({"effect": "drop", "seconds": 1}, "no seconds for drop"),
        ({"effect": "latency"}, "latency needs seconds"),
        ({"effect": "redirect"}, "redirect needs location"),
        ({"effect": "redirect", "location": "x\r\nSet-Cookie: y"}, "printable"),
        ({"effect": "error", "probability": 1.1}, "probability must be a number from 0 to 1"),
        ({"effect": "error", "probability": True}, "probability must be a number"),
        ({"effect": "error", "count": 1.0}, "count must be a whole number"),
        ({"effect": "error", "status": 100}, "status must be a whole number from 200"),
        ({"effect": "error", "operation": "RecieveMessage"}, "operation must be one of"),
        ({"effect": "error", "service": "oss"}, "service must be one of mns, imm"),
        ({"effect": "drop", "operation": "ReceiveMessage"}, "drop is for Publish, not for ReceiveMessage"),
    ],
    ids=str,
)
def test_a_rule_that_cannot_be_followed_is_refused(control: Control, rule: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said) as refused:
        control.fault(**{"effect": None, **rule})
    assert refused.value.status == 400
    assert control.faults() == []


def test_the_same_seed_makes_the_same_choices() -> None:
    def struck(**seed: int) -> list[bool]:
        faults = Faults(seed.get("emulators", 0))
        faults.add(
            read_rule({"effect": "error", "probability": 0.5} | ({"seed": seed["own"]} if "own" in seed else {}))
        )
        return [bool(list(faults.strike(BEFORE, ("mns",), "ReceiveMessage"))) for _ in range(200)]

    assert struck() == struck()
    assert struck(own=7) == struck(own=7, emulators=1)
    assert struck() != struck(emulators=1)
    assert struck() != struck(own=7)
    assert 60 < sum(struck()) < 140


@pytest.mark.parametrize("effect", sorted({*BEFORE, *AFTER, *ON_HANDLES, *ON_DELIVERY}))
def test_a_rule_strikes_where_it_fits_and_nowhere_else(effect: str) -> None:
    faults = Faults(0)
    faults.add(Rule(effect, service="mns", operation="Publish"))
    every = (*BEFORE, *AFTER, *ON_HANDLES, *ON_DELIVERY)
    assert not list(faults.strike(every, ("mns",), "ReceiveMessage"))
    assert not list(faults.strike(every, ("imm",), "Publish"))
    assert [rule.effect for rule in faults.strike(every, ("imm", "mns"), "Publish")] == [effect]


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("GET", "/queues", "ListQueue"),
        ("PUT", "/queues/q", "CreateQueue"),
        ("PUT", "/queues/q?metaoverride=true", "SetQueueAttributes"),
        ("GET", "/queues/q", "GetQueueAttributes"),
        ("DELETE", "/queues/q", "DeleteQueue"),
        ("POST", "/queues/q/messages", "SendMessage"),
        ("GET", "/queues/q/messages?waitseconds=3", "ReceiveMessage"),
        ("GET", "/queues/q/messages?numOfMessages=1", "BatchReceiveMessage"),
        ("GET", "/queues/q/messages?peekonly=true", "PeekMessage"),
        ("GET", "/queues/q/messages?peekonly=true&numOfMessages=1", "BatchPeekMessage"),
        ("DELETE", "/queues/q/messages?ReceiptHandle=h", "DeleteMessage"),
        ("DELETE", "/queues/q/messages", "BatchDeleteMessage"),
        ("PUT", "/queues/q/messages?ReceiptHandle=h&VisibilityTimeout=1", "ChangeMessageVisibility"),
        ("GET", "/topics", "ListTopic"),
        ("PUT", "/topics/t", "CreateTopic"),
        ("POST", "/topics/t/messages", "Publish"),
        ("GET", "/topics/t/subscriptions", "ListSubscriptionByTopic"),
        ("PUT", "/topics/t/subscriptions/s", "Subscribe"),
        ("DELETE", "/topics/t/subscriptions/s", "Unsubscribe"),
        ("PATCH", "/queues/q", ""),
        ("GET", "/nothing", ""),
    ],
)
def test_every_request_has_the_name_that_rules_give_it(method: str, target: str, operation: str) -> None:
    path, _, query = target.partition("?")
    request = mns_http.Request(method, path, mns_http.query_of(query), {}, b"", "")
    assert mns_http.operation_of(request) == operation
    assert operation in (*OPERATIONS, "")
