"""IMM 2020-09-30: its actions, its field names and the form of its events."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import PurePosixPath

from imm_tui.emulator.account import Account
from imm_tui.emulator.clock import Clock
from imm_tui.emulator.conversion.oss import split_uri
from imm_tui.emulator.conversion.request import EXTENSIONS, FAMILIES, Conversion, Ranges, extension_of, parse_pages
from imm_tui.emulator.imm.parameters import ImmError, Parameters, invalid, missing
from imm_tui.emulator.imm.tasks import Task, Tasks
from imm_tui.emulator.ledger import Ledger

VERSION = "2020-09-30"

_TASK_TYPE = "OfficeConversion"
_TASK_TYPES = (
    "VideoLabelClassification",
    "FaceClustering",
    "OfficeConversion",
    "ImageModeration",
    "VideoModeration",
    "MediaConvert",
    "FileCompression",
    "ArchiveFileInspection",
    "FileUncompression",
    "PointCloudCompress",
    "ImageToPDF",
    "StoryCreation",
    "LocationDateClustering",
    "ImageSplicing",
    "FacesSearching",
)
_LIMITS = {
    "ProjectMaxDatasetCount": 1_000_000_000,
    "DatasetMaxBindCount": 10,
    "DatasetMaxFileCount": 100_000_000,
    "DatasetMaxEntityCount": 10_000_000_000,
    "DatasetMaxRelationCount": 100_000_000_000,
    "DatasetMaxTotalFileSize": 90_000_000_000_000_000,
}
_PROJECT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")
_VARIABLE = re.compile(r"\{([^{}]*)\}")
_BEIJING = timezone(timedelta(hours=8))
_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class _Project:
    name: str
    service_role: str
    template_id: str
    description: str
    limits: Mapping[str, int]
    tags: tuple[tuple[str, str], ...]
    created: datetime


class Imm2020:
    def __init__(
        self, account: Account, tasks: Tasks, publish: Callable[[str, str], None], clock: Clock, ledger: Ledger
    ) -> None:
        self._account = account
        self._clock = clock
        self._ledger = ledger
        self._tasks = tasks
        self._publish = publish
        self._projects: dict[str, _Project] = {}
        self.actions: Mapping[str, Callable[[Parameters], dict[str, object]]] = {
            "CreateProject": self._create_project,
            "GetProject": self._get_project,
            "ListProjects": self._list_projects,
            "DeleteProject": self._delete_project,
            "CreateOfficeConversionTask": self._create_task,
            "GetTask": self._get_task,
            "ListTasks": self._list_tasks,
        }

    # Projects

    def _create_project(self, parameters: Parameters) -> dict[str, object]:
        name = parameters.required("ProjectName")
        if not _PROJECT_NAME.fullmatch(name):
            raise invalid("ProjectName", "it must be 1 to 128 letters, digits, - and _, a letter or _ first")
        description = parameters.text("Description")
        if len(description) > 256:
            raise invalid("Description", "it is longer than 256 characters")
        project = _Project(
            name,
            parameters.text("ServiceRole") or "AliyunIMMDefaultRole",
            parameters.text("TemplateId"),
            description,
            {limit: parameters.integer(limit, most, 1, most) for limit, most in _LIMITS.items()},
            _tags(parameters),
            self._clock.date(),
        )
        if name in self._projects:
            raise ImmError(400, "ResourceAlreadyExists", "The specified resource project already exists.")
        self._projects[name] = project
        return {"Project": _project_fields(project)}

    def _get_project(self, parameters: Parameters) -> dict[str, object]:
        fields = _project_fields(self._project(parameters))
        if parameters.flag("WithStatistics"):
            fields |= {"FileCount": 0, "TotalFileSize": 0, "DatasetCount": 0}
        return {"Project": fields}

    def _list_projects(self, parameters: Parameters) -> dict[str, object]:
        size = parameters.integer("MaxResults", 100, 0, 200) or 100
        prefix, after, tags = parameters.text("Prefix"), _read_token(parameters, 1), set(_tags(parameters))
        rest = sorted(
            (project.name,)
            for project in self._projects.values()
            if project.name.startswith(prefix) and tags <= set(project.tags) and (project.name,) > after
        )
        return {
            "Projects": [_project_fields(self._projects[name]) for (name,) in rest[:size]],
            "NextToken": _next_token(rest, size),
        }

    def _delete_project(self, parameters: Parameters) -> dict[str, object]:
        del self._projects[self._project(parameters).name]
        return {}

    def _project(self, parameters: Parameters) -> _Project:
        project = self._projects.get(parameters.required("ProjectName"))
        if project is None:
            raise _not_found("project")
        return project

    # Tasks

    def _create_task(self, parameters: Parameters) -> dict[str, object]:
        project = self._project(parameters).name
        conversion = _read_conversion(parameters)
        topic = _read_topic(parameters)
        user_data = parameters.text("UserData", max_bytes=2048)

        def announce(task: Task) -> None:
            if topic:
                self._publish(topic, self._event(task))

        task = self._tasks.start(_TASK_TYPE, project, parameters.values, conversion, announce)
        self._ledger.record(
            "submit",
            task.started.timestamp(),
            task_id=task.task_id,
            api_version=VERSION,
            source=conversion.source,
            token=user_data,
        )
        return {"TaskId": task.task_id, "EventId": _event_id(task)}

    def _get_task(self, parameters: Parameters) -> dict[str, object]:
        project = self._project(parameters).name
        parameters.required("TaskType")
        task_type = parameters.choice("TaskType", _TASK_TYPES, _TASK_TYPE)
        parameters.flag("RequestDefinition")
        task = self._tasks.get(project, parameters.required("TaskId"))
        if task is None or task_type != _TASK_TYPE:
            raise _not_found("task")
        return {"ProjectName": project, "EventId": _event_id(task), **_task_fields(task)}

    def _list_tasks(self, parameters: Parameters) -> dict[str, object]:
        project = self._project(parameters).name
        size = parameters.integer("MaxResults", 100, 1, 100)
        status = parameters.choice("Status", ("Running", "Succeeded", "Failed"), "")
        sort = parameters.choice("Sort", ("TaskId", "StartTime", "EndTime"), "TaskId")
        descending = parameters.choice("Order", ("asc", "desc"), "asc") == "desc"
        types = parameters.json_list("TaskTypes")
        if not all(name in _TASK_TYPES for name in types):
            raise invalid("TaskTypes", f"each must be one of {', '.join(_TASK_TYPES)}")
        selector = _read_selector(parameters)
        started, ended = _read_range(parameters, "StartTimeRange"), _read_range(parameters, "EndTimeRange")
        parameters.flag("RequestDefinition")
        after = _read_token(parameters, 2)

        found: dict[tuple[str, ...], Task] = {}
        for task in self._tasks.of(project) if not types or _TASK_TYPE in types else ():
            if (
                status in ("", _status(task))
                and selector.items() <= _task_tags(task).items()
                and _within(task.started, started)
                and _within(task.ended, ended)
            ):
                found[str(_task_fields(task)[sort]), task.task_id] = task
        keys = sorted(found, reverse=descending)
        rest = [key for key in keys if not after or (key < after if descending else key > after)]
        return {
            "ProjectName": project,
            "Tasks": [_task_fields(found[key]) for key in rest[:size]],
            "MaxResults": str(size),
            "NextToken": _next_token(rest, size),
        }

    def _event(self, task: Task) -> str:
        """The event of a task that has ended, in the wrapped form: the body proper is JSON in a string."""
        assert task.ended is not None
        kind = f"imm:Task:{_TASK_TYPE}"
        fields = _task_fields(task)
        content = {
            "ProjectName": task.project,
            "DatasetName": "",
            "RequestId": str(uuid.uuid4()).upper(),
            "StartTime": fields["StartTime"],
            "EndTime": fields["EndTime"],
            "UserData": fields["UserData"],
            "TaskType": _TASK_TYPE,
            "TaskId": task.task_id,
            "Status": fields["Status"],
            "Code": fields["Code"],
            "Message": fields["Message"],
            "EventSourceId": "",
        }
        account = self._account
        return json.dumps(
            {
                "id": str(uuid.uuid4()).upper(),
                "source": "acs.imm",
                "type": kind,
                "subject": f"acs:imm:{account.region}:{account.account_id}:{task.project}/{kind}",
                "time": str(int(task.ended.timestamp() * 1000)),
                "content": json.dumps(content),
            }
        )


def _not_found(what: str) -> ImmError:
    return ImmError(400, "ResourceNotFound", f"The specified resource {what} is not found.")


def _read_conversion(parameters: Parameters) -> Conversion:
    target_type = parameters.required("TargetType")
    parameters.choice("TargetType", ("png", "jpg", "pdf", "txt"), "")
    source = _read_uri("SourceURI", parameters.required("SourceURI", max_bytes=2048))
    key = split_uri(source)[1]
    if not key or key.endswith("/"):
        raise invalid("SourceURI", "it names no object")
    source_type = parameters.text("SourceType").lower().removeprefix(".")
    if source_type:
        parameters.choice("SourceType", FAMILIES, "")
    _check_unused(parameters)
    long_picture, first_page = parameters.flag("LongPicture"), parameters.flag("FirstPage")
    if first_page and not long_picture:
        raise invalid("FirstPage", "it needs LongPicture")
    start = parameters.integer("StartPage", 1, 1, _MAX)
    end = parameters.integer("EndPage", -1, 1, _MAX, everything=True)
    if end != -1 and end < start:
        raise invalid("EndPage", "it is before StartPage")
    pages: Ranges = ((start, None if end == -1 else end),) if target_type in ("png", "jpg") else ((1, None),)
    if ranges := parameters.text("Pages"):
        try:
            pages = parse_pages(ranges)
        except ValueError as error:
            raise invalid("Pages", str(error)) from None
    return Conversion(
        source=source,
        source_type=source_type or extension_of(key),
        target=_read_target(parameters, source, target_type),
        target_type=target_type,
        pages=pages,
        dpi=parameters.integer("ImageDPI", 96, 96, 600),
        scale_percentage=parameters.integer("ScalePercentage", 100, 20, 199),
        quality=parameters.integer("Quality", 90, 0, 100),
        long_picture=long_picture,
        first_page=first_page,
        password=parameters.text("Password"),
    )


def _check_unused(parameters: Parameters) -> None:
    """Refuses what IMM refuses in parameters that change nothing here."""
    for name in ("SheetIndex", "SheetCount", "MaxSheetRow", "MaxSheetColumn"):
        parameters.integer(name, 1, 1, _MAX, everything=name.startswith("Max"))
    for name in ("LongText", "HoldLineFeed", "FitToHeight", "FitToWidth", "PaperHorizontal", "ShowComments"):
        parameters.flag(name)
    parameters.choice("PaperSize", ("A0", "A2", "A4"), "A4")
    flags = ("DisableDeleteEmptyCell", "DisableDeleteRepeatedStyle", "DisableDeleteUnusedPicture")
    for name, value in parameters.json_object("TrimPolicy").items():
        if name not in (*flags, "DisableDeleteUnusedShape") or not isinstance(value, bool):
            raise invalid("TrimPolicy", "it maps DisableDelete… names to true or false")
    parameters.json_object("CredentialConfig")
    for value in parameters.json_object("Tags").values():
        if not isinstance(value, str):
            raise invalid("Tags", "it must be a JSON object of strings")


def _read_uri(name: str, uri: str) -> str:
    try:
        split_uri(uri)
    except ValueError as error:
        raise invalid(name, str(error)) from None
    return uri


def _read_target(parameters: Parameters, source: str, target_type: str) -> tuple[str, ...]:
    """The outputs' URI, cut where the number of the output belongs."""
    template = parameters.text("TargetURI", max_bytes=2048)
    prefix = parameters.text("TargetURIPrefix", max_bytes=2048)
    if template and prefix:
        raise invalid("TargetURI", "it cannot be given together with TargetURIPrefix")
    bucket, key = split_uri(source)
    path = PurePosixPath(key)
    extension = EXTENSIONS[target_type]
    if prefix:
        folder = _read_uri("TargetURIPrefix", prefix).removesuffix("/")
        if target_type in ("png", "jpg"):
            return f"{folder}/", f".{extension}"
        return (f"{folder}/{path.stem}.{extension}",)
    if not template:
        raise missing("TargetURI")
    variables = {
        "bucket": bucket,
        "dirname": str(path.parent).removeprefix("."),
        "barename": path.stem,
        "filename": path.name,
        "ext": path.suffix[1:],
        "autoext": extension,
        **{f"tags.{tag}": str(value) for tag, value in parameters.json_object("Tags").items()},
    }

    def fill(match: re.Match[str]) -> str:
        if match[1] not in variables:
            raise invalid("TargetURI", f"its variable {match[0]} has no value")
        return variables[match[1]]

    filled = tuple(
        re.sub(r"(?<!:)/{2,}", "/", _VARIABLE.sub(fill, part))  # {dirname} is empty for an object in no folder
        for part in template.split("{index}")
    )
    if not split_uri(_read_uri("TargetURI", "1".join(filled)))[1] or filled[-1].endswith("/"):
        raise invalid("TargetURI", "it names no object")
    return filled


