"""A queue over a wire on which anything can happen."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from imm_tui.cloud import connection, mns_wire
from imm_tui.cloud.mns import AT_ONCE, BATCH, Cancelled, Queue
from imm_tui.cloud.mns_reply import Depth, Received
from imm_tui.credentials import Credentials
from imm_tui.errors import BadInput, Barred, NoCredentials, Refused, Trouble, Unreachable
from tests.cloud.conftest import KEYS, SECRET, TEMPORARY_KEYS, Authority, assert_tells_nothing, queue_on, signature_of
from tests.cloud.servers import Act, Service, answer, drip, free_port, hang, mute, raw, reset, then_close

NAMESPACE = 'xmlns="http://mns.aliyuncs.com/doc/v1/"'
MESSAGE = f"""<?xml version="1.0"?>
<Messages {NAMESPACE}><Message>
  <MessageId>id-1</MessageId><ReceiptHandle>handle-1</ReceiptHandle><MessageBody>&lt;你好&gt;</MessageBody>
  <EnqueueTime>1250700979248</EnqueueTime><DequeueCount>3</DequeueCount><Priority>8</Priority>
</Message></Messages>"""
VISIBILITY = f"""<ChangeVisibility {NAMESPACE}><ReceiptHandle>handle-2</ReceiptHandle>
<NextVisibleTime>1250700979298</NextVisibleTime></ChangeVisibility>"""
ATTRIBUTES = f"""<Queue {NAMESPACE}><QueueName>a-queue</QueueName><ActiveMessages>12</ActiveMessages>
<InactiveMessages>3</InactiveMessages><DelayMessages>1</DelayMessages></Queue>"""

Call = Callable[[Queue], object]
CALLS: dict[str, Call] = {
    "receive": lambda queue: queue.receive(16, 0),
    "delete": lambda queue: queue.delete(["handle-1"]),
    "change_visibility": lambda queue: queue.change_visibility("handle-1", 60),
    "depth": lambda queue: queue.depth(),
    "peek": lambda queue: queue.peek(),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


def error(code: str, message: str = "No.") -> str:
    return (
        f"<Error {NAMESPACE}><Code>{code}</Code><Message>{message}</Message>"
        "<RequestId>512B2A634403E52B1956133E</RequestId><HostId>http://x</HostId></Error>"
    )


def trouble_of(call: Call, *acts: Act, arrived: int = 1) -> Trouble:
    """What `call` raises when a service does `acts`; `arrived` requests have reached it by then, and no more."""
    with Service(*acts) as fake, queue_on(fake.url) as queue:
        with pytest.raises(Trouble) as caught:
            call(queue)
        assert_tells_nothing(caught.value, fake)
    assert len(fake.requests) == arrived
    assert not vars(queue._mns.wire.connection)["sock"]
    return caught.value


def test_a_message_arrives_as_it_was_delivered() -> None:
    with Service(answer(200, MESSAGE)) as fake, queue_on(fake.url) as queue:
        received = queue.receive(7, 20)
    assert received == [Received("id-1", "handle-1", "<你好>".encode(), 3, 1250700979248)]
    (request,) = fake.requests
    assert (request.method, request.target) == ("GET", "/queues/a-queue/messages?numOfMessages=7&waitseconds=20")
    assert request.headers["host"] == f"127.0.0.1:{fake.port}"
    assert request.headers["authorization"].startswith(f"MNS {KEYS.access_key_id}:")
    assert "security-token" not in request.headers


def test_an_empty_queue_is_no_trouble() -> None:
    with Service(answer(404, error("MessageNotExist")), answer(200, f"<Messages {NAMESPACE}/>")) as fake:
        with queue_on(fake.url) as queue:
            assert queue.receive(16, 0) == []
            assert queue.receive(16, 0) == []
        assert fake.connections == 1


def test_a_security_token_and_keys_without_the_blanks_round_them_are_sent() -> None:
    sloppy = Credentials(f" {KEYS.access_key_id}\n", f"{SECRET}\r\n", f"{TEMPORARY_KEYS.security_token}\n")
    with Service(answer(204)) as fake, queue_on(fake.url, sloppy) as queue:
        assert queue.delete(["handle-1"]) == ["handle-1"]
    assert fake.requests[0].headers["security-token"] == TEMPORARY_KEYS.security_token
    assert fake.requests[0].headers["authorization"].startswith(f"MNS {KEYS.access_key_id}:")


def test_the_depth_of_a_queue_is_read_from_its_attributes() -> None:
    with Service(answer(200, ATTRIBUTES)) as fake, queue_on(fake.url) as queue:
        assert queue.depth() == Depth(active=12, inactive=3, delayed=1)
    assert (fake.requests[0].method, fake.requests[0].target) == ("GET", "/queues/a-queue")


def test_a_peek_asks_for_no_receipt_handle_and_counts_no_delivery() -> None:
    peeked = MESSAGE.replace("<ReceiptHandle>handle-1</ReceiptHandle>", "").replace("Count>3<", "Count>0<")
    acts = answer(200, peeked), answer(404, error("MessageNotExist"))
    with Service(*acts) as fake, queue_on(fake.url) as queue:
        assert queue.peek(7) == [Received("id-1", "", "<你好>".encode(), 0, 1250700979248)]
        assert queue.peek() == []
    assert [(request.method, request.target) for request in fake.requests] == [
        ("GET", "/queues/a-queue/messages?peekonly=true&numOfMessages=7"),
        ("GET", "/queues/a-queue/messages?peekonly=true&numOfMessages=16"),
    ]


@pytest.mark.parametrize("count", ["", "-1", "many", "1.5", "٣"])
def test_attributes_without_all_their_counts_are_no_answer(count: str) -> None:
    reply = answer(200, ATTRIBUTES.replace("12", count))
    assert isinstance(trouble_of(CALLS["depth"], reply), Unreachable)


# What is deleted


def test_any_number_of_messages_is_deleted_by_sixteens() -> None:
    handles = [f"handle-{number}" for number in range(40)]
    with Service(answer(204)) as fake, queue_on(fake.url) as queue:
        assert queue.delete(handles) == handles
        assert queue.delete([]) == []
    assert sorted(request.body.count(b"<ReceiptHandle>") for request in fake.requests) == [8, 16, 16]


@pytest.mark.parametrize("handle", ["", "two words", "caf\u00e9", "\x01", "line\nend"])
def test_what_is_no_receipt_handle_spoils_no_batch(handle: str) -> None:
    with Service(answer(204)) as fake, queue_on(fake.url) as queue:
        assert queue.delete(["handle-1", handle]) == ["handle-1"]
        with pytest.raises(BadInput):
            queue.change_visibility(handle, 60)
    assert len(fake.requests) == 1


def failures(*handles: str, code: str = "MessageNotExist") -> str:
    items = "".join(
        f"<Error><ErrorCode>{code}</ErrorCode><ErrorMessage/><ReceiptHandle>{handle}</ReceiptHandle><New/></Error>"
        for handle in handles
    )
    return f"<Errors {NAMESPACE}>{items}</Errors>"


def test_a_delete_that_failed_in_part_tells_which_are_deleted() -> None:
    with Service(answer(404, failures("b", "d"))) as fake, queue_on(fake.url) as queue:
        assert queue.delete(["a", "b", "c", "d"]) == ["a", "c"]


@pytest.mark.parametrize(
    "reply",
    [
        answer(200),
        answer(200, failures("b")),
        answer(200, "<html><body>Welcome to the hotel</body></html>", content_type="text/html"),
        answer(302, location="http://portal/"),
        answer(404, failures()),
        answer(404, failures("b", "")),
        answer(404, failures("somebody-else's")),
        answer(404, f"<Errors {NAMESPACE}><Error><ErrorCode>X</ErrorCode></Error></Errors>"),
        answer(500, "<Errors"),
    ],
)
def test_only_a_204_or_an_exact_account_of_the_failures_means_deleted(reply: Act) -> None:
    assert isinstance(trouble_of(lambda queue: queue.delete(["a", "b"]), reply), Unreachable)


def test_messages_that_were_deleted_while_another_call_failed_are_not_forgotten() -> None:
    handles = [f"handle-{number}" for number in range(48)]
    batches = [handles[:16], handles[16:32], handles[32:]]
    with Service(answer(204), answer(500, error("InternalError"))) as fake, queue_on(fake.url) as queue:
        assert queue.delete(handles) in batches, "whichever came first"
    assert len(fake.requests) == len(batches) == fake.connections


def test_whatever_number_of_messages_is_deleted_there_are_only_so_many_calls_at_once() -> None:
    handles = [f"handle-{number}" for number in range(3 * AT_ONCE * BATCH)]
    with Service(answer(204)) as fake, queue_on(fake.url) as queue:
        assert queue.delete(handles) == handles
    assert len(fake.requests) == 3 * AT_ONCE
    assert fake.connections == AT_ONCE


def test_what_was_asked_for_is_taken_later_and_other_calls_go_by_another_connection_meanwhile() -> None:
    with Service(answer(200, MESSAGE), answer(204), answer(200, MESSAGE)) as fake, queue_on(fake.url) as queue:
        take = queue.start_receive()
        fake.arrived.wait()
        assert queue.delete(["a"]) == ["a"]
        assert len(take()) > 0
        assert fake.connections == 2
        assert len(queue.receive(wait=0)) > 0
        assert fake.connections == 2, "it is taken up again"


def test_a_connection_that_is_made_after_an_interruption_is_interrupted_too_and_one_after_a_kill_killed() -> None:
    with Service(answer(200, MESSAGE), answer(204)) as fake, queue_on(fake.url) as queue:
        queue.start_receive()
        queue.interrupt()
        with pytest.raises(Cancelled):
            queue.start_receive()
        fake.arrived.wait()
        assert queue.delete(["a"]) == ["a"]
        queue.kill()
        with pytest.raises(Cancelled):
            queue.delete(["a"])


def test_a_changed_visibility_gives_the_new_handle() -> None:
    with Service(answer(200, VISIBILITY)) as fake, queue_on(fake.url) as queue:
        assert queue.change_visibility("1-ODU4+/==&x#?%", 60) == "handle-2"
    target = "/queues/a-queue/messages?ReceiptHandle=1-ODU4+/==%26x%23%3F%25&VisibilityTimeout=60"
    assert (fake.requests[0].method, fake.requests[0].target) == ("PUT", target)


# Answers that are none


@every_call
@pytest.mark.parametrize(
    "reply",
    [
        answer(200, "<html><title>Sign in</title></html>", content_type="text/html"),
        answer(200, "<html><br><p>Not even closed</html>"),
        answer(200),
        answer(200, f"<Queue {NAMESPACE}/>"),
        answer(200, error("MessageNotExist")),
        answer(301, MESSAGE, location="http://elsewhere/"),
        answer(302, location="http://portal/"),
        answer(307, error("TemporaryRedirect"), location="/"),
        answer(403, '{"Code": "AccessDenied"}'),
        answer(404, "not found"),
        answer(502, "<html>Bad gateway</html>"),
        answer(500, b"\xff\xfe\x00<"),
        answer(500, error("")),
        answer(500, error("<b/>")),
    ],
)
def test_what_is_not_the_services_own_is_no_answer(call: Call, reply: Act) -> None:
    assert isinstance(trouble_of(call, reply), Unreachable)


@pytest.mark.parametrize("call", [CALLS["receive"], CALLS["change_visibility"]])
def test_no_content_is_no_answer_where_content_was_asked_for(call: Call) -> None:
    assert isinstance(trouble_of(call, answer(204)), Unreachable)


def test_an_answer_that_is_not_the_services_tells_its_status_and_none_of_its_text() -> None:
    trouble = trouble_of(CALLS["receive"], answer(503, "<p>squid says no", x_mns_request_id="512B2A63"))
    assert "503" in trouble.why
    assert "squid" not in str(trouble)
    assert trouble.request_id == "512B2A63"


@pytest.mark.parametrize(("status", "denied"), [(401, True), (403, True), (407, True), (404, False), (503, False)])
@every_call
def test_a_portal_that_denies_is_told_from_one_that_is_broken(call: Call, status: int, denied: bool) -> None:
    trouble = trouble_of(call, answer(status, "<p>No.", retry_after="12"))
    assert isinstance(trouble, Unreachable)
    assert (trouble.denied, trouble.retry_after) == (denied, 12)


@every_call
def test_a_redirect_is_not_followed(call: Call) -> None:
    with Service(answer(204)) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            assert str(status) in trouble_of(call, answer(status, location=f"{elsewhere.url}/")).why
    assert elsewhere.connections == 0


# Refusals


@every_call
@pytest.mark.parametrize(
    ("status", "code", "after", "seconds"),
    [
        (403, "QpsLimitExceeded", "3", 3),
        (503, "InternalError", "Mon, 23 Nov 2026 06:52:25 GMT", 60),
        (400, "QpsLimitExceeded", "soon", None),
    ],
)
def test_a_refusal_says_for_how_long_it_wants_to_be_left_alone(
    call: Call, status: int, code: str, after: str, seconds: float | None
) -> None:
    reply = answer(status, error(code), retry_after=after, date="Mon, 23 Nov 2026 06:51:25 GMT")
    assert trouble_of(call, reply).retry_after == seconds


@every_call
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (error("AccessDenied", "Look &amp; see"), "Look & see"),
        ("<Error><Code>AccessDenied</Code></Error>", ""),
        ("<Error><Message>Nope</Message><Code> AccessDenied\n</Code><More><Deep/></More></Error>", "Nope"),
        ("<Error><Code>AccessDenied</Code><Message>this & that</Message></Error>", "this & that"),
        ("<x:Error><x:Code>AccessDenied</x:Code><x:Message>Nope</x:Message></x:Error>", "Nope"),
        ("<Error><Code>AccessDenied</Code><Message>&#1;Nope</Message>", "\x01Nope"),
    ],
)
def test_a_refusal_is_read_from_any_error_that_holds_a_code(call: Call, body: str, message: str) -> None:
    trouble = trouble_of(call, answer(403, body, x_mns_request_id="5E0F-1"))
    assert isinstance(trouble, Refused)
    assert trouble.code == "AccessDenied"
    assert trouble.request_id == ("512B2A634403E52B1956133E" if "512B" in body else "5E0F-1")
    assert trouble.why.endswith(f"MNS says: {message}.") if message else "MNS says" not in trouble.why
    assert "“a-queue”" in trouble.what


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("SignatureDoesNotMatch", "secret"),
        ("InvalidAccessKeyId", "access key"),
        ("InvalidAccessKeyId.NotFound", "access key"),
        ("InvalidSecurityToken.Expired", "temporary credentials"),
        ("AccessDenied", "mns:ReceiveMessage"),
        ("QueueNotExist", "“a-queue” does not exist"),
        ("TimeExpired", "clock"),
        ("InvalidTimeStamp.Expired", "clock"),
        ("InvalidAuthorizationHeader", "proxy"),
        ("MissingAuthorizationHeader", "proxy"),
        ("MissingDateHeader", "proxy"),
        ("MissingVersionHeader", "proxy"),
        ("InvalidDateHeader", "clock"),
        ("IncompleteSignature", "secret"),
    ],
)
def test_a_refusal_that_no_retry_can_mend_says_what_to_do(code: str, word: str) -> None:
    trouble = trouble_of(CALLS["receive"], answer(400, error(code)))
    assert isinstance(trouble, Barred)
    assert trouble.code == code
    assert word in str(trouble)
    assert trouble.what[0].isupper()
    assert trouble.fix


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "QpsLimitExceeded"),
        (403, "QpsLimitExceeded"),
        (403, "Throttling.User"),
        (401, "TooManyRequests"),
        (500, "InternalError"),
        (404, "MessageNotExist"),
        (400, "ReceiptHandleError"),
        (400, "InvalidDigest"),  # one body that was changed on the way
        (400, "InvalidDegist"),  # as MNS spells it
        (400, "BrandNew"),
    ],
)
def test_a_refusal_that_may_pass_does_not_stop_the_listener(status: int, code: str) -> None:
    trouble = trouble_of(CALLS["change_visibility"], answer(status, error(code)))
    assert isinstance(trouble, Refused)
    assert not isinstance(trouble, Barred)
    assert trouble.code == code


@every_call
@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_of_the_caller_stops_the_listener_even_with_a_code_that_nobody_knows(call: Call, status: int) -> None:
    trouble = trouble_of(call, answer(status, error("BrandNew")))
    assert isinstance(trouble, Barred)
    assert "the permission mns:" in trouble.fix


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("SignatureDoesNotMatch", f"String to sign: GET\n\n{SECRET}"),
        ("InvalidArgument", f"The key {SECRET} is odd"),
        ("InvalidArgument", "Signature was CANARY"),
    ],
)
def test_a_refusal_never_quotes_what_echoes_a_secret(code: str, message: str) -> None:
    with Service(answer(403, error(code, message))) as fake, queue_on(fake.url, TEMPORARY_KEYS) as queue:
        with pytest.raises(Refused) as caught:
            queue.receive(16, 0)
        assert_tells_nothing(caught.value, fake)


def test_a_refusal_that_echoes_the_request_is_not_quoted() -> None:
    def echo(connection: socket.socket, over: threading.Event) -> None:
        sent = fake.requests[-1].headers["authorization"]
        answer(400, error("InvalidArgument", f"cannot parse {sent}"))(connection, over)

    with Service(echo) as fake, queue_on(fake.url) as queue, pytest.raises(Refused) as caught:
        queue.receive(16, 0)
    assert signature_of(fake.requests[0].headers, "") not in str(caught.value)
    assert_tells_nothing(caught.value, fake)


# Faults of the wire


@every_call
@pytest.mark.parametrize(
    "act",
    [
        then_close(),
        reset,
        then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<Messages>"),
        then_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<Mess\r\n"),
        then_close(b"HTTP/1.1 204"),
        raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000),
        raw(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 1000),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n<Messages/>"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    ],
)
def test_a_request_is_sent_once_whatever_becomes_of_its_answer(call: Call, act: Act) -> None:
    assert isinstance(trouble_of(call, act), Unreachable)


@every_call
def test_an_idle_connection_that_the_service_closed_is_replaced_before_anything_is_sent(call: Call) -> None:
    bodies = {
        "receive": answer(200, MESSAGE),
        "delete": answer(204),
        "change_visibility": answer(200, VISIBILITY),
        "depth": answer(200, ATTRIBUTES),
        "peek": answer(200, MESSAGE),
    }
    reply = bodies[next(name for name, known in CALLS.items() if known is call)]

    def reply_and_close(connection: socket.socket, over: threading.Event) -> None:
        reply(connection, over)
        connection.shutdown(socket.SHUT_RDWR)

    with Service(reply_and_close, reply) as fake, queue_on(fake.url) as queue:
        assert call(queue)
        assert fake.closed.acquire(timeout=5)
        assert call(queue)
        assert call(queue)
    assert (len(fake.requests), fake.connections) == (3, 2)


def test_a_reply_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REPLY_LIMIT", 200_000)
    flood = drip(b"HTTP/1.1 200 OK\r\n\r\n<Messages>", b"<!-- more -->" * 5_000)
    assert isinstance(trouble_of(CALLS["receive"], flood), Unreachable)


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"])
def test_a_reply_that_drips_has_a_deadline(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(mns_wire, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(connection, "SLACK_SECONDS", 0.1)
    trouble = trouble_of(CALLS["receive"], drip(begun, b"x"))
    assert "in time" in trouble.why


@every_call
def test_silence_has_an_end(monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    monkeypatch.setattr(mns_wire, "PATIENCE_SECONDS", 0.1)
    assert "in time" in trouble_of(call, hang).why


def test_a_long_poll_may_be_silent_for_longer_than_a_connection_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.1)

    def late(connection: socket.socket, over: threading.Event) -> None:
        over.wait(0.3)
        answer(200, MESSAGE)(connection, over)

    with Service(late) as fake, queue_on(fake.url) as queue:
        assert len(queue.receive(16, 1)) == 1
        assert len(queue.receive(16, 1)) == 1


def unreachable(url: str) -> Trouble:
    with queue_on(url) as queue, pytest.raises(Unreachable) as caught:
        queue.receive(16, 0)
    assert_tells_nothing(caught.value)
    assert caught.value.fix
    return caught.value


def test_a_refused_connection_is_called_that() -> None:
    assert "refused" in unreachable(f"http://127.0.0.1:{free_port()}").why


def test_a_name_that_is_not_in_dns_is_called_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    assert "DNS" in unreachable("https://123.mns.cn-nowhere.aliyuncs.com").why


# TLS


def test_tls_is_verified_against_what_the_system_trusts(trusted: Authority) -> None:
    for name in ("localhost", "127.0.0.1"):
        with Service(answer(200, MESSAGE), tls=trusted.server(name), host=name) as fake, queue_on(fake.url) as queue:
            assert len(queue.receive(16, 0)) == 1
            assert len(queue.receive(16, 0)) == 1
        assert fake.connections == 1


def test_a_certificate_of_an_unknown_authority_is_refused(authority: Authority) -> None:
    with Service(answer(204), tls=authority.server("localhost"), host="localhost") as fake:
        assert "certificate" in unreachable(fake.url).why
    assert fake.requests == []


def test_another_hosts_certificate_is_refused(trusted: Authority) -> None:
    with Service(answer(204), tls=trusted.server("mns.example"), host="localhost") as fake:
        assert "another host" in unreachable(fake.url).why
    assert fake.requests == []


def test_a_plain_port_is_not_taken_for_tls_nor_tls_for_a_plain_port(trusted: Authority) -> None:
    with Service(hang, tls=trusted.server("localhost")) as fake:
        assert unreachable(f"http://localhost:{fake.port}").why
    with Service(hang) as fake:
        threading.Thread(target=fake.arrived.wait)
        with socket.create_server(("127.0.0.1", 0)) as plain:

            def speak_plainly() -> None:
                connection, _ = plain.accept()
                with connection:
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    connection.recv(65536)

            talker = threading.Thread(target=speak_plainly)
            talker.start()
            assert "TLS" in unreachable(f"https://localhost:{plain.getsockname()[1]}").why
            talker.join()


def test_a_handshake_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.2)
    with mute() as (port, _heard):
        assert "in time" in unreachable(f"https://127.0.0.1:{port}").why


# Killing


class Blocked:
    """A receive in a thread of its own."""

    def __init__(self, queue: Queue) -> None:
        self.ended: BaseException | None = None
        self.received: list[Received] = []
        self._queue = queue
        self._thread = threading.Thread(target=self._receive)
        self._thread.start()

    def _receive(self) -> None:
        try:
            self.received = self._queue.receive(16, 30)
        except BaseException as ended:
            self.ended = ended
        finally:
            self._queue.close()

    def join(self) -> None:
        self._thread.join(5)
        assert not self._thread.is_alive()

    def assert_cancelled(self) -> None:
        self.join()
        assert isinstance(self.ended, Cancelled)

    def assert_killed(self) -> None:
        self._queue.kill()
        self.assert_cancelled()
        for call in CALLS.values():
            with pytest.raises(Cancelled):
                call(self._queue)


def test_a_kill_ends_a_long_poll_without_a_second_request() -> None:
    with Service(hang) as fake:
        blocked = Blocked(Queue(fake.url, "a-queue", KEYS))
        assert fake.arrived.wait(5)
        blocked.assert_killed()
    assert (len(fake.requests), fake.connections) == (1, 1)


def test_a_kill_ends_a_long_poll_over_tls(trusted: Authority) -> None:
    with Service(hang, tls=trusted.server("localhost"), host="localhost") as fake:
        blocked = Blocked(Queue(fake.url, "a-queue", KEYS))
        assert fake.arrived.wait(5)
        blocked.assert_killed()
    assert (len(fake.requests), fake.connections) == (1, 1)


def test_a_kill_ends_a_handshake() -> None:
    with mute() as (port, heard):
        blocked = Blocked(Queue(f"https://127.0.0.1:{port}", "a-queue", KEYS))
        assert heard.wait(5)
        blocked.assert_killed()


def test_a_kill_ends_a_look_up_in_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answered = threading.Event(), threading.Event()
    look_up = socket.getaddrinfo

    def slow(*arguments: object, **options: object) -> object:
        asked.set()
        answered.wait()
        return look_up("127.0.0.1", listener.getsockname()[1], type=socket.SOCK_STREAM)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        blocked = Blocked(Queue("http://slow.example", "a-queue", KEYS))
        assert asked.wait(5)
        blocked.assert_killed()
        (dial,) = (thread for thread in threading.enumerate() if thread.name == "dial slow.example")
        answered.set()
        dial.join(5)
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(1) == b"", "the late connection is closed, and nothing was sent over it"


def test_a_kill_at_any_moment_ends_a_receive() -> None:
    for pause in range(40):
        with Service(hang) as fake:
            blocked = Blocked(Queue(fake.url, "a-queue", KEYS))
            time.sleep(pause / 10_000)
            blocked.assert_killed()
        assert len(fake.requests) <= 1


# Interrupting


def interrupting(queue: Queue, first: bytes, rest: bytes, *, taken: bool = False) -> Act:
    """Sends an answer, and interrupts the receiving in the middle of it; `taken`: of a half that is read already."""

    def act(connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(first)
        while taken and queue._mns.wire.connection.readable(0):
            time.sleep(0.001)
        queue.interrupt()
        connection.sendall(rest)

    return act


def whole(body: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}".encode()


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("cut", [1, 40, -1])
def test_an_answer_that_has_begun_to_come_is_read_to_its_end(
    trusted: Authority, tls: bool, cut: int, taken: bool
) -> None:
    acts: list[Act] = [answer(204), answer(200, VISIBILITY)]
    context = trusted.server("localhost") if tls else None
    with Service(hang, tls=context, host="localhost") as fake, queue_on(fake.url) as queue:
        fake.acts[:] = [interrupting(queue, whole(MESSAGE)[:cut], whole(MESSAGE)[cut:], taken=taken), *acts]
        assert [message.message_id for message in queue.receive()] == ["id-1"]
        with pytest.raises(Cancelled):
            queue.receive()
        assert queue.delete(["handle-1"]) == ["handle-1"], "what was received can be finished"
        assert queue.change_visibility("handle-1", 60) == "handle-2"
        queue.kill()
        with pytest.raises(Cancelled):
            queue.delete(["handle-1"])
    assert (len(fake.requests), fake.connections) == (3, 1)


@pytest.mark.parametrize("tls", [False, True])
def test_a_long_poll_of_which_nothing_has_come_ends_at_once(trusted: Authority, tls: bool) -> None:
    context = trusted.server("localhost") if tls else None
    with Service(hang, answer(204), tls=context, host="localhost") as fake, queue_on(fake.url) as queue:
        blocked = Blocked(queue)
        assert fake.arrived.wait(5)
        queue.interrupt()
        blocked.assert_cancelled()
        assert queue.delete(["handle-1"]) == ["handle-1"]
        with pytest.raises(Cancelled):
            queue.receive()
    assert (len(fake.requests), fake.connections) == (2, 2)


def test_an_interruption_ends_a_handshake_and_a_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with mute() as (port, heard), queue_on(f"https://127.0.0.1:{port}") as queue:
        blocked = Blocked(queue)
        assert heard.wait(5)
        queue.interrupt()
        blocked.assert_cancelled()
    asked, answered = threading.Event(), threading.Event()

    def slow(*_arguments: object, **_options: object) -> object:
        asked.set()
        answered.wait()
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with queue_on("http://slow.example") as queue:
        blocked = Blocked(queue)
        assert asked.wait(5)
        queue.interrupt()
        blocked.assert_cancelled()
        (dial,) = (thread for thread in threading.enumerate() if thread.name == "dial slow.example")
        answered.set()
        dial.join(5)


def test_an_interruption_while_the_socket_is_wrapped_ends_the_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    wrap = ssl.SSLContext.wrap_socket
    with mute() as (port, _):
        queue = Queue(f"https://127.0.0.1:{port}", "q", KEYS)

        def interrupted(*arguments: Any, **options: Any) -> ssl.SSLSocket:
            wrapped = wrap(*arguments, **options)
            queue.interrupt()  # what it finds is the socket that `wrapped` has replaced
            return wrapped

        monkeypatch.setattr(ssl.SSLContext, "wrap_socket", interrupted)
        monkeypatch.setattr(ssl.SSLSocket, "do_handshake", lambda _: pytest.fail("it went on"))
        with pytest.raises(Cancelled):
            queue.receive()
        queue.close()


@pytest.mark.parametrize(
    ("call", "reply"),
    [
        ("delete", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("change_visibility", whole(VISIBILITY)),
        ("depth", whole(ATTRIBUTES)),
    ],
    ids=["delete", "change_visibility", "depth"],
)
def test_an_interruption_leaves_alone_what_is_no_receive(call: str, reply: bytes) -> None:
    with Service(hang) as fake, queue_on(fake.url) as queue:
        fake.acts[:] = [interrupting(queue, b"", reply)]
        assert CALLS[call](queue)


def test_an_answer_that_was_interrupted_and_never_ends_is_left_to_a_kill() -> None:
    with Service(hang) as fake, queue_on(fake.url) as queue:
        begun = threading.Event()

        def begin(connection: socket.socket, over: threading.Event) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            begun.set()
            over.wait()

        fake.acts[:] = [begin]
        blocked = Blocked(queue)
        assert begun.wait(5)
        queue.interrupt()
        blocked.assert_killed()


def test_an_interruption_at_any_moment_ends_a_receive_or_lets_it_have_its_answer() -> None:
    for pause in range(40):
        with Service(answer(200, MESSAGE), hang) as fake, queue_on(fake.url) as queue:
            blocked = Blocked(queue)
            time.sleep(pause / 20_000)
            queue.interrupt()
            blocked.join()
            assert isinstance(blocked.ended, Cancelled) or [one.message_id for one in blocked.received] == ["id-1"]
        assert len(fake.requests) <= 1


# Arguments


def test_an_older_queue_may_have_a_name_that_a_new_one_may_not() -> None:
    Queue("https://x.example", "a" * 256, KEYS).close()


@pytest.mark.parametrize("name", ["", " ", "a?x=1&", "a/b", "-a", "a" * 257, "队列", "a\nb", "a b"])
def test_a_queue_has_a_name_that_can_be_one(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        Queue("https://x.example", name, KEYS)
    assert caught.value.field == "queue"


@pytest.mark.parametrize(
    "keys",
    [
        Credentials("", SECRET),
        Credentials("id", " \n"),
        Credentials("i\nd", SECRET),
        Credentials("id", f"{SECRET} {SECRET}"),
        Credentials("id", f"{SECRET}\ud800"),
        Credentials("id", SECRET, f"{SECRET}\r\nX-Evil: 1"),
    ],
)
def test_what_is_no_access_key_is_not_sent(keys: Credentials) -> None:
    with pytest.raises(NoCredentials) as caught:
        Queue("https://x.example", "a-queue", keys)
    assert_tells_nothing(caught.value)


@pytest.mark.parametrize(("room", "absent"), [("mns", "aliyunsdkcore"), ("imm", "mns")])
def test_each_room_imports_its_own_sdk_only(room: str, absent: str) -> None:
    script = f"import sys, imm_tui.cloud.{room}; sys.exit({absent!r} in sys.modules)"
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, env=os.environ | {"DEBUG": "sdk"})


def test_nothing_is_printed_even_by_the_sdk(capfd: pytest.CaptureFixture[str]) -> None:
    with Service(answer(200, MESSAGE)) as fake, queue_on(fake.url) as queue:
        queue.receive(16, 0)
    assert capfd.readouterr() == ("", "")
