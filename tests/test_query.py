"""Filters: what people type finds the tasks that they mean, and a mistake in it is told."""

from __future__ import annotations

import operator
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imm_tui.errors import BadInput
from imm_tui.history import History, Order
from imm_tui.query import FIELDS, completions, parse, settled
from imm_tui.tasks import Status

AT = 1_763_900_000_000
MINUTE, HOUR = 60_000, 3_600_000


@dataclass(frozen=True)
class Shelf:
    """A history that tasks are put into as they are wanted."""

    history: History
    db: sqlite3.Connection

    def put(self, **columns: object) -> int:
        row = {"revision": 1, "status": "Running", "seen_at": AT, "submitted_at": AT, **columns}
        marks = ", ".join("?" * len(row))
        with self.db:
            made = self.db.execute(f"INSERT INTO tasks ({', '.join(row)}) VALUES ({marks})", list(row.values()))
        assert made.lastrowid is not None
        return made.lastrowid

    def found(self, text: str, *, unfinished: bool = False) -> set[int]:
        it = parse(text, AT, unfinished=unfinished)
        return set(self.history.find(it.where, it.values, Order(), AT))


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    path = tmp_path / "history.db"
    with History(path) as history:
        db = sqlite3.connect(path)
        yield Shelf(history, db)
        db.close()


def test_nothing_typed_finds_everything(shelf: Shelf) -> None:
    one = shelf.put()
    for text in ("", "  ", "\u3000"):
        assert parse(text, AT).where == "1"
        assert shelf.found(text) == {one}


def test_words_are_looked_for_in_uri_id_code_message_and_request(shelf: Shelf) -> None:
    columns = ("source_uri", "task_id", "code", "message", "request_id")
    here = {shelf.put(**{column: "before NEEDLE after"}) for column in columns}
    shelf.put(target_uri="needle", project="needle")
    assert shelf.found("needle") == here
    assert shelf.found("needle after") == here
    assert shelf.found("needle elsewhere") == set()
    assert shelf.found('"needle after"') == here
    assert shelf.found('"after needle"') == set()


def test_conditions_are_joined_as_they_are_in_a_sentence(shelf: Shelf) -> None:
    a, b, ab, none = (shelf.put(source_uri=uri) for uri in ("oss://x/a1", "oss://x/b1", "oss://x/a1b1", None))
    assert shelf.found("a1 b1") == shelf.found("a1 and b1") == {ab}
    assert shelf.found("a1 or b1") == {a, b, ab}
    assert shelf.found("a1 -b1") == shelf.found("a1 not b1") == {a}
    assert shelf.found("-(a1 or b1)") == shelf.found("not(a1 or b1)") == {none}
    assert shelf.found("a1 -b1 or b1 -a1") == {a, b}
    assert shelf.found("not not a1") == {a, ab}


def test_an_operator_in_quotes_is_a_word(shelf: Shelf) -> None:
    one, other = shelf.put(source_uri="oss://b/this or that"), shelf.put(source_uri="oss://b/this")
    assert shelf.found('this "or" that') == {one}
    assert shelf.found("this or that") == {one, other}


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        ("status:failed", {Status.FAILED}),
        ("STATUS:FAIL", {Status.FAILED}),
        ("status:failed,unknown", {Status.FAILED, Status.UNKNOWN}),
        ("status:s", {Status.SUBMITTING, Status.SUCCEEDED}),
        ("-status:succeeded", set(Status) - {Status.SUCCEEDED}),
        ("status:失败", {Status.FAILED}),
        ("status：成功，未知", {Status.SUCCEEDED, Status.UNKNOWN}),
        ("status:运行中 或 status:提交中", {Status.RUNNING, Status.SUBMITTING}),
        ("非 （status：失败 或 status：成功）", {Status.RUNNING, Status.SUBMITTING, Status.UNKNOWN}),
        ("ｓ or status：“failed”", {Status.FAILED}),
        ("is:finished", {Status.SUCCEEDED, Status.FAILED}),
        ("is:running", {Status.RUNNING}),
    ],
)
def test_a_status_is_known_by_its_beginning_in_either_language(shelf: Shelf, text: str, statuses: set[Status]) -> None:
    by_status = {status: shelf.put(status=status) for status in Status}
    assert shelf.found(text) == {by_status[status] for status in statuses}


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("pages>10", {11, 250}),
        ("pages>=10", {10, 11, 250}),
        ("pages<10", {3}),
        ("pages:10", {10}),
        ("pages=10", {10}),
        ("pages:3,250", {3, 250}),
        ("pages:3-10", {3, 10}),
        ("pages:3..10", {3, 10}),
        ("pages＞１０", {11, 250}),
        ("pages≥11", {11, 250}),
        ("not pages>10", {None, 3, 10}),
    ],
)
def test_pages_are_compared_as_figures(shelf: Shelf, text: str, counts: set[int | None]) -> None:
    by_count = {count: shelf.put(page_count=count) for count in (None, 3, 10, 11, 250)}
    assert shelf.found(text) == {by_count[count] for count in counts}


