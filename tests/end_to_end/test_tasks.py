"""`imm-tui tasks`: what the history knows, with no key, no network and no SDK."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imm_tui.arrivals import Arrival
from imm_tui.history import History
from imm_tui.tasks import Conversion, Event, Status
from tests.program import Program

HOSTILE = "oss://b/\x1b]52;c;aGFja2Vk\x07\x9b31m\u202eexe.docx\ud800"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    own = Program(tmp_path / "home")
    yield own
    own.close()


def submitted(program: Program, *sources: str) -> None:
    """Tasks that were accepted a minute after one another, as t-0, t-1, …"""
    with History(program.data / "history.db") as history:
        for number, source in enumerate(sources):
            conversion = Conversion(source_uri=source, target_uri="oss://b/out/", target_type="png")
            at = 1_700_000_000_000 + number * 60_000
            task = history.record_intent(conversion, project="p", api_version="2017-09-06", token="", at=at)
            history.record_accepted(task, f"t-{number}", "r")


def ended(program: Program, task_id: str, status: Status, code: str | None = None) -> None:
    with History(program.data / "history.db") as history:
        event = Event(task_id=task_id, name="n", status=status, code=code, page_count=3)
        history.store([Arrival(message_id=f"m-{task_id}", body=b"", events=(event,))], 1_700_000_500_000)


def test_without_a_history_there_is_nothing_and_none_is_made(program: Program) -> None:
    run = program("tasks")
    assert (run.code, run.out, run.err) == (0, "", "")
    assert not program.data.exists()


def test_the_newest_come_first_as_many_as_asked_for(program: Program) -> None:
    submitted(program, *(f"oss://b/{number}.docx" for number in range(120)))
    every = [f"oss://b/{number}.docx" for number in range(119, -1, -1)]
    assert [task["source_uri"] for task in program("tasks", "--json").objects] == every[:100]
    assert [task["source_uri"] for task in program("tasks", "--json", "--limit", "3").objects] == every[:3]
    assert [line.rpartition(" ")[2] for line in program("tasks", "--limit", "120").lines] == every


def test_one_status_is_chosen_however_it_is_written(program: Program) -> None:
    submitted(program, "oss://b/a.docx", "oss://b/b.docx", "oss://b/c.docx")
    ended(program, "t-1", Status.FAILED, "OpenFileError")
    (line,) = program("tasks", "--status", "fAILED").lines
    assert line.endswith("oss://b/b.docx  OpenFileError")
    assert len(program("tasks", "--status", "Running").lines) == 2


def test_a_filter_finds_what_it_says(program: Program) -> None:
    submitted(program, *(f"oss://b/{name}.docx" for name in ("季度 报告", "report", "notes", "Report two")))
    ended(program, "t-1", Status.FAILED, "OpenFileError")
    ended(program, "t-2", Status.FAILED, "NoPermission")

    def found(query: str, *more: str) -> list[str]:
        return [task["task_id"] for task in program("tasks", "--json", "--filter", query, *more).objects]

    assert found("report or 报告") == ["t-3", "t-1", "t-0"]
    assert found("报告 or report", "--limit", "1") == ["t-3"]
    assert found("report or 报告", "--status", "running") == ["t-3", "t-0"]
    assert found("status：失败 -code:permission pages>2") == ["t-1"]
    assert found("took>7m since:2023-01-01") == ["t-3", "t-1", "t-0"]
    assert found("since:1h") == []
    assert found(" ") == ["t-3", "t-2", "t-1", "t-0"]
    assert program("tasks", "--filter", "name:notes").lines == program("tasks", "--filter", "status:f -report").lines


@pytest.mark.parametrize("begun", [False, True])
def test_a_filter_that_cannot_be_read_is_told_in_a_line(program: Program, begun: bool) -> None:
    if begun:
        submitted(program, "oss://b/a.docx")
    run = program("tasks", "--filter", "report status:faild")
    assert (run.code, run.out) == (2, "")
    (line,) = run.err.splitlines()
    assert "character 8, “status:faild”" in line
    assert "Did you mean failed?" in line


def test_a_task_in_json_has_these_keys_and_kinds(program: Program) -> None:
    submitted(program, "oss://b/季度报告.pptx")
    ended(program, "t-0", Status.SUCCEEDED, "NoError")
    assert program("tasks", "--json").object == {
        "task_id": "t-0",
        "status": "Succeeded",
        "percent": 100,
        "page_count": 3,
        "code": "NoError",
        "message": None,
        "source_uri": "oss://b/季度报告.pptx",
        "target_uri": "oss://b/out/",
        "target_type": "png",
        "project": "p",
        "api_version": "2017-09-06",
        "submitted_at": "2023-11-14T22:13:20.000Z",
        "finished_at": "2023-11-14T22:21:40.000Z",
        "events": 1,
    }


def test_a_hostile_name_is_shown_tame_to_people_and_whole_to_programs(program: Program) -> None:
    submitted(program, HOSTILE)
    (shown,) = program("tasks").lines  # Program looks for control characters
    assert "␛]52;c;aGFja2Vk␇" in shown
    assert "\u202e" not in shown
    assert program("tasks", "--json").object["source_uri"] == HOSTILE


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk"])
def test_a_terminal_that_lacks_a_character_still_gets_its_line(program: Program, encoding: str) -> None:
    submitted(program, "oss://b/页.docx")
    process = program.start("tasks", PYTHONIOENCODING=encoding)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert out.decode(encoding).count("\n") == 1


def test_a_reader_that_leaves_early_is_no_trouble(program: Program) -> None:
    submitted(program, *(f"oss://b/{'x' * 500}{number}.docx" for number in range(500)))
    process = program.start("tasks", "--limit", "500")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    with process:
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_full_disk_is_told_in_a_line(program: Program) -> None:
    submitted(program, "oss://b/a.docx")
    with open("/dev/full", "wb") as full:
        run = subprocess.run(
            [sys.executable, "-m", "imm_tui", "tasks"],
            env=program.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert run.returncode == 2
    assert run.stderr.decode().count("\n") == 1
    assert "No space left" in run.stderr.decode()


def test_a_history_that_cannot_be_read_is_told_in_a_line(program: Program) -> None:
    program.data.mkdir(0o700)
    program.data.joinpath("history.db").write_bytes(b"this is no database, " * 100)
    program.data.joinpath("history.db").chmod(0o600)
    run = program("tasks")
    assert (run.code, run.out) == (2, "")
    assert len(run.err.splitlines()) == 1


def test_it_imports_no_sdk_and_no_screen(program: Program) -> None:
    submitted(program, "oss://b/a.docx")
    script = (
        "import sys; from imm_tui.cli import main; main(['tasks', '--json'])\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'aliyunsdkcore', 'mns', 'textual', 'alibabacloud_credentials', 'aiohttp', 'ssl', 'asyncio'}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], env=program.environment, capture_output=True, text=True, check=True
    )
    first, second = run.stdout.splitlines()
    assert json.loads(first)["source_uri"] == "oss://b/a.docx"
    assert second == "[]"
