"""Addresses, and which faults of the system a person is told in which words."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imm_tui.cloud.refusals import refused, request_id_of, retry_after_of
from imm_tui.cloud.route import Address, Route
from imm_tui.errors import BadInput


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://123.mns.cn-beijing.aliyuncs.com", "https://123.mns.cn-beijing.aliyuncs.com"),
        ("http://123.mns.cn-beijing.aliyuncs.com/", "http://123.mns.cn-beijing.aliyuncs.com"),
        ("  HTTPS://IMM.cn-Beijing.aliyuncs.com//\n", "https://imm.cn-beijing.aliyuncs.com"),
        ("imm.cn-beijing.aliyuncs.com", "https://imm.cn-beijing.aliyuncs.com"),
        ("localhost:8080", "https://localhost:8080"),
        ("https://x:443", "https://x"),
        ("http://x:443", "http://x:443"),
        ("http://x.:80/", "http://x"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_is_read_however_it_is_written(text: str, url: str) -> None:
    address = Address.parse(text, "mns_endpoint")
    assert address.url == url
    assert address.tls == (address.tls_context() is not None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "https://",
        "ftp://x",
        "https:x",
        "https://x/path",
        "https://x?q",
        "https://x#f",
        "https://x:0",
        "https://x:99999",
        "https://x:port",
        "https://[::1",
        "https://[x]",
        "https://a b",
        "https://a\nb",
        "https://a..b",
        "https://-a",
        "https://例子",
        "https://" + "a" * 64,
        "https://me:secret@x",
        "me:secret@x",
    ],
)
def test_what_is_no_address_is_refused_with_its_settings_name(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        Address.parse(text, "imm_endpoint")
    assert caught.value.field == "imm_endpoint"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("http://mns.example", True),
        ("http://mns.example:443", True),
        ("http://10.0.0.1", True),
        ("http://0.0.0.0", True),
        ("http://127.0.0.1.example", True),
        ("http://not.localhost", True),
        ("https://mns.example:80", False),
        ("http://localhost:8080", False),
        ("http://LOCALHOST.", False),
        ("http://127.8.9.10", False),
        ("http://[::1]", False),
    ],
)
def test_an_address_is_plain_if_what_is_sent_there_can_be_read_on_the_way(url: str, plain: bool) -> None:
    assert Address.parse(url, "mns_endpoint").plain is plain


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), "DNS"),
        (UnicodeError("x"), "DNS"),
        (ssl.SSLCertVerificationError(1, "x"), "certificate"),
        (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), "does not speak TLS"),
        (ssl.SSLEOFError(8, "EOF occurred"), "cut"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "refused"),
        (TimeoutError("timed out"), "in time"),
        (http.client.RemoteDisconnected("x"), "cut"),
        (http.client.IncompleteRead(b"CANARY"), "cut"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "cut"),
        (BrokenPipeError(errno.EPIPE, "x"), "cut"),
        (http.client.BadStatusLine("CANARY"), "does not speak HTTP"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "Network is unreachable."),
        (OSError("CANARY"), "failed"),
        (ValueError("CANARY"), "failed"),
    ],
)
def test_a_fault_is_told_in_words_of_our_own(fault: Exception, words: str) -> None:
    trouble = Route("MNS", Address("mns.example", 443, True)).unreachable(fault)
    assert trouble.what == "MNS cannot be reached at mns.example."
    assert words in trouble.why
    assert trouble.fix
    assert "CANARY" not in str(trouble)


def test_a_refusal_that_nobody_knows_yet_tells_its_code_and_its_text() -> None:
    trouble = refused(
        "IMM",
        "BrandNew",
        " Look here. ",
        None,
        status=400,
        retry_after=None,
        resource="the project",
        action="imm:X",
        secrets=("", ""),
    )
    assert str(trouble) == "IMM refuses the request: BrandNew. IMM says: Look here."


@pytest.mark.parametrize("text", [None, 7, "", "a b", "<script>", "x" * 101])
def test_what_can_be_no_request_id_is_passed_over(text: object) -> None:
    assert request_id_of(text, " 2E5A-1 ") == "2E5A-1"


@pytest.fixture
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """On a machine that is not in UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CST-8")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_elsewhere")
def test_a_service_says_for_how_long_it_wants_to_be_left_alone() -> None:
    date = "Mon, 23 Nov 2026 06:51:25 GMT"
    assert waits(None) is None
    assert waits("120") == 120
    assert waits(" 0 ") == 0
    assert waits("Mon, 23 Nov 2026 06:52:25 GMT", date) == 60
    assert waits("Monday, 23-Nov-26 06:52:25 GMT", date) == 60
    assert waits("Mon Nov 23 06:52:25 2026", date) == 60
    assert waits("Mon, 23 Nov 2026 06:50:25 GMT", date) == 0
    assert waits("Thu, 23 Nov 2000 06:50:25 GMT") == 0
    assert waits("Mon, 23 Nov 2026 06:52:25 GMT", "today") is not None
    for nonsense in ("", "-1", "soon", "1.5", "9" * 5000, "Mon, 99 Nov 2026 06:51:25 GMT", date[:20]):
        assert waits(nonsense) is None


def waits(retry_after: str | None, date: str | None = None) -> float | None:
    header = http.client.HTTPMessage()
    for name, value in (("retry-after", retry_after), ("date", date)):
        if value is not None:
            header[name] = value
    return retry_after_of(header)


@given(st.text(), st.text())
def test_no_header_makes_it_fail(retry_after: str, date: str) -> None:
    found = retry_after_of({"Retry-After": retry_after, "Date": date})
    assert found is None or found >= 0
