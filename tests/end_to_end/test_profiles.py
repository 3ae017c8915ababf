"""`imm-tui profiles`: what there is to switch between."""

from __future__ import annotations

from pathlib import Path

import pytest

from imm_tui.arrivals import Arrival
from imm_tui.history import History
from imm_tui.tasks import Event, Status, now
from tests.program import Program

FILE = """
profile = "demo"

[profiles.demo]
region = "cn-beijing"
project = "示范"
queue = "mine"

[profiles.broken]
region = "Nowhere!"

[profiles.old]
region = "cn-shanghai"
api_version = "2017-09-06"
project = "GetResult-ByNotify-Demo"
"""


@pytest.fixture
def alone(tmp_path: Path) -> Program:
    program = Program(tmp_path / "home")
    (program.home / "config.toml").write_text(FILE.replace("示范", "shifan"), encoding="utf-8")
    program.environment["IMM_TUI_CONFIG"] = str(program.home / "config.toml")
    return program


def test_each_profile_is_told_with_what_sets_it_apart_and_what_is_wrong_with_it(alone: Program) -> None:
    run = alone("profiles", "--json")
    told = {profile["profile"]: profile for profile in run.objects}
    assert list(told) == ["default", "demo", "broken", "old"]
    assert [name for name in told if told[name]["current"]] == ["demo"]
    assert told["old"]["api_version"] == "2017-09-06"
    assert (told["demo"]["region"], told["demo"]["queue"], told["demo"]["tasks"]) == ("cn-beijing", "mine", None)
    assert "Nowhere!" in told["broken"]["problem"]
    assert run.code == 0


def test_each_has_a_history_of_its_own(alone: Program) -> None:
    alone.data.mkdir(mode=0o700)
    with History(alone.data / "history-old.db") as history:
        event = Event(task_id="t", name="n", status=Status.RUNNING)
        history.store([Arrival(message_id="m", body=b"{}", events=(event,))], now())
    told = {profile["profile"]: profile for profile in alone("profiles", "--json").objects}
    assert (told["old"]["tasks"], told["demo"]["tasks"]) == (1, None)
    assert told["old"]["history"] != told["demo"]["history"]


def test_a_damaged_history_is_a_line_of_its_profile_and_the_others_are_listed(alone: Program) -> None:
    alone.data.mkdir(mode=0o700)
    (alone.data / "history-demo.db").write_bytes(b"no history" * 1000)
    run = alone("profiles", "--json")
    told = {profile["profile"]: profile for profile in run.objects}
    assert list(told) == ["default", "demo", "broken", "old"]
    assert "history-demo.db" in told["demo"]["problem"]
    assert (told["demo"]["queue"], told["demo"]["tasks"], run.code) == ("mine", None, 0)
    assert sum("✘" in line for line in alone("profiles").lines) == 2


def test_people_see_one_line_a_profile_and_the_current_one_marked(alone: Program) -> None:
    lines = alone("profiles", "--profile", "old").lines
    assert [line.split()[0] for line in lines if line.startswith("●")] == ["●"]
    assert next(line for line in lines if line.startswith("●")).split()[1] == "old"
    assert any("✘" in line and "Nowhere!" in line for line in lines)
