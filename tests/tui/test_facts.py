"""Facts with their labels, in an app of their own."""

from __future__ import annotations

from textual.app import App

from imm_tui.tui.widgets.facts import Facts
from tests.tui.stage import read


async def test_facts_that_come_while_the_app_ends_are_not_shown_and_no_mistake() -> None:
    facts = Facts()
    facts.show([("pages", "5")])  # the end came before it was mounted
    shown: App[None] = App()
    async with shown.run_test() as pilot:
        await shown.mount(facts)
        facts.show([("pages", "5"), ("took", "2.1 s")])
        await pilot.pause()
        assert "pages" in read(shown)
        await facts.remove()
        facts.show([("pages", "6"), ("took", "2.1 s"), ("task", "t-1")])
        await pilot.pause()
        assert "t-1" not in read(shown)