def _read_topic(parameters: Parameters) -> str:
    """The MNS topic that the end of the task is published to, or ""."""
    notification = parameters.json_object("Notification")
    if not isinstance(notification.get("ExtendedMessageURI", ""), str):
        raise invalid("Notification", "ExtendedMessageURI must be a string")
    topics: dict[str, str] = {}
    for service, names in {"MNS": ("TopicName",), "RocketMQ": ("InstanceId", "TopicName")}.items():
        if service not in notification:
            continue
        target = notification[service]
        if not isinstance(target, dict) or not all(
            isinstance(target.get(name), str) and target[name] for name in names
        ):
            raise invalid("Notification", f"{service} needs {' and '.join(names)}")
        topics[service] = target["TopicName"]
    return topics.get("MNS", "")


def _tags(parameters: Parameters) -> tuple[tuple[str, str], ...]:
    """Resource tags: Tag as a JSON array, or flat as Tag.1.Key, Tag.1.Value, …"""
    given = parameters.json_list("Tag")
    for number in count(1):
        if not (key := parameters.text(f"Tag.{number}.Key")):
            break
        given.append({"Key": key, "Value": parameters.text(f"Tag.{number}.Value")})
    tags = []
    for tag in given:
        if not isinstance(tag, dict) or not isinstance(tag.get("Key"), str):
            raise invalid("Tag", "each must have a Key and a Value")
        tags.append((tag["Key"], str(tag.get("Value", ""))))
    return tuple(tags)


