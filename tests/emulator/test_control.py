"""The control plane: who may use it, the clock, and a reset."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import pytest

from imm_tui import __version__
from tests.conftest import RunningEmulator
from tests.control import Control, Refused
from tests.emulator.raw import Answer, RawMns, receive, send

BODY = b"<Message><MessageBody>news</MessageBody></Message>"


@pytest.fixture
def mns(fresh_emulator: RunningEmulator) -> Iterator[RawMns]:
    client = RawMns(fresh_emulator)
    client.connection.timeout = 15
    yield client
    client.close()


@pytest.fixture
def poll(fresh_emulator: RunningEmulator) -> Iterator[RawMns]:
    """A second connection, to wait on."""
    client = RawMns(fresh_emulator)
    client.connection.timeout = 15
    yield client
    client.close()


@pytest.fixture
def queue(fresh_emulator: RunningEmulator) -> str:
    return f"/queues/{fresh_emulator.queue}"


def asked(
    emulator: RunningEmulator, path: str, method: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(emulator.endpoint).netloc, timeout=10)
    try:
        return send(connection, method, path, headers or {}, body)
    finally:
        connection.close()


# Who


def test_it_is_healthy_and_says_since_when_it_knows(control: Control) -> None:
    health = control.health()
    assert (health["status"], health["version"], health["frozen"]) == ("ok", __version__, False)
    assert abs(health["now"] / 1000 - time.time()) < 60


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "127.8.8.8:80", "[::1]:80"])
def test_this_machine_under_any_of_its_own_names_is_let_in(emulator: RunningEmulator, host: str) -> None:
    assert asked(emulator, "/_emulator/health", "GET", headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "attacker.example"},
        {"Host": "127.0.0.1.attacker.example"},
        {"Host": "localhost@attacker.example"},
        {"Host": "[not-an-address]"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "null"},
    ],
    ids=str,
)
def test_a_web_page_is_kept_out(emulator: RunningEmulator, headers: dict[str, str]) -> None:
    for method, name in (("GET", "ledger"), ("POST", "reset"), ("GET", "health")):
        refused = asked(emulator, f"/_emulator/{name}", method, headers=headers)
        assert refused.status == 403
        assert list(refused.json) == ["error"]


@pytest.mark.parametrize(
    ("method", "name", "body", "status"),
    [
        ("GET", "nothing", b"", 404),
        ("GET", "", b"", 404),
        ("DELETE", "health", b"", 405),
        ("GET", "reset", b"", 405),
        ("GET", "ledger?after=-1", b"", 400),
        ("GET", "ledger?after=x", b"", 400),
        ("POST", "clock", b"not json", 400),
        ("POST", "clock", b"[" * 100_000, 400),
        ("POST", "clock", b"[]", 400),
        ("POST", "clock", b'{"frozen": 1}', 400),
        ("POST", "clock", b'{"advance": "1"}', 400),
        ("POST", "clock", b'{"advance": true}', 400),
        ("POST", "clock", b'{"advance": NaN}', 400),
        ("POST", "clock", b'{"advance": -1}', 400),
        ("POST", "clock", b'{"advance": 1e12}', 400),
        ("POST", "clock", b'{"advance": 1%s}' % (b"0" * 400), 400),
        ("POST", "clock", b'{"now": 0}', 400),
        ("POST", "clock", b'{"to": 0}', 400),
    ],
)
def test_what_it_cannot_do_is_said_in_json(
    emulator: RunningEmulator, method: str, name: str, body: bytes, status: int
) -> None:
    refused = asked(emulator, f"/_emulator/{name}", method, body)
    assert refused.status == status
    assert refused.json["error"].endswith(".")


# The clock


def test_twelve_hours_of_visibility_pass_at_once(mns: RawMns, queue: str, control: Control) -> None:
    mns("POST", f"{queue}/messages", BODY)
    handle = mns("GET", f"{queue}/messages").text("ReceiptHandle")
    assert mns("PUT", f"{queue}/messages?ReceiptHandle={handle}&VisibilityTimeout=43200").status == 200
    control.clock(advance=43190)
    assert mns("GET", f"{queue}/messages").refusal == (404, "MessageNotExist")
    control.clock(advance=10)
    assert mns("GET", f"{queue}/messages").text("DequeueCount") == "2"


def test_moving_the_clock_ends_a_long_poll(mns: RawMns, poll: RawMns, queue: str, control: Control) -> None:
    mns(
        "POST", f"{queue}/messages", b"<Message><MessageBody>b</MessageBody><DelaySeconds>3600</DelaySeconds></Message>"
    )
    poll.start("GET", f"{queue}/messages?waitseconds=30")
    assert mns("GET", queue).text("DelayMessages") == "1"
    control.clock(advance=3600)
    assert receive(poll.connection).text("MessageBody") == "b"


def test_while_it_stands_still_nothing_becomes_due(mns: RawMns, poll: RawMns, queue: str, control: Control) -> None:
    control.clock(frozen=True)
    mns("PUT", f"{queue}?metaoverride=true", b"<Queue><VisibilityTimeout>1</VisibilityTimeout></Queue>")
    mns("POST", f"{queue}/messages", BODY)
    first = mns("GET", f"{queue}/messages")
    assert mns("GET", f"{queue}/messages?waitseconds=2").refusal == (404, "MessageNotExist")
    poll.start("GET", f"{queue}/messages?waitseconds=30")
    assert mns("GET", queue).text("InactiveMessages") == "1"
    assert control.clock(frozen=False)["frozen"] is False
    second = receive(poll.connection)
    assert second.text("MessageId") == first.text("MessageId")
    assert int(second.text("FirstDequeueTime")) == int(first.text("EnqueueTime")), "no time went by"


def test_time_can_be_set_and_dates_what_happens(mns: RawMns, queue: str, control: Control) -> None:
    later = control.health()["now"] + 10 * 365 * 86_400_000
    assert control.clock(now=later, frozen=True) == {"now": later, "frozen": True}
    sent = mns("POST", f"{queue}/messages", BODY)
    assert sent.status == 201, "a signature is dated by the machine's time"
    assert mns("GET", f"{queue}/messages").text("EnqueueTime") == str(later)
    assert control.ledger()[0]["at"] == later
    assert control.clock(advance=0.5)["now"] == later + 500
    with pytest.raises(Refused, match="not back"):
        control.clock(now=later)


# The reset


def test_a_reset_makes_everything_as_it_was_but_the_keys(mns: RawMns, queue: str, control: Control) -> None:
    mns("POST", f"{queue}/messages", BODY)
    mns("PUT", "/queues/other")
    mns("PUT", f"{queue}?metaoverride=true", b"<Queue><VisibilityTimeout>1</VisibilityTimeout></Queue>")
    control.clock(advance=86400, frozen=True)
    control.reset()
    assert control.ledger() == []
    assert control.health()["frozen"] is False
    assert abs(control.health()["now"] / 1000 - time.time()) < 60
    assert mns("GET", "/queues/other").refusal == (404, "QueueNotExist")
    attributes = mns("GET", queue)
    assert (attributes.text("ActiveMessages"), attributes.text("VisibilityTimeout")) == ("0", "30")
    topic = f"/topics/{mns.emulator.topic}"
    assert mns("POST", f"{topic}/messages", BODY).status == 201
    envelope = json.loads(mns("GET", f"{queue}/messages").text("MessageBody"))
    assert envelope["Message"] == "news"


def test_a_reset_ends_long_polls_as_if_nothing_had_come(
    mns: RawMns, poll: RawMns, queue: str, control: Control
) -> None:
    poll.start("GET", f"{queue}/messages?waitseconds=30")
    assert mns("GET", queue).status == 200
    control.reset()
    assert receive(poll.connection).refusal == (404, "MessageNotExist")
