"""Asking IMM: what is sent, what an answer says of a task, which tasks there are, and what is no answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imm_tui.cloud import connection, rpc
from imm_tui.cloud import imm as imm_room
from imm_tui.cloud.imm import Imm, Listed, Project
from imm_tui.errors import BadInput, Barred, Denied, KeyRefused, NotActivated, Refused, Trouble, Unreachable
from imm_tui.tasks import API_VERSIONS, ApiVersion, Event, Status, milliseconds
from tests.cloud.conftest import PASSWORD, SECRET, TEMPORARY_KEYS, assert_tells_nothing, imm_on, parameters
from tests.cloud.servers import Act, Service, answer, drip, free_port, hang, raw, reset, then_close

BEGAN, ENDED = "2026-11-23T06:51:25.042Z", "2026-11-23T06:51:27.100Z"
NEW = {
    "RequestId": "2E5A-1",
    "ProjectName": "a-project",
    "TaskId": "OfficeConversion-1",
    "TaskType": "OfficeConversion",
}
OLD = {"RequestId": "2E5A-1", "TaskId": "formatconvert-1", "SrcUri": "oss://b/a.docx", "TgtUri": "oss://b/out/"}
every_version = pytest.mark.parametrize("version", API_VERSIONS)


def event_of(fields: object, version: ApiVersion = "2020-09-30", task_id: str = "1") -> Event:
    """What the answer with these fields says of a task."""
    body = json.dumps(fields, indent=3, ensure_ascii=False).encode("utf-8", "surrogatepass")
    with Service(answer(200, body)) as fake, imm_on(fake.url, api_version=version) as imm:
        answered = imm.get_task(task_id)
    assert answered is not None
    assert answered.body == body
    assert answered.event.asked
    return answered.event


def trouble_of(act: Act, call: str, version: ApiVersion) -> Trouble:
    """What asking raises when IMM does `act`; it is asked once."""
    with Service(act) as fake, imm_on(fake.url, api_version=version, credentials=TEMPORARY_KEYS) as imm:
        with pytest.raises(Trouble) as caught:
            CALLS[call](imm)
        assert_tells_nothing(caught.value, fake)
    assert len(fake.requests) == 1
    return caught.value


CALLS: dict[str, Callable[[Imm], object]] = {
    "get_task": lambda imm: imm.get_task("task-1"),
    "list_tasks": lambda imm: list(imm.list_tasks(0, 10**12)),
}
every_call = pytest.mark.parametrize("call", CALLS)


def asked(version: ApiVersion, call: str, reply: str) -> dict[str, str]:
    with Service(answer(200, reply)) as fake, imm_on(fake.url, api_version=version) as imm:
        CALLS[call](imm)
    (request,) = fake.requests
    found = parameters(request)
    assert (request.method, request.body, found["Version"]) == ("POST", b"", version)
    common = "Version Format RegionId AccessKeyId Timestamp Signature SignatureMethod SignatureNonce SignatureType"
    return {name: value for name, value in found.items() if name not in (*common.split(), "SignatureVersion")}


# What is sent


def test_a_task_is_asked_for_in_the_words_of_each_version() -> None:
    reply = '{"TaskId": "task-1", "Status": "Running"}'
    assert asked("2017-09-06", "get_task", reply) == {
        "Action": "GetOfficeConversionTask",
        "Project": "a-project",
        "TaskId": "task-1",
    }
    assert asked("2020-09-30", "get_task", reply) == {
        "Action": "GetTask",
        "ProjectName": "a-project",
        "TaskType": "OfficeConversion",
        "TaskId": "task-1",
    }


def test_a_list_is_asked_for_in_the_words_of_each_version_and_never_with_the_passwords() -> None:
    assert asked("2017-09-06", "list_tasks", '{"Tasks": []}') == {
        "Action": "ListOfficeConversionTask",
        "Project": "a-project",
        "MaxKeys": "100",
    }
    assert asked("2020-09-30", "list_tasks", '{"Tasks": []}') == {
        "Action": "ListTasks",
        "ProjectName": "a-project",
        "TaskTypes": '["OfficeConversion"]',
        "StartTimeRange": '{"StartTime": "1970-01-01T00:00:00.000Z", "EndTime": "2001-09-09T01:46:40.000Z"}',
        "MaxResults": "100",
    }


# What an answer says


def test_a_finished_task_of_2020() -> None:
    told = {"Status": "Succeeded", "Code": "", "Message": "", "Progress": 100, "StartTime": BEGAN, "EndTime": ENDED}
    event = event_of(NEW | told | {"UserData": "token-1"})
    assert event == Event(
        task_id="OfficeConversion-1",
        name="GetTask",
        status=Status.SUCCEEDED,
        percent=100,
        time=ENDED,
        user_data="token-1",
        asked=True,
    )


def test_a_finished_task_of_2017() -> None:
    told = {"Status": "Finished", "Percent": 100, "PageCount": 5, "FailDetail": {"Code": "NoError"}}
    event = event_of(OLD | told | {"CreateTime": BEGAN, "FinishTime": ENDED}, "2017-09-06")
    assert event == Event(
        task_id="formatconvert-1",
        name="GetOfficeConversionTask",
        status=Status.SUCCEEDED,
        percent=100,
        page_count=5,
        code="NoError",
        time=ENDED,
        asked=True,
    )


def test_a_failed_task_says_why_in_either_version() -> None:
    new = event_of(NEW | {"Status": "Failed", "Code": "ConvertTimeout", "Message": "Too large.", "EndTime": ENDED})
    assert (new.status, new.code, new.message, new.time) == (Status.FAILED, "ConvertTimeout", "Too large.", ENDED)
    old = event_of(OLD | {"Status": "Failed", "Percent": 0, "FailDetail": {"Code": "ConvertTimeout"}}, "2017-09-06")
    assert (old.status, old.code, old.percent, old.time) == (Status.FAILED, "ConvertTimeout", 0, None)


def test_a_running_task_has_the_time_of_its_beginning_and_no_figure_that_nobody_keeps() -> None:
    new = event_of(NEW | {"Status": "Running", "Progress": 0, "StartTime": BEGAN, "EndTime": ""})
    assert (new.status, new.percent, new.page_count, new.time) == (Status.RUNNING, None, None, BEGAN)
    assert event_of(NEW | {"Status": "Running", "Progress": 40}).percent == 40
    old = event_of(OLD | {"Status": "Running", "Percent": 0, "PageCount": 0, "CreateTime": BEGAN}, "2017-09-06")
    assert (old.status, old.percent, old.page_count, old.time) == (Status.RUNNING, 0, None, BEGAN)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"Status": "Queued"}, Status.RUNNING),
        ({"Status": None}, Status.RUNNING),
        ({"Status": 7, "Code": "NoError"}, Status.RUNNING),
        ({"Status": "Queued", "FailDetail": {"Code": "NoError"}, "FinishTime": ""}, Status.RUNNING),
        ({"Status": "Done", "EndTime": ENDED}, Status.SUCCEEDED),
        ({"Status": "Done", "FinishTime": ENDED, "FailDetail": {"Code": "NoError"}}, Status.SUCCEEDED),
        ({"Status": "Cancelled", "Code": "Cancelled", "EndTime": ENDED}, Status.FAILED),
        ({"FailDetail": {"Code": "OpenFileError"}}, Status.FAILED),
        ({"Status": " succeeded "}, Status.SUCCEEDED),
        ({"Status": "Running", "EndTime": ENDED}, Status.RUNNING),
    ],
)
def test_a_word_that_nobody_knows_yet_is_running_until_something_says_that_it_ended(
    fields: dict[str, Any], status: Status
) -> None:
    assert event_of({"TaskId": "1", **fields}).status is status


def test_odd_and_missing_fields_cost_only_themselves() -> None:
    odd: dict[str, object] = {
        "TaskId": None,
        "Status": "Succeeded",
        "Code": 7,
        "Message": [],
        "Progress": "most",
        "PageCount": -1,
    }
    event = event_of(odd | {"EndTime": {}, "FailDetail": "x", "UserData": "\ud800"}, task_id="the one")
    assert event == Event(task_id="the one", name="GetTask", status=Status.SUCCEEDED, user_data="\\ud800", asked=True)
    assert event_of({"TaskId": "1", "Percent": "40", "PageCount": 5.0}).percent == 40


def test_a_task_is_known_with_and_without_the_name_of_its_kind() -> None:
    assert event_of({"TaskId": "formatconvert-AB"}, task_id="ab").task_id == "formatconvert-AB"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3),
)
field_names = ["TaskId", "Status", "Code", "Message", "Progress", "PageCount", "FailDetail", "EndTime", "UserData"]


@given(st.dictionaries(st.sampled_from(field_names), json_values))
def test_no_answer_makes_it_fail(fields: dict[str, object]) -> None:
    event = imm_room._event("GetTask", fields, "1")
    if event is not None:
        assert event.identity
        json.dumps(event.verdict(0), ensure_ascii=False).encode()
    imm_room._listed(fields)


# What IMM does not know


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (404, "InvalidTaskId.NotFound", "The specified resource task is not found."),
        (404, "InvalidTaskId.NotFound", None),
        (400, "TaskNotExist", "No."),
        (400, "ResourceNotFound", "The specified resource task is not found."),
        (400, "ResourceNotFound.Task", "No."),
        (404, "ResourceNotFound", "The resource task-1 does not exist."),
        (400, "ResourceNotFound", "The TaskId is not found in project task-demo."),
    ],
)
@every_version
def test_a_task_that_imm_does_not_know_is_none(version: ApiVersion, status: int, code: str, message: str) -> None:
    refusal = answer(status, json.dumps({"Code": code, "Message": message, "RequestId": "R"}))
    with Service(refusal) as fake, imm_on(fake.url, api_version=version) as imm:
        assert imm.get_task("task-1") is None


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "ResourceNotFound", "The specified resource project is not found."),
        (400, "ResourceNotFound", "The project task-demo of task task-1 does not exist."),
        (400, "ResourceNotFound", ""),
        (404, "InvalidProject.NotFound", "The task's project is not found."),
        (400, "InvalidParameter.TaskId", "The task is malformed."),
        (404, "InvalidAction.NotFound", "Specified api is not found."),
    ],
)
@every_version
def test_what_else_is_missing_is_a_refusal(version: ApiVersion, status: int, code: str, message: str) -> None:
    refusal = answer(status, json.dumps({"Code": code, "Message": message, "RequestId": "R"}))
    trouble = trouble_of(refusal, "get_task", version)
    assert isinstance(trouble, Refused)
    assert trouble.code == code


# Which tasks there are


def pages(*replies: dict[str, Any]) -> list[Act]:
    return [answer(200, json.dumps(reply)) for reply in replies]


def test_every_page_is_asked_for_with_the_token_of_the_one_before() -> None:
    replies = pages(
        {"Tasks": [{"TaskId": "a", "StartTime": BEGAN, "UserData": "token-1"}], "NextToken": " 1+/="},
        {"Tasks": [], "NextToken": "2"},
        {"Tasks": [{"TaskId": "b"}, {"Status": "Running"}, None, {"TaskId": "c", "UserData": ""}], "NextToken": ""},
    )
    with Service(*replies) as fake, imm_on(fake.url) as imm:
        assert list(imm.list_tasks(0, 2 * 10**12)) == [
            Listed("a", "token-1", None, None, None, milliseconds(BEGAN)),
            Listed("b", None, None, None, None, None),
            Listed("c", None, None, None, None, None),
        ]
    assert [parameters(request).get("NextToken") for request in fake.requests] == [None, " 1+/=", "2"]


def test_the_old_version_lists_all_and_the_time_is_looked_at_here() -> None:
    began = milliseconds(BEGAN)
    assert began is not None
    tasks = [{"TaskId": "a", "SrcUri": "oss://b/a", "TgtUri": "oss://b/out/", "TgtType": "png", "CreateTime": BEGAN}]
    replies = pages(
        {"Tasks": [*tasks, {"TaskId": "b", "CreateTime": "2026-11-23T14:51:25.043000+08:00"}], "NextMarker": "b"},
        {"Tasks": [{"TaskId": "c", "CreateTime": "2020-11-13T07:53:08.687000Z"}, {"TaskId": "d", "CreateTime": "?"}]},
    )
    with Service(*replies) as fake, imm_on(fake.url, api_version="2017-09-06") as imm:
        assert list(imm.list_tasks(began - 5, began)) == [
            Listed("a", None, "oss://b/a", "oss://b/out/", "png", began),
            Listed("d", None, None, None, None, None),
        ]
    assert [parameters(request).get("Marker") for request in fake.requests] == [None, "b"]


@every_version
def test_a_list_without_end_is_left(version: ApiVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "NextMarker" if version == "2017-09-06" else "NextToken"
    circle = pages(*({"Tasks": [{"TaskId": "a"}], key: token} for token in "1212"))
    with Service(*circle) as fake, imm_on(fake.url, api_version=version) as imm:
        assert len(list(imm.list_tasks(0, 1))) == 3
    assert len(fake.requests) == 3
    monkeypatch.setattr(imm_room, "PAGES", 20)
    endless = pages(*({"Tasks": [{"TaskId": "a"}], key: str(number)} for number in range(40)))
    with Service(*endless) as fake, imm_on(fake.url, api_version=version) as imm:
        assert len(list(imm.list_tasks(0, 1))) == 20
    assert len(fake.requests) == 20


def test_what_came_before_a_page_that_fails_is_not_lost() -> None:
    first = answer(200, '{"Tasks": [{"TaskId": "a"}], "NextToken": "1"}')
    found = []
    with Service(first, answer(503, "<p>Busy", retry_after="3")) as fake, imm_on(fake.url) as imm:
        tasks = imm.list_tasks(0, 1)
        found.append(next(tasks).task_id)
        with pytest.raises(Unreachable) as caught:
            next(tasks)
    assert (found, caught.value.retry_after) == (["a"], 3)


def test_an_empty_list_may_be_missing() -> None:
    for reply in ('{"RequestId": "R", "NextToken": ""}', '{"Tasks": null}', '{"Tasks": [], "NextToken": 7}'):
        with Service(answer(200, reply)) as fake, imm_on(fake.url) as imm:
            assert list(imm.list_tasks(0, 1)) == []


# What is no answer


@every_version
@every_call
@pytest.mark.parametrize(
    "act",
    [
        then_close(),
        reset,
        then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"),
        then_close(b'HTTP/1.1 200 OK\r\n\r\n{"TaskId": "task-1", "Tasks": ['),
        raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
        answer(200, "<html>Sign in</html>"),
        answer(200),
        answer(200, "[]"),
        answer(200, "{}"),
        answer(200, '{"Code": "Success"}'),
        answer(200, "[" * 100_000),
        answer(200, b"\xd6\xd0\xce\xc4"),
        answer(400, b"\xd6\xd0\xce\xc4"),
        answer(404, '{"Code": null, "Message": null}'),
        answer(502, "<html>Bad gateway</html>"),
        answer(503, '{"TaskId": "task-1", "Status": "Running", "Tasks": []}'),
    ],
)
def test_what_cannot_be_read_is_no_answer_and_no_mystery(act: Act, call: str, version: ApiVersion) -> None:
    trouble = trouble_of(act, call, version)
    assert isinstance(trouble, Unreachable)
    assert trouble.why
    assert trouble.fix


def test_an_answer_about_another_task_is_no_answer() -> None:
    act = answer(200, '{"TaskId": "task-2", "Status": "Succeeded", "RequestId": "R"}')
    assert isinstance(trouble_of(act, "get_task", "2020-09-30"), Unreachable)


@every_call
def test_silence_has_an_end(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    monkeypatch.setattr(rpc, "READ_SECONDS", 0.2)
    monkeypatch.setattr(connection, "SLACK_SECONDS", 0.1)
    for act in (hang, drip(b"HTTP/1.1 200 OK\r\nX:", b"x")):
        trouble = trouble_of(act, call, "2020-09-30")
        assert isinstance(trouble, Unreachable)
        assert "in time" in trouble.why


@every_call
@every_version
def test_a_redirect_is_not_followed(call: str, version: ApiVersion) -> None:
    with Service(answer(200, '{"TaskId": "task-1", "Tasks": []}')) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            trouble = trouble_of(answer(status, location=f"{elsewhere.url}/"), call, version)
            assert isinstance(trouble, Unreachable)
            assert str(status) in trouble.why
    assert elsewhere.connections == 0


@every_call
def test_nobody_there(call: str) -> None:
    with imm_on(f"http://127.0.0.1:{free_port()}") as imm, pytest.raises(Unreachable) as caught:
        CALLS[call](imm)
    assert "refused" in caught.value.why
    assert_tells_nothing(caught.value)


@pytest.mark.parametrize(
    ("version", "call", "action"),
    [
        ("2017-09-06", "get_task", "imm:GetOfficeConversionTask"),
        ("2020-09-30", "get_task", "imm:GetTask"),
        ("2017-09-06", "list_tasks", "imm:ListOfficeConversionTask"),
        ("2020-09-30", "list_tasks", "imm:ListTasks"),
    ],
)
def test_a_refusal_names_the_permission_that_is_missing(version: ApiVersion, call: str, action: str) -> None:
    for code in ("AccessDenied", "BrandNew"):
        refusal = answer(403, json.dumps({"Code": code, "Message": f"No. {SECRET} {PASSWORD}", "RequestId": "R"}))
        trouble = trouble_of(refusal, call, version)
        assert isinstance(trouble, Barred)
        assert action in str(trouble)


@pytest.mark.parametrize(
    ("status", "code", "barred"),
    [
        (401, "BrandNew", True),
        (403, "BrandNew", True),
        (403, "Throttling.User", False),
        (429, "Throttling", False),
        (503, "ServiceUnavailable", False),
        (400, "BrandNew", False),
    ],
)
@every_call
def test_a_refusal_of_the_caller_bars_and_one_that_slows_him_down_says_for_how_long(
    call: str, status: int, code: str, barred: bool
) -> None:
    trouble = trouble_of(answer(status, json.dumps({"Code": code}), retry_after="12"), call, "2020-09-30")
    assert isinstance(trouble, Refused)
    assert (isinstance(trouble, Barred), trouble.retry_after) == (barred, 12)


@pytest.mark.parametrize(("status", "denied"), [(401, True), (403, True), (407, True), (404, False), (502, False)])
@every_call
def test_a_portal_that_denies_is_told_from_one_that_is_broken(call: str, status: int, denied: bool) -> None:
    trouble = trouble_of(answer(status, "<p>No.", retry_after="12"), call, "2020-09-30")
    assert isinstance(trouble, Unreachable)
    assert (trouble.denied, trouble.retry_after) == (denied, 12)


# Which projects there are


@every_version
def test_a_project_tells_its_role_and_its_age(version: ApiVersion) -> None:
    old = version == "2017-09-06"
    fields = {"ServiceRole": "AliyunIMMDefaultRole", "CreateTime": BEGAN, "CU": 1, "New": {"deep": 1}}
    reply = {"Project": "a-project", "Endpoint": "imm.example", **fields}
    if not old:
        reply = {"Project": {"ProjectName": "a-project", **fields}}
    act = answer(200, json.dumps(reply | {"RequestId": "R"}))
    with Service(act) as fake, imm_on(fake.url, api_version=version) as imm:
        project = imm.get_project()
    assert project == Project("a-project", "AliyunIMMDefaultRole", milliseconds(BEGAN), "imm.example" if old else "")
    asked = parameters(fake.requests[0])
    assert asked["Action"] == "GetProject"
    assert asked["Project" if old else "ProjectName"] == "a-project"


@every_version
@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (404, "InvalidProject.NotFound", "The specified resource project is not found."),
        (400, "ResourceNotFound", "The specified resource project is not found."),
        (404, "ProjectNotFound", "No."),
        (400, "ResourceNotFound", ""),
    ],
)
def test_a_project_that_this_version_does_not_have_is_none(
    version: ApiVersion, status: int, code: str, message: str
) -> None:
    refusal = answer(status, json.dumps({"Code": code, "Message": message, "RequestId": "R"}))
    with Service(refusal) as fake, imm_on(fake.url, api_version=version) as imm:
        assert imm.get_project() is None


@every_version
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "InvalidAccessKeyId.NotFound", KeyRefused),
        (404, "InvalidAction.NotFound", Barred),
        (403, "NoPermission", Denied),
        (403, "AccessDenied", Denied),
        (403, "Forbidden.RAM", Denied),
        (403, "UserNotOpen", NotActivated),
        (400, "ServiceNotActivated", NotActivated),
    ],
)
@pytest.mark.parametrize("call", [lambda imm: imm.get_project(), lambda imm: imm.list_projects()])
def test_what_says_nothing_about_a_project_is_a_refusal(
    call: Callable[[Imm], object], version: ApiVersion, status: int, code: str, kind: type[Barred]
) -> None:
    refusal = answer(status, json.dumps({"Code": code, "Message": "No project here.", "RequestId": "R"}))
    with Service(refusal) as fake, imm_on(fake.url, api_version=version) as imm, pytest.raises(kind) as caught:
        call(imm)
    assert type(caught.value) is kind
    if isinstance(caught.value, Denied):
        assert caught.value.action in ("imm:GetProject", "imm:ListProjects")


@every_version
@pytest.mark.parametrize("reply", ["{}", "<html>", '{"Project": 5}', '{"Project": {}}', '{"Project": ""}'])
def test_an_answer_without_a_project_is_none(version: ApiVersion, reply: str) -> None:
    act = answer(200, reply)
    with Service(act) as fake, imm_on(fake.url, api_version=version) as imm, pytest.raises(Unreachable):
        imm.get_project()


def test_projects_are_listed_page_after_page_without_one_being_named() -> None:
    replies = pages(
        {"Projects": [{"ProjectName": "a"}, {"Junk": 1}, None], "NextToken": "1"},
        {"Projects": [{"ProjectName": "b", "ServiceRole": "r"}], "NextToken": ""},
    )
    with Service(*replies) as fake, imm_on(fake.url, project=None) as imm:
        assert [project.name for project in imm.list_projects()] == ["a", "b"]
    assert [parameters(request).get("NextToken") for request in fake.requests] == [None, "1"]
    assert "ProjectName" not in parameters(fake.requests[0])


def test_without_a_project_nothing_else_is_asked() -> None:
    with Service(answer(200, "{}")) as fake, imm_on(fake.url, project=None) as imm:
        for call in (imm.get_project, lambda: imm.get_task("1"), lambda: list(imm.list_tasks(0, 1))):
            with pytest.raises(BadInput) as caught:
                call()
            assert caught.value.field == "project"
    assert not fake.requests


@every_version
def test_a_listed_task_says_how_it_ended_and_why(version: ApiVersion) -> None:
    tasks = [
        {"TaskId": "a", "Status": "Failed", "Code": "FailedToDownloadSrcFile"},
        {"TaskId": "b", "Status": "Finished"},
        {"TaskId": "c", "Status": "Queued"},
    ]
    with Service(*pages({"Tasks": tasks})) as fake, imm_on(fake.url, api_version=version) as imm:
        listed = [(task.status, task.code) for task in imm.list_tasks(0, 1)]
    assert listed == [(Status.FAILED, "FailedToDownloadSrcFile"), (Status.SUCCEEDED, None), (None, None)]


@every_version
def test_the_services_clock_shows_in_every_answer(version: ApiVersion) -> None:
    date = formatdate(time.time() + 3600, usegmt=True)
    refusal = json.dumps({"Code": "InvalidTimeStamp.Expired", "Message": "No.", "RequestId": "R"})
    acts = answer(400, refusal, Date=date), answer(200, "{}", Date="soon")
    with Service(*acts) as fake, imm_on(fake.url, api_version=version) as imm:
        assert imm.clock_offset is None
        for _time in range(2):
            with pytest.raises((Refused, Unreachable)):
                imm.get_project()
            assert imm.clock_offset is not None
            assert abs(imm.clock_offset - 3600) < 60
