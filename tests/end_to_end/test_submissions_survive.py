"""Submissions are recorded before they are sent and never sent twice: kill -9 in their midst, and lost answers.

SUBMISSIONS=1000 has the killed process submit that many at each kill instead of the few that the suite has time for.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from imm_tui import submission
from imm_tui.exits import Exit
from imm_tui.headless.submit import submit
from imm_tui.history import History
from imm_tui.reconciler import Reconciler
from imm_tui.tasks import API_VERSIONS, ApiVersion, Status, Task
from tests.conftest import RunningEmulator, running_emulator
from tests.control import Control
from tests.mailbox import Mailbox
from tests.program import Program, until
from tests.relay import Relay

SUBMISSIONS = int(os.environ.get("SUBMISSIONS", "40"))
PDF = "oss://demo/产品手册.pdf"

both_versions = pytest.mark.parametrize("version", API_VERSIONS)


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment to kill a process in: when `arrived` in a hundred of its submissions have arrived, and of the next ones
    none is let in, or none is answered."""

    arrived: int
    then: str = ""

    def __str__(self) -> str:
        return f"{self.arrived}%{' ' if self.then else ''}{self.then}"


INSTANTS = [
    Instant(0, "before it arrives"),
    Instant(0, "before the answer"),
    Instant(50, "before it arrives"),
    Instant(50, "before the answer"),
    Instant(90),
]
EFFECTS: dict[str, dict[str, Any]] = {
    "before it arrives": {"effect": "latency", "seconds": 600},
    "before the answer": {"effect": "hang"},
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    with running_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Iterator[Counter[str]]:
    """What all kills came to, printed at the end."""
    counts: Counter[str] = Counter()
    yield counts
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(
            f"\n{counts['kills']} kills in the middle of {SUBMISSIONS} submissions each: {counts['arrived']} arrived, "
            f"{counts['twice']} of them twice; {counts['accepted']} were recorded as accepted and {counts['unknown']} "
            f"as unknown, of which {counts['found']} were found and {counts['never']} never arrived."
        )


@both_versions
@pytest.mark.parametrize("instant", INSTANTS, ids=str)
def test_a_kill_leaves_every_submission_accepted_or_unknown_and_none_is_made_twice(
    cloud: RunningEmulator, tmp_path: Path, tally: Counter[str], instant: Instant, version: ApiVersion
) -> None:
    control = Control(cloud.endpoint)
    control.reset()
    with closing(Program(tmp_path / "home", {**cloud.env, "IMM_TUI_API_VERSION": version})) as program:
        kill_in_the_midst(program, control, instant)
        known = program("tasks", "--json", "--limit", str(SUBMISSIONS)).objects
        arrived = submitted(control)
        assert max(Counter(arrived.values()).values(), default=1) == 1, "a source arrived twice"
        assert {task["status"] for task in known} <= {"Running", "Unknown"}
        assert len({task["source_uri"] for task in known}) == len(known)
        accepted = {task["task_id"]: task["source_uri"] for task in known if task["status"] == "Running"}
        unknown = {task["source_uri"] for task in known if task["status"] == "Unknown"}
        assert accepted.items() <= arrived.items()
        assert set(arrived.values()) - set(accepted.values()) <= unknown, "each that arrived was recorded before"
        if instant.then:
            assert unknown, "the kill came while it waited for answers"

        lost = unknown - set(arrived.values())
        for task in reconciled(program, cloud, version, missing=len(lost)):
            assert (task.task_id, task.source_uri) in arrived.items() or task.source_uri in lost
        assert submitted(control) == arrived, "nothing is sent again"

    tally.update(kills=1, arrived=len(arrived), twice=len(arrived) - len(set(arrived.values())))
    tally.update(accepted=len(accepted), unknown=len(unknown), found=len(unknown - lost), never=len(lost))


def kill_in_the_midst(program: Program, control: Control, instant: Instant) -> None:
    before = SUBMISSIONS * instant.arrived // 100
    if instant.then:
        control.fault(operation="CreateOfficeConversionTask", skip=before, **EFFECTS[instant.then])
    process = program.start("submit", "--from", "-", "--to", "txt", "--json")
    assert process.stdin is not None
    assert process.stdout is not None
    reader = threading.Thread(target=process.stdout.read)  # what nobody reads would hold it up
    reader.start()
    process.stdin.write("".join(f"oss://demo/{number}.pdf\n" for number in range(SUBMISSIONS)).encode())
    process.stdin.close()
    try:
        if instant.then:
            until(lambda: bool(control.faults()[0]["injected"]))
        else:
            until(lambda: len(submitted(control)) >= before)
    finally:
        process.kill()
        process.wait()
        reader.join()
    control.clear()


def submitted(control: Control) -> dict[str, str]:
    """The source of each task that IMM has taken on, by its id."""
    return {entry["task_id"]: entry["source"] for entry in control.ledger() if entry["action"] == "submit"}


def reconciled(program: Program, cloud: RunningEmulator, version: ApiVersion, missing: int) -> list[Task]:
    """All tasks, once IMM's list was searched for each that is unknown, and all were found but the missing ones."""
    settings = replace(Mailbox(cloud).settings, api_version=version)
    with History(program.data / "history.db") as history:

        def settled() -> bool:
            left = history.tasks(status=Status.UNKNOWN, limit=SUBMISSIONS)
            return len(left) == missing and all(task.asks for task in left)

        asking = Reconciler(settings, Mailbox(cloud).credentials, history.path, overdue_after=0.1)
        asking.start()
        try:
            until(settled)
        finally:
            asking.stop()
            assert asking.join(30)
        return history.tasks(limit=SUBMISSIONS)


# With --wait


@pytest.fixture
def alone(fresh_emulator: RunningEmulator) -> Mailbox:
    """A mailbox on an emulator that nobody else submits to."""
    return Mailbox(fresh_emulator)


@both_versions
def test_a_wait_goes_on_with_a_submission_that_is_found(
    emulator: RunningEmulator, program: Program, version: ApiVersion
) -> None:
    with Relay(emulator.endpoint, lambda body: None) as relay:
        where = ("--imm-endpoint", relay.url, "--api-version", version)
        run = program("submit", PDF, "--to", "txt", "--wait", "--timeout", "20", "--json", *where)
        assert relay.operations["CreateOfficeConversionTask"] == 1
    assert (run.object["status"], run.code) == ("Succeeded", 0)
    if version == "2017-09-06":  # with the other one the event, which tells whose it is, may come first
        assert "looked up" in run.err
        assert f"IMM has it, as task {run.object['task_id']}" in run.err


@both_versions
@pytest.mark.parametrize("denied", [False, True], ids=["not listed", "no list"])
def test_a_wait_for_one_that_cannot_be_found_is_over_before_its_time(
    alone: Mailbox,
    control: Control,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    version: ApiVersion,
    denied: bool,
) -> None:
    monkeypatch.setattr("imm_tui.reconciler._UNKNOWN_AFTER", 0.1)
    control.fault("cut-before", operation="CreateOfficeConversionTask")
    if denied:
        for operation in ("ListTasks", "ListOfficeConversionTask"):
            control.fault("error", operation=operation, status=403, code="NoPermission")
    settings = replace(alone.settings, api_version=version)
    conversions = submission.plan([PDF], submission.Wanted(target_type="txt"), settings)
    assert submit(settings, alone.credentials, tmp_path / "history.db", conversions, wait=True) is Exit.UNKNOWN
    told = capsys.readouterr()
    assert "Unknown" in told.out
    assert ("denies access" if denied else "does not list it") in told.err


@both_versions
def test_a_wait_does_not_depend_on_the_event(
    fresh_emulator: RunningEmulator, control: Control, tmp_path: Path, version: ApiVersion
) -> None:
    control.fault("drop")
    program = Program(tmp_path / "home", fresh_emulator.env)
    run = program("submit", PDF, "--to", "txt", "--wait", "--timeout", "4", "--json", "--api-version", version)
    assert (run.object["status"], run.object["events"], run.code, run.err) == ("Succeeded", 0, 0, "")
    assert "asked IMM" in program("tasks").out
    program.close()


def test_without_a_wait_an_unknown_outcome_is_printed_at_once(emulator: RunningEmulator, program: Program) -> None:
    with Relay(emulator.endpoint, lambda body: None) as relay:
        run = program("submit", PDF, "--to", "txt", "--json", "--imm-endpoint", relay.url)
        assert list(relay.operations) == ["CreateOfficeConversionTask"]
    assert (run.object["status"], run.code) == ("Unknown", 6)
    (line,) = program("tasks").lines
    assert "Unknown" in line
    assert "whether IMM has it is not known" in line
