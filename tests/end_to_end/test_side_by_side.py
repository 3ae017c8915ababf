"""Two profiles at work at the same time: each has its own queue and its own history, and neither hinders the other."""

from __future__ import annotations

import json

from tests.conftest import RunningEmulator
from tests.mailbox import Mailbox, notification
from tests.program import Program


def test_two_profiles_listen_side_by_side_each_for_its_own_history(program: Program, emulator: RunningEmulator) -> None:
    boxes = {name: Mailbox(emulator) for name in ("left", "right")}
    for name in ("IMM_TUI_QUEUE", "IMM_TUI_TOPIC"):
        program.environment.pop(name)
    config = program.home / "config.toml"
    config.write_text("".join(f'[profiles.{name}]\nqueue = "{box.name}"\n' for name, box in boxes.items()))
    program.environment["IMM_TUI_CONFIG"] = str(config)
    watching = {name: program.start("watch", "--json", "--count", "1", "--profile", name) for name in boxes}
    for name, box in boxes.items():
        box.publish(notification(f"of-{name}"))
    for name, process in watching.items():
        out, _ = process.communicate(timeout=20)
        assert process.returncode == 0
        assert json.loads(out)["task_id"] == f"of-{name}"
        tasks = program("tasks", "--json", "--profile", name).objects
        assert [task["task_id"] for task in tasks] == [f"of-{name}"]
    assert {path.name for path in program.data.glob("history*.db")} == {"history-left.db", "history-right.db"}
