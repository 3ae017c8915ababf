"""IMM, both API versions behind one small interface, through aliyun-python-sdk-core and aliyun-python-sdk-imm.

The SDK builds and signs the requests and keeps a pool of connections. The connections are our own, and its replies are
read here: the SDK puts signed URLs into its exceptions and its log, and takes any page for an answer.
"""

from __future__ import annotations

import http.client
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.auth.signers.sts_token_signer import StsTokenSigner
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.http import protocol_type
from aliyunsdkcore.http.http_response import HttpResponse
from aliyunsdkcore.request import RpcRequest
from aliyunsdkcore.vendored.requests.adapters import HTTPAdapter
from aliyunsdkimm.request.v20200930.CreateOfficeConversionTaskRequest import CreateOfficeConversionTaskRequest
from aliyunsdkimm.request.v20200930.GetTaskRequest import GetTaskRequest
from aliyunsdkimm.request.v20200930.ListTasksRequest import ListTasksRequest

from imm_tui.cloud.connection import CONNECT_SECONDS, Connection, usable
from imm_tui.cloud.refusals import Header, code_of, is_throttle, refused, request_id_of, retry_after_of
from imm_tui.cloud.route import Address, Route
from imm_tui.credentials import Credentials
from imm_tui.errors import BadInput, OutcomeUnknown, Refused, Trouble, Unreachable
from imm_tui.i18n import _
from imm_tui.tasks import ApiVersion, Conversion, Event, Status, milliseconds, rfc3339, task_key

