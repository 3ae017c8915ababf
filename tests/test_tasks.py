"""The domain: which event decides, which two are one, and how ids and times are read."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imm_tui.tasks import Conversion, Event, Status, Task, milliseconds, rfc3339, task_key

EVENT = Event(
    task_id="t-1",
    name="FormatConvertJob:JobFinished",
    status=Status.SUCCEEDED,
    percent=100,
    page_count=5,
    code="NoError",
    time="2018-11-14T09:51:20.342Z",
)
TASK = Task(id=7, task_id="t-1", status=Status.RUNNING, seen_at=1_000, submitted_at=1_000)


def test_only_success_and_failure_are_the_end() -> None:
    assert [status for status in Status if status.finished] == [Status.SUCCEEDED, Status.FAILED]


@pytest.mark.parametrize(
    "other",
    [
        {"task_id": "t-2"},
        {"name": "FormatConvertJob:JobProgress"},
        {"status": Status.FAILED},
        {"percent": None},
        {"page_count": 6},
        {"code": None},
        {"time": "2018-11-14T09:51:20.343Z"},
    ],
)
def test_events_that_differ_in_content_are_two(other: dict[str, object]) -> None:
    assert replace(EVENT, **other).identity != EVENT.identity  # type: ignore[arg-type]


def test_an_identity_is_the_same_in_every_process_and_for_every_text() -> None:
    assert EVENT.identity == "a07b5282e54025f42113e4f3ac336c45"
    assert replace(EVENT, code="\ud800\0").identity


def test_neighbouring_fields_do_not_run_into_each_other() -> None:
    assert replace(EVENT, task_id="a", name="bc").identity != replace(EVENT, task_id="ab", name="c").identity


RUNNING = replace(EVENT, status=Status.RUNNING, percent=40, name="FormatConvertJob:JobProgress")
FAILED = replace(EVENT, status=Status.FAILED, percent=0, code="ConvertTimeout")


@pytest.mark.parametrize(
    "rising",
    [
        [replace(RUNNING, time=None), RUNNING],
        [replace(RUNNING, time="2099-01-01T00:00:00Z"), EVENT],
        [replace(RUNNING, time="1542189080341"), replace(RUNNING, time="2018-11-14T17:51:20.342000000+08:00")],
        [EVENT, replace(FAILED, time="2018-11-14T09:51:20.343Z")],
        [FAILED, replace(EVENT, time="2018-11-14T09:51:20.343Z")],
    ],
    ids=["no time", "an older end", "two ways to write time", "a later failure", "a later success"],
)
def test_the_end_decides_and_then_the_later_one(rising: list[Event]) -> None:
    for events in permutations(rising):
        assert max(events, key=lambda event: event.rank) == rising[-1]


def test_two_that_differ_in_nothing_but_content_have_one_order() -> None:
    assert (EVENT.rank < FAILED.rank) is not (FAILED.rank < EVENT.rank)


def test_a_task_is_what_its_event_says() -> None:
    task = replace(TASK, **EVENT.verdict(received_at=9_000))
    assert (task.status, task.percent, task.page_count, task.code) == (Status.SUCCEEDED, 100, 5, "NoError")
    assert task.finished_at == 1542189080342


def test_a_success_is_all_of_it_and_a_failure_as_far_as_it_came() -> None:
    assert replace(EVENT, percent=None).verdict(9_000)["percent"] == 100
    assert replace(FAILED, percent=40).verdict(9_000)["percent"] == 40


def test_only_an_end_has_a_time_of_its_end_and_it_is_the_arrival_where_the_event_has_none() -> None:
    assert RUNNING.verdict(9_000)["finished_at"] is None
    assert replace(EVENT, time=None).verdict(9_000)["finished_at"] == 9_000
    assert replace(EVENT, time="soon").verdict(9_000)["finished_at"] == 9_000


def test_a_task_is_called_by_its_file_else_by_its_id_else_by_its_number() -> None:
    assert replace(TASK, source_uri="oss://b/in/5页Word.docx").name == "5页Word.docx"
    assert replace(TASK, source_uri="oss://b/in/").name == "in"
    assert replace(TASK, source_uri="///").name == "///"
    assert TASK.name == "t-1"
    assert replace(TASK, task_id=None).name == "#7"


def test_a_task_that_nobody_here_submitted_is_untracked() -> None:
    assert replace(TASK, submitted_at=None).untracked
    assert not replace(TASK, submitted_at=0).untracked


def test_a_password_is_not_printed() -> None:
    conversion = Conversion(source_uri="oss://b/a", target_uri="oss://b/", target_type="pdf", password="hunter2")
    assert "hunter2" not in repr(conversion)


@pytest.mark.parametrize(
    "spelling", ["723F6489-2e91", "formatconvert-723f6489-2e91", "OfficeConversion-723f6489-2e91", "723f6489-2e91"]
)
def test_every_spelling_of_a_task_id_has_one_key(spelling: str) -> None:
    assert task_key(spelling) == "723f6489-2e91"


def test_only_the_names_of_a_kind_are_left_out_of_a_key() -> None:
    assert task_key("other-723f") == "other-723f"
    assert task_key("formatconvert-") == "formatconvert-"
    assert task_key("formatconvert-officeconversion-1") == "officeconversion-1"


@pytest.mark.parametrize(
    "written",
    [
        "2018-11-14T09:51:20.342Z",
        "2018-11-14T09:51:20.342999999Z",
        "2018-11-14T17:51:20.342123456+08:00",
        "2018-11-14T09:51:20,342Z",
        "2018-11-14T09:51:20.342",
        "2018-11-14 09:51:20.342+00:00",
        "1542189080342",
    ],
)
def test_a_time_is_read_however_the_services_write_it(written: str) -> None:
    assert milliseconds(written) == 1542189080342


def test_a_time_without_a_zone_is_utc_wherever_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-8")
    time.tzset()
    try:
        assert milliseconds("2018-11-14T09:51:20.342") == 1542189080342
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_fraction_may_have_two_digits_or_none() -> None:
    assert milliseconds("2018-11-14T09:51:20.34Z") == 1542189080340
    assert milliseconds("2018-11-14T09:51:20Z") == 1542189080000


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "soon",
        "1542189080",
        "2018-13-14T09:51:20Z",
        "١٥٤٢١٨٩٠٨٠٣٤٢",
        "\ud800",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ],
    ids=ascii,
)
def test_what_is_no_time_is_none(written: str | None) -> None:
    assert milliseconds(written) is None


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_a_moment_comes_back_from_its_rfc_3339_form(moment: int) -> None:
    written = rfc3339(moment)
    assert written is not None
    assert written.endswith("Z")
    assert milliseconds(written) == moment


def test_rfc_3339_has_milliseconds_and_none_stays_none() -> None:
    assert rfc3339(1542189080342) == "2018-11-14T09:51:20.342Z"
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(None) is None


@given(
    st.text()
    | st.from_regex(r"[0-9]{1,15}", fullmatch=True)
    | st.from_regex(
        r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-][0-2][0-9]:00)?"
    )
)
def test_whatever_time_is_read_can_be_written(written: str) -> None:
    moment = milliseconds(written)
    assert (rfc3339(moment) is None) is (moment is None)
