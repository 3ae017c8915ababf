"""What a person has chosen is there in the next session, and no file can keep the app from starting."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imm_tui import preferences
from imm_tui.errors import HistoryUnusable
from imm_tui.preferences import Preferences

CHOSEN = Preferences(
    language="zh_CN",
    theme="nord",
    mouse=False,
    telling="osc9",
    sort="pages",
    descending=False,
    failures_first=True,
    folded=True,
    views={"昨天的失败": "status:failed since:1d"},
    forms={"default": {"target_type": "png", "dpi": "150"}},
)


def test_what_was_chosen_comes_back_from_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "preferences.json"
    preferences.save(path, CHOSEN)
    assert preferences.load(path) == CHOSEN
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path], "nothing half written lies about"


def test_without_a_file_nobody_has_chosen(tmp_path: Path) -> None:
    assert preferences.load(tmp_path / "none.json") == Preferences()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00", '{"theme": 1}', '{"views": {"a": 1}}', "[" * 100_000])
def test_a_damaged_file_is_as_if_nobody_had_chosen(tmp_path: Path, text: str) -> None:
    path = tmp_path / "preferences.json"
    path.write_text(text)
    assert preferences.load(path) == Preferences()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"theme": 1, "mouse": false}'])
def test_a_damaged_file_is_put_aside_as_it_was_and_only_once(tmp_path: Path, text: str) -> None:
    path = tmp_path / "preferences.json"
    path.write_text(text)
    aside = preferences.mend(path)
    assert aside == tmp_path / "preferences.json.damaged"
    assert aside.read_text() == text
    assert preferences.load(path) == Preferences(mouse="mouse" not in text), "what could be read is kept"
    assert preferences.mend(path) is None


def test_what_is_whole_or_not_there_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    assert preferences.mend(path) is None
    path.write_text(whole := json.dumps({"theme": "nord", "of a later imm-tui": 1}))
    assert preferences.mend(path) is None
    assert path.read_text() == whole
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_damaged_while_the_app_runs_costs_nothing_that_it_knows(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    path.write_text("{")
    assert preferences.change(path, Preferences(theme="nord"), mouse=False) == Preferences(theme="nord", mouse=False)


def test_what_is_damaged_costs_no_other_choice(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    path.write_text(json.dumps({"theme": "nord", "mouse": "perhaps", "of a later imm-tui": 1}))
    assert preferences.load(path) == Preferences(theme="nord")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["theme", "views", "forms", "mouse"]), inner),
    )
)
def test_whatever_a_file_holds_every_choice_is_of_its_kind(
    tmp_path_factory: pytest.TempPathFactory, kept: object
) -> None:
    path = tmp_path_factory.mktemp("kept") / "preferences.json"
    path.write_text(json.dumps(kept))
    found = preferences.load(path)
    assert isinstance(found.theme, str)
    assert isinstance(found.mouse, bool)
    assert all(isinstance(query, str) for query in found.views.values())
    assert all(isinstance(value, str) for form in found.forms.values() for value in form.values())


def test_what_cannot_be_kept_says_why_and_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HistoryUnusable, match="cannot be kept"):
        preferences.save(tmp_path / "file" / "preferences.json", CHOSEN)


def test_two_windows_keep_each_others_choices(tmp_path: Path) -> None:
    path = tmp_path / "data" / "preferences.json"
    first = second = preferences.load(path)
    first = preferences.change(path, first, views={"mine": "status:failed"})
    second = preferences.change(path, second, sort="pages")
    assert second.views == {"mine": "status:failed"}
    assert preferences.load(path) == Preferences(views={"mine": "status:failed"}, sort="pages")
    path.unlink()
    assert preferences.change(path, first, theme="nord") == Preferences(views={"mine": "status:failed"}, theme="nord")


@pytest.mark.parametrize("of", ["views", "forms"])
def test_two_windows_keep_each_others_views_and_forms(tmp_path: Path, of: str) -> None:
    path = tmp_path / "preferences.json"
    a, b, c, d = ("a", "b", "c", "d") if of == "views" else ({"dpi": it} for it in "abcd")
    first = second = preferences.change(path, Preferences(), **{of: {"1": a, "2": b}})
    second = preferences.change(path, second, **{of: {"1": a, "2": b, "second's": c}})
    first = preferences.change(path, first, **{of: {"1": d, "2": b, "first's": c}})
    assert getattr(first, of) == {"1": d, "2": b, "first's": c, "second's": c}
    second = preferences.change(path, second, **{of: {"1": a, "second's": c}})
    assert getattr(second, of) == {"1": d, "second's": c, "first's": c}, "one that was taken away is gone"
    first = preferences.change(path, first, **{of: {**getattr(first, of), "1": b}})
    assert preferences.load(path) == first
    assert getattr(first, of) == {"1": b, "second's": c, "first's": c}, "and does not come back"


def test_a_way_of_telling_that_there_is_not_is_as_if_nobody_had_chosen(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    path.write_text('{"telling": "by pigeon"}')
    assert preferences.load(path).telling == "toast"
