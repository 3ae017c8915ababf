"""Submitting over a wire on which anything can happen: what was sent, and what is known of it afterwards."""

from __future__ import annotations

import json
import logging
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imm_tui.cloud import connection, rpc
from imm_tui.cloud.imm import Accepted
from imm_tui.credentials import Credentials
from imm_tui.errors import BadInput, Barred, NoCredentials, OutcomeUnknown, Refused, Trouble, Unreachable
from imm_tui.options import options as options_of
from imm_tui.tasks import API_VERSIONS, ApiVersion, Conversion
from tests.cloud.conftest import (
    KEYS,
    PASSWORD,
    SECRET,
    TEMPORARY_KEYS,
    TOKEN,
    Authority,
    assert_tells_nothing,
    imm_on,
    parameters,
)
from tests.cloud.servers import Act, Service, answer, drip, free_port, hang, mute, raw, reset, then_close

CONVERSION = Conversion(
    source_uri="oss://bucket/5页 Word.docx", target_uri="oss://bucket/out/", target_type="png", password=PASSWORD
)
ACCEPTED = answer(200, json.dumps({"TaskId": "OfficeConversion-1", "RequestId": "2E5A-1", "EventId": "0"}))


def sent(conversion: Conversion, **settings: Any) -> dict[str, str]:
    """The parameters of a submission, without those that sign it and name the operation."""
    with Service(ACCEPTED) as fake, imm_on(fake.url, **settings) as imm:
        assert imm.create_conversion(conversion, "token-1") == Accepted("OfficeConversion-1", "2E5A-1")
    (request,) = fake.requests
    assert (request.method, request.body) == ("POST", b"")
    assert request.headers["host"] == f"127.0.0.1:{fake.port}"
    found = parameters(request)
    assert found.pop("Action") == "CreateOfficeConversionTask"
    assert found.pop("Version") == settings.get("api_version", "2020-09-30")
    assert found.pop("RegionId") == "cn-beijing"
    assert found.pop("AccessKeyId") == KEYS.access_key_id
    for name in ("Format", "Signature", "SignatureMethod", "SignatureNonce", "SignatureType", "SignatureVersion"):
        del found[name]
    del found["Timestamp"]
    return found


def trouble_of(*acts: Act, conversion: Conversion = CONVERSION, **settings: Any) -> Trouble:
    """What a submission raises when IMM does `acts`; the request reaches it exactly once."""
    with Service(*acts) as fake, imm_on(fake.url, **settings) as imm:
        with pytest.raises(Trouble) as caught:
            imm.create_conversion(conversion, "token-1")
        assert_tells_nothing(caught.value, fake)
    assert len(fake.requests) == 1
    return caught.value


# What is sent


def test_a_conversion_in_the_words_of_2020() -> None:
    whole = Conversion(
        source_uri="oss://b/5页.docx",
        target_uri="oss://b/out/",
        target_type="text",
        pages="1,2-4",
        dpi=300,
        password=PASSWORD,
    )
    assert sent(whole) == {
        "ProjectName": "a-project",
        "SourceURI": "oss://b/5页.docx",
        "TargetURIPrefix": "oss://b/out/",
        "TargetType": "txt",
        "Pages": "1,2-4",
        "ImageDPI": "300",
        "Password": PASSWORD,
        "Notification": '{"MNS": {"TopicName": "a-topic"}}',
        "UserData": "token-1",
    }


def test_a_conversion_in_the_words_of_2017() -> None:
    whole = Conversion(
        source_uri="oss://b/5页.docx",
        target_uri="oss://b/out/",
        target_type="txt",
        pages="1,2-4",
        dpi=300,
        password=PASSWORD,
    )
    assert sent(whole, api_version="2017-09-06") == {
        "Project": "a-project",
        "SrcUri": "oss://b/5页.docx",
        "TgtUri": "oss://b/out/",
        "TgtType": "text",
        "TgtFilePages": "1,2-4",
        "DisplayDpi": "300",
        "Password": PASSWORD,
        "NotifyEndpoint": "https://123.mns.cn-beijing.aliyuncs.com",
        "NotifyTopicName": "a-topic",
        "IdempotentToken": "token-1",
    }


def test_what_is_not_asked_for_is_not_sent() -> None:
    least = Conversion(source_uri="oss://b/a.docx", target_uri="oss://b/{barename}.{autoext}", target_type="pdf")
    assert sent(least, topic="", mns_endpoint="").keys() == {
        "ProjectName",
        "SourceURI",
        "TargetURI",
        "TargetType",
        "UserData",
    }
    old = sent(least, topic=" ", mns_endpoint="", api_version="2017-09-06")
    assert old.keys() == {"Project", "SrcUri", "TgtUri", "TgtType", "IdempotentToken"}


