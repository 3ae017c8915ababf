"""IMM, both API versions behind one small interface, with the requests of aliyun-python-sdk-imm."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aliyunsdkcore.request import RpcRequest
from aliyunsdkimm.request.v20200930.CreateOfficeConversionTaskRequest import CreateOfficeConversionTaskRequest
from aliyunsdkimm.request.v20200930.GetProjectRequest import GetProjectRequest
from aliyunsdkimm.request.v20200930.GetTaskRequest import GetTaskRequest
from aliyunsdkimm.request.v20200930.ListProjectsRequest import ListProjectsRequest
from aliyunsdkimm.request.v20200930.ListTasksRequest import ListTasksRequest

from imm_tui.cloud.refusals import is_throttle
from imm_tui.cloud.route import Address
from imm_tui.cloud.rpc import Cut, Reply, Rpc, text_of
from imm_tui.credentials import Keys
from imm_tui.errors import BadInput, OutcomeUnknown, Refused, Trouble
from imm_tui.i18n import _
from imm_tui.tasks import ApiVersion, Conversion, Event, Status, milliseconds, rfc3339, task_key

_CREATE = "CreateOfficeConversionTask"
_REQUESTS = {
    _CREATE: CreateOfficeConversionTaskRequest,
    "GetProject": GetProjectRequest,
    "GetTask": GetTaskRequest,
    "ListProjects": ListProjectsRequest,
    "ListTasks": ListTasksRequest,
}
_TASK_TYPE = "OfficeConversion"

_BARRING_CODES = frozenset({"ProjectNotFound", "InvalidProject.NotFound", "InvalidVersion", "InvalidAction.NotFound"})

PAGES = 200
"""Of a hundred tasks or projects each, after which a list is long enough."""

_PROJECT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,127}")
_TOPIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,255}")
_REGION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Accepted:
    """IMM took a conversion on. An event for it may have come already."""

    task_id: str
    request_id: str
    percent: int | None = None
    """As the answer says; 2020-09-30 says nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What IMM says of a task when it is asked."""

    event: Event
    """The same as if a notification had brought it, but `asked`; its name is the operation's."""
    body: bytes = field(repr=False)
    """The JSON, byte for byte as it came."""
    request_id: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One task in a list, with what tells it from others; None where IMM says nothing of it."""

    task_id: str
    user_data: str | None
    """2020-09-30 only."""
    source_uri: str | None
    """2017-09-06 only, and so are the next two."""
    target_uri: str | None
    target_type: str | None
    created_at: int | None
    """Milliseconds since the epoch, by IMM's clock."""
    status: Status | None = None
    code: str | None = None
    """Why it failed, NoError where it did not."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project as IMM tells of it; empty or None where it says nothing."""

    name: str
    service_role: str
    """The RAM role in which IMM reads sources, writes targets and publishes notifications."""
    created_at: int | None
    """Epoch milliseconds."""
    endpoint: str
    """2017-09-06 only: the host that serves it."""


