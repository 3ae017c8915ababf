"""The stylesheets are found wherever the program may lie."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from imm_tui.tui.styles import stylesheet
from tests.conftest import CHECKOUT
from tests.tui.conftest import Writer, app, event
from tests.tui.stage import read, until_read


def found_from(place: Path, workplace: Path) -> str:
    """What a fresh Python finds that has the program from `place` and nothing else of it."""
    code = f"import sys; sys.path.insert(0, {str(place)!r}); from imm_tui.tui import styles; print(styles.stylesheet())"
    command = [sys.executable, "-P", "-c", code]
    return subprocess.run(command, cwd=workplace, capture_output=True, text=True, check=True).stdout


def test_the_theme_comes_first_and_every_screen_is_styled() -> None:
    sheet = stylesheet()
    assert sheet.index("$quiet:") < sheet.index("Dashboard {")
    assert all(path.read_text() in sheet for path in (CHECKOUT / "styles").glob("*.tcss"))


def test_they_are_found_in_a_zip_of_the_sources(tmp_path: Path) -> None:
    archive = tmp_path / "sources.zip"
    with zipfile.ZipFile(archive, "w") as sources:
        for path in [*(CHECKOUT / "imm_tui").rglob("*.py"), *(CHECKOUT / "styles").iterdir()]:
            sources.write(path, path.relative_to(CHECKOUT))
    assert found_from(archive, tmp_path).strip() == stylesheet().strip()


def test_they_are_found_where_a_wheel_puts_them(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "imm_tui", tmp_path / "site" / "imm_tui", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "site" / "imm_tui" / "styles").mkdir()
    for name in ("frame", "theme"):
        (tmp_path / "site" / "imm_tui" / "styles" / f"{name}.tcss").write_text(f"/* {name} of the wheel */")
    assert found_from(tmp_path / "site", tmp_path).split("\n")[:2] == [
        "/* frame of the wheel */",
        "/* theme of the wheel */",
    ]


@pytest.mark.parametrize("shift", ["", "x"])
@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 50)])
async def test_the_wide_characters_of_a_toast_are_whole(
    path: Path, writer: Writer, size: tuple[int, int], shift: str
) -> None:
    writer.submitted("5页Word.docx", "t-1")
    writer.received(event("t-1"))
    words = shift + "季度报告和年度总结的演示文稿"
    shown = app(path)
    async with shown.run_test(size=size, notifications=True) as pilot:
        await until_read(pilot, "submitted")
        shown.notify(words, title=words, markup=False)
        await until_read(pilot, words)
        assert read(shown).count(words) == 2


@pytest.mark.parametrize("size", [(80, 24), (99, 30), (120, 40)])
async def test_a_toast_is_told_to_its_end(path: Path, size: tuple[int, int]) -> None:
    shown = app(path)
    async with shown.run_test(size=size, notifications=True) as pilot:
        await until_read(pilot, "No tasks yet")
        for count in range(12, 32):  # where a line ends is another place each time
            shown.notify(" ".join(["message"] * count + [f"end-{count}"]))
            await until_read(pilot, f"end-{count}")
            shown.clear_notifications()
