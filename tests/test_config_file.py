"""A profile is written into config.toml, and what a person wrote there stays as it was."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imm_tui import config, config_file
from imm_tui.errors import BadInput

WRITTEN = """\
# My settings.
profile = "work"   # the usual one

[hooks]
on_failed = ["notify-send", "失败"]

[profiles.work]
region = "cn-beijing"  # Beijing
queue = "shared"
[profiles.old]
region = 'cn-shanghai'

[keys]
"help.close" = "q"
"""


def test_only_the_lines_that_change_change() -> None:
    after = config_file.with_profile(WRITTEN, "work", {"queue": "mine", "topic": "events"})
    gone, come = ([line for line in a.splitlines() if line not in b.splitlines()] for a, b in
                  ((WRITTEN, after), (after, WRITTEN)))  # fmt: skip
    assert gone == ['queue = "shared"']
    assert come == ['queue = "mine"', 'topic = "events"']
    assert tomllib.loads(after)["profiles"]["work"] == {"region": "cn-beijing", "queue": "mine", "topic": "events"}


def test_an_empty_value_takes_its_line_away() -> None:
    after = config_file.with_profile(WRITTEN, "work", {"queue": ""})
    assert tomllib.loads(after)["profiles"]["work"] == {"region": "cn-beijing"}
    assert after == WRITTEN.replace('queue = "shared"\n', "")


def test_another_profile_is_added_and_the_chosen_one_stays_chosen() -> None:
    after = tomllib.loads(config_file.with_profile(WRITTEN, "new", {"region": "cn-hangzhou"}))
    before = tomllib.loads(WRITTEN)
    assert after["profiles"].pop("new") == {"region": "cn-hangzhou"}
    assert after == before


@pytest.mark.parametrize("text", ["", "# mine\n", "[hooks]\non_failed = ['x']\n"])
def test_the_first_profile_is_the_one_that_is_used(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    config_file.write(path, config_file.with_profile(text, "demo", {"region": "cn-beijing"}))
    settings = config.load({"config": str(path)}, {"HOME": str(tmp_path)})
    assert (settings.profile, settings.region) == ("demo", "cn-beijing")
    assert text.strip() in path.read_text(encoding="utf-8")


@given(
    st.dictionaries(
        st.sampled_from(("region", "project", "queue", "target_uri")),
        st.text(st.characters(exclude_categories=["Cs"])),
    )
)
def test_whatever_a_value_holds_it_is_read_back(values: dict[str, str]) -> None:
    profile = tomllib.loads(config_file.with_profile(WRITTEN, "new", values))["profiles"].get("new", {})
    assert profile == {key: value for key, value in values.items() if value}


def test_a_comment_above_the_next_table_stays_there() -> None:
    before = '[profiles.work]\nregion = "r"  # mine\n\n# about keys\n[keys]\nb = "c"\n'
    after = config_file.with_profile(before, "work", {"queue": "q"})
    assert after == before.replace("# mine\n", '# mine\nqueue = "q"\n')


def test_line_ends_and_the_mark_in_front_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    windows = "\ufeff" + WRITTEN.replace("\n", "\r\n")
    path.write_bytes(windows.encode())
    assert config_file.read(path) == windows
    config_file.write(path, config_file.with_profile(config_file.read(path), "work", {"queue": "mine"}))
    assert path.read_bytes().decode() == windows.replace('"shared"', '"mine"')
    added = config_file.with_profile(windows, "new", {"region": "r"})
    assert added.count("\n") == added.count("\r\n")


@pytest.mark.parametrize(
    "text",
    [
        "profiles = {work = {region = 'r'}}\n",
        "profiles.work.region = 'r'",
        "[profiles]\nwork = {region = 'r'}",
        "[profiles.work]\nregion = 'r'",
        "[profiles.work]\nregion = 'r'\n[keys]\n[profiles.old]\n",
    ],
)
@pytest.mark.parametrize("name", ["work", "new"])
def test_a_profile_in_any_spelling_is_written(text: str, name: str) -> None:
    before = tomllib.loads(text)
    after = tomllib.loads(config_file.with_profile(text, name, {"queue": "q", "topic": ""}))
    before["profiles"].setdefault(name, {})["queue"] = "q"
    assert after == before


def test_nothing_is_added_to_say_that_nothing_is_set() -> None:
    assert config_file.with_profile("# mine\n", "work", {"queue": ""}) == "# mine\n"


def test_that_it_cannot_be_written_is_known_before(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("a = 1\n")
    config_file.try_out(tmp_path / "config.toml")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("config.toml", "a = 1\n")]
    with pytest.raises(BadInput, match="cannot be used"):
        config_file.try_out(tmp_path / ("c" * 254))


def test_the_file_is_for_its_owner_alone_and_a_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles" / "imm.toml", tmp_path / "config.toml"
    link.symlink_to(real)
    config_file.write(link, "a = 1\n")
    assert link.is_symlink()
    assert real.read_text() == "a = 1\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    real.chmod(0o640)
    config_file.write(link, "a = 2\n")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert [path.name for path in real.parent.iterdir()] == ["imm.toml"]


def test_a_folder_that_is_none_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=r"config\.toml cannot be used"):
        config_file.write(tmp_path / "file" / "config.toml", "")
    assert config_file.read(tmp_path / "none.toml") == ""