class Imm:
    """IMM in one API version, most often for one project. Safe for several threads."""

    def __init__(
        self,
        *,
        endpoint: str,
        region: str,
        api_version: ApiVersion,
        project: str | None,
        topic: str,
        mns_endpoint: str,
        credentials: Keys,
        read_only: bool = False,
    ) -> None:
        """Opens nothing yet. Without a `topic` IMM is asked for no notification; `mns_endpoint` is for 2017-09-06 only.

        With None for a project only `list_projects` is of use; all else raises BadInput. A `read_only` one raises
        ReadOnly for a submission. Raises BadInput for what cannot be, NoCredentials for keys that cannot.
        """
        self._address = Address.parse(endpoint, "imm_endpoint")
        self._region = _checked(region, _REGION, "region", _("A region's name has small letters, digits and hyphens."))
        self._named = None if project is None else _checked_project(project)
        form = _("A topic's name has up to 256 letters, digits and hyphens.")
        self._topic = _checked(topic, _TOPIC, "topic", form) if topic.strip() else ""
        self._version = api_version
        self._mns_url = Address.parse(mns_endpoint, "mns_endpoint").url if self._topic and self._old else ""
        self._rpc = Rpc("IMM", self._address, self._region, credentials, read_only=read_only)

    @property
    def clock_offset(self) -> float | None:
        """Seconds by which IMM's clock is ahead of this machine's, as its last reply said, refusal or not."""
        return self._rpc.clock_offset

    @property
    def _project(self) -> str:
        return _checked_project("") if self._named is None else self._named

    @property
    def _old(self) -> bool:
        return self._version == "2017-09-06"

    def create_conversion(self, conversion: Conversion, token: str) -> Accepted:
        """Ask IMM to convert a document (CreateOfficeConversionTask).

        `token` names this submission: under 2017-09-06 it is the IdempotentToken, so that IMM takes a second call with
        it for the first; 2020-09-30 has none, there it travels as the UserData and comes back in the event.
        Raises Refused; Unreachable if nothing was sent; OutcomeUnknown if something was, and no answer can be read or
        it does not say that the task was not begun.
        """
        if field := _unreadable(conversion):
            raise BadInput(_("This is not valid text."), _("It holds a byte that is not UTF-8."), field=field)
        outcome = self._create(conversion, token)
        if isinstance(outcome, Accepted):
            return outcome
        # Raised here and not where it was found: the frames there hold the password.
        raise outcome

    def request(self, conversion: Conversion, token: str) -> dict[str, Any]:
        """What `create_conversion` sends, as the history keeps it: every parameter of the operation as it goes over the
        wire, without those that every call has and those that sign it. A password is there, as None.
        """
        parameters: dict[str, str | None] = {**self._parameters(conversion, token)}
        if "Password" in parameters:
            parameters["Password"] = None
        return {
            "action": _CREATE,
            "version": self._version,
            "region": self._region,
            "endpoint": self._address.url,
            "parameters": parameters,
        }

    def get_task(self, task_id: str) -> Answer | None:
        """What has become of a task (GetOfficeConversionTask, GetTask); None if IMM does not know it, or not any more.

        IMM keeps what it knows of a task for seven days. Raises Refused and Unreachable.
        """
        operation = "GetOfficeConversionTask" if self._old else "GetTask"
        parameters = {"Project": self._project} if self._old else {"ProjectName": self._project, "TaskType": _TASK_TYPE}
        reply = self._ask(operation, parameters | {"TaskId": task_id})
        if isinstance(reply, Reply):
            if reply.is_success and (event := _event(operation, reply.fields, task_id)):
                return Answer(event, reply.body, reply.request_id or "")
            if _names_no_task(reply, task_id):
                return None
        raise self._trouble(reply, operation)

    def list_tasks(self, since: int, until: int) -> Iterator[Listed]:
        """The office conversions that IMM has begun from `since` to `until`, in epoch milliseconds, in any order.

        2017-09-06 lists all it has (ListOfficeConversionTask), 2020-09-30 what is asked for (ListTasks). A task without
        a time is listed too. At most PAGES pages. Raises Refused and Unreachable, also after some tasks.
        """
        operation = "ListOfficeConversionTask" if self._old else "ListTasks"
        # Not with RequestDefinition: a task's definition holds the document's password.
        parameters: dict[str, Any] = (
            {"Project": self._project}
            if self._old
            else {
                "ProjectName": self._project,
                "TaskTypes": json.dumps([_TASK_TYPE]),
                "StartTimeRange": json.dumps({"StartTime": rfc3339(since), "EndTime": rfc3339(until)}),
            }
        )
        for item in self._items("Tasks", operation, parameters):
            listed = _listed(item)
            if listed and (listed.created_at is None or since <= listed.created_at <= until):
                yield listed

    def get_project(self) -> Project | None:
        """The project (GetProject in either version); None if this version does not have it.

        The versions do not share their projects. Raises Refused and Unreachable.
        """
        reply = self._ask("GetProject", {"Project" if self._old else "ProjectName": self._project})
        if isinstance(reply, Reply):
            fields = reply.fields if self._old else reply.fields.get("Project")
            if reply.is_success and (project := _project(fields)):
                return project
            if _names_no_project(reply):
                return None
        raise self._trouble(reply, "GetProject")

    def list_projects(self) -> list[Project]:
        """All projects that this version has in the region (ListProjects in either version).

        Raises Refused and Unreachable.
        """
        return [project for item in self._items("Projects", "ListProjects", {}) if (project := _project(item))]

    def close(self) -> None:
        """Close the connections that no call is using."""
        self._rpc.close()

    def _items(self, name: str, operation: str, parameters: dict[str, Any]) -> Iterator[object]:
        """What a list holds under `name`, page after page, PAGES at most."""
        size, here, there = (
            ("MaxKeys", "Marker", "NextMarker") if self._old else ("MaxResults", "NextToken", "NextToken")
        )
        asked = parameters | {size: 100}
        tokens: set[str] = set()
        for _page in range(PAGES):
            reply = self._ask(operation, asked)
            # A list that is empty may be missing, but not everything else as well.
            if not (isinstance(reply, Reply) and reply.is_success and (name in reply.fields or reply.request_id)):
                raise self._trouble(reply, operation)
            items = reply.fields.get(name)
            yield from items if isinstance(items, list) else ()
            token = reply.fields.get(there)
            if not isinstance(token, str) or not token or token in tokens:
                return
            tokens.add(token)
            asked[here] = token

    def _create(self, conversion: Conversion, token: str) -> Accepted | Trouble:
        reply = self._ask(_CREATE, self._parameters(conversion, token))
        if isinstance(reply, Reply) and reply.is_success and (task_id := text_of(reply.fields.get("TaskId"))):
            return Accepted(task_id, reply.request_id or "", _figure(reply.fields.get("Percent"), 100))
        trouble = self._trouble(reply, _CREATE, conversion.password or "")
        if reply is trouble:
            return trouble
        why = trouble.why
        if isinstance(reply, Reply) and isinstance(trouble, Refused) and not (why := _doubt(reply.status, trouble)):
            return trouble
        return OutcomeUnknown(
            _("The task was sent, and whether IMM has it is not known."),
            why,
            _("Wait for its event before it is submitted again; two submissions are two conversions."),
            code=trouble.code,
            request_id=trouble.request_id,
            retry_after=trouble.retry_after,
        )

    def _ask(self, operation: str, parameters: dict[str, Any]) -> Reply | Cut | Trouble:
        """The reply to one call, whatever it is; a Trouble if nothing was sent to IMM."""
        # aliyun-python-sdk-imm 2.1 has no class for 2017-09-06 any more. What the old ones sent is this, byte for byte.
        request_of: Callable[[], Any] = (
            partial(RpcRequest, "imm", self._version, operation, "imm") if self._old else _REQUESTS[operation]
        )
        return self._rpc.ask(f"imm:{operation}", request_of, parameters)

    def _trouble(self, reply: Reply | Cut | Trouble, operation: str, password: str = "") -> Trouble:
        """What a person is told of a reply that is no success."""
        resource = (
            _("the projects in {region} under {version}")
            if self._named is None
            else _("the project “{project}” in {region} under {version}")
        )
        return self._rpc.trouble(
            reply,
            f"imm:{operation}",
            resource=resource.format(project=self._named, region=self._region, version=self._version),
            secrets=(password,),
            barring=_BARRING_CODES,
        )

    def _parameters(self, conversion: Conversion, token: str) -> dict[str, str]:
        """The parameters of a submission, those that are asked for."""
        words = self._words_2017(conversion, token) if self._old else self._words_2020(conversion, token)
        given = {name: str(value) for name, value in words.items() if value is not None}
        return given | dict(conversion.options)

    def _words_2017(self, conversion: Conversion, token: str) -> dict[str, str | int | None]:
        return {
            "Project": self._project,
            "SrcUri": conversion.source_uri,
            "TgtUri": conversion.target_uri,
            "TgtType": "text" if conversion.target_type == "txt" else conversion.target_type,
            "TgtFilePages": conversion.pages,
            "DisplayDpi": conversion.dpi,
            "Password": conversion.password,
            "NotifyEndpoint": self._mns_url or None,
            "NotifyTopicName": self._topic or None,
            "IdempotentToken": token,
        }

    def _words_2020(self, conversion: Conversion, token: str) -> dict[str, str | int | None]:
        target = "TargetURI" if "{" in conversion.target_uri else "TargetURIPrefix"
        return {
            "ProjectName": self._project,
            "SourceURI": conversion.source_uri,
            target: conversion.target_uri,
            "TargetType": "txt" if conversion.target_type == "text" else conversion.target_type,
            "Pages": conversion.pages,
            "ImageDPI": conversion.dpi,
            "Password": conversion.password,
            "Notification": json.dumps({"MNS": {"TopicName": self._topic}}) if self._topic else None,
            "UserData": token,
        }


