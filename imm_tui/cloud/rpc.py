"""IMM or STS through aliyun-python-sdk-core: what all calls of an RPC service of Alibaba Cloud have in common.

The SDK builds and signs the requests and keeps a pool of connections. The connections are our own, and its replies are
read here: the SDK puts signed URLs into its exceptions and its log, and takes any page for an answer.
"""

from __future__ import annotations

import http.client
import json
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aliyunsdkcore.auth.credentials import AccessKeyCredential, StsTokenCredential
from aliyunsdkcore.auth.signers.access_key_signer import AccessKeySigner
from aliyunsdkcore.auth.signers.sts_token_signer import StsTokenSigner
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.http import protocol_type
from aliyunsdkcore.http.http_response import HttpResponse
from aliyunsdkcore.vendored.requests.adapters import HTTPAdapter

from imm_tui.cloud import read_only as promise
from imm_tui.cloud.connection import CONNECT_SECONDS, Connection, another_may_do, usable
from imm_tui.cloud.refusals import (
    Header,
    clock_offset_of,
    code_of,
    refused,
    request_id_of,
    retry_after_of,
)
from imm_tui.cloud.route import Address, Route
from imm_tui.credentials import Credentials, Keys
from imm_tui.errors import NoCredentials, Trouble, Unreachable

