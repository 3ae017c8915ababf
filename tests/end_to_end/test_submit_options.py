"""`imm-tui submit` with options and as a dry run, from the command line to what IMM wrote."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from imm_tui.history import History
from imm_tui.options import Kind, Option, options
from imm_tui.tasks import API_VERSIONS, ApiVersion
from tests.conftest import RunningEmulator
from tests.program import Program

PDF = "oss://demo/产品手册.pdf"
WORD = "oss://demo/5页Word.docx"


def results(emulator: RunningEmulator, folder: str) -> dict[str, bytes]:
    """What is in a folder of the bucket `demo`, by its name there."""
    return {path.name: path.read_bytes() for path in (emulator.data_dir / "demo" / folder).iterdir()}


def test_an_option_of_the_new_version_acts(program: Program, emulator: RunningEmulator) -> None:
    where = ("--to", "png", "--target-uri", "oss://demo/long/", "--wait", "--json")
    run = program("submit", WORD, *where, "--option", "LongPicture=true", "--option", "scalepercentage=50")
    assert run.object["status"] == "Succeeded"
    (picture,) = results(emulator, "long").values()
    width, height = Image.open(BytesIO(picture)).size
    assert height > 4 * width, "five pages are one picture"
    assert width < 500, "of half the size"


def test_an_option_of_the_old_version_acts(program: Program, emulator: RunningEmulator) -> None:
    where = ("--to", "png", "--target-uri", "oss://demo/named/", "--wait", "--api-version", "2017-09-06")
    assert program("submit", WORD, *where, "--option", "TgtFilePrefix=页-", "--option", "EndPage=2").code == 0
    assert set(results(emulator, "named")) == {"页-1.png", "页-2.png"}


@pytest.mark.parametrize("version", API_VERSIONS)
def test_the_request_is_kept_as_it_was_sent_but_for_the_password(program: Program, version: str) -> None:
    program.home.joinpath("password").write_text("imm-demo")
    given = ("--dpi", "120", "--option", "StartPage=1", "--password-file", "password", "--api-version", version)
    assert program("submit", PDF, "--to", "png", *given).code == 0
    with History(program.data / "history.db") as history:
        [task] = history.tasks()
        request = history.request_of(task.id)
    assert request is not None
    assert (request["action"], request["version"]) == ("CreateOfficeConversionTask", version)
    parameters = request["parameters"]
    assert parameters["StartPage"] == "1"
    assert parameters["Password"] is None
    assert task.token in parameters.values()
    assert PDF in parameters.values()
    assert "AccessKeyId" not in parameters


def value_of(option: Option) -> str:
    """Something that can be typed for it."""
    texts = {Kind.FLAG: "true", Kind.PAIRS: "team=sales, year=2026", Kind.JSON: '{"Chain": []}', Kind.TEXT: "docx"}
    return texts.get(option.kind) or ", ".join(option.choices[-1:]) or str(option.low)


@pytest.mark.parametrize("version", API_VERSIONS)
@pytest.mark.parametrize("target_type", ["jpg", "pdf", "txt"])
def test_every_option_is_accepted_beside_all_others(program: Program, version: ApiVersion, target_type: str) -> None:
    suiting = [option for option in options(version) if option.suits(target_type)]
    pairs = [word for option in suiting for word in ("--option", f"{option.name}={value_of(option)}")]
    run = program("submit", WORD, "--to", target_type, "--wait", "--json", "--api-version", version, *pairs)
    assert run.object["status"] == "Succeeded", run.object["message"]
    with History(program.data / "history.db") as history:
        request = history.request_of(1)
    assert request is not None
    assert {option.name for option in suiting} <= request["parameters"].keys()


@pytest.mark.parametrize("pair", ["Quality=200", "Qualitty=80", "Quality", "=80", "LongText=true"])
def test_an_option_that_cannot_be_is_a_2_and_nothing_is_sent(program: Program, pair: str) -> None:
    run = program("submit", PDF, "--to", "png", "--option", pair)
    assert (run.code, run.out) == (2, "")
    assert len(run.err.splitlines()) == 1
    assert program("tasks").out == ""


# The dry run


def test_a_dry_run_says_where_each_goes_and_sends_nothing(program: Program) -> None:
    program.environment = {name: it for name, it in program.environment.items() if "ACCESS_KEY" not in name}
    program.home.joinpath("list").write_bytes(f"\ufeff# mine\r\n\r\n{WORD}\r\n{PDF}\r\nhttps://x/a.pdf\r\n".encode())
    run = program("submit", PDF, "--from", "list", "--to", "png", "--dry-run", "--json")
    assert run.code == 2, "one line is wrong"
    assert run.objects == [
        {"source_uri": PDF, "target_uri": "oss://demo/imm-format-convert-tgt/产品手册.pdf/", "note": None},
        {"source_uri": WORD, "target_uri": "oss://demo/imm-format-convert-tgt/5页Word.docx/", "note": None},
        {"source_uri": PDF, "target_uri": None, "note": "duplicate"},
        {"source_uri": "https://x/a.pdf", "target_uri": None, "note": "wrong"},
    ]
    assert "2 documents would be submitted" in run.err
    assert not Path(program.data).exists()


def test_people_read_the_line_the_way_and_the_objection(program: Program) -> None:
    same = ("--to", "pdf", "--target-uri", "oss://demo/{filename}.out", "--dry-run")
    run = program("submit", "oss://demo/a/x.docx", "oss://demo/b/x.docx", *same)
    assert run.code == 0
    first, second = run.lines
    assert "oss://demo/a/x.docx → oss://demo/x.docx.out" in first
    assert "Line 1 has the same place" in second
    assert "collision: 2" in run.err


def test_a_dry_run_knows_what_was_submitted_before(program: Program) -> None:
    again = ("submit", PDF, "--to", "png")
    assert json.loads(program(*again, "--dry-run", "--json").out)["note"] is None
    task = program(*again, "--json").object["task_id"]
    run = program(*again, "--dry-run")
    assert (run.code, task in run.out) == (0, True)


def test_a_pattern_is_not_taken_for_a_document(program: Program) -> None:
    for more in ((), ("--dry-run",)):
        run = program("submit", "oss://demo/*.pdf", "--to", "png", *more)
        assert run.code == 2
        assert "listed" in run.err + run.out
    assert not Path(program.data).exists()