def _read_selector(parameters: Parameters) -> dict[str, str]:
    """TagSelector, of the form key=value,key=value: a task must carry them all."""
    selector = {}
    for item in filter(None, parameters.text("TagSelector").split(",")):
        key, equals, value = item.partition("=")
        if not key or not equals:
            raise invalid("TagSelector", "it must be tags such as key=value,key=value")
        selector[key] = value
    return selector


def _read_range(parameters: Parameters, name: str) -> tuple[datetime | None, datetime | None]:
    given = parameters.json_object(name)
    return _read_time(name, given.get("StartTime")), _read_time(name, given.get("EndTime"))


def _read_time(name: str, value: object) -> datetime | None:
    if value in (None, ""):
        return None
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        raise invalid(name, "StartTime and EndTime must be RFC 3339 times") from None
    return time if time.tzinfo else time.replace(tzinfo=_BEIJING)


def _within(time: datetime | None, limits: tuple[datetime | None, datetime | None]) -> bool:
    first, last = limits
    if first is None and last is None:
        return True
    return time is not None and (first is None or time >= first) and (last is None or time <= last)


def _next_token(keys: Sequence[tuple[str, ...]], size: int) -> str:
    """Where the next page goes on: after the last key of this one. "" on the last page."""
    return base64.urlsafe_b64encode(json.dumps(keys[size - 1]).encode()).decode() if len(keys) > size else ""


