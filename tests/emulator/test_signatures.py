"""The three signatures: what was signed passes, and what differs by anything is refused in the service's own words."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import string
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from aliyunsdkcore.auth.composer import rpc_signature_composer
from hypothesis import given
from hypothesis import strategies as st

from imm_tui.emulator.account import Account
from imm_tui.emulator.clock import Clock
from imm_tui.emulator.imm.parameters import ImmError
from imm_tui.emulator.keys import Keyring
from imm_tui.emulator.signatures import Signatures, mns_signature, parameters_of
from tests.conftest import RunningEmulator
from tests.emulator.raw import Answer, RawMns, rpc_target, send

ACCOUNT = Account.made_up()
OTHER_KEYS = {"key_id": "LTAInobody", "secret": "nothing"}


def now(minutes: float = 0) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


# MNS


@pytest.fixture
def mns(emulator: RunningEmulator) -> Iterator[RawMns]:
    client = RawMns(emulator)
    yield client
    client.close()


def test_the_mns_signature_of_a_known_request() -> None:
    assert (
        mns_signature(
            b"SUPERSECRET",
            "GET",
            "/queues/q1/messages?waitseconds=1",
            {"x-mns-version": "2015-06-06", "host": "unsigned"},
            "Mon, 23 Nov 2026 05:03:49 GMT",
        )
        == "Bv45UHjQcPS3b3pKWxZhYl3NgI0="
    )


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({}, 200, ""),
        ({"x_mns_date": format_datetime(now(), usegmt=True), "date": None}, 200, ""),
        ({"x_mns_date": format_datetime(now(), usegmt=True), "date": "whatever"}, 200, ""),
        ({"date": format_datetime(now(10), usegmt=True)}, 200, ""),
        ({"security_token": ""}, 200, ""),
        ({"x_mns_user_request_id": "mine"}, 200, ""),
        ({"date": format_datetime(now(60), usegmt=True)}, 408, "TimeExpired"),
        ({"date": format_datetime(now(-60), usegmt=True)}, 408, "TimeExpired"),
        ({"date": "yesterday"}, 400, "InvalidDateHeader"),
        ({"date": now().isoformat()}, 400, "InvalidDateHeader"),
        ({"date": None}, 400, "MissingDateHeader"),
        ({"x_mns_version": None}, 400, "MissingVersionHeader"),
        ({"x_mns_version": "2014-07-08"}, 400, "InvalidArgument"),
        ({"authorization": None}, 400, "MissingAuthorizationHeader"),
        ({"authorization": "MNS"}, 400, "InvalidAuthorizationHeader"),
        ({"authorization": "MNS LTAI"}, 400, "InvalidAuthorizationHeader"),
        ({"authorization": "Basic a:b"}, 400, "InvalidAuthorizationHeader"),
        ({"key_id": "LTAInobody"}, 403, "InvalidAccessKeyId"),
        ({"secret": "wrong"}, 403, "SignatureDoesNotMatch"),
        ({"security_token": "CAIS"}, 403, "InvalidSecurityToken"),
    ],
)
def test_mns_accepts_or_refuses(mns: RawMns, changes: dict[str, Any], status: int, code: str) -> None:
    assert mns("GET", "/queues", **changes).refusal == (status, code)


@pytest.mark.parametrize(
    "tampered",
    [
        {"target": "/queues?peekonly=true"},
        {"method": "DELETE"},
        {"x-mns-prefix": "added"},
        {"content-type": "text/plain"},
        {"date": format_datetime(now(1), usegmt=True)},
    ],
)
def test_mns_signs_the_method_the_target_and_the_headers(mns: RawMns, tampered: dict[str, str]) -> None:
    headers = mns.headers("GET", "/queues")
    changes = dict(tampered)
    method, target = changes.pop("method", "GET"), changes.pop("target", "/queues")
    answer = send(mns.connection, method, target, {**headers, **changes})
    assert answer.refusal == (403, "SignatureDoesNotMatch")


def test_the_target_is_signed_as_it_was_sent(mns: RawMns) -> None:
    assert mns("GET", "/queues?b=%7E&a=~&a=+/=").status == 200


# RPC, version 1.0


@pytest.fixture
def connection(emulator: RunningEmulator) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(emulator.endpoint).netloc, timeout=40)
    yield connection
    connection.close()


def common(emulator: RunningEmulator, **changes: str | None) -> dict[str, str]:
    parameters = {
        "Action": "GetProject",
        "Version": "2020-09-30",
        "ProjectName": emulator.project,
        "Format": "JSON",
        "AccessKeyId": emulator.access_key_id,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": uuid.uuid4().hex,
        "Timestamp": f"{now():%Y-%m-%dT%H:%M:%SZ}",
        **changes,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, str(answer.json.get("Code", ""))


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({}, 200, ""),
        ({"SecurityToken": ""}, 200, ""),
        ({"UserData": " ~*+&=%2F/你好\n"}, 200, ""),
        ({"Timestamp": f"{now(10):%Y-%m-%dT%H:%M:%SZ}"}, 200, ""),
        ({"Timestamp": f"{now(60):%Y-%m-%dT%H:%M:%SZ}"}, 400, "InvalidTimeStamp.Expired"),
        ({"Timestamp": f"{now(-60):%Y-%m-%dT%H:%M:%SZ}"}, 400, "InvalidTimeStamp.Expired"),
        ({"Timestamp": "today"}, 400, "InvalidTimeStamp.Format"),
        ({"Timestamp": None}, 400, "MissingTimestamp"),
        ({"SignatureNonce": None}, 400, "MissingSignatureNonce"),
        ({"AccessKeyId": None}, 400, "MissingAccessKeyId"),
        ({"AccessKeyId": "LTAInobody"}, 404, "InvalidAccessKeyId.NotFound"),
        ({"SignatureMethod": "HMAC-MD5"}, 400, "InvalidParameter.SignatureMethod"),
        ({"SecurityToken": "CAIS"}, 400, "InvalidSecurityToken.Malformed"),
        ({"Action": None}, 400, "MissingAction"),
        ({"Action": "Nothing"}, 404, "InvalidAction.NotFound"),
    ],
)
def test_rpc_accepts_or_refuses(
    emulator: RunningEmulator,
    connection: http.client.HTTPConnection,
    changes: dict[str, str | None],
    status: int,
    code: str,
) -> None:
    target = rpc_target(emulator.access_key_secret, "GET", common(emulator, **changes))
    answer = send(connection, "GET", target, {})
    assert refusal(answer) == (status, code)
    assert answer.json["RequestId"] == answer.headers["x-acs-request-id"]
    if code:
        assert {"HostId", "Message", "Recommend"} <= answer.json.keys()


def test_rpc_takes_parameters_from_a_form_too(
    emulator: RunningEmulator, connection: http.client.HTTPConnection
) -> None:
    query, form = common(emulator), {"UserData": "a b+c/你好", "ProjectName": emulator.project}
    del query["ProjectName"]
    target = rpc_target(emulator.access_key_secret, "POST", query, form)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert send(connection, "POST", target, headers, urlencode(form).encode()).status == 200
    tampered = urlencode({**form, "UserData": "other"}).encode()
    assert refusal(send(connection, "POST", target, headers, tampered)) == (400, "SignatureDoesNotMatch")


def test_rpc_says_what_it_would_have_signed(emulator: RunningEmulator, connection: http.client.HTTPConnection) -> None:
    answer = send(connection, "GET", rpc_target("wrong", "GET", common(emulator, Timestamp="2026-01-01T00:00:00Z")), {})
    assert refusal(answer) == (400, "InvalidTimeStamp.Expired")
    parameters = common(emulator)
    answer = send(connection, "GET", rpc_target("wrong", "GET", parameters), {})
    encoded = "&".join(f"{name}={quote(value, safe='~')}" for name, value in sorted(parameters.items()))
    assert refusal(answer) == (400, "SignatureDoesNotMatch")
    assert answer.json["Message"].split(":") == [
        "Specified signature is not matched with our calculation. server string to sign is",
        f"GET&%2F&{quote(encoded, safe='~')}",
    ]


def test_a_nonce_is_good_for_one_call(emulator: RunningEmulator, connection: http.client.HTTPConnection) -> None:
    target = rpc_target(emulator.access_key_secret, "GET", common(emulator))
    assert send(connection, "GET", target, {}).status == 200
    assert refusal(send(connection, "GET", target, {})) == (400, "SignatureNonceUsed")


@pytest.mark.parametrize("stated", [None, "XML"])
def test_without_a_format_rpc_speaks_xml(
    emulator: RunningEmulator, connection: http.client.HTTPConnection, stated: str | None
) -> None:
    for secret, root in ((emulator.access_key_secret, "GetProjectResponse"), ("wrong", "Error")):
        answer = send(connection, "GET", rpc_target(secret, "GET", common(emulator, Format=stated)), {})
        assert answer.headers["content-type"] == "text/xml;charset=utf-8"
        assert answer.xml.tag == root
        assert answer.xml.findtext("RequestId") == answer.headers["x-acs-request-id"]
    assert answer.xml.findtext("Code") == "SignatureDoesNotMatch"


words = st.text(st.characters(codec="utf-8"))


@given(st.dictionaries(st.text(string.ascii_letters + ".", min_size=1), words), st.dictionaries(words, words))
def test_whatever_aliyunsdkcore_signs_passes(query: dict[str, str], form: dict[str, str]) -> None:
    names = {"Signature", "SecurityToken", *common_names()}
    query = {name: value for name, value in query.items() if name not in names}
    form = {name: value for name, value in form.items() if name not in names}
    url, _ = rpc_signature_composer.get_signed_url(
        dict(query), ACCOUNT.access_key_id, ACCOUNT.access_key_secret, "JSON", "POST", form
    )
    sent = parameters_of(url.removeprefix("/?"))
    Signatures(Keyring(ACCOUNT, Clock())).check_rpc("POST", sent, parameters_of(urlencode(form)))
    sent["Added"] = "later"
    with pytest.raises(ImmError, match="SignatureDoesNotMatch"):
        Signatures(Keyring(ACCOUNT, Clock())).check_rpc("POST", sent, form)


def common_names() -> set[str]:
    url, _ = rpc_signature_composer.get_signed_url({}, "id", "secret", "JSON", "POST", {})
    return {name for name, _ in parse_qsl(url.removeprefix("/?"), keep_blank_values=True)}


# RPC, version 3


def acs3_headers(
    emulator: RunningEmulator, query: Mapping[str, str], body: bytes, **changes: str | None
) -> dict[str, str]:
    """Signed by hand. A change given as None leaves the header out before the signing."""
    credentials = {
        "key_id": changes.pop("key_id", None) or emulator.access_key_id,
        "secret": changes.pop("secret", None) or emulator.access_key_secret,
    }
    all_headers = {
        "host": urlsplit(emulator.endpoint).netloc,
        "x-acs-action": "GetProject",
        "x-acs-version": "2020-09-30",
        "x-acs-date": f"{now():%Y-%m-%dT%H:%M:%SZ}",
        "x-acs-signature-nonce": uuid.uuid4().hex,
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    headers = {name: value for name, value in all_headers.items() if value is not None}
    names = sorted(headers)
    lines = [
        "POST",
        "/",
        "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(query.items())),
        *(f"{name}:{headers[name].strip()}" for name in names),
        "",
        ";".join(names),
        hashlib.sha256(body).hexdigest(),
    ]
    text = "ACS3-HMAC-SHA256\n" + hashlib.sha256("\n".join(lines).encode()).hexdigest()
    signature = hmac.new(credentials["secret"].encode(), text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={credentials['key_id']},SignedHeaders={';'.join(names)},Signature={signature}"
    )
    return headers


def acs3_call(
    emulator: RunningEmulator,
    connection: http.client.HTTPConnection,
    query: Mapping[str, str],
    body: bytes = b"",
    **changes: str | None,
) -> Answer:
    headers = acs3_headers(emulator, query, body, **changes)
    return send(connection, "POST", "/?" + urlencode(query), headers, body)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({}, 200, ""),
        ({"x_acs_date": f"{now(60):%Y-%m-%dT%H:%M:%SZ}"}, 400, "InvalidTimeStamp.Expired"),
        ({"x_acs_date": "today"}, 400, "InvalidTimeStamp.Format"),
        ({"x_acs_date": None}, 400, "Missingx-acs-date"),
        ({"x_acs_signature_nonce": None}, 400, "Missingx-acs-signature-nonce"),
        ({"x_acs_content_sha256": "0" * 64}, 400, "SignatureDoesNotMatch"),
        ({"x_acs_security_token": "CAIS"}, 400, "InvalidSecurityToken.Malformed"),
        ({"key_id": "LTAInobody"}, 404, "InvalidAccessKeyId.NotFound"),
        ({"secret": "wrong"}, 400, "SignatureDoesNotMatch"),
        ({"x_acs_action": "Nothing"}, 404, "InvalidAction.NotFound"),
        ({"x_acs_version": "1999-01-01"}, 400, "InvalidVersion"),
    ],
)
def test_acs3_accepts_or_refuses(
    emulator: RunningEmulator,
    connection: http.client.HTTPConnection,
    changes: dict[str, Any],
    status: int,
    code: str,
) -> None:
    answer = acs3_call(emulator, connection, {"ProjectName": emulator.project}, **changes)
    assert refusal(answer) == (status, code)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/x-www-form-urlencoded"])
def test_acs3_takes_parameters_from_a_body(
    emulator: RunningEmulator, connection: http.client.HTTPConnection, content_type: str
) -> None:
    body = f'{{"ProjectName": "{emulator.project}"}}' if "json" in content_type else f"ProjectName={emulator.project}"
    query = {"UserData": "a b/你好"}
    headers = acs3_headers(emulator, query, body.encode(), content_type=content_type)
    target = "/?" + urlencode(query)
    assert send(connection, "POST", target, headers, body.encode()).status == 200
    assert refusal(send(connection, "POST", target, headers, body.encode())) == (400, "SignatureNonceUsed")
    assert refusal(send(connection, "POST", target, headers, b"{}")) == (400, "SignatureDoesNotMatch")


def test_acs3_must_sign_what_it_relies_on(emulator: RunningEmulator, connection: http.client.HTTPConnection) -> None:
    headers = acs3_headers(emulator, {}, b"")
    headers["authorization"] = headers["authorization"].replace("host;", "")
    assert refusal(send(connection, "POST", "/", headers)) == (400, "IncompleteSignature")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_imm_is_called_by_get_and_post(
    emulator: RunningEmulator, connection: http.client.HTTPConnection, method: str
) -> None:
    target = rpc_target(emulator.access_key_secret, method, common(emulator))
    assert refusal(send(connection, method, target, {})) == (405, "UnsupportedHTTPMethod")


def test_the_secret_has_no_printed_form() -> None:
    assert ACCOUNT.access_key_secret not in repr(ACCOUNT)
    assert base64.b64encode(ACCOUNT.access_key_secret.encode()).decode() not in repr(ACCOUNT)
