"""What is copied, where it goes, and what reaches the terminal of it."""

from __future__ import annotations

import re
import stat
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver

from imm_tui.completion import Telling
from imm_tui.tui.clipboard import LIMIT, copy, pasted
from imm_tui.tui.telling import tell
from tests.tui.stage import read, until_read

NAME = "the task id"


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that a terminal without a multiplexer is sent."""
    written: list[str] = []
    monkeypatch.setattr(HeadlessDriver, "write", lambda _, data: written.append(data))
    for name in ("TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    return written


def copied(sent: list[str]) -> list[str]:
    """What a terminal would have put into its clipboard."""
    return [b64decode(code).decode() for code in re.findall("\x1b]52;c;([A-Za-z0-9+/=]*)\x07", "".join(sent))]


async def test_it_reaches_the_terminal_and_a_file_of_the_persons_own(tmp_path: Path, sent: list[str]) -> None:
    file = tmp_path / "data" / "copied.txt"
    async with App[None]().run_test(size=(200, 20), notifications=True) as pilot:
        copy(pilot.app, "任务-1\n任务-2", NAME, file)
        await until_read(pilot, "Copied")
        assert copied(sent) == ["任务-1\n任务-2"]
        assert file.read_text() == "任务-1\n任务-2"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        words = read(pilot.app)
        assert "Copied: the task id." in words
        assert "copied.txt" in words


async def test_a_file_that_others_could_read_cannot_be_read_by_them_any_more(tmp_path: Path, sent: list[str]) -> None:
    file = tmp_path / "copied.txt"
    file.write_text("a longer text of before")
    file.chmod(0o644)
    async with App[None]().run_test(notifications=True) as pilot:
        copy(pilot.app, "short", NAME, file)
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("short", 0o600)


@pytest.mark.parametrize(("size", "fits"), [(LIMIT, True), (LIMIT + 1, False)])
async def test_what_is_too_long_for_terminals_is_in_the_file_alone(
    tmp_path: Path, size: int, fits: bool, sent: list[str]
) -> None:
    file = tmp_path / "copied.txt"
    async with App[None]().run_test(size=(200, 20), notifications=True) as pilot:
        copy(pilot.app, "x" * size, NAME, file)
        await until_read(pilot, "Copied" if fits else f"{size:,} bytes are too many")
        assert bool(copied(sent)) is fits
    assert len(file.read_text()) == size


async def test_it_says_so_where_the_file_cannot_be_written(tmp_path: Path, sent: list[str]) -> None:
    (tmp_path / "copied.txt").mkdir()
    async with App[None]().run_test(size=(200, 20), notifications=True) as pilot:
        copy(pilot.app, "text", NAME, tmp_path / "copied.txt")
        await until_read(pilot, "Is a directory")
    assert copied(sent) == ["text"]


async def test_a_message_is_kept_byte_for_byte(tmp_path: Path, sent: list[str]) -> None:
    body = b"\xff\x1b]0;title\x07\r\n\x00"
    async with App[None]().run_test(notifications=True) as pilot:
        copy(pilot.app, body, NAME, tmp_path / "copied.txt")
    assert (tmp_path / "copied.txt").read_bytes() == body
    assert copied(sent) == ["\ufffd\ufffd]0;title\ufffd\n\ufffd"]


@given(st.one_of(st.text(), st.binary()))
def test_nothing_that_is_pasted_is_a_command_to_a_terminal(content: str | bytes) -> None:
    text = pasted(content)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    text.encode()


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_everything_else_is_pasted_as_it_is(text: str) -> None:
    assert pasted(f"a\n{text}\tb") == f"a\n{text}\tb"


@pytest.mark.parametrize(("name", "around"), [("TMUX", ("\x1bPtmux;\x1b", "\x1b\\")), ("STY", ("\x1bP", "\x1b\\"))])
async def test_it_goes_through_a_multiplexer_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, around: tuple[str, str], sent: list[str]
) -> None:
    monkeypatch.setenv(name, "1")
    async with App[None]().run_test(notifications=True) as pilot:
        copy(pilot.app, "text", NAME, tmp_path / "copied.txt")
    assert copied(sent) == ["text", "text"], "to tmux itself, and through it"
    assert f"{around[0]}\x1b]52;c;dGV4dA==\x07{around[1]}" in "".join(sent)


@pytest.mark.parametrize(
    ("by", "toast", "sequence"),
    [("toast", True, ""), ("osc9", False, "\x1b]9;imm-tui: 3 succeeded\x07"), ("none", False, "")],
)
async def test_the_end_of_tasks_is_told_as_preferred(by: str, toast: bool, sequence: str, sent: list[str]) -> None:
    async with App[None]().run_test(notifications=True) as pilot:
        tell(pilot.app, Telling("3 succeeded", failed=False, lasts=60), by)
        if toast:
            await until_read(pilot, "3 succeeded")
        else:
            await pilot.pause(0.1)
            assert "3 succeeded" not in read(pilot.app)
        assert sequence in "".join(sent)
        assert ("\x1b]9" in "".join(sent)) is bool(sequence)