def _checked(text: str, pattern: re.Pattern[str], field: str, form: str) -> str:
    text = text.strip()
    if not pattern.fullmatch(text):
        what = _("“{text}” is not the name of a {field}.") if text else _("The {field} is not given.")
        raise BadInput(what.format(text=text, field=field), form, _("Copy the name from the console."), field=field)
    return text


def _checked_project(name: str) -> str:
    form = _("A project's name has up to 128 letters, digits, hyphens and underscores.")
    return _checked(name, _PROJECT, "project", form)


def _unreadable(conversion: Conversion) -> str | None:
    """The field of a conversion that cannot be sent because it is no text."""
    fields = {name: getattr(conversion, name) for name in ("source_uri", "target_uri", "pages", "password")}
    return next((name for name, text in (fields | dict(conversion.options)).items() if not _is_text(text or "")), None)


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


_WORDS = {
    "running": Status.RUNNING,
    "finished": Status.SUCCEEDED,
    "succeeded": Status.SUCCEEDED,
    "failed": Status.FAILED,
}


def _event(operation: str, fields: dict[str, Any], task_id: str) -> Event | None:
    """What an answer says of the task that was asked about; None if it is about none, or another one."""
    named, word = text_of(fields.get("TaskId")), text_of(fields.get("Status"))
    if not (named or word) or task_key(named or task_id) != task_key(task_id):
        return None
    detail = fields.get("FailDetail")
    code = text_of(detail.get("Code") if isinstance(detail, dict) else fields.get("Code"))
    ended = text_of(fields.get("FinishTime") or fields.get("EndTime"))
    status = _WORDS.get((word or "").lower())
    if status is None:  # a word of a later version
        failed = code is not None and code.lower() != "noerror"
        status = Status.FAILED if failed else Status.SUCCEEDED if ended else Status.RUNNING
    # A Progress or a PageCount of 0 says only that IMM does not keep any.
    percent = _figure(fields.get("Percent"), 100)
    return Event(
        task_id=named or task_id,
        name=operation,
        status=status,
        percent=_figure(fields.get("Progress"), 100) or None if percent is None else percent,
        page_count=_figure(fields.get("PageCount"), 10**9) or None,
        code=code,
        message=text_of(fields.get("Message")),
        time=ended if status.finished else text_of(fields.get("CreateTime") or fields.get("StartTime")),
        user_data=text_of(fields.get("UserData")),
        asked=True,
    )


