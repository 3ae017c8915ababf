"""Raw events, read as they are drawn."""

from __future__ import annotations

import json

from rich.color import Color
from rich.segment import Segment
from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Static

from imm_tui.tui.styles import stylesheet
from imm_tui.tui.widgets.json_view import Body, JsonView
from tests.tui.conftest import lines
from tests.tui.stage import read, seen, until


class Viewing(App[None]):
    CSS = stylesheet()

    def __init__(self, *bodies: Body) -> None:
        super().__init__()
        self.bodies = bodies

    def compose(self) -> ComposeResult:
        yield JsonView()

    def on_mount(self) -> None:
        self.copied: list[str] = []
        self.view.show(self.bodies)

    def on_json_view_copied(self, copied: JsonView.Copied) -> None:
        self.copied.append(copied.text)

    @property
    def view(self) -> JsonView:
        return self.query_one(JsonView)

    @property
    def drawn(self) -> list[str]:
        """The lines in sight, down to the last with something in it."""
        return "\n".join(strip.text.rstrip() for strip in lines(self.view)).rstrip().split("\n")


async def test_a_long_line_is_wrapped_and_every_character_is_there() -> None:
    text = json.dumps({"name": "很长的中文名字" * 40, "more": "x" * 300}, ensure_ascii=False)
    viewing = Viewing(Body("caption", text))
    async with viewing.run_test(size=(40, 100)):
        caption, *body = viewing.drawn
        assert caption == "caption"
        assert "".join(body) == text.replace("xx ", "xx")
        assert {strip.cell_length for strip in lines(viewing.view)} == {39}  # and the scrollbar's


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


# Folding

EVENT = {"events": [{"eventName": "Finished", "imm": {"taskId": "t-1", "percent": "100"}}], "more": [1, 2]}
TREE = Body("", json.dumps(EVENT), formatted=True)


async def test_what_is_formatted_is_a_tree_and_what_is_no_json_says_so() -> None:
    viewing = Viewing(Body("one", '{"a": 1}', formatted=True), Body("two", "<a/>", formatted=True))
    async with viewing.run_test():
        assert viewing.drawn == ["one", "▾ {", '    "a": 1', "  }", "", "two · no JSON: shown as it came", "<a/>"]


async def test_space_folds_what_is_under_the_cursor_and_opens_it_again() -> None:
    viewing = Viewing(TREE)
    async with viewing.run_test() as pilot:
        whole = viewing.drawn
        await pilot.press("down", "down", "space")
        assert viewing.drawn == ["", "▾ {", '  ▸ "events": […], 1 item', '  ▾ "more": [', *whole[-4:]]
        await pilot.press("enter")
        assert viewing.drawn == whole


async def test_a_line_that_closes_folds_as_well_and_the_cursor_goes_with_it() -> None:
    viewing = Viewing(TREE)
    async with viewing.run_test() as pilot:
        await pilot.press("end", "up", "space")
        assert viewing.drawn[-2:] == ['  ▸ "more": […] 2 items', "  }"]
        await pilot.press("Y")
        assert viewing.copied == ["more"]


async def test_a_click_on_the_mark_folds_and_a_click_beside_it_does_not() -> None:
    viewing = Viewing(TREE)
    async with viewing.run_test() as pilot:
        whole = viewing.drawn
        await pilot.click(JsonView, offset=(8, 2))
        assert viewing.drawn == whole
        await pilot.click(JsonView, offset=(2, 2))
        assert '  ▸ "events": […], 1 item' in viewing.drawn


async def test_all_is_folded_but_the_whole_and_opened_again() -> None:
    viewing = Viewing(TREE)
    async with viewing.run_test() as pilot:
        whole = viewing.drawn
        await pilot.press("end", "minus")
        assert viewing.drawn == ["", "▾ {", '  ▸ "events": […], 1 item', '  ▸ "more": […] 2 items', "  }"]
        await pilot.press("plus")
        assert viewing.drawn == whole


async def test_left_folds_and_then_goes_to_what_it_is_in() -> None:
    viewing = Viewing(TREE)
    async with viewing.run_test() as pilot:
        await pilot.press("down", "down", "down", "left", "left", "Y", "right", "down", "left", "Y")
        assert viewing.copied == ["events", "events"]


async def test_a_value_that_is_wrapped_goes_on_below_its_beginning() -> None:
    viewing = Viewing(Body("", json.dumps({"名": "字" * 30}, ensure_ascii=False), formatted=True))
    async with viewing.run_test(size=(40, 20)):
        assert viewing.drawn[2:4] == ['    "名": "' + "字" * 14, "      " + "字" * 16 + '"']


# Searching


def background(segment: Segment) -> Color | None:
    return segment.style.bgcolor if segment.style else None


def underlined(segment: Segment) -> bool:
    return bool(segment.style and segment.style.underline)


def count(viewing: Viewing) -> str:
    return str(viewing.query_one("SearchLine #count", Static).content)


