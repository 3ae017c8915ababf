"""`imm-tui submit`, from the command line to the file that IMM wrote, over HTTP."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from imm_tui.tasks import API_VERSIONS
from tests.cloud.servers import Act, Service, answer, hang, then_close
from tests.conftest import RunningEmulator, running_emulator
from tests.mailbox import Mailbox
from tests.program import Program, until

PDF = "oss://demo/产品手册.pdf"
WORD = "oss://demo/5页Word.docx"
DAMAGED = "oss://demo/损坏的表格.xls"
DEAD_PORT = "http://127.0.0.1:9"

TASK = [
    "task_id",
    "status",
    "percent",
    "page_count",
    "code",
    "message",
    "source_uri",
    "target_uri",
    "target_type",
    "project",
    "api_version",
    "submitted_at",
    "finished_at",
    "events",
]


# Accepted


@pytest.mark.parametrize("version", API_VERSIONS)
def test_a_document_is_accepted_and_its_task_printed(program: Program, version: str) -> None:
    run = program("submit", PDF, "--to", "png", "--json", "--api-version", version)
    assert run.code == 0
    assert run.err == ""
    task = run.object
    assert list(task) == TASK
    assert (task["status"], task["source_uri"], task["target_type"]) == ("Running", PDF, "png")
    assert task["task_id"]
    assert task["api_version"] == version
    assert task["submitted_at"].endswith("Z")
    assert task["finished_at"] is None
    assert task["events"] == 0
    assert task["percent"] == {"2017-09-06": 0, "2020-09-30": None}[version]  # as IMM's answer says


def test_a_source_that_stands_there_twice_is_submitted_once_and_said(program: Program) -> None:
    run = program("submit", PDF, WORD, PDF, "--to", "txt", "--json")
    assert sorted(task["source_uri"] for task in run.objects) == sorted([PDF, WORD])
    assert len(run.err.splitlines()) == 1
    assert len(program("tasks").lines) == 2


def test_a_flag_names_the_results_folder_and_a_setting_the_folder_of_the_results_folders(program: Program) -> None:
    folder = "oss://demo/converted/"
    run = program("submit", PDF, "--to", "png", "--json", IMM_TUI_TARGET_URI=folder)
    assert run.object["target_uri"] == "oss://demo/converted/产品手册.pdf/"
    assert program("submit", PDF, "--to", "png", "--json", "--target-uri", folder).object["target_uri"] == folder


def test_sources_come_from_a_file_as_other_programs_write_it(program: Program) -> None:
    program.home.joinpath("list.txt").write_bytes(f"\ufeff{PDF}\r\n\r\n  {WORD}  \r\n".encode())
    run = program("submit", "--from", "list.txt", "--to", "txt", "--json")
    assert sorted(task["source_uri"] for task in run.objects) == sorted([PDF, WORD])


def test_sources_come_from_stdin_beside_those_of_the_command_line(program: Program) -> None:
    run = program("submit", PDF, "--from", "-", "--to", "txt", "--json", typed=f"{WORD}\n".encode())
    assert sorted(task["source_uri"] for task in run.objects) == sorted([PDF, WORD])


def test_people_read_one_line_a_task(program: Program) -> None:
    (line,) = program("submit", PDF, "--to", "png", "--wait").lines
    assert "Succeeded" in line
    assert "100 %" in line
    assert line.endswith(PDF)


@pytest.mark.parametrize("version", API_VERSIONS)
def test_a_password_opens_the_document_and_is_kept_nowhere(program: Program, version: str) -> None:
    program.home.joinpath("password").write_bytes(b"imm-demo\r\nanother line\n")
    locked = ("submit", "oss://demo/加密合同.pdf", "--to", "txt", "--wait", "--json", "--api-version", version)
    assert program(*locked).object["status"] == "Failed"
    assert program(*locked, "--password-file", "password").object["status"] == "Succeeded"
    assert program(*locked, "--password-file", "-", typed=b"imm-demo").object["status"] == "Succeeded"
    assert not [path for path in program.data.rglob("*") if path.is_file() and b"imm-demo" in path.read_bytes()]


# With --wait


@pytest.mark.parametrize("source", [WORD, PDF])
@pytest.mark.parametrize(("version", "pages"), [("2017-09-06", 5), ("2020-09-30", None)])
def test_a_document_of_five_pages_is_awaited(program: Program, version: str, pages: int | None, source: str) -> None:
    run = program("submit", source, "--to", "png", "--wait", "--json", "--api-version", version)
    task = run.object
    assert (task["status"], task["percent"], task["page_count"]) == ("Succeeded", 100, pages)
    assert task["events"] == 1
    assert task["finished_at"] >= task["submitted_at"]
    assert (run.code, run.err) == (0, "")


@pytest.mark.parametrize("version", API_VERSIONS)
def test_a_damaged_document_ends_with_its_code_and_1(program: Program, version: str) -> None:
    run = program("submit", DAMAGED, PDF, "--to", "png", "--wait", "--json", "--api-version", version)
    by_source = {task["source_uri"]: task for task in run.objects}
    assert (by_source[DAMAGED]["status"], by_source[DAMAGED]["code"]) == ("Failed", "OpenFileError")
    assert by_source[PDF]["status"] == "Succeeded"
    assert run.code == 1


@pytest.mark.parametrize("version", API_VERSIONS)
@pytest.mark.parametrize("notify_format", ["XML", "JSON", "SIMPLIFIED"])
def test_every_notification_format_is_understood(
    emulator: RunningEmulator, program: Program, version: str, notify_format: str
) -> None:
    name = Mailbox(emulator, notify_format).name
    where = ("--topic", name, "--queue", name, "--api-version", version)
    task = program("submit", PDF, "--to", "txt", "--wait", "--json", *where).object
    assert (task["status"], task["percent"], task["events"]) == ("Succeeded", 100, 1)


def test_five_hundred_documents_in_one_command_all_end_and_none_twice(
    emulator: RunningEmulator, program: Program
) -> None:
    bucket = emulator.data_dir / "many"
    bucket.mkdir()
    content = (emulator.data_dir / "demo" / "产品手册.pdf").read_bytes()
    names = [f"文档-{number}.pdf" for number in range(500)]
    for name in names:
        (bucket / name).write_bytes(content)
    listed = "".join(f"oss://many/{name}\n" for name in names).encode()
    run = program("submit", "--from", "-", "--to", "txt", "--wait", "--json", typed=listed)
    assert run.code == 0
    assert len(run.lines) == 500
    assert {task["source_uri"] for task in run.objects} == {f"oss://many/{name}" for name in names}
    assert len({task["task_id"] for task in run.objects}) == 500
    assert {(task["status"], task["events"]) for task in run.objects} == {("Succeeded", 1)}


def test_the_hook_for_a_batch_is_told_of_all_the_documents_of_one_command(program: Program) -> None:
    told, file = program.home / "told", program.home / "config.toml"
    hook = ["sh", "-c", 'cat >> "$0"', str(told)]
    file.write_text(f"[hooks]\non_batch_done = {json.dumps(hook)}\n")
    for sources in ([PDF], [PDF, WORD]):
        assert program("submit", *sources, "--to", "txt", "--wait", IMM_TUI_CONFIG=str(file)).code == 0
    (news,) = map(json.loads, told.read_text().splitlines())
    assert (news["total"], news["succeeded"]) == (2, 2)


def test_what_still_runs_at_the_timeout_is_printed_as_it_stands(tmp_path: Path) -> None:
    with running_emulator(tmp_path / "slow", "--pace", "60") as slow:
        program = Program(tmp_path / "home", slow.env)
        run = program("submit", PDF, "--to", "txt", "--wait", "--timeout", "0.5", "--json")
    assert run.object["status"] == "Running"
    assert run.code == 3


def test_the_event_may_be_consumed_by_another_imm_tui(program: Program) -> None:
    watch = program.start("watch", "--count", "2", "--json")
    try:
        assert program("submit", PDF, WORD, "--to", "txt", "--wait", "--json").code == 0
    finally:
        watched = program.finish(watch)
    assert watched.code == 0
    assert [event["status"] for event in watched.objects] == ["Succeeded", "Succeeded"]


# What goes wrong


def test_without_a_key_nothing_is_sent(program: Program) -> None:
    run = program("submit", PDF, "--to", "png", ALIBABA_CLOUD_ACCESS_KEY_SECRET=None)
    assert (run.code, run.out) == (4, "")
    assert "ALIBABA_CLOUD_ACCESS_KEY_SECRET" in run.err


def test_a_wrong_key_is_refused_once_for_all(program: Program) -> None:
    run = program("submit", PDF, WORD, DAMAGED, "--to", "png", "--json", ALIBABA_CLOUD_ACCESS_KEY_SECRET="wrong-key")
    assert [task["status"] for task in run.objects] == ["Failed"] * 3
    assert {task["code"] for task in run.objects} == {"SignatureDoesNotMatch"}
    assert "RequestId" in run.err
    assert len(run.err.splitlines()) == 1
    assert "wrong-key" not in run.err
    assert run.code == 5


def test_a_refused_connection_is_a_5_and_nothing_was_sent(program: Program) -> None:
    run = program("submit", PDF, "--to", "png", "--json", "--imm-endpoint", DEAD_PORT)
    assert run.object["status"] == "Failed"
    assert "refused" in run.err
    assert run.code == 5


def test_a_listener_that_cannot_go_on_ends_the_wait(program: Program) -> None:
    run = program("submit", PDF, "--to", "txt", "--wait", "--json", "--queue", "no-such-queue")
    assert run.object["status"] == "Running"
    assert "no-such-queue" in run.err
    assert run.code == 5


def test_a_queue_that_cannot_be_reached_is_a_5_at_the_timeout(program: Program) -> None:
    where = ("--mns-endpoint", DEAD_PORT, "--api-version", "2020-09-30")
    run = program("submit", PDF, "--to", "txt", "--wait", "--timeout", "0.5", *where)
    assert "Running" in run.out
    assert len(run.err.splitlines()) == 1
    assert run.code == 5


@pytest.mark.parametrize("act", [then_close(), answer(200, "<html>Sign in</html>")], ids=["cut", "portal"])
@pytest.mark.parametrize("version", API_VERSIONS)
def test_an_answer_that_does_not_come_leaves_the_outcome_unknown(program: Program, version: str, act: Act) -> None:
    with Service(act) as service:
        where = ("--imm-endpoint", service.url, "--api-version", version)
        run = program("submit", PDF, "--to", "png", "--wait", "--timeout", "0.5", "--json", *where)
    assert run.object["status"] == "Unknown"
    assert run.object["task_id"] is None
    assert run.code == 6
    assert len(service.requests) == 1


def test_with_wait_the_settings_for_listening_are_needed(program: Program) -> None:
    run = program("submit", PDF, "--to", "png", "--wait", IMM_TUI_QUEUE=None, IMM_TUI_TOPIC=None)
    assert run.code == 2
    assert "topic, queue" in run.err
    assert program("tasks").out == ""


def test_a_proxy_of_the_environment_is_not_asked_for_the_loopback(program: Program) -> None:
    program.environment |= dict.fromkeys(("http_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), DEAD_PORT)
    assert program("submit", PDF, "--to", "txt", "--wait").code == 0


@pytest.mark.parametrize("strict", ["environment", "flag"])
def test_warnings_that_are_errors_to_others_are_none_here(program: Program, strict: str) -> None:
    if strict == "environment":
        run = program("submit", PDF, "--to", "txt", "--wait", PYTHONWARNINGS="error", PYTHONDEVMODE="1")
    else:
        run = program("submit", PDF, "--to", "txt", "--wait", python=("-W", "error"))
    assert (run.code, run.err) == (0, "")


# Interrupted


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_wait(program: Program, tmp_path: Path, number: signal.Signals, code: int) -> None:
    with running_emulator(tmp_path / "slow", "--pace", "60") as slow:
        program.environment |= slow.env
        waiting = program.start("submit", PDF, "--to", "txt", "--wait", "--json")
        until(lambda: '"Running"' in program("tasks", "--json").out)
        waiting.send_signal(number)
        run = program.finish(waiting)
    assert (run.code, run.out, run.err) == (code, "", "")


def test_an_interrupted_submission_is_remembered_as_unknown(program: Program) -> None:
    with Service(hang) as service:
        sending = program.start("submit", PDF, "--to", "png", "--imm-endpoint", service.url)
        assert service.arrived.wait(30)
        sending.send_signal(signal.SIGINT)
        assert program.finish(sending).code == 130
    assert program("tasks", "--json").object["status"] == "Unknown"


def test_a_reader_that_leaves_costs_no_answer_that_was_under_way(program: Program) -> None:
    sources = [f"oss://demo/{number}.pdf" for number in range(40)]
    sending = program.start("submit", *sources, "--to", "txt")
    assert sending.stdout is not None
    assert sending.stderr is not None
    sending.stdout.close()
    with sending:
        assert sending.stderr.read() == b""
    assert sending.returncode == 141
    tasks = program("tasks", "--json").objects
    assert 0 < len(tasks) < 40
    assert {task["status"] for task in tasks} == {"Running"}
