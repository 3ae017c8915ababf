"""Filters that have a name are chosen, saved, renamed and deleted."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import App
from textual.pilot import Pilot

from imm_tui.tui import theme
from imm_tui.tui.screens.views import ViewsScreen
from imm_tui.tui.styles import stylesheet
from tests.tui.stage import read, until, until_read


class Choosing(App[None]):
    CSS = stylesheet()

    def __init__(self, views: Mapping[str, str], current: str = "") -> None:
        super().__init__()
        self.register_theme(theme.DARK)
        self.theme = theme.DARK.name
        self.kept = views
        self.current = current
        self.left: list[str | None] = []

    def on_mount(self) -> None:
        self.push_screen(ViewsScreen(self.kept, self.current, self.keep), self.left.append)

    def keep(self, views: Mapping[str, str]) -> Mapping[str, str]:
        self.kept = views
        return views


async def left(pilot: Pilot[None]) -> tuple[Mapping[str, str], str | None]:
    """The views that are kept, and the one that was chosen."""
    app = pilot.app
    assert isinstance(app, Choosing)
    await until(pilot, lambda: bool(app.left))
    return app.kept, app.left[0]


async def test_some_are_always_there_and_enter_chooses() -> None:
    async with Choosing({}).run_test() as pilot:
        await until_read(pilot, "Failed and unknown status:failed,unknown")
        await pilot.press("down", "down", "enter")
        assert await left(pilot) == ({}, "status:failed,unknown")


async def test_the_filter_of_the_moment_is_marked_and_escape_changes_nothing() -> None:
    async with Choosing({"季度": "name:季度", "mine": "type:png"}, "type:png").run_test() as pilot:
        await until_read(pilot, "● mine type:png")
        await pilot.press("escape")
        assert await left(pilot) == ({"季度": "name:季度", "mine": "type:png"}, None)


async def test_a_filter_is_saved_under_a_name() -> None:
    async with Choosing({}, "pages>10").run_test() as pilot:
        await pilot.press("s")
        await until_read(pilot, "Name a name for pages>10")
        await pilot.press(*"long", "enter")
        await until_read(pilot, "● long pages>10")
        assert isinstance(pilot.app, Choosing)
        assert pilot.app.kept == {"long": "pages>10"}, "at once: the screen may stay open for long"
        await pilot.press("escape")
        assert await left(pilot) == ({"long": "pages>10"}, None)


async def test_a_name_that_is_taken_is_not_lost_without_a_question() -> None:
    async with Choosing({"long": "pages>10"}, "pages>20").run_test() as pilot:
        await pilot.press("s", *"long", "enter")
        await until_read(pilot, "Replace this view?")
        await pilot.press("n", "escape", "s", *"All", "enter")
        await until_read(pilot, "Give another name.")
        await pilot.press("escape", "s", *"long", "enter")
        await until_read(pilot, "Replace this view?")
        await pilot.press("y", "escape")
        assert await left(pilot) == ({"long": "pages>20"}, None)


async def test_a_view_is_deleted_after_a_question() -> None:
    async with Choosing({"a": "x", "b": "y"}).run_test() as pilot:
        await pilot.press("end", "d")
        await until_read(pilot, "Delete this view?")
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, ViewsScreen))
        await pilot.press("escape")
        assert await left(pilot) == ({"a": "x"}, None)


async def test_a_view_gets_another_name_in_its_place_but_not_that_of_another() -> None:
    async with Choosing({"a": "x", "b": "y"}).run_test() as pilot:
        await pilot.press("end", "up", "e", "backspace", "b", "enter")
        await until_read(pilot, "Another view is called so.")
        await pilot.press("2", "enter", "escape")
        kept, _chosen = await left(pilot)
        assert list(kept.items()) == [("b2", "x"), ("b", "y")]


async def test_what_is_always_there_can_be_neither_deleted_nor_renamed_nor_nothing_saved() -> None:
    async with Choosing({"a": "x"}).run_test() as pilot:
        await pilot.press("home", "d", "e", "s")
        assert "save" not in read(pilot.app)
        await pilot.press("escape")
        assert await left(pilot) == ({"a": "x"}, None)


async def test_a_filter_that_cannot_be_read_is_not_saved() -> None:
    async with Choosing({}, "status:").run_test() as pilot:
        await pilot.press("s")
        await until_read(pilot, "status needs a value")
        await pilot.press("escape")
        assert await left(pilot) == ({}, None)