def test_no_pages_are_counted_until_there_is_a_count(shelf: Shelf) -> None:
    shelf.put(status="Running", page_count=0)
    empty = shelf.put(status="Succeeded", page_count=0)
    assert shelf.found("pages<5") == {empty}


def test_how_long_it_took_or_has_been_under_way(shelf: Shelf) -> None:
    quick = shelf.put(status="Succeeded", submitted_at=AT - HOUR, finished_at=AT - HOUR + 2_500)
    running = shelf.put(submitted_at=AT - 2 * MINUTE)
    untracked = shelf.put(status="Succeeded", submitted_at=None, finished_at=AT)
    assert shelf.found("took>90s") == {running}
    assert shelf.found("took>90") == {running}
    assert shelf.found("took<1m") == {quick}
    assert shelf.found("took:2s") == shelf.found("took<=2.5s") == {quick}
    assert shelf.found("took:1m-1h") == {running}
    assert shelf.found("not took>0s") == {untracked}
    assert parse("took>90s", AT).takes_time


def test_times_are_of_the_submission_else_of_the_first_event(shelf: Shelf) -> None:
    old, new = shelf.put(submitted_at=AT - 3 * HOUR), shelf.put(submitted_at=AT - HOUR // 2)
    event = shelf.put(submitted_at=None, seen_at=AT - 2 * HOUR)
    assert shelf.found("since:1h") == {new}
    assert shelf.found("since:2.5h") == {new, event}
    assert shelf.found("before:1h") == {old, event}
    assert shelf.found("since:2.5h before:1h") == {event}
    assert parse("since:1h", AT).takes_time


def test_dates_and_hours_are_those_of_the_place(shelf: Shelf) -> None:
    noon = datetime.fromtimestamp(AT / 1000).replace(hour=12, minute=0, second=0, microsecond=0)
    late = noon.replace(hour=23, minute=59)
    one = shelf.put(submitted_at=int(noon.timestamp() * 1000))
    for since in ("today", "今天", "yesterday", "12:00", f"{noon:%Y-%m-%d}", f"{noon:%Y-%m-%dT%H:%M}"):
        assert shelf.found(f"since:{since}") == {one}, since
    for before in ("today", "12:00", f"{noon:%Y-%m-%d}", f'"{noon:%Y-%m-%d %H:%M}"'):
        assert shelf.found(f"before:{before}") == set(), before
    assert shelf.found(f"before:{late:%H:%M}") == {one}
    assert not parse(f"since:{noon:%Y-%m-%d}", AT).takes_time


def test_properties(shelf: Shelf) -> None:
    first, again = shelf.put(batch=7), shelf.put(resubmits=1)
    untracked, asked = shelf.put(submitted_at=None), shelf.put(asked=1)
    assert shelf.found("is:untracked") == {untracked}
    assert shelf.found("is:asked") == {asked}
    assert shelf.found("is:batch") == shelf.found("batch:7") == {first}
    assert shelf.found("is:resubmitted,asked") == {again, asked}


def test_fields_hold_a_part_of_their_value(shelf: Shelf) -> None:
    one = shelf.put(
        target_type="png",
        code="NoError",
        project="Demo-Project",
        source_uri="oss://in/2026/季度报告（终稿）.pptx",
        target_uri="oss://out/x/",
        task_id="t-1",
        request_id="R-1",
        api_version="2017-09-06",
    )
    shelf.put()
    fitting = (
        "type:png code:noerr project:demo source:oss://in/ target:out id:T-1 request:r-1 version:2017 name:季度"
        " name:报告（终稿）.pptx 报告（终稿）"
    )
    for text in (*fitting.split(), fitting, 'source:"2026/季度"', "type:pdf,png", "type：pdf、png"):
        assert shelf.found(text) == {one}, text
    assert shelf.found("name:2026") == set()


def test_a_name_is_what_the_list_calls_it(shelf: Shelf) -> None:
    folder, event = shelf.put(source_uri="oss://b/folder/"), shelf.put(source_uri=None, task_id="folder-1")
    assert shelf.found("name:folder") == {folder, event}


def test_an_id_is_found_by_either_of_its_spellings(shelf: Shelf) -> None:
    short = shelf.put(task_id="AB-12", task_key="ab-12")
    long = shelf.put(task_id="FormatConvert-AB-12x", task_key="ab-12x")
    assert shelf.found("formatconvert-ab-12") == shelf.found("id:FormatConvert-AB-12") == {short, long}
    assert shelf.found("formatconv") == {long}


def test_wildcards_and_quoted_quotes_are_meant_as_they_stand(shelf: Shelf) -> None:
    percent, under, back = (shelf.put(source_uri=f"oss://b/{name}") for name in ("100%", "a_b", 'c\\d"e'))
    shelf.put(source_uri="oss://b/100 axb")
    assert shelf.found("100%") == {percent}
    assert shelf.found("a_b") == {under}
    assert shelf.found("c\\d") == shelf.found(r'"d\"e"') == shelf.found(r'"c\\d"') == {back}


def test_a_comma_in_quotes_and_a_uri_are_no_syntax(shelf: Shelf) -> None:
    one = shelf.put(source_uri="oss://b/a,b=c.docx")
    assert shelf.found('source:"a,b"') == shelf.found("oss://b/a,b") == shelf.found("b=c") == {one}


def test_what_cannot_be_text_is_found_as_it_is_shown(shelf: Shelf) -> None:
    broken = shelf.put(source_uri=b"oss://b/x\xed\xa0\x80y.docx", message=b"\xed\xa0\x80")
    shelf.put(source_uri="oss://b/xy.docx")
    for text in ("x\ufffdy", "x\ud800y", "name:x\ufffdy", 'source:"x\ufffdy.docx"'):
        assert shelf.found(text) == {broken}, text


@pytest.mark.parametrize(
    ("text", "where", "why", "fix"),
    [
        ("a statsu:failed", "character 3, “statsu:failed”", "no field statsu", "mean status?"),
        ("foo:bar", "“foo:bar”", "no field foo", "What there is: status, type"),
        ("tok:1h", "“tok:1h”", "no field tok", "mean took?"),
        ("status:faild", "“status:faild”", "“faild” is nothing that status can be", "mean failed?"),
        ("status:zzz", "“status:zzz”", "“zzz”", "failed, running, succeeded, unknown, submitting"),
        ("is:untrakced", "“is:untrakced”", "“untrakced”", "mean untracked?"),
        ("status:", "“status:”", "status needs a value", "failed, running"),
        ("status>failed", "“status>failed”", "greater or less", "failed, running"),
        ("pages>", "“pages>”", "pages needs a value", "pages:2-5"),
        ("pages:many", "“pages:many”", "“many” is no figure", "pages:2-5"),
        ("pages>2-5", "“pages>2-5”", "“2-5” is no figure", "pages:2-5"),
        ("took>soon", "“took>soon”", "“soon” is no figure", "took>90s"),
        ("since:1x", "“since:1x”", "“1x” is no time", "since:2d"),
        ("since:2026-13-01", "“since:2026-13-01”", "is no time", "since:2026-11-20"),
        ('a "b', 'character 3, “"b”', "quote is not closed", "Close it"),
        ('""', '“""”', "nothing between the quotes", "words"),
        ("(a", "character 1, “(”", "not closed", "Close it"),
        ("a)", "character 2, “)”", "closes nothing", "Remove it"),
        ("a or", "character 3, “or”", "condition is missing", "quotes"),
        ("or a", "character 1, “or”", "condition is missing", "quotes"),
        ("()", "“)”", "condition is missing", "quotes"),
        ("not", "“not”", "condition is missing", "quotes"),
        ("x " * 101, "", "100 parts", "fewer"),
        ("x" * 4001, "", "4,000 characters", "fewer"),
        ("(" * 9 + "a" + ")" * 9, "character 9, “(”", "too many brackets", "fewer"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_would_fit(text: str, where: str, why: str, fix: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text, AT)
    assert where in caught.value.what
    assert why in caught.value.why
    assert fix in caught.value.fix
    assert caught.value.field == "filter"


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("png status:", "png"),
        ("png status:fa", "png status:failed"),
        ("png status:zz", "png"),
        ("png pages>", "png"),
        ("png pages:2-", "png"),
        ("png since:1", "png"),
        ("png status:failed,", "png status:failed"),
        ('png "two wo', 'png "two wo"'),
        ("png (failed or", "png failed"),
        ("png or", "png"),
        ("png not", "png"),
        ("png -", "png"),
        ("png )", "png"),
        ("png ()", "png"),
        ("colour:red png", "png"),
    ],
)
def test_what_is_half_typed_stands_for_what_is_complete(typed: str, means: str) -> None:
    half, whole = parse(typed, AT, unfinished=True), parse(means, AT)
    assert (half.text, half.where, half.values) == (typed, whole.where, whole.values)


@pytest.mark.parametrize(
    ("text", "following"),
    [
        ("", []),
        ("sta", ["status:"]),
        ("STA", ["STAtus:"]),
        ("png -(pa", ["png -(pages>"]),
        ("status:f", ["status:failed"]),
        ("status:failed,u", ["status:failed,unknown"]),
        ("status:失", ["status:失败"]),
        ("is:unt", ["is:untracked"]),
        ("version:2017", ["version:2017-09-06"]),
        ("status:failed", []),
        ("status:failed ", []),
        ('"sta', []),
        ("nothing-like-it", []),
    ],
)
def test_what_could_be_typed_next(text: str, following: list[str]) -> None:
    assert list(completions(text).values()) == following


def test_the_words_that_could_follow_are_told_by_themselves() -> None:
    assert list(completions("png type:")) == ["png", "jpg", "pdf", "txt", "vector"]
    assert list(completions("s")) == ["status:", "since:", "source:"]
    assert list(completions("status:unknown,S")) == ["succeeded", "submitting"]
    assert all(word.isascii() for word in completions("status:")), "in an English session"


def test_the_most_that_a_filter_can_be_is_not_too_much_for_sqlite(shelf: Shelf) -> None:
    one = shelf.put(source_uri="oss://b/a")
    deep = "a or a -(b or b "
    for text in (
        "a " * 100,
        "a" + " or a" * 49,
        "type:" + "x," * 100 + " or a",
        "%" * 4000,
        "(" * 8 + "a" + ")" * 8,
        deep * 8 + "b took>1s" + ")" * 8,
        "not " * 98 + "a",
    ):
        assert shelf.found(text) in ({one}, set()), text


# Any text at all

WORDS = st.sampled_from(
    [
        *FIELDS,
        "failed",
        "失败",
        "1h",
        "10",
        "2-5",
        "today",
        "oss://b/a.docx",
        "..",
        "%",
        "_",
        "\\",
        "\0",
        "\ud800",
        "\ufffd",
    ]
)
SIGNS = st.sampled_from([*'()（）-－"“”「:：><＞=,， \u3000', " or ", " 或 ", " and ", " not ", " 非 "])
TEXTS = st.one_of(st.text(st.characters()), st.lists(WORDS | SIGNS, max_size=30).map("".join))


@pytest.fixture(scope="module")
def any_history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    with History(tmp_path_factory.mktemp("any") / "history.db") as history:
        shelf = Shelf(history, sqlite3.connect(history.path))
        shelf.put(source_uri=b"\xed\xa0\x80", code="a%_\\", message="\0", percent=5, page_count=3)
        shelf.put(status="Failed", submitted_at=None, finished_at=AT)
        shelf.db.close()
        yield history


@given(TEXTS)
@settings(max_examples=400)
def test_any_text_is_a_filter_or_a_mistake_that_is_told(any_history: History, text: str) -> None:
    lenient = parse(text, AT, unfinished=True)
    any_history.find(lenient.where, lenient.values, Order(), AT)
    completions(text)
    try:
        strict = parse(text, AT)
    except BadInput:
        return
    assert (strict.where, strict.values) == (lenient.where, lenient.values)


@given(TEXTS)
def test_each_task_is_either_found_or_found_by_the_opposite(any_history: History, text: str) -> None:
    it = parse(text, AT, unfinished=True)
    found = set(any_history.find(it.where, it.values, Order(), AT))
    assert set(any_history.find(f"NOT {it.where}", it.values, Order(), AT)) == {1, 2} - found


# Against another reading of the same filters: in Python, of tasks that are dictionaries

Row = dict[str, Any]
Says = Callable[[Row], bool]

NAMES = ("report.docx", "Report(1).PPTX", "季度报告.pdf", "100%_\\.xls")
ROWS = st.fixed_dictionaries(
    {
        "status": st.sampled_from([status.value for status in Status]),
        "page_count": st.none() | st.integers(0, 12),
        "percent": st.none() | st.integers(0, 100),
        "events": st.integers(0, 3),
        "source_uri": st.none() | st.sampled_from([f"oss://b/in/{name}" for name in NAMES]),
        "target_type": st.sampled_from(["png", "pdf", "jpg"]),
        "code": st.none() | st.sampled_from(["NoError", "OpenFileError"]),
        "submitted_at": st.none() | st.integers(AT - 4 * HOUR, AT),
        "asked": st.integers(0, 1),
    }
)


def contains(column: str, text: str) -> Says:
    return lambda row: text.lower() in (row[column] or "").lower()


COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, ":": operator.eq}


def compares(column: str, sign: str, number: int) -> Says:
    def says(row: Row) -> bool:
        value = row[column]
        if column == "page_count" and not value and row["status"] != "Succeeded":
            value = None
        if value is None:
            return False
        return bool(COMPARISONS[sign](value, number))

    return says


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def is_status(status: str) -> Says:
    return lambda row: bool(row["status"] == status)


def since(hours: int) -> Says:
    return lambda row: (AT if row["submitted_at"] is None else row["submitted_at"]) >= AT - hours * HOUR


def word(text: str) -> Says:
    either = contains("source_uri", text), contains("code", text)
    return lambda row: any(says(row) for says in either)


SNIPPETS = st.sampled_from(["report", "REPORT", "(1)", "报告", "100%", "_", "\\", "error", "in/", "oss://b", "zzz"])
ATOMS = st.one_of(
    SNIPPETS.map(lambda text: (quoted(text), word(text))),
    SNIPPETS.map(lambda text: (f"source:{quoted(text)}", contains("source_uri", text))),
    st.sampled_from(["png", "pdf", "p"]).map(lambda text: (f"type:{text}", contains("target_type", text))),
    st.sampled_from(list(Status)).map(lambda status: (f"status:{status}", is_status(status))),
    st.integers(0, 5).map(lambda hours: (f"since:{hours}h", since(hours))),
    st.just(("is:asked", lambda row: bool(row["asked"]))),
    st.just(("is:untracked", lambda row: row["submitted_at"] is None)),
    st.tuples(
        st.sampled_from([("pages", "page_count"), ("percent", "percent"), ("events", "events")]),
        st.sampled_from(list(COMPARISONS)),
        st.integers(0, 100),
    ).map(lambda it: (f"{it[0][0]}{it[1]}{it[2]}", compares(it[0][1], it[1], it[2]))),
)


def negated(it: tuple[str, Says]) -> tuple[str, Says]:
    return f"-({it[0]})", lambda row: not it[1](row)


def both(its: list[tuple[str, Says]]) -> tuple[str, Says]:
    return f"({' '.join(text for text, _ in its)})", lambda row: all(says(row) for _, says in its)


def either(its: list[tuple[str, Says]]) -> tuple[str, Says]:
    return f"({' or '.join(text for text, _ in its)})", lambda row: any(says(row) for _, says in its)


QUERIES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map(negated),
        st.lists(inner, min_size=2, max_size=3).flatmap(lambda its: st.sampled_from([both(its), either(its)])),
    ),
    max_leaves=6,
).filter(lambda it: it[0].count("(") <= 8)


@given(st.lists(ROWS, min_size=1, max_size=8), QUERIES)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sqlite_finds_what_a_plain_reading_finds(shelf: Shelf, rows: list[Row], query: tuple[str, Says]) -> None:
    text, says = query
    shelf.db.execute("DELETE FROM tasks")
    by_number = {shelf.put(**row): row for row in rows}
    assert shelf.found(text) == {number for number, row in by_number.items() if says(row)}


@pytest.mark.parametrize(
    ("typed", "stays"),
    [
        ("s", ""),
        ("status", ""),
        ("png STAT", "png"),
        ("png -stat", "png"),
        ("(png or stat", "(png or"),
        ("status ", "status "),
        ("status:f", "status:f"),
        ('"stat', '"stat'),
        ("report", "report"),
        ("报告", "报告"),
        ("png", "png"),
        ("", ""),
    ],
)
def test_a_word_that_may_become_a_field_is_not_looked_for_yet(typed: str, stays: str) -> None:
    assert settled(typed) == stays
