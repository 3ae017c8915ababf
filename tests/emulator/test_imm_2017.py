"""IMM 2017-09-06 as its clients see it."""

from __future__ import annotations

import re
from typing import Any

import pypdfium2 as pdfium
import pytest
from PIL import Image

from imm_tui.emulator.conversion.pdf import write_pdf
from imm_tui.emulator.imm.parameters import ImmError
from tests.emulator.conftest import PROJECT, Service, Start

REQUEST = {
    "SrcUri": "oss://bucket/产品手册.pdf",
    "TgtUri": "oss://bucket/out/",
    "TgtType": "png",
    "NotifyEndpoint": "http://127.0.0.1:8000/",
    "NotifyTopicName": "results",
}


@pytest.fixture
async def service(start: Start) -> Service:
    return await start("2017-09-06")


async def create(service: Service, **more: object) -> dict[str, Any]:
    return await service.call("CreateOfficeConversionTask", **(REQUEST | more))


async def refusal(service: Service, action: str, **parameters: object) -> tuple[int, str]:
    with pytest.raises(ImmError) as refused:
        await service.call(action, **parameters)
    return refused.value.status, refused.value.code


async def test_a_project_is_answered_as_the_tutorial_shows(service: Service) -> None:
    project = await service.call("PutProject", Project="GetResult-ByNotify-Demo", Type="1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", project.pop("CreateTime"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", project.pop("ModifyTime"))
    assert project == {
        "CU": 1,
        "Type": "DocStarter",
        "Project": "GetResult-ByNotify-Demo",
        "BillingType": "ByUsage",
        "Endpoint": "imm.cn-beijing.aliyuncs.com",
        "RegionId": "cn-beijing",
        "ServiceRole": "",
    }


async def test_putting_a_project_again_changes_it(service: Service) -> None:
    await service.call("PutProject", ServiceRole="Role")
    assert (await service.call("GetProject"))["ServiceRole"] == "Role"
    assert len((await service.call("ListProjects"))["Projects"]) == 1


async def test_a_deleted_project_is_gone(service: Service) -> None:
    await service.call("DeleteProject")
    assert await refusal(service, "GetProject") == (404, "InvalidProject.NotFound")


async def test_a_created_task_is_answered_as_the_tutorial_shows(service: Service) -> None:
    reply = await create(service)
    assert re.fullmatch(r"formatconvert-[0-9a-f-]{36}", reply.pop("TaskId"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", reply.pop("CreateTime"))
    assert reply == {"Status": "Running", "Percent": 0, "TgtLoc": "oss://bucket/out/"}


async def test_the_event_of_a_success_has_the_tutorials_form(service: Service) -> None:
    task_id = (await create(service))["TaskId"]
    event = await service.event()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["events"][0].pop("eventTime"))
    assert event == {
        "events": [
            {
                "eventName": "FormatConvertJob:JobFinished",
                "eventSource": "acs:imm",
                "eventVersion": "1.0",
                "imm": {"code": "NoError", "pageCount": "5", "percent": "100", "taskId": task_id},
            }
        ]
    }


async def test_percent_and_pages_appear_only_at_the_end(service: Service) -> None:
    task_id = (await create(service))["TaskId"]
    running = await service.call("GetOfficeConversionTask", TaskId=task_id)
    assert (running["Status"], running["Percent"], running["PageCount"], running["FinishTime"]) == ("Running", 0, 0, "")
    await service.event()
    finished = await service.call("GetOfficeConversionTask", TaskId=task_id)
    for name in ("CreateTime", "FinishTime"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", finished.pop(name))
    assert finished == REQUEST | {
        "TaskId": task_id,
        "Status": "Finished",
        "Percent": 100,
        "PageCount": 5,
        "ImageSpec": "",
        "ExternalID": "",
        "FailDetail": {"Code": "NoError"},
    }


async def test_the_event_and_the_task_agree_about_a_failure(service: Service) -> None:
    task_id = (await create(service, SrcUri="oss://bucket/missing.pdf"))["TaskId"]
    told = (await service.event())["events"][0]["imm"]
    assert told == {"code": "FailedToDownloadSrcFile", "pageCount": "0", "percent": "0", "taskId": task_id}
    task = await service.call("GetOfficeConversionTask", TaskId=task_id)
    assert (task["Status"], task["Percent"], task["PageCount"], task["FinishTime"]) == ("Failed", 0, 0, "")
    assert task["FailDetail"] == {"Code": "FailedToDownloadSrcFile"}


async def test_no_endpoint_no_event(service: Service) -> None:
    await create(service, NotifyEndpoint=None)
    task_id = (await create(service))["TaskId"]
    assert task_id in str(await service.event())
    assert service.events.empty()


async def test_the_same_token_gives_the_same_task(service: Service) -> None:
    first = await create(service, IdempotentToken="once")
    assert (await create(service, IdempotentToken="once"))["TaskId"] == first["TaskId"]
    assert (await create(service, IdempotentToken="twice"))["TaskId"] != first["TaskId"]
    assert len((await service.call("ListOfficeConversionTask"))["Tasks"]) == 2


async def test_pages_end_at_200_unless_told(service: Service) -> None:
    (service.bucket / "long.pdf").write_bytes(write_pdf([["x"]] * 203))
    for end, pages in ((None, "200"), (-1, "203"), (202, "202")):
        await create(service, SrcUri="oss://bucket/long.pdf", TgtType="pdf", EndPage=end)
        assert (await service.event())["events"][0]["imm"]["pageCount"] == pages


async def test_page_options_choose_the_pages(service: Service) -> None:
    for options, pages in (
        ({"StartPage": 4}, "2"),
        ({"StartPage": 2, "EndPage": 3}, "2"),
        ({"TgtFilePages": "1,3-9"}, "4"),
    ):
        await create(service, **options)
        assert (await service.event())["events"][0]["imm"]["pageCount"] == pages


async def test_images_are_named_by_their_number(service: Service) -> None:
    await create(service, TgtUri="oss://bucket/图片", TgtFilePrefix="p", TgtFileSuffix="_s", EndPage=2, TgtType="JPG")
    await service.event()
    assert sorted(path.name for path in (service.bucket / "图片").iterdir()) == ["p1_s.jpg", "p2_s.jpg"]


async def test_text_and_pdf_are_named_after_the_source(service: Service) -> None:
    for target_type in ("text", "pdf"):
        await create(service, TgtType=target_type)
        await service.event()
    assert "第一行" in (service.bucket / "out" / "产品手册.txt").read_text(encoding="utf-8")
    document = pdfium.PdfDocument(service.bucket / "out" / "产品手册.pdf")
    assert len(document) == 5
    document.close()


async def test_the_resolution_is_the_requests(service: Service) -> None:
    await create(service, DisplayDpi=192, EndPage=1)
    await service.event()
    with Image.open(service.bucket / "out" / "1.png") as page:
        assert page.size == (1587, 2246)


async def test_a_source_without_an_extension_has_its_type_from_the_request(service: Service) -> None:
    (service.bucket / "手册").write_bytes((service.bucket / "产品手册.pdf").read_bytes())
    await create(service, SrcUri="oss://bucket/手册")
    assert (await service.event())["events"][0]["imm"]["code"] == "UnsupportedSrcFile"
    await create(service, SrcUri="oss://bucket/手册", SrcType="pdf")
    assert (await service.event())["events"][0]["imm"]["code"] == "NoError"


async def test_a_spreadsheet_has_no_text_in_this_version(service: Service) -> None:
    (service.bucket / "a.csv").write_text("1,2")
    await create(service, SrcUri="oss://bucket/a.csv", TgtType="text")
    assert (await service.event())["events"][0]["imm"]["code"] == "UnsupportedSrcFile"


async def test_tasks_are_listed_by_id_page_by_page(service: Service) -> None:
    created = sorted([(await create(service))["TaskId"] for _ in range(5)])
    first = await service.call("ListOfficeConversionTask", MaxKeys=3)
    assert [task["TaskId"] for task in first["Tasks"]] == created[:3]
    assert first["NextMarker"] == created[2]
    assert all("FailDetail" not in task for task in first["Tasks"])
    rest = await service.call("ListOfficeConversionTask", MaxKeys=3, Marker=first["NextMarker"])
    assert [task["TaskId"] for task in rest["Tasks"]] == created[3:]
    assert "NextMarker" not in rest


async def test_a_deleted_task_is_gone(service: Service) -> None:
    task_id = (await create(service))["TaskId"]
    assert await service.call("DeleteOfficeConversionTask", TaskId=task_id) == {}
    for action in ("GetOfficeConversionTask", "DeleteOfficeConversionTask"):
        assert await refusal(service, action, TaskId=task_id) == (404, "InvalidTaskId.NotFound")


async def test_a_task_belongs_to_its_project(service: Service) -> None:
    task_id = (await create(service))["TaskId"]
    await service.call("PutProject", Project="other")
    code = await refusal(service, "GetOfficeConversionTask", Project="other", TaskId=task_id)
    assert code == (404, "InvalidTaskId.NotFound")


@pytest.mark.parametrize("name", ["Project", "SrcUri", "TgtUri", "TgtType"])
async def test_a_required_parameter_is_missed_by_name(service: Service, name: str) -> None:
    for absent in (None, ""):
        with pytest.raises(ImmError, match=f"The parameter {name} is required but not provided.") as refused:
            await create(service, **{name: absent})
        assert (refused.value.status, refused.value.code) == (400, f"Missing{name}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SrcUri", "http://bucket.oss-cn-beijing.aliyuncs.com/a.docx"),
        ("SrcUri", "oss://bucket"),
        ("SrcUri", "oss://bucket/folder/"),
        ("TgtUri", "bucket/out"),
        ("TgtType", "gif"),
        ("NotifyEndpoint", "1234.mns.cn-beijing.aliyuncs.com"),
        ("StartPage", "0"),
        ("StartPage", "first"),
        ("EndPage", "-2"),
        ("EndPage", "0"),
        ("MaxSheetRow", "0"),
        ("MaxSheetCol", "many"),
        ("MaxSheetCount", "-2"),
        ("FitToPagesTall", "yes"),
        ("FitToPagesWide", "1"),
        ("SheetOnePage", "no"),
        ("PdfVector", "2"),
        ("Hidecomments", "maybe"),
        ("DisplayDpi", "95"),
        ("DisplayDpi", "601"),
        ("TgtFilePrefix", "../../etc/"),
        ("TgtFileSuffix", "/"),
        ("TgtFilePages", "2-1"),
        ("UserData", "x" * 2049),
        ("Password", "nul\0"),
    ],
)
async def test_a_wrong_value_is_refused_by_name(service: Service, name: str, value: str) -> None:
    with pytest.raises(ImmError, match=f"The parameter {name} is invalid: ") as refused:
        await create(service, **{name: value})
    assert (refused.value.status, refused.value.code) == (400, f"Invalid{name}")
    assert (await service.call("ListOfficeConversionTask"))["Tasks"] == []


async def test_an_end_before_the_start_is_refused(service: Service) -> None:
    assert await refusal(service, "CreateOfficeConversionTask", **REQUEST, StartPage=5, EndPage=4) == (
        400,
        "InvalidEndPage",
    )


async def test_every_valid_option_is_accepted_together(service: Service) -> None:
    await create(
        service,
        StartPage=1,
        EndPage=-1,
        MaxSheetRow=-1,
        MaxSheetCol=100,
        MaxSheetCount=1,
        FitToPagesTall=True,
        FitToPagesWide="false",
        SheetOnePage="true",
        PdfVector=False,
        Hidecomments=True,
        DisplayDpi=96,
        Password="unused",
        UserData="数据",
        ModelId="m",
        SrcType="pdf",
    )
    assert (await service.event())["events"][0]["imm"]["code"] == "NoError"


@pytest.mark.parametrize("name", ["MaxKeys", "Project"])
async def test_lists_and_projects_check_their_parameters(service: Service, name: str) -> None:
    action, value = {"MaxKeys": ("ListOfficeConversionTask", "101"), "Project": ("PutProject", "1st")}[name]
    assert await refusal(service, action, **{name: value}) == (400, f"Invalid{name}")
    assert PROJECT in str(await service.call("ListProjects"))
