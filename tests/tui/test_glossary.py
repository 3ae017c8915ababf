"""The glossary, used as a person does."""

from __future__ import annotations

import pytest
from textual.app import App
from textual.widgets import OptionList

from imm_tui import glossary
from imm_tui.tui.screens.glossary import GlossaryScreen
from imm_tui.tui.styles import stylesheet
from tests.tui.stage import paste, read, until, until_read


class Opened(App[None]):
    CSS = stylesheet()

    def __init__(self, code: str = "") -> None:
        super().__init__()
        self.code = code

    def on_mount(self) -> None:
        self.push_screen(GlossaryScreen(self.code))

    @property
    def codes(self) -> list[str | None]:
        return [option.id for option in self.screen.query_one(OptionList).options]


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_it_opens_at_a_code_with_its_cause_and_its_cure(size: tuple[int, int]) -> None:
    async with Opened("InvalidProject.NotFound").run_test(size=size) as pilot:
        await until_read(pilot, "The project cannot be used.")
        await until(pilot, lambda: read(pilot.app).count("InvalidProject") == 2)  # in the list, and above its entry
        words = read(pilot.app)
        assert "Likely cause" in words
        assert "What to do" in words


async def test_without_a_code_all_are_listed_and_one_that_nobody_knows_says_so() -> None:
    app = Opened()
    async with app.run_test():
        assert app.codes == [entry.code for entry in glossary.entries()]
    async with Opened("[red]Nobody\x1b.Knows").run_test() as pilot:
        await until_read(pilot, "Nothing is known of [red]Nobody␛.Knows.")


async def test_it_narrows_to_what_is_typed_names_before_explanations() -> None:
    app = Opened("NoError")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(*"queue name")
        assert app.codes[:2] == ["InvalidQueueName", "QueueNameLengthError"]
        assert "InvalidRequestURL" in app.codes
        await until_read(pilot, "MNS does not allow such a queue name.")
        await pilot.press("down")
        await until_read(pilot, "The queue's name is empty or too long.")
        await pilot.press("up")
        await until_read(pilot, "MNS does not allow such a queue name.")
        await paste(pilot, "nothing like it")
        await until_read(pilot, "No code and no explanation has this in it.")


async def test_escape_goes_back() -> None:
    app = Opened("NoSuchKey")
    async with app.run_test() as pilot:
        await pilot.press("n", "escape")
        assert not isinstance(app.screen, GlossaryScreen)
