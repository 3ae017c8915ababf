"""The life of an emulator: what it prints, what it refuses to start with, and that it ends and leaves nothing."""

from __future__ import annotations

import http.client
import json
import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from imm_tui.emulator.control import is_loopback
from imm_tui.emulator.server import exports
from tests.conftest import CHECKOUT, RunningEmulator
from tests.emulator.raw import RawMns, receive, send

VARIABLES = [
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
    "IMM_TUI_REGION",
    "IMM_TUI_ACCOUNT_ID",
    "IMM_TUI_MNS_ENDPOINT",
    "IMM_TUI_IMM_ENDPOINT",
    "IMM_TUI_STS_ENDPOINT",
    "IMM_TUI_PROJECT",
    "IMM_TUI_TOPIC",
    "IMM_TUI_QUEUE",
]

SERVE = """
import json, sys
from pathlib import Path
from imm_tui.emulator.server import serve
options = json.loads(sys.argv[1])
for name in ("data_dir", "env_file"):
    if name in options:
        options[name] = Path(options[name])
sys.exit(serve(**options))
"""

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(CHECKOUT)}


@contextmanager
def foreground(scratch: Path, **options: object) -> Iterator[subprocess.Popen[str]]:
    """`serve(**options)` in a process of its own, whose temporary files go to `scratch`."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, json.dumps(options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**ENVIRONMENT, "TMPDIR": str(scratch)},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def printed(process: subprocess.Popen[str]) -> dict[str, str]:
    """The environment that a foreground emulator prints, once it listens."""
    assert process.stdout is not None
    words = [shlex.split(process.stdout.readline()) for _ in VARIABLES]
    assert all(word[0] == "export" and len(word) == 2 for word in words)
    return dict(word[1].split("=", 1) for word in words)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=10)
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_it_serves_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    env_file = tmp_path / "environment"
    with foreground(tmp_path, env_file=str(env_file)) as process:
        env = printed(process)
        assert list(env) == VARIABLES
        assert env_file.read_text() == exports(env)
        assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
        emulator = RunningEmulator(env, tmp_path, process)
        mns = RawMns(emulator)
        assert mns("GET", f"/queues/{emulator.queue}").status == 200
        mns.start("GET", f"/queues/{emulator.queue}/messages?waitseconds=30")
        process.send_signal(number)
        assert ended(process) == (128 + number, "", "")
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            receive(mns.connection)
        mns.close()
    assert list(tmp_path.iterdir()) == [env_file], "the temporary data folder is gone"


def test_what_it_prints_can_be_evaluated(emulator: RunningEmulator) -> None:
    hostile = {"A": 'it\'s $HOME; `x` "y"\n', "B": ""}
    script = exports({**emulator.env, **hostile}) + 'printf "%s" "$A|$B|$IMM_TUI_PROJECT"'
    shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert shell.stdout == f"{hostile['A']}||{emulator.project}"


def test_the_data_folder_of_the_caller_stays(tmp_path: Path) -> None:
    with foreground(tmp_path, data_dir=str(tmp_path / "data"), samples=True) as process:
        printed(process)
        samples = sorted((tmp_path / "data" / "demo").iterdir())
        assert any("5页Word" in sample.name for sample in samples)
        process.terminate()
        assert ended(process)[0] == 143
    assert sorted((tmp_path / "data" / "demo").iterdir()) == samples


def test_a_busy_port_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with foreground(tmp_path, port=port) as process:
            code, out, err = ended(process)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"cannot listen on 127.0.0.1 port {port}" in err
    assert "--port" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"data_dir": "FILE"}, "--data-dir"),
        ({"data_dir": "FILE/below"}, "--data-dir"),
        ({"env_file": "FOLDER/none/env"}, "--env-file"),
        ({"env_file": "FOLDER"}, "--env-file"),
        ({"host": "name.invalid"}, "--host"),
        ({"port": 65536}, "--port"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(tmp_path: Path, options: dict[str, object], said: str) -> None:
    (tmp_path / "file").touch()
    places = {"FILE": str(tmp_path / "file"), "FOLDER": str(tmp_path)}
    for name, value in options.items():
        if isinstance(value, str):
            for place, path in places.items():
                value = value.replace(place, path)
            options = {**options, name: value}
    with foreground(tmp_path, **options) as process:
        code, out, err = ended(process)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("imm-tui emulator: ")
    assert said in err
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_another_than_a_loopback_address_is_warned_of(tmp_path: Path) -> None:
    with foreground(tmp_path, host="0.0.0.0") as process:
        assert printed(process)["IMM_TUI_MNS_ENDPOINT"].startswith("http://0.0.0.0:")
        assert process.stderr is not None
        assert "not a loopback address" in process.stderr.readline()
        process.terminate()
        assert ended(process)[0] == 143


def test_from_another_address_than_a_loopback_one_there_is_no_control_plane(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
        try:
            route.connect(("192.0.2.1", 9))  # which sends nothing, and tells by which address this machine would
        except OSError:
            pytest.skip("this machine has a loopback address only")
        own = route.getsockname()[0]
    with foreground(tmp_path, host="0.0.0.0") as process:
        port = urlsplit(printed(process)["IMM_TUI_MNS_ENDPOINT"]).port
        for address, status in ((own, 403), ("127.0.0.1", 200)):
            connection = http.client.HTTPConnection(address, port, timeout=10)
            assert send(connection, "GET", "/_emulator/health", {"Host": "localhost"}).status == status
            connection.close()


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_loopback_is_told_from_the_rest(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_the_child_ends_with_its_standard_input_and_takes_its_root_along(fresh_emulator: RunningEmulator) -> None:
    process, root = fresh_emulator.process, fresh_emulator.data_dir.parent
    poll = RawMns(fresh_emulator)
    poll.start("GET", f"/queues/{fresh_emulator.queue}/messages?waitseconds=30")
    assert any(root.iterdir())
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=10) == 0
    assert not root.exists()
    poll.close()


def test_the_child_minds_sigterm_and_leaves_ctrl_c_to_its_parent(fresh_emulator: RunningEmulator) -> None:
    fresh_emulator.process.send_signal(signal.SIGINT)
    mns = RawMns(fresh_emulator)
    assert mns("GET", "/queues").status == 200
    mns.close()
    fresh_emulator.process.terminate()
    assert fresh_emulator.process.wait(timeout=10) == 0
    assert not fresh_emulator.data_dir.parent.exists()


PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "imm_tui.emulator", sys.argv[1]],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
child.stdout.read()
print("ready", flush=True)
time.sleep(600)
"""


