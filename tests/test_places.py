"""Where a person wants something written."""

from __future__ import annotations

from pathlib import Path

import pytest

from imm_tui import places
from imm_tui.errors import BadInput


def test_what_is_typed_is_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert places.whole("t.csv") == tmp_path / "t.csv"
    assert places.whole("~/t.csv") == Path("/home/somebody/t.csv")


def test_a_place_that_cannot_be_is_told() -> None:
    with pytest.raises(BadInput, match="home folder"):
        places.whole("~nobody-at-all/t.csv")


def test_the_uppermost_folder_that_is_missing_is_found(tmp_path: Path) -> None:
    assert places.missing(tmp_path) is None
    assert places.missing(tmp_path / "a") == tmp_path / "a"
    assert places.missing(tmp_path / "a" / "b" / "c") == tmp_path / "a"
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    assert places.missing(tmp_path / "file" / "a") is None, "nothing can be made there"
    assert places.missing(tmp_path / "link") is None, "it is there, wherever it leads"
    assert places.missing(tmp_path / "nul\0") is None
