"""IMM, both API versions behind one small interface, through aliyun-python-sdk-core and aliyun-python-sdk-imm.

The SDK builds and signs the requests and keeps a pool of connections. The connections are our own, and its replies are
read here: the SDK puts signed URLs into its exceptions and its log, and takes any page for an answer.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from typing import Any
from urllib.request import getproxies, proxy_bypass

from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.auth.signers.sts_token_signer import StsTokenSigner
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.http import protocol_type
from aliyunsdkcore.http.http_response import HttpResponse
from aliyunsdkcore.request import RpcRequest
from aliyunsdkcore.vendored.requests.adapters import HTTPAdapter
from aliyunsdkimm.request.v20200930.CreateOfficeConversionTaskRequest import CreateOfficeConversionTaskRequest

from imm_tui.cloud.connection import CONNECT_SECONDS, Address, Connection, usable
from imm_tui.cloud.refusals import code_of, refused, request_id_of
from imm_tui.credentials import Credentials
from imm_tui.errors import BadInput, OutcomeUnknown, Trouble, Unreachable
from imm_tui.tasks import ApiVersion, Conversion

# The SDK logs every parameter, and a signed URL with each error; with DEBUG=sdk in the environment it writes them to
# standard error as well, and fails at a status that it has no name for.
for _name in ("aliyunsdkcore", "aliyunsdkcore.http.http_response"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
HttpResponse.do_http_debug = lambda *_args: None

_BARRING_CODES = frozenset({"ProjectNotFound", "InvalidProject.NotFound", "InvalidVersion", "InvalidAction.NotFound"})

READ_SECONDS = 10
"""Without a byte of the answer after which a call is given up."""

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
        self._region = _checked(region, _REGION, "region", "small letters, digits and hyphens")
        self._project = _checked(project, _PROJECT, "project", "up to 128 letters, digits, hyphens and underscores")
        self._topic = _checked(topic, _TOPIC, "topic", "up to 256 letters, digits and hyphens") if topic.strip() else ""
        self._version = api_version
        self._mns_url = Address.parse(mns_endpoint, "mns_endpoint").url if self._topic and self._old else ""
        self._credentials = usable(credentials)
        self._client = _Client(self._address, self._region, self._credentials)

    @property
    def _old(self) -> bool:
        return self._version == "2017-09-06"

    def create_conversion(self, conversion: Conversion, token: str) -> Accepted:
        """Ask IMM to convert a document (CreateOfficeConversionTask).

        `token` names this submission: under 2017-09-06 it is the IdempotentToken, so that IMM takes a second call with
        it for the first; 2020-09-30 has none, there it travels as the UserData and comes back in the event.
        Raises Refused; Unreachable if nothing was sent; OutcomeUnknown if something was and no answer can be read.
        """
        for name in ("source_uri", "target_uri", "pages", "password"):
            if not _is_text(getattr(conversion, name) or ""):
                raise BadInput("This is not valid text.", "It holds a byte that is not UTF-8.", field=name)
        outcome = self._outcome(conversion, token)
        if isinstance(outcome, Accepted):
            return outcome
        # Raised here and not where it was found: the SDK's exceptions and frames hold the signed URL.
        raise outcome.with_traceback(None)

    def close(self) -> None:
        """Close the connections that no call is using."""
        self._client.session.close()

    def _outcome(self, conversion: Conversion, token: str) -> Accepted | Trouble:
        request = self._request(conversion, token)
        try:
            status, body = self._client.send(request)
        except Unreachable as trouble:
            return trouble
        except Exception as error:  # the SDK's own, and whatever else a reply made it stumble over
            return _unknown("It did not answer in time." if "timed out" in str(error) else "The connection was cut.")
        return self._read(status, body, conversion)

    def _read(self, status: int, body: bytes, conversion: Conversion) -> Accepted | Trouble:
        """What an answer says. A fault of IMM's own that it can still put into words is a refusal, not a mystery."""
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        fields = answer if isinstance(answer, dict) else {}
        request_id = request_id_of(fields.get("RequestId"))
        task_id = fields.get("TaskId")
        if 200 <= status < 300 and isinstance(task_id, str) and task_id.strip():
            percent = fields.get("Percent")
            told = type(percent) is int and percent in range(101)
            return Accepted(task_id.strip(), request_id or "", percent if told else None)
        code = code_of(fields.get("Code"))
        if status < 400 or code is None:
            return _unknown(f"The answer has the HTTP status {status} and is not in IMM's form.", request_id)
        message = fields.get("Message")
        return refused(
            "IMM",
            code,
            message if isinstance(message, str) else "",
            request_id,
            resource=f"the project “{self._project}” in {self._region} under {self._version}",
            action="imm:CreateOfficeConversionTask",
            secrets=(
                self._credentials.access_key_secret,
                self._credentials.security_token,
                conversion.password or "",
            ),
            barring=_BARRING_CODES,
        )

    def _request(self, conversion: Conversion, token: str) -> Any:
        parameters = self._parameters_2017(conversion, token) if self._old else self._parameters_2020(conversion, token)
        # aliyun-python-sdk-imm 2.1 has no class for 2017-09-06 any more. What the old one sent is this, byte for byte.
        request = (
            RpcRequest("imm", self._version, "CreateOfficeConversionTask", "imm")
            if self._old
            else CreateOfficeConversionTaskRequest()
        )
        request.set_method("POST")
        request.set_endpoint(self._address.authority)
        # The SDK compares by identity: any other "https" means plain http to it.
        request.set_protocol_type(protocol_type.HTTPS if self._address.tls else protocol_type.HTTP)
        for name, value in parameters.items():
            # In the query, like the SDK's classes do, the password as well: nothing says that IMM reads a body, and
            # only TLS protects either. Not through the setters: that of Notification depends on the SDK's release.
            if value is not None:  # it would be sent as "None"
                request.add_query_param(name, value)
        return request

    def _parameters_2017(self, conversion: Conversion, token: str) -> dict[str, Any]:
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

    def _parameters_2020(self, conversion: Conversion, token: str) -> dict[str, Any]:
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
        raise BadInput(
            f"“{text}” is not the name of a {field}." if text else f"The {field} is not given.",
            f"A {field}'s name has {form}.",
            "Copy the name from the console.",
            field=field,
        )
    return text


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _unknown(why: str, request_id: str | None = None) -> OutcomeUnknown:
    return OutcomeUnknown(
        "The task was sent, and whether IMM has it is not known.",
        why,
        "Wait for its event before it is submitted again; two submissions are two conversions.",
        request_id=request_id,
    )


