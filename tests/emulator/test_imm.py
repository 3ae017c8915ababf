"""What both API versions share: the gateway's answers, the life of a task and its one notification."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from typing import Any

import pypdfium2 as pdfium
import pytest

from imm_tui.emulator.imm.parameters import ImmError
from imm_tui.emulator.imm.service import Imm
from tests.emulator.conftest import PROJECT, Service, Start

VERSIONS = ["2017-09-06", "2020-09-30"]


async def create(service: Service, source: str = "产品手册.pdf", **more: object) -> str:
    """Starts a conversion to png that tells the topic `results`; the task's id."""
    if service.version == "2017-09-06":
        request: dict[str, object] = {
            "SrcUri": f"oss://bucket/{source}",
            "TgtUri": "oss://bucket/out/",
            "TgtType": "png",
            "NotifyEndpoint": "http://1234567890123456.mns.cn-beijing.aliyuncs.com/",
            "NotifyTopicName": "results",
        }
    else:
        request = {
            "SourceURI": f"oss://bucket/{source}",
            "TargetURIPrefix": "oss://bucket/out/",
            "TargetType": "png",
            "Notification": '{"MNS": {"TopicName": "results"}}',
        }
    return str((await service.call("CreateOfficeConversionTask", **(request | more)))["TaskId"])


async def get(service: Service, task_id: str) -> dict[str, Any]:
    if service.version == "2017-09-06":
        return await service.call("GetOfficeConversionTask", TaskId=task_id)
    return await service.call("GetTask", TaskType="OfficeConversion", TaskId=task_id)


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({"Version": "2017-09-06", "Action": "Fly"}, 404, "InvalidAction.NotFound"),
        ({"Version": "2020-09-30", "Action": "PutProject"}, 404, "InvalidAction.NotFound"),
        ({"Version": "2017-09-06", "Action": "GetTask"}, 404, "InvalidAction.NotFound"),
        ({"Version": "2015-01-01", "Action": "GetProject"}, 400, "InvalidVersion"),
        ({"Version": "2017-09-06"}, 400, "MissingAction"),
        ({"Action": "GetProject"}, 400, "MissingVersion"),
    ],
)
async def test_the_gateway_knows_versions_and_actions(
    start: Start, parameters: dict[str, str], status: int, code: str
) -> None:
    service = await start(VERSIONS[0])
    with pytest.raises(ImmError) as refusal:
        await service.imm.call(parameters)
    assert (refusal.value.status, refusal.value.code) == (status, code)


