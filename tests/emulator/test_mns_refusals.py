"""What MNS refuses, with which status and code; and what it reads though no SDK sends it."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterator

import pytest

from tests.conftest import RunningEmulator
from tests.emulator.raw import RawMns


@pytest.fixture
def mns(emulator: RunningEmulator) -> Iterator[RawMns]:
    client = RawMns(emulator)
    yield client
    client.close()


@pytest.fixture
def name(mns: RawMns) -> str:
    """A queue and a topic of this name exist; the queue takes up to 1024 bytes."""
    name = f"r-{uuid.uuid4().hex}"
    mns("PUT", f"/queues/{name}", b"<Queue><MaximumMessageSize>1024</MaximumMessageSize></Queue>")
    mns("PUT", f"/topics/{name}")
    return name


def message(inner: str) -> str:
    return f"<Message>{inner}</Message>"


BODY = "<MessageBody>x</MessageBody>"
HANDLE = "ReceiptHandle=A-1-B-C-d"


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "code"),
    [
        ("GET", "/queues/NAME/messages?waitseconds=31", "", 400, "InvalidArgument"),
        ("GET", "/queues/NAME/messages?waitseconds=-1", "", 400, "InvalidArgument"),
        ("GET", "/queues/NAME/messages?waitseconds=1.5", "", 400, "InvalidArgument"),
        ("GET", "/queues/NAME/messages?numOfMessages=0", "", 400, "InvalidArgument"),
        ("GET", "/queues/NAME/messages?numOfMessages=17", "", 400, "InvalidArgument"),
        ("GET", "/queues/NAME/messages?numOfMessages=", "", 400, "InvalidArgument"),
        ("GET", "/queues/NAME/messages?peekonly=true&numOfMessages=17", "", 400, "InvalidArgument"),
        ("GET", "/queues/NAME/messages?peekonly=true", "", 404, "MessageNotExist"),
        ("GET", "/queues/none/messages", "", 404, "QueueNotExist"),
        ("POST", "/queues/none/messages", message(BODY), 404, "QueueNotExist"),
        ("POST", "/queues/NAME/messages", "not xml", 400, "MalformedXML"),
        ("POST", "/queues/NAME/messages", "", 400, "MalformedXML"),
        ("POST", "/queues/NAME/messages", "<Queue/>", 400, "MalformedXML"),
        ("POST", "/queues/NAME/messages", message("<MessageBody>&#1;</MessageBody>"), 400, "MalformedXML"),
        ("POST", "/queues/NAME/messages", "<Message/>", 400, "InvalidArgument"),
        ("POST", "/queues/NAME/messages", message("<MessageBody/>"), 400, "InvalidArgument"),
        ("POST", "/queues/NAME/messages", message(f"<MessageBody>{'é' * 513}</MessageBody>"), 400, "InvalidArgument"),
        (
            "POST",
            "/queues/NAME/messages",
            message(BODY + "<DelaySeconds>604801</DelaySeconds>"),
            400,
            "InvalidArgument",
        ),
        ("POST", "/queues/NAME/messages", message(BODY + "<Priority>0</Priority>"), 400, "InvalidArgument"),
        ("POST", "/queues/NAME/messages", message(BODY + "<Priority>17</Priority>"), 400, "InvalidArgument"),
        ("POST", "/queues/NAME/messages", "<Messages/>", 400, "InvalidArgument"),
        ("POST", "/queues/NAME/messages", f"<Messages>{message(BODY) * 17}</Messages>", 400, "InvalidArgument"),
        ("DELETE", "/queues/NAME/messages", "", 400, "MissingReceiptHandle"),
        ("DELETE", "/queues/NAME/messages", "<ReceiptHandles/>", 400, "InvalidArgument"),
        ("DELETE", "/queues/NAME/messages?ReceiptHandle=", "", 400, "ReceiptHandleError"),
        ("DELETE", "/queues/NAME/messages?ReceiptHandle=a+b/c=", "", 400, "ReceiptHandleError"),
        ("DELETE", f"/queues/NAME/messages?{HANDLE}", "", 404, "MessageNotExist"),
        ("PUT", "/queues/NAME/messages?VisibilityTimeout=1", "", 400, "MissingReceiptHandle"),
        ("PUT", f"/queues/NAME/messages?{HANDLE}", "", 400, "MissingVisibilityTimeout"),
        ("PUT", f"/queues/NAME/messages?{HANDLE}&VisibilityTimeout=0", "", 400, "InvalidArgument"),
        ("PUT", f"/queues/NAME/messages?{HANDLE}&VisibilityTimeout=43201", "", 400, "InvalidArgument"),
        ("PUT", "/queues/new", "<Queue><VisibilityTimeout>0</VisibilityTimeout></Queue>", 400, "InvalidArgument"),
        ("PUT", "/queues/new", "<Queue><VisibilityTimeout>43201</VisibilityTimeout></Queue>", 400, "InvalidArgument"),
        ("PUT", "/queues/new", "<Queue><MaximumMessageSize>1023</MaximumMessageSize></Queue>", 400, "InvalidArgument"),
        ("PUT", "/queues/new", "<Queue><MaximumMessageSize>65537</MaximumMessageSize></Queue>", 400, "InvalidArgument"),
        (
            "PUT",
            "/queues/new",
            "<Queue><MessageRetentionPeriod>59</MessageRetentionPeriod></Queue>",
            400,
            "InvalidArgument",
        ),
        ("PUT", "/queues/new", "<Queue><DelaySeconds>604801</DelaySeconds></Queue>", 400, "InvalidArgument"),
        ("PUT", "/queues/new", "<Queue><PollingWaitSeconds>31</PollingWaitSeconds></Queue>", 400, "InvalidArgument"),
        ("PUT", "/queues/new", "<Queue><LoggingEnabled>maybe</LoggingEnabled></Queue>", 400, "InvalidArgument"),
        ("PUT", "/queues/none?metaoverride=true", "<Queue/>", 404, "QueueNotExist"),
        ("PUT", "/queues/-x", "", 400, "InvalidQueueName"),
        ("PUT", "/queues/a_b", "", 400, "InvalidQueueName"),
        ("PUT", f"/queues/{'q' * 121}", "", 400, "QueueNameLengthError"),
        ("PUT", "/topics/1x", "", 400, "TopicNameInvalid"),
        ("PUT", f"/topics/{'t' * 121}", "", 400, "TopicNameLengthError"),
        ("PUT", "/topics/new", "<Topic><MaximumMessageSize>1</MaximumMessageSize></Topic>", 400, "InvalidArgument"),
        ("PUT", "/topics/NAME/subscriptions/-s", "", 400, "SubscriptionNameInvalid"),
        ("PUT", f"/topics/NAME/subscriptions/{'s' * 121}", "", 400, "SubscriptionNameLengthError"),
        ("PUT", "/topics/NAME/subscriptions/s", "<Subscription/>", 400, "EndpointInvalid"),
        ("GET", "/topics/NAME/subscriptions/none", "", 404, "SubscriptionNotExist"),
        ("DELETE", "/topics/NAME/subscriptions/none", "", 404, "SubscriptionNotExist"),
        ("GET", "/topics/none", "", 404, "TopicNotExist"),
        ("PUT", "/topics/none/subscriptions/s", "<Subscription/>", 404, "TopicNotExist"),
        ("POST", "/topics/NAME/messages", message("<MessageBody/>"), 400, "InvalidArgument"),
        (
            "POST",
            "/topics/NAME/messages",
            message(BODY + f"<MessageTag>{'t' * 17}</MessageTag>"),
            400,
            "InvalidArgument",
        ),
        ("GET", "/topics/NAME/messages", "", 400, "InvalidRequestURL"),
        ("PATCH", "/queues/NAME", "", 400, "InvalidRequestURL"),
        ("POST", "/queues", "", 400, "InvalidRequestURL"),
        ("GET", "/queues/NAME/else", "", 400, "InvalidRequestURL"),
        ("GET", "/elsewhere", "", 404, "InvalidRequestURL"),
        ("GET", "/", "", 404, "InvalidRequestURL"),
    ],
)
def test_refusal(mns: RawMns, name: str, method: str, target: str, body: str, status: int, code: str) -> None:
    answer = mns(method, target.replace("NAME", name), body.encode())
    assert answer.refusal == (status, code)
    assert answer.headers["content-type"] == "text/xml;charset=utf-8"
    assert answer.text("Message")
    assert answer.text("HostId") == mns.emulator.endpoint
    assert answer.text("RequestId") == answer.headers["x-mns-request-id"]


@pytest.mark.parametrize(
    ("element", "value"),
    [("NotifyStrategy", "NEVER"), ("NotifyContentFormat", "YAML"), ("FilterTag", "t" * 17)],
)
def test_a_subscription_says_only_what_there_is(mns: RawMns, name: str, element: str, value: str) -> None:
    endpoint = f"acs:mns:{mns.emulator.region}:{mns.emulator.account_id}:queues/{name}"
    body = f"<Subscription><Endpoint>{endpoint}</Endpoint><{element}>{value}</{element}></Subscription>"
    assert mns("PUT", f"/topics/{name}/subscriptions/s", body.encode()).refusal == (400, "InvalidArgument")


@pytest.mark.parametrize("size", ["0", "1001", "ten"])
def test_a_page_has_from_1_to_1000_names(mns: RawMns, size: str) -> None:
    assert mns("GET", "/queues", x_mns_ret_number=size).refusal == (400, "InvalidArgument")


def test_a_batch_is_sent_but_for_the_messages_that_are_refused(mns: RawMns, name: str) -> None:
    too_long = f"<MessageBody>{'x' * 1025}</MessageBody>"
    body = f"<Messages>{message(BODY)}{message(too_long)}{message(BODY)}</Messages>"
    answer = mns("POST", f"/queues/{name}/messages", body.encode())
    assert answer.status == 500
    assert [[child.tag.rpartition("}")[2] for child in entry] for entry in answer.xml] == [
        ["MessageId", "MessageBodyMD5"],
        ["ErrorCode", "ErrorMessage"],
        ["MessageId", "MessageBodyMD5"],
    ]
    assert len(mns("GET", f"/queues/{name}/messages?numOfMessages=16").texts("MessageBody")) == 2


def test_what_was_deleted_and_the_rest_answer_without_a_body(mns: RawMns, name: str) -> None:
    mns("POST", f"/queues/{name}/messages", message(BODY).encode())
    handle = mns("GET", f"/queues/{name}/messages").text("ReceiptHandle")
    answer = mns("DELETE", f"/queues/{name}/messages?ReceiptHandle={handle}")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["x-mns-version"] == "2015-06-06"
    assert "content-type" not in answer.headers


def test_a_percent_encoded_handle_is_the_same_handle(mns: RawMns, name: str) -> None:
    mns("POST", f"/queues/{name}/messages", message(BODY).encode())
    handle = mns("GET", f"/queues/{name}/messages").text("ReceiptHandle")
    encoded = "".join(f"%{ord(character):02X}" for character in handle)
    assert mns("DELETE", f"/queues/{name}/messages?ReceiptHandle={encoded}").status == 204


def test_a_delayed_message_can_be_taken_back_before_it_is_seen(mns: RawMns, name: str) -> None:
    sent = mns("POST", f"/queues/{name}/messages", message(BODY + "<DelaySeconds>60</DelaySeconds>").encode())
    handle = sent.text("ReceiptHandle")
    assert mns("DELETE", f"/queues/{name}/messages?ReceiptHandle={handle}").status == 204
    assert mns("GET", f"/queues/{name}").text("DelayMessages") == "0"


def test_a_carriage_return_and_markup_arrive_as_they_were_sent(mns: RawMns, name: str) -> None:
    mns("POST", f"/queues/{name}/messages", message("<MessageBody>a&#13;\n<![CDATA[<b>&amp;]]></MessageBody>").encode())
    assert mns("GET", f"/queues/{name}/messages").text("MessageBody") == "a\r\n<b>&amp;"


def test_a_list_with_attributes_has_them_all(mns: RawMns, name: str) -> None:
    answer = mns("GET", "/queues", x_mns_prefix=name, x_mns_with_meta="true")
    assert answer.text("QueueURL") == f"{mns.emulator.endpoint}/queues/{name}"
    assert answer.text("MaximumMessageSize") == "1024"
    assert answer.text("ActiveMessages") == "0"
    assert mns("GET", "/topics", x_mns_prefix=name, x_mns_with_meta="true").text("TopicName") == name


def test_where_something_is_made_is_said_in_the_callers_own_words(mns: RawMns, name: str) -> None:
    answer = mns("PUT", f"/queues/{name}-2", host="1234.mns.cn-beijing.aliyuncs.com")
    assert answer.status == 201
    assert answer.headers["location"] == f"http://1234.mns.cn-beijing.aliyuncs.com/queues/{name}-2"


@pytest.mark.parametrize(("how", "accepted"), [("digest", True), ("hexdigest", True), ("wrong", False)])
def test_content_md5_may_be_that_of_the_standard_or_that_of_the_sdks(
    mns: RawMns, name: str, how: str, accepted: bool
) -> None:
    body = message(BODY).encode()
    digests = {
        "digest": hashlib.md5(body).digest(),
        "hexdigest": hashlib.md5(body).hexdigest().encode(),
        "wrong": b"wrong",
    }
    answer = mns("POST", f"/queues/{name}/messages", body, content_md5=base64.b64encode(digests[how]).decode())
    assert answer.status == 201 if accepted else answer.refusal == (400, "InvalidDigest")
