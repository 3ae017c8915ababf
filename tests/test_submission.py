"""Submissions: what was typed is checked, each source goes once, to a place of its own, and every outcome is kept."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imm_tui import submission
from imm_tui.config import Settings
from imm_tui.credentials import Credentials
from imm_tui.errors import BadInput, Barred, HistoryUnusable, Refused, Unreachable
from imm_tui.history import History
from imm_tui.submission import Outcome
from imm_tui.tasks import API_VERSIONS, ApiVersion, Status, now
from tests.mailbox import Mailbox

NEW = Settings(region="cn-beijing", project="p")
OLD = replace(NEW, api_version="2017-09-06")
DOCUMENTS = [f"oss://demo/文档{number}.pdf" for number in range(30)]


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "history.db") as opened:
        yield opened


def targets(*sources: str, settings: Settings = NEW, target_uri: str = "") -> list[str]:
    plan = submission.plan(list(sources), submission.Wanted(target_type="png", target_uri=target_uri), settings)
    return [conversion.target_uri for conversion in plan]


def test_one_source_goes_to_the_target_as_it_was_given() -> None:
    assert targets("oss://b/x/a.docx", target_uri="oss://other/out") == ["oss://other/out"]


def test_several_sources_never_write_over_each_other() -> None:
    assert targets("oss://b/x/a.docx", "oss://b/y/a.docx", target_uri="oss://b/out/") == [
        "oss://b/out/x/a.docx/",
        "oss://b/out/y/a.docx/",
    ]
    assert targets("oss://b/a.docx", "oss://c/a.docx", target_uri="oss://b/out") == [
        "oss://b/out/b/a.docx/",
        "oss://b/out/c/a.docx/",
    ]


def test_nor_do_sources_one_after_the_other_in_the_profiles_folder() -> None:
    profile = replace(NEW, target_uri="oss://b/out/")
    assert targets("oss://b/a.docx", settings=profile) == ["oss://b/out/a.docx/"]
    assert targets("oss://b/a.docx", settings=profile, target_uri="oss://b/here/") == ["oss://b/here/"]


def test_without_a_target_each_has_a_folder_in_its_own_bucket() -> None:
    assert targets("oss://b/x/a.docx", "oss://c/a.docx") == [
        "oss://b/imm-format-convert-tgt/x/a.docx/",
        "oss://c/imm-format-convert-tgt/a.docx/",
    ]


def test_a_template_of_the_new_version_is_left_to_imm() -> None:
    template = "oss://{bucket}/{dirname}/{barename}.{autoext}"
    assert targets("oss://b/a.docx", "oss://b/c.docx", target_uri=template) == [template, template]
    with pytest.raises(BadInput, match="2020-09-30"):
        targets("oss://b/a.docx", settings=OLD, target_uri=template)


def test_a_source_that_stands_there_twice_is_planned_once() -> None:
    assert len(targets("oss://b/a.docx", " oss://b/a.docx ", "oss://b/b.docx")) == 2


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("source_uri", {"sources": [""]}),
        ("source_uri", {"sources": []}),
        ("source_uri", {"sources": ["https://bucket.oss-cn-beijing.aliyuncs.com/a.docx"]}),
        ("source_uri", {"sources": ["oss://bucket"]}),
        ("source_uri", {"sources": ["oss://bucket/"]}),
        ("source_uri", {"sources": ["oss://bucket/folder/"]}),
        ("source_uri", {"sources": ["/home/me/a.docx"]}),
        ("target_uri", {"target_uri": "out/"}),
        ("target_uri", {"target_uri": "oss://bucket"}),
        ("target_type", {"target_type": "gif"}),
        ("target_type", {"target_type": "vector"}),
        ("pages", {"pages": "0"}),
        ("pages", {"pages": "3-1"}),
        ("pages", {"pages": "1,,2"}),
        ("pages", {"pages": "all"}),
        ("dpi", {"dpi": "95"}),
        ("dpi", {"dpi": "601"}),
        ("dpi", {"dpi": "1e2"}),
        ("dpi", {"dpi": "١٠٠"}),
    ],
)
def test_a_field_that_cannot_be_is_named_with_the_reason(field: str, typed: dict[str, object]) -> None:
    fields: dict[str, Any] = {"sources": ["oss://b/a.docx"], "target_type": "png", **typed}
    with pytest.raises(BadInput) as caught:
        submission.plan(fields.pop("sources"), submission.Wanted(**fields), NEW)
    assert caught.value.field == field
    assert caught.value.fix


def test_what_is_typed_generously_is_read_as_it_was_meant() -> None:
    [conversion] = submission.plan(
        [" oss://b/a.docx "], submission.Wanted(target_type="Text", pages=" 1, 2-4 ", dpi=" 300 ", password="x "), OLD
    )
    assert (conversion.source_uri, conversion.target_type) == ("oss://b/a.docx", "txt")
    assert (conversion.pages, conversion.dpi, conversion.password) == ("1,2-4", 300, "x ")


def test_options_are_checked_with_the_rest_and_go_with_every_conversion() -> None:
    plan = submission.plan(
        ["oss://b/a.docx", "oss://b/b.docx"],
        submission.Wanted(target_type="jpg", options={"quality": " 80 ", "Tags": ""}),
        NEW,
    )
    assert [conversion.options for conversion in plan] == [(("Quality", "80"),)] * 2
    with pytest.raises(BadInput) as caught:
        submission.plan(["oss://b/a.docx"], submission.Wanted(target_type="txt", options={"quality": "80"}), NEW)
    assert caught.value.field == "Quality"


def submitted(
    history: History, settings: Settings, credentials: Credentials, sources: list[str] = DOCUMENTS
) -> list[Outcome]:
    with closing(submission.connect(settings, credentials)) as imm:
        return list(
            submission.submit(
                history, imm, settings, submission.plan(sources, submission.Wanted(target_type="png"), settings)
            )
        )


@pytest.mark.parametrize("api_version", API_VERSIONS)
def test_every_source_is_accepted_once(history: History, mailbox: Mailbox, api_version: ApiVersion) -> None:
    settings = replace(mailbox.settings, api_version=api_version)
    outcomes = submitted(history, settings, mailbox.credentials)
    assert {outcome.task.source_uri for outcome in outcomes} == set(DOCUMENTS)
    assert len({outcome.task.task_id for outcome in outcomes}) == len(DOCUMENTS)
    assert {(task.status, task.project) for task in history.tasks()} == {(Status.RUNNING, settings.project)}


def test_a_refusal_is_recorded_with_what_the_service_said(history: History, mailbox: Mailbox) -> None:
    settings = replace(mailbox.settings, project="nowhere", api_version="2020-09-30")
    [outcome] = submitted(history, settings, mailbox.credentials, DOCUMENTS[:1])
    assert isinstance(outcome.trouble, Refused)
    [task] = history.tasks()
    assert (task.status, task.code, task.task_id) == (Status.FAILED, outcome.trouble.code, None)
    assert task.request_id == outcome.trouble.request_id
    assert task.request_id


def test_a_refusal_that_all_would_meet_ends_the_sending(history: History, mailbox: Mailbox) -> None:
    wrong = Credentials(mailbox.credentials.access_key_id, "wrong")
    outcomes = submitted(history, mailbox.settings, wrong)
    assert len(outcomes) == len(DOCUMENTS)
    assert all(isinstance(outcome.trouble, Barred) for outcome in outcomes)
    sent = {outcome.task.request_id for outcome in outcomes}
    assert len(sent) <= submission.AT_ONCE * 2 < len(DOCUMENTS), "each call has a RequestId of its own"


def test_nobody_there_is_a_failure_and_not_a_mystery(history: History) -> None:
    settings = replace(NEW, imm_endpoint="http://127.0.0.1:9", mns_endpoint="http://127.0.0.1:9")
    [outcome] = submitted(history, settings, Credentials("id", "secret"), DOCUMENTS[:1])
    assert isinstance(outcome.trouble, Unreachable)
    assert outcome.task.status is Status.FAILED


# At IMM's pace


def test_no_second_has_more_than_imm_takes() -> None:
    pace, begin = submission.Pace(), time.monotonic()
    turns = [max(begin, pace.turn()) for _ in range(200)]
    assert turns[submission.AT_ONCE - 1] < turns[submission.AT_ONCE], "a handful goes at once"
    assert all(later - turn >= 1 for turn, later in zip(turns, turns[submission.RATE :], strict=False))


def test_of_a_handful_that_was_too_much_the_first_slows_all_down_for_as_long_as_imm_asks() -> None:
    pace = submission.Pace()
    for _ in range(submission.AT_ONCE):
        pace.turn()
    before = time.monotonic()
    pace.slow_down(30)
    for _ in range(submission.AT_ONCE - 1):
        pace.slow_down(200)
    assert before + 30 <= pace.turn() < before + 100


def test_nobody_waits_for_a_pace_that_is_stopped() -> None:
    pace = submission.Pace()
    pace.slow_down(300)
    pace.stop()
    assert not pace.wait(pace.turn())


# Abandoned


def begun(history: History, ago: float = 0) -> int:
    [conversion] = submission.plan(["oss://b/a.docx"], submission.Wanted(target_type="png"), NEW)
    at = now() - round(ago * 1000)
    return history.record_intent(conversion, project="p", api_version="2020-09-30", token="t", at=at)


def begun_elsewhere(history: History, settings: Settings = NEW) -> int:
    """By a process that has ended before there was an answer."""
    script = (
        "import sys; from pathlib import Path; from imm_tui.history import History; from imm_tui.tasks import *\n"
        "with History(Path(sys.argv[1])) as history:\n"
        "    conversion = Conversion(source_uri='oss://b/k', target_uri='oss://b/t/', target_type='txt')\n"
        "    names = {'project': sys.argv[2], 'api_version': sys.argv[3]}\n"
        "    print(history.record_intent(conversion, token='t', at=now(), **names))"
    )
    names = (str(history.path), settings.project, settings.api_version)
    run = subprocess.run([sys.executable, "-c", script, *names], capture_output=True, text=True, check=True)
    return int(run.stdout)


def test_a_submission_whose_process_has_ended_is_unknown_and_says_so(history: History) -> None:
    abandoned, under_way = begun_elsewhere(history), begun(history)
    assert submission.settle_abandoned(history) == 1
    assert submission.settle_abandoned(history) == 0
    settled, waiting = history.task(abandoned), history.task(under_way)
    assert settled is not None
    assert waiting is not None
    assert (settled.status, waiting.status) == (Status.UNKNOWN, Status.SUBMITTING)
    assert "ended before IMM had answered" in (settled.message or "")


def test_so_is_one_that_takes_longer_than_a_call_can_until_its_answer_comes(history: History) -> None:
    slow = begun(history, ago=61)
    assert submission.settle_abandoned(history) == 1
    history.record_accepted(slow, "T", "R")
    [task] = history.tasks()
    assert (task.status, task.task_id, task.message) == (Status.RUNNING, "T", None)


def test_a_run_that_is_broken_off_leaves_nothing_under_way(history: History, mailbox: Mailbox) -> None:
    with closing(submission.connect(mailbox.settings, mailbox.credentials)) as imm:
        conversions = submission.plan(DOCUMENTS, submission.Wanted(target_type="png"), mailbox.settings)
        with closing(submission.submit(history, imm, mailbox.settings, conversions, batch=0)) as outcomes:
            next(outcomes)
            first = history.tasks()[-1].id
            assert history.left_of(first) == len(DOCUMENTS)
    tasks = history.tasks()
    assert history.left_of(first) == len(tasks) < len(DOCUMENTS)
    assert {task.status for task in tasks} <= {Status.RUNNING, Status.UNKNOWN}


def spoil(history: History, task: int) -> None:
    """No outcome of this task can be recorded from now on, while all others' can."""
    with closing(sqlite3.connect(history.path)) as database:
        fail = "SELECT RAISE(ABORT, 'spoilt')"
        database.execute(f"CREATE TRIGGER spoilt BEFORE UPDATE ON tasks WHEN old.id = {task} BEGIN {fail}; END")