async def test_a_project_of_one_version_is_invisible_to_the_other(start: Start) -> None:
    service = await start(VERSIONS[0])
    await service.call("PutProject", Project="old")
    await service.imm.call({"Version": "2020-09-30", "Action": "CreateProject", "ProjectName": "new"})
    with pytest.raises(ImmError, match="The specified resource project is not found"):
        await service.call("GetProject", Project="new")
    with pytest.raises(ImmError, match="The specified resource project is not found"):
        await service.imm.call({"Version": "2020-09-30", "Action": "GetProject", "ProjectName": "old"})
    listed = await service.imm.call({"Version": "2020-09-30", "Action": "ListProjects"})
    assert isinstance(listed["Projects"], list)
    assert [project["ProjectName"] for project in listed["Projects"]] == [PROJECT, "new"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_task_has_ended_when_its_event_arrives(start: Start, version: str) -> None:
    service = await start(version)
    task_id = await create(service)
    assert (await get(service, task_id))["Status"] == "Running"
    await service.event()
    task = await get(service, task_id)
    assert task["Status"] in ("Finished", "Succeeded")
    assert sorted(path.name for path in (service.bucket / "out").iterdir()) == [f"{n}.png" for n in range(1, 6)]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_missing_source_is_accepted_and_fails_with_one_event(start: Start, version: str) -> None:
    service = await start(version)
    task_id = await create(service, "missing.pdf")
    await service.event()
    assert (await get(service, task_id))["Status"] == "Failed"
    await create(service)
    assert task_id not in str(await service.event())


async def test_paced_tasks_overlap_and_none_ends_early(start: Start) -> None:
    service = await start("2020-09-30", pace=0.5)
    tasks = [await create(service) for _ in range(10)]
    for _ in tasks:
        await service.event()
    listed = (await service.call("ListTasks"))["Tasks"]
    times = [[datetime.fromisoformat(task[name]) for name in ("StartTime", "EndTime")] for task in listed]
    assert all(end - begin >= timedelta(seconds=0.499) for begin, end in times)
    assert max(begin for begin, _ in times) < min(end for _, end in times)


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_task_of_a_crowd_ends_once(start: Start, version: str) -> None:
    service = await start(version)
    started = {await create(service, "产品手册.pdf" if number % 3 else "missing.pdf") for number in range(60)}
    events = [str(await service.event()) for _ in started]
    assert all(sum(task_id in event for event in events) == 1 for task_id in started)
    assert service.events.empty()


async def test_a_task_without_a_topic_ends_in_silence(start: Start) -> None:
    service = await start("2020-09-30")
    silent = await create(service, Notification=None)
    loud = await create(service)
    assert loud in str(await service.event())
    assert (await get(service, silent))["TaskId"] == silent
    assert service.events.empty()


async def test_closing_ends_what_runs_without_an_event(start: Start) -> None:
    service = await start("2017-09-06", pace=3600)
    await create(service)
    await service.imm.close()
    assert service.events.empty()


async def test_the_two_versions_name_their_tasks_differently(start: Start) -> None:
    service = await start("2017-09-06")
    assert (await create(service)).startswith("formatconvert-")
    service.version = "2020-09-30"
    assert (await create(service)).startswith("OfficeConversion-")


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
async def test_libreoffice_is_used_where_it_is(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    service = await start("2017-09-06")
    monkeypatch.undo()
    (service.bucket / "销售.csv").write_text("季度,销售额\n一,1280\n", encoding="utf-8")
    await create(service, "销售.csv", TgtType="pdf")
    assert (await service.event())["events"][0]["imm"]["code"] == "NoError"
    document = pdfium.PdfDocument(service.bucket / "out" / "销售.pdf")
    assert "1280" in document[0].get_textpage().get_text_range()
    document.close()


async def test_a_service_that_converted_nothing_started_nothing(start: Start) -> None:
    imm: Imm = (await start("2017-09-06")).imm
    await imm.close()


@pytest.mark.parametrize(
    ("version", "token"),
    [(VERSIONS[0], "IdempotentToken"), (VERSIONS[0], "UserData"), (VERSIONS[1], "UserData")],
)
async def test_the_ledger_has_each_submission_that_took_effect(start: Start, version: str, token: str) -> None:
    service = await start(version)
    task_id = await create(service, **{token: "mine"})
    with pytest.raises(ImmError):
        await create(service, "folder/", **{token: "refused"})
    other_id = await create(service, "none.pdf")
    entries = list(service.ledger.entries())
    assert [entry["action"] for entry in entries] == ["submit", "submit"]
    assert [(entry["task_id"], entry["source"], entry["token"]) for entry in entries] == [
        (task_id, "oss://bucket/产品手册.pdf", "mine"),
        (other_id, "oss://bucket/none.pdf", ""),
    ]
    assert {entry["api_version"] for entry in entries} == {version}


async def test_a_submission_sent_again_under_its_token_is_one_submission(start: Start) -> None:
    service = await start("2017-09-06")
    assert await create(service, IdempotentToken="once") == await create(service, IdempotentToken="once")
    assert len(list(service.ledger.entries())) == 1


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_was_under_way_when_all_was_cleared_is_never_heard_of(start: Start, version: str) -> None:
    service = await start(version, pace=0.3)
    gone = await create(service)
    await service.imm.clear()
    with pytest.raises(ImmError):
        await get(service, gone)
    service.imm.put_project(PROJECT)
    for _ in range(2):  # the second ends long after the one that is gone would have
        task_id = await create(service)
        assert task_id in str(await service.event())
