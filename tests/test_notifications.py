"""What a message body says: the published samples, every wrapping, and bytes that mean no good."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imm_tui.notifications import parse
from imm_tui.tasks import Event, Status

# The output of the tutorial that introduced notifications (2018), without the comments that its author put beside it.
SAMPLE = """
{
  "Message": {
    "events": [
      {
        "eventName": "FormatConvertJob:JobFinished",
        "eventSource": "acs:imm",
        "eventTime": "2018-11-14T09:51:20.342Z",
        "eventVersion": "1.0",
        "imm": {
          "code": "NoError",
          "pageCount": "5",
          "percent": "100",
          "taskId": "723f6489-2e91-4475-93a2-41bbedf76d1f"
        }
      }
    ]
  },
  "MessageId": "1AF8A292DE807634-1-16711A1E057-20000076E",
  "MessageMD5": "FF48C799CEF8997625D00B364D7471D1",
  "PublishTime": "1542189080663",
  "Subscriber": "xxxxxxx",
  "SubscriptionName": "xxxxxxxx",
  "TopicName": "xxxxxxxx",
  "TopicOwner": "xxxxxxxxx"
}
"""

# Its second output, as printed: blanks behind every key and value of the events, a list of envelopes, and at the end
# a brace too many.
BATCH_SAMPLE = """
[
  {
    "Message": {
      "events ": [
        {
          "eventName ": "FormatConvertJob:JobFinished ",
          "eventSource ": "acs:imm ",
          "eventTime ": "2018-11-14T09:51:20.342Z ",
          "eventVersion ": "1.0 ",
          "imm ": {
            "code ": "NoError ",
            "pageCount ": "5 ",
            "percent ": "100 ",
            "taskId ": "723f6489-2e91-4475-93a2-41bbedf76d1f "
          }
        }
      ]
    },
    "MessageId": "1AF8A292DE807634-1-16711A1E057-20000076E",
    "MessageMD5": "FF48C799CEF8997625D00B364D7471D1",
    "PublishTime": "1542189080663",
    "Subscriber": "xxxxxxx",
      "SubscriptionName": "xxxxxxxx",
      "TopicName": "xxxxxxxx",
      "TopicOwner": "xxxxxxxxx"
  },
  {
    "Message": {
      "events ": [
        {
          "eventName ": "FormatConvertJob:JobFinished ",
          "eventSource ": "acs:imm ",
          "eventTime ": "2018-11-14T09:51:47.941Z ",
          "eventVersion ": "1.0 ",
          "imm ": {
            "code ": "NoError ",
            "pageCount ": "5 ",
            "percent ": "100 ",
            "taskId ": "c54b5836-5270-4beb-a5e5-ceb7627e5c98 "
          }
        }
      ]
    },
    "MessageId": "1AF8A292DE807634-1-16711A24C0A-200000770",
    "MessageMD5": "9D7EAD233258273ADC9C7FB496FE9316",
    "PublishTime": "1542189108234",
    "Subscriber": "xxxxxxx",
      "SubscriptionName": "xxxxxxxx",
      "TopicName": "xxxxxxxx",
     "TopicOwner": "xxxxxxxxx"
  },
  {
    "Message": {
      "events ": [
        {
          "eventName ": "FormatConvertJob:JobFinished ",
          "eventSource ": "acs:imm ",
          "eventTime ": "2018-11-14T09:52:09.584Z ",
          "eventVersion ": "1.0 ",
          "imm ": {
            "code ": "NoError ",
            "pageCount ": "5 ",
            "percent ": "100 ",
            "taskId ": "2aaeaeb0-7082-4330-8489-42dcd1b877c6 "
          }
        }
      ]
    },
    "MessageId": "1AF8A292DE807634-1-16711A2A023-200000771",
    "MessageMD5": "93B11711E9F2836CC4E65838DD6DD81D",
    "PublishTime": "1542189129763",
    "Subscriber": "xxxxxxx",
      "SubscriptionName": "xxxxxxxx",
      "TopicName": "xxxxxxxx",
      "TopicOwner": "xxxxxxxxx"
  }
]
}
"""

# MNS's documented XML envelope with its three defects: `xlmns`, and PublishTime opened but MessagePublishTime closed.
TORN_ENVELOPE = """<?xml version="1.0" encoding="utf-8"?>
<Notification xlmns="http://mns.aliyuncs.com/doc/v1/">
    <TopicOwner>TopicOwner</TopicOwner>
    <TopicName>TopicName</TopicName>
    <Subscriber>Subscriber</Subscriber>
    <SubscriptionName>SubscriptionName</SubscriptionName>
    <MessageId>6CC4D900CA59A2CD-1-15180534A8F-20000002A</MessageId>
    <Message>{}</Message>
    <MessageMD5>F1E92841751D795AB325836D6F0DF92C</MessageMD5>
    <MessageTag>tag</MessageTag>
    <PublishTime>1449556920975</MessagePublishTime>
