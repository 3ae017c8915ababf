"""Exports: values exactly as received, or as a spreadsheet opens and does not compute them; never half a file."""

from __future__ import annotations

import csv
import json
import os
import stat
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imm_tui import export
from imm_tui.errors import BadInput
from imm_tui.export import Form
from imm_tui.headless.output import task_line
from imm_tui.history import History
from imm_tui.tasks import Conversion, now

FORMS: list[Form] = ["csv", "jsonl"]


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "data" / "history.db") as opened:
        yield opened


def submitted(history: History, source_uri: str, target_uri: str = "oss://b/out/") -> int:
    conversion = Conversion(source_uri=source_uri, target_uri=target_uri, target_type="png")
    return history.record_intent(conversion, project="p", api_version="2017-09-06", token="t", at=now())


def exported(history: History, numbers: list[int], path: Path, form: Form) -> Path:
    result = export.tasks(history, numbers, path, form)
    assert result is not None
    assert result.count == len(numbers)
    return result.path


def rows(path: Path) -> list[dict[str, str]]:
    """A CSV file, as a spreadsheet reads it."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_json_lines_are_those_of_the_command(history: History, tmp_path: Path) -> None:
    numbers = [submitted(history, uri) for uri in ("oss://b/季度 报告.docx", "oss://b/\x1b\ud800\u202e\n.docx", "=1+1")]
    numbers.reverse()
    lines = exported(history, numbers, tmp_path / "t.jsonl", "jsonl").read_bytes().decode("ascii").splitlines()
    tasks = [task for number in numbers if (task := history.task(number)) is not None]
    assert lines == [task_line(task, as_json=True) for task in tasks], "in the order of the list"


def test_csv_is_what_spreadsheets_open(history: History, tmp_path: Path) -> None:
    number = submitted(history, 'oss://b/季度, "报告"\n.docx')
    path = exported(history, [number], tmp_path / "t.csv", "csv")
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbftask_id,status,percent,"), "or Excel does not take it for UTF-8"
    assert content.endswith(b"\r\n")
    (row,) = rows(path)
    assert row["source_uri"] == 'oss://b/季度, "报告"\n.docx'
    assert (row["status"], row["percent"], row["events"]) == ("Submitting", "", "0")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_nothing_in_csv_is_a_formula(history: History, tmp_path: Path, start: str) -> None:
    number = submitted(history, f"{start}HYPERLINK(1)", f"oss://b/{start}1")
    (row,) = rows(exported(history, [number], tmp_path / "t.csv", "csv"))
    assert row["source_uri"] == f"'{start}HYPERLINK(1)"
    assert row["target_uri"] == f"oss://b/{start}1", "only its beginning makes it one"


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_every_value_comes_back_and_no_cell_computes(history: History, tmp_path: Path, uris: list[str]) -> None:
    numbers = [submitted(history, uri) for uri in uris]
    read = rows(exported(history, numbers, tmp_path / "t.csv", "csv"))
    for row, uri in zip(read, uris, strict=True):
        safe = uri.encode("utf-8", "backslashreplace").decode()
        assert row["source_uri"] in (safe, f"'{safe}")
        assert row["source_uri"][0] not in "=+-@\t\r\n＝＋－＠"


@pytest.mark.parametrize("form", FORMS)
def test_it_is_its_owners_only_and_nothing_is_overwritten(history: History, tmp_path: Path, form: Form) -> None:
    number = submitted(history, "oss://b/k")
    path = tmp_path / "new" / "tasks.out"
    paths = [exported(history, [number], path, form) for _ in range(3)]
    assert [path.name for path in paths] == ["tasks.out", "tasks-2.out", "tasks-3.out"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_a_link_points_to_is_not_overwritten(history: History, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "t.csv").symlink_to("precious")
    assert exported(history, [], tmp_path / "t.csv", "csv").name == "t-2.csv"
    assert (tmp_path / "precious").read_text() == "precious"


@pytest.mark.parametrize(
    ("path", "why"),
    [("/proc/nothing/t.csv", "No such file"), ("/dev/null/t.csv", "Not a directory"), ("a\0b", "cannot be a name")],
)
def test_where_nothing_can_be_written_it_says_why(history: History, path: str, why: str) -> None:
    with pytest.raises(BadInput, match=why) as caught:
        export.tasks(history, [], Path(path), "csv")
    assert caught.value.fix


def test_a_full_disk_leaves_no_half_file(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = submitted(history, "oss://b/k")
    part = tmp_path / "new" / "part"
    part.parent.mkdir()
    part.touch()
    monkeypatch.setattr(export, "mkstemp", lambda **place: (os.open("/dev/full", os.O_WRONLY), part))
    with pytest.raises(BadInput, match="No space left"):
        export.tasks(history, [number], tmp_path / "new" / "t.csv", "csv")
    assert list(part.parent.iterdir()) == []


def test_a_file_has_its_name_once_it_is_whole(history: History, tmp_path: Path) -> None:
    numbers = [submitted(history, "oss://b/k")] * 501
    path = tmp_path / "new" / "t.csv"
    names: list[list[str]] = []
    result = export.tasks(
        history, numbers, path, "csv", on_progress=lambda _: names.append([it.name for it in path.parent.iterdir()])
    )
    assert result == export.Exported(path, 501)
    assert [len(seen) for seen in names] == [1, 1]
    assert all(name.endswith(".part") for seen in names for name in seen)
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_comes_meanwhile_is_not_overwritten(history: History, tmp_path: Path) -> None:
    number = submitted(history, "oss://b/k")
    late = tmp_path / "late.csv"

    def come(_done: int) -> None:
        late.write_text("precious")

    result = export.tasks(history, [number], late, "csv", on_progress=come)
    assert result == export.Exported(tmp_path / "late-2.csv", 1)
    assert late.read_text() == "precious"


def test_it_can_be_cancelled_and_leaves_nothing(history: History, tmp_path: Path) -> None:
    numbers = array("q", [submitted(history, "oss://b/k")] * 2_000)
    seen: list[int] = []
    result = export.tasks(
        history, numbers, tmp_path / "t.csv", "csv", on_progress=seen.append, cancelled=lambda: len(seen) == 3
    )
    assert result is None
    assert seen == [0, 500, 1000]
    assert not list(tmp_path.glob("*t.csv")) + list(tmp_path.glob("*.part"))


def test_a_task_that_is_no_more_is_left_out(history: History, tmp_path: Path) -> None:
    result = export.tasks(history, [submitted(history, "oss://b/k"), 77], tmp_path / "t.jsonl", "jsonl")
    assert result is not None
    assert result.count == 1
    assert len((tmp_path / "t.jsonl").read_text().splitlines()) == 1


def test_the_first_line_names_what_json_names(history: History, tmp_path: Path) -> None:
    numbers = [submitted(history, "oss://b/k")]
    header = exported(history, numbers, tmp_path / "t.csv", "csv").read_text("utf-8-sig").splitlines()[0].split(",")
    line = exported(history, numbers, tmp_path / "t.jsonl", "jsonl").read_text().splitlines()[0]
    assert header == list(json.loads(line))
