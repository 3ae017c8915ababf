"""The last line says of each key the whole word, at every width, in each language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from imm_tui import i18n
from imm_tui.tui.app import ImmApp
from imm_tui.tui.widgets.footer import Footer
from tests.tui.conftest import Writer, app
from tests.tui.stage import seen, until


@pytest.fixture(params=list(i18n.LANGUAGES), autouse=True)
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = i18n.language()
    monkeypatch.setattr(i18n, "of_environment", lambda _environ: request.param)
    yield
    i18n.use(before)


def last_line(shown: ImmApp) -> str:
    return seen(shown).splitlines()[-1]


def words(shown: ImmApp) -> list[str]:
    """Each key that may stand in the last line, with its word."""
    active = [it.binding for it in shown.screen.active_bindings.values()]
    return [
        f"{shown.get_key_display(it)} {it.description}" for it in active if it.show or it.action == "command_palette"
    ]


async def test_no_word_is_cut(path: Path, writer: Writer) -> None:
    writer.submitted("a.docx", "A")
    shown = app(path)
    async with shown.run_test(size=(100, 20)) as pilot:
        await until(pilot, lambda: shown.dashboard.whereabouts.selected is not None)
        for width in (60, 40, 75, 79, 80, 90, 99, 100, 101, 110, 60, 140):
            await pilot.resize_terminal(width, 20)
            await pilot.pause()
            await pilot.pause()
            rest = last_line(shown)
            assert cell_len(rest) <= width
            there = [word for word in words(shown) if word in rest]
            assert len(there) >= 3
            for word in sorted(there, key=len, reverse=True):
                rest = rest.replace(word, "", 1)
            assert rest.strip(" ▏") == "", width
            assert any("^p" in word for word in there) is (width >= 100)


async def test_a_click_on_a_word_is_its_key_and_between_them_is_nothing(path: Path) -> None:
    shown = app(path)
    async with shown.run_test(size=(120, 20)) as pilot:
        await until(pilot, lambda: "?" in last_line(shown))
        at = last_line(shown)
        await pilot.click(Footer, offset=(cell_len(at[: at.index("▏")]) - 2, 0))
        assert shown.screen is shown.dashboard
        await pilot.click(Footer, offset=(cell_len(at[: at.index("?")]), 0))
        await until(pilot, lambda: shown.screen is not shown.dashboard)


async def test_what_a_key_does_is_told_under_the_mouse(path: Path) -> None:
    shown = app(path)
    async with shown.run_test(size=(120, 20)) as pilot:
        await until(pilot, lambda: "?" in last_line(shown))
        footer, at = shown.dashboard.query_one(Footer), last_line(shown)
        await pilot.hover(Footer, offset=(cell_len(at[: at.index("?")]), 0))
        assert str(footer.tooltip) == i18n._("What every key does")
        await pilot.hover("TaskList")
        assert footer.tooltip is None
