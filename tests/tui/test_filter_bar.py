"""The filter's line: typed, told, kept as a chip, cleared."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual import on
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from imm_tui import i18n
from imm_tui.query import parse
from imm_tui.tasks import now
from imm_tui.tui import theme
from imm_tui.tui.styles import stylesheet
from imm_tui.tui.widgets.filter_bar import FilterBar
from tests.tui.stage import paste, read, seen, until, until_read


class Filtering(App[None]):
    """A bar over a list, and what it has posted."""

    CSS = stylesheet()

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(theme.DARK)
        self.theme = theme.DARK.name
        self.posted: list[Message] = []

    def compose(self) -> ComposeResult:
        yield FilterBar()
        yield OptionList("a task", "another")

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    @property
    def bar(self) -> FilterBar:
        return self.query_one(FilterBar)

    @on(FilterBar.Changed)
    @on(FilterBar.Done)
    @on(FilterBar.Cleared)
    def record(self, message: Message) -> None:
        self.posted.append(message)
        if not isinstance(message, FilterBar.Changed):
            self.query_one(OptionList).focus()

    @property
    def texts(self) -> list[str]:
        return [it.filter.text for it in self.posted if isinstance(it, FilterBar.Changed)]

    @property
    def kinds(self) -> list[str]:
        return [type(it).__name__ for it in self.posted]


async def typed(pilot: Pilot[None], text: str) -> None:
    await pilot.press(*("space" if it == " " else it for it in text))


@pytest.fixture
def chinese() -> Iterator[None]:
    i18n.use("zh_CN")
    yield
    i18n.use("en")


async def test_it_takes_no_room_until_it_is_opened() -> None:
    app = Filtering()
    async with app.run_test(size=(80, 12)):
        assert app.bar.size.height == 0
        app.bar.open()
        assert "/" not in read(app)


async def test_what_is_typed_is_told_and_then_kept_as_a_chip() -> None:
    app = Filtering()
    async with app.run_test(size=(80, 12)) as pilot:
        app.bar.open()
        await until_read(pilot, "status:failed since:1d")  # an example
        await typed(pilot, "status:failed")
        await until(pilot, lambda: "status:failed" in app.texts)
        app.bar.show_found(1234)
        await until_read(pilot, "1,234 tasks")
        await pilot.press("enter")
        await until_read(pilot, "/ status:failed")
        await until_read(pilot, "1,234 tasks · Esc clears")
        assert app.kinds[-1] == "Done"
        assert isinstance(app.focused, OptionList)
        assert app.bar.size.height == 1
        assert app.bar.filter.where == parse("status:failed", now()).where


async def test_keys_that_come_in_one_go_are_told_once() -> None:
    app = Filtering()
    async with app.run_test(size=(80, 12)) as pilot:
        app.bar.open()
        for text in ("p", "pn", "png"):
            app.query_one(Input).value = text
        await until(pilot, lambda: bool(app.texts))
        assert app.texts == ["png"]


async def test_enter_in_the_midst_of_it_does_not_lose_the_last_keys() -> None:
    app = Filtering()
    async with app.run_test(size=(80, 12)) as pilot:
        app.bar.open()
        await pilot.pause()
        app.query_one(Input).value = "png"
        await pilot.press("enter")
        await until(pilot, lambda: "Done" in app.kinds)
        assert app.kinds == ["Changed", "Done"]
        assert app.texts == ["png"]


async def test_a_word_that_may_become_a_field_filters_when_a_blank_or_enter_has_ended_it() -> None:
    app = Filtering()
    async with app.run_test(size=(80, 12)) as pilot:
        app.bar.open()
        await typed(pilot, "png stat")
        await until_read(pilot, "status:")  # the hint
        await until(pilot, lambda: app.texts[-1:] == ["png"])
        await typed(pilot, "us ")
        await until(pilot, lambda: app.texts[-1] == "png status ")
        await typed(pilot, "code")
        await pilot.press("enter")
        await until(pilot, lambda: app.kinds[-1] == "Done")
        assert [text for text in app.texts if "s" in text] == ["png status ", "png status code"]


async def test_escape_clears_it() -> None:
    app = Filtering()
    async with app.run_test(size=(80, 12)) as pilot:
        app.bar.open()
        await typed(pilot, "png")
        await pilot.press("escape")
        await until(pilot, lambda: "Cleared" in app.kinds)
        assert app.kinds[-2:] == ["Changed", "Cleared"]
        assert app.texts[-1] == ""
        assert app.bar.filter.where == "1"
        assert app.bar.size.height == 0


async def test_a_mistake_is_told_in_the_bar_and_keeps_it_open() -> None:
    app = Filtering()
    async with app.run_test(size=(80, 12)) as pilot:
        app.bar.open()
        await typed(pilot, "png status:faild")
        await until(pilot, lambda: "png status:faild" in app.texts)
        height = app.bar.size.height
        assert app.bar.filter.where == parse("png", now()).where
        await until_read(pilot, "✘ “faild” is nothing that status can be. Did you mean failed?")
        assert app.bar.size.height == height
        await pilot.press("enter")
        await pilot.pause()
        assert "Done" not in app.kinds
        await typed(pilot, "x")
        assert "✘" not in read(app)


async def test_words_that_fit_are_offered_and_tab_takes_the_first() -> None:
    app = Filtering()
    async with app.run_test(size=(80, 12)) as pilot:
        app.bar.open()
        await typed(pilot, "type:pdf s")
        await until_read(pilot, "status: since: source:")
        await pilot.press("tab")
        assert app.query_one(Input).value == "type:pdf status:"
        await until_read(pilot, "failed running succeeded unknown submitting")
        await pilot.press("tab", "enter")
        await until_read(pilot, "/ type:pdf status:failed")


async def test_a_click_on_the_chip_opens_it_again_with_its_text() -> None:
    app = Filtering()
    async with app.run_test(size=(80, 12)) as pilot:
        app.bar.use("png")
        await until_read(pilot, "/ png")
        assert app.kinds == ["Changed"]
        await pilot.click("#filter-chip")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await typed(pilot, "2")
        await until(pilot, lambda: app.texts == ["png", "png2"])


async def test_a_click_on_the_list_keeps_the_filter() -> None:
    app = Filtering()
    async with app.run_test(size=(80, 12)) as pilot:
        app.bar.open()
        await typed(pilot, "png")
        await pilot.click(OptionList)
        await until(pilot, lambda: not app.bar.editing)
        assert "/ png" in read(app)
        assert isinstance(app.focused, OptionList)


async def test_what_is_pasted_cannot_speak_to_the_terminal() -> None:
    app = Filtering()
    async with app.run_test(size=(80, 12)) as pilot:
        app.bar.open()
        await pilot.pause()
        await paste(pilot, "a\x1b]52;c;x\x07[red]b[/]")
        await pilot.press("enter")
        await until_read(pilot, "/ a␛]52;c;x␇[red]b[/]")
        assert "\x1b" not in app.bar.filter.text


async def test_a_long_filter_leaves_room_for_what_is_found(chinese: None) -> None:
    app = Filtering()
    async with app.run_test(size=(40, 12)) as pilot:
        app.bar.use("很长的名字" * 20)
        app.bar.show_found(7)
        await until_read(pilot, "…")
        row = next(row for row in seen(app).splitlines() if "/" in row)
        assert "7" in row.partition("…")[2]
