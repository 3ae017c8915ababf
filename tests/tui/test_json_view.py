"""Raw events, read as they are drawn."""

from __future__ import annotations

import json

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll

from imm_tui.tui.styles import stylesheet
from imm_tui.tui.widgets.json_view import Body, JsonView
from tests.tui.conftest import lines
from tests.tui.stage import read, seen


class Viewing(App[None]):
    CSS = stylesheet()

    def __init__(self, *bodies: Body) -> None:
        super().__init__()
        self.bodies = bodies

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield JsonView()

    def on_mount(self) -> None:
        self.view.show(self.bodies)

    @property
    def view(self) -> JsonView:
        return self.query_one(JsonView)

    @property
    def drawn(self) -> list[str]:
        return [strip.text.rstrip() for strip in lines(self.view)]


async def test_a_long_line_is_wrapped_and_every_character_is_there() -> None:
    text = json.dumps({"name": "很长的中文名字" * 40, "more": "x" * 300}, ensure_ascii=False)
    viewing = Viewing(Body("caption", text))
    async with viewing.run_test(size=(40, 100)):
        caption, *body = viewing.drawn
        assert caption == "caption"
        assert "".join(body) == text.replace("xx ", "xx")
        assert {strip.cell_length for strip in lines(viewing.view)} == {viewing.view.size.width}


async def test_bodies_stand_below_each_other_with_a_line_between() -> None:
    viewing = Viewing(Body("one", "1\n2"), Body("two"), Body("three", "\ttabbed"))
    async with viewing.run_test():
        assert viewing.drawn == ["one", "1", "2", "", "two", "", "three", "    tabbed"]


async def test_keys_strings_and_figures_differ_also_where_a_string_is_wrapped() -> None:
    text = '{"key": "' + "value " * 20 + '", "figure": -1.5e3, "word": null, "broken": "no end'
    viewing = Viewing(Body("", text))
    async with viewing.run_test(size=(20, 30)):
        drawn = [
            (character, segment.style and segment.style.color)
            for strip in lines(viewing.view)[1:]
            for segment in strip
            for character in segment.text
        ]
        words = "".join(character for character, _ in drawn)

        def look(word: str) -> object:
            styles = {style for _, style in drawn[words.index(word) : words.index(word) + len(word)]}
            assert len(styles) == 1
            return styles.pop()

        assert len({look('"key"'), look("value"), look("-1.5e3"), look("{")}) == 3
        assert look("null") == look("-1.5e3")
        assert look("value value value") == look("no end") == look("{")


async def test_a_body_of_64_kb_opens_at_its_beginning_and_is_read_to_its_end() -> None:
    text = json.dumps({"items": [{"number": number, "名": "字" * 4} for number in range(3_000)]}, ensure_ascii=False)
    viewing = Viewing(Body("large", text))
    async with viewing.run_test(size=(80, 24)) as pilot:
        assert '{"items": [{"number": 0,' in seen(pilot.app)
        await pilot.press("end")
        assert '"number": 2999' in read(pilot.app)


async def test_the_mouse_selects_text_to_be_copied() -> None:
    viewing = Viewing(Body("caption", '{"taskId": "t-1"}'))
    async with viewing.run_test(size=(60, 10)) as pilot:
        await pilot.mouse_down(JsonView, offset=(1, 1))
        await pilot.hover(JsonView, offset=(15, 1))
        await pilot.mouse_up(JsonView, offset=(15, 1))
        await pilot.pause()
        assert viewing.screen.get_selected_text() == '"taskId": "t-1"'
        assert viewing.drawn == ["caption", '{"taskId": "t-1"}']
        before = viewing.view.render_line(1)
        viewing.screen.clear_selection()
        assert list(viewing.view.render_line(1)) != list(before)
