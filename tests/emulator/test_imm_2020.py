"""IMM 2020-09-30 as its clients see it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from PIL import Image

from imm_tui.emulator.imm.parameters import ImmError
from tests.emulator.conftest import PROJECT, Service, Start

REQUEST = {
    "SourceURI": "oss://bucket/产品手册.pdf",
    "TargetURIPrefix": "oss://bucket/out/",
    "TargetType": "png",
    "Notification": '{"MNS": {"TopicName": "results"}}',
}
MILLISECONDS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture
async def service(start: Start) -> Service:
    return await start("2020-09-30")


async def create(service: Service, **more: object) -> str:
    return str((await service.call("CreateOfficeConversionTask", **(REQUEST | more)))["TaskId"])


async def get(service: Service, task_id: str) -> dict[str, Any]:
    return await service.call("GetTask", TaskType="OfficeConversion", TaskId=task_id)


async def convert(service: Service, **more: object) -> dict[str, Any]:
    """A conversion from its start to its event; what GetTask then says."""
    task_id = await create(service, **more)
    assert json.loads((await service.event())["content"])["TaskId"] == task_id
    return await get(service, task_id)


async def refusal(service: Service, action: str, **parameters: object) -> tuple[int, str]:
    with pytest.raises(ImmError) as refused:
        await service.call(action, **parameters)
    return refused.value.status, refused.value.code


def outputs(service: Service, folder: str = "out") -> list[str]:
    return sorted(path.name for path in (service.bucket / folder).iterdir())


async def test_a_project_carries_its_defaults(service: Service) -> None:
    created = (await service.call("CreateProject", ProjectName="new", Description="试验"))["Project"]
    assert (await service.call("GetProject", ProjectName="new"))["Project"] == created
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\+08:00", created["CreateTime"])
    assert created["ServiceRole"] == "AliyunIMMDefaultRole"
    assert (created["ProjectQueriesPerSecond"], created["EngineConcurrency"]) == (100, 100)


async def test_a_project_is_created_once(service: Service) -> None:
    assert await refusal(service, "CreateProject") == (400, "ResourceAlreadyExists")
    assert await service.call("DeleteProject") == {}
    assert await refusal(service, "GetProject") == (400, "ResourceNotFound")


async def test_projects_are_listed_by_prefix_and_tag_page_by_page(service: Service) -> None:
    for name in ("team-a", "team-b", "team-c"):
        await service.call("CreateProject", ProjectName=name, Tag='[{"Key": "team", "Value": "x"}]')
    first = await service.call("ListProjects", Prefix="team-", MaxResults=2)
    rest = await service.call("ListProjects", Prefix="team-", MaxResults=2, NextToken=first["NextToken"])
    names = [project["ProjectName"] for page in (first, rest) for project in page["Projects"]]
    assert names == ["team-a", "team-b", "team-c"]
    assert rest["NextToken"] == ""
    tagged = await service.call("ListProjects", **{"Tag.1.Key": "team", "Tag.1.Value": "x"})
    assert PROJECT not in str(tagged["Projects"])
    assert len(tagged["Projects"]) == 3


async def test_a_created_task_is_an_id_and_no_more(service: Service) -> None:
    reply = await service.call("CreateOfficeConversionTask", **REQUEST)
    assert set(reply) == {"TaskId", "EventId"}
    assert re.fullmatch(r"OfficeConversion-[0-9a-f-]{36}", reply["TaskId"])
    assert (await get(service, reply["TaskId"]))["EventId"] == reply["EventId"]


async def test_nothing_tells_progress_or_pages(service: Service) -> None:
    task_id = await create(service)
    running = await get(service, task_id)
    assert (running["Status"], running["Progress"], running["EndTime"]) == ("Running", 0, "")
    event = await service.event()
    succeeded = await get(service, task_id)
    assert succeeded["Status"] == "Succeeded"
    assert not any("page" in name.lower() for name in (*succeeded, *json.loads(event["content"])))


async def test_the_event_wraps_what_the_task_says(service: Service) -> None:
    task_id = await create(service, UserData='{"文件": 1}', SourceURI="oss://bucket/missing.pdf")
    event = await service.event()
    assert re.fullmatch(r"\d{13}", event["time"])
    assert (event["source"], event["type"]) == ("acs.imm", "imm:Task:OfficeConversion")
    assert event["subject"] == f"acs:imm:cn-beijing:1234567890123456:{PROJECT}/imm:Task:OfficeConversion"
    content = json.loads(event["content"])
    assert re.fullmatch(MILLISECONDS, content["StartTime"])
    assert re.fullmatch(MILLISECONDS, content["EndTime"])
    assert content.pop("RequestId")
    assert (content.pop("DatasetName"), content.pop("EventSourceId")) == ("", "")
    task = await get(service, task_id)
    assert (task["Status"], task["Code"], task["UserData"]) == ("Failed", "FailedToDownloadSrcFile", '{"文件": 1}')
    assert "missing.pdf" in task["Message"]
    assert content == {name: task[name] for name in content}


async def test_tasks_are_found_by_what_they_are(service: Service) -> None:
    good = (await convert(service, Tags='{"team": "x", "kind": "a=b"}'))["TaskId"]
    bad = (await convert(service, Tags='{"team": "x"}', SourceURI="oss://bucket/missing.pdf"))["TaskId"]
    moment = (await get(service, bad))["StartTime"]

    async def found(**filters: object) -> list[str]:
        return [task["TaskId"] for task in (await service.call("ListTasks", **filters))["Tasks"]]

    assert await found() == sorted([good, bad])
    assert await found(Status="Failed") == [bad]
    assert await found(TagSelector="team=x") == sorted([good, bad])
    assert await found(TagSelector="team=x,kind=a=b") == [good]
    assert await found(TaskTypes='["OfficeConversion"]', Status="Succeeded") == [good]
    assert await found(TaskTypes='["MediaConvert"]') == []
    assert await found(StartTimeRange='{"StartTime": "2999-01-01T00:00:00Z"}') == []
    assert await found(EndTimeRange=json.dumps({"EndTime": moment}), Status="Failed") == []
    assert await found(Sort="StartTime") == [good, bad]
    assert await found(Sort="EndTime", Order="desc") == [bad, good]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", ["TaskId", "StartTime", "EndTime"])
async def test_pages_of_tasks_join_without_a_gap(service: Service, sort: str, order: str) -> None:
    created = {(await convert(service, SourceURI="oss://bucket/missing.pdf"))["TaskId"] for _ in range(7)}
    listed, token = [], None
    while token != "":
        page = await service.call("ListTasks", MaxResults=3, Sort=sort, Order=order, NextToken=token)
        assert page["MaxResults"] == "3"
        listed += [task[sort] + task["TaskId"] for task in page["Tasks"]]
        token = page["NextToken"]
    assert len(listed) == len(created) == 7
    assert listed == sorted(listed, reverse=order == "desc")


async def test_a_listed_task_is_the_task_less_three_fields(service: Service) -> None:
    task = await convert(service)
    (listed,) = (await service.call("ListTasks"))["Tasks"]
    assert listed == {name: value for name, value in task.items() if name not in ("ProjectName", "EventId")}


async def test_a_task_of_another_type_or_project_is_not_found(service: Service) -> None:
    task_id = await create(service)
    await service.call("CreateProject", ProjectName="other")
    for wrong in ({"TaskType": "MediaConvert"}, {"ProjectName": "other"}, {"TaskId": "OfficeConversion-0"}):
        given: dict[str, object] = {"TaskType": "OfficeConversion", "TaskId": task_id, **wrong}
        assert await refusal(service, "GetTask", **given) == (400, "ResourceNotFound")


async def test_image_options_are_honoured(service: Service) -> None:
    await convert(service, TargetType="jpg", Pages="2-3", StartPage=5, ImageDPI=192, ScalePercentage=50, Quality=1)
    assert outputs(service) == ["1.jpg", "2.jpg"]
    with Image.open(service.bucket / "out" / "1.jpg") as page:
        assert page.size == (794, 1123)


async def test_a_long_picture_is_one_file(service: Service) -> None:
    await convert(service, LongPicture=True)
    assert outputs(service) == ["1.png"]


async def test_start_and_end_do_not_cut_a_pdf_or_a_text(service: Service) -> None:
    await convert(service, TargetType="txt", StartPage=4, EndPage=4)
    assert "Page 1" in (service.bucket / "out" / "产品手册.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("template", "target_type", "path"),
    [
        ("oss://{bucket}/{tags.team}/{dirname}/{barename}.{autoext}", "pdf", "x/产品手册.pdf"),
        ("oss://bucket/copies/{filename}.{autoext}", "txt", "copies/产品手册.pdf.txt"),
        ("oss://bucket/{barename}/p{index}.{autoext}", "png", "产品手册/p5.png"),
        ("oss://bucket/cover.{autoext}", "jpg", "cover_5.jpg"),
    ],
)
async def test_a_template_names_the_outputs(service: Service, template: str, target_type: str, path: str) -> None:
    task = await convert(
        service, TargetURIPrefix=None, TargetURI=template, TargetType=target_type, Tags='{"team": "x"}'
    )
    assert task["Status"] == "Succeeded"
    assert (service.bucket / path).is_file()


@pytest.mark.parametrize("name", ["ProjectName", "SourceURI", "TargetType"])
async def test_a_required_parameter_is_missed_by_name(service: Service, name: str) -> None:
    with pytest.raises(ImmError, match=f"The parameter {name} is required but not provided.") as refused:
        await create(service, **{name: None})
    assert (refused.value.status, refused.value.code) == (400, f"Missing{name}")


async def test_exactly_one_target_is_given(service: Service) -> None:
    request: dict[str, object] = {**REQUEST, "TargetURI": "oss://bucket/{index}.png"}
    assert await refusal(service, "CreateOfficeConversionTask", **request) == (400, "InvalidTargetURI")
    request = {**REQUEST, "TargetURIPrefix": None}
    assert await refusal(service, "CreateOfficeConversionTask", **request) == (400, "MissingTargetURI")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SourceURI", "https://bucket.oss-cn-beijing.aliyuncs.com/a.docx"),
        ("SourceURI", "oss://bucket.oss-cn-beijing.aliyuncs.com/a.docx"),
        ("SourceURI", "oss://bucket/"),
        ("SourceType", "exe"),
        ("TargetType", "text"),
        ("TargetType", "vector"),
        ("TargetURIPrefix", "/out/"),
        ("StartPage", "0"),
        ("EndPage", "-3"),
        ("Pages", "1,,2"),
        ("Pages", "7-4"),
        ("SheetIndex", "0"),
        ("SheetCount", "0"),
        ("MaxSheetRow", "x"),
        ("MaxSheetColumn", "0"),
        ("FirstPage", "true"),
        ("LongPicture", "1"),
        ("LongText", "t"),
        ("HoldLineFeed", "f"),
        ("ImageDPI", "95"),
        ("ImageDPI", "601"),
        ("Quality", "101"),
        ("Quality", "-1"),
        ("ScalePercentage", "19"),
        ("ScalePercentage", "200"),
        ("FitToHeight", "?"),
        ("FitToWidth", "?"),
        ("PaperHorizontal", "?"),
        ("PaperSize", "A3"),
        ("ShowComments", "?"),
        ("Notification", "{"),
        ("Notification", "[]"),
        ("Notification", '{"MNS": {}}'),
        ("Notification", '{"MNS": "results"}'),
        ("Notification", '{"RocketMQ": {"TopicName": "t"}}'),
        ("UserData", "数" * 683),
        ("Tags", '{"a": 1}'),
        ("Tags", "[" * 5000),
        ("TrimPolicy", '{"DisableDelete": true}'),
        ("CredentialConfig", "none"),
    ],
)
async def test_a_wrong_value_is_refused_by_name(service: Service, name: str, value: str) -> None:
    with pytest.raises(ImmError, match=f"The parameter {name} is invalid: ") as refused:
        await create(service, **{name: value})
    assert (refused.value.status, refused.value.code) == (400, f"Invalid{name}")
    assert (await service.call("ListTasks"))["Tasks"] == []


@pytest.mark.parametrize(
    "template", ["oss://bucket/{tags.unknown}/x.png", "oss://bucket/{name}", "oss://bucket/", "{index}"]
)
async def test_a_template_without_a_value_is_refused(service: Service, template: str) -> None:
    request: dict[str, object] = {**REQUEST, "TargetURIPrefix": None, "TargetURI": template}
    assert await refusal(service, "CreateOfficeConversionTask", **request) == (400, "InvalidTargetURI")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MaxResults", "0"),
        ("MaxResults", "101"),
        ("Status", "Finished"),
        ("Sort", "Status"),
        ("Order", "up"),
        ("TaskTypes", "OfficeConversion"),
        ("TaskTypes", '["Conversion"]'),
        ("TagSelector", "team"),
        ("StartTimeRange", '{"StartTime": "yesterday"}'),
        ("EndTimeRange", "[]"),
        ("NextToken", "abc"),
        ("NextToken", "WzFd"),
    ],
)
async def test_a_wrong_filter_is_refused_by_name(service: Service, name: str, value: str) -> None:
    assert await refusal(service, "ListTasks", **{name: value}) == (400, f"Invalid{name}")


async def test_every_valid_option_is_accepted_together(service: Service) -> None:
    task = await convert(
        service,
        SourceType="pdf",
        StartPage=1,
        EndPage=-1,
        Pages="1,2-4,5",
        SheetIndex=1,
        SheetCount=1,
        MaxSheetRow=10,
        MaxSheetColumn=10,
        FirstPage=True,
        LongPicture=True,
        LongText=False,
        HoldLineFeed=True,
        ImageDPI=96,
        Quality=0,
        ScalePercentage=20,
        FitToHeight=True,
        FitToWidth=True,
        PaperHorizontal=True,
        PaperSize="A2",
        ShowComments=True,
        Password="unused",
        UserData="x" * 2048,
        TrimPolicy='{"DisableDeleteEmptyCell": true}',
        Notification='{"MNS": {"TopicName": "results", "Endpoint": "http://127.0.0.1/"}, "ExtendedMessageURI": "oss://a/b"}',
    )
    assert task["Status"] == "Succeeded"