_WAITED_IN_VAIN = (http.client.REQUEST_TIMEOUT, http.client.BAD_GATEWAY, http.client.GATEWAY_TIMEOUT)


def _doubt(status: int, refusal: Refused) -> str:
    """Why a refused submission may be under way all the same; "" for a refusal that says that nothing was begun.

    A gateway that waited in vain has passed the call on before. IMM's own word of a fault, 500 and 503 with a code, is
    a refusal like any other.
    """
    if refusal.code == "SignatureNonceUsed":
        why = _(
            "IMM has had this very request before: something on the way sent it twice, and the first may have arrived."
        )
    elif status in _WAITED_IN_VAIN and not is_throttle(refusal.code):
        why = _(
            "The answer is {code} with the HTTP status {status}, which may come after IMM has begun the task."
        ).format(code=refusal.code, status=status)
    else:
        return ""
    return f"{why} {refusal.why}".strip()


def _names_no_task(reply: Reply, task_id: str) -> bool:
    """Whether a refusal says that there is no such task. 2020-09-30 has one code for it and for a missing project."""
    code = reply.code or ""
    if not re.search("Not(Found|Exist)", code, re.IGNORECASE):
        return False
    # What it names first is what is missing: it may go on to say where.
    told = f"{code} {text_of(reply.fields.get('Message')) or ''}"
    named = re.search(f"project|task|{re.escape(task_id)}", told, re.IGNORECASE)
    return named is not None and named[0].lower() != "project"


_NO_PROJECT = re.compile(
    r".*Project.*Not(Found|Exist)|Resource\w*\.?Not(Found|Exist)|.*Not(Found|Exist).*Project", re.IGNORECASE
)


def _names_no_project(reply: Reply) -> bool:
    """Whether a refusal says that there is no such project. Not by its message: that may name it for any reason."""
    return _NO_PROJECT.match(reply.code or "") is not None


def _project(item: object) -> Project | None:
    if not isinstance(item, dict) or not (name := text_of(item.get("ProjectName") or item.get("Project"))):
        return None
    return Project(
        name,
        text_of(item.get("ServiceRole")) or "",
        milliseconds(text_of(item.get("CreateTime"))),
        text_of(item.get("Endpoint")) or "",
    )


def _listed(item: object) -> Listed | None:
    if not isinstance(item, dict) or not (task_id := text_of(item.get("TaskId"))):
        return None
    return Listed(
        task_id,
        text_of(item.get("UserData")),
        text_of(item.get("SrcUri")),
        text_of(item.get("TgtUri")),
        text_of(item.get("TgtType")),
        milliseconds(text_of(item.get("CreateTime") or item.get("StartTime"))),
        _WORDS.get((text_of(item.get("Status")) or "").lower()),
        text_of(item.get("Code")),
    )


def _figure(value: object, most: int) -> int | None:
    """A whole number from 0 to `most`, written as a number or as a string."""
    found = re.fullmatch(r"([0-9]{1,10})(?:\.0+)?", str(value)) if isinstance(value, str | int | float) else None
    return int(found[1]) if found and int(found[1]) <= most else None