@pytest.mark.parametrize("version", API_VERSIONS)
def test_what_is_kept_of_a_request_is_what_is_sent_but_for_the_password(version: ApiVersion) -> None:
    options = tuple((option.name, f"值 {option.name}") for option in options_of(version))
    whole = replace(CONVERSION, pages="1,2-4", dpi=300, options=options)
    with imm_on("http://127.0.0.1:9/", api_version=version) as imm:
        request = imm.request(whole, "token-1")
    kept = request.pop("parameters")
    assert request == {
        "action": "CreateOfficeConversionTask",
        "version": version,
        "region": "cn-beijing",
        "endpoint": "http://127.0.0.1:9",
    }
    assert kept.pop("Password") is None
    on_the_wire = sent(whole, api_version=version)
    assert on_the_wire.pop("Password") == PASSWORD
    assert on_the_wire == kept
    assert dict(options).items() <= kept.items()


def test_other_keys_in_the_environment_do_not_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALIYUN_ACCESS_KEY_ID", "somebody-else")
    monkeypatch.setenv("ALIYUN_ACCESS_KEY_SECRET", "somebody-else's")
    for keys in (KEYS, TEMPORARY_KEYS):
        with Service(ACCEPTED) as fake, imm_on(fake.url, credentials=keys) as imm:
            imm.create_conversion(CONVERSION, "token-1")
        found = parameters(fake.requests[0])
        assert found["AccessKeyId"] == keys.access_key_id
        assert found.get("SecurityToken", "") == keys.security_token


def test_a_netrc_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with Service(ACCEPTED) as fake, imm_on(fake.url) as imm:
        imm.create_conversion(CONVERSION, "token-1")
    assert "authorization" not in fake.requests[0].headers


@pytest.mark.parametrize(("figure", "percent"), [(0, 0), (40, 40), (101, None), ("40", 40), (True, None), (-1, None)])
def test_what_an_answer_says_of_the_percent_and_no_more(figure: object, percent: int | None) -> None:
    told = answer(200, json.dumps({"TaskId": "1", "RequestId": "R", "Percent": figure}))
    with Service(told) as fake, imm_on(fake.url) as imm:
        assert imm.create_conversion(CONVERSION, "token-1").percent == percent


def test_a_connection_is_kept_and_replaced_when_it_was_closed() -> None:
    def accept_and_close(connection: socket.socket, over: threading.Event) -> None:
        ACCEPTED(connection, over)
        connection.shutdown(socket.SHUT_RDWR)

    with Service(ACCEPTED, accept_and_close, ACCEPTED) as fake, imm_on(fake.url) as imm:
        imm.create_conversion(CONVERSION, "token-1")
        imm.create_conversion(CONVERSION, "token-2")
        assert fake.closed.acquire(timeout=5)
        imm.create_conversion(CONVERSION, "token-3")
    assert (len(fake.requests), fake.connections) == (3, 2)


# What is known afterwards


@pytest.mark.parametrize("version", ["2017-09-06", "2020-09-30"])
@pytest.mark.parametrize(
    "act",
    [
        then_close(),
        reset,
        then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"),
        then_close(b'HTTP/1.1 200 OK\r\n\r\n{"TaskId": "Office'),
        then_close(b"HTTP/1.1 20"),
        raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}"),
        answer(200, "<html>Sign in</html>"),
        answer(200),
        answer(200, "null"),
        answer(200, "[]"),
        answer(200, "{}"),
        answer(200, '{"TaskId": null, "RequestId": {}}'),
        answer(200, '{"TaskId": " "}'),
        answer(200, '{"Code": "Success"}'),
        answer(200, "[" * 100_000),
        answer(200, b"\xd6\xd0\xce\xc4"),
        answer(302, location="http://127.0.0.1:1/"),
        answer(400, b"\xd6\xd0\xce\xc4"),
        answer(400, "1"),
        answer(403, "<html>Blocked</html>"),
        answer(404, '{"Code": null, "Message": null}'),
        answer(500, '{"Code": {"a": 1}}'),
        answer(502, "<html>Bad gateway</html>"),
        answer(503, '{"TaskId": "not a success"}'),
    ],
)
def test_what_was_sent_and_has_no_readable_answer_is_unknown(act: Act, version: ApiVersion) -> None:
    trouble = trouble_of(act, api_version=version, credentials=TEMPORARY_KEYS)
    assert isinstance(trouble, OutcomeUnknown)
    assert trouble.why
    assert trouble.fix