# The SDK logs every parameter, and a signed URL with each error; with DEBUG=sdk in the environment it writes them to
# standard error as well, and fails at a status that it has no name for.
for _name in ("aliyunsdkcore", "aliyunsdkcore.http.http_response"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
HttpResponse.do_http_debug = lambda *_args: None

READ_SECONDS = 10
"""Without a byte of the answer after which a call is given up."""

_THREADS = 16
"""Connections that are kept; a further thread opens one for each call."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of whatever status and form; `fields` is empty where it is no JSON object."""

    status: int
    header: Header = field(repr=False)
    body: bytes = field(repr=False)
    fields: dict[str, Any] = field(repr=False)
    key: Credentials = field(repr=False)
    """What the request was signed with."""
    signature: str = field(repr=False)
    """Of the request."""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def request_id(self) -> str | None:
        return request_id_of(self.fields.get("RequestId"))

    @property
    def code(self) -> str | None:
        """The service's error code, where it is a refusal in its form."""
        return code_of(self.fields.get("Code")) if self.status >= 400 else None

    @property
    def message(self) -> str:
        """The service's own words about a refusal."""
        return text_of(self.fields.get("Message")) or ""


@dataclass(frozen=True, slots=True)
class Cut:
    """A request was sent, or a part of it, and no whole reply came."""

    fault: Exception


class Rpc:
    """One service at one endpoint. Safe for several threads."""

    def __init__(self, service: str, address: Address, region: str, keys: Keys, *, read_only: bool = False) -> None:
        """Opens nothing yet. Raises BadInput for a proxy that cannot be, NoCredentials for keys that cannot."""
        usable(keys.current())
        self.clock_offset: float | None = None
        """Seconds by which the service's clock is ahead of this machine's, as its last reply said."""
        self._service = service
        self._address = address
        self._keys = keys
        self._read_only = read_only
        self._route = Route.to(service, address)
        self._client = _Client(self._route, region)

    def ask(self, action: str, request_of: Callable[[], Any], parameters: dict[str, Any]) -> Reply | Cut | Trouble:
        """The reply to one call, whatever it is; a Trouble if nothing was sent to the service.

        `action` is the permission that the call needs, `request_of` makes the SDK's request without `parameters`. A
        call that is refused because of its key was not carried out: it is sent again if there is another key now.
        It does not raise, because the frames here hold what was sent, a document's password as well.
        """
        if self._read_only and (trouble := promise.forbidden(action)):
            return trouble
        try:
            key = self._keys.current()
            reply = self._send(request_of(), parameters, usable(key))
            refused = isinstance(reply, Reply) and another_may_do(key, reply.code, reply.message)
            if refused and self._keys.renew(key):
                reply = self._send(request_of(), parameters, usable(self._keys.current()))
        except NoCredentials as none:
            return none.with_traceback(None)
        return reply

    def trouble(
        self,
        reply: Reply | Cut | Trouble,
        action: str,
        *,
        resource: str,
        secrets: tuple[str, ...] = (),
        barring: Collection[str] = (),
    ) -> Trouble:
        """What a person is told of a reply that is no success; `secrets` are what else it must not quote."""
        if isinstance(reply, Trouble):
            return reply
        if isinstance(reply, Cut):
            return self._route.unreachable(reply.fault)
        retry_after = retry_after_of(reply.header)
        if (code := reply.code) is None:
            return self._route.unusable(reply.status, retry_after, reply.request_id)
        return refused(
            self._service,
            code,
            reply.message,
            reply.request_id,
            status=reply.status,
            retry_after=retry_after,
            resource=resource,
            action=action,
            secrets=(reply.key.access_key_secret, reply.key.security_token, reply.signature, *secrets),
            barring=barring,
        )

    def close(self) -> None:
        """Close the connections that no call is using."""
        self._client.session.close()

    def _send(self, request: Any, parameters: dict[str, Any], key: Credentials) -> Reply | Cut | Trouble:
        request.set_method("POST")
        request.set_endpoint(self._address.authority)
        # The SDK compares by identity: any other "https" means plain http to it.
        request.set_protocol_type(protocol_type.HTTPS if self._address.tls else protocol_type.HTTP)
        for name, value in parameters.items():
            # In the query, like the SDK's classes do, a password as well: nothing says that IMM reads a body, and
            # only TLS protects either. Not through the setters: that of Notification depends on the SDK's release.
            request.add_query_param(name, value)
        asked_at = time.time()
        try:
            reply = self._client.send(request, key)
        except Unreachable as trouble:
            # From here on without where it was found: the SDK's exceptions and frames hold the signed URL.
            return trouble.with_traceback(None)
        except Exception as error:  # the SDK's own, and whatever else a reply made it stumble over
            return Cut(TimeoutError() if "timed out" in str(error) else ConnectionError())
        if (offset := clock_offset_of(reply.header, asked_at, time.time())) is not None:
            self.clock_offset = offset
        if self._route.proxy and reply.status == http.client.PROXY_AUTHENTICATION_REQUIRED:
            return self._route.unusable(reply.status, None)  # the proxy has kept the request to itself
        return reply


def text_of(value: object) -> str | None:
    """A string that says something, and that every file can hold."""
    if not isinstance(value, str):
        return None
    return value.strip().encode("utf-8", "backslashreplace").decode("utf-8") or None


class _Client(AcsClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK up to the reply, over our connections."""

    session: Any = None  # for AcsClient.__del__, should __init__ not come to its end

    def __init__(self, route: Route, region: str) -> None:
        # It wants a key now, and without one it would take that of two variables of the environment. Each call brings
        # the key that it is signed with.
        super().__init__(
            "-",
            "-",
            region,
            auto_retry=False,
            connect_timeout=CONNECT_SECONDS,
            timeout=READ_SECONDS,
            verify=True,
            proxy={"http": "", "https": ""},  # the connections see to it; and the SDK ignores NO_PROXY
        )
        self.session.trust_env = False  # ~/.netrc would put an Authorization header onto the request
        self.session.mount(f"{route.address.scheme}://", _Adapter(route))

    def send(self, request: Any, key: Credentials) -> Reply:
        request.set_accept_format("JSON")
        signer = _Signer(key)
        status, header, body, _error = self._implementation_of_do_action(request, signer)
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError):
            fields = None
        return Reply(status, header, body, fields if isinstance(fields, dict) else {}, key, signer.signature)

    def _get_server_exception(self, *_args: object) -> None:
        """The SDK's reading of a reply, which fails at GBK, at null, and at a signature's refusal without a colon."""


class _Signer:
    """Signs one request, and knows the signature, which a reply may quote."""

    def __init__(self, key: Credentials) -> None:
        self._signer = (
            StsTokenSigner(StsTokenCredential(key.access_key_id, key.access_key_secret, key.security_token))
            if key.security_token
            else AccessKeySigner(AccessKeyCredential(key.access_key_id, key.access_key_secret))
        )
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