async def test_matches_are_found_as_one_types_and_visited_in_turn() -> None:
    viewing = Viewing(Body("caption with a", '{"a": "A", "b": "bab"}'))
    async with viewing.run_test() as pilot:
        await pilot.press("slash", "a")
        assert count(viewing) == "1/3"
        await pilot.press("enter", "n", "n", "n", "N")
        assert count(viewing) == "3/3"
        first, second, third = (segment for segment in viewing.view.render_line(1) if underlined(segment))
        assert first.text + second.text + third.text == "aAa"
        assert background(first) == background(second) != background(third)
        await pilot.press("slash", "b")
        assert count(viewing) == "1/3"
        await pilot.press("c")
        assert count(viewing) == "not found"


async def test_escape_ends_the_search_and_what_is_typed_is_no_key_of_the_view() -> None:
    viewing = Viewing(TREE)
    async with viewing.run_test() as pilot:
        before = viewing.drawn
        await pilot.press("slash", *"y-zN")
        assert not viewing.copied
        assert viewing.drawn == before
        await pilot.press("escape")
        await pilot.pause()
        assert not viewing.query("SearchLine")
        assert viewing.focused is viewing.view
        await pilot.press("n", "slash", "t", "enter", "escape", "Y")
        assert not viewing.query("SearchLine")
        assert viewing.copied == ["events"]


async def test_what_is_typed_in_one_go_with_the_slash_is_no_key_of_the_view() -> None:
    viewing = Viewing(Body("", '{"yY": 1}', formatted=True))
    async with viewing.run_test() as pilot:
        await pilot.press("down")
        for key, character in (("slash", "/"), ("y", "y"), ("Y", "Y")):
            viewing.post_message(events.Key(key, character))
        await until(pilot, lambda: bool(viewing.query("SearchLine")) and count(viewing) == "1/1")
        assert not viewing.copied


async def test_a_match_in_what_is_folded_opens_it_when_it_is_visited() -> None:
    viewing = Viewing(TREE)
    async with viewing.run_test() as pilot:
        await pilot.press("minus", "slash", *"taskid", "enter")
        assert '          "taskId": "t-1",' in viewing.drawn
        assert '  ▸ "more": […] 2 items' in viewing.drawn
        await pilot.press("Y")
        assert viewing.copied == ["events[0].imm.taskId"]


async def test_a_match_far_below_and_across_two_lines_is_brought_into_sight_and_marked() -> None:
    viewing = Viewing(Body("", "x" * 39 * 50 + "x" * 36 + "needle"))
    async with viewing.run_test(size=(40, 10)) as pilot:
        await pilot.press("slash", *"NEEDLE", "enter")
        marked = [segment.text for strip in lines(viewing.view) for segment in strip if underlined(segment)]
        assert marked == ["nee", "dle"]


# Copying


async def test_a_value_is_copied_as_it_came_and_shown_cleaned() -> None:
    viewing = Viewing(Body("", '{"name": "a\\u009bb", "list": [1,  2.50]}', formatted=True))
    async with viewing.run_test() as pilot:
        await pilot.press("down", "down", "y", "down", "y", "down", "down", "y", "Y")
        assert viewing.copied == ["a\x9bb", "[1,  2.50]", "2.50", "list[1]"]
        assert "\x9b" not in "".join(viewing.drawn)


async def test_of_a_text_as_it_came_all_of_it_is_copied() -> None:
    viewing = Viewing(Body("", "first\x1b[31m"), Body("", "second\r\nline"))
    async with viewing.run_test() as pilot:
        assert "\x1b" not in "".join(viewing.drawn)
        await pilot.press("y", "end", "y", "Y")
        assert viewing.copied == ["first\x1b[31m", "second\r\nline"]


async def test_the_mouse_selects_a_wrapped_line_as_one_and_no_mark() -> None:
    viewing = Viewing(Body("", json.dumps({"name": "x" * 40}), formatted=True))
    async with viewing.run_test(size=(40, 10)) as pilot:
        await pilot.mouse_down(JsonView, offset=(0, 1))
        await pilot.hover(JsonView, offset=(2, 4))
        await pilot.mouse_up(JsonView, offset=(2, 4))
        await pilot.pause()
        assert viewing.screen.get_selected_text() == '  {\n    "name": "' + "x" * 40 + '"\n  }'


# Showing something else


async def test_a_body_that_is_shown_already_stays_as_it_is_when_another_comes_before_it() -> None:
    long = Body("", json.dumps({"first": {"a": 1}, **{f"key{number}": number for number in range(40)}}), formatted=True)
    viewing = Viewing(long)
    async with viewing.run_test(size=(60, 10)) as pilot:
        await pilot.press("down", "down", "space", *["down"] * 20)
        in_sight = viewing.drawn
        viewing.view.show([Body("newer", "1\n2\n3"), long])
        assert viewing.drawn == in_sight
        await pilot.press("Y")
        assert viewing.copied == ["key19"]
        viewing.view.show([Body("other", "text")])
        assert viewing.drawn == ["other", "text"]