def _read_token(parameters: Parameters, length: int) -> tuple[str, ...]:
    token = parameters.text("NextToken")
    if not token:
        return ()
    try:
        key = json.loads(base64.urlsafe_b64decode(token.encode()))
    except ValueError:
        key = None
    if not isinstance(key, list) or len(key) != length or not all(isinstance(part, str) for part in key):
        raise invalid("NextToken", "it does not come from this service")
    return tuple(key)


def _project_fields(project: _Project) -> dict[str, object]:
    created = f"{project.created.astimezone(_BEIJING):%Y-%m-%dT%H:%M:%S.%f}000+08:00"
    return {
        "ProjectName": project.name,
        "ServiceRole": project.service_role,
        "TemplateId": project.template_id,
        "Description": project.description,
        "CreateTime": created,
        "UpdateTime": created,
        "ProjectQueriesPerSecond": 100,
        "EngineConcurrency": 100,
        **project.limits,
        "Tags": [{"TagKey": key, "TagValue": value} for key, value in project.tags],
    }


def _task_fields(task: Task) -> dict[str, object]:
    """What GetTask and ListTasks share. There is no page count, and no progress before the end."""
    outcome = task.outcome
    failed = outcome is not None and not outcome.succeeded
    return {
        "TaskId": task.task_id,
        "TaskType": _TASK_TYPE,
        "Status": _status(task),
        "Code": outcome.code if outcome and failed else "",
        "Message": outcome.message if outcome and failed else "",
        "Progress": 100 if outcome and outcome.succeeded else 0,
        "StartTime": _milliseconds(task.started),
        "EndTime": _milliseconds(task.ended) if task.ended else "",
        "Tags": _task_tags(task),
        "UserData": task.request.get("UserData", ""),
    }


def _task_tags(task: Task) -> dict[str, str]:
    tags: dict[str, str] = json.loads(task.request.get("Tags") or "{}")
    return tags


def _event_id(task: Task) -> str:
    """An id in the shape of IMM's, always the same for a task."""
    identity = uuid.uuid5(uuid.NAMESPACE_URL, task.task_id).bytes
    return f"{base64.b32encode(identity[:2]).decode()[:3]}-{base64.b64encode(identity, b'AB').decode().rstrip('=')}"


def _status(task: Task) -> str:
    if task.outcome is None:
        return "Running"
    return "Succeeded" if task.outcome.succeeded else "Failed"


def _milliseconds(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"
