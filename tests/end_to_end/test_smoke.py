"""`imm-tui smoke`: one conversion through everything, on a queue that others use as well."""

from __future__ import annotations

import contextlib
import io
import json
import signal
from contextlib import closing
from pathlib import Path

import pytest
from mns.account import Account as MnsAccount
from mns.queue import Message as QueueMessage

from imm_tui.history import History
from imm_tui.tasks import API_VERSIONS
from tests.conftest import RunningEmulator, running_emulator
from tests.control import Control
from tests.mailbox import Mailbox, notification
from tests.program import Program, until

PDF = "oss://demo/产品手册.pdf"
DAMAGED = "oss://demo/损坏的表格.xls"
LEGS = ["accepted_ms", "published_ms", "received_ms", "stored_ms"]


def history(program: Program) -> closing[History]:
    return closing(History(program.data / "history.db"))


@pytest.mark.parametrize("version", API_VERSIONS)
def test_each_leg_of_the_way_is_timed_and_the_verdict_is_plain(program: Program, version: str) -> None:
    run = program("smoke", "--source", PDF, "--api-version", version)
    assert run.code == 0, run
    assert [line.split()[1] for line in run.lines[:4]] == ["accepted", "published", "received", "stored"]
    assert run.lines[4].startswith("Everything works: ")


def test_as_json_it_is_one_object(program: Program) -> None:
    told = program("smoke", "--source", PDF, "--json").object
    assert (told["verdict"], told["status"], told["source_uri"]) == ("passed", "Succeeded", PDF)
    assert told["target_uri"].endswith("/产品手册.pdf/imm-tui-smoke/")
    assert all(isinstance(told[leg], int) for leg in LEGS)
    assert told["total_ms"] >= told["accepted_ms"]
    assert told["cause"] is told["fix"] is None


def test_of_a_shared_queue_it_takes_its_own_event_only(program: Program, mailbox: Mailbox) -> None:
    others = [notification(f"somebody-elses-{number}") for number in range(40)]
    mailbox.publish(*others)
    until(lambda: mailbox.left[0] == 40)
    assert program("smoke", "--source", PDF).code == 0
    assert sum(mailbox.left) == 40
    with history(program) as known:
        assert len(known.tasks()) == 1
    until(lambda: mailbox.left[0] == 40)  # and nobody has to wait for them


def test_an_event_behind_many_of_others_is_not_dug_out_and_a_way_out_is_told(
    program: Program, mailbox: Mailbox
) -> None:
    mailbox.publish(*[notification(f"somebody-elses-{number}") for number in range(120)])
    until(lambda: mailbox.left[0] == 120)
    run = program("smoke", "--source", PDF, "--timeout", "1", "--json")
    assert (run.code, run.object["verdict"]) == (5, "no event")
    assert "setup --private" in run.object["fix"]
    until(lambda: mailbox.left == (121, 0))  # each was given back at once, and the test's own waits behind them


def test_interrupted_while_it_lifts_it_gives_everything_back(program: Program, mailbox: Mailbox) -> None:
    mailbox.publish(*[notification(f"somebody-elses-{number}") for number in range(120)])
    until(lambda: mailbox.left[0] == 120)
    run = program.start("smoke", "--source", PDF)
    until(lambda: mailbox.left[1] > 0)
    run.send_signal(signal.SIGINT)
    assert program.finish(run).code == 130
    until(lambda: mailbox.left[1] == 0)  # long before the queue's visibility timeout of 30 s


def test_that_nothing_can_be_given_back_is_told_with_the_policy_that_mends_it(
    fresh_emulator: RunningEmulator, control: Control, tmp_path: Path
) -> None:
    program = Program(tmp_path / "home", fresh_emulator.env)
    assert program("smoke", "--source", PDF).code == 0  # alone on the queue it gives nothing back
    control.fault("error", service="mns", operation="ChangeMessageVisibility", status=403, code="AccessDenied")
    console = MnsAccount(fresh_emulator.endpoint, fresh_emulator.access_key_id, fresh_emulator.access_key_secret)
    with contextlib.redirect_stdout(io.StringIO()):  # the SDK prints the secret at every request
        queue = console.get_queue(fresh_emulator.queue)
        queue.send_message(QueueMessage("not an event"))
        console.get_client().close_connection()
    run = program("smoke", "--source", PDF, "--json")
    assert (run.code, run.object["verdict"]) == (5, "refused")
    assert isinstance(run.object["stored_ms"], int)  # the event came all the same
    assert (
        "mns:ChangeMessageVisibility"
        in json.loads(run.err.splitlines()[-1].removeprefix("imm-tui: "))["Statement"][0]["Action"]
    )
    program.close()


def test_while_another_imm_tui_listens_that_one_receives(program: Program, mailbox: Mailbox) -> None:
    listening = program.start("watch", "--json", "--count", "1")
    assert listening.stdout is not None
    until(lambda: (program.data / "history.db.lock").exists())
    assert program("smoke", "--source", PDF).code == 0
    assert json.loads(program.finish(listening).out)["status"] == "Succeeded"
    assert sum(mailbox.left) == 0


def test_a_failed_conversion_is_told_from_a_way_that_does_not_work(program: Program) -> None:
    run = program("smoke", "--source", DAMAGED, "--json")
    assert run.code == 1
    assert run.object["verdict"] == "failed"
    assert "The notification works" in run.object["cause"]


def test_an_event_that_does_not_come_is_told_when_imm_says_that_the_task_has_ended(program: Program) -> None:
    run = program("smoke", "--source", PDF, "--timeout", "1", "--json", IMM_TUI_TOPIC="nobody-listens")
    assert run.code == 5
    assert run.object["verdict"] == "no event"
    assert "doctor" in run.object["fix"]


def test_a_wrong_queue_is_found_before_a_conversion_is_paid_for(program: Program) -> None:
    run = program("smoke", "--source", PDF, "--json", IMM_TUI_QUEUE="not-there")
    assert run.code == 5
    assert (run.object["verdict"], run.object["code"]) == ("refused", "QueueNotExist")
    with history(program) as known:
        assert known.tasks() == []


def test_without_a_source_it_takes_the_document_that_was_converted_last(program: Program) -> None:
    run = program("smoke")
    assert run.code == 2
    assert "--source" in run.err
    program("smoke", "--source", PDF)
    assert program("smoke", "--json").object["source_uri"] == PDF


def test_interrupted_it_says_so_and_the_task_is_in_the_history(
    tmp_path: Path,
) -> None:
    with running_emulator(tmp_path / "slow", "--pace", "60") as slow:
        program = Program(tmp_path / "home", slow.env)
        run = program.start("smoke", "--source", PDF)
        until(lambda: (program.data / "history.db").exists())
        assert run.stdout is not None
        assert b"accepted" in run.stdout.readline()
        run.send_signal(signal.SIGINT)
        assert program.finish(run).code == 130
        with history(program) as known:
            assert [task.status for task in known.tasks()] == ["Running"]
        program.close()


def test_a_fault_on_the_way_does_not_end_it(fresh_emulator: RunningEmulator, control: Control, tmp_path: Path) -> None:
    rule = {"service": "mns", "operation": "BatchPeekMessage", "status": 500, "code": "InternalError"}
    control.fault("error", **rule, skip=1, count=2)
    program = Program(tmp_path / "home", fresh_emulator.env)
    assert program("smoke", "--source", PDF).code == 0
    assert control.faults()[0]["injected"] == 2
    program.close()
