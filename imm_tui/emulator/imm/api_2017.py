"""IMM 2017-09-06: its actions, its field names and the form of its events."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from imm_tui.emulator.account import Account
from imm_tui.emulator.clock import Clock
from imm_tui.emulator.conversion.oss import split_uri
from imm_tui.emulator.conversion.request import (
    EXTENSIONS,
    Conversion,
    Ranges,
    extension_of,
    parse_pages,
)
from imm_tui.emulator.imm.parameters import ImmError, Parameters, invalid
from imm_tui.emulator.imm.tasks import Task, Tasks
from imm_tui.emulator.ledger import Ledger

VERSION = "2017-09-06"

_TARGET_TYPES = ("vector", "png", "jpg", "pdf", "text")
_PROJECT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")
_ENDPOINT = re.compile(r"https?://[^/?#\s]+/?")
_MAX_PAGE = 2**31 - 1


@dataclass(slots=True)
class _Project:
    name: str
    service_role: str
    type: str
    cu: int
    created: datetime
    modified: datetime


class Imm2017:
    def __init__(
        self, account: Account, tasks: Tasks, publish: Callable[[str, str], None], clock: Clock, ledger: Ledger
    ) -> None:
        self._region = account.region
        self._clock = clock
        self._ledger = ledger
        self._tasks = tasks
        self._publish = publish
        self._projects: dict[str, _Project] = {}
        self._tokens: dict[tuple[str, str], Task] = {}
        self.actions: Mapping[str, Callable[[Parameters], dict[str, object]]] = {
            "PutProject": self._put_project,
            "GetProject": self._get_project,
            "ListProjects": self._list_projects,
            "DeleteProject": self._delete_project,
            "CreateOfficeConversionTask": self._create_task,
            "GetOfficeConversionTask": self._get_task,
            "ListOfficeConversionTask": self._list_tasks,
            "DeleteOfficeConversionTask": self._delete_task,
        }

    # Projects

    def _put_project(self, parameters: Parameters) -> dict[str, object]:
        name = parameters.required("Project")
        if not _PROJECT_NAME.fullmatch(name):
            raise invalid("Project", "it must be 1 to 128 letters, digits, - and _, a letter or _ first")
        role = parameters.text("ServiceRole")
        # No longer part of the API, but tutorials of 2018 send Type, and some of them the CU under the same name.
        kind = parameters.text("Type")
        if kind.isdecimal() or not kind:
            kind = "DocStarter"
        cu = parameters.integer("CU", 1, 1, 1000)
        project, now = self._projects.get(name), self._clock.date()
        if project is None:
            project = self._projects[name] = _Project(name, role, kind, cu, now, now)
        else:
            project.service_role, project.type, project.cu, project.modified = role, kind, cu, now
        return self._project_fields(project)

    def _get_project(self, parameters: Parameters) -> dict[str, object]:
        return self._project_fields(self._project(parameters))

    def _list_projects(self, parameters: Parameters) -> dict[str, object]:
        names, marker = _page(self._projects, parameters)
        return {"Projects": [self._project_fields(self._projects[name]) for name in names], **marker}

    def _delete_project(self, parameters: Parameters) -> dict[str, object]:
        del self._projects[self._project(parameters).name]
        return {}

    def _project(self, parameters: Parameters) -> _Project:
        project = self._projects.get(parameters.required("Project"))
        if project is None:
            raise ImmError(404, "InvalidProject.NotFound", "The specified resource project is not found.")
        return project

    def _project_fields(self, project: _Project) -> dict[str, object]:
        return {
            "Project": project.name,
            "Type": project.type,
            "CU": project.cu,
            "BillingType": "ByUsage",
            "ServiceRole": project.service_role,
            "Endpoint": f"imm.{self._region}.aliyuncs.com",
            "RegionId": self._region,
            "CreateTime": f"{project.created:%Y-%m-%dT%H:%M:%SZ}",
            "ModifyTime": f"{project.modified:%Y-%m-%dT%H:%M:%SZ}",
        }

    # Tasks

    def _create_task(self, parameters: Parameters) -> dict[str, object]:
        project = self._project(parameters).name
        conversion = _read_conversion(parameters)
        endpoint = parameters.text("NotifyEndpoint")
        if endpoint and not _ENDPOINT.fullmatch(endpoint):
            raise invalid("NotifyEndpoint", "it must be a URL such as http://<account>.mns.<region>.aliyuncs.com")
        topic = parameters.text("NotifyTopicName") if endpoint else ""
        user_data = parameters.text("UserData", max_bytes=2048)
        parameters.text("ModelId")

        def announce(task: Task) -> None:
            if topic:
                self._publish(topic, _event(task))

        token = parameters.text("IdempotentToken")
        task = self._tokens.get((project, token)) if token else None
        if task is None:
            task = self._tasks.start("formatconvert", project, parameters.values, conversion, announce)
            if token:
                self._tokens[project, token] = task
            self._ledger.record(
                "submit",
                task.started.timestamp(),
                task_id=task.task_id,
                api_version=VERSION,
                source=conversion.source,
                token=token or user_data,
            )
        return {
            "TaskId": task.task_id,
            "Status": _status(task),
            "Percent": _percent(task),
            "CreateTime": _milliseconds(task.started),
            "TgtLoc": task.request["TgtUri"],
        }

    def _get_task(self, parameters: Parameters) -> dict[str, object]:
        task = self._tasks.get(self._project(parameters).name, parameters.required("TaskId"))
        if task is None:
            raise _no_such_task()
        fields = _task_fields(task)
        if task.outcome:
            fields["FailDetail"] = {"Code": task.outcome.code}
        return fields

    def _list_tasks(self, parameters: Parameters) -> dict[str, object]:
        tasks = {task.task_id: task for task in self._tasks.of(self._project(parameters).name)}
        task_ids, marker = _page(tasks, parameters)
        return {"Tasks": [_task_fields(tasks[task_id]) for task_id in task_ids], **marker}

    def _delete_task(self, parameters: Parameters) -> dict[str, object]:
        if not self._tasks.forget(self._project(parameters).name, parameters.required("TaskId")):
            raise _no_such_task()
        return {}


def _no_such_task() -> ImmError:
    return ImmError(404, "InvalidTaskId.NotFound", "The specified resource task is not found.")


def _page(keys: Mapping[str, object], parameters: Parameters) -> tuple[list[str], dict[str, object]]:
    """The keys after Marker in lexical order, MaxKeys at most, and NextMarker where there are more."""
    size, marker = parameters.integer("MaxKeys", 100, 1, 100), parameters.text("Marker")
    rest = sorted(key for key in keys if key > marker)
    return rest[:size], {"NextMarker": rest[size - 1]} if len(rest) > size else {}


def _read_conversion(parameters: Parameters) -> Conversion:
    source, target = _uri(parameters, "SrcUri"), _uri(parameters, "TgtUri")
    parameters.required("TgtType")
    target_type = parameters.text("TgtType").lower()
    if target_type not in _TARGET_TYPES:
        raise invalid("TgtType", f"it must be one of {', '.join(_TARGET_TYPES)}")
    key = split_uri(source)[1]
    if not key or key.endswith("/"):
        raise invalid("SrcUri", "it names no object")
    for name in ("MaxSheetRow", "MaxSheetCol", "MaxSheetCount"):
        parameters.integer(name, -1, 1, _MAX_PAGE, everything=True)
    for name in ("FitToPagesTall", "FitToPagesWide", "SheetOnePage", "PdfVector", "Hidecomments"):
        parameters.flag(name)
    prefix, suffix = _name_part(parameters, "TgtFilePrefix"), _name_part(parameters, "TgtFileSuffix")
    head = f"{target.removesuffix('/')}/{prefix}"
    tail = f"{suffix}.{EXTENSIONS[target_type]}"
    if target_type in ("png", "jpg"):
        outputs: tuple[str, ...] = (head, tail)
    else:
        name = key.rpartition("/")[2]
        outputs = (f"{head}{name.rpartition('.')[0] or name}{tail}",)
    return Conversion(
        source=source,
        source_type=parameters.text("SrcType").lower().removeprefix(".") or extension_of(key),
        target=outputs,
        target_type=target_type,
        pages=_pages(parameters),
        dpi=parameters.integer("DisplayDpi", 96, 96, 600),
        password=parameters.text("Password"),
    )


def _uri(parameters: Parameters, name: str) -> str:
    uri = parameters.required(name, max_bytes=2048)
    try:
        split_uri(uri)
    except ValueError as error:
        raise invalid(name, str(error)) from None
    return uri


def _name_part(parameters: Parameters, name: str) -> str:
    value = parameters.text(name, max_bytes=100)
    if "/" in value:
        raise invalid(name, "it must not contain a slash")
    return value


def _pages(parameters: Parameters) -> Ranges:
    start = parameters.integer("StartPage", 1, 1, _MAX_PAGE)
    end = parameters.integer("EndPage", 200, 1, _MAX_PAGE, everything=True)
    pages = parameters.text("TgtFilePages")
    if pages:
        try:
            return parse_pages(pages)
        except ValueError as error:
            raise invalid("TgtFilePages", str(error)) from None
    if "EndPage" in parameters.values and end != -1 and end < start:
        raise invalid("EndPage", "it is before StartPage")
    return ((start, None if end == -1 else end),)


def _status(task: Task) -> str:
    if task.outcome is None:
        return "Running"
    return "Finished" if task.outcome.succeeded else "Failed"


def _percent(task: Task) -> int:
    return 100 if task.outcome and task.outcome.succeeded else 0


def _task_fields(task: Task) -> dict[str, object]:
    return {
        "TaskId": task.task_id,
        "Status": _status(task),
        "Percent": _percent(task),
        "PageCount": task.outcome.page_count if task.outcome else 0,
        "SrcUri": task.request["SrcUri"],
        "TgtUri": task.request["TgtUri"],
        "TgtType": task.request["TgtType"],
        "ImageSpec": "",
        "NotifyTopicName": task.request.get("NotifyTopicName", ""),
        "NotifyEndpoint": task.request.get("NotifyEndpoint", ""),
        "ExternalID": "",
        "CreateTime": f"{task.started:%Y-%m-%dT%H:%M:%S.%fZ}",
        "FinishTime": f"{task.ended:%Y-%m-%dT%H:%M:%S.%fZ}" if _status(task) == "Finished" else "",
    }


def _event(task: Task) -> str:
    """The event of a task that has ended: figures are text, and success is the code NoError."""
    assert task.outcome is not None
    assert task.ended is not None
    return json.dumps(
        {
            "events": [
                {
                    "eventName": "FormatConvertJob:JobFinished",
                    "eventSource": "acs:imm",
                    "eventTime": _milliseconds(task.ended),
                    "eventVersion": "1.0",
                    "imm": {
                        "code": task.outcome.code,
                        "pageCount": str(task.outcome.page_count),
                        "percent": str(_percent(task)),
                        "taskId": task.task_id,
                    },
                }
            ]
        }
    )


def _milliseconds(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"
