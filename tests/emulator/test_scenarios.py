"""Scenarios: each disturbs what it says, and under each of them a patient client comes to the end of its work."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from imm_tui.cli import main
from imm_tui.emulator.scenarios import JUNK, SCENARIOS
from tests.conftest import RunningEmulator, running_emulator
from tests.control import Control
from tests.emulator.raw import RawMns

COUNT = 24


@contextmanager
def playing(root: Path, scenario: str, *options: str) -> Iterator[tuple[RunningEmulator, Control]]:
    with running_emulator(root, "--scenario", scenario, *options) as emulator:
        yield emulator, Control(emulator.endpoint)


def work_off(emulator: RunningEmulator, control: Control) -> None:
    """Publish, then receive and delete until nothing is left, however often something goes wrong on the way."""
    mns = RawMns(emulator)
    messages = f"/queues/{emulator.queue}/messages"
    for number in range(COUNT):
        body = f"<Message><MessageBody>{number}</MessageBody></Message>".encode()
        assert mns("POST", f"/topics/{emulator.topic}/messages", body).status == 201
    while not is_done(control):
        with suppress(http.client.HTTPException, ConnectionError):
            received = mns("GET", f"{messages}?numOfMessages=2&waitseconds=1").body
            handles = b"".join(re.findall(rb"<ReceiptHandle>[^<]+</ReceiptHandle>", received))
            if handles:
                mns("DELETE", messages, b"<ReceiptHandles>" + handles + b"</ReceiptHandles>")
        mns.connection.close()
        control.clock(advance=10)
    mns.close()


def is_done(control: Control) -> bool:
    """Every notification was lost, or came to the queue and is deleted in each of its copies."""
    topic_messages: dict[str, set[str]] = {action: set() for action in ("publish", "send", "drop")}
    copies: dict[str, set[str]] = {"send": set(), "delete": set()}
    for entry in control.ledger():
        if entry["topic_message_id"]:
            topic_messages.get(entry["action"], set()).add(entry["topic_message_id"])
            copies.get(entry["action"], set()).add(entry["message_id"])
    settled = topic_messages["send"] | topic_messages["drop"]
    return settled == topic_messages["publish"] and copies["send"] == copies["delete"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_disturbs_and_lets_the_work_be_done(tmp_path: Path, name: str) -> None:
    with playing(tmp_path / "emulator", name) as (emulator, control):
        assert control.health()["scenario"] == name
        work_off(emulator, control)
        for rule in control.faults():
            assert rule["injected"] > 0 or rule["service"] == "imm", rule
        lost = [entry for entry in control.ledger() if entry["action"] == "drop"]
        assert bool(lost) == (name == "lost-events")


def test_poison_is_there_from_the_start_and_after_a_reset(tmp_path: Path) -> None:
    with playing(tmp_path / "emulator", "poison") as (emulator, control):
        assert len(control.ledger(queue=emulator.queue)) == len(JUNK)
        control.reset()
        assert len(control.ledger(queue=emulator.queue)) == len(JUNK)


def test_a_reset_begins_the_scenario_anew(tmp_path: Path) -> None:
    with playing(tmp_path / "emulator", "lost-events") as (_, control):
        rules = control.faults()
        control.clear()
        control.reset()
        assert control.faults() == rules != []


def test_the_same_seed_loses_the_same_events(tmp_path: Path) -> None:
    def lost(*options: str) -> list[int]:
        with playing(tmp_path / "emulator", "lost-events", *options) as (emulator, control):
            work_off(emulator, control)
            actions = [entry["action"] for entry in control.ledger() if entry["action"] in ("drop", "send")]
            return [number for number, action in enumerate(actions) if action == "drop"]

    assert lost() == lost()
    assert lost() != lost("--seed", "1")


@pytest.mark.parametrize("command", ["demo", "emulator"])
def test_the_command_line_knows_the_scenarios_and_no_others(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    told = capsys.readouterr().out.partition("scenarios:\n")[2]
    assert [line.split()[0] for line in told.splitlines() if line.startswith("  ")] == list(SCENARIOS)
    assert all(len(line.split()) > 2 for line in told.splitlines())
    with pytest.raises(SystemExit) as end:
        main([command, "--scenario", "doomsday"])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "'doomsday'" in said
    assert "flaky-network" in said
