"""Both services by a proxy: what it is asked and told, what passes it by, and what a person reads when it says no."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from imm_tui.cloud import connection, rpc
from imm_tui.cloud.route import Address, Proxy
from imm_tui.errors import BadInput, OutcomeUnknown, Unreachable
from imm_tui.tasks import Conversion
from tests.cloud.conftest import PASSWORD, SECRET, Authority, assert_tells_nothing, imm_on, queue_on
from tests.cloud.servers import Act, ProxyServer, Service, answer, free_port, hang, raw, then_close


class Door:
    """One of the two services: a call that it answers, and the answer."""

    def __init__(
        self, name: str, reply: Act, at: Callable[[str], AbstractContextManager[object]], call: Callable[..., object]
    ) -> None:
        self.name = name
        self.reply = reply
        self.at = at
        self._call = call

    def answers(self, url: str) -> None:
        """Twice, so that a kept connection is used as well."""
        with self.at(url) as service:
            self._call(service)
            self._call(service)

    def trouble(self, url: str, by: Service | None = None) -> Unreachable:
        with self.at(url) as service, pytest.raises(Unreachable) as caught:
            self._call(service)
        assert_tells_nothing(caught.value, by)
        return caught.value


DOORS = [
    Door("MNS", answer(200, "<Messages/>"), queue_on, lambda queue: queue.receive(16, 0)),
    Door("IMM", answer(200, '{"TaskId": "1", "Status": "Running"}'), imm_on, lambda imm: imm.get_task("1")),
]
by_both = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
CREDENTIALS = f"me%20too:{PASSWORD.replace(' ', '%20').replace('&', '%26')}%40"
AUTHORIZATION = f"Basic {base64.b64encode(f'me too:{PASSWORD}@'.encode()).decode()}"


def named(proxy: Service, credentials: str = "") -> str:
    """The URL under which the environment knows a proxy."""
    return proxy.url.replace("//", f"//{credentials}@") if credentials else proxy.url


@by_both
@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY"])
def test_an_unencrypted_call_asks_the_proxy_for_the_whole_url(
    monkeypatch: pytest.MonkeyPatch, door: Door, variable: str
) -> None:
    with Service(door.reply) as fake, ProxyServer(fake, AUTHORIZATION) as proxy:
        monkeypatch.setenv(variable, named(proxy, CREDENTIALS))
        door.answers("http://service.example:81")
    for request in proxy.requests:
        assert request.target.startswith("http://service.example:81/")
        assert request.headers["host"] == "service.example:81"
    assert len(fake.requests) == 2
    assert proxy.connections == 1


@by_both
@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY"])
def test_tls_goes_through_a_tunnel_and_is_verified_at_its_end(
    monkeypatch: pytest.MonkeyPatch, trusted: Authority, door: Door, variable: str
) -> None:
    with Service(door.reply, tls=trusted.server("service.example")) as fake, ProxyServer(fake, AUTHORIZATION) as proxy:
        monkeypatch.setenv(variable, named(proxy, CREDENTIALS))
        door.answers("https://service.example")
        assert "another host" in door.trouble("https://elsewhere.example").why
    assert [(request.method, request.target, request.headers["host"]) for request in proxy.requests] == [
        ("CONNECT", f"{host}.example:443", f"{host}.example:443") for host in ("service", "elsewhere")
    ]
    assert [request.headers["host"] for request in fake.requests] == ["service.example"] * 2
    assert all("proxy-authorization" not in request.headers for request in fake.requests), "that is the proxy's"
    assert SECRET not in repr(proxy.requests)


@by_both
def test_an_address_of_ipv6_is_written_as_one(monkeypatch: pytest.MonkeyPatch, door: Door) -> None:
    with Service(door.reply) as fake, ProxyServer(fake) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removeprefix("http://"))
        door.answers("http://[2001:db8::1]")
    assert proxy.requests[0].target.startswith("http://[2001:db8::1]/")
    with Service(answer(403)) as closed:
        monkeypatch.setenv("https_proxy", closed.url)
        door.trouble("https://[2001:db8::1]")
    assert closed.requests[0].target == "[2001:db8::1]:443"


@by_both
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(("credentials", "word"), [("", "wants a name"), ("me:CANARY", "does not accept the name")])
def test_a_proxy_that_wants_credentials_says_where_they_are_written(
    monkeypatch: pytest.MonkeyPatch, door: Door, scheme: str, credentials: str, word: str
) -> None:
    with Service(door.reply) as fake, ProxyServer(fake, AUTHORIZATION) as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", named(proxy, credentials))
        trouble = door.trouble(f"{scheme}://service.example", proxy)
    assert f"service.example through the proxy 127.0.0.1:{proxy.port}" in trouble.what
    assert word in trouble.why
    assert f"{scheme.upper()}_PROXY" in trouble.fix
    assert trouble.denied
    assert fake.requests == []


@by_both
@pytest.mark.parametrize(("status", "denied"), [(403, True), (503, False), (302, False)])
def test_a_tunnel_that_is_not_opened_tells_the_proxys_status(
    monkeypatch: pytest.MonkeyPatch, door: Door, status: int, denied: bool
) -> None:
    with Service(answer(status, "<p>CANARY", retry_after="7", location="http://portal/")) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        trouble = door.trouble("https://service.example", proxy)
    assert f"{door.name} cannot be reached at service.example through the proxy 127.0.0.1:{proxy.port}" in trouble.what
    assert str(status) in trouble.why
    assert (trouble.denied, trouble.retry_after) == (denied, 7)
    assert SECRET not in repr(proxy.requests)


@by_both
@pytest.mark.parametrize(("status", "denied"), [(401, True), (403, True), (502, False)])
def test_a_page_that_the_proxy_gives_instead_tells_which_proxy(
    monkeypatch: pytest.MonkeyPatch, door: Door, status: int, denied: bool
) -> None:
    with Service(answer(status, "<p>CANARY", retry_after="7")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        trouble = door.trouble("http://service.example", proxy)
    assert f"service.example through the proxy 127.0.0.1:{proxy.port}" in trouble.what
    assert (trouble.denied, trouble.retry_after) == (denied, 7)


def test_a_proxy_that_is_printed_keeps_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://me:CANARY@proxy.example:3128")
    proxy = Proxy.of(Address.parse("https://service.example", ""))
    assert proxy is not None
    assert base64.b64decode(proxy.authorization.removeprefix("Basic ")) == b"me:CANARY"
    assert "Basic" not in repr(proxy)


@by_both
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, door: Door, scheme: str) -> None:
    port = free_port()
    monkeypatch.setenv(f"{scheme}_proxy", f"http://me:CANARY@127.0.0.1:{port}")
    trouble = door.trouble(f"{scheme}://service.example")
    assert f"The proxy 127.0.0.1:{port}, by which {door.name} is called" in trouble.what
    assert "refused" in trouble.why
    assert f"{scheme.upper()}_PROXY" in trouble.fix


@by_both
@pytest.mark.parametrize(
    ("act", "word"),
    [
        (raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "does not speak HTTP"),
        (then_close(b"HTTP/1.1 200 OK\r\nX"), "cut"),
        (then_close(b"HTTP/1.1 200 OK\r\n\r\n"), "cut"),
        (hang, "in time"),
    ],
)
def test_a_proxy_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, door: Door, act: Act, word: str) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(rpc, "CONNECT_SECONDS", 0.3)
    with Service(act) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        trouble = door.trouble("https://service.example", proxy)
    assert f"through the proxy 127.0.0.1:{proxy.port}" in trouble.what
    assert word in trouble.why


@by_both
@pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize(
    ("listed", "passed_by"),
    [
        ("service.example", True),
        (" other , EXAMPLE ", True),
        (".example", True),
        ("service.example:{port}", True),
        ("*", True),
        ("service.example:1", False),
        ("vice.example", False),
        ("", False),
    ],
)
def test_no_proxy_names_what_is_called_directly(
    monkeypatch: pytest.MonkeyPatch, door: Door, variable: str, listed: str, passed_by: bool
) -> None:
    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **more: look_up("127.0.0.1", *rest, **more))
    with Service(door.reply) as fake, ProxyServer(fake) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv(variable, listed.format(port=fake.port))
        door.answers(f"http://service.example:{fake.port}")
    assert (proxy.requests == []) is passed_by
    assert len(fake.requests) == 2


@by_both
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_this_machine_is_never_asked_for_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch, door: Door, host: str
) -> None:
    with Service(door.reply) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert "refused" in door.trouble(f"http://{host}:{free_port()}").why
    assert proxy.requests == []


@by_both
@pytest.mark.parametrize(
    "url",
    [
        "socks5h://me:CANARY@127.0.0.1:1080",
        "SOCKS://127.0.0.1",
        "https://me:CANARY@127.0.0.1:3128",
        "http://me:CANARY@",
        "http://me:CANARY@proxy:port",
        "http://me:CANARY@proxy/path",
        "CANARY@a b",
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_before_anything_happens(
    monkeypatch: pytest.MonkeyPatch, door: Door, url: str
) -> None:
    monkeypatch.setenv("https_proxy", url)
    with pytest.raises(BadInput) as caught:
        door.at("https://service.example")
    assert ("SOCKS" in caught.value.what) == url.lower().startswith("socks")
    assert "HTTPS_PROXY" in caught.value.why
    assert "CANARY" not in str(caught.value)
    door.at("https://localhost:1")  # it is not asked for


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_the_proxy_kept_to_itself_was_not_submitted(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    conversion = Conversion(source_uri="oss://b/a.docx", target_uri="oss://b/", target_type="pdf", password=PASSWORD)
    with Service(hang) as fake, ProxyServer(fake, AUTHORIZATION) as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", proxy.url)
        with imm_on(f"{scheme}://service.example") as imm, pytest.raises(Unreachable) as caught:
            imm.create_conversion(conversion, "token-1")
    assert_tells_nothing(caught.value, proxy)
    with Service(answer(502, "<p>Bad gateway", retry_after="7")) as broken:
        monkeypatch.setenv("http_proxy", broken.url)
        with imm_on("http://service.example") as imm, pytest.raises(OutcomeUnknown) as unknown:
            imm.create_conversion(conversion, "token-1")
    assert unknown.value.retry_after == 7
