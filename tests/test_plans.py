"""Plans: of what was to be submitted nothing is lost with the process, and nobody takes what another still works on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imm_tui import plans
from imm_tui.history import History, Plan
from tests.conftest import CHECKOUT

FORM = {"target_type": "png", "option.Quality": "80"}
SOURCES = ["oss://b/文档.docx", "oss://b/two\nlines.pdf", "oss://b/\udcff.pdf"]

HOLDS_ONE = f"""\
import sys
from pathlib import Path
from imm_tui.plans import Held
held = Held(Path(sys.argv[1]), {FORM!r}, {SOURCES!r})
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "history.db") as history:
        yield history


def test_a_plan_is_its_holders_until_that_one_releases_it(history: History) -> None:
    held = plans.Held(history.path, FORM, SOURCES)
    assert list(plans.left(history)) == []
    held.release()
    assert list(plans.left(history)) == [Plan(FORM, SOURCES)]
    assert list(plans.left(history)) == []
    assert [path.name for path in history.path.parent.glob("*.lock")] == [], "nothing is left behind"


def test_a_plan_whose_process_was_killed_is_found(history: History) -> None:
    command = [sys.executable, "-c", HOLDS_ONE, str(history.path)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert list(plans.left(history)) == []
        holder.kill()
    assert list(plans.left(history)) == [Plan(FORM, SOURCES)]


def test_one_that_could_not_be_kept_is_there_the_next_time(history: History) -> None:
    plans.Held(history.path, FORM, SOURCES).release()
    interrupted = plans.left(history)
    assert next(interrupted) == Plan(FORM, SOURCES)
    assert list(plans.left(history)) == [], "meanwhile it is the first one's"
    interrupted.close()
    assert list(plans.left(history)) == [Plan(FORM, SOURCES)]
