"""What is looked at, for as much room as there is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.app import App, ComposeResult

from imm_tui.config import Settings
from imm_tui.errors import Barred
from imm_tui.queue_depth import Depth
from imm_tui.tui import theme
from imm_tui.tui.widgets.heading import Heading
from tests.tui.conftest import SETTINGS
from tests.tui.stage import read

PRODUCTION = replace(SETTINGS, profile="production")


class Shown(App[None]):
    CSS = "Heading { width: 1fr; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }"

    def __init__(self, settings: Settings = PRODUCTION, *, demo: bool = False, scenario: str = "") -> None:
        super().__init__()
        self.register_theme(theme.DARK)
        self.theme = theme.DARK.name
        self.heading = Heading(settings, demo=demo, scenario=scenario)

    def compose(self) -> ComposeResult:
        yield self.heading


async def words(shown: Shown, width: int, *depth: Depth | None) -> str:
    async with shown.run_test(size=(width, 1)) as pilot:
        if depth:
            shown.heading.show_depth(depth[0])
        await pilot.pause()
        return read(shown)


@pytest.mark.parametrize(
    ("width", "seen"),
    [
        (
            200,
            "imm-tui production · cn-beijing · GetResult-ByNotify-Demo · 2017-09-06 · queue 12 · 3 hidden · 1 delayed",
        ),
        (98, "imm-tui production · cn-beijing · GetResult-ByNotify-Demo · queue 12 · 3 hidden · 1 delayed"),
        (80, "imm-tui production · GetResult-ByNotify-Demo · queue 12 · 3 hidden · 1 delayed"),
        (60, "imm-tui production · GetResult-ByNotify-Demo · queue 12"),
        (50, "production · GetResult-ByNotify-Demo · queue 12"),
        (40, "production · GetResult-ByNotify-Demo"),
        (30, "GetResult-ByNotify-Demo"),
        (20, "GetResult-ByNotify-…"),
    ],
)
async def test_what_is_least_needed_goes_first(width: int, seen: str) -> None:
    assert await words(Shown(), width, Depth(12, 3, 1)) == seen


@pytest.mark.parametrize(
    ("width", "seen"),
    [
        (100, "imm-tui demo · throttled cn-beijing · GetResult-ByNotify-Demo · 2017-09-06 · queue 0"),
        (70, "imm-tui demo cn-beijing · GetResult-ByNotify-Demo · queue 0"),
        (50, "imm-tui demo GetResult-ByNotify-Demo · queue 0"),
        (40, "demo GetResult-ByNotify-Demo · queue 0"),
        (30, "demo GetResult-ByNotify-Demo"),
    ],
)
async def test_that_it_is_a_demo_is_said_in_any_case(width: int, seen: str) -> None:
    assert await words(Shown(SETTINGS, demo=True, scenario="throttled"), width, Depth(0, 0, 0)) == seen


@pytest.mark.parametrize(
    ("depth", "seen"),
    [(Depth(0, 0, 0), "queue 0"), (Depth(12_345, 0, 2), "queue 12,345 · 2 delayed"), (None, "queue –")],
)
async def test_the_depth_of_the_queue_is_told_without_its_noughts(depth: Depth | None, seen: str) -> None:
    assert (await words(Shown(), 200, depth)).endswith(f"2017-09-06 · {seen}")


async def test_nothing_is_said_of_a_queue_that_was_never_asked() -> None:
    assert "queue" not in await words(Shown(), 200)


async def test_why_the_depth_is_not_known_can_be_found_out() -> None:
    shown = Shown()
    async with shown.run_test():
        shown.heading.show_depth(None, Barred("Refused\x1b[31m.", "[red]Because.", "Do this."))
        assert str(shown.heading.tooltip) == "Refused␛[31m. [red]Because. Do this."
        shown.heading.show_depth(Depth(0, 0, 0))
        assert shown.heading.tooltip is None


@pytest.mark.parametrize("width", [40, 120])
async def test_what_is_not_encrypted_is_said_in_any_case(width: int) -> None:
    settings = replace(SETTINGS, mns_endpoint="http://123.mns.cn-beijing.aliyuncs.com")
    assert "http: not encrypted" in await words(Shown(settings), width)


@pytest.mark.parametrize(("width", "seen"), [(31, "imm-tui 生产环境 · p · queue 0"), (30, "生产环境 · p · queue 0")])
async def test_a_wide_glyph_takes_two_cells(width: int, seen: str) -> None:
    settings = Settings(profile="生产环境", project="p", api_version="2017-09-06")
    assert await words(Shown(settings), width, Depth(0, 0, 0)) == seen