# The SDK logs every parameter, and a signed URL with each error; with DEBUG=sdk in the environment it writes them to
# standard error as well, and fails at a status that it has no name for.
for _name in ("aliyunsdkcore", "aliyunsdkcore.http.http_response"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
HttpResponse.do_http_debug = lambda *_args: None

_CREATE = "CreateOfficeConversionTask"
_REQUESTS = {
    _CREATE: CreateOfficeConversionTaskRequest,
    "GetTask": GetTaskRequest,
    "ListTasks": ListTasksRequest,
}
_TASK_TYPE = "OfficeConversion"

_BARRING_CODES = frozenset({"ProjectNotFound", "InvalidProject.NotFound", "InvalidVersion", "InvalidAction.NotFound"})

READ_SECONDS = 10
"""Without a byte of the answer after which a call is given up."""

PAGES = 200
"""Of a hundred tasks each, after which a list is long enough."""

_THREADS = 16
"""Connections that are kept; a further thread opens one for each call."""

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


class Imm:
    """One IMM project in one API version. Safe for several threads."""

    def __init__(
        self,
        *,
        endpoint: str,
        region: str,
        api_version: ApiVersion,
        project: str,
        topic: str,
        mns_endpoint: str,
        credentials: Credentials,
    ) -> None:
        """Opens nothing yet. Without a `topic` IMM is asked for no notification; `mns_endpoint` is for 2017-09-06 only.

        Raises BadInput for what cannot be, NoCredentials for keys that cannot.
        """
        self._address = Address.parse(endpoint, "imm_endpoint")
        self._region = _checked(region, _REGION, "region", _("A region's name has small letters, digits and hyphens."))
        self._project = _checked(
            project,
            _PROJECT,
            "project",
            _("A project's name has up to 128 letters, digits, hyphens and underscores."),
        )
        form = _("A topic's name has up to 256 letters, digits and hyphens.")
        self._topic = _checked(topic, _TOPIC, "topic", form) if topic.strip() else ""
        self._version = api_version
        self._mns_url = Address.parse(mns_endpoint, "mns_endpoint").url if self._topic and self._old else ""
        self._credentials = usable(credentials)
        self._route = Route.to("IMM", self._address)
        self._client = _Client(self._route, self._region, self._credentials)

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
        if isinstance(reply, _Reply):
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
        here, there = ("Marker", "NextMarker") if self._old else ("NextToken", "NextToken")
        # Not with RequestDefinition: a task's definition holds the document's password.
        parameters: dict[str, Any] = (
            {"Project": self._project, "MaxKeys": 100}
            if self._old
            else {
                "ProjectName": self._project,
                "TaskTypes": json.dumps([_TASK_TYPE]),
                "StartTimeRange": json.dumps({"StartTime": rfc3339(since), "EndTime": rfc3339(until)}),
                "MaxResults": 100,
            }
        )
        tokens: set[str] = set()
        for _page in range(PAGES):
            reply = self._ask(operation, parameters)
            # A list that is empty may be missing, but not everything else as well.
            if not (isinstance(reply, _Reply) and reply.is_success and ("Tasks" in reply.fields or reply.request_id)):
                raise self._trouble(reply, operation)
            tasks = reply.fields.get("Tasks")
            for item in tasks if isinstance(tasks, list) else ():
                listed = _listed(item)
                if listed and (listed.created_at is None or since <= listed.created_at <= until):
                    yield listed
            token = reply.fields.get(there)
            if not isinstance(token, str) or not token or token in tokens:
                return
            tokens.add(token)
            parameters[here] = token

    def close(self) -> None:
        """Close the connections that no call is using."""
        self._client.session.close()

    def _create(self, conversion: Conversion, token: str) -> Accepted | Trouble:
        reply = self._ask(_CREATE, self._parameters(conversion, token))
        if isinstance(reply, _Reply) and reply.is_success and (task_id := _text(reply.fields.get("TaskId"))):
            return Accepted(task_id, reply.request_id or "", _figure(reply.fields.get("Percent"), 100))
        trouble = self._trouble(reply, _CREATE, conversion.password or "")
        if reply is trouble:
            return trouble
        why = trouble.why
        if isinstance(reply, _Reply) and isinstance(trouble, Refused) and not (why := _doubt(reply.status, trouble)):
            return trouble
        return OutcomeUnknown(
            _("The task was sent, and whether IMM has it is not known."),
            why,
            _("Wait for its event before it is submitted again; two submissions are two conversions."),
            code=trouble.code,
            request_id=trouble.request_id,
            retry_after=trouble.retry_after,
        )

    def _ask(self, operation: str, parameters: dict[str, Any]) -> _Reply | _Cut | Unreachable:
        """The reply to one call, whatever it is; Unreachable if nothing was sent to IMM."""
        # aliyun-python-sdk-imm 2.1 has no class for 2017-09-06 any more. What the old ones sent is this, byte for byte.
        request = RpcRequest("imm", self._version, operation, "imm") if self._old else _REQUESTS[operation]()
        request.set_method("POST")
        request.set_endpoint(self._address.authority)
        # The SDK compares by identity: any other "https" means plain http to it.
        request.set_protocol_type(protocol_type.HTTPS if self._address.tls else protocol_type.HTTP)
        for name, value in parameters.items():
            # In the query, like the SDK's classes do, the password as well: nothing says that IMM reads a body, and
            # only TLS protects either. Not through the setters: that of Notification depends on the SDK's release.
            request.add_query_param(name, value)
        try:
            reply = self._client.send(request)
        except Unreachable as trouble:
            # From here on without where it was found: the SDK's exceptions and frames hold the signed URL.
            return trouble.with_traceback(None)
        except Exception as error:  # the SDK's own, and whatever else a reply made it stumble over
            return _Cut(TimeoutError() if "timed out" in str(error) else ConnectionError())
        if self._route.proxy and reply.status == http.client.PROXY_AUTHENTICATION_REQUIRED:
            return self._route.unusable(reply.status, None)  # the proxy has kept the request to itself
        return reply

    def _trouble(self, reply: _Reply | _Cut | Unreachable, operation: str, password: str = "") -> Trouble:
        """What a person is told of a reply that is no success."""
        if isinstance(reply, Unreachable):
            return reply
        if isinstance(reply, _Cut):
            return self._route.unreachable(reply.fault)
        retry_after = retry_after_of(reply.header)
        code = code_of(reply.fields.get("Code"))
        if reply.status < 400 or code is None:
            return self._route.unusable(reply.status, retry_after, reply.request_id)
        return refused(
            "IMM",
            code,
            _text(reply.fields.get("Message")) or "",
            reply.request_id,
            status=reply.status,
            retry_after=retry_after,
            resource=_("the project “{project}” in {region} under {version}").format(
                project=self._project, region=self._region, version=self._version
            ),
            action=f"imm:{operation}",
            secrets=(self._credentials.access_key_secret, self._credentials.security_token, password, reply.signature),
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


def _unreadable(conversion: Conversion) -> str | None:
    """The field of a conversion that cannot be sent because it is no text."""
    fields = {name: getattr(conversion, name) for name in ("source_uri", "target_uri", "pages", "password")}
    return next((name for name, text in (fields | dict(conversion.options)).items() if not _is_text(text or "")), None)


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


@dataclass(frozen=True, slots=True)
class _Reply:
    """A reply of whatever status and form; `fields` is empty where it is no JSON object."""

    status: int
    header: Header = field(repr=False)
    body: bytes = field(repr=False)
    fields: dict[str, Any] = field(repr=False)
    signature: str = field(repr=False)
    """Of the request."""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def request_id(self) -> str | None:
        return request_id_of(self.fields.get("RequestId"))


@dataclass(frozen=True, slots=True)
class _Cut:
    """A request was sent, or a part of it, and no whole reply came."""

    fault: Exception


_WORDS = {
    "running": Status.RUNNING,
    "finished": Status.SUCCEEDED,
    "succeeded": Status.SUCCEEDED,
    "failed": Status.FAILED,
}


def _event(operation: str, fields: dict[str, Any], task_id: str) -> Event | None:
    """What an answer says of the task that was asked about; None if it is about none, or another one."""
    named, word = _text(fields.get("TaskId")), _text(fields.get("Status"))
    if not (named or word) or task_key(named or task_id) != task_key(task_id):
        return None
    detail = fields.get("FailDetail")
    code = _text(detail.get("Code") if isinstance(detail, dict) else fields.get("Code"))
    ended = _text(fields.get("FinishTime") or fields.get("EndTime"))
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
        message=_text(fields.get("Message")),
        time=ended if status.finished else _text(fields.get("CreateTime") or fields.get("StartTime")),
        user_data=_text(fields.get("UserData")),
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


def _names_no_task(reply: _Reply, task_id: str) -> bool:
    """Whether a refusal says that there is no such task. 2020-09-30 has one code for it and for a missing project."""
    code = code_of(reply.fields.get("Code")) or ""
    if reply.status < 400 or not re.search("Not(Found|Exist)", code, re.IGNORECASE):
        return False
    # What it names first is what is missing: it may go on to say where.
    told = f"{code} {_text(reply.fields.get('Message')) or ''}"
    named = re.search(f"project|task|{re.escape(task_id)}", told, re.IGNORECASE)
    return named is not None and named[0].lower() != "project"


def _listed(item: object) -> Listed | None:
    if not isinstance(item, dict) or not (task_id := _text(item.get("TaskId"))):
        return None
    return Listed(
        task_id,
        _text(item.get("UserData")),
        _text(item.get("SrcUri")),
        _text(item.get("TgtUri")),
        _text(item.get("TgtType")),
        milliseconds(_text(item.get("CreateTime") or item.get("StartTime"))),
    )


def _text(value: object) -> str | None:
    """A string that says something, and that every file can hold."""
    if not isinstance(value, str):
        return None
    return value.strip().encode("utf-8", "backslashreplace").decode("utf-8") or None


def _figure(value: object, most: int) -> int | None:
    """A whole number from 0 to `most`, written as a number or as a string."""
    found = re.fullmatch(r"([0-9]{1,10})(?:\.0+)?", str(value)) if isinstance(value, str | int | float) else None
    return int(found[1]) if found and int(found[1]) <= most else None


class _Client(AcsClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK up to the reply, over our connections."""

    session: Any = None  # for AcsClient.__del__, should __init__ not come to its end

    def __init__(self, route: Route, region: str, credentials: Credentials) -> None:
        # The key goes in first of all because two variables of the environment would otherwise come before a token.
        super().__init__(
            credentials.access_key_id,
            credentials.access_key_secret,
            region,
            auto_retry=False,
            connect_timeout=CONNECT_SECONDS,
            timeout=READ_SECONDS,
            verify=True,
            proxy={"http": "", "https": ""},  # the connections see to it; and the SDK ignores NO_PROXY
        )
        if credentials.security_token:
            self._signer = StsTokenSigner(
                StsTokenCredential(credentials.access_key_id, credentials.access_key_secret, credentials.security_token)
            )
        self.session.trust_env = False  # ~/.netrc would put an Authorization header onto the request
        self.session.mount(f"{route.address.scheme}://", _Adapter(route))

    def send(self, request: Any) -> _Reply:
        request.set_accept_format("JSON")
        signer = _Signer(self._signer)
        status, header, body, _error = self._implementation_of_do_action(request, signer)
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError):
            fields = None
        return _Reply(status, header, body, fields if isinstance(fields, dict) else {}, signer.signature)

    def _get_server_exception(self, *_args: object) -> None:
        """The SDK's reading of a reply, which fails at GBK, at null, and at a signature's refusal without a colon."""


class _Signer:
    """Signs one request, and knows the signature, which a reply may quote."""

    def __init__(self, signer: Any) -> None:
        self._signer = signer
        self.signature = ""

    def sign(self, region: str, request: Any) -> tuple[dict[str, str], str]:
        header, url = self._signer.sign(region, request)
        self.signature = dict(parse_qsl(urlsplit(url).query))["Signature"]
        return header, url


class _Adapter(HTTPAdapter):  # type: ignore[misc]
    """Pools connections that verify TLS, are bounded in time, and say for certain when nothing was sent."""

    def __init__(self, route: Route) -> None:
        super().__init__(pool_maxsize=_THREADS)
        self._route = route
        self._tls = route.address.tls_context()

    def get_connection(self, url: str, proxies: Any = None) -> Any:
        pool = super().get_connection(url, proxies)
        pool.ConnectionCls = self._connection
        return pool

    def _connection(self, **_place: object) -> Connection:
        return Connection(self._route, self._tls)