def test_an_answer_that_does_not_come_or_does_not_end_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "READ_SECONDS", 0.2)
    monkeypatch.setattr(connection, "SLACK_SECONDS", 0.1)
    for act in (
        hang,
        drip(b"HTTP/1.1 200 OK\r\nX:", b"x"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b" "),
    ):
        trouble = trouble_of(act)
        assert isinstance(trouble, OutcomeUnknown)
        assert "in time" in trouble.why


@pytest.mark.parametrize(
    ("status", "code", "word"),
    [
        (400, "SignatureDoesNotMatch", "secret"),
        (404, "InvalidAccessKeyId.NotFound", "access key"),
        (400, "InvalidTimeStamp.Expired", "clock"),
        (400, "InvalidSecurityToken.Expired", "temporary"),
        (403, "AccessDenied", "imm:CreateOfficeConversionTask"),
        (403, "Forbidden.RAM", "imm:CreateOfficeConversionTask"),
        (404, "InvalidProject.NotFound", "2017-09-06 and 2020-09-30 do not share"),
        (400, "ResourceNotFound", "2017-09-06 and 2020-09-30 do not share"),
        (400, "TopicNotExist", "topic"),
        (429, "Throttling.User", "too often"),
        (503, "Throttling", "too often"),
        (500, "InternalError", "fault of its own"),
        (503, "ServiceUnavailable", "fault of its own"),
        (404, "InvalidAction.NotFound", "API version"),
        (400, "InvalidParameter.Brand.New", "Look here"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, code: str, word: str) -> None:
    body = {"Code": code, "Message": "Look here.", "RequestId": "2E5A-1", "HostId": "imm", "Recommend": "https://x"}
    trouble = trouble_of(answer(status, json.dumps(body)))
    assert isinstance(trouble, Refused)
    assert (trouble.code, trouble.request_id) == (code, "2E5A-1")
    assert word in str(trouble)
    assert "IMM says: Look here." in trouble.why


@pytest.mark.parametrize("version", ["2017-09-06", "2020-09-30"])
@pytest.mark.parametrize(
    ("status", "code", "word"),
    [
        (502, "BadGateway", "HTTP status 502"),
        (504, "GatewayTimeout", "HTTP status 504"),
        (408, "RequestTimeout", "HTTP status 408"),
        (400, "SignatureNonceUsed", "sent it twice"),
    ],
)
def test_a_refusal_that_may_come_after_the_task_was_begun_is_unknown(
    status: int, code: str, word: str, version: ApiVersion
) -> None:
    body = json.dumps({"Code": code, "Message": "Look here.", "RequestId": "2E5A-1"})
    trouble = trouble_of(answer(status, body, retry_after="12"), api_version=version)
    assert isinstance(trouble, OutcomeUnknown)
    assert (trouble.code, trouble.request_id, trouble.retry_after) == (code, "2E5A-1", 12)
    assert word in trouble.why
    assert "IMM says: Look here." in trouble.why


@pytest.mark.parametrize(
    ("code", "barred"),
    [
        ("InvalidTimeStamp.Expired", True),
        ("InvalidAccessKeyId.NotFound", True),
        ("InvalidProject.NotFound", True),
        ("Throttling", False),
        ("InternalError", False),
        ("ResourceNotFound", False),
        ("InvalidParameter.SrcUri", False),
    ],
)
def test_only_what_every_other_conversion_would_meet_bars_them_all(code: str, barred: bool) -> None:
    trouble = trouble_of(answer(400, json.dumps({"Code": code, "Message": "Look here.", "RequestId": "R"})))
    assert isinstance(trouble, Barred) is barred


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("SignatureDoesNotMatch", f"server string to sign is:POST&%2F&Password%3D{PASSWORD}"),
        ("SignatureDoesNotMatch", "no colon"),
        ("IncompleteSignature", f"CANARY {SECRET}"),
        ("InvalidParameter", f"Password {PASSWORD} is wrong"),
        ("InvalidParameter", "Password CANARY%26pass%20word is wrong"),
        ("InvalidSecurityToken.Malformed", f"{TOKEN} is malformed"),
        ("InvalidParameter", None),
        ("InvalidParameter", ["CANARY"]),
    ],
)
def test_a_refusal_never_quotes_what_echoes_a_secret(code: str, message: object) -> None:
    body = json.dumps({"Code": code, "Message": message})
    trouble = trouble_of(answer(400, body), credentials=TEMPORARY_KEYS)
    assert isinstance(trouble, Refused)
    assert trouble.code == code


