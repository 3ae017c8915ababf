"""What the doctor concludes where one service knows more than another, or the history more than both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imm_tui import ram
from imm_tui.arrivals import Arrival
from imm_tui.doctor.asking import examine
from imm_tui.doctor.check import Verdict
from imm_tui.history import History
from imm_tui.listener import Election
from imm_tui.tasks import Conversion, Event, Status, now, rfc3339
from tests.cloud.conftest import Authority
from tests.cloud.servers import Service, free_port, hang
from tests.conftest import RunningEmulator, running_emulator
from tests.control import Control
from tests.doctor.conftest import Patient
from tests.doctor.test_diagnosis import another_consumer, send
from tests.emulator.raw import RawMns
from tests.mailbox import notification


@pytest.fixture(scope="module")
def other_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """The cloud of another account."""
    with running_emulator(tmp_path_factory.mktemp("other")) as running:
        yield running


def statuses(patient: Patient) -> dict[str, Verdict]:
    return {name: check.status for name, check in patient.named().items()}


@pytest.mark.parametrize("setting", ["imm_endpoint", "mns_endpoint"])
def test_a_key_that_one_service_knows_is_not_what_is_wrong(
    patient: Patient, other_cloud: RunningEmulator, setting: str
) -> None:
    patient.environ[f"IMM_TUI_{setting.upper()}"] = other_cloud.endpoint
    assert statuses(patient) == {setting: Verdict.FAIL}


def test_an_mns_without_topic_and_queue_is_the_wrong_one(patient: Patient, other_cloud: RunningEmulator) -> None:
    Control(other_cloud.endpoint).add_key(patient.emulator.access_key_id, patient.emulator.access_key_secret)
    elsewhere = RawMns(other_cloud)
    for path in ("/queues/imm-tui-queue", "/topics/imm-tui-topic"):
        assert elsewhere("DELETE", path).status == 204
    elsewhere.close()
    patient.environ["IMM_TUI_MNS_ENDPOINT"] = other_cloud.endpoint
    assert statuses(patient) == {"mns_endpoint": Verdict.FAIL}


def test_a_project_of_the_other_version_is_found_there(patient: Patient) -> None:
    create_in_2017(patient, "of-2017")
    patient.environ["IMM_TUI_PROJECT"] = "of-2017"
    named = patient.named()
    assert list(named) == ["project"]
    patient.follow(named["project"].fix)
    assert patient.settings.api_version == "2017-09-06"
    assert patient.named() == {}


def test_a_region_that_lacks_the_api_version_may_have_the_other(patient: Patient) -> None:
    patient.control.fault("error", operation="GetProject", status=400, code="InvalidVersion", count=1)
    named = patient.named()
    assert list(named) == ["project"]
    assert 'api_version = "2017-09-06"' in named["project"].fix


@pytest.mark.parametrize("setting", ["imm_endpoint", "mns_endpoint"])
def test_a_certificate_that_nobody_vouches_for(patient: Patient, tmp_path: Path, setting: str) -> None:
    with Service(hang, tls=Authority(tmp_path).server("127.0.0.1")) as service:
        patient.environ[f"IMM_TUI_{setting.upper()}"] = service.url
        named = patient.named()
    assert list(named) == [setting]
    assert "certificate" in named[setting].cause


def test_where_it_is_called_unencrypted_but_wants_tls_that_is_said(patient: Patient, tmp_path: Path) -> None:
    with Service(hang, tls=Authority(tmp_path).server("127.0.0.1")) as service:
        patient.environ["IMM_TUI_MNS_ENDPOINT"] = service.url.replace("https:", "http:")
        named = patient.named()
    assert list(named) == ["mns_endpoint"]
    assert f"Set IMM_TUI_MNS_ENDPOINT={service.url}." in named["mns_endpoint"].fix


def test_a_region_without_imm_is_the_one_thing_that_is_wrong(patient: Patient) -> None:
    patient.environ |= {"IMM_TUI_REGION": "cn-nowhere", "IMM_TUI_IMM_ENDPOINT": "", "IMM_TUI_STS_ENDPOINT": ""}
    patient.environ["IMM_TUI_STS_ENDPOINT"] = f"http://127.0.0.1:{free_port()}"
    assert statuses(patient) == {"region": Verdict.FAIL}


def create_in_2017(patient: Patient, name: str) -> None:
    from aliyunsdkcore.client import AcsClient
    from aliyunsdkcore.request import RpcRequest

    emulator = patient.emulator
    client = AcsClient(emulator.access_key_id, emulator.access_key_secret, emulator.region)
    request = RpcRequest("imm", "2017-09-06", "PutProject", "imm")
    request.set_endpoint(emulator.endpoint.removeprefix("http://"))
    request.set_method("POST")
    request.add_query_param("Project", name)
    request.add_query_param("ServiceRole", "AliyunIMMDefaultRole")
    client.do_action_with_exception(request)


@pytest.mark.parametrize("form", ["XML", "JSON", "SIMPLIFIED"])
def test_every_format_is_read(patient: Patient, form: str) -> None:
    patient.put("/topics/formatted", "<Topic></Topic>")
    patient.subscribe("formatted", "imm-tui-queue", f"<NotifyContentFormat>{form}</NotifyContentFormat>")
    patient.environ["IMM_TUI_TOPIC"] = "formatted"
    check = patient.examined()["format"]
    assert (check.status, form in check.cause) == (Verdict.OK, True)


def test_our_own_listener_is_no_other_consumer(patient: Patient) -> None:
    another_consumer(patient)
    with History(patient.history), Election(patient.history):
        assert patient.named() == {}
    assert statuses(patient) == {"consumers": Verdict.WARN}


def test_what_our_quarantine_hides_is_not_held_by_another_consumer(patient: Patient) -> None:
    another_consumer(patient)
    with History(patient.history) as history:
        history.store([Arrival(message_id="m", body=b"?", reason="It cannot be read.")], now())
        (number,) = history.quarantine_ids()
        history.record_hidden(number, "a-handle", now() + 60_000)
    assert patient.named() == {}


def test_messages_that_wait_are_events_and_stay(patient: Patient) -> None:
    for number in range(3):
        send(patient, notification(f"task-{number}"))
    check = patient.examined()["consumers"]
    assert (check.status, check.cause.split(".")[0]) == (Verdict.OK, "3 events wait on the queue")


def test_nothing_is_changed_consumed_or_made(patient: Patient) -> None:
    send(patient, notification("a-task"))
    before = len(patient.control.ledger())
    patient.examined()
    assert patient.control.ledger()[before:] == []
    left = patient.mns("GET", "/queues/imm-tui-queue")
    assert (left.text("ActiveMessages"), left.text("InactiveMessages")) == ("1", "0")
    assert not patient.history.parent.exists()


@pytest.mark.parametrize("code", ["ResourceNotFound", "InvalidParameter.TaskId", "TaskNotExist"])
def test_however_imm_says_that_there_is_no_such_task_one_may_ask(patient: Patient, code: str) -> None:
    patient.control.fault("error", operation="GetTask", status=400, code=code)
    assert patient.examined()["permissions"].status is Verdict.OK


def test_a_service_that_is_busy_is_asked_again(patient: Patient) -> None:
    patient.control.fault("throttle", count=4)
    assert patient.named() == {}


def test_what_is_decided_is_told_while_a_service_is_silent(patient: Patient) -> None:
    patient.control.fault("latency", service="imm", seconds=3)
    checks = examine(patient.settings, patient.keys, patient.history)
    first = {next(checks).name for _check in range(4)}
    assert not first & {"imm_endpoint", "project"}
    assert {check.name for check in checks} >= {"imm_endpoint", "project"}


# The last conversion


def converted(patient: Patient, *events: Event, submitted_at: int | None = None, since: int = 20_000) -> None:
    """A task of the project that has ended as `events` say, `since` milliseconds ago."""
    settings = patient.settings
    with History(patient.history) as history:
        conversion = Conversion(source_uri="oss://a-bucket/a.docx", target_uri="oss://a-bucket/out/", target_type="png")
        number = history.record_intent(
            conversion,
            project=settings.project,
            api_version=settings.api_version,
            token=f"token-{since}",
            at=now() if submitted_at is None else submitted_at,
        )
        history.record_accepted(number, task_id=events[0].task_id, request_id="r", percent=0, at=now())
        for event in events:
            event = replace(event, time=rfc3339(now() - since))
            if event.asked:
                history.record_answer(number, event, b"{}", "r", now())
            else:
                history.store([Arrival(message_id=event.task_id, body=b"{}", events=(event,))], now())


def ended(
    status: Status = Status.SUCCEEDED, code: str = "NoError", *, asked: bool = False, task: str = "a-task"
) -> Event:
    return Event(task_id=task, name="imm:Task:OfficeConversion", status=status, code=code, asked=asked)


def test_a_conversion_that_came_through_proves_the_roles_rights(patient: Patient) -> None:
    converted(patient, ended())
    assert patient.named() == {}


def test_a_conversion_that_failed_at_a_bucket_leads_to_the_service_role(patient: Patient) -> None:
    converted(patient, ended(Status.FAILED, "FailedToDownloadSrcFile"))
    named = patient.named()
    assert list(named) == ["permissions"]
    assert (
        ram.service_role_policy(patient.settings, ("a-bucket",), patient.emulator.account_id)
        in named["permissions"].fix
    )


def test_a_document_that_cannot_be_converted_is_nobodys_missing_right(patient: Patient) -> None:
    converted(patient, ended(Status.FAILED, "UnsupportedSrcFile"))
    assert patient.named() == {}


def test_an_event_that_never_came_leads_to_the_service_role(patient: Patient) -> None:
    converted(patient, ended(asked=True))
    named = patient.named()
    assert list(named) == ["permissions"]
    assert "mns:PublishMessage" in named["permissions"].fix
    assert "`imm-tui setup --private" in named["permissions"].fix  # or somebody else took it


def test_an_event_that_never_came_where_earlier_ones_did_was_taken(patient: Patient) -> None:
    converted(patient, ended(task="another-task"), since=60_000)
    converted(patient, ended(asked=True))
    named = patient.named()
    assert list(named) == ["consumers"]
    patient.control.clock(advance=60)  # a queue's age is in seconds
    patient.follow(named["consumers"].fix)
    assert patient.named() == {}


def test_an_event_that_still_waits_is_not_missed(patient: Patient) -> None:
    converted(patient, ended(asked=True))
    send(patient, notification("a-task"))
    assert patient.named() == {}


def test_an_event_that_may_still_come_is_not_missed(patient: Patient) -> None:
    converted(patient, ended(asked=True), since=0)
    assert patient.named() == {}


def test_a_message_that_came_back_was_with_another_consumer(patient: Patient) -> None:
    another_consumer(patient)
    patient.control.clock(advance=3600)
    back = patient.named()
    assert list(back) == ["consumers"]
    assert "came back" in back["consumers"].cause


def test_only_of_what_was_looked_at_it_is_said_what_it_is(patient: Patient) -> None:
    for number in range(20):
        send(patient, notification(f"task-{number}"))
    assert patient.examined()["consumers"].cause.startswith("20 messages wait on the queue; the 16 that")


def test_an_event_that_never_came_before_the_queue_was_made_proves_nothing(patient: Patient) -> None:
    converted(patient, ended(asked=True), submitted_at=now() - 3_600_000)
    assert patient.named() == {}


def test_an_event_that_never_came_is_explained_by_a_missing_subscription(patient: Patient) -> None:
    converted(patient, ended(asked=True))
    assert patient.mns("DELETE", "/topics/imm-tui-topic/subscriptions/imm-tui-subscription").status == 204
    assert list(patient.named()) == ["subscription"]


# Policies


def test_a_denial_comes_with_the_policy_that_ends_it(patient: Patient) -> None:
    patient.control.fault("error", operation="BatchPeekMessage", status=403, code="AccessDenied")
    patient.control.fault("error", operation="ListTasks", status=403, code="NoPermission")
    fix = patient.named()["permissions"].fix
    assert ram.policy(ram.needed(patient.settings), patient.settings, patient.emulator.account_id) in fix
    assert "mns:DeleteMessage" in fix  # what the doctor cannot try is in it too


def test_a_denial_by_an_mns_of_perhaps_another_account_says_so(patient: Patient) -> None:
    patient.control.fault("error", service="mns", status=403, code="AccessDenied")
    patient.environ["IMM_TUI_STS_ENDPOINT"] = f"http://127.0.0.1:{free_port()}"
    denied = patient.named()["permissions"]
    assert f"Or {patient.emulator.account_id} is not the account of the key" in denied.cause
    assert "acs:mns:*:*:" not in denied.fix
    assert f"acs:mns:{patient.emulator.region}:*:/queues/imm-tui-queue" in denied.fix


def test_an_aliyun_profile_without_a_file_is_said_where_it_was_looked_for(patient: Patient, tmp_path: Path) -> None:
    patient.environ["IMM_TUI_ALIYUN_PROFILE"] = "work"
    assert str(tmp_path / ".aliyun" / "config.json") in patient.named()["credentials"].cause
