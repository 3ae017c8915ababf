"""How many calls it costs to learn that tasks have ended: `imm-tui submit --wait`, beside asking about each of them.

Both follow the same tasks at the same time. Submitting them costs everybody the same, and does not count.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing

from benchmarks.measuring import Figure, Row, main, times
from benchmarks.stage import cloud
from imm_tui import config, credentials, submission
from imm_tui.history import History
from tests.control import Control

_ASKED_EVERY = 2.0
"""Seconds between two questions about a task, by a client that polls."""


_FAILED = 1
"""How it ends when a task has failed: here all do."""


def measure(tasks: int = 100, lasting: int = 45) -> list[Row]:
    """`tasks` that are submitted together and take `lasting` seconds each."""
    with cloud("--pace", str(lasting)) as stage:
        environment = stage.environment("home", stage.queue())
        control = Control(stage.emulator.endpoint)
        # A rule that changes nothing counts what it fits.
        for service, operation in (("mns", "*"), ("imm", "GetTask")):
            control.fault("latency", service=service, operation=operation, seconds=0)
        # There are no such documents: their tasks end just as well, and no processor works for them.
        sources = [f"oss://demo/absent-{number}.docx" for number in range(tasks)]
        command = ["-m", "imm_tui", "submit", "--to", "png", "--target-uri", "oss://demo/results/", "--wait", *sources]
        with subprocess.Popen(
            [sys.executable, *command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as ours:
            settings = config.load({"config": os.devnull}, environment)
            keys = credentials.find(environ=environment)
            asked = 0
            with (
                closing(submission.connect(settings, keys)) as imm,
                History(stage.folder / "home" / "data" / "history.db") as history,
            ):
                ended: set[str] = set()
                while len(ended) < tasks:
                    assert ours.poll() in (None, _FAILED), "the tasks were not submitted"
                    time.sleep(_ASKED_EVERY)
                    for task in history.tasks(limit=tasks):
                        if task.task_id is not None and task.task_id not in ended:
                            asked += 1
                            answer = imm.get_task(task.task_id)
                            if answer is not None and answer.event.status.finished:
                                ended.add(task.task_id)
            ours.wait()
        counted = {rule["service"]: int(rule["injected"]) for rule in control.faults()}
    asked_by_ours = counted["imm"] - asked
    return [
        Row(
            what=f"calls for each of {tasks} tasks of {lasting} s",
            ours=Figure(((counted["mns"] + asked_by_ours) / tasks,), "calls"),
            against=f"asking every {_ASKED_EVERY:.0f} s",
            other=Figure((asked / tasks,), "calls"),
            goal=times(0.1),
            note=f"{counted['mns']} calls of MNS, and IMM was asked {asked_by_ours} times about what was overdue",
        )
    ]


if __name__ == "__main__":
    main(measure)