def test_a_refusal_that_echoes_the_request_is_not_quoted() -> None:
    def echo(connection: socket.socket, over: threading.Event) -> None:
        sent = parameters(fake.requests[-1])["Signature"]
        answer(400, json.dumps({"Code": "InvalidParameter", "Message": f"odd: {sent}"}))(connection, over)

    with Service(echo) as fake, imm_on(fake.url) as imm, pytest.raises(Refused) as caught:
        imm.create_conversion(CONVERSION, "token-1")
    assert parameters(fake.requests[0])["Signature"] not in str(caught.value)
    assert_tells_nothing(caught.value, fake)


def not_sent(url: str, **settings: Any) -> str:
    """Why nothing was sent to `url`."""
    with imm_on(url, credentials=TEMPORARY_KEYS, **settings) as imm, pytest.raises(Unreachable) as caught:
        imm.create_conversion(CONVERSION, "token-1")
    assert_tells_nothing(caught.value)
    return caught.value.why


def test_a_refused_connection_was_not_sent_to() -> None:
    assert "refused" in not_sent(f"http://127.0.0.1:{free_port()}")


def test_a_name_that_is_not_in_dns_was_not_sent_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    assert "DNS" in not_sent("https://imm.cn-nowhere.aliyuncs.com")


def test_a_certificate_that_is_not_trusted_was_not_sent_to(authority: Authority) -> None:
    with Service(ACCEPTED, tls=authority.server("localhost"), host="localhost") as fake:
        assert "certificate" in not_sent(fake.url)
    assert fake.requests == []


def test_another_hosts_certificate_was_not_sent_to(trusted: Authority) -> None:
    with Service(ACCEPTED, tls=trusted.server("imm.example"), host="localhost") as fake:
        assert "another host" in not_sent(fake.url)
    assert fake.requests == []


def test_a_handshake_that_never_ends_was_not_sent_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "CONNECT_SECONDS", 0.2)
    with mute() as (port, _heard):
        assert "in time" in not_sent(f"https://127.0.0.1:{port}")


def test_tls_names_the_server_and_is_verified(trusted: Authority) -> None:
    named: list[str | None] = []
    context = trusted.server("localhost")
    context.sni_callback = lambda _socket, name, _context: named.append(name)
    with Service(ACCEPTED, tls=context, host="localhost") as fake, imm_on(fake.url) as imm:
        imm.create_conversion(CONVERSION, "token-1")
    assert named == ["localhost"]
    with Service(ACCEPTED, tls=trusted.server("127.0.0.1")) as fake, imm_on(fake.url) as imm:
        imm.create_conversion(CONVERSION, "token-1")


# Silence


def test_no_log_and_no_debug_switch_tells_a_parameter(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DEBUG", "sdk")
    with caplog.at_level(logging.DEBUG):
        for status in (400, 599):  # for the latter the SDK has no name
            assert trouble_of(answer(status, '{"Code": "No"}')).code == "No"
        not_sent(f"http://127.0.0.1:{free_port()}")
        sent(CONVERSION)
    assert caplog.records == []


# Arguments


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("project", ""),
        ("project", "a b"),
        ("project", "-a"),
        ("project", "项目"),
        ("topic", "a/b"),
        ("topic", "a" * 257),
        ("region", ""),
        ("region", "cn-beijing/"),
        ("mns_endpoint", ""),
        ("mns_endpoint", "ftp://x"),
    ],
)
def test_settings_that_cannot_be_are_named(field: str, value: str) -> None:
    with pytest.raises(BadInput) as caught:
        imm_on("https://imm.example", **{"api_version": "2017-09-06", field: value})
    assert caught.value.field == field


def test_what_is_no_access_key_is_not_sent() -> None:
    with pytest.raises(NoCredentials) as caught:
        imm_on("https://imm.example", credentials=Credentials("id", f"{SECRET}\n{SECRET}"))
    assert_tells_nothing(caught.value)


@pytest.mark.parametrize("field", ["source_uri", "password"])
def test_a_name_that_is_not_text_is_an_input_that_cannot_be_used(field: str) -> None:
    values: Any = {"source_uri": "oss://b/a", "target_uri": "oss://b/", "target_type": "png", field: "CANARY\udcff"}
    with imm_on("https://imm.example") as imm, pytest.raises(BadInput) as caught:
        imm.create_conversion(Conversion(**values), "token-1")
    assert caught.value.field == field
    if field == "password":
        assert_tells_nothing(caught.value)