</Notification>"""


def sample_event(task_id: str, time: str) -> Event:
    return Event(
        task_id=task_id,
        name="FormatConvertJob:JobFinished",
        status=Status.SUCCEEDED,
        percent=100,
        page_count=5,
        code="NoError",
        time=time,
    )


FIRST = sample_event("723f6489-2e91-4475-93a2-41bbedf76d1f", "2018-11-14T09:51:20.342Z")


def body(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def old(**imm: object) -> dict[str, Any]:
    event = {"eventName": "FormatConvertJob:JobFinished", "eventSource": "acs:imm", "eventTime": "2018-11-14T09:51:20Z"}
    return {"events": [event | {"imm": {"taskId": "t-1"} | imm}]}


def new(**keys: object) -> dict[str, object]:
    return {
        "ProjectName": "demo",
        "DatasetName": "",
        "RequestId": "r-1",
        "StartTime": "2024-08-01T10:00:00.12Z",
        "EndTime": "2024-08-01T18:00:02.123456789+08:00",
        "UserData": "",
        "TaskType": "OfficeConversion",
        "TaskId": "OfficeConversion-1",
        "Status": "Succeeded",
        "Code": "",
        "Message": "",
        "EventSourceId": "",
    } | keys


def wrapped(content: object, key: str = "content") -> dict[str, object]:
    return {
        "id": "e-1",
        "source": "acs.imm",
        "type": "imm:Task:OfficeConversion",
        "subject": "",
        "time": "1722506402999",
        key: content,
    }


def only(value: object) -> Event:
    """The one event of a message that has exactly one."""
    notification = parse(value if isinstance(value, bytes) else body(value))
    assert notification.reason == ""
    [event] = notification.events
    return event


def test_the_tutorials_message_is_its_event() -> None:
    assert parse(SAMPLE.encode()).events == (FIRST,)


def test_the_tutorials_batch_gives_every_event_without_its_blanks() -> None:
    assert parse(BATCH_SAMPLE.encode()).events == (
        FIRST,
        sample_event("c54b5836-5270-4beb-a5e5-ceb7627e5c98", "2018-11-14T09:51:47.941Z"),
        sample_event("2aaeaeb0-7082-4330-8489-42dcd1b877c6", "2018-11-14T09:52:09.584Z"),
    )


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(escape, id="escaped"),
        pytest.param(lambda text: text.replace("&", "&amp;").replace('"', "&quot;"), id="quotes escaped"),
        pytest.param(lambda text: f"<![CDATA[{text}]]>", id="cdata"),
        pytest.param(str, id="not escaped at all"),
        pytest.param(lambda text: base64.b64encode(text.encode()).decode(), id="base64"),
    ],
)
def test_the_documented_envelope_is_read_although_it_is_not_well_formed(written: Callable[[str], str]) -> None:
    text = json.dumps(old(code="Bad & </Message> <more>"))
    assert only(TORN_ENVELOPE.replace("{}", written(text)).encode()).code == "Bad & </Message> <more>"


def test_entities_are_read_even_where_the_message_itself_is_torn() -> None:
    text = """{&quot;by&quot;: "a&b", "events": [{"imm": {"taskId": "&lt;&amp;lt;"}}]}"""
    assert only(TORN_ENVELOPE.replace("{}", text).encode()).task_id == "<&lt;"


def test_a_document_type_declaration_is_refused() -> None:
    message = '<Notification><Message>{"events":[{"imm":{"taskId":"&id;"}}]}</Message></Notification>'
    notification = parse(b'<!DOCTYPE Notification [<!ENTITY id "t-1">]>' + message.encode())
    assert notification.events == ()
    assert "document type" in notification.reason


@pytest.mark.parametrize(
    ("value", "figure"), [("100", 100), (100, 100), (40.0, 40), ("40.0", 40), ("007", 7), (0, 0), (" 5 ", 5)]
)
def test_a_percent_is_a_whole_number_however_it_is_written(value: object, figure: int) -> None:
    assert only(old(percent=value)).percent == figure


@pytest.mark.parametrize(
    "value", ["", " ", None, "101", -1, "-1", "4.5", 4.5, "many", "1_0", "٤", True, [], {}, 1e300], ids=repr
)
def test_anything_else_is_no_percent(value: object) -> None:
    assert only(old(percent=value)).percent is None


@pytest.mark.parametrize("digits", ["NaN", "Infinity", "-Infinity", "9" * 20_000, "1e999999999", "9" * 20_000 + ".5"])
def test_a_monstrous_number_costs_its_figure_and_not_the_event(digits: str) -> None:
    text = '{"events": [{"eventName": "x:Finished", "imm": {"taskId": "t-1", "pageCount": %s, "percent": 7}}]}'
    assert only((text % digits).encode()) == Event(task_id="t-1", name="x:Finished", status=Status.SUCCEEDED, percent=7)


def test_page_counts_have_a_ceiling() -> None:
    assert only(old(pageCount="1000000000")).page_count == 10**9
    assert only(old(pageCount="1000000001")).page_count is None


@pytest.mark.parametrize(
    ("code", "name", "percent", "status"),
    [
        ("NoError", "FormatConvertJob:JobFinished", "100", Status.SUCCEEDED),
        ("NoError", "FormatConvertJob:JobFinished", "0", Status.SUCCEEDED),
        ("noerror ", "FormatConvertJob:JobFinished", None, Status.SUCCEEDED),
        ("", "FormatConvertJob:JobFinished", None, Status.SUCCEEDED),
        (None, "FormatConvertJob:JobFinished", None, Status.SUCCEEDED),
        ("NoError", "FormatConvertJob:JobProgress", "99", Status.RUNNING),
        ("NoError", "FormatConvertJob:JobProgress", None, Status.RUNNING),
        ("NoError", "FormatConvertJob:JobProgress", "100", Status.SUCCEEDED),
        ("ConvertTimeout", "FormatConvertJob:JobFinished", "100", Status.FAILED),
        ("ConvertTimeout", "FormatConvertJob:JobProgress", "40", Status.FAILED),
    ],
)
def test_the_status_of_the_old_version(code: str | None, name: str, percent: str | None, status: Status) -> None:
    message = old(code=code, percent=percent)
    message["events"][0]["eventName"] = name
    assert only(message).status is status


@pytest.mark.parametrize(
    ("word", "code", "status"),
    [
        ("Succeeded", "", Status.SUCCEEDED),
        ("FINISHED", "", Status.SUCCEEDED),
        ("succeeded ", "SomeWarning", Status.SUCCEEDED),
        ("failed", "", Status.FAILED),
        ("Failed", "ResourceNotFound", Status.FAILED),
        ("RUNNING", "", Status.RUNNING),
        ("Queued", "", Status.RUNNING),
        ("Queued", "InternalError", Status.FAILED),
        ("", "", Status.RUNNING),
        (None, "NoError", Status.RUNNING),
    ],
)
def test_the_status_of_the_new_version(word: str | None, code: str, status: Status) -> None:
    assert only(wrapped(json.dumps(new(Status=word, Code=code)))).status is status


@pytest.mark.parametrize(
    "message",
    [wrapped(new()), wrapped(json.dumps(new())), wrapped(new(), "data"), wrapped(json.dumps(new()), "data"), new()],
    ids=["content", "content as text", "data", "data as text", "bare"],
)
def test_every_form_of_the_new_version_says_the_same(message: object) -> None:
    assert only(message) == Event(
        task_id="OfficeConversion-1",
        name="imm:Task:OfficeConversion",
        status=Status.SUCCEEDED,
        time="2024-08-01T18:00:02.123456789+08:00",
    )


def test_a_failure_of_the_new_version_says_why() -> None:
    event = only(wrapped(new(Status="Failed", Code="InvalidFile", Message="The file is encrypted.")))
    assert (event.status, event.code, event.message) == (Status.FAILED, "InvalidFile", "The file is encrypted.")


def test_the_time_of_a_new_event_is_its_end_else_when_it_was_sent_else_its_start() -> None:
    running = new(Status="Running")
    assert only(wrapped(new())).time == "2024-08-01T18:00:02.123456789+08:00"
    assert only(wrapped(new(EndTime=""))).time == "1722506402999"
    assert only(wrapped(running)).time == "1722506402999"
    assert only(running).time == "2024-08-01T10:00:00.12Z"
    assert only(new(Status="Running", StartTime="")).time is None


def test_a_task_of_another_kind_is_an_event_under_its_own_name() -> None:
    assert only(new(TaskType="MediaConvert")).name == "imm:Task:MediaConvert"
    assert only(wrapped(new(TaskType="FaceClustering")) | {"type": "imm:Task:FigureClustering"}).name == (
        "imm:Task:FigureClustering"
    )


@pytest.mark.parametrize(
    "event",
    [
        {"TaskId": "t-1", "TaskType": "OfficeConversion", "Status": "Succeeded"},
        {"TaskId": "NewKind-1", "TaskType": "NewKind", "Status": "Succeeded"},
        {"TaskId": "t-1", "TaskType": "NewKind", "ProjectName": "p", "RequestId": "r", "Status": "Succeeded"},
        {"TaskId": "t-1", "ProjectName": "p", "RequestId": "r", "Status": "Succeeded"},
        {"TaskId": "t-1", "source": "acs.imm", "Status": "Succeeded"},
        {"source": "acs.imm", "data": {"message": {"TaskId": "t-1", "Status": "Succeeded"}}},
    ],
)
def test_a_body_is_imms_by_its_kind_its_keys_or_its_word(event: dict[str, object]) -> None:
    (found,) = parse(body(event)).events
    assert found.status is Status.SUCCEEDED


@pytest.mark.parametrize("spelling", ["taskId", "TaskId", "taskID", "TASKID", " TaskId "])
def test_a_task_id_is_known_by_any_spelling(spelling: str) -> None:
    assert only({"events": [{"imm": {spelling: " t-9\n"}}]}).task_id == "t-9"
    assert only({"TaskType": "OfficeConversion", spelling: "t-9"}).task_id == "t-9"


def test_a_readable_event_is_kept_beside_unreadable_ones() -> None:
    message = old()
    message["events"][:0] = [None, {}, {"imm": []}, {"imm": {"taskId": ""}}]
    assert [event.task_id for event in parse(body([message, "?", 7, {"Message": "{"}, new()])).events] == [
        "t-1",
        "OfficeConversion-1",
    ]


def test_a_message_may_be_a_list_or_one_object_after_another() -> None:
    assert len(parse(body({"Message": [old(), json.dumps(new())], "MessageId": "m"})).events) == 2
    assert len(parse(body(old()) + b"\n" + body(new())).events) == 2


def test_text_that_no_file_can_hold_becomes_the_escape_it_came_as() -> None:
    event = only(rb'{"events": [{"imm": {"taskId": "t\ud800", "code": "\u0000\udfff\ud83d\ude00"}}]}')
    assert (event.task_id, event.code) == (r"t\ud800", "\0\\udfff😀")


def test_a_line_break_within_a_string_is_text() -> None:
    assert only(b'{"events": [{"imm": {"taskId": "t-1", "code": "two\nlines"}}]}').code == "two\nlines"


def test_only_so_many_wrappings_are_opened() -> None:
    message: object = old()
    for _ in range(20):
        message = {"Message": message}
    assert parse(body(message)).events == ()


def test_of_two_keys_with_one_name_the_last_counts() -> None:
    assert only(b'{"events": [{"imm": {"taskId": "first", "taskId": "second"}}]}').task_id == "second"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\xef\xbb\xbf", "empty"),
        (b"hello", "neither"),
        (b"42", "neither"),
        (b"\0" * 9, "neither"),
        (b"\xff\xfe{\0}\0", "neither"),
        (base64.b64encode(b"hello"), "neither"),
        (body(old())[:-1], "begins like JSON"),
        (b"[" * 65_536, "too deeply"),
        (base64.b64encode(b"[" * 48_000), "too deeply"),
        (b"<html><body>502 Bad Gateway</body></html>", "not an envelope"),
        (b"<Notification><Message>cut", "not an envelope"),
        (b"{}", "not a notification of IMM"),
        (b"[]", "not a notification of IMM"),
        (body({"Message": "hello", "MessageId": "m"}), "not a notification of IMM"),
        (body({"taskId": "t-1", "status": "Succeeded"}), "not a notification of IMM"),
        (body({"taskId": "42", "taskType": "SendEmail", "status": "done"}), "not a notification of IMM"),
        (body({"taskId": "v1", "taskType": "AsyncTask"}), "not a notification of IMM"),
        (body({"projectName": "etl", "taskId": "1234", "status": "SUCCESS"}), "not a notification of IMM"),
        (body({"projectName": "p", "requestId": "r", "data": {"taskId": "x"}}), "it names no task"),
        (body({"message": {"taskId": "9", "taskType": "k8s-job"}, "level": "info"}), "not a notification of IMM"),
        (body({"source": "acs.mts", "data": {"message": new()}}), "not a notification of IMM"),
        (body(new() | {"source": "acs.mts"}), "not a notification of IMM"),
        (body(wrapped(new()) | {"type": "mts:Job", "source": "acs.mts"}), "not a notification of IMM"),
        (
            body({"events": [{"eventName": "ObjectCreated:PutObject", "eventSource": "acs:oss", "oss": {}}]}),
            "not a notification of IMM",
        ),
        (body(old(taskId=" ")), "names no task"),
        (body(new(TaskId=None)), "names no task"),
        (body(new(TaskId=True)), "names no task"),
        (body(["hello", {}, new(TaskId=None)]), "names no task"),
        (body(wrapped("not JSON")), "names no task"),
        (body({"events": [{"eventSource": "acs:imm"}]}), "names no task"),
    ],
)
def test_a_message_without_an_event_says_why(message: bytes, reason: str) -> None:
    notification = parse(message)
    assert notification.events == ()
    assert reason in notification.reason


@pytest.mark.parametrize("form", [lambda index: wrapped(index) | {"type": "imm:FileMeta:Index"}, lambda index: index])
def test_a_notification_about_an_index_names_no_task(form: Callable[[object], object]) -> None:
    index = {
        "ProjectName": "demo",
        "DatasetName": "d",
        "RequestId": "r",
        "Success": True,
        "Message": "",
        "Files": [{"URI": "oss://bucket/a", "Error": ""}],
    }
    assert "names no task" in parse(body(form(index))).reason


def test_a_reason_never_quotes_the_message() -> None:
    for message in ("s3cret", '{"s3cret', '{"s3cret": 1}', "<s3cret>", '{"events": [{"imm": {"s3cret": 1}}]}'):
        assert "s3cret" not in parse(message.encode()).reason


@pytest.mark.parametrize(
    "message",
    [
        b'{"data":' * 8_000,
        b'{"Message":' * 900 + b"1" + b"}" * 900,
        b'{"type":' + b"[" * 800 + b"]" * 800 + b',"taskId":1}',
        b'{"events":[' + b",".join([b"{}"] * 20_000) + b"]}",
        b"[" + b",".join([b'"QUJD"'] * 9_000) + b"]",
        b"[]" * 32_768,
        b'"' * 65_536,
        b"<" + b"<Message>" * 7_000,
        b"<" + b"<Message " * 7_000,
        b"<a>" * 20_000,
        b"<x><Message>{&#" + b"1" * 60_000 + b";</Message>",
        b"<x><Message>" + b"&" * 60_000 + b"</Message>",
        '<x><Message>{"a":"\ud800"}</Message></x>'.encode("utf-8", "surrogatepass"),
        rb'"<x><Message>\ud800</Message></x>"',
    ],
)
def test_a_hostile_body_is_no_event_and_no_trouble(message: bytes) -> None:
    notification = parse(message)
    assert notification.events == ()
    assert notification.reason


@given(st.binary(max_size=400))
def test_no_bytes_are_trouble(data: bytes) -> None:
    for message in (data, base64.b64encode(data), b"{" + data, b"<Message>" + data + b"</Message>"):
        assert bool(parse(message).events) is not bool(parse(message).reason)


KEYS = st.sampled_from(["events", "imm", "taskId", "TaskType", "Message", "content", "data", "type", "source", "code"])
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["acs.imm", "imm:Task:X"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner, max_size=6) | inner.map(json.dumps)
    ),
)


@given(TREES)
def test_no_tree_is_trouble(tree: object) -> None:
    notification = parse(json.dumps(tree).encode())
    assert bool(notification.events) is not bool(notification.reason)
    for event in notification.events:
        assert event.identity
        json.dumps([event.task_id, event.name, event.code, event.message, event.time], ensure_ascii=False).encode()


# The round trip: any event, written in any version, wrapping and encoding, with blanks strewn over it, comes back.

WORDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
BLANKS = st.text(" \t\n\r", max_size=2)
FIGURES = st.none() | st.integers(0, 100)


@st.composite
def old_events(draw: st.DrawFn) -> Event:
    failed = draw(st.booleans())
    percent = draw(FIGURES)
    code = (
        draw(WORDS.filter(lambda word: word.lower() != "noerror"))
        if failed
        else draw(st.sampled_from([None, "NoError"]))
    )
    finished = draw(st.booleans())
    return Event(
        task_id=draw(WORDS),
        name="FormatConvertJob:" + ("JobFinished" if finished else "JobProgress"),
        status=Status.FAILED if failed else Status.SUCCEEDED if finished or percent == 100 else Status.RUNNING,
        percent=percent,
        page_count=draw(FIGURES),
        code=code,
        time=draw(st.none() | WORDS),
    )


@st.composite
def new_events(draw: st.DrawFn) -> Event:
    return Event(
        task_id=draw(WORDS),
        name="imm:Task:" + draw(st.sampled_from(["OfficeConversion", "MediaConvert"])),
        status=draw(st.sampled_from([Status.RUNNING, Status.SUCCEEDED, Status.FAILED])),
        code=draw(st.none() | WORDS),
        message=draw(st.none() | WORDS),
        time=draw(st.none() | WORDS),
    )


def strewn(draw: st.DrawFn, value: Any) -> Any:
    """`value` with blanks around its keys and strings, all the way down."""
    if isinstance(value, str):
        return draw(BLANKS) + value + draw(BLANKS)
    if isinstance(value, list):
        return [strewn(draw, item) for item in value]
    if isinstance(value, dict):
        return {strewn(draw, key): strewn(draw, item) for key, item in value.items()}
    return value


def maybe_text(draw: st.DrawFn, value: object) -> object:
    return json.dumps(value, ensure_ascii=draw(st.booleans())) if draw(st.booleans()) else value


def old_body(draw: st.DrawFn, events: list[Event]) -> object:
    figure = st.sampled_from([str, int])
    return {
        "events": [
            {
                "eventName": event.name,
                "eventTime": event.time,
                "imm": {
                    draw(st.sampled_from(["taskId", "TaskId", "taskID"])): event.task_id,
                    "percent": "" if event.percent is None else draw(figure)(event.percent),
                    "pageCount": None if event.page_count is None else draw(figure)(event.page_count),
                    "code": event.code,
                },
            }
            for event in events
        ]
    }


def new_body(draw: st.DrawFn, event: Event) -> object:
    word = draw(st.sampled_from([str.upper, str.lower, str.title]))(event.status.value)
    content = {
        "TaskId": event.task_id,
        "TaskType": event.name.removeprefix("imm:Task:"),
        "Status": word,
        "Code": event.code or "",
        "Message": event.message or "",
        ("EndTime" if event.status.finished else "StartTime"): event.time,
    }
    if draw(st.booleans()):
        return content
    outer = wrapped(maybe_text(draw, strewn(draw, content)), draw(st.sampled_from(["content", "data"])))
    return outer | {"type": event.name, "time": ""}


def enveloped(draw: st.DrawFn, published: object) -> str:
    """What MNS makes of a published message in each of its three formats."""
    kind = draw(st.sampled_from(["SIMPLIFIED", "JSON", "XML"]))
    if kind == "JSON":
        published = {"TopicName": "t", "MessageId": "m", "Message": maybe_text(draw, published), "PublishTime": "1"}
    text = json.dumps(published, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 2])))
    if kind == "XML":
        message = escape(base64.b64encode(text.encode()).decode() if draw(st.booleans()) else text)
        sound = f'<Notification xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageId>m</MessageId><Message>{message}</Message></Notification>'
        text = draw(st.sampled_from([sound, TORN_ENVELOPE.replace("{}", message)]))
    return text


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, tuple[Event, ...]]:
    """A message, and the events that were put into it."""
    if draw(st.booleans()):
        sent = draw(st.lists(old_events(), min_size=1, max_size=3))
        published = old_body(draw, sent)
    else:
        sent = [draw(new_events())]
        published = new_body(draw, sent[0])
    text = draw(BLANKS) + enveloped(draw, strewn(draw, published)) + draw(BLANKS)
    message = text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig"])))
    return (base64.b64encode(message) if draw(st.booleans()) else message), tuple(sent)


@given(messages())
def test_an_event_comes_back_from_every_wrapping(message: tuple[bytes, tuple[Event, ...]]) -> None:
    received, sent = message
    assert parse(received).events == sent