def test_the_child_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        assert parent.stdout.readline() == "ready\n"
        assert root.exists()
        parent.kill()
        assert parent.stderr.read() == "", "which ends when the last process that holds it does"
    assert not root.exists()


def test_a_child_that_cannot_start_says_why_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    child = subprocess.run(
        [sys.executable, "-m", "imm_tui.emulator", str(tmp_path / "file")],
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    )
    assert (child.returncode, child.stdout, child.stderr.count("\n")) == (2, "", 1)


def test_connections_are_kept(emulator: RunningEmulator) -> None:
    mns = RawMns(emulator)
    mns("GET", "/queues")
    kept = mns.connection.sock
    for _ in range(3):
        assert mns("GET", "/queues").status == 200
    assert mns("GET", "/nothing").status == 404
    assert mns.connection.sock is kept
    mns.close()


def test_a_hundred_long_polls_are_held_open_at_once(emulator: RunningEmulator) -> None:
    polls = [RawMns(emulator) for _ in range(100)]
    mns = RawMns(emulator)
    mns("PUT", "/queues/hundred")
    for poll in polls:
        poll.start("GET", "/queues/hundred/messages?waitseconds=30")
    for number in range(100):
        mns("POST", "/queues/hundred/messages", f"<Message><MessageBody>{number}</MessageBody></Message>".encode())
    received = [receive(poll.connection).text("MessageBody") for poll in polls]
    assert sorted(received, key=int) == [str(number) for number in range(100)]
    for client in (mns, *polls):
        client.close()


def test_nonsense_on_the_port_is_answered_and_not_logged(tmp_path: Path) -> None:
    with foreground(tmp_path) as process:
        address = urlsplit(printed(process)["IMM_TUI_MNS_ENDPOINT"])
        with socket.create_connection((address.hostname, address.port), timeout=10) as client:
            client.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.0 400 ")
        process.terminate()
        assert ended(process) == (143, "", "")
