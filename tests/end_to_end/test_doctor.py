"""`imm-tui doctor` as a command: its lines, its exit codes, and that it tells no secret."""

from __future__ import annotations

import signal
import time

from imm_tui.doctor.verdicts import CHECKS
from tests.cloud.servers import Service, hang
from tests.program import Program


def test_a_line_a_check_in_the_fixed_order(program: Program) -> None:
    run = program("doctor")
    assert [line.split()[:2] for line in run.lines] == [["✓", name] for name in CHECKS]
    assert (run.code, run.err) == (0, "imm-tui: All is well.\n")


def test_json_lines_have_four_members(program: Program) -> None:
    run = program("doctor", "--json", "--queue", "nobodys-queue")
    assert [object_["check"] for object_ in run.objects] == list(CHECKS)
    assert all(set(object_) == {"check", "status", "cause", "fix"} for object_ in run.objects)
    assert {object_["check"] for object_ in run.objects if object_["status"] == "fail"} == {"queue"}
    assert {object_["status"] for object_ in run.objects} == {"ok", "fail", "skipped"}
    assert (run.code, run.err) == (5, "")


def test_a_missing_key_is_a_finding(program: Program) -> None:
    run = program("doctor", ALIBABA_CLOUD_ACCESS_KEY_ID=None, ALIBABA_CLOUD_ACCESS_KEY_SECRET=None)
    assert run.code == 5
    assert run.lines[0].startswith("✗ credentials ")
    assert run.err == "imm-tui: This is broken: credentials.\n"


def test_what_is_known_when_it_is_interrupted_is_told(program: Program) -> None:
    with Service(hang) as silent:
        run = program.start("doctor", IMM_TUI_IMM_ENDPOINT=silent.url)
        time.sleep(3)  # what is decided and not yet printed cannot be waited for; IMM is, for longer than that
        run.send_signal(signal.SIGINT)
        rest = program.finish(run)
    assert "✓ history" in rest.out
    assert "imm_endpoint" not in rest.out  # it has not answered
    assert rest.code == 130


def test_without_any_setting_it_says_what_is_missing(configured: Program) -> None:
    for name in list(configured.environment):
        if name.startswith(("IMM_TUI_", "ALIBABA_")) and name != "IMM_TUI_DATA_DIR":
            del configured.environment[name]
    run = configured("doctor", "--json")
    broken = [object_["check"] for object_ in run.objects if object_["status"] == "fail"]
    assert (run.code, broken) == (5, ["credentials", "region"])


def test_it_speaks_chinese(program: Program) -> None:
    run = program("doctor", LC_ALL="zh_CN.UTF-8")
    assert (run.code, run.err) == (0, "imm-tui: 一切正常。\n")
    assert all(not line.split(maxsplit=2)[2].isascii() for line in run.lines)


def test_a_configuration_that_cannot_be_read_is_none_of_the_checks(program: Program) -> None:
    assert program("doctor", "--region", "Beijing").code == 2