def assert_recorded_but(spoilt: int, history: History) -> None:
    tasks = {task.id: task.status for task in history.tasks()}
    assert tasks.pop(spoilt) is Status.SUBMITTING
    assert Status.RUNNING in tasks.values()
    assert Status.SUBMITTING not in tasks.values()


def test_an_outcome_that_cannot_be_recorded_costs_no_other_its_record(history: History, mailbox: Mailbox) -> None:
    spoil(history, 3)
    with pytest.raises(HistoryUnusable, match="Spoilt"):
        submitted(history, mailbox.settings, mailbox.credentials)
    assert_recorded_but(3, history)


def test_nor_does_it_replace_what_broke_the_run_off(history: History, mailbox: Mailbox) -> None:
    with closing(submission.connect(mailbox.settings, mailbox.credentials)) as imm:
        conversions = submission.plan(
            DOCUMENTS[: submission.AT_ONCE], submission.Wanted(target_type="png"), mailbox.settings
        )
        outcomes = submission.submit(history, imm, mailbox.settings, conversions)
        spoilt = 4 if next(outcomes).task.id == 3 else 3
        spoil(history, spoilt)
        with pytest.raises(SystemExit, match="143"), closing(outcomes):
            raise SystemExit(143)
    assert_recorded_but(spoilt, history)