class _Client(AcsClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK up to the reply, over our connections."""

    session: Any = None  # for AcsClient.__del__, should __init__ not come to its end

    def __init__(self, address: Address, region: str, credentials: Credentials) -> None:
        # The key goes in first of all because two variables of the environment would otherwise come before a token.
        super().__init__(
            credentials.access_key_id,
            credentials.access_key_secret,
            region,
            auto_retry=False,
            connect_timeout=CONNECT_SECONDS,
            timeout=READ_SECONDS,
            verify=True,
            proxy=_proxy(address),
        )
        if credentials.security_token:
            self._signer = StsTokenSigner(
                StsTokenCredential(credentials.access_key_id, credentials.access_key_secret, credentials.security_token)
            )
        self.session.trust_env = False  # ~/.netrc would put an Authorization header onto the request
        self.session.mount(f"{address.scheme}://", _Adapter(address))

    def send(self, request: Any) -> tuple[int, bytes]:
        """The HTTP status and the body of the answer, whatever they are."""
        request.set_accept_format("JSON")
        status, _headers, body, _error = self._implementation_of_do_action(request)
        return status, body

    def _get_server_exception(self, *_args: object) -> None:
        """The SDK's reading of a reply, which fails at GBK, at null, and at a signature's refusal without a colon."""


def _proxy(address: Address) -> dict[str, str]:
    """The proxy for `address`, from the environment or the system. The SDK ignores NO_PROXY; it takes "" as none."""
    proxy = "" if address.loopback or proxy_bypass(address.authority) else getproxies().get(address.scheme, "")
    if proxy.lower().startswith("socks"):
        raise BadInput(
            "A SOCKS proxy cannot be used.",
            f"{address.scheme.upper()}_PROXY names one.",
            "Let it name an HTTP proxy, or add the endpoint's host to NO_PROXY.",
        )
    return {"http": "", "https": "", address.scheme: proxy}


class _Adapter(HTTPAdapter):  # type: ignore[misc]
    """Pools connections that verify TLS, are bounded in time, and say for certain when nothing was sent."""

    def __init__(self, address: Address) -> None:
        super().__init__(pool_maxsize=_THREADS)
        self._tls = address.tls_context()

    def get_connection(self, url: str, proxies: Any = None) -> Any:
        pool = super().get_connection(url, proxies)
        pool.ConnectionCls = self._connection
        return pool

    def _connection(self, host: str, port: int, **_options: object) -> Connection:
        return Connection("IMM", host, port, self._tls)
